//! The time that clients wait, and what is left of it.

use std::time::Duration;

use metaproto_core::{Bytes, CodecContext, Limits, Metadata, Mutation, Options, Output, Side};
use metaproto_thrift::Thrift;

use super::captures;
use super::support::{
    CALL, COMPACT, asked, changed, codec, framed, property, read_with, request, with_header,
    with_tt_header,
};

const fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

/// The call with a TTHeader that has the number 12.
fn with_number(value: &str, message: &[u8]) -> Vec<u8> {
    let len = u8::try_from(value.len()).expect("short");
    let mut header = [&[0, 0, 0x10, 0, 1, 0, 12, 0, len][..], value.as_bytes()].concat();
    header.resize(header.len().next_multiple_of(4), 0);
    let words = u16::try_from(header.len() / 4).expect("short").to_be_bytes();
    framed(&[b"\x10\x00\x00\x00\x00\x00\x00\x07", &words[..], &header, message].concat())
}

/// What `frame` says when this much is left for it.
fn left(frame: &[u8], remaining: Duration) -> Metadata {
    let mut whole = frame.to_vec();
    let place = request(frame).timeout_place.expect("it has a place");
    codec(Side::Upstream).set_deadline(&mut whole[place], remaining).expect("it can be written");
    request(&whole)
}

/// A request as it goes to servers of a dialect.
fn to_server(options: &[(&str, &str)], frame: &[u8], id: Option<u64>, time: Duration) -> Vec<u8> {
    let options: Options =
        options.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let protocol = Thrift::protocol().configure(&options).expect("there is such a dialect");
    let mut codec = protocol.codec(&CodecContext::new(Side::Upstream, Limits::default()));
    let mut out = Output::new();
    let written = codec.translate_request(&Bytes::copy_from_slice(frame), id, Some(time), &mut out);
    written.expect("it can be written");
    out.parts().flat_map(|part| part.to_vec()).collect()
}

#[test]
fn headers_tell_how_long_a_client_waits() {
    let of = |bytes: &[u8]| {
        let told = request(bytes);
        assert_eq!(read_with(&mut *asked(&[]), bytes).timeout, told.timeout);
        (told.timeout, told.timeout_place.is_some())
    };
    assert_eq!(
        of(&with_header(&[("a", "b"), ("client_timeout", "250")], CALL)),
        (Some(ms(250)), true)
    );
    assert_eq!(of(&with_number("20000", CALL)), (Some(ms(20_000)), true));
    for value in ["0", "", "soon", "-1", "1.5", "9999999999999999999999"] {
        assert_eq!(of(&with_header(&[("client_timeout", value)], CALL)), (None, false), "{value}");
        assert_eq!(of(&with_number(value, CALL)), (None, false), "{value}");
    }
    // Names of one transport mean nothing in the other.
    assert_eq!(of(&with_tt_header(&[("client_timeout", "250")], CALL)), (None, false));
    assert_eq!(of(&with_header(&[("12", "250")], CALL)), (None, false));
    assert_eq!(of(&framed(CALL)), (None, false));
}

#[test]
fn kitex_tells_so_by_itself() {
    let streams = captures::streams();
    let kitex = streams.iter().find(|stream| {
        stream.side == Side::Downstream
            && stream.name.contains("kitex--kitex--ttheader-binary--headers")
    });
    let bytes = &kitex.expect("there is one").bytes;
    let size = u32::from_be_bytes(*bytes.first_chunk().expect("a length")) as usize + 4;
    let call = request(&bytes[..size]);
    assert_eq!(call.timeout, Some(Duration::from_secs(20)));
    assert_eq!(left(&bytes[..size], ms(1500)).timeout, Some(ms(1500)));
}

#[test]
fn what_is_left_is_written_into_the_header() {
    for frame in [
        with_header(&[("client_timeout", "3000"), ("x", "3000")], CALL),
        with_header(&[("x", "3000"), ("client_timeout", "3000")], COMPACT),
        with_number("3000", CALL),
    ] {
        for (remaining, expected) in [
            (ms(3000), 3000),
            (Duration::from_micros(41_999), 41),
            (Duration::ZERO, 1),
            (Duration::MAX, 9999),
        ] {
            let told = left(&frame, remaining);
            assert_eq!(told.timeout, Some(ms(expected)));
            assert_eq!(property(&told, "argument.1").as_deref(), Some("anna"));
            assert_eq!(property(&told, "x"), property(&request(&frame), "x"));
        }
    }
}

#[test]
fn a_changed_call_tells_what_is_left_unless_that_was_changed() {
    for (frame, name) in [
        (with_header(&[("a", "b"), ("client_timeout", "3000")], CALL), "client_timeout"),
        (with_number("3000", CALL), "12"),
    ] {
        let of = |mutation: &Mutation| {
            let mut codec = codec(Side::Downstream);
            let call = read_with(&mut *codec, &frame);
            let mut out = Output::new();
            let place = codec.encode_timed(&call, mutation, &mut out).expect("it can be changed");
            place.map(|place| changed(&frame, mutation)[place].to_vec())
        };
        assert_eq!(of(&Mutation::new()), Some(b"3000".to_vec()));
        assert_eq!(of(&Mutation::new().set("tenant", "something long")), Some(b"3000".to_vec()));
        assert_eq!(of(&Mutation::new().set(name, "500")), None);
        assert_eq!(of(&Mutation::new().remove(name)), None);
    }
}

#[test]
fn a_call_that_is_written_anew_tells_what_is_left_where_its_header_goes_along() {
    let large = [CALL, &[0; 10_000]].concat();
    for message in [CALL, &large] {
        let theader = with_header(&[("a", "b"), ("client_timeout", "3000")], message);
        let expected = with_header(&[("a", "b"), ("client_timeout", "0450")], message);
        assert_eq!(to_server(&[], &theader, None, ms(450)), expected);
        let transport = [("transport", "header")];
        let told = to_server(&transport, &theader, Some(9), ms(450));
        assert_eq!(request(&told).timeout, Some(ms(450)));
        assert_eq!(property(&request(&told), "seqid").as_deref(), Some("9"));
        let kitex = with_number("3000", message);
        assert_eq!(to_server(&[], &kitex, None, ms(450)), with_number("0450", message));
        // What the other transport makes of the names is not for the proxy to guess.
        let other = to_server(&[("transport", "framed")], &theader, None, ms(450));
        assert_eq!(other, framed(message));
    }
    let theader = with_header(&[("client_timeout", "3000")], CALL);
    let compact = to_server(&[("protocol", "compact")], &theader, None, ms(450));
    assert_eq!(compact, with_header(&[("client_timeout", "0450")], COMPACT));
}
