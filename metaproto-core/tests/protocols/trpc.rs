//! tRPC: a fixed header of 16 bytes, then a head whose length it tells, then the body.

use metaproto_core::{Auto, Bytes, Codec, Frame, Side};

use super::golden;
use super::held::{self, Framed};
use super::kit;

#[derive(Debug, Clone, PartialEq, Frame, Codec)]
#[frame(magic = 0x0930_u16, max_len = 10 << 20)]
#[meta(protocol = "trpc", sharing = bound)]
struct Trpc {
    frame_type: u8,
    stream_frame_type: u8,
    #[frame(length(of = frame))]
    total_size: Auto<u32>,
    #[frame(length(of = head))]
    head_size: Auto<u16>,
    stream_id: u32,
    #[frame(at = 14)]
    version: u8,
    #[frame(reserved)]
    reserved: Auto<u8>,
    /// Protobuf: `RequestProtocol` or `ResponseProtocol`.
    head: Bytes,
    #[frame(body)]
    body: Bytes,
}

#[test]
fn every_frame_is_read_and_written() {
    for golden in golden::frames("trpc") {
        let frame: Trpc = held::frame(&golden);
        golden.has([
            ("magic", 0x0930),
            ("frame_type", frame.frame_type.into()),
            ("stream_frame_type", frame.stream_frame_type.into()),
            ("total_size", frame.size() as i128),
            ("head_size", frame.head.len() as i128),
            ("stream_id", frame.stream_id.into()),
            ("version", frame.version.into()),
            ("reserved", 0),
        ]);
        assert!(held::is_shared(&golden, &frame.body));
    }
}

#[test]
fn every_connection_is_cut_into_its_frames() {
    for connection in golden::connections("trpc") {
        for side in [Side::Downstream, Side::Upstream] {
            held::stream(&connection, side, Framed::of::<Trpc>);
        }
    }
}

#[test]
fn a_head_that_is_longer_than_its_frame_is_refused() {
    let golden = golden::frames("trpc");
    let mut bytes = golden[0].bytes.to_vec();
    bytes[8..10].copy_from_slice(&u16::MAX.to_be_bytes());
    assert!(Trpc::read(bytes.into()).is_err());
}

#[test]
fn the_codec_keeps_every_law() {
    kit::holds(&*Trpc::protocol(), "trpc", |_| true);
}
