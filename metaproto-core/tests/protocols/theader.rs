//! THeader of Apache Thrift: like TTHeader, with varints.

use metaproto_core::{Auto, Bytes, Codec, Frame, Section, Side, Wire};

use super::golden;
use super::held::{self, Framed};
use super::kit;

#[derive(Debug, Clone, PartialEq, Frame, Codec)]
#[frame(max_len = 0x3fff_ffff)]
#[meta(protocol = "theader")]
struct THeader {
    #[frame(length(of = rest))]
    length: Auto<u32>,
    #[frame(constant = 0x0fff)]
    magic: Auto<u16>,
    flags: u16,
    seq_id: u32,
    #[frame(length(of = info, unit = 4))]
    header_size: Auto<u16>,
    info: Info,
    #[frame(body)]
    payload: Bytes,
}

#[derive(Debug, Clone, PartialEq, Wire)]
struct Info {
    #[frame(varint)]
    protocol_id: u32,
    #[frame(count = varint, each(varint))]
    transforms: Vec<u32>,
    #[frame(rest)]
    sections: Vec<Part>,
}

#[derive(Debug, Clone, PartialEq, Wire)]
#[frame(tag = varint)]
enum Part {
    #[frame(tag = 0)]
    Padding,
    #[frame(tag = 1, count = varint, kv(key = varint, value = varint))]
    KeyValues(Section),
}

#[test]
fn every_frame_is_read_and_written() {
    for golden in golden::frames("theader") {
        let frame: THeader = held::frame(&golden);
        let padding = frame.info.sections.iter().filter(|part| **part == Part::Padding).count();
        golden.has([
            ("length", golden.bytes.len() as i128 - 4),
            ("magic", 0x0fff),
            ("flags", frame.flags.into()),
            ("seq_id", frame.seq_id.into()),
            ("header_size", (golden.bytes.len() - 14 - frame.payload.len()) as i128 / 4),
            ("protocol_id", frame.info.protocol_id.into()),
            ("transforms", frame.info.transforms.len() as i128),
            ("padding", padding as i128),
            ("payload_size", frame.payload.len() as i128),
        ]);
        let sections = frame.info.sections.iter().filter_map(|part| match part {
            Part::Padding => None,
            Part::KeyValues(section) => Some(section),
        });
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        let told = sections.map(|section| {
            let pairs: String = section
                .iter()
                .map(|(name, value)| format!(" {}={}", text(&name), text(value)))
                .collect();
            format!("section 0x01: {} entries:{pairs}", section.len())
        });
        assert_eq!(told.collect::<Vec<_>>(), golden.notes("section "), "{golden}");
    }
}

#[test]
fn every_connection_is_cut_into_its_frames() {
    for connection in golden::connections("theader") {
        for side in [Side::Downstream, Side::Upstream] {
            held::stream(&connection, side, Framed::of::<THeader>);
        }
    }
}

#[test]
fn the_codec_keeps_every_law() {
    kit::holds(&*THeader::protocol(), "theader", |_| true);
}
