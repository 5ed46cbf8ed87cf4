//! Bodies that are not in Hessian 2.

use std::time::Duration;

use metaproto_core::{Bytes, Mutation, StatusClass};

use super::captures::unhex;
use super::frames::{changed, frame, property, request, response};

fn json(lines: &[&str]) -> Bytes {
    let body: String = lines.iter().flat_map(|line| [line, "\n"]).collect();
    frame(0xc6, 0, 7, body.as_bytes())
}

const CALL: [&str; 7] = [
    r#""2.0.2""#,
    r#""org.example.Users""#,
    r#""1.2.0""#,
    r#""find""#,
    r#""Ljava/lang/String;I""#,
    r#""anna \"b\"""#,
    "5",
];

#[test]
fn a_call_in_json_is_told_by_its_names() {
    let attachments = r#"{"tag":"a","n\u00e9":"\u00fc","timeout":"250", "deep":{"a":[1,{"b":2}]}}"#;
    let lines: Vec<&str> = CALL.into_iter().chain([attachments]).collect();
    let m = request(&json(&lines));
    assert_eq!(m.unread, None);
    assert_eq!(m.operation().unwrap().to_text(), "org.example.Users/find");
    for (name, value) in [
        ("serialization", "fastjson"),
        ("version", "1.2.0"),
        ("argument.0", "anna \"b\""),
        ("argument.1", "5"),
        ("tag", "a"),
        ("n\u{e9}", "\u{fc}"),
        ("attachment.tag", "a"),
    ] {
        assert_eq!(property(&m, name).as_deref(), Some(value), "{name}");
    }
    assert_eq!(property(&m, "deep"), None);
    assert_eq!(m.timeout, Some(Duration::from_millis(250)));

    let after = changed(&m, &Mutation::new().set("tag", "b\n").remove("timeout").set("new", "c"));
    let expected = r#"{"tag":"b\n","n\u00e9":"\u00fc","deep":{"a":[1,{"b":2}]},"new":"c"}"#;
    let lines: Vec<&str> = CALL.into_iter().chain([expected]).collect();
    assert_eq!(after, json(&lines));
}

#[test]
fn results_in_json_are_read_and_changed() {
    let of = |lines: &str| frame(0x06, 20, 7, lines.as_bytes());
    for (lines, is_exception) in [
        ("1\n{\"name\":\"anna\"}\n", false),
        ("2\n", false),
        ("0\n{\"message\":\"no\"}\n", true),
        ("4\n[1]\n{\"dubbo\":\"2.0.2\"}\n", false),
    ] {
        let m = response(&of(lines));
        assert_eq!(m.unread, None, "{lines}");
        let class = m.status.unwrap().class;
        assert_eq!(class == StatusClass::ApplicationError, is_exception, "{lines}");
        let after = response(&changed(&m, &Mutation::new().set("x", "y")));
        assert_eq!((after.unread, property(&after, "x").as_deref()), (None, Some("y")), "{lines}");
    }
    let m = response(&of("1\n\"hi\"\n"));
    let after = changed(&m, &Mutation::new().set("x", "y"));
    assert_eq!(after, of("4\n\"hi\"\n{\"x\":\"y\"}\n"));
}

#[test]
fn json_that_is_none_is_forwarded() {
    for lines in [&["2.0.2"][..], &["\"2.0.2\"", "\"s"], &["\"2.0.2\"", "5"], &["\u{0}"]] {
        assert!(request(&json(lines)).unread.is_some(), "{lines:?}");
    }
    let lines: Vec<&str> = CALL.into_iter().chain(["{\"a\":"]).collect();
    assert!(request(&json(&lines)).unread.is_some());
    let deep = format!("{{\"a\":{}1{}}}", "[".repeat(5000), "]".repeat(5000));
    let lines: Vec<&str> = CALL.into_iter().chain([deep.as_str()]).collect();
    let m = request(&json(&lines));
    assert_eq!(property(&m, "method").as_deref(), Some("find"));
}

/// Values in JSONB, each with its length in front.
fn jsonb(values: &[&[u8]]) -> Vec<u8> {
    let one = |value: &&[u8]| {
        let len = u32::try_from(value.len()).expect("short").to_be_bytes();
        [&len[..], value].concat()
    };
    values.iter().flat_map(one).collect()
}

#[test]
fn a_call_in_jsonb_is_told_by_its_names() {
    let long = [&[0x79, 0x38, 60][..], &[b'x'; 60]].concat();
    let map = [
        &[0xa6][..],
        b"\x4ctag\x4aa",
        b"\x50timeout\x38\xfa",
        &[0x4a, b'l'],
        &long,
        b"\x4cutf\x7a\x02\xc3\xbc",
        b"\x4cu16\x7c\x02\xfc\x00",
        b"\x4dlist\x96\x01\xa6\x4aa\xaf\xa5",
        &[0xa5],
    ]
    .concat();
    let values: [&[u8]; 8] =
        [b"\x4e2.0.2", b"\x4as", b"\x4a1", b"\x4am", b"\x4bIJ", b"\x07", b"\xd0\x23", &map];
    let whole = frame(0xd7, 0, 7, &jsonb(&values));
    let m = request(&whole);
    assert_eq!(m.unread, None);
    for (name, value) in [
        ("serialization", "fastjson2"),
        ("interface", "s"),
        ("method", "m"),
        ("argument.0", "7"),
        ("argument.1", "35"),
        ("tag", "a"),
        ("utf", "\u{fc}"),
        ("u16", "\u{fc}"),
        ("l", "x".repeat(60).as_str()),
    ] {
        assert_eq!(property(&m, name).as_deref(), Some(value), "{name}");
    }
    assert_eq!(m.timeout, Some(Duration::from_millis(250)));
    assert_eq!(property(&m, "list"), None);

    let after = changed(&m, &Mutation::new().remove("l").remove("list").set("tag", "\u{1f980}"));
    let after = request(&after);
    assert_eq!((after.unread, property(&after, "l")), (None, None));
    assert_eq!(property(&after, "tag").as_deref(), Some("\u{1f980}"));
    assert_eq!(property(&after, "utf").as_deref(), Some("\u{fc}"));
}

#[test]
fn attachments_of_all_types_that_fastjson2_writes_are_passed_over() {
    let mut shown = 0;
    let lines = include_str!("../golden/fastjson2-values.txt").lines();
    for line in lines.filter(|line| !line.starts_with('#')) {
        let map = unhex(line);
        let values: [&[u8]; 6] = [b"\x4e2.0.2", b"\x4as", b"\x4a1", b"\x4am", b"\x49", &map];
        let m = request(&frame(0xd7, 0, 7, &jsonb(&values)));
        assert_eq!(m.unread, None, "{line}");
        shown += usize::from(m.property("k").is_some());
        let after = request(&changed(&m, &Mutation::new().set("tag", "a")));
        assert_eq!((after.unread, property(&after, "k")), (None, property(&m, "k")), "{line}");
        let cut: [&[u8]; 6] = [&values[..5], &[&map[..map.len() - 1]]].concat().try_into().unwrap();
        assert!(request(&frame(0xd7, 0, 7, &jsonb(&cut))).unread.is_some(), "{line}");
    }
    assert!(shown > 35, "{shown} texts and numbers");
}

#[test]
fn results_in_jsonb_are_read_and_changed() {
    let of = |values: &[&[u8]]| frame(0x17, 20, 7, &jsonb(values));
    for (values, is_exception) in [
        (&[&[0xbd, 1][..], b"\x4bhi"][..], false),
        (&[&[0x01], b"\x4bhi"], false),
        (&[&[0xbd, 2]], false),
        (&[&[0xbd, 0], b"\xa6\xa5"], true),
        (&[&[0xbd, 5], b"\xa6\x4aa\x4ab\xa5"], false),
    ] {
        let m = response(&of(values));
        assert_eq!(m.unread, None, "{values:?}");
        let class = m.status.unwrap().class;
        assert_eq!(class == StatusClass::ApplicationError, is_exception, "{values:?}");
        let after = response(&changed(&m, &Mutation::new().set("x", "y")));
        assert_eq!((after.unread, property(&after, "x").as_deref()), (None, Some("y")));
    }
}

#[test]
fn jsonb_that_is_none_is_forwarded() {
    let deep = [&[0xa6, 0x4a, b'a'][..], &[0x95; 5000], &[0xaf, 0xa5]].concat();
    let counted = [&[0xa6, 0x4a, b'a', 0xa4, 0x48, 0x7f, 0xff, 0xff, 0xff][..], &[0xa5]].concat();
    let empty: &[u8] = b"";
    for map in [&deep[..], &counted, b"\xa6", b"\xa6\x4aa", b"\x8f", b"\xa6\x4aa\x8f\xa5", empty] {
        let values: [&[u8]; 6] = [b"\x4e2.0.2", b"\x4as", b"\x4a1", b"\x4am", b"\x49", map];
        let m = request(&frame(0xd7, 0, 7, &jsonb(&values)));
        assert!(m.unread.is_some(), "{} bytes", map.len());
        assert_eq!(property(&m, "method").as_deref(), Some("m"));
    }
    assert!(request(&frame(0xd7, 0, 7, &[0xff; 8])).unread.is_some());
}
