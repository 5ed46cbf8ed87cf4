//! Changes of bodies that are allowed and that few peers write.

use metaproto_core::{Bytes, EncodeError, Metadata, Mutation, Output, Side};

use super::frames::{changed, codec, frame, request, response, texts, two_way};

fn refused(m: &Metadata, mutation: &Mutation) -> bool {
    let mut out = Output::new();
    let result = codec(Side::Downstream).encode(m, mutation, &mut out);
    matches!(result, Err(EncodeError::Unsupported(_)))
}

fn with_attachments(entries: &[u8]) -> Bytes {
    let bare = texts(&["2.0.2", "s", "1", "m", ""]);
    two_way(&[&bare[..], b"H", entries, b"Z"].concat())
}

#[test]
fn a_list_that_a_bare_reference_names_stays() {
    let body = [texts(&["list"]), vec![0x79, 0x91], texts(&["again"]), vec![0x51, 0x91]].concat();
    let m = request(&with_attachments(&body));
    assert_eq!(m.unread, None);
    assert!(refused(&m, &Mutation::new().remove("list")));
    assert!(refused(&m, &Mutation::new().set("list", "x")));
}

#[test]
fn a_list_of_a_name_that_occurs_twice_stays_if_another_stands_between() {
    let body = [
        texts(&["tag"]),
        vec![0x79, 0x91],
        texts(&["other"]),
        vec![0x79, 0x51, 0x91],
        texts(&["TAG"]),
        vec![0x79, 0x91],
    ]
    .concat();
    let m = request(&with_attachments(&body));
    assert_eq!(m.unread, None);
    assert!(refused(&m, &Mutation::new().remove("tag")));
}

#[test]
fn a_key_that_is_no_text_is_not_an_empty_name() {
    let body = [vec![0x91], texts(&["x"]), vec![b'N'], texts(&["y"])].concat();
    let m = request(&with_attachments(&body));
    assert_eq!(m.unread, None);
    let after = changed(&m, &Mutation::new().remove("attachment."));
    assert_eq!(after, m.frame);
    let after = changed(&m, &Mutation::new().set("a", "b"));
    assert_eq!(after, with_attachments(&[body, texts(&["a", "b"])].concat()));
}

#[test]
fn json_without_a_last_line_break_gets_attachments_on_a_line_of_their_own() {
    let before = "\"2.0.2\"\n\"s\"\n\"1\"\n\"m\"\n\"I\"\n5";
    let m = request(&frame(0xc6, 0, 7, before.as_bytes()));
    assert_eq!(m.unread, None);
    let after = changed(&m, &Mutation::new().set("a", "b"));
    let expected = format!("{before}\n{{\"a\":\"b\"}}\n");
    assert_eq!(after, frame(0xc6, 0, 7, expected.as_bytes()));

    let m = response(&frame(0x06, 20, 7, b"1\n\"hi\""));
    let after = changed(&m, &Mutation::new().set("a", "b"));
    assert_eq!(after, frame(0x06, 20, 7, b"4\n\"hi\"\n{\"a\":\"b\"}\n"));
    let m = response(&frame(0x06, 20, 7, b"2"));
    let after = changed(&m, &Mutation::new().set("a", "b"));
    assert_eq!(after, frame(0x06, 20, 7, b"5\n{\"a\":\"b\"}\n"));
    let m = response(&frame(0x06, 20, 7, b"5"));
    let after = changed(&m, &Mutation::new().set("a", "b"));
    assert_eq!(after, frame(0x06, 20, 7, b"5\n{\"a\":\"b\"}\n"));
    let m = request(&frame(0xc6, 0, 7, format!("{before}\nnull").as_bytes()));
    let after = changed(&m, &Mutation::new().set("a", "b"));
    assert_eq!(after, frame(0xc6, 0, 7, expected.as_bytes()));
}

#[test]
fn a_removal_gives_no_attachments_to_what_has_none() {
    let remove = Mutation::new().remove("a");
    for body in [&b"\x91\x05hello"[..], b"\x92"] {
        let m = response(&frame(0x02, 20, 7, body));
        assert_eq!(changed(&m, &remove), m.frame);
    }
    let m = request(&two_way(&texts(&["2.0.2", "s", "1", "m", ""])));
    assert_eq!(changed(&m, &remove), m.frame);
}

#[test]
fn json_that_another_attachment_may_refer_to_stays() {
    let before = "\"2.0.2\"\n\"s\"\n\"1\"\n\"m\"\n\"\"\n";
    let map = r#"{"list":[{}],"tag":"a","again":{"$ref":"$.list[0]"}}"#;
    let m = request(&frame(0xc6, 0, 7, format!("{before}{map}\n").as_bytes()));
    assert!(refused(&m, &Mutation::new().remove("list")));
    let after = changed(&m, &Mutation::new().remove("again").remove("tag"));
    let expected = format!("{before}{{\"list\":[{{}}]}}\n");
    assert_eq!(after, frame(0xc6, 0, 7, expected.as_bytes()));
}
