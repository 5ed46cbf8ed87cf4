//! The binary protocol of memcached: 24 bytes, whose lengths overlap. The total counts extras, key and
//! value; the value is what the other two leave of it.

use metaproto_core::frame::Frames;
use metaproto_core::{Auto, Bytes, Codec, Frame, Side};

use super::golden;
use super::held::{self, Framed};
use super::kit;

#[derive(Debug, Clone, PartialEq, Frame, Codec)]
#[frame(choose = magic)]
#[meta(protocol = "memcached")]
enum Memcached {
    Request(Request),
    Response(Response),
}

#[derive(Debug, Clone, PartialEq, Frame, Codec)]
#[frame(magic = 0x80_u8)]
#[meta(protocol = "memcached", property(opcode))]
struct Request {
    opcode: u8,
    #[frame(length(of = key))]
    key_length: Auto<u16>,
    #[frame(length(of = extras))]
    extras_length: Auto<u8>,
    data_type: u8,
    vbucket: u16,
    // Counts from the end of `cas`, 12 bytes on.
    #[frame(length(of = rest, plus = -12))]
    body_length: Auto<u32>,
    opaque: u32,
    cas: u64,
    extras: Bytes,
    #[meta(property)]
    key: Bytes,
    #[frame(body)]
    value: Bytes,
}

#[derive(Debug, Clone, PartialEq, Frame, Codec)]
#[frame(magic = 0x81_u8)]
#[meta(protocol = "memcached")]
#[meta(errors(RouteNotFound => 0x81, FrameTooLarge => 3, Overloaded => 0x85, Timeout => 0x86, _ => 0x84))]
struct Response {
    opcode: u8,
    #[frame(length(of = key))]
    key_length: Auto<u16>,
    #[frame(length(of = extras))]
    extras_length: Auto<u8>,
    data_type: u8,
    #[meta(status(ok = 0, classes(1 => NotFound)))]
    status: u16,
    // The same, said otherwise.
    #[frame(length(of = extras..=value))]
    body_length: Auto<u32>,
    opaque: u32,
    cas: u64,
    extras: Bytes,
    key: Bytes,
    #[frame(rest)]
    value: Bytes,
}

#[test]
fn every_frame_is_read_and_written() {
    for golden in golden::frames("memcached") {
        let (opcode, data_type, opaque, cas, parts) = match held::one_of(&golden) {
            Memcached::Request(frame) => {
                assert_eq!(golden.side, Side::Downstream);
                golden.has([("vbucket", frame.vbucket.into())]);
                let parts = [frame.key, frame.extras, frame.value];
                (frame.opcode, frame.data_type, frame.opaque, frame.cas, parts)
            }
            Memcached::Response(frame) => {
                assert_eq!(golden.side, Side::Upstream);
                golden.has([("status", frame.status.into())]);
                let parts = [frame.key, frame.extras, frame.value];
                (frame.opcode, frame.data_type, frame.opaque, frame.cas, parts)
            }
        };
        golden.has([
            ("opcode", opcode.into()),
            ("data_type", data_type.into()),
            ("opaque", opaque.into()),
            ("cas", cas.into()),
            ("key_length", parts[0].len() as i128),
            ("extras_length", parts[1].len() as i128),
            ("body_length", parts.iter().map(|part| part.len() as i128).sum()),
        ]);
        assert!(parts.iter().all(|part| held::is_shared(&golden, part)));
    }
}

#[test]
fn every_connection_is_cut_into_its_frames() {
    for connection in golden::connections("memcached") {
        for side in [Side::Downstream, Side::Upstream] {
            held::stream(&connection, side, || Framed::one_of::<Memcached>(side));
        }
    }
}

#[test]
fn a_total_that_is_less_than_its_parts_is_refused() {
    let golden = golden::frames("memcached");
    let with_key = golden.iter().find(|golden| golden.number("key_length") > 0).unwrap();
    let mut bytes = with_key.bytes.to_vec();
    bytes[8..12].copy_from_slice(&[0; 4]);
    bytes.truncate(24);
    assert!(Memcached::read(with_key.side, bytes.into()).is_err());
}

#[test]
fn the_codec_keeps_every_law() {
    kit::holds(&*Memcached::protocol(), "memcached", |_| true);
}
