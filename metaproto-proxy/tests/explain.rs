//! `metaproto explain`, as its users run it.
#![cfg(all(feature = "cli", feature = "awesomerpc"))]

use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use etherparse::PacketBuilder;
use tempfile::TempDir;

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Explains `input`, which comes from standard input.
fn explain(arguments: &[&str], input: &[u8]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_metaproto"));
    command.args(["explain", "--protocol", "awesomerpc", "-"]).args(arguments);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut process = command.spawn().expect("the binary runs");
    // It may stop reading before the end.
    process.stdin.take().expect("a pipe").write_all(input).ok();
    process.wait_with_output().expect("it ends")
}

fn file(content: &[u8]) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("there is room");
    let path = folder.path().join("input");
    std::fs::write(&path, content).expect("a file can be written");
    (folder, path)
}

/// A message of AwesomeRPC.
fn frame(id: u32, code: i16, body: &str) -> Vec<u8> {
    let len = u32::try_from(13 + body.len()).expect("it is short");
    let header = [&[1][..], &id.to_be_bytes(), &len.to_be_bytes(), &100_i16.to_be_bytes()];
    [&header.concat()[..], &code.to_be_bytes(), body.as_bytes()].concat()
}

const REQUEST: &str = "\
kind        request
request id  7 (0x7)
operation   100
size        18 bytes: header 13, body 5

0000  01                       .         version    1 (0x01)
0001  00 00 00 07              ....      pack_flow  7 (0x00000007)
0005  00 00 00 12              ....      pack_len   18 (0x00000012)
0009  00 64                    .d        req_cmd    100 (0x0064)  property cmd
000b  00 00                    ..        rsp_code   0 (0x0000)  status
000d  68 65 6c 6c 6f           hello     body       5 bytes
";

const RESPONSE: &str = "\
kind        response
request id  7 (0x7)
status      application_error (3)
operation   100
size        18 bytes: header 13, body 5

0000  01                       .         version    1 (0x01)
0001  00 00 00 07              ....      pack_flow  7 (0x00000007)
0005  00 00 00 12              ....      pack_len   18 (0x00000012)
0009  00 64                    .d        req_cmd    100 (0x0064)  property cmd
000b  00 03                    ..        rsp_code   3 (0x0003)  status
000d  73 6f 72 72 79           sorry     body       5 bytes
";

#[test]
fn hex_text_is_explained_frame_by_frame() {
    let input = "# one call\n> 01 00000007 00000012 0064 0000 68656c6c6f # hello\n\
                 < 01 00000007 00000012 0064 0003 736f727279\n";
    let explained = explain(&[], input.as_bytes());
    let expected = format!(
        "frame 1: client, 18 bytes at 0\n{REQUEST}\nframe 2: server, 18 bytes at 0\n{RESPONSE}"
    );
    assert_eq!(text(&explained.stdout), expected);
    assert_eq!((explained.status.code(), text(&explained.stderr)), (Some(0), String::new()));
}

#[test]
fn raw_bytes_are_explained_as_the_side_that_is_told() {
    let (_folder, path) = file(&[frame(7, 3, "sorry"), frame(8, 0, "")].concat());
    let run = |more: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_metaproto"));
        command.args(["explain", "--protocol", "awesomerpc"]).arg(&path).args(more);
        command.output().expect("the binary runs")
    };
    let explained = run(&["--side", "server", "--limit", "1"]);
    let expected = format!("frame 1: server, 18 bytes at 0\n{RESPONSE}");
    assert_eq!(text(&explained.stdout), expected);
    let both = text(&run(&["--format", "raw"]).stdout);
    assert!(both.contains("\n\nframe 2: client, 13 bytes at 18\n"), "{both}");
}

#[test]
fn long_fields_are_cut_unless_asked_for_whole() {
    let input = frame(7, 0, &"x".repeat(100));
    assert!(text(&explain(&[], &input).stdout).ends_with("002d  ... 68 bytes more\n"));
    let whole = text(&explain(&["--full"], &input).stdout);
    assert!(whole.ends_with("006d  78 78 78 78              xxxx\n"), "{whole}");
}

/// The packets of one call, with the request in two segments, the last of them first.
fn packets() -> Vec<Vec<u8>> {
    let (client, server) = (([10, 0, 0, 1], 40_000), ([10, 0, 0, 2], 9001));
    let packet = |up: bool, sequence, syn: bool, bytes: &[u8]| {
        let ((from, from_port), (to, to_port)) =
            if up { (client, server) } else { (server, client) };
        let builder = PacketBuilder::ethernet2([1; 6], [2; 6]).ipv4(from, to, 64);
        let builder = builder.tcp(from_port, to_port, sequence, 1000);
        let builder = if syn { builder.syn() } else { builder };
        let builder = if up { builder } else { builder.ack(1) };
        let mut packet = Vec::new();
        builder.write(&mut packet, bytes).expect("it fits");
        packet
    };
    let (request, response) = (frame(7, 0, "hello"), frame(7, 3, "sorry"));
    vec![
        packet(true, 99, true, b""),
        packet(false, 499, true, b""),
        packet(true, 110, false, &request[10..]),
        packet(true, 100, false, &request[..10]),
        packet(false, 500, false, &response),
        packet(false, 500, false, &response),
    ]
}

fn pcap() -> Vec<u8> {
    let header = [0xa1b2_c3d4_u32, 0x0004_0002, 0, 0, 0xffff, 1];
    let mut file: Vec<u8> = header.iter().flat_map(|word| word.to_le_bytes()).collect();
    for packet in packets() {
        let len = u32::try_from(packet.len()).expect("it is short");
        let record = [1_700_000_000_u32, 250_000, len, len];
        file.extend(record.iter().flat_map(|word| word.to_le_bytes()));
        file.extend(packet);
    }
    file
}

fn pcapng() -> Vec<u8> {
    let block = |kind: u32, content: Vec<u8>| {
        let padding = vec![0; content.len().next_multiple_of(4) - content.len()];
        let len = u32::try_from(12 + content.len() + padding.len()).expect("it is short");
        [&kind.to_be_bytes()[..], &len.to_be_bytes(), &content, &padding, &len.to_be_bytes()]
            .concat()
    };
    let words = |words: &[u32]| words.iter().flat_map(|w| w.to_be_bytes()).collect::<Vec<u8>>();
    let section = words(&[0x1a2b_3c4d, 0x0001_0000, u32::MAX, u32::MAX]);
    let interface = words(&[0x0001_0000, 0]);
    let mut file = [block(0x0a0d_0d0a, section), block(1, interface)].concat();
    let time = 1_700_000_000_250_000_u64;
    for packet in packets() {
        let len = u32::try_from(packet.len()).expect("it is short");
        let head = words(&[0, (time >> 32) as u32, time as u32, len, len]);
        file.extend(block(6, [head, packet].concat()));
    }
    file
}

#[test]
fn captures_are_explained_with_time_and_connection() {
    let time = "2023-11-14T22:13:20.250000Z";
    let expected = format!(
        "frame 1: client, 18 bytes at 0, 10.0.0.1:40000 > 10.0.0.2:9001, {time}\n{REQUEST}\n\
         frame 2: server, 18 bytes at 0, 10.0.0.2:9001 > 10.0.0.1:40000, {time}\n{RESPONSE}\n\
         ! 6 packets, 1 connection; 18 bytes came more than once\n"
    );
    for capture in [pcap(), pcapng()] {
        let explained = explain(&["--port", "9001"], &capture);
        assert_eq!(text(&explained.stdout), expected, "{}", text(&explained.stderr));
        assert_eq!(explained.status.code(), Some(0));
    }
}

#[test]
fn a_capture_that_ends_within_a_packet_is_explained_up_to_there() {
    let capture = pcap();
    let explained = explain(&[], &capture[..capture.len() - 1]);
    assert!(text(&explained.stdout).contains("\nframe 2: server, 18 bytes at 0, "));
    assert_eq!(
        text(&explained.stderr),
        "metaproto: -: the capture is broken: it ends within a packet\n"
    );
    assert_eq!(explained.status.code(), Some(1));
}

#[test]
fn what_is_wrong_is_told_with_its_place() {
    let error = |arguments: &[&str], input: &[u8]| {
        let explained = explain(arguments, input);
        assert_eq!(explained.status.code(), Some(1), "{arguments:?}");
        text(&explained.stderr)
    };
    let told = error(&["--format", "hex"], b"00 01\n0x\n02 zz\n");
    assert_eq!(told, "metaproto: -: line 3: \"zz\" is not hex\n");
    let told = error(&["--format", "pcap"], b"00 01");
    assert_eq!(told, "metaproto: -: is not a capture: neither pcap nor pcapng\n");
    let told = error(&["--option", "a=b"], b"");
    assert_eq!(told, "metaproto: --option: option \"a\": the protocol awesomerpc has no options\n");
    assert_eq!(error(&[], b""), "metaproto: -: there is no whole frame of awesomerpc in it\n");
    let short = explain(&[], b"01 00000007 000000");
    let at = "error: at 0005, pack_len: a length of 2 is too small";
    assert!(text(&short.stdout).contains("not a whole frame: client, 8 bytes at 0\n"));
    assert!(!text(&short.stdout).contains(at), "the length is not there yet");
    let bad = text(&explain(&[], b"01 00000007 00000002").stdout);
    assert!(bad.contains(at), "{bad}");
}
