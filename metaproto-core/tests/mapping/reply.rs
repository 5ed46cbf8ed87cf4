//! What a codec writes by itself.

use metaproto_core::{
    Bytes, BytesMut, Codec, Error, ErrorKind, Frame, MessageKind, RequestHead, Section, Side,
};

use crate::frames::{Flags, Rich, codec, decode, flags, rich, wire};

fn answer(codec: &dyn Codec, request: &RequestHead, kind: ErrorKind, text: &str) -> Bytes {
    let mut out = BytesMut::new();
    codec.on_error(request, &Error::new(kind, text.to_owned()), &mut out).unwrap();
    out.freeze()
}

#[test]
fn what_makes_a_response_follows_from_the_conditions() {
    let codec = codec(&*Flags::protocol(), Side::Downstream);
    let request = RequestHead::of(&decode(&*Flags::protocol(), Side::Downstream, &flags()));
    let reply = Flags::read(answer(&*codec, &request, ErrorKind::Timeout, "late")).unwrap();
    // Not a request, not an event; the rest as it came, but for what `reply` says.
    let body = Bytes::from_static(b"late");
    assert_eq!(reply, Flags { flags: Flags::FLAGS_TWO_WAY | 6, code: 31, body, ..flags() });
}

#[test]
fn pings_and_pongs_follow_from_the_conditions() {
    let protocol = Flags::protocol();
    let codec = codec(&*protocol, Side::Upstream);
    let mut out = BytesMut::new();
    codec.ping(5, &mut out).unwrap();
    let ping = Flags::read(out.split().freeze()).unwrap();
    assert_eq!((ping.flags, ping.id), (Flags::FLAGS_EVENT | Flags::FLAGS_REQUEST, 5));
    let metadata = decode(&*protocol, Side::Upstream, &ping);
    assert_eq!(metadata.kind, MessageKind::Ping);
    codec.pong(&metadata, &mut out).unwrap();
    assert_eq!(Flags::read(out.freeze()).unwrap(), Flags { flags: Flags::FLAGS_EVENT, ..ping });
}

#[test]
fn an_error_reply_has_the_requests_header_and_empty_parts() {
    let protocol = Rich::protocol();
    let codec = codec(&*protocol, Side::Downstream);
    let request = RequestHead::of(&decode(&*protocol, Side::Downstream, &rich()));
    for kind in ErrorKind::ALL {
        let reply = Rich::read(answer(&*codec, &request, kind, "no")).unwrap();
        let expected = Rich {
            flags: Rich::FLAGS_CODED | 2,
            status: -1,
            service: String::new(),
            method: Bytes::new(),
            code: Some(0),
            headers: Section::new(),
            tags: Section::new(),
            body: Bytes::from_static(b"no"),
            ..rich()
        };
        assert_eq!(reply, expected);
    }
}

#[test]
fn a_text_that_is_too_long_is_cut() {
    let protocol = Flags::protocol();
    let codec = codec(&*protocol, Side::Downstream);
    let request = RequestHead::of(&decode(&*protocol, Side::Downstream, &flags()));
    let reply = Flags::read(answer(&*codec, &request, ErrorKind::Denied, &"é".repeat(300)));
    assert_eq!(reply.unwrap().body, "é".repeat(127));
}

#[test]
fn a_pong_carries_what_the_ping_carried_with_checksums_of_its_own() {
    let protocol = Rich::protocol();
    let ping = Rich { flags: 3, code: None, ..rich() };
    let mut out = BytesMut::new();
    let metadata = decode(&*protocol, Side::Downstream, &ping);
    codec(&*protocol, Side::Downstream).pong(&metadata, &mut out).unwrap();
    assert_eq!(Rich::read(out.freeze()).unwrap(), Rich { flags: 4, ..ping });
}

#[test]
fn the_user_can_say_what_makes_a_kind() {
    #[derive(Debug, Clone, PartialEq, Frame, Codec)]
    #[frame(fixed)]
    #[meta(protocol = "made", errors(_ => 1))]
    #[meta(kind(a && b => Oneway, a || b => Request, _ => Response))]
    #[meta(make(Response(a = false, b = false)))]
    struct Made {
        #[frame(bits(a = 0, b = 1, c = 2))]
        flags: u8,
        #[meta(status(ok = 0))]
        code: u8,
    }
    let protocol = Made::protocol();
    let codec = codec(&*protocol, Side::Downstream);
    let request =
        RequestHead::of(&decode(&*protocol, Side::Downstream, &Made { flags: 6, code: 0 }));
    assert_eq!(answer(&*codec, &request, ErrorKind::Timeout, ""), [4, 1][..]);
    let capabilities = protocol.capabilities();
    assert!(capabilities.oneway && capabilities.error_replies && !capabilities.ping);
}

#[test]
fn a_status_can_be_in_bits() {
    #[derive(Debug, Clone, PartialEq, Frame, Codec)]
    #[frame(fixed)]
    #[meta(protocol = "bits", errors(Timeout => 7, _ => 9), status(result, ok = 1))]
    #[meta(reply(note = 3, tail = *b"xy"))]
    struct Bits {
        #[frame(bits(result = 4..=7))]
        code: u16,
        note: i8,
        tail: [u8; 2],
    }
    let protocol = Bits::protocol();
    let request = Bits { code: 0xff0f, note: 0, tail: *b"ab" };
    let head = RequestHead::of(&decode(&*protocol, Side::Downstream, &request));
    let codec = codec(&*protocol, Side::Downstream);
    let reply = answer(&*codec, &head, ErrorKind::Timeout, "");
    assert_eq!(reply, wire(&Bits { code: 0xff7f, note: 3, tail: *b"xy" }));
}
