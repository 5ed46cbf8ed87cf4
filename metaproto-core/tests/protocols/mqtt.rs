//! MQTT: the remaining length is a varint; the kind stands in the high bits of the first byte, and tells
//! which fields follow.

use metaproto_core::{Auto, Bytes, Codec, Frame, FrameLength, Side};

use super::golden;
use super::held::{self, Framed};
use super::kit;

#[derive(Debug, Clone, PartialEq, Frame, Codec)]
#[meta(protocol = "mqtt", sharing = bound, kind(kind == 12 => Ping, kind == 13 => Pong, kind == 3 => Oneway, connects(kind) => Request, _ => Response))]
struct Packet {
    #[frame(bits(kind = 4..=7, dup = 3, qos = 1..=2, retain = 0))]
    first: u8,
    #[frame(varint, length(of = rest))]
    remaining_length: Auto<u32>,
    #[frame(when = kind == 3, prefix = u16)]
    topic: Option<String>,
    #[frame(when = is_numbered(kind, qos))]
    packet_id: Option<u16>,
    #[frame(body)]
    body: Bytes,
}

fn is_numbered(kind: u8, qos: u8) -> bool {
    matches!((kind, qos), (3, 1..) | (4..=11, _))
}

#[test]
fn every_frame_is_read_and_written() {
    for golden in golden::frames("mqtt") {
        let frame: Packet = held::frame(&golden);
        let remaining = golden.number("remaining_length");
        golden.has([
            ("type", frame.kind().into()),
            ("flags", (frame.first & 0xf).into()),
            ("length_width", golden.bytes.len() as i128 - remaining - 1),
        ]);
        if golden.says("qos") {
            golden.has([
                ("dup", frame.dup().into()),
                ("qos", frame.qos().into()),
                ("retain", frame.retain().into()),
            ]);
        }
        assert_eq!(frame.topic.is_some(), golden.text("kind") == "publish", "{golden}");
        assert_eq!(frame.packet_id.is_some(), golden.says("packet_id"), "{golden}");
        if let Some(packet_id) = frame.packet_id {
            golden.has([("packet_id", packet_id.into())]);
        }
    }
}

#[test]
fn every_connection_is_cut_into_its_frames() {
    for connection in golden::connections("mqtt") {
        for side in [Side::Downstream, Side::Upstream] {
            held::stream(&connection, side, Framed::of::<Packet>);
        }
    }
}

#[test]
fn the_length_is_known_as_soon_as_the_varint_is_there() {
    assert_eq!(Packet::frame_length(&[0x30]), Ok(FrameLength::Need(2)));
    assert_eq!(Packet::frame_length(&[0x30, 0x80]), Ok(FrameLength::Need(3)));
    assert_eq!(Packet::frame_length(&[0x30, 0x80, 0x80]), Ok(FrameLength::Need(4)));
    assert_eq!(Packet::frame_length(&[0x30, 0x80, 0x80, 1]), Ok(FrameLength::Known(16_388)));
}

#[test]
fn a_field_that_does_not_fit_the_kind_is_not_written() {
    let ping = Packet {
        first: 0xc0,
        remaining_length: Auto::new(),
        topic: Some("t".to_owned()),
        packet_id: None,
        body: Bytes::new(),
    };
    let mut out = metaproto_core::BytesMut::new();
    assert!(ping.write(&mut out).is_err());
    assert!(out.is_empty());
}

/// A packet that a client waits for an answer to.
fn connects(kind: u8) -> bool {
    matches!(kind, 1 | 8 | 10)
}

#[test]
fn the_codec_keeps_every_law() {
    kit::holds(&*Packet::protocol(), "mqtt", |golden| {
        golden.side == Side::Downstream || !golden.text("kind").contains("publish")
    });
}
