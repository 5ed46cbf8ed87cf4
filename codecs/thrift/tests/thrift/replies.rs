//! Answers of the proxy's own.

use metaproto_core::{BytesMut, Error, ErrorKind, MessageKind, RequestHead, Side, StatusClass};

use super::support::{
    CALL, COMPACT, OLD, codec, framed, property, read_with, response, with_header, with_tt_header,
};

fn reply(request: &[u8], kind: ErrorKind) -> Vec<u8> {
    let mut codec = codec(Side::Downstream);
    let head = RequestHead::of(&read_with(&mut *codec, request));
    let mut out = BytesMut::new();
    codec.on_error(&head, &Error::new(kind, "the reason"), &mut out).expect("there is an answer");
    out.to_vec()
}

#[test]
fn every_error_is_answered_in_the_dialect_of_the_request() {
    for message in [CALL, OLD, COMPACT] {
        let pairs = [("tenant", "blue")];
        let requests = [
            message.to_vec(),
            framed(message),
            with_header(&pairs, message),
            with_tt_header(&pairs, message),
        ];
        for request in requests {
            let asked = super::support::request(&request);
            for kind in ErrorKind::ALL {
                let reply = reply(&request, kind);
                let m = response(&reply);
                assert_eq!(m.kind, MessageKind::Response);
                for name in ["transport", "protocol", "seqid", "method"] {
                    assert_eq!(property(&m, name), property(&asked, name), "{kind}: {name}");
                }
                let status = m.status.expect("it is a response");
                let class = match kind {
                    ErrorKind::RouteNotFound | ErrorKind::ClusterNotFound => StatusClass::NotFound,
                    ErrorKind::BadRequest | ErrorKind::FrameTooLarge => StatusClass::BadRequest,
                    _ => StatusClass::Internal,
                };
                assert_eq!(status.class, class, "{kind}");
            }
        }
    }
}

#[test]
fn an_answer_byte_by_byte() {
    let text = b"timeout: the reason";
    let struct_of =
        [&b"\x0b\x00\x01\x00\x00\x00\x13"[..], text, b"\x08\x00\x02\x00\x00\x00\x06\x00"].concat();
    let message =
        [&b"\x80\x01\x00\x03\x00\x00\x00\x04find\x00\x00\x00\x07"[..], &struct_of].concat();
    assert_eq!(reply(CALL, ErrorKind::Timeout), message);
    assert_eq!(reply(&framed(CALL), ErrorKind::Timeout), framed(&message));
    let compact = [&b"\x82\x61\x07\x04find\x18\x13"[..], text, b"\x15\x0c\x00"].concat();
    assert_eq!(reply(COMPACT, ErrorKind::Timeout), compact);
    let header = with_header(&[("tenant", "blue")], COMPACT);
    assert_eq!(reply(&header, ErrorKind::Timeout), with_header(&[], &compact));
}
