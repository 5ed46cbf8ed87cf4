//! Layouts beyond a fixed header.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "tests may panic"
)]

use metaproto_core::{Auto, Bytes, BytesMut, Frame, FrameLength, Section, Wire};

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

#[derive(Debug, Clone, PartialEq, Wire)]
struct Item {
    id: u16,
    #[frame(prefix = u8)]
    name: String,
    #[frame(count = varint)]
    numbers: Vec<u32>,
}

#[derive(Debug, Clone, Copy, PartialEq, Wire)]
#[frame(tag = u8)]
enum Command {
    #[frame(tag = 1)]
    Get,
    #[frame(tag = 2)]
    Set,
    #[frame(other)]
    Other(u8),
}

#[derive(Debug, Clone, PartialEq, Wire)]
#[frame(tag = u16)]
enum Info {
    #[frame(tag = 1)]
    Item(Item),
    #[frame(tag = 2, prefix = u8)]
    Text(String),
    #[frame(tag = 3)]
    Number(u32),
    #[frame(tag = 4)]
    Nothing,
}

#[derive(Debug, Clone, PartialEq, Wire)]
enum Payload {
    #[frame(tag = 1 | 2)]
    Pair([u16; 2]),
    #[frame(other, rest)]
    Raw(Bytes),
}

#[derive(Debug, Clone, PartialEq, Wire)]
enum Start {
    #[frame(magic = b"AB", prefix = u8)]
    Ab(String),
    #[frame(magic = b"CDE")]
    Cde,
}

#[derive(Debug, Clone, PartialEq, Frame)]
struct Nested {
    #[frame(bytes = 1)]
    command: Command,
    kind: u8,
    #[frame(length(of = infos..=start, unit = 4))]
    words: Auto<u8>,
    #[frame(length(of = rest))]
    len: Auto<u16>,
    #[frame(count = u8)]
    infos: Vec<Info>,
    start: Start,
    #[frame(tag = kind)]
    payload: Payload,
}

#[test]
fn nested() {
    use metaproto_core::frame::parts::Cursor;
    let item = Item { id: 1, name: "x".to_owned(), numbers: vec![7, 8] };
    let mut out = BytesMut::new();
    item.write(&mut out).unwrap();
    assert_eq!(&out[..], b"\0\x01\x01x\x02\0\0\0\x07\0\0\0\x08");
    assert_eq!(Item::read(&mut Cursor::over(&out)), Ok(item.clone()));
    let infos = vec![Info::Item(item), Info::Text("t".to_owned()), Info::Number(3), Info::Nothing];
    for (kind, payload) in
        [(2, Payload::Pair([1, 2])), (9, Payload::Raw(Bytes::from_static(b"raw")))]
    {
        let mut frame = Nested {
            command: Command::Other(77),
            kind,
            words: Auto::new(),
            len: Auto::new(),
            infos: infos.clone(),
            start: Start::Cde,
            payload,
        };
        let mut out = BytesMut::new();
        assert!(frame.write(&mut out).is_err() && out.is_empty());
        frame.start = Start::Ab("s".to_owned());
        frame.write(&mut out).unwrap();
        let bytes = out.freeze();
        println!("{bytes:?}");
        assert_eq!(Nested::read(bytes.clone()).unwrap(), frame);
        assert_eq!(frame.size(), bytes.len());
    }
}

/// Like the fixed header of MQTT.
#[derive(Debug, Clone, PartialEq, Frame)]
struct Packet {
    #[frame(bits(kind = 4..=7, retain = 0))]
    first: u8,
    #[frame(varint, length(of = rest))]
    remaining: Auto<u32>,
    #[frame(body)]
    body: Bytes,
}

#[test]
fn scanned() {
    for len in [0, 127, 128, 20000] {
        let packet = Packet { first: 0x30, remaining: Auto::new(), body: vec![1; len].into() };
        let mut out = BytesMut::new();
        packet.write(&mut out).unwrap();
        let bytes = out.freeze();
        assert_eq!(Packet::frame_length(&bytes), Ok(FrameLength::Known(bytes.len())));
        assert_eq!(Packet::frame_length(&bytes[..1]), Ok(FrameLength::Need(2)));
        assert_eq!(Packet::read(bytes).unwrap(), packet);
    }
}
