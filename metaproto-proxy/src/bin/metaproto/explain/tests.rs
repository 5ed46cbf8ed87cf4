//! Captures in, text out, with a protocol of four bytes: `T`, an id, a length of two bytes, a body.

use std::io::Cursor;

use etherparse::PacketBuilder;
use metaproto_core::{Auto, Bytes, Codec, Frame, Side};
use proptest::prelude::*;

use super::capture;
use super::connections::Connections;
use super::report::{Origin, Report, Stop};
use super::splitter::Splitter;

#[derive(Debug, Frame, Codec)]
#[frame(magic = b"T")]
#[meta(protocol = "tiny")]
struct Tiny {
    #[meta(request_id)]
    id: u8,
    #[frame(length(of = body))]
    len: Auto<u16>,
    #[frame(body)]
    body: Bytes,
}

fn frame(id: u8, body: &str) -> Vec<u8> {
    let len = u16::try_from(body.len()).unwrap().to_be_bytes();
    [b"T", &[id][..], &len, body.as_bytes()].concat()
}

fn report(out: &mut Vec<u8>) -> Report<&mut Vec<u8>> {
    Report::new(Tiny::protocol(), out, None, false)
}

/// What explaining prints, down to the lines that begin frames and remarks.
fn outline(explain: impl FnOnce(&mut Report<&mut Vec<u8>>) -> Result<(), Stop>) -> Vec<String> {
    let mut out = Vec::new();
    explain(&mut report(&mut out)).unwrap();
    let is_outline =
        |line: &&str| ["frame ", "not a whole", "! "].iter().any(|begin| line.starts_with(begin));
    let text = String::from_utf8(out).unwrap();
    text.lines().filter(is_outline).map(str::to_owned).collect()
}

/// A client's and a server's end of a connection, whose packets are captured.
#[derive(Default)]
struct Capture(Vec<u8>);

const SYN: bool = true;
const CLIENT: u16 = 5000;
const SERVER: u16 = 9001;

impl Capture {
    fn new() -> Self {
        let header: [&[u8]; 4] =
            [&[0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0], &[0; 8], &[0, 0, 4, 0], &[101, 0, 0, 0]];
        Capture(header.concat())
    }

    fn packet(mut self, from: u16, sequence: u32, syn: bool, bytes: &[u8]) -> Self {
        let (to, ack) = if from == CLIENT { (SERVER, false) } else { (CLIENT, syn) };
        let builder = PacketBuilder::ipv4([127, 0, 0, 1], [127, 0, 0, 1], 64);
        let mut builder = builder.tcp(from, to, sequence, 100);
        builder = if syn { builder.syn() } else { builder };
        builder = if ack { builder.ack(1) } else { builder };
        let mut packet = Vec::new();
        builder.write(&mut packet, bytes).unwrap();
        let len = u32::try_from(packet.len()).unwrap().to_le_bytes();
        self.0.extend([&[1, 0, 0, 0, 0, 0, 0, 0], &len[..], &len, &packet].concat());
        self
    }

    fn outline(self, port: Option<u16>, side: Option<Side>) -> Vec<String> {
        outline(|report| {
            let mut connections = Connections::new(port, side);
            capture::read(Cursor::new(self.0), |packet| connections.push(&packet, report))?;
            connections.finish(report)
        })
    }
}

const UP: &str = "127.0.0.1:5000 > 127.0.0.1:9001, 1970-01-01T00:00:01.000000Z";
const DOWN: &str = "127.0.0.1:9001 > 127.0.0.1:5000, 1970-01-01T00:00:01.000000Z";

#[test]
fn segments_out_of_order_and_sent_again_make_whole_frames() {
    let [one, two, answer] = [frame(1, "hello"), frame(2, "again"), frame(1, "world")];
    let lines = Capture::new()
        .packet(CLIENT, u32::MAX, SYN, b"")
        .packet(SERVER, 70, SYN, b"")
        .packet(CLIENT, 4, !SYN, &[&one[4..], &two[..3]].concat())
        .packet(CLIENT, 0, !SYN, &one[..6])
        .packet(SERVER, 71, !SYN, &answer)
        .packet(CLIENT, 0, !SYN, &one)
        .packet(CLIENT, 12, !SYN, &two[3..])
        .outline(None, None);
    let expected = [
        format!("frame 1: client, 9 bytes at 0, {UP}"),
        format!("frame 2: server, 9 bytes at 0, {DOWN}"),
        format!("frame 3: client, 9 bytes at 9, {UP}"),
        "! 7 packets, 1 connection; 11 bytes came more than once".to_owned(),
    ];
    assert_eq!(lines, expected);
}

#[test]
fn behind_a_gap_in_a_frame_the_next_one_is_found() {
    let [one, two] = [frame(1, "hello world"), frame(2, "again")];
    let lines = Capture::new()
        .packet(CLIENT, 0, SYN, b"")
        .packet(CLIENT, 1, !SYN, &one[..6])
        .packet(CLIENT, 10, !SYN, &[&one[9..], &two].concat())
        .outline(None, None);
    let expected = [
        format!("not a whole frame: client, 6 bytes at 0, {UP}"),
        format!(
            "! 3 bytes at 6 are missing, in a frame whose length is known: the next one can be \
             found, {UP}"
        ),
        format!("frame 1: client, 9 bytes at 15, {UP}"),
        "! 3 packets, 1 connection".to_owned(),
    ];
    assert_eq!(lines, expected);
}

#[test]
fn behind_a_gap_between_frames_a_frame_is_guessed() {
    let [one, two] = [frame(1, "hello"), frame(2, "again")];
    let lines = Capture::new()
        .packet(CLIENT, 0, SYN, b"")
        .packet(CLIENT, 1, !SYN, &one)
        .packet(CLIENT, 110, !SYN, &two)
        .outline(None, None);
    let guess = "the next frame is taken to begin behind them, which is a guess";
    let expected = [
        format!("frame 1: client, 9 bytes at 0, {UP}"),
        format!("! 100 bytes at 9 are missing, {guess}, {UP}"),
        format!("frame 2: client, 9 bytes at 109, {UP}"),
        "! 3 packets, 1 connection".to_owned(),
    ];
    assert_eq!(lines, expected);
}

#[test]
fn a_stream_that_is_not_of_the_protocol_is_reported_and_left_out() {
    let lines = Capture::new()
        .packet(CLIENT, 0, SYN, b"")
        .packet(CLIENT, 1, !SYN, &[&frame(1, "")[..], b"GET /"].concat())
        .packet(CLIENT, 10, !SYN, b" HTTP")
        .outline(None, None);
    let expected = [
        format!("frame 1: client, 4 bytes at 0, {UP}"),
        format!("not a whole frame: client, 5 bytes at 4, {UP}"),
        format!(
            "! frames can't be told apart from byte 4 on: these bytes do not begin a frame, {UP}"
        ),
        format!("! 5 bytes behind a lost frame are left out, {UP}"),
        "! 3 packets, 1 connection".to_owned(),
    ];
    assert_eq!(lines, expected);
}

#[test]
fn who_is_the_server_is_told_by_the_syn_or_the_port_and_sides_can_be_left_out() {
    let bytes = frame(1, "");
    let capture = |syn: bool| {
        let capture = Capture::new();
        let capture = if syn { capture.packet(SERVER, 0, SYN, b"") } else { capture };
        capture.packet(SERVER, 1, !SYN, &bytes).packet(CLIENT, 1, !SYN, &bytes)
    };
    let senders = |lines: Vec<String>| -> Vec<String> {
        lines
            .iter()
            .filter_map(|line| Some(line.split_once(": ")?.1.get(..6)?.to_owned()))
            .collect()
    };
    assert_eq!(senders(capture(true).outline(None, None)), ["server", "client"]);
    // The lower port is 5000.
    assert_eq!(senders(capture(false).outline(None, None)), ["client", "server"]);
    assert_eq!(senders(capture(false).outline(Some(SERVER), None)), ["server", "client"]);
    assert_eq!(senders(capture(true).outline(None, Some(Side::Downstream))), ["client"]);
    let none = capture(true).outline(Some(80), None);
    assert_eq!(none, ["! 3 packets, 0 connections; 3 packets were of other ports"]);
}

#[test]
fn a_second_connection_between_the_same_ports_starts_anew() {
    let bytes = frame(1, "hello");
    let lines = Capture::new()
        .packet(CLIENT, 0, SYN, b"")
        .packet(CLIENT, 1, !SYN, &bytes[..5])
        .packet(CLIENT, 5_000_000, SYN, b"")
        .packet(CLIENT, 5_000_001, !SYN, &bytes)
        .outline(None, None);
    let expected = [
        format!("not a whole frame: client, 5 bytes at 0, {UP}"),
        format!("frame 1: client, 9 bytes at 0, {UP}"),
        "! 4 packets, 2 connections".to_owned(),
    ];
    assert_eq!(lines, expected);
}

proptest! {
    #[test]
    fn a_direction_gives_the_same_frames_however_it_is_cut(
        bodies in proptest::collection::vec("[a-z]{0,20}", 1..8),
        cuts in proptest::collection::vec(1_usize..9, 1..8),
    ) {
        let frames: Vec<_> = bodies.iter().map(|body| frame(0, body)).collect();
        let all = frames.concat();
        let origin = Origin { side: Side::Downstream, about: &"" };
        let lines = outline(|report| {
            let mut splitter = Splitter::new(report.protocol(), Side::Downstream);
            let (mut rest, mut cuts) = (&all[..], cuts.iter().cycle());
            while !rest.is_empty() {
                let at = (*cuts.next().unwrap()).min(rest.len());
                splitter.push(&rest[..at], origin, report)?;
                rest = &rest[at..];
            }
            splitter.finish(origin, report)
        });
        let mut at = 0;
        for (index, (line, frame)) in lines.iter().zip(&frames).enumerate() {
            let expected = format!("frame {}: client, {} bytes at {at}", index + 1, frame.len());
            prop_assert_eq!(line, &expected);
            at += frame.len();
        }
        prop_assert_eq!(lines.len(), frames.len());
    }

    #[test]
    fn no_capture_makes_it_panic(
        edits in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..20),
        end in any::<prop::sample::Index>(),
        magic in prop::sample::select(vec![0xd4_u8, 0xa1, 0x0a, 0]),
    ) {
        let bytes = frame(1, "hello");
        let capture = Capture::new()
            .packet(CLIENT, 0, SYN, b"")
            .packet(CLIENT, 1, !SYN, &bytes)
            .packet(SERVER, 1, !SYN, &bytes)
            .packet(CLIENT, 20, !SYN, &bytes);
        let mut file = capture.0;
        file[0] = magic;
        for (at, value) in edits {
            let at = at.index(file.len());
            file[at] = value;
        }
        file.truncate(end.index(file.len() * 2));
        let mut out = Vec::new();
        let mut report = report(&mut out);
        let mut connections = Connections::new(None, None);
        let _ = capture::read(Cursor::new(file), |packet| connections.push(&packet, &mut report));
        connections.finish(&mut report).unwrap();
    }
}
