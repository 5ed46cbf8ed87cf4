//! What is changed on the way.

use metaproto_core::{Bytes, Codec, Frame, Mutation, MutationSupport, Output, Section, Side};

use crate::frames::{
    Flags, HESSIAN, Rich, Sealed, codec, decode, flags, properties, rich, sealed, section, wire,
};

/// The frame as it is sent on after these changes.
fn changed<F>(codec: &dyn Codec, frame: &F, side: Side, mutation: &Mutation) -> Bytes
where
    F: Frame + metaproto_core::frame::Message,
{
    let protocol = metaproto_core::frame::Derived::<F>::new();
    let metadata = decode(&protocol, side, frame);
    let mut out = Output::new();
    codec.encode(&metadata, mutation, &mut out).unwrap();
    out.parts().flatten().collect::<Vec<u8>>().into()
}

fn rich_after(mutation: &Mutation) -> Rich {
    let codec = codec(&*Rich::protocol(), Side::Downstream);
    Rich::read(changed(&*codec, &rich(), Side::Downstream, mutation)).unwrap()
}

fn refused(mutation: &Mutation) -> String {
    let protocol = Rich::protocol();
    let metadata = decode(&*protocol, Side::Downstream, &rich());
    let mut out = Output::new();
    out.copy(b"before");
    let error = codec(&*protocol, Side::Downstream).encode(&metadata, mutation, &mut out);
    assert_eq!(&out.tail()[..], b"before");
    error.unwrap_err().to_string()
}

#[test]
fn an_empty_mutation_changes_nothing() {
    let codec = codec(&*Rich::protocol(), Side::Downstream);
    let same = changed(&*codec, &rich(), Side::Downstream, &Mutation::new());
    assert_eq!(same, wire(&rich()));
}

#[test]
fn bits_and_named_values_can_be_set() {
    let codec = codec(&*Flags::protocol(), Side::Downstream);
    let mutation = Mutation::new().set("Serialization", "JSON").set("urgent", "true");
    let bytes = changed(&*codec, &flags(), Side::Downstream, &mutation);
    let read = Flags::read(bytes).unwrap();
    assert_eq!(read, Flags { flags: flags().flags & !HESSIAN | 6, marks: 0x84, ..flags() });
    let bytes =
        changed(&*codec, &flags(), Side::Downstream, &Mutation::new().set("serialization", "31"));
    assert_eq!(Flags::read(bytes).unwrap().serialization(), 31);
}

#[test]
fn parts_can_be_set_and_their_lengths_follow() {
    let mutation =
        Mutation::new().set("service", "a longer name").set("method", "").set("code", "ONE");
    let expected =
        Rich { service: "a longer name".to_owned(), method: Bytes::new(), code: Some(1), ..rich() };
    assert_eq!(rich_after(&mutation), expected);
}

#[test]
fn entries_can_be_set_appended_and_removed() {
    let mutation = Mutation::new()
        .set("trace", "22")
        .append("user", "u")
        .append("user", "v")
        .set("tag.tenant", "t")
        .append("TAG.zone", "z")
        .remove("tag.tenant");
    let read = rich_after(&mutation);
    let headers = [
        ("trace", "22"),
        ("Method", "hidden"),
        ("tag.zone", "hidden too"),
        ("user", "u"),
        ("user", "v"),
    ];
    assert_eq!(read.headers, section(&headers));
    assert_eq!(read.tags, section(&[("zone", "z")]));
    assert_eq!(read.body, "hello");
}

#[test]
fn what_can_not_be_changed_says_so_and_leaves_no_trace() {
    assert_eq!(
        refused(&Mutation::new().remove("service")),
        "this protocol can't remove the property \"service\""
    );
    assert_eq!(
        refused(&Mutation::new().set("tag.color", "red")),
        "tags: \"color\" is no tag that has a name"
    );
    assert_eq!(
        refused(&Mutation::new().set("code", "-1")),
        "code: \"-1\" is not a number that fits"
    );
    let long = "x".repeat(256);
    assert!(refused(&Mutation::new().set("trace", "1").set("service", long)).contains("256"));
}

#[test]
fn a_part_that_is_missing_can_not_be_set() {
    let protocol = Rich::protocol();
    let bare = Rich { flags: 1, code: None, ..rich() };
    let metadata = decode(&*protocol, Side::Downstream, &bare);
    let codec = codec(&*protocol, Side::Downstream);
    let error = codec.encode(&metadata, &Mutation::new().set("code", "1"), &mut Output::new());
    assert_eq!(error.unwrap_err().to_string(), "code: is missing, so there is nothing to set");
}

#[test]
fn a_checksum_in_the_header_follows_a_change() {
    let codec = codec(&*Sealed::protocol(), Side::Upstream);
    let bytes = changed(&*codec, &sealed(), Side::Upstream, &Mutation::new().set("status", "4"));
    assert_eq!(Sealed::read(bytes).unwrap(), Sealed { status: 4, ..sealed() });
}

#[test]
fn a_large_body_is_shared_even_with_parts_a_trailer_and_a_checksum_of_its_own() {
    let frame = wire(&Rich { body: vec![5; 9000].into(), ..rich() });
    let protocol = Rich::protocol();
    let mut codec = codec(&*protocol, Side::Downstream);
    let mut metadata = metaproto_core::Metadata::new();
    codec.decode(frame.clone(), &mut metadata).unwrap();
    let mut out = Output::new();
    codec.encode(&metadata, &Mutation::new().set("trace", "2"), &mut out).unwrap();
    let parts: Vec<Bytes> = out.parts().collect();
    assert_eq!(parts.len(), 3);
    assert_eq!(parts[1].as_ptr(), frame[frame.len() - 9008..].as_ptr());
    let all: Vec<u8> = parts.into_iter().flatten().collect();
    assert_eq!(Rich::read(all.into()).unwrap().body.len(), 9000);
}

#[test]
fn the_schema_says_what_can_be_done() {
    let schema = Rich::protocol().capabilities().properties;
    assert_eq!(schema.support("Service"), Some(MutationSupport::SET));
    assert_eq!(schema.support("anything"), Some(MutationSupport::ALL));
    assert_eq!(schema.support("tag.zone"), Some(MutationSupport::ALL));
    assert_eq!(schema.support("tag.9"), Some(MutationSupport::NONE));
    let schema = Flags::protocol().capabilities().properties;
    assert_eq!(schema.support("ver"), Some(MutationSupport::NONE));
    // It tells the kind, and a message stays what it is.
    assert_eq!(schema.support("two-way"), Some(MutationSupport::NONE));
    assert_eq!(schema.support("urgent"), Some(MutationSupport::SET));
    assert_eq!(schema.support("anything"), None);
}

#[test]
fn what_is_changed_is_what_is_read() {
    let bytes = {
        let codec = codec(&*Rich::protocol(), Side::Upstream);
        changed(&*codec, &rich(), Side::Downstream, &Mutation::new().set("x", "1"))
    };
    let read = Rich::read(bytes).unwrap();
    let metadata = decode(&*Rich::protocol(), Side::Downstream, &read);
    assert!(properties(&metadata).contains(&("x".to_owned(), "1".to_owned())));
    assert_eq!(read.headers.len(), 4);
    assert_eq!(Section::new().len(), 0);
}
