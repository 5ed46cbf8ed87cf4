//! Redis: lines, and values inside of values. A frame is one value, which a module of its own reads.

use metaproto_core::frame::Located;
use metaproto_core::{Bytes, BytesMut, Codec, Frame, FrameLength, Side};

use super::golden::{self, Golden};
use super::held::{self, Framed};
use super::kit;
use super::resp::{self, Value};

#[derive(Debug, Clone, PartialEq, Frame, Codec)]
#[frame(max_header = 512 << 20)]
#[meta(protocol = "redis")]
struct Redis {
    #[frame(with = resp)]
    value: Value,
}

/// What is counted, and how much there is.
type Amount = (&'static str, i128);

/// The type that the comments tell, and how many values or bytes it has.
fn told(value: &Value) -> (&'static str, Option<Amount>) {
    let name = |mark: &u8| match mark {
        b'+' => "simple",
        b'-' => "error",
        b':' => "integer",
        b'$' => "bulk",
        b'*' => "array",
        b'_' => "null",
        b'#' => "boolean",
        b',' => "double",
        b'(' => "bignum",
        b'=' => "verbatim",
        b'~' => "set",
        b'>' => "push",
        b'%' => "map",
        _ => "nothing",
    };
    match value {
        Value::Line(mark @ b'*', _) => (name(mark), Some(("count", -1))),
        Value::Line(mark @ b'$', _) => (name(mark), Some(("size", -1))),
        Value::Line(mark, _) => (name(mark), None),
        Value::Inline(_) => ("inline", None),
        Value::Bulk(mark, bytes) => (name(mark), Some(("size", bytes.len() as i128))),
        Value::Many(b'%', items) => ("map", Some(("count", items.len() as i128 / 2))),
        Value::Many(mark, items) => (name(mark), Some(("count", items.len() as i128))),
        Value::Attribute(items, _) => ("attribute", Some(("count", items.len() as i128 / 2))),
    }
}

fn check(golden: &Golden) {
    let frame: Redis = held::frame(golden);
    golden.has([("length", frame.size() as i128)]);
    let (name, amount) = told(&frame.value);
    assert_eq!(name, golden.text("type"), "{golden}");
    if let Some(amount) = amount {
        golden.has([amount]);
    }
}

#[test]
fn every_frame_is_read_and_written() {
    golden::frames("redis").iter().for_each(check);
}

#[test]
fn every_connection_is_cut_into_its_frames() {
    for connection in golden::connections("redis") {
        for side in [Side::Downstream, Side::Upstream] {
            held::stream(&connection, side, Framed::of::<Redis>);
        }
    }
}

/// Lets a frame arrive byte by byte and counts the lines that are looked for.
fn steps(bytes: &[u8]) -> usize {
    resp::STEPS.set(0);
    let mut located = Located::default();
    for end in 1..bytes.len() {
        let told = Redis::frame_length_from(&mut located, &bytes[..end]).unwrap();
        assert!(matches!(told, FrameLength::Need(need) if need > end && need <= bytes.len()));
    }
    let told = Redis::frame_length_from(&mut located, bytes);
    assert_eq!(told, Ok(FrameLength::Known(bytes.len())));
    resp::STEPS.get()
}

#[test]
fn a_long_value_that_trickles_in_costs_no_more_than_its_bytes() {
    let items = 20_000;
    let array = [format!("*{items}\r\n"), ":1\r\n".repeat(items)].concat();
    assert!(steps(array.as_bytes()) <= array.len() + items);
    let nested = ["*2\r\n".repeat(20), "$4\r\nabcd\r\n".repeat(21)].concat();
    assert!(steps(nested.as_bytes()) <= 2 * nested.len());
    let line = format!("+{}\r\n", "x".repeat(50_000));
    assert!(steps(line.as_bytes()) <= line.len());
}

#[test]
fn what_is_no_value_is_refused() {
    let deep = "*1\r\n".repeat(40);
    for wrong in ["$x\r\n", "*-2\r\n", "*+1\r\n", "$99999999999999999999\r\n", &deep] {
        assert!(Redis::frame_length(wrong.as_bytes()).is_err(), "{wrong}");
    }
    // Where it ends can be told; that the end is wrong is for those who read it.
    let wrong = Bytes::from_static(b"$2\r\nabcd");
    assert_eq!(Redis::frame_length(&wrong), Ok(FrameLength::Known(8)));
    assert!(Redis::read(wrong).is_err());
}

#[test]
fn many_announced_values_reserve_nothing() {
    assert_eq!(Redis::frame_length(b"*9223372036854775807\r\n"), Ok(FrameLength::Need(23)));
    assert!(Redis::read(Bytes::from_static(b"*1000000000\r\n:1\r\n")).is_err());
    let mut out = BytesMut::new();
    let broken = Redis { value: Value::Line(b'+', Bytes::from_static(b"a\r\nb")) };
    assert!(broken.write(&mut out).is_err() && out.is_empty());
}

#[test]
fn the_codec_keeps_every_law() {
    // The module that passes over a value keeps how deep it is in a list.
    kit::holds_allocating(1, &*Redis::protocol(), "redis", |_| true);
}
