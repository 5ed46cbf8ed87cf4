//! Dubbo: a header of 16 bytes, whose flags tell the kind of the message.

use metaproto_core::{Auto, Bytes, Codec, Frame, Side};

use super::golden;
use super::held::{self, Framed};
use super::kit;

#[derive(Debug, Clone, PartialEq, Frame, Codec)]
#[frame(magic = 0xdabb_u16)]
#[meta(protocol = "dubbo", property(serialization))]
#[meta(errors(
    Timeout => 31, BadRequest => 40, RouteNotFound => 60, BadResponse => 50, Overloaded => 100,
    _ => 80,
))]
#[meta(kind(
    event && request => Ping,
    event => Pong,
    request && two_way => Request,
    request => Oneway,
    _ => Response,
))]
struct Dubbo {
    #[frame(bits(request = 7, two_way = 6, event = 5, serialization = 0..=4))]
    flags: u8,
    #[meta(status(ok = 20, classes(30 => Timeout, 90 => Internal)))]
    status: u8,
    #[meta(request_id)]
    id: u64,
    #[frame(length(of = body))]
    length: Auto<u32>,
    #[frame(body)]
    body: Bytes,
}

#[test]
fn every_frame_is_read_and_written() {
    for golden in golden::frames("dubbo") {
        let frame: Dubbo = held::frame(&golden);
        golden.has([
            ("request", frame.request().into()),
            ("two_way", frame.two_way().into()),
            ("event", frame.event().into()),
            ("serialization", frame.serialization().into()),
            ("status", frame.status.into()),
            ("id", frame.id.into()),
            ("length", frame.body.len() as i128),
        ]);
        assert!(held::is_shared(&golden, &frame.body));
        let kind = match (frame.request(), frame.event(), frame.two_way()) {
            (true, true, _) => "ping",
            (false, true, _) => "pong",
            (true, false, true) => "request",
            (true, false, false) => "oneway",
            (false, false, _) => "response",
        };
        assert_eq!(kind, golden.text("kind"), "{golden}");
    }
}

#[test]
fn every_connection_is_cut_into_its_frames() {
    for connection in golden::connections("dubbo") {
        for side in [Side::Downstream, Side::Upstream] {
            held::stream(&connection, side, Framed::of::<Dubbo>);
        }
    }
}

#[test]
fn the_header_is_a_fixed_one() {
    assert_eq!((Dubbo::HEADER_SIZE, Dubbo::LENGTH_NEEDS), (16, 16));
    assert_eq!((Dubbo::OFFSET_STATUS, Dubbo::OFFSET_ID), (3, 4));
}

#[test]
fn the_codec_keeps_every_law() {
    kit::holds(&*Dubbo::protocol(), "dubbo", |golden| {
        matches!(golden.text("kind"), "request" | "oneway" | "ping" | "response" | "pong")
    });
}
