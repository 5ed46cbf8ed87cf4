//! The protocol as it is documented, byte by byte, and against a reader written by hand.

use metaproto_awesomerpc::AwesomeRpc;
use metaproto_core::{
    Auto, Bytes, BytesMut, Codec, CodecContext, Correlation, Error, ErrorKind, Frame, FrameLength,
    Limits, MessageKind, Metadata, Mutation, Output, PropertyValue, RequestHead, Sharing, Side,
    Status,
};
use proptest::prelude::*;

/// The message of the crate's documentation.
const VECTOR: [u8; 18] = [
    0x01, // version 1
    0x01, 0x02, 0x03, 0x04, // pack_flow
    0x00, 0x00, 0x00, 0x12, // pack_len: 13 + 5
    0xff, 0xf9, // req_cmd -7
    0x00, 0x00, // rsp_code
    0x68, 0x65, 0x6c, 0x6c, 0x6f, // body
];

fn codec(side: Side) -> Box<dyn Codec> {
    AwesomeRpc::protocol().codec(&CodecContext::new(side, Limits::default()))
}

fn decode(side: Side, frame: &[u8]) -> Metadata {
    let mut metadata = Metadata::new();
    let frame = Bytes::copy_from_slice(frame);
    codec(side).decode(frame, &mut metadata).expect("it can be read");
    metadata
}

/// What an expert would write.
fn read_by_hand(frame: &[u8]) -> Option<AwesomeRpc> {
    let (header, body) = frame.split_first_chunk::<13>()?;
    let [version, f0, f1, f2, f3, l0, l1, l2, l3, q0, q1, s0, s1] = *header;
    let pack_len = u32::from_be_bytes([l0, l1, l2, l3]);
    (pack_len as usize == frame.len()).then(|| AwesomeRpc {
        version: i8::from_be_bytes([version]),
        pack_flow: u32::from_be_bytes([f0, f1, f2, f3]),
        pack_len: Auto::new(),
        req_cmd: i16::from_be_bytes([q0, q1]),
        rsp_code: i16::from_be_bytes([s0, s1]),
        body: Bytes::copy_from_slice(body),
    })
}

#[test]
fn the_vector_is_a_request_when_a_client_sends_it() {
    assert_eq!(codec(Side::Downstream).frame_length(&VECTOR[..13]), Ok(FrameLength::Known(18)));
    assert_eq!(codec(Side::Downstream).frame_length(&VECTOR[..8]), Ok(FrameLength::Need(9)));
    let metadata = decode(Side::Downstream, &VECTOR);
    assert_eq!(metadata.kind, MessageKind::Request);
    assert_eq!(metadata.request_id, Some(0x0102_0304));
    assert_eq!(metadata.property("cmd"), Some(PropertyValue::Int(-7)));
    assert_eq!(metadata.operation(), Some(PropertyValue::Int(-7)));
    assert_eq!(metadata.status, None);
    assert_eq!(metadata.body(), "hello");
}

#[test]
fn the_vector_is_a_response_when_a_server_sends_it() {
    let metadata = decode(Side::Upstream, &VECTOR);
    assert_eq!(metadata.kind, MessageKind::Response);
    assert_eq!(metadata.status, Some(Status::ok(0)));
    let mut failed = VECTOR;
    failed[12] = 3;
    assert_eq!(decode(Side::Upstream, &failed).status, Some(Status::application_error(3)));
}

#[test]
fn a_length_below_the_header_is_refused() {
    for len in 0..13 {
        let mut header = VECTOR;
        header[8] = len;
        let error = codec(Side::Downstream).frame_length(&header).unwrap_err();
        assert_eq!(error.to_string(), format!("pack_len: a length of {len} is too small"));
    }
}

#[test]
fn every_error_is_answered_with_a_code_of_its_own() {
    let request = RequestHead::of(&decode(Side::Downstream, &VECTOR));
    for (kind, code) in ErrorKind::ALL.into_iter().zip((-16_i16..=-1).rev()) {
        let mut out = BytesMut::new();
        codec(Side::Downstream).on_error(&request, &Error::new(kind, "why"), &mut out).unwrap();
        let mut expected = VECTOR[..13].to_vec();
        expected[8] = 16;
        expected[11..].copy_from_slice(&code.to_be_bytes());
        expected.extend_from_slice(b"why");
        assert_eq!(out, expected, "{kind}");
        let status = Status { class: kind.status_class(), code: code.into() };
        assert_eq!(decode(Side::Upstream, &out).status, Some(status), "{kind}");
    }
}

#[test]
fn cmd_can_be_set() {
    let mut out = Output::new();
    let mutation = Mutation::new().set("cmd", "258");
    let metadata = decode(Side::Downstream, &VECTOR);
    codec(Side::Downstream).encode(&metadata, &mutation, &mut out).unwrap();
    let mut expected = VECTOR;
    expected[9..11].copy_from_slice(&[1, 2]);
    assert_eq!(out.tail()[..], expected);
}

#[test]
fn many_clients_can_share_a_connection() {
    let capabilities = AwesomeRpc::protocol().capabilities();
    assert_eq!(capabilities.correlation, Correlation::Id { bits: 32 });
    assert_eq!(capabilities.sharing, Sharing::Shared);
    assert!(capabilities.error_replies && !capabilities.oneway && !capabilities.probe);
}

proptest! {
    #[test]
    fn messages_survive_the_wire_and_read_as_by_hand(
        (version, pack_flow, req_cmd, rsp_code) in any::<(i8, u32, i16, i16)>(),
        body: Vec<u8>,
    ) {
        let pack_len = Auto::new();
        let body = body.into();
        let message = AwesomeRpc { version, pack_flow, pack_len, req_cmd, rsp_code, body };
        let mut wire = BytesMut::new();
        message.write(&mut wire).unwrap();
        let by_hand = read_by_hand(&wire);
        prop_assert_eq!(by_hand.as_ref(), Some(&message));
        prop_assert_eq!(AwesomeRpc::read(wire.freeze()), Ok(message));
    }

    #[test]
    fn arbitrary_bytes_read_as_by_hand(header: [u8; 13], body: Vec<u8>, right_length: bool) {
        let mut frame = [&header[..], &body].concat();
        if right_length {
            let len = frame.len() as u32;
            frame[5..9].copy_from_slice(&len.to_be_bytes());
        }
        let by_hand = read_by_hand(&frame);
        prop_assert_eq!(AwesomeRpc::read(frame.into()).ok(), by_hand);
    }
}
