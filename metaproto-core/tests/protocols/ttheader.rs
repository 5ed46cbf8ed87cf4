//! TTHeader: a header told in words of four bytes, made of sections that start with their kind, and
//! filled up with zeros.

use metaproto_core::{Auto, Bytes, Codec, Frame, Section, Side, Wire};

use super::golden::{self, Golden};
use super::held::{self, Framed};
use super::kit;

#[derive(Debug, Clone, PartialEq, Frame, Codec)]
#[meta(protocol = "ttheader")]
struct TtHeader {
    #[frame(length(of = rest))]
    length: Auto<u32>,
    #[frame(constant = 0x1000)]
    magic: Auto<u16>,
    flags: u16,
    #[meta(request_id)]
    seq_id: u32,
    #[frame(length(of = info, unit = 4))]
    header_size: Auto<u16>,
    info: Info,
    #[frame(body)]
    payload: Bytes,
}

#[derive(Debug, Clone, PartialEq, Wire)]
struct Info {
    protocol_id: u8,
    #[frame(count = u8)]
    transforms: Vec<u8>,
    #[frame(rest)]
    sections: Vec<Part>,
}

#[derive(Debug, Clone, PartialEq, Wire)]
#[frame(tag = u8)]
enum Part {
    #[frame(tag = 0)]
    Padding,
    #[frame(tag = 0x01, count = u16, kv(key = u16, value = u16))]
    KeyValues(Section),
    #[frame(tag = 0x10, count = u16, tlv(tag = u16, length = u16))]
    IntKeyValues(Section),
    #[frame(tag = 0x11, prefix = u16)]
    AclToken(String),
}

/// What the comments tell of the sections, in their order.
fn told(part: &Part) -> Option<String> {
    let text = |bytes: &[u8]| match bytes.iter().all(|byte| (b' '..=b'~').contains(byte)) {
        true => String::from_utf8(bytes.to_vec()).unwrap(),
        false => bytes.iter().fold("0x".to_owned(), |hex, byte| format!("{hex}{byte:02x}")),
    };
    let pairs = |section: &Section| {
        let pairs = section.iter().map(|(name, value)| format!(" {}={}", text(&name), text(value)));
        format!("{} entries:{}", section.len(), pairs.collect::<String>())
    };
    Some(match part {
        Part::Padding => return None,
        Part::KeyValues(section) => format!("section 0x01: {}", pairs(section)),
        Part::IntKeyValues(section) => format!("section 0x10: {}", pairs(section)),
        Part::AclToken(token) => format!("section 0x11: acl token {token}"),
    })
}

fn check(golden: &Golden, frame: &TtHeader) {
    let padding = frame.info.sections.iter().filter(|part| **part == Part::Padding).count();
    golden.has([
        ("length", golden.bytes.len() as i128 - 4),
        ("magic", 0x1000),
        ("flags", frame.flags.into()),
        ("seq_id", frame.seq_id.into()),
        ("header_size", (golden.bytes.len() - 14 - frame.payload.len()) as i128 / 4),
        ("protocol_id", frame.info.protocol_id.into()),
        ("transforms", frame.info.transforms.len() as i128),
        ("padding", padding as i128),
        ("payload_size", frame.payload.len() as i128),
    ]);
    let sections: Vec<_> = frame.info.sections.iter().filter_map(told).collect();
    assert_eq!(sections, golden.notes("section "), "{golden}");
    assert!(held::is_shared(golden, &frame.payload));
}

#[test]
fn every_frame_is_read_and_written() {
    for golden in golden::frames("ttheader") {
        check(&golden, &held::frame(&golden));
    }
}

#[test]
fn every_connection_is_cut_into_its_frames() {
    for connection in golden::connections("ttheader") {
        for side in [Side::Downstream, Side::Upstream] {
            held::stream(&connection, side, Framed::of::<TtHeader>);
        }
    }
}

#[test]
fn a_header_that_is_no_whole_words_is_not_written() {
    let golden = golden::frames("ttheader");
    let mut frame = TtHeader::read(golden[0].bytes.clone()).unwrap();
    frame.info.sections.push(Part::Padding);
    let mut out = metaproto_core::BytesMut::new();
    assert!(frame.write(&mut out).is_err());
    frame.info.sections.extend([Part::Padding, Part::Padding, Part::Padding]);
    frame.write(&mut out).unwrap();
    assert_eq!(TtHeader::read(out.freeze()), Ok(frame));
}

#[test]
fn the_codec_keeps_every_law() {
    kit::holds(&*TtHeader::protocol(), "ttheader", |_| true);
}
