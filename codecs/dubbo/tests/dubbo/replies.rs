//! Answers of the proxy's own.

use metaproto_core::{Bytes, BytesMut, Error, ErrorKind, MessageKind, RequestHead, Side};

use super::frames::{call, codec, decoded, frame, response, texts, two_way};

fn reply(request: &Bytes, kind: ErrorKind, message: &'static str) -> Bytes {
    let mut codec = codec(Side::Downstream);
    let head = RequestHead::of(&decoded(&mut *codec, request));
    let mut out = BytesMut::new();
    codec.on_error(&head, &Error::new(kind, message), &mut out).expect("every kind has an answer");
    out.freeze()
}

#[test]
fn every_error_has_a_status_and_says_why() {
    let request = two_way(&call(&[], "", &[]));
    for kind in ErrorKind::ALL {
        let reply = reply(&request, kind, "the reason");
        let m = response(&reply);
        assert_eq!((m.kind, m.request_id), (MessageKind::Response, Some(7)));
        let status = m.status.expect("it is a response");
        assert_ne!(status.code, 20, "{kind}");
        assert_eq!(&reply[16..], texts(&[&format!("{kind}: the reason")]), "{kind}");
    }
}

#[test]
fn the_status_fits_the_error() {
    let request = two_way(&call(&[], "", &[]));
    for (kind, status) in [
        (ErrorKind::RouteNotFound, 60),
        (ErrorKind::ClusterNotFound, 60),
        (ErrorKind::NoHealthyUpstream, 80),
        (ErrorKind::ConnectionFailure, 35),
        (ErrorKind::UpstreamReset, 35),
        (ErrorKind::Timeout, 31),
        (ErrorKind::BadRequest, 40),
        (ErrorKind::BadResponse, 50),
        (ErrorKind::FrameTooLarge, 40),
        (ErrorKind::OverLimit, 100),
        (ErrorKind::Overloaded, 100),
        (ErrorKind::Draining, 80),
    ] {
        assert_eq!(reply(&request, kind, "")[3], status, "{kind}");
    }
}

#[test]
fn a_reply_is_in_the_serialization_of_its_request() {
    let text = "timeout: late \u{1f600}";
    let of = |flags| reply(&frame(flags, 0, 7, b""), ErrorKind::Timeout, "late \u{1f600}");
    assert_eq!(of(0xc2), frame(0x02, 31, 7, &texts(&[text])));
    assert_eq!(of(0xc6), frame(0x06, 31, 7, format!("\"{text}\"\n").as_bytes()));
    let jsonb = [&[0, 0, 0, 24, 0x7a, 0x48, 0, 0, 0, 18][..], text.as_bytes()].concat();
    assert_eq!(of(0xd7), frame(0x17, 31, 7, &jsonb));
    // What can't be written here is answered in what every peer reads.
    assert_eq!(of(0xc8), frame(0x02, 31, 7, &texts(&[text])));
}

#[test]
fn a_request_that_is_too_large_to_be_read_is_answered() {
    let request = two_way(&[0; 100]);
    let codec = codec(Side::Downstream);
    let head = codec.peek_request(&request[..20]).expect("the header is there");
    assert_eq!((head.kind, head.request_id), (MessageKind::Request, Some(7)));
    let mut out = BytesMut::new();
    codec.on_error(&head, &Error::new(ErrorKind::FrameTooLarge, "x"), &mut out).unwrap();
    assert_eq!(out.freeze(), frame(0x02, 40, 7, &texts(&["frame_too_large: x"])));
}
