//! Changes of attachments.

use metaproto_core::{Bytes, EncodeError, Metadata, Mutation, Output, Side};

use super::captures;
use super::frames::{
    call, changed, codec, frame, map, property, request, response, texts, two_way,
};

fn refused(metadata: &Metadata, mutation: &Mutation) -> EncodeError {
    let mut out = Output::new();
    let result = codec(Side::Downstream).encode(metadata, mutation, &mut out);
    assert!(out.is_empty());
    result.expect_err("it is refused")
}

#[test]
fn attachments_of_requests_are_set_and_removed() {
    let before = call(b"\x95", "I", &[("group", "blue"), ("tag", "a"), ("x", "y")]);
    let mutation = Mutation::new()
        .set("tag", "canary")
        .set("attachment.new", "n\u{fc}tzlich")
        .remove("GROUP")
        .remove("absent");
    let after = changed(&request(&two_way(&before)), &mutation);
    let expected = call(b"\x95", "I", &[("tag", "canary"), ("x", "y"), ("new", "n\u{fc}tzlich")]);
    assert_eq!(after, two_way(&expected));
}

#[test]
fn later_changes_see_the_earlier_ones() {
    let before = call(&[], "", &[]);
    let mutation = Mutation::new().set("a", "1").set("a", "2").set("b", "3").remove("a");
    let after = changed(&request(&two_way(&before)), &mutation);
    assert_eq!(after, two_way(&call(&[], "", &[("b", "3")])));
}

#[test]
fn a_request_without_attachments_gets_them() {
    let bare = texts(&["2.0.2", "s", "1", "m", ""]);
    for end in [&b""[..], b"N"] {
        let m = request(&two_way(&[&bare, end].concat()));
        let after = changed(&m, &Mutation::new().set("tag", "canary"));
        let expected = [&bare[..], &map(&[("tag", "canary")])].concat();
        assert_eq!(after, two_way(&expected));
    }
}

#[test]
fn results_without_attachments_become_results_with_them() {
    let set = Mutation::new().set("x-proxy", "here");
    let added = map(&[("x-proxy", "here")]);
    for (kind, value) in [(0_u8, &b"\x03bad"[..]), (1, b"\x05hello"), (2, b"")] {
        let m = response(&frame(0x02, 20, 7, &[&[0x90 + kind], value].concat()));
        let after = changed(&m, &set);
        let expected = [&[0x93 + kind], value, &added].concat();
        assert_eq!(after, frame(0x02, 20, 7, &expected));
        assert_eq!(property(&response(&after), "x-proxy").as_deref(), Some("here"));
        assert_eq!(response(&after).status, m.status);
    }
    let with = map(&[("dubbo", "2.0.2")]);
    for (kind, value) in [(3_u8, &b"\x03bad"[..]), (4, b"\x05hello"), (5, b"")] {
        let m = response(&frame(0x02, 20, 7, &[&[0x90 + kind], value, &with].concat()));
        let both = map(&[("dubbo", "2.0.2"), ("x-proxy", "here")]);
        let expected = [&[0x90 + kind], value, &both].concat();
        assert_eq!(changed(&m, &set), frame(0x02, 20, 7, &expected));
    }
}

#[test]
fn a_response_that_tells_of_an_error_has_no_place_for_attachments() {
    let failed = frame(0x02, 80, 7, &texts(&["the server is on fire"]));
    let set = Mutation::new().set("a", "b");
    assert!(matches!(refused(&response(&failed), &set), EncodeError::Unsupported(_)));
}

#[test]
fn an_object_that_others_may_refer_to_stays() {
    // An attachment that is a list, and one that refers to a list.
    let mut body = texts(&["2.0.2", "s", "1", "m", ""]);
    body.push(b'H');
    body.extend([texts(&["list"]), vec![0x79, 0x91], texts(&["again"])].concat());
    body.extend([0x79, 0x51, 0x91]);
    body.extend(texts(&["tag", "a"]));
    body.push(b'Z');
    let m = request(&two_way(&body));
    assert_eq!((m.unread, property(&m, "tag").as_deref()), (None, Some("a")));
    assert!(matches!(refused(&m, &Mutation::new().remove("list")), EncodeError::Unsupported(_)));
    let last = changed(&m, &Mutation::new().remove("again").set("tag", "b"));
    assert_eq!(property(&request(&last), "tag").as_deref(), Some("b"));
    assert_eq!(request(&last).unread, None);
}

#[test]
fn what_cannot_be_changed_is_refused() {
    let m = request(&two_way(&call(&[], "", &[])));
    let verbs = |mutation: &Mutation| match refused(&m, mutation) {
        EncodeError::UnsupportedChange { verb, name } => format!("{verb} {name}"),
        other => panic!("{other}"),
    };
    assert_eq!(verbs(&Mutation::new().set("method", "evil")), "set method");
    assert_eq!(verbs(&Mutation::new().remove("argument.0")), "remove argument.0");
    assert_eq!(verbs(&Mutation::new().append("tag", "x")), "append tag");
    let kryo = request(&frame(0xc8, 0, 7, b"\x01\x02"));
    let set = Mutation::new().set("a", "b");
    assert!(matches!(refused(&kryo, &set), EncodeError::Unsupported(_)));
    let unreadable = request(&two_way(b"\xff"));
    assert!(matches!(refused(&unreadable, &set), EncodeError::Unsupported(_)));
}

#[test]
fn a_large_argument_is_shared() {
    let text = "x".repeat(100_000);
    let frame = two_way(&call(&texts(&[&text]), "Ljava/lang/String;", &[("tag", "a")]));
    let m = request(&frame);
    let mut out = Output::new();
    codec(Side::Downstream).encode(&m, &Mutation::new().set("tag", "b"), &mut out).unwrap();
    let inside = frame.as_ptr_range();
    let shared = out.parts().any(|part| part.len() > 90_000 && inside.contains(&part.as_ptr()));
    assert!(shared, "the argument was copied");
}

#[test]
fn attachments_of_real_peers_are_changed() {
    let mutation = Mutation::new().set("x-metaproto", "\u{1f980}").remove("tenant");
    let mut count = 0;
    for captured in captures::frames() {
        if captured.is_event() || !matches!(captured.serialization(), 2 | 6 | 23) {
            continue;
        }
        let read = if captured.side == Side::Downstream { request } else { response };
        let before = read(&captured.bytes);
        let is_call = before.status.is_none_or(|status| status.code == 20);
        if before.unread.is_some() || !is_call {
            continue;
        }
        let after = read(&changed(&before, &mutation));
        assert_eq!(after.unread, None, "{}", captured.name);
        assert_eq!(
            property(&after, "x-metaproto").as_deref(),
            Some("\u{1f980}"),
            "{}",
            captured.name
        );
        let rest = |m: &Metadata| {
            let all = m
                .properties()
                .map(|(name, value)| (name.into_owned(), value.to_text().into_owned()));
            let other = |name: &str| !name.ends_with("x-metaproto") && !name.ends_with("tenant");
            all.filter(|(name, _)| other(name)).collect::<Vec<_>>()
        };
        assert_eq!(rest(&after), rest(&before), "{}", captured.name);
        assert_eq!((after.request_id, after.kind), (before.request_id, before.kind));
        count += 1;
    }
    assert!(count >= 80, "{count}");
}

#[test]
fn nothing_to_change_is_the_same_frame() {
    let whole: Bytes = two_way(&call(&[], "", &[]));
    assert_eq!(changed(&request(&whole), &Mutation::new()), whole);
}
