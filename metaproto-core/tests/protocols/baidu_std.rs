//! baidu_std, the protocol of brpc: 12 bytes, then a meta whose length they tell, then the data. The
//! frame's length leaves the header out, and includes the meta.

use metaproto_core::{Auto, Bytes, Codec, Frame, Side};

use super::golden;
use super::held::{self, Framed};
use super::kit;

#[derive(Debug, Clone, PartialEq, Frame, Codec)]
#[frame(magic = b"PRPC")]
#[meta(protocol = "baidu-std")]
struct BaiduStd {
    #[frame(length(of = rest, plus = -4))]
    body_size: Auto<u32>,
    #[frame(length(of = meta))]
    meta_size: Auto<u32>,
    /// Protobuf: `RpcMeta`.
    meta: Bytes,
    #[frame(body)]
    data: Bytes,
}

#[test]
fn every_frame_is_read_and_written() {
    for golden in golden::frames("baidu_std") {
        let frame: BaiduStd = held::frame(&golden);
        golden.has([
            ("body_size", (frame.meta.len() + frame.data.len()) as i128),
            ("meta_size", frame.meta.len() as i128),
        ]);
        assert_eq!(golden.text("magic"), "PRPC");
        assert!(frame.data.len() as i128 >= golden.number("attachment_size"));
        assert!(held::is_shared(&golden, &frame.data));
    }
}

#[test]
fn every_connection_is_cut_into_its_frames() {
    for connection in golden::connections("baidu_std") {
        for side in [Side::Downstream, Side::Upstream] {
            held::stream(&connection, side, Framed::of::<BaiduStd>);
        }
    }
}

#[test]
fn the_length_is_known_before_the_header_is_whole() {
    assert_eq!((BaiduStd::HEADER_SIZE, BaiduStd::LENGTH_NEEDS), (12, 8));
}

#[test]
fn the_codec_keeps_every_law() {
    kit::holds(&*BaiduStd::protocol(), "baidu_std", |_| true);
}
