//! What is read.

use std::sync::Arc;
use std::time::Duration;

use metaproto_core::{
    CodecContext, DecodeError, Fault, Interest, Limits, MessageKind, Metadata, Section, Side,
    Status, StatusClass,
};

use crate::frames::{
    Flags, HESSIAN, Rich, codec, decode, flags, properties, rich, sealed, section, wire,
};

fn flags_of(flags: u8) -> MessageKind {
    decode(&*Flags::protocol(), Side::Upstream, &Flags { flags, ..self::flags() }).kind
}

#[test]
fn the_first_condition_that_holds_tells_the_kind() {
    use MessageKind::{Oneway, Ping, Pong, Request, Response};
    let (request, two_way, event) =
        (Flags::FLAGS_REQUEST, Flags::FLAGS_TWO_WAY, Flags::FLAGS_EVENT);
    assert_eq!(flags_of(request | two_way), Request);
    assert_eq!(flags_of(request), Oneway);
    assert_eq!(flags_of(event | request | two_way), Ping);
    assert_eq!(flags_of(event | two_way), Pong);
    assert_eq!(flags_of(two_way), Response);
    assert_eq!(flags_of(0), Response);
}

#[test]
fn a_kind_of_which_no_condition_holds_is_the_messages_own_fault() {
    let mut metadata = Metadata::new();
    let frame = wire(&Rich { flags: 7 | Rich::FLAGS_CODED, ..rich() });
    let error = codec(&*Rich::protocol(), Side::Downstream).decode(frame, &mut metadata);
    assert_eq!(error, Err(DecodeError::message("flags", Fault::UnknownValue(15))));
    assert_eq!((metadata.kind, metadata.request_id), (MessageKind::Request, Some(0x0a0b0c)));
    assert_eq!(metadata.property("service").unwrap().to_string(), "shop");
}

#[test]
fn bits_numbers_and_formats_are_properties() {
    let metadata = decode(&*Flags::protocol(), Side::Downstream, &flags());
    let all = properties(&metadata);
    let expected = [
        ("ver", "0x0a0b0c"),
        ("serialization", "hessian2"),
        ("two-way", "true"),
        ("urgent", "false"),
    ];
    assert_eq!(all, expected.map(|(n, v)| (n.to_owned(), v.to_owned())));
    let odd = Flags { flags: HESSIAN + 1, ..flags() };
    let metadata = decode(&*Flags::protocol(), Side::Upstream, &odd);
    assert_eq!(metadata.property("serialization").unwrap().to_string(), "3");
    assert_eq!(metadata.property("TWO-WAY").unwrap().to_string(), "false");
}

#[test]
fn an_operation_is_made_of_several_fields() {
    let metadata = decode(&*Flags::protocol(), Side::Downstream, &flags());
    assert_eq!(metadata.operation().unwrap().to_string(), "v658188/0x00");
    let metadata = decode(&*Rich::protocol(), Side::Downstream, &rich());
    assert_eq!(metadata.operation().unwrap().to_string(), "shop/buy");
}

#[test]
fn what_is_not_utf_8_is_replaced_in_an_operation() {
    let frame = Rich { method: (&b"b\xffy"[..]).into(), ..rich() };
    let metadata = decode(&*Rich::protocol(), Side::Downstream, &frame);
    assert_eq!(metadata.operation().unwrap().to_string(), "shop/b\u{fffd}y");
}

#[test]
fn parts_and_entries_are_properties_but_a_field_hides_entries_of_its_name() {
    let tags = section(&[("tenant", "a"), ("9", "nine")]);
    let metadata = decode(&*Rich::protocol(), Side::Downstream, &Rich { tags, ..rich() });
    let expected = [
        ("service", "shop"),
        ("Method", "buy"),
        ("code", "two"),
        ("trace", "1"),
        ("tag.tenant", "a"),
        ("tag.9", "nine"),
    ];
    assert_eq!(properties(&metadata), expected.map(|(n, v)| (n.to_owned(), v.to_owned())));
    let bare = Rich { flags: 1, code: None, headers: Section::new(), ..rich() };
    let metadata = decode(&*Rich::protocol(), Side::Downstream, &bare);
    assert_eq!(metadata.properties().count(), 2);
}

#[test]
fn only_what_is_asked_for_is_told() {
    let asked = |names: &[&str]| {
        let names = names.iter().map(|name| (*name).to_owned()).collect();
        let context = CodecContext::new(Side::Downstream, Limits::default())
            .with_interest(Arc::new(Interest::Only(names)));
        let mut metadata = Metadata::new();
        let tags = section(&[("tenant", "a"), ("zone", "z")]);
        let frame = wire(&Rich { tags, ..rich() });
        Rich::protocol().codec(&context).decode(frame, &mut metadata).unwrap();
        properties(&metadata).into_iter().map(|(name, _)| name).collect::<Vec<_>>()
    };
    assert_eq!(asked(&[]), [""; 0]);
    assert_eq!(asked(&["method"]), ["Method"]);
    assert_eq!(asked(&["trace", "code"]), ["code", "trace"]);
    assert_eq!(asked(&["tag.tenant", "tenant"]), ["tag.tenant"]);
}

#[test]
fn requests_tell_how_long_they_may_take() {
    let timeout = |frame: &Rich| decode(&*Rich::protocol(), Side::Downstream, frame).timeout;
    assert_eq!(timeout(&rich()), Some(Duration::from_millis(1500)));
    assert_eq!(timeout(&Rich { timeout: 0, ..rich() }), None);
    assert_eq!(timeout(&Rich { flags: 10, ..rich() }), None);
    let protocol = crate::frames::Sealed::protocol();
    let timeout = |timeout| {
        let frame = crate::frames::Sealed { timeout, ..sealed() };
        decode(&*protocol, Side::Downstream, &frame).timeout
    };
    assert_eq!(timeout(50), Some(Duration::from_millis(50)));
    assert_eq!(timeout(u16::MAX), None);
}

#[test]
fn codes_of_servers_have_classes() {
    let status = |code| {
        let frame = Flags { flags: 0, code, ..flags() };
        decode(&*Flags::protocol(), Side::Upstream, &frame).status
    };
    let class = |class, code| Some(Status { class, code });
    assert_eq!(status(20), Some(Status::ok(20)));
    assert_eq!(status(40), class(StatusClass::NotFound, 40));
    assert_eq!(status(100), class(StatusClass::Overloaded, 100));
    assert_eq!(status(31), class(StatusClass::Timeout, 31));
    assert_eq!(status(77), class(StatusClass::ApplicationError, 77));
}

#[test]
fn a_checksum_that_is_wrong_is_the_messages_own_fault() {
    let mut frame = wire(&sealed()).to_vec();
    frame[3] ^= 1;
    let mut metadata = Metadata::new();
    let protocol = crate::frames::Sealed::protocol();
    let error = codec(&*protocol, Side::Downstream).decode(frame.into(), &mut metadata);
    assert_eq!(error.unwrap_err().field, "crc");
    assert_eq!(metadata.request_id, Some(6));
}

#[test]
fn decoding_allocates_nothing() {
    let tags = section(&[("tenant", "a"), ("9", "nine")]);
    let frame = wire(&Rich { tags, ..rich() });
    let mut codec = codec(&*Rich::protocol(), Side::Downstream);
    let mut metadata = Metadata::new();
    for _ in 0..3 {
        metadata.clear();
        codec.decode(frame.clone(), &mut metadata).unwrap();
    }
    let count = allocation_counter::measure(|| {
        metadata.clear();
        codec.decode(frame.clone(), &mut metadata).unwrap();
    });
    assert_eq!(count.count_total, 0);
}
