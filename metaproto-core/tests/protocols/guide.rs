//! The guide `docs/derive.md`: what it shows of frames is what comes out. And the protocols that it tells
//! of and nobody else needs.

use std::path::Path;
use std::sync::LazyLock;

use metaproto_core::frame::Located;
use metaproto_core::{Auto, Bytes, BytesMut, Explanation, Frame, FrameLength, Section};

use super::golden::{self, Golden};
use super::held;

static GUIDE: LazyLock<String> = LazyLock::new(|| {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/derive.md");
    std::fs::read_to_string(path).unwrap()
});

/// If the guide shows this frame, it shows it so.
pub(crate) fn shows(golden: &Golden, explanation: &Explanation) {
    let name = golden.to_string();
    let (file, line) = name.split_once(", ").unwrap();
    let caption = format!("golden/{file}.hex), {line}:\n\n```text\n");
    for shown in GUIDE.split(&caption).skip(1) {
        let (shown, _) = shown.split_once("```").unwrap();
        assert_eq!(shown, explanation.to_string(), "{golden}");
    }
}

/// If the guide tells how the length of these frames is found, it tells it so.
pub(crate) fn measures<F: Frame>() {
    let name = std::any::type_name::<F>().split_once("::").unwrap().1;
    let row = format!("| `{name}` |");
    for told in GUIDE.lines().filter_map(|line| line.strip_prefix(&row)) {
        let mut cells = told.split('|').map(str::trim);
        let mut cell = || cells.next().unwrap();
        let expected = (F::HEADER_SIZE.to_string(), F::LENGTH_NEEDS.to_string());
        assert_eq!((cell(), cell()), (&*expected.0, &*expected.1), "{name}");
        assert_eq!(cell(), if F::IS_SCANNED { "yes" } else { "no" }, "{name}");
    }
}

#[test]
fn what_the_guide_names_is_there() {
    let mut shown = 0;
    for caption in GUIDE.split("golden/").skip(1).filter(|rest| rest.contains(".hex), line ")) {
        let Some((file, rest)) = caption.split_once(".hex), line ") else { continue };
        let (protocol, _) = file.split_once('/').unwrap();
        let (line, _) = rest.split_once(":\n\n```text\n").unwrap();
        let name = format!("{file}, line {line}");
        assert!(golden::frames(protocol).iter().any(|golden| golden.to_string() == name), "{name}");
        shown += 1;
    }
    assert!(shown >= 11);
    let rows = GUIDE.lines().filter_map(|line| line.strip_prefix("| `")?.split_once("` |"));
    let types: Vec<_> = rows.filter_map(|(name, _)| name.split_once("::")).collect();
    assert!(types.len() >= 8);
    for (module, name) in types {
        let path = format!("{}/tests/protocols/{module}.rs", env!("CARGO_MANIFEST_DIR"));
        let source = std::fs::read_to_string(path).unwrap();
        assert!(source.contains(&format!("struct {name} {{")), "{module}::{name}");
    }
}

/// A response of version 2 of SOFA bolt that ends with a checksum.
#[derive(Debug, Clone, PartialEq, Frame)]
#[frame(magic = 2_u8)]
struct CheckedResponse {
    version1: u8,
    ty: u8,
    command: u16,
    version: u8,
    id: u32,
    codec: u8,
    #[frame(constant = 1)]
    switch: Auto<u8>,
    status: u16,
    #[frame(length(of = class))]
    class_length: Auto<u16>,
    #[frame(length(of = headers))]
    header_length: Auto<u16>,
    #[frame(length(of = content))]
    content_length: Auto<u32>,
    class: String,
    #[frame(kv(key = u32, value = u32))]
    headers: Section,
    #[frame(body)]
    content: Bytes,
    #[frame(checksum(with = crc32))]
    crc: Auto<u32>,
}

/// CRC-32 of IEEE 802.3, a bit at a time.
fn crc32(bytes: &[u8]) -> u32 {
    let step = |crc: u32, _| if crc & 1 == 1 { crc >> 1 ^ 0xedb8_8320 } else { crc >> 1 };
    !bytes.iter().fold(!0, |crc, byte| (0..8).fold(crc ^ u32::from(*byte), step))
}

#[test]
fn a_checksum_is_made_and_proved() {
    let recorded = golden::frames("bolt").into_iter();
    let mut checked = recorded.filter(|golden| golden.says("switch") && golden.says("status"));
    let golden = checked.find(|golden| golden.number("switch") == 1).unwrap();
    let frame: CheckedResponse = held::frame(&golden);
    golden.has([("id", frame.id.into()), ("status", frame.status.into())]);
    let mut bytes = golden.bytes.to_vec();
    bytes[9] ^= 1;
    let error = CheckedResponse::read(bytes.into()).unwrap_err().to_string();
    assert!(GUIDE.contains(&format!("`{error}`")), "{error}");
}

/// What a client of SOCKS4 begins with.
#[derive(Debug, Clone, PartialEq, Frame)]
#[frame(magic = 4_u8)]
struct Socks4 {
    command: u8,
    port: u16,
    address: [u8; 4],
    #[frame(until = b"\0", max = 255)]
    user: String,
}

#[test]
fn a_terminated_text_ends_the_frame() {
    let bytes = b"\x04\x01\x00\x50\x7f\x00\x00\x01fred\0";
    let request = Socks4 { command: 1, port: 80, address: [127, 0, 0, 1], user: "fred".to_owned() };
    assert_eq!(Socks4::read(Bytes::from_static(bytes)), Ok(request.clone()));
    let mut out = BytesMut::new();
    request.write(&mut out).unwrap();
    assert_eq!(&out[..], bytes);
    let shown = format!("```text\n{}```", Socks4::explain(bytes));
    assert!(GUIDE.contains(&shown), "{shown}");
    measures::<Socks4>();
    let two = Socks4 { user: "fr\0ed".to_owned(), ..request };
    assert!(two.write(&mut out).is_err());
    assert!(Socks4::frame_length(&[&bytes[..8], &[b'x'; 300]].concat()).is_err());
}

#[test]
fn a_search_for_the_end_goes_on_where_it_had_to_stop() {
    let bytes = b"\x04\x01\x00\x50\x7f\x00\x00\x01fred\0";
    let mut located = Located::default();
    for arrived in 8..bytes.len() {
        let told = Socks4::frame_length_from(&mut located, &bytes[..arrived]);
        assert_eq!(told, Ok(FrameLength::Need(arrived + 1)));
    }
    let told = Socks4::frame_length_from(&mut located, bytes);
    assert_eq!(told, Ok(FrameLength::Known(bytes.len())));
}
