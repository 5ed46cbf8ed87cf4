//! What messages say.

use metaproto_core::{
    CodecContext, FrameLength, Limits, MessageKind, Options, Side, Status, StatusClass,
};
use metaproto_thrift::Thrift;

use super::support::{
    CALL, COMPACT, OLD, asked, codec, deflated, framed, property, read_with, request, response,
    with_header, with_tt_header,
};

/// A transport, a protocol, and a call in them.
type Dialect = (&'static str, &'static str, Vec<u8>);

/// The call on every transport and in every encoding that go together.
fn dialects() -> Vec<Dialect> {
    let messages = [("binary", CALL), ("old-binary", OLD), ("compact", COMPACT)];
    messages
        .into_iter()
        .flat_map(|(protocol, message)| {
            [
                ("unframed", protocol, message.to_vec()),
                ("framed", protocol, framed(message)),
                ("header", protocol, with_header(&[("tenant", "blue")], message)),
                ("ttheader", protocol, with_tt_header(&[("tenant", "blue")], message)),
            ]
        })
        .collect()
}

#[test]
fn a_call_is_told_in_every_dialect() {
    for (transport, protocol, bytes) in dialects() {
        let m = request(&bytes);
        assert_eq!((m.kind, m.request_id, m.unread), (MessageKind::Request, None, None));
        assert_eq!(m.operation().unwrap().to_text(), "Users:find");
        for (name, value) in [
            ("transport", transport),
            ("protocol", protocol),
            ("service", "Users"),
            ("method", "find"),
            ("seqid", "7"),
            ("argument.1", "anna"),
            ("argument.2", "5"),
        ] {
            assert_eq!(
                property(&m, name).as_deref(),
                Some(value),
                "{transport} {protocol}: {name}"
            );
        }
        assert_eq!(property(&m, "argument.3"), None, "a list");
        let tenant = transport.contains("header").then_some("blue");
        assert_eq!(property(&m, "Tenant").as_deref(), tenant);
        assert_eq!(property(&m, "header.tenant").as_deref(), tenant);
        let number = (transport == "ttheader").then_some("me");
        assert_eq!(property(&m, "header.3").as_deref(), number);
    }
}

#[test]
fn methods_without_an_answer_can_be_named() {
    // Clients in Go send them as calls.
    let options = Options::from([("oneway".to_owned(), "note, Users:find".to_owned())]);
    let protocol = Thrift::protocol().configure(&options).expect("an option");
    let context = CodecContext::new(Side::Downstream, Limits::default());
    let m = read_with(&mut *protocol.codec(&context), CALL);
    assert_eq!(m.kind, MessageKind::Oneway);
    assert_eq!(request(CALL).kind, MessageKind::Request);
}

#[test]
fn no_header_passes_for_what_the_call_says_of_itself() {
    let pairs = [("method", "evil"), ("argument.1", "evil"), ("header.tenant", "evil")];
    for bytes in [with_header(&pairs, CALL), with_tt_header(&pairs, CALL)] {
        let m = request(&bytes);
        assert_eq!(property(&m, "method").as_deref(), Some("find"));
        assert_eq!(property(&m, "argument.1").as_deref(), Some("anna"));
        assert_eq!(property(&m, "header.method").as_deref(), Some("evil"));
        assert_eq!(property(&m, "tenant"), None);
    }
}

#[test]
fn what_nobody_asks_for_is_not_read() {
    let bytes = with_header(&[("tenant", "blue"), ("other", "x"), ("method", "m")], CALL);
    let m = read_with(&mut *asked(&["method", "tenant", "header.method"]), &bytes);
    let names: Vec<_> = m.properties().map(|(name, _)| name.into_owned()).collect();
    assert_eq!(names, ["method", "tenant", "header.method"]);
    // Arguments that can't be read are nobody's business.
    let wrong = framed(b"\x80\x01\x00\x01\x00\x00\x00\x01m\x00\x00\x00\x07\xff\xff");
    assert_eq!(read_with(&mut *asked(&["method"]), &wrong).unread, None);
    assert!(read_with(&mut *asked(&["argument.1"]), &wrong).unread.is_some());
}

#[test]
fn a_compressed_message_is_told() {
    let m = request(&deflated(COMPACT));
    assert_eq!(m.operation().unwrap().to_text(), "Users:find");
    assert_eq!(property(&m, "argument.1").as_deref(), Some("anna"));
    // A bomb: what is behind the front is not decompressed.
    let large = [COMPACT, &vec![0; 50_000_000]].concat();
    let m = request(&deflated(&large));
    assert_eq!(property(&m, "method").as_deref(), Some("find"));
}

#[test]
fn results_have_classes() {
    let binary = |kind: u8, result: &[u8]| {
        framed(&[&[0x80, 1, 0, kind, 0, 0, 0, 1, b'm', 0, 0, 0, 7][..], result].concat())
    };
    let compact = |kind: u8, result: &[u8]| {
        framed(&[&[0x82, kind << 5 | 1, 7, 1, b'm'][..], result].concat())
    };
    let text = b"\x0b\x00\x01\x00\x00\x00\x02no\x08\x00\x02\x00\x00\x00";
    for (bytes, expected) in [
        (binary(2, b"\x0b\x00\x00\x00\x00\x00\x02hi\x00"), Status::ok(0)),
        (binary(2, b"\x00"), Status::ok(0)),
        (binary(2, b"\x0c\x00\x01\x00\x00"), Status::application_error(1)),
        (compact(2, b"\x08\x00\x02hi\x00"), Status::ok(0)),
        (compact(2, b"\x00"), Status::ok(0)),
        (compact(2, b"\x2c\x00\x00"), Status::application_error(2)),
        (
            binary(3, &[&text[..], &[1, 0]].concat()),
            Status { class: StatusClass::NotFound, code: 1 },
        ),
        (
            binary(3, &[&text[..], &[6, 0]].concat()),
            Status { class: StatusClass::Internal, code: 6 },
        ),
        (compact(3, b"\x18\x02no\x15\x0e\x00"), Status { class: StatusClass::BadRequest, code: 7 }),
        (binary(3, b"\x00"), Status { class: StatusClass::Internal, code: 0 }),
    ] {
        let m = response(&bytes);
        assert_eq!((m.kind, m.status), (MessageKind::Response, Some(expected)), "{bytes:02x?}");
    }
}

#[test]
fn a_frame_without_a_message_is_no_answer() {
    let empty = framed(b"\x0f\xff\x00\x00\x00\x00\x00\x07\x00\x01\x02\x00\x00\x00");
    assert_eq!(response(&empty).kind, MessageKind::Pong);
}

#[test]
fn hostile_lengths_are_refused_at_once() {
    let refused = |bytes: &[u8]| codec(Side::Downstream).frame_length(bytes).is_err();
    let begin = b"\x80\x01\x00\x01\x00\x00\x00\x01m\x00\x00\x00\x07";
    let with = |fields: &[u8]| [&begin[..], fields].concat();
    assert!(refused(&with(b"\x0b\x00\x01\x7f\xff\xff\xff")), "a text");
    assert!(refused(&with(b"\x0f\x00\x01\x0c\x7f\xff\xff\xff")), "a list");
    assert!(refused(&with(b"\x0d\x00\x01\x0b\x0b\x7f\xff\xff\xff")), "a map");
    assert!(refused(&with(b"\x0f\x00\x01\x0a\xff\xff\xff\xff")), "a list of less than nothing");
    assert!(refused(&with(b"\x63\x00\x01")), "a type that is none");
    assert!(refused(&with(&b"\x0c\x00\x01".repeat(70))), "nested deeply");
    assert!(refused(b"\x82\x21\x07\x01m\x19\xfc\xff\xff\xff\xff\x07"), "a compact list");
    assert!(refused(b"\x80\x01\x00\x01\xff\xff\xff\xff"), "a name of less than nothing");
    let asked = codec(Side::Downstream).frame_length(b"\x00\x3f\xff\xff\x80\x01");
    assert_eq!(asked, Ok(FrameLength::Known(0x40_0003)), "the engine bounds what has a length");
}
