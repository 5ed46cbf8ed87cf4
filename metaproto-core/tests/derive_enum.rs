//! Frames of several layouts: SOFA bolt v1, whose requests and responses differ.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "tests may panic"
)]

use metaproto_core::frame::{Chosen, Frames};
use metaproto_core::{
    Auto, Bytes, BytesMut, Codec, CodecContext, Error, ErrorKind, Frame, FrameLength, Limits,
    MessageKind, Metadata, RequestHead, Section, Side, StatusClass,
};

#[derive(Debug, Clone, PartialEq, Frame, Codec)]
#[frame(tag(u8, at = 1))]
#[meta(protocol = "bolt", aliases("sofa-bolt"))]
enum Bolt {
    #[frame(tag = 1 | 2)]
    Request(Request),
    #[frame(tag = 0)]
    Response(Response),
}

#[derive(Debug, Clone, PartialEq, Frame, Codec)]
#[frame(magic = 1_u8)]
#[meta(protocol = "bolt")]
struct Request {
    #[meta(kind(1 => Request, 2 => Oneway))]
    ty: u8,
    command: u16,
    version: u8,
    #[meta(request_id)]
    id: u32,
    codec: u8,
    timeout: i32,
    #[frame(length(of = class))]
    class_len: Auto<u16>,
    #[frame(length(of = headers))]
    headers_len: Auto<u16>,
    #[frame(length(of = body))]
    body_len: Auto<u32>,
    class: String,
    #[frame(kv(key = u32, value = u32))]
    headers: Section,
    #[frame(body)]
    body: Bytes,
}

#[derive(Debug, Clone, PartialEq, Frame, Codec)]
#[frame(magic = 1_u8)]
#[meta(protocol = "bolt", errors(Timeout => 7, Overloaded => 4, _ => 1))]
struct Response {
    #[frame(constant = 0)]
    ty: Auto<u8>,
    #[frame(default = 2)]
    #[meta(kind(2 => Response))]
    command: u16,
    version: u8,
    #[meta(request_id)]
    id: u32,
    codec: u8,
    #[meta(status(ok = 0))]
    status: u16,
    #[frame(length(of = class))]
    class_len: Auto<u16>,
    #[frame(length(of = headers))]
    headers_len: Auto<u16>,
    #[frame(length(of = body))]
    body_len: Auto<u32>,
    class: String,
    #[frame(kv(key = u32, value = u32))]
    headers: Section,
    #[frame(body)]
    body: Bytes,
}

fn request() -> Bolt {
    Bolt::Request(Request {
        ty: 1,
        command: 1,
        version: 1,
        id: 7,
        codec: 11,
        timeout: 3000,
        class_len: Auto::new(),
        headers_len: Auto::new(),
        body_len: Auto::new(),
        class: "a.B".to_owned(),
        headers: Section::from_pairs([("k", "v")]).unwrap(),
        body: Bytes::from_static(b"body"),
    })
}

fn wire(frame: &Bolt) -> Bytes {
    let mut out = BytesMut::new();
    frame.write(&mut out).unwrap();
    assert_eq!(out.len(), frame.size());
    out.freeze()
}

#[test]
fn the_tag_tells_the_variant() {
    let bytes = wire(&request());
    assert_eq!(Bolt::choose(Side::Downstream, &bytes[..1]), Ok(Chosen::Need(2)));
    assert_eq!(Bolt::choose(Side::Downstream, &bytes[..2]), Ok(Chosen::Variant(0)));
    let told = Bolt::frame_length(Side::Downstream, &bytes);
    assert_eq!(told, Ok(FrameLength::Known(bytes.len())));
    assert_eq!(Bolt::read(Side::Downstream, bytes.clone()), Ok(request()));
    assert!(Bolt::choose(Side::Downstream, &[1, 9]).is_err());
}

#[test]
fn an_error_reply_has_the_layout_of_a_response() {
    let protocol = Bolt::protocol();
    assert!(protocol.capabilities().error_replies && protocol.capabilities().oneway);
    let mut codec = protocol.codec(&CodecContext::new(Side::Downstream, Limits::default()));
    let mut metadata = Metadata::new();
    codec.decode(wire(&request()), &mut metadata).unwrap();
    assert_eq!((metadata.kind, metadata.request_id), (MessageKind::Request, Some(7)));
    assert_eq!(metadata.body(), "body");
    let mut out = BytesMut::new();
    let error = Error::new(ErrorKind::Timeout, "too late");
    codec.on_error(&RequestHead::of(&metadata), &error, &mut out).unwrap();
    let reply = Bolt::read(Side::Upstream, out.clone().freeze()).unwrap();
    let Bolt::Response(reply) = reply else { panic!("{reply:?}") };
    assert_eq!((reply.id, reply.status, reply.codec, reply.command), (7, 7, 11, 2));
    assert_eq!(reply.body, "too late");
    let mut upstream = protocol.codec(&CodecContext::new(Side::Upstream, Limits::default()));
    metadata.clear();
    upstream.decode(out.freeze(), &mut metadata).unwrap();
    assert_eq!(metadata.kind, MessageKind::Response);
    assert_eq!(metadata.status.unwrap().class, StatusClass::Timeout);
}

/// Two layouts that have the byte that tells them apart as a field of the same name.
#[derive(Debug, Clone, PartialEq, Frame, Codec)]
#[frame(tag = u8)]
#[meta(protocol = "same")]
enum Same {
    #[frame(tag = 1)]
    Ask(Ask),
    #[frame(tag = 0)]
    Tell(Tell),
}

#[derive(Debug, Clone, PartialEq, Frame, Codec)]
#[frame(fixed)]
#[meta(protocol = "same")]
struct Ask {
    #[meta(kind(1 => Request))]
    ty: u8,
    version: u8,
}

#[derive(Debug, Clone, PartialEq, Frame, Codec)]
#[frame(fixed)]
#[meta(protocol = "same", errors(_ => 9))]
struct Tell {
    ty: u8,
    version: u8,
    #[meta(status(ok = 0))]
    status: u8,
}

#[test]
fn what_tells_the_variants_apart_is_not_taken_over_into_an_answer() {
    let codec = Same::protocol().codec(&CodecContext::new(Side::Downstream, Limits::default()));
    let request = RequestHead::peeked(MessageKind::Request, None, &[1, 5]);
    let mut out = BytesMut::new();
    codec.on_error(&request, &Error::new(ErrorKind::Timeout, ""), &mut out).unwrap();
    assert_eq!(&out[..], [0, 5, 9]);
}
