//! What requests say.

use std::time::Duration;

use metaproto_core::{MessageKind, Side};
use metaproto_dubbo::hessian;

use super::captures;
use super::frames::{asked, call, decoded, frame, property, request, texts, two_way};

#[test]
fn a_call_is_told_by_its_names() {
    let body = call(&texts(&["anna"]), "Ljava/lang/String;", &[("group", "blue"), ("x-id", "9")]);
    let m = request(&two_way(&body));
    assert_eq!(m.kind, MessageKind::Request);
    assert_eq!((m.request_id, m.header_size, m.unread), (Some(7), 16, None));
    assert_eq!(m.operation().unwrap().to_text(), "org.example.Users/find");
    for (name, value) in [
        ("interface", "org.example.Users"),
        ("method", "find"),
        ("version", "1.2.0"),
        ("dubbo", "2.0.2"),
        ("parameter_types", "Ljava/lang/String;"),
        ("serialization", "hessian2"),
        ("group", "blue"),
        ("X-ID", "9"),
        ("attachment.group", "blue"),
        ("argument.0", "anna"),
    ] {
        assert_eq!(property(&m, name).as_deref(), Some(value), "{name}");
    }
}

#[test]
fn a_call_without_an_answer_is_one_way() {
    let m = request(&frame(0x82, 0, 7, &call(&[], "", &[])));
    assert_eq!(m.kind, MessageKind::Oneway);
    assert_eq!(property(&m, "method").as_deref(), Some("find"));
}

#[test]
fn no_attachment_shadows_what_the_call_says_of_itself() {
    let attachments =
        [("interface", "evil"), ("METHOD", "evil"), ("dubbo", "0"), ("serialization", "none")];
    let m = request(&two_way(&call(&[], "", &attachments)));
    assert_eq!(property(&m, "interface").as_deref(), Some("org.example.Users"));
    assert_eq!(property(&m, "method").as_deref(), Some("find"));
    assert_eq!(property(&m, "serialization").as_deref(), Some("hessian2"));
    assert_eq!(property(&m, "attachment.interface").as_deref(), Some("evil"));
    assert_eq!(property(&m, "attachment.method").as_deref(), Some("evil"));
}

#[test]
fn of_two_attachments_of_one_name_the_last_counts() {
    // As in the map that a provider makes of them.
    let whole = two_way(&call(&[], "", &[("tag", "canary"), ("x", "y"), ("tag", "stable")]));
    let all = request(&whole);
    let some = decoded(&mut *asked(Side::Downstream, &["tag", "attachment.tag"]), &whole);
    for m in [all, some] {
        assert_eq!(property(&m, "tag").as_deref(), Some("stable"));
        assert_eq!(property(&m, "attachment.tag").as_deref(), Some("stable"));
    }
}

#[test]
fn missing_names_are_missing_properties() {
    let mut body = texts(&["2.0.2", "org.example.Users"]);
    body.push(b'N');
    body.extend(texts(&["find"]));
    body.push(b'N');
    let m = request(&two_way(&body));
    assert_eq!(property(&m, "version"), None);
    assert_eq!(property(&m, "parameter_types"), None);
    assert_eq!(m.unread, None, "a call without arguments needs no attachments");
}

#[test]
fn the_timeout_of_the_client_is_the_deadline() {
    let with = |value: &[u8]| {
        let mut body = texts(&["2.0.2", "s", "1", "m", ""]);
        body.push(b'H');
        body.extend(texts(&["timeout"]));
        body.extend(value);
        body.push(b'Z');
        request(&two_way(&body)).timeout
    };
    let mut number = metaproto_core::BytesMut::new();
    hessian::write_int(2500, &mut number);
    assert_eq!(with(&number), Some(Duration::from_millis(2500)));
    assert_eq!(with(&texts(&["3000"])), Some(Duration::from_secs(3)));
    assert_eq!(with(&texts(&["-1"])), None);
    assert_eq!(with(b"N"), None);
    let body = call(&[], "", &[("timeout", "3000")]);
    let m = decoded(&mut *asked(Side::Downstream, &[]), &two_way(&body));
    assert_eq!(m.timeout, None, "the option client_timeout: ignore");
}

#[test]
fn what_nobody_asks_for_is_not_read() {
    let body = call(&texts(&["anna"]), "Ljava/lang/String;", &[("group", "blue"), ("tag", "x")]);
    let whole = two_way(&body);
    let m = decoded(&mut *asked(Side::Downstream, &["method", "tag"]), &whole);
    let names: Vec<_> = m.properties().map(|(name, _)| name.into_owned()).collect();
    assert_eq!(names, ["method", "tag"]);
    assert_eq!(m.operation().unwrap().to_text(), "org.example.Users/find");

    // Behind the method there is nothing that can be read: nobody notices.
    let cut = texts(&["2.0.2", "org.example.Users", "1.2.0", "find"]);
    let cut = two_way(&[&cut[..], &[0xff; 40]].concat());
    let m = decoded(&mut *asked(Side::Downstream, &["interface", "method", "version"]), &cut);
    assert_eq!((m.unread, property(&m, "version").as_deref()), (None, Some("1.2.0")));
    let m = decoded(&mut *asked(Side::Downstream, &["attachment.tag"]), &cut);
    assert!(m.unread.is_some());
}

#[test]
fn arguments_are_shown_when_they_are_texts_or_whole_numbers() {
    let mut body = texts(&["2.0.2", "s", "1", "m", "Ljava/lang/String;IZ[Ljava/lang/Object;"]);
    body.extend(texts(&["anna"]));
    body.extend([0x95, b'T', 0x78]); // 5, true, an empty list
    body.extend(b"HZ");
    let m = request(&two_way(&body));
    assert_eq!(m.unread, None);
    assert_eq!(property(&m, "argument.0").as_deref(), Some("anna"));
    assert_eq!(m.property("argument.1").unwrap().as_int(), Some(5));
    assert_eq!(property(&m, "argument.2"), None);
    assert_eq!(property(&m, "argument.3"), None);
    let m = decoded(&mut *asked(Side::Downstream, &["argument.1"]), &two_way(&body));
    let names: Vec<_> = m.properties().map(|(name, _)| name.into_owned()).collect();
    assert_eq!(names, ["argument.1"]);
}

#[test]
fn no_attachment_passes_for_an_argument_or_for_another_attachment() {
    let attachments =
        [("argument.0", "evil"), ("attachment.interface", "evil"), ("interface", "true")];
    let body = call(b"T", "Z", &attachments);
    let m = request(&two_way(&body));
    assert_eq!(property(&m, "argument.0"), None);
    assert_eq!(property(&m, "attachment.interface").as_deref(), Some("true"));
    assert_eq!(property(&m, "attachment.argument.0").as_deref(), Some("evil"));
    assert_eq!(property(&m, "attachment.attachment.interface").as_deref(), Some("evil"));
    let names = ["argument.0", "attachment.interface", "attachment.attachment.interface"];
    let m = decoded(&mut *asked(Side::Downstream, &names), &two_way(&body));
    assert_eq!(property(&m, "argument.0"), None);
    assert_eq!(property(&m, "attachment.interface").as_deref(), Some("true"));
    assert_eq!(property(&m, "attachment.attachment.interface").as_deref(), Some("evil"));
}

#[test]
fn arguments_behind_the_last_that_is_asked_for_are_not_read() {
    let mut body = texts(&["2.0.2", "s", "1", "m", "Ljava/lang/String;I", "anna"]);
    body.push(0xff);
    let m = decoded(&mut *asked(Side::Downstream, &["argument.0"]), &two_way(&body));
    assert_eq!((m.unread, property(&m, "argument.0").as_deref()), (None, Some("anna")));
}

#[test]
fn a_body_that_cannot_be_read_is_no_error() {
    for body in [&b""[..], b"\xff\xff", b"\x052.0.2", b"\x05"] {
        let m = request(&two_way(body));
        assert!(m.unread.is_some(), "{body:?}");
        assert_eq!((m.kind, m.request_id), (MessageKind::Request, Some(7)));
    }
    let wrong_types = texts(&["2.0.2", "s", "1", "m", "Ljava/lang/String"]);
    let m = request(&two_way(&wrong_types));
    assert!(m.unread.is_some());
    assert_eq!(m.operation().unwrap().to_text(), "s/m", "what was read stays of use");
}

#[test]
fn other_serializations_are_told_by_their_names_and_left_alone() {
    for (id, name) in [(8, "kryo"), (9, "fst"), (22, "protobuf"), (27, "msgpack"), (31, "31")] {
        let m = request(&frame(0xc0 | id, 0, 7, b"\x01\x02\x03"));
        assert_eq!(property(&m, "serialization").as_deref(), Some(name));
        assert_eq!((m.kind, m.unread, m.properties().count()), (MessageKind::Request, None, 1));
    }
}

#[test]
fn every_request_of_a_real_client_is_read() {
    let mut count = 0;
    for captured in captures::frames() {
        let is_call = captured.side == Side::Downstream && !captured.is_event();
        if !is_call || !matches!(captured.serialization(), 2 | 6 | 23) {
            continue;
        }
        let m = request(&captured.bytes);
        assert_eq!(m.unread, None, "{}", captured.name);
        for name in ["interface", "method", "dubbo", "serialization"] {
            assert!(property(&m, name).is_some(), "{}: {name}", captured.name);
        }
        let interface = property(&m, "interface").unwrap_or_default();
        let attached = property(&m, "attachment.interface");
        if let Some(attached) = attached.filter(|_| !captured.name.contains("attachments")) {
            assert_eq!(attached, interface, "{}", captured.name);
        }
        count += 1;
    }
    assert!(count >= 40, "{count}");
}

#[test]
fn attachments_in_other_scripts_are_read() {
    let frames = captures::of("dubbo2.js--dubbo-remoting/attachments.hex");
    let m = request(&frames[0].bytes);
    assert_eq!(property(&m, "\u{952e}").as_deref(), Some("\u{503c}"));
    assert_eq!(property(&m, "trace-id").as_deref(), Some("abc-123"));
    assert_eq!(m.timeout, Some(Duration::from_millis(8000)), "an int, not a text");
}
