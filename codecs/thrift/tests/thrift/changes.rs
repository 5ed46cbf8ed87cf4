//! Changes of headers.

use metaproto_core::{EncodeError, Mutation, Options, Output, Side};
use metaproto_thrift::Thrift;

use super::support::{
    CALL, COMPACT, changed, codec, framed, property, read_with, request, with_header,
    with_tt_header,
};

#[test]
fn headers_are_set_and_removed() {
    let mutation = Mutation::new()
        .set("Tenant", "green")
        .set("header.method", "shown")
        .remove("other")
        .remove("absent");
    for message in [CALL, COMPACT] {
        let before = [("tenant", "blue"), ("other", "x"), ("last", "")];
        let after = [("tenant", "green"), ("last", ""), ("method", "shown")];
        let theader = changed(&with_header(&before, message), &mutation);
        assert_eq!(theader, with_header(&after, message));
        let ttheader = request(&changed(&with_tt_header(&before, message), &mutation));
        for (name, value) in after {
            let name = format!("header.{name}");
            assert_eq!(property(&ttheader, &name).as_deref(), Some(value));
        }
        assert_eq!(property(&ttheader, "other"), None);
        assert_eq!(property(&ttheader, "header.3").as_deref(), Some("me"));
        assert_eq!(property(&ttheader, "argument.1").as_deref(), Some("anna"));
    }
}

#[test]
fn a_message_without_headers_gets_one() {
    let set = Mutation::new().set("tenant", "green");
    let theader = changed(&with_header(&[], CALL), &set);
    assert_eq!(property(&request(&theader), "tenant").as_deref(), Some("green"));
    let ttheader = changed(&with_tt_header(&[], CALL), &set);
    assert_eq!(property(&request(&ttheader), "tenant").as_deref(), Some("green"));
    let none = changed(&theader, &Mutation::new().remove("tenant"));
    assert_eq!(property(&request(&none), "tenant"), None);
}

#[test]
fn what_cannot_be_changed_is_refused() {
    let refused = |bytes: &[u8], mutation: &Mutation| {
        let mut codec = codec(Side::Downstream);
        let metadata = read_with(&mut *codec, bytes);
        let mut out = Output::new();
        let result = codec.encode(&metadata, mutation, &mut out);
        assert!(out.is_empty());
        result.expect_err("it is refused")
    };
    let set = Mutation::new().set("tenant", "x");
    for bytes in [CALL.to_vec(), framed(CALL), COMPACT.to_vec()] {
        assert!(matches!(refused(&bytes, &set), EncodeError::Unsupported(_)));
    }
    let header = with_header(&[], CALL);
    for mutation in [
        Mutation::new().set("method", "x"),
        Mutation::new().remove("argument.1"),
        Mutation::new().append("tenant", "x"),
    ] {
        assert!(matches!(refused(&header, &mutation), EncodeError::UnsupportedChange { .. }));
    }
    let long = Mutation::new().set("tenant", "x".repeat(300_000));
    assert!(matches!(refused(&header, &long), EncodeError::InvalidValue { .. }));
}

#[test]
fn a_transport_without_headers_says_so_when_it_is_configured() {
    let open = |transport: &str| {
        let options = Options::from([("transport".to_owned(), transport.to_owned())]);
        let protocol = Thrift::protocol().configure(&options).expect("an option");
        protocol.capabilities().properties.support("tenant").is_some_and(|support| support.set)
    };
    assert!(open("auto") && open("header") && open("ttheader"));
    assert!(!open("framed") && !open("unframed"));
    let wrong = Options::from([("transport".to_owned(), "smoke".to_owned())]);
    let error = Thrift::protocol().configure(&wrong).expect_err("it is none");
    assert!(error.to_string().contains("ttheader"), "{error}");
}
