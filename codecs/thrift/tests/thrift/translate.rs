//! Messages of one dialect for peers of another.

use metaproto_core::{
    Bytes, Codec, CodecContext, EncodeError, Limits, MessageKind, Metadata, Options, Output,
    RequestHead, Side,
};
use metaproto_thrift::Thrift;

use super::support::{
    CALL, COMPACT, OLD, deflated, framed, property, read_with, request, response, with_header,
    with_tt_header,
};

const RESULT: &[u8] =
    b"\x80\x01\x00\x02\x00\x00\x00\x04find\x00\x00\x00\x63\x0b\x00\x00\x00\x00\x00\x02hi\x00";
const COMPACT_RESULT: &[u8] = b"\x82\x41\x63\x04find\x08\x00\x02hi\x00";

/// A codec for servers of this dialect.
fn upstream(transport: &str, protocol: &str) -> Box<dyn Codec> {
    let option = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let options = Options::from([option("transport", transport), option("protocol", protocol)]);
    let protocol = Thrift::protocol().configure(&options).expect("there is such a dialect");
    protocol.codec(&CodecContext::new(Side::Upstream, Limits::default()))
}

fn downstream() -> Box<dyn Codec> {
    Thrift::protocol().codec(&CodecContext::new(Side::Downstream, Limits::default()))
}

fn bytes(output: &Output) -> Vec<u8> {
    output.parts().flat_map(|part| part.to_vec()).collect()
}

fn to_server(transport: &str, protocol: &str, message: &[u8], id: Option<u64>) -> Vec<u8> {
    let mut out = Output::new();
    let mut codec = upstream(transport, protocol);
    codec
        .translate_request(&Bytes::copy_from_slice(message), id, None, &mut out)
        .expect("it can be");
    bytes(&out)
}

fn to_client(call: &[u8], answer: &[u8]) -> Vec<u8> {
    let mut codec = downstream();
    let head = RequestHead::of(&read_with(&mut *codec, call));
    let mut out = Output::new();
    codec.translate_response(&Bytes::copy_from_slice(answer), &head, &mut out).expect("it can be");
    bytes(&out)
}

/// A transport, a protocol, and a call.
type Spoken = (&'static str, &'static str, Vec<u8>);

/// The same call in all dialects.
fn dialects() -> Vec<Spoken> {
    let mut all = Vec::new();
    for (protocol, call) in [("binary", CALL), ("old-binary", OLD), ("compact", COMPACT)] {
        all.push(("unframed", protocol, call.to_vec()));
        all.push(("framed", protocol, framed(call)));
        all.push(("header", protocol, with_header(&[], call)));
        // Without the number that this one has for a name.
        let plain = [b"\x10\x00\x00\x00\x00\x00\x00\x07\x00\x01\x00\x00\x00\x00", call].concat();
        let mut plain = framed(&plain);
        plain[14] = if protocol == "compact" { 2 } else { 0 };
        all.push(("ttheader", protocol, plain));
    }
    all
}

#[test]
fn a_call_in_any_dialect_reaches_servers_of_any_other() {
    for (_, _, call) in dialects() {
        for (transport, protocol, expected) in dialects() {
            let got = to_server(transport, protocol, &call, None);
            assert_eq!(got, expected, "{call:02x?} for {transport} {protocol}");
        }
    }
}

#[test]
fn an_answer_comes_in_the_dialect_of_its_call() {
    let carriers = [RESULT, COMPACT_RESULT].map(|result| {
        [result.to_vec(), framed(result), with_header(&[], result), with_tt_header(&[], result)]
    });
    for (transport, protocol, call) in dialects() {
        for answer in carriers.iter().flatten() {
            let got = response(&to_client(&call, answer));
            let text = |name: &str| property(&got, name).unwrap_or_default();
            assert_eq!(text("transport"), transport, "{answer:02x?}");
            match protocol {
                // Clients of old read what has a version, too.
                "old-binary" => assert!(text("protocol").ends_with("binary")),
                protocol => assert_eq!(text("protocol"), protocol),
            }
            assert_eq!((text("method"), text("seqid")), ("find".into(), "7".into()));
            assert_eq!(got.status.map(|status| status.code), Some(0));
        }
    }
}

#[test]
fn headers_go_along_where_there_is_a_place_for_them() {
    let pairs = [("tenant", "blue"), ("trace", "")];
    let theader = with_header(&pairs, CALL);
    let ttheader = with_tt_header(&pairs, CALL);
    for (transport, message) in [("ttheader", &theader), ("header", &ttheader)] {
        for protocol in ["binary", "compact"] {
            let got = request(&to_server(transport, protocol, message, Some(99)));
            for (name, value) in pairs {
                assert_eq!(property(&got, name).as_deref(), Some(value), "{transport}");
            }
            assert_eq!(property(&got, "seqid").as_deref(), Some("99"));
            assert_eq!(property(&got, "3"), None);
        }
    }
    // Where nothing but the encoding differs, all of the header stays.
    let same = request(&to_server("ttheader", "compact", &ttheader, Some(99)));
    assert_eq!(property(&same, "3").as_deref(), Some("me"));
    assert_eq!(&same.frame[8..12], &99_u32.to_be_bytes());
    assert_eq!(to_server("framed", "auto", &theader, None), framed(CALL));
}

#[test]
fn a_length_behind_the_header_comes_and_goes() {
    let plain = to_server("ttheader", "auto", &framed(CALL), None);
    let within = to_server("ttheader-framed", "auto", &framed(CALL), None);
    assert_eq!(within.len(), plain.len() + 4);
    for (transport, expected) in [("ttheader", &plain), ("ttheader-framed", &within)] {
        for call in [&plain, &within] {
            assert_eq!(&to_server(transport, "auto", call, None), expected);
        }
    }
    // An answer that comes without has it if its call did.
    let answers = [&plain, &within].map(|call| to_client(call, &framed(RESULT)).len());
    assert_eq!(answers[1], answers[0] + 4);
}

#[test]
fn an_answer_is_compressed_only_if_its_call_was() {
    let call = with_header(&[("a", "b")], CALL);
    let zlib = |message: &[u8]| {
        let mut out = Output::new();
        let head = RequestHead::of(&read_with(&mut *downstream(), &deflated(COMPACT)));
        let frame = Bytes::copy_from_slice(message);
        downstream().translate_response(&frame, &head, &mut out).expect("it can be");
        bytes(&out)
    };
    let answer = zlib(&framed(RESULT));
    let read = response(&answer);
    assert_eq!(property(&read, "protocol").as_deref(), Some("compact"));
    assert!(!answer.windows(4).any(|window| window == b"find"), "{answer:02x?}");
    // Plain for one that was plain, with all else as it was.
    let plain = to_client(&call, &answer);
    assert!(plain.windows(4).any(|window| window == b"find"), "{plain:02x?}");
    assert_eq!(property(&response(&plain), "transport").as_deref(), Some("header"));
    let expected = to_client(&framed(CALL), &framed(RESULT));
    assert_eq!(to_client(&framed(CALL), &answer), expected);
    // What comes plain stays so.
    assert!(zlib(&with_header(&[], RESULT)).windows(4).any(|window| window == b"find"));
}

#[test]
fn a_message_that_is_too_large_once_decompressed_is_refused() {
    let large = Bytes::from(deflated(&[COMPACT, &vec![0; 50_000_000]].concat()));
    let mut out = Output::new();
    let refused = upstream("framed", "auto").translate_request(&large, None, None, &mut out);
    assert!(refused.is_err() && out.is_empty());
}

#[test]
fn an_id_is_given_and_taken_back_in_every_dialect() {
    for (transport, _, call) in dialects().into_iter().filter(|(name, ..)| *name != "unframed") {
        for id in [1, 127, 128, 70_000, u64::from(u32::MAX)] {
            let up = to_server(transport, "auto", &call, Some(id));
            let read = read_with(&mut *downstream(), &up);
            let seqid = u32::try_from(id).expect("fits").cast_signed().to_string();
            assert_eq!(property(&read, "seqid"), Some(seqid));
            assert_eq!(to_server(transport, "auto", &up, Some(7)), call);
        }
    }
}

#[test]
fn what_is_in_the_dialect_already_is_not_written_anew() {
    for (transport, protocol, call) in dialects() {
        let frame = Bytes::from([&call[..], &[0; Output::SHARE_MIN]].concat()).slice(..call.len());
        for (transport, protocol) in [(transport, protocol), ("auto", "auto")] {
            let mut out = Output::new();
            upstream(transport, protocol)
                .translate_request(&frame, None, None, &mut out)
                .expect("it is");
            assert_eq!(bytes(&out), call);
        }
    }
}

#[test]
fn a_large_body_is_shared() {
    let mut message = CALL[..CALL.len() - 1].to_vec();
    let text = vec![b'x'; 100_000];
    message.extend_from_slice(b"\x0b\x00\x04");
    message.extend_from_slice(&u32::try_from(text.len()).expect("fits").to_be_bytes());
    message.extend_from_slice(&text);
    message.push(0);
    let frame = Bytes::from(framed(&message));
    for (transport, id) in [("unframed", None), ("framed", Some(5)), ("header", Some(5))] {
        let mut out = Output::new();
        upstream(transport, "auto")
            .translate_request(&frame, id, None, &mut out)
            .expect("it can be");
        let shared = out.parts().any(|part| {
            let start = frame.as_ptr() as usize;
            (start..start + frame.len()).contains(&(part.as_ptr() as usize))
        });
        assert!(shared, "{transport}");
        let read = read_with(&mut *downstream(), &bytes(&out));
        assert_eq!(read.kind, MessageKind::Request);
    }
}

#[test]
fn what_cannot_be_read_is_refused_and_leaves_nothing() {
    let cut = framed(&CALL[..CALL.len() - 5]);
    let mut out = Output::new();
    let error = upstream("framed", "compact")
        .translate_request(&Bytes::from(cut), None, None, &mut out)
        .expect_err("its end is missing");
    assert!(matches!(error, EncodeError::InvalidValue { .. }), "{error}");
    assert!(out.is_empty());
    let head = RequestHead::of(&Metadata::new());
    let answer = Bytes::from(framed(RESULT));
    downstream().translate_response(&answer, &head, &mut out).expect_err("to no request");
    assert!(out.is_empty());
}
