//! What the derived codec does with messages.

use std::collections::BTreeMap;
use std::sync::Arc;

use metaproto_core::{
    Auto, Bytes, BytesMut, Codec, CodecContext, Correlation, DecodeError, EncodeError, Error,
    ErrorKind, Fault, Frame, FrameLength, Interest, Limits, MessageKind, Metadata, Mutation,
    MutationSupport, Output, Probe, PropertyValue, RequestHead, Sharing, Side, Status, StatusClass,
};
use proptest::prelude::*;

const TIMEOUT: u16 = 504;

/// Everything that there is, in one message.
#[derive(Debug, Clone, PartialEq, Frame, Codec)]
#[frame(magic = b"KT", endian = little)]
#[meta(protocol = "kt", aliases("kay-tee"), sharing = bound)]
#[meta(errors(Timeout => TIMEOUT, Overloaded => 503, _ => 500))]
struct Kt {
    #[meta(kind(
        1 => Request, 2 => Response, 3 => Oneway, 4 => Ping, 5 => Pong, 6 => GoAway, 7 => Request,
    ))]
    kind: u8,
    #[frame(default = 9)]
    version: u8,
    #[meta(request_id)]
    id: u16,
    #[meta(operation, property = "Method")]
    method: [u8; 6],
    #[meta(property)]
    shard: i8,
    #[meta(status(ok = 200))]
    status: u16,
    #[frame(length(of = body))]
    len: Auto<u8>,
    #[frame(body)]
    body: Bytes,
}

/// As little as there can be.
#[derive(Debug, Frame, Codec)]
#[frame(fixed)]
#[meta(protocol = "least")]
struct Least {
    #[meta(property)]
    x: u64,
}

fn example() -> Kt {
    Kt {
        kind: 1,
        version: 7,
        id: 0x0102,
        method: *b"echo\0\0",
        shard: -3,
        status: 0,
        len: Auto::new(),
        body: Bytes::from_static(b"body"),
    }
}

fn wire(frame: &impl Frame) -> Bytes {
    let mut out = BytesMut::new();
    frame.write(&mut out).expect("it can be written");
    out.freeze()
}

fn codec(side: Side) -> Box<dyn Codec> {
    Kt::protocol().codec(&CodecContext::new(side, Limits::default()))
}

fn decode(side: Side, frame: &impl Frame) -> Metadata {
    let mut metadata = Metadata::new();
    codec(side).decode(wire(frame), &mut metadata).expect("it can be read");
    metadata
}

fn kind(kind: u8) -> MessageKind {
    decode(Side::Upstream, &Kt { kind, ..example() }).kind
}

#[test]
fn a_message_is_described() {
    let metadata = decode(Side::Downstream, &example());
    assert_eq!(metadata.frame, wire(&example()));
    assert_eq!(metadata.kind, MessageKind::Request);
    assert_eq!(metadata.request_id, Some(0x0102));
    assert_eq!((metadata.header_size, metadata.context_size), (16, 16));
    assert_eq!(metadata.status, None);
    assert_eq!(metadata.operation(), Some(PropertyValue::Text(b"echo")));
    assert_eq!(metadata.property("method"), Some(PropertyValue::Text(b"echo")));
    assert_eq!(metadata.property("SHARD"), Some(PropertyValue::Int(-3)));
    let names: Vec<_> = metadata.properties().map(|(name, _)| name.into_owned()).collect();
    assert_eq!(names, ["Method", "shard"]);
}

#[test]
fn the_kind_field_tells_the_kind_and_an_unknown_one_is_the_messages_own_fault() {
    use MessageKind::{GoAway, Oneway, Ping, Pong, Request, Response};
    let kinds: Vec<_> = (1..=7).map(kind).collect();
    assert_eq!(kinds, [Request, Response, Oneway, Ping, Pong, GoAway, Request]);
    for (side, kind) in [(Side::Downstream, Request), (Side::Upstream, Response)] {
        let mut metadata = Metadata::new();
        let frame = wire(&Kt { kind: 9, ..example() });
        let error = codec(side).decode(frame.clone(), &mut metadata).unwrap_err();
        assert_eq!(error, DecodeError::message("kind", Fault::UnknownValue(9)));
        assert_eq!((metadata.kind, metadata.request_id), (kind, Some(0x0102)));
        assert_eq!(metadata.frame, frame);
    }
}

#[test]
fn a_status_is_ok_an_error_of_the_table_or_the_applications_own() {
    let status = |status| decode(Side::Upstream, &Kt { kind: 2, status, ..example() }).status;
    assert_eq!(status(200), Some(Status::ok(200)));
    assert_eq!(status(504), Some(Status { class: StatusClass::Timeout, code: 504 }));
    assert_eq!(status(503), Some(Status { class: StatusClass::Overloaded, code: 503 }));
    assert_eq!(status(500), Some(Status { class: StatusClass::Internal, code: 500 }));
    assert_eq!(status(0), Some(Status::application_error(0)));
}

#[test]
fn a_frame_that_is_not_as_long_as_it_says_is_refused_but_described() {
    let frame = wire(&example());
    for frame in [frame.slice(..frame.len() - 1), [&frame[..], b"!"].concat().into()] {
        let mut metadata = Metadata::new();
        assert!(codec(Side::Downstream).decode(frame, &mut metadata).is_err());
        assert_eq!(metadata.request_id, Some(0x0102));
    }
    assert!(codec(Side::Downstream).decode(Bytes::new(), &mut Metadata::new()).is_err());
}

#[test]
fn properties_that_nobody_asks_for_are_left_out() {
    let interest = Arc::new(Interest::Only(vec!["shard".into()]));
    let context = CodecContext::new(Side::Downstream, Limits::default()).with_interest(interest);
    let mut metadata = Metadata::new();
    Kt::protocol().codec(&context).decode(wire(&example()), &mut metadata).unwrap();
    assert_eq!(metadata.properties().count(), 1);
    assert_eq!(metadata.property("shard"), Some(PropertyValue::Int(-3)));
}

/// Configuration may change while a connection lives.
#[test]
fn what_is_asked_for_can_change_between_two_messages() {
    let nothing = Arc::new(Interest::Only(Vec::new()));
    let context = CodecContext::new(Side::Downstream, Limits::default()).with_interest(nothing);
    let mut codec = Kt::protocol().codec(&context);
    let mut metadata = Metadata::new();
    codec.decode(wire(&example()), &mut metadata).unwrap();
    assert_eq!(metadata.property("shard"), None);
    codec.set_interest(&Arc::new(Interest::Only(vec!["shard".into()])));
    metadata.clear();
    codec.decode(wire(&example()), &mut metadata).unwrap();
    assert!(metadata.property("shard").is_some());
}

#[test]
fn setting_properties_changes_them_and_nothing_else() {
    let metadata = decode(Side::Downstream, &example());
    let mutation = Mutation::new().set("METHOD", "ping").set("shard", "1").set("shard", "-128");
    let mut out = Output::new();
    out.copy(b"before");
    codec(Side::Downstream).encode(&metadata, &mutation, &mut out).unwrap();
    let expected = Kt { method: *b"ping\0\0", shard: -128, ..example() };
    assert_eq!(out.tail()[6..], wire(&expected));
}

#[test]
fn a_change_that_can_not_be_made_says_why_and_leaves_no_trace() {
    let metadata = decode(Side::Downstream, &example());
    let refused = |mutation: Mutation| {
        let mut out = Output::new();
        out.copy(b"before");
        let error = codec(Side::Downstream).encode(&metadata, &mutation, &mut out).unwrap_err();
        assert_eq!(&out.tail()[..], b"before");
        error.to_string()
    };
    let set = Mutation::new().set("shard", "1");
    assert_eq!(refused(set.clone().set("shard", "128")), "shard: 128 is not within -128 to 127");
    assert_eq!(refused(set.clone().set("shard", "1x")), "shard: \"1x\" is not a number");
    assert_eq!(
        refused(set.clone().set("method", "too-long")),
        "method: \"too-long\" is longer than 6 bytes"
    );
    let unsupported = |verb, name| format!("this protocol can't {verb} the property {name:?}");
    assert_eq!(refused(set.clone().set("x", "1")), unsupported("set", "x"));
    assert_eq!(refused(set.clone().append("shard", "1")), unsupported("append", "shard"));
    assert_eq!(refused(set.remove("shard")), unsupported("remove", "shard"));
}

#[test]
fn a_large_body_is_shared_with_the_output() {
    #[derive(Frame, Codec)]
    #[meta(protocol = "large")]
    struct Large {
        #[meta(property)]
        x: u8,
        #[frame(length(of = frame))]
        len: Auto<u32>,
        #[frame(body)]
        body: Bytes,
    }
    let frame = wire(&Large { x: 1, len: Auto::new(), body: vec![5; 9000].into() });
    let context = CodecContext::new(Side::Downstream, Limits::default());
    let mut codec = Large::protocol().codec(&context);
    let mut metadata = Metadata::new();
    codec.decode(frame.clone(), &mut metadata).unwrap();
    let mut out = Output::new();
    codec.encode(&metadata, &Mutation::new().set("x", "2"), &mut out).unwrap();
    bytes::Buf::advance(&mut out, 5);
    assert_eq!(bytes::Buf::chunk(&out).as_ptr(), frame[5..].as_ptr());
}

#[test]
fn an_error_reply_is_the_requests_header_with_the_code() {
    let request = RequestHead::of(&decode(Side::Downstream, &example()));
    let reply = |error: Error| {
        let mut out = BytesMut::new();
        codec(Side::Downstream).on_error(&request, &error, &mut out).unwrap();
        Kt::read(out.freeze()).unwrap()
    };
    let timeout = reply(Error::new(ErrorKind::Timeout, "late"));
    let body = Bytes::from_static(b"late");
    assert_eq!(timeout, Kt { kind: 2, status: 504, body, ..example() });
    for kind in ErrorKind::ALL {
        let code = match kind {
            ErrorKind::Timeout => 504,
            ErrorKind::Overloaded => 503,
            _ => 500,
        };
        assert_eq!(reply(Error::new(kind, "")).status, code);
    }
    // The length can tell 255 bytes, which is the middle of a character.
    let long = reply(Error::new(ErrorKind::Denied, "é".repeat(300)));
    assert_eq!(long.body, "é".repeat(127));
}

#[test]
fn error_replies_have_no_text_if_the_protocol_wants_none() {
    #[derive(Frame, Codec)]
    #[meta(protocol = "terse", errors(_ => 1), error_text = false)]
    struct Terse {
        #[meta(status(ok = 0))]
        status: u8,
        #[frame(length(of = frame))]
        len: Auto<u8>,
        #[frame(body)]
        body: Bytes,
    }
    let context = CodecContext::new(Side::Downstream, Limits::default());
    let codec = Terse::protocol().codec(&context);
    let request = codec.peek_request(&[0, 2]).unwrap();
    let mut out = BytesMut::new();
    codec.on_error(&request, &Error::new(ErrorKind::Timeout, "late"), &mut out).unwrap();
    assert_eq!(&out[..], [1, 2]);
}

#[test]
fn a_request_of_which_nothing_is_left_is_answered_with_its_id() {
    let error = Error::new(ErrorKind::Denied, "");
    let mut out = BytesMut::new();
    let request = RequestHead::peeked(MessageKind::Request, Some(77), b"KT");
    codec(Side::Downstream).on_error(&request, &error, &mut out).unwrap();
    let reply = Kt::read(out.freeze()).unwrap();
    assert_eq!((reply.kind, reply.version, reply.id, reply.status), (2, 9, 77, 500));
    let mut out = BytesMut::new();
    let request = RequestHead::peeked(MessageKind::Request, Some(70_000), b"");
    assert!(codec(Side::Downstream).on_error(&request, &error, &mut out).is_err());
    assert!(out.is_empty());
}

#[test]
fn the_request_id_is_patched_in_place_or_not_at_all() {
    let codec = codec(Side::Downstream);
    let mut bytes = wire(&example()).to_vec();
    codec.patch_request_id(&mut bytes, 0xfffe).unwrap();
    assert_eq!(Kt::read(bytes.clone().into()).unwrap(), Kt { id: 0xfffe, ..example() });
    let error = codec.patch_request_id(&mut bytes, 0x1_0000).unwrap_err();
    assert_eq!(error.to_string(), "id: the id is wider than 16 bits");
    assert_eq!(Kt::read(bytes.clone().into()).unwrap().id, 0xfffe);
    assert!(codec.patch_request_id(&mut bytes[..15], 1).is_err());
}

#[test]
fn a_request_is_recognized_by_its_header_alone() {
    let bytes = wire(&example());
    let codec = codec(Side::Downstream);
    assert_eq!(codec.peek_request(&bytes[..15]), None);
    let head = codec.peek_request(&bytes[..16]).unwrap();
    assert_eq!(head, RequestHead::of(&decode(Side::Downstream, &example())));
}

#[test]
fn pings_are_made_and_answered() {
    let codec = codec(Side::Upstream);
    let mut out = BytesMut::new();
    codec.ping(5, &mut out).unwrap();
    let ping = Kt::read(out.split().freeze()).unwrap();
    assert_eq!((ping.kind, ping.version, ping.id, ping.body.len()), (4, 9, 5, 0));
    assert!(codec.ping(1 << 16, &mut out).is_err());
    let ping = Kt { kind: 4, ..example() };
    codec.pong(&decode(Side::Downstream, &ping), &mut out).unwrap();
    assert_eq!(Kt::read(out.split().freeze()).unwrap(), Kt { kind: 5, ..example() });
    codec.go_away(&mut out).unwrap();
    assert_eq!(Kt::read(out.freeze()).unwrap().kind, 6);
}

#[test]
fn the_protocol_says_what_it_can_do() {
    let kt = Kt::protocol();
    assert_eq!((kt.name(), kt.aliases()), ("kt", &["kay-tee"][..]));
    let can = kt.capabilities();
    assert_eq!(can.correlation, Correlation::Id { bits: 16 });
    assert_eq!(can.sharing, Sharing::Bound);
    assert!(can.oneway && can.ping && can.go_away && can.error_replies && can.probe);
    assert!(!can.streaming);
    assert_eq!(can.properties.support("method"), Some(MutationSupport::SET));
    assert_eq!(can.properties.support("version"), None);
    let least = Least::protocol().capabilities();
    assert_eq!((least.correlation, least.sharing), (Correlation::Order, Sharing::Exclusive));
    assert!(!(least.oneway || least.ping || least.go_away || least.error_replies || least.probe));
}

#[test]
fn what_a_protocol_can_not_do_is_refused() {
    let context = CodecContext::new(Side::Downstream, Limits::default());
    let mut codec = Least::protocol().codec(&context);
    let mut metadata = Metadata::new();
    codec.decode(wire(&Least { x: u64::MAX }), &mut metadata).unwrap();
    assert_eq!(metadata.property("x"), Some(PropertyValue::Int(u64::MAX.into())));
    let mut out = BytesMut::new();
    let request = RequestHead::of(&metadata);
    let error = Error::new(ErrorKind::Timeout, "");
    let refused = [
        codec.on_error(&request, &error, &mut out),
        codec.ping(1, &mut out),
        codec.pong(&metadata, &mut out),
        codec.go_away(&mut out),
        codec.patch_request_id(&mut [0; 8], 1),
    ];
    assert!(refused.iter().all(|r| matches!(r, Err(EncodeError::Unsupported(_)))), "{refused:?}");
    assert!(out.is_empty());
}

#[test]
fn a_protocol_is_recognized_by_its_magic() {
    let kt = Kt::protocol();
    assert_eq!(kt.probe(b"K"), Probe::Need(2));
    assert_eq!(kt.probe(b"KT"), Probe::Yes);
    assert_eq!(kt.probe(b"KX"), Probe::No);
    assert_eq!(Least::protocol().probe(b"KT"), Probe::No);
}

#[test]
fn a_derived_protocol_has_no_options() {
    assert_eq!(Kt::protocol().configure(&BTreeMap::new()).unwrap().name(), "kt");
    let options = BTreeMap::from([("dialect".to_owned(), "new".to_owned())]);
    assert_eq!(Kt::protocol().configure(&options).unwrap_err().option, "dialect");
    assert_eq!(format!("{:?}", Kt::protocol()), "Derived(\"kt\")");
}

proptest! {
    #[test]
    fn nothing_that_arrives_makes_the_codec_panic(
        header: [u8; 16],
        rest: Vec<u8>,
        magic: bool,
        id: u64,
    ) {
        let mut bytes = [&header[..], &rest].concat();
        if magic {
            bytes[..2].copy_from_slice(b"KT");
        }
        let mut codec = codec(Side::Downstream);
        let _ = codec.frame_length(&bytes);
        let _ = codec.peek_request(&bytes);
        let mut metadata = Metadata::new();
        let _ = codec.decode(bytes.into(), &mut metadata);
        let mut out = Output::new();
        let _ = codec.encode(&metadata, &Mutation::new().set("shard", "1"), &mut out);
        let mut out = BytesMut::new();
        let request = RequestHead::of(&metadata);
        codec.on_error(&request, &Error::new(ErrorKind::Timeout, "t"), &mut out).unwrap();
        let _ = codec.pong(&metadata, &mut out);
        let _ = codec.ping(id, &mut out);
    }
}

#[test]
fn a_frame_that_is_too_large_is_waited_for_until_it_tells_who_has_asked() {
    #[derive(Frame, Codec)]
    #[meta(protocol = "early")]
    struct Early {
        #[frame(length(of = frame))]
        len: Auto<u32>,
        #[meta(request_id)]
        id: u32,
        #[frame(body)]
        body: Bytes,
    }
    let limits = Limits::max_frame(100);
    let mut codec = Early::protocol().codec(&CodecContext::new(Side::Downstream, limits));
    assert_eq!(codec.frame_length(&[0, 0, 0, 100]), Ok(FrameLength::Known(100)));
    assert_eq!(codec.frame_length(&[0, 0, 0, 101]), Ok(FrameLength::Need(8)));
    let head = [0, 0, 0, 101, 0, 0, 0, 7];
    assert_eq!(codec.frame_length(&head), Ok(FrameLength::Known(101)));
    assert_eq!(codec.peek_request(&head).unwrap().request_id, Some(7));
}
