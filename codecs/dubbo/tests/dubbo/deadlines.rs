//! The time that consumers wait, and what is left of it.

use std::time::Duration;

use metaproto_core::{BytesMut, Metadata, Mutation, Output, Side};
use metaproto_dubbo::hessian;

use super::frames::{asked, changed, frame, request, texts, two_way};

const fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

/// A value, and the most milliseconds that fit it.
type Form = (Vec<u8>, u64);

/// A call in Hessian 2 with these attachments, key and value in turn.
fn hessian(attachments: &[&[u8]]) -> Metadata {
    let body = [&texts(&["2.0.2", "s", "1", "m", ""])[..], b"H", &attachments.concat(), b"Z"];
    request(&two_way(&body.concat()))
}

fn number(number: i32) -> Vec<u8> {
    let mut out = BytesMut::new();
    hessian::write_int(number, &mut out);
    out.to_vec()
}

/// What a call says when this much is left for it.
fn left(call: &Metadata, remaining: Duration) -> Option<Duration> {
    let mut whole = call.frame.to_vec();
    let place = call.timeout_place.clone()?;
    let codec = asked(Side::Upstream, &[]);
    codec.set_deadline(&mut whole[place], remaining).expect("it can be written");
    request(&whole.into()).timeout
}

#[test]
fn what_the_consumer_counts_is_what_counts() {
    let (timeout, left) = (&texts(&["timeout"])[..], &texts(&["_TO"])[..]);
    let (three, two) = (&texts(&["3000"])[..], &number(2000)[..]);
    for attachments in [[timeout, three, left, two], [left, two, timeout, three]] {
        let call = hessian(&attachments);
        assert_eq!(call.timeout, Some(ms(2000)));
        let place = call.timeout_place.expect("it stands in the body");
        assert_eq!(call.frame[place], *[left, two].concat());
    }
    // No limit by its count is no count.
    let call = hessian(&[left, &number(0), timeout, three]);
    assert_eq!(call.timeout, Some(ms(3000)));
    assert_eq!(hessian(&[left, three]).timeout, Some(ms(3000)));
}

#[test]
fn what_is_left_is_written_in_the_form_of_what_was_there() {
    let forms: [Form; 10] = [
        (texts(&["3000"]), 9999),
        (texts(&["7"]), 9),
        (vec![0xbf], 47),
        (vec![0xcf, 0xff], 2047),
        (vec![0xd7, 0xff, 0xff], 262_143),
        (number(i32::MAX), 2_147_483_647),
        // Longs.
        (vec![0xe5], 15),
        (vec![0xff, 0xff], 2047),
        (vec![0x3d, 0x00, 0x00], 262_143),
        ([&b"L\0\0\0"[..], &[1, 0, 0, 0, 0]].concat(), u64::MAX >> 1),
    ];
    for (value, most) in forms {
        let call = hessian(&[&texts(&["_TO"]), &value]);
        let own = call.timeout.expect("it has a timeout");
        assert_eq!(left(&call, own), Some(own), "{value:x?}");
        let half = Duration::from_millis(own.as_millis() as u64 / 2);
        assert_eq!(left(&call, half), Some(half), "{value:x?}");
        assert_eq!(left(&call, Duration::ZERO), Some(ms(1)), "{value:x?}");
        assert_eq!(left(&call, Duration::MAX), Some(ms(most)), "{value:x?}");
    }
}

#[test]
fn a_time_in_another_form_is_left_as_it_is() {
    for value in [&texts(&[" 30 "])[..], &texts(&["+30"]), b"S\0\x0230"] {
        let call = hessian(&[&texts(&["timeout"]), value]);
        assert_eq!((call.timeout, call.timeout_place), (Some(ms(30)), None), "{value:x?}");
    }
    let call = hessian(&[&texts(&["timeout"]), &texts(&["soon"])]);
    assert_eq!((call.timeout, call.timeout_place), (None, None));
}

#[test]
fn json_stays_json() {
    let call = |attachments: &str| {
        let lines = format!("\"2.0.2\"\n\"s\"\n\"1\"\n\"m\"\n\"\"\n{attachments}\n");
        request(&frame(0xc6, 0, 7, lines.as_bytes()))
    };
    for (attachments, expected) in [
        (r#"{"timeout":"1000","a":"b"}"#, r#"{"timeout":"0042","a":"b"}"#),
        (r#"{"a":"b", "_TO" : 1000 }"#, r#"{"a":"b", "_TO" :   42 }"#),
    ] {
        let before = call(attachments);
        assert_eq!(before.timeout, Some(ms(1000)));
        let mut whole = before.frame.to_vec();
        let place = before.timeout_place.expect("it can be written");
        asked(Side::Upstream, &[]).set_deadline(&mut whole[place], ms(42)).expect("it can be");
        assert_eq!(whole, call(expected).frame);
        assert_eq!(call(expected).timeout, Some(ms(42)));
    }
}

#[test]
fn what_is_left_is_written_into_jsonb() {
    let block = |value: &[u8]| [&(value.len() as u32).to_be_bytes()[..], value].concat();
    let text = |text: &str| [&[0x49 + text.len() as u8], text.as_bytes()].concat();
    let call = |entries: &[Vec<u8>]| {
        let mut body: Vec<u8> =
            ["2.0.2", "s", "1", "m", ""].iter().flat_map(|own| block(&text(own))).collect();
        body.extend(block(&[&[0xa6][..], &entries.concat(), &[0xa5]].concat()));
        request(&frame(0xd7, 0, 7, &body))
    };
    let values: [Form; 6] = [
        (text("3000"), 9999),
        (vec![0x2a], 47),
        (vec![0x3b, 0xe8], 2047),
        (vec![0x44, 0x27, 0x10], 262_143),
        (vec![0x48, 0, 0x10, 0, 0], 2_147_483_647),
        (vec![0xbe, 0, 0, 0, 0, 0, 0, 0x27, 0x10], u64::MAX >> 1),
    ];
    for (value, most) in values {
        let call = call(&[text("a"), text("b"), text("_TO"), value.clone()]);
        assert_eq!(call.unread, None);
        let own = call.timeout.expect("it has a timeout");
        for (remaining, expected) in
            [(own, own), (Duration::ZERO, ms(1)), (Duration::MAX, ms(most)), (ms(41), ms(41))]
        {
            assert_eq!(left(&call, remaining), Some(expected), "{value:x?}");
        }
    }
}

#[test]
fn a_changed_call_tells_what_is_left_unless_that_was_changed() {
    let entries: [&[u8]; 4] =
        [&texts(&["a"]), &texts(&["b"]), &texts(&["timeout"]), &texts(&["3000"])];
    let call = hessian(&entries);
    let of = |mutation: &Mutation| {
        let mut out = Output::new();
        let codec = asked(Side::Downstream, &[]);
        let place = codec.encode_timed(&call, mutation, &mut out).expect("it can be changed");
        let whole = changed(&call, mutation);
        place.map(|place| whole[place].to_vec())
    };
    let own = Some(texts(&["timeout", "3000"]).to_vec());
    assert_eq!(of(&Mutation::new().set("a", "something longer")), own);
    assert_eq!(of(&Mutation::new().remove("a").set("c", "d")), own);
    assert_eq!(of(&Mutation::new().set("timeout", "3000")), None);
    assert_eq!(of(&Mutation::new().remove("timeout")), None);
}
