//! Layouts beyond a fixed header.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "tests may panic"
)]

use metaproto_core::{Auto, Bytes, BytesMut, Frame, FrameLength, Section};

#[derive(Debug, Clone, PartialEq, Frame)]
#[frame(magic = b"KT", max_len = 8 << 20)]
struct Ktlv {
    version: u8,
    #[frame(bits(reply = 0, oneway = 1, level = 4..=6))]
    flags: u8,
    id: u32,
    #[frame(bytes = 3)]
    shard: u32,
    #[frame(length(of = body))]
    body_len: Auto<u32>,
    #[frame(count(of = headers))]
    n: Auto<u16>,
    #[frame(kv(key = u16, value = u16))]
    headers: Section,
    #[frame(prefix = varint)]
    name: String,
    #[frame(when = reply)]
    code: Option<i16>,
    #[frame(until = b"\0")]
    path: Bytes,
    #[frame(count = u8, each(prefix = u8))]
    tags: Vec<String>,
    #[frame(align_before = 4)]
    aligned: u32,
    #[frame(body)]
    body: Bytes,
    #[frame(checksum(with = sum, over = id..=body))]
    crc: Auto<u32>,
}

fn sum(bytes: &[u8]) -> u32 {
    bytes.iter().map(|byte| u32::from(*byte)).sum()
}

fn example() -> Ktlv {
    Ktlv {
        version: 1,
        flags: Ktlv::FLAGS_REPLY,
        id: 7,
        shard: 0x0a0b0c,
        body_len: Auto::new(),
        n: Auto::new(),
        headers: Section::from_pairs([("a", "1"), ("bb", "")]).unwrap(),
        name: "name".to_owned(),
        code: Some(-2),
        path: Bytes::from_static(b"/p"),
        tags: vec!["x".to_owned(), String::new()],
        aligned: 0x01020304,
        body: Bytes::from_static(b"hello"),
        crc: Auto::new(),
    }
}

#[test]
fn written_is_read_back() {
    let frame = example();
    let mut out = BytesMut::new();
    frame.write(&mut out).unwrap();
    let bytes = out.freeze();
    println!("{bytes:x?}");
    assert_eq!(frame.size(), bytes.len());
    assert_eq!(Ktlv::frame_length(&bytes), Ok(FrameLength::Known(bytes.len())));
    assert_eq!(Ktlv::read(bytes.clone()).unwrap(), frame);
    let mut located = Default::default();
    for end in 1..bytes.len() {
        match Ktlv::frame_length_from(&mut located, &bytes[..end]).unwrap() {
            FrameLength::Need(n) => assert!(n > end && n <= bytes.len(), "{n} at {end}"),
            FrameLength::Known(n) => assert_eq!(n, bytes.len()),
        }
    }
    let mut bad = bytes.to_vec();
    let len = bad.len();
    bad[len - 6] ^= 1;
    assert!(Ktlv::read(bad.into()).is_err());
    assert!(frame.reply() && !frame.oneway());
}
