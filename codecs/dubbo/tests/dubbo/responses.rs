//! What responses say.

use metaproto_core::{Bytes, MessageKind, Side, StatusClass};

use super::captures;
use super::frames::{asked, decoded, frame, map, property, response, texts};

fn answer(status: u8, body: &[u8]) -> Bytes {
    frame(0x02, status, 7, body)
}

/// A type of results, and what may follow it.
type Of = (u8, Vec<u8>);

/// All six.
fn results() -> [Of; 6] {
    let attachments = map(&[("dubbo", "2.0.2"), ("x-id", "9")]);
    let exception = [
        b"C".to_vec(),
        texts(&["org.example.NotFound"]),
        vec![0x91],
        texts(&["detailMessage"]),
        vec![0x60],
        texts(&["no such user"]),
    ]
    .concat();
    let user = [0x05, b'h', b'e', b'l', b'l', b'o'];
    [
        (0, exception.clone()),
        (1, user.to_vec()),
        (2, Vec::new()),
        (3, [exception, attachments.clone()].concat()),
        (4, [user.to_vec(), attachments.clone()].concat()),
        (5, attachments),
    ]
}

fn result(kind: u8, rest: &[u8]) -> Bytes {
    answer(20, &[&[0x90 + kind], rest].concat())
}

#[test]
fn all_six_types_of_results_are_read() {
    for (kind, rest) in results() {
        let m = response(&result(kind, &rest));
        assert_eq!((m.kind, m.unread, m.request_id), (MessageKind::Response, None, Some(7)));
        let class = m.status.unwrap().class;
        let expected = match kind {
            0 | 3 => StatusClass::ApplicationError,
            _ => StatusClass::Ok,
        };
        assert_eq!(class, expected, "type {kind}");
        let attached = property(&m, "x-id");
        assert_eq!(attached.as_deref(), (kind >= 3).then_some("9"), "type {kind}");
    }
}

#[test]
fn values_of_all_kinds_are_passed_over() {
    // A number, null, a list of two, an untyped map: the reference implementation took texts only.
    for value in [&[0xa5][..], b"N", &[0x7a, 0x91, 0x92], b"H\x01a\x91Z", &[0x5b], b"F\x00"] {
        let whole = result(4, &[value, &map(&[("x-id", "9")])].concat());
        let m = response(&whole);
        match value {
            // 0x46, F, is no code of Hessian 2.
            b"F\x00" => assert!(m.unread.is_some()),
            _ => assert_eq!((m.unread, property(&m, "x-id").as_deref()), (None, Some("9"))),
        }
        assert_eq!(m.status.unwrap().class, StatusClass::Ok);
    }
}

#[test]
fn statuses_have_classes() {
    for (status, class) in [
        (20, StatusClass::Ok),
        (25, StatusClass::BadRequest),
        (30, StatusClass::Timeout),
        (31, StatusClass::Timeout),
        (35, StatusClass::Unavailable),
        (40, StatusClass::BadRequest),
        (50, StatusClass::Internal),
        (60, StatusClass::NotFound),
        (70, StatusClass::Internal),
        (80, StatusClass::Internal),
        (90, StatusClass::Internal),
        (100, StatusClass::Overloaded),
        (105, StatusClass::Internal),
        (0, StatusClass::ApplicationError),
        (255, StatusClass::ApplicationError),
    ] {
        let body = if status == 20 { vec![0x92] } else { texts(&["why"]) };
        let m = response(&answer(status, &body));
        let found = m.status.unwrap();
        assert_eq!((found.class, found.code), (class, i64::from(status)));
        assert_eq!(m.unread, None);
    }
}

#[test]
fn a_result_is_not_gone_through_for_nothing() {
    // What follows the type can't be read, and nobody has asked for it.
    let whole = result(3, &[0xff; 9]);
    let m = decoded(&mut *asked(Side::Upstream, &[]), &whole);
    assert_eq!((m.unread, m.status.unwrap().class), (None, StatusClass::ApplicationError));
}

#[test]
fn a_result_that_cannot_be_read_is_no_error() {
    for body in [&b""[..], &[0x9f], b"\x05hello", &[0x94, 0xff]] {
        let m = response(&answer(20, body));
        assert!(m.unread.is_some(), "{body:?}");
        assert_eq!(m.status.unwrap().class, StatusClass::Ok);
    }
}

#[test]
fn bytes_behind_a_result_do_no_harm() {
    let m = response(&result(2, b"N"));
    assert_eq!((m.unread, m.status.unwrap().class), (None, StatusClass::Ok));
}

#[test]
fn results_of_other_serializations_are_left_alone() {
    let m = response(&frame(0x08, 20, 7, b"\x00\x01\x02"));
    assert_eq!((m.unread, m.status.unwrap().class), (None, StatusClass::Ok));
}

#[test]
fn every_response_of_a_real_server_is_read() {
    let mut exceptions = 0;
    let mut count = 0;
    for captured in captures::frames() {
        let is_answer = captured.side == Side::Upstream && !captured.is_event();
        if !is_answer || !matches!(captured.serialization(), 2 | 6 | 23) {
            continue;
        }
        let m = response(&captured.bytes);
        assert_eq!(m.kind, MessageKind::Response, "{}", captured.name);
        // These servers write what they should not: a text for an exception, a null without a type.
        let odd = ["dubbo-remoting/exception", "apache-dubbo-service/"];
        if !odd.iter().any(|odd| captured.name.contains(odd)) {
            assert_eq!(m.unread, None, "{}", captured.name);
        }
        exceptions += u32::from(m.status.unwrap().class == StatusClass::ApplicationError);
        count += 1;
    }
    assert!(count >= 40, "{count}");
    assert!(exceptions >= 1, "no exception among them");
}
