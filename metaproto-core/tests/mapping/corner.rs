//! Parts whose shape depends on other parts, and what is told of them all the same.

use metaproto_core::conformance::{Samples, check};
use metaproto_core::{
    Auto, Bytes, Codec, Frame, MessageKind, Mutation, Output, Probe, Section, Side,
};
use proptest::prelude::*;

use crate::frames::{codec, decode, properties, section, wire};

const GET: u8 = 1;

#[derive(Debug, Clone, PartialEq, Frame, Codec)]
#[frame(magic = b"C", endian = little)]
#[meta(protocol = "corner", operation = "{mode:x}:{extra}", errors(_ => 7))]
#[meta(kind(r#type == GET => Request, r#type == 2 => Response, r#type == 3 => GoAway))]
struct Corner {
    r#type: u8,
    #[frame(bits(tagged = 15, rest = 0..=3))]
    flags: u16,
    #[meta(request_id)]
    id: u64,
    #[meta(status(ok = 0), property)]
    code: i8,
    #[frame(length(of = body))]
    len: Auto<u32>,
    #[frame(varint)]
    #[meta(property(name = "mode", format = "{:#06x}"))]
    mode: u16,
    #[frame(when = mode > 3, prefix = u8)]
    #[meta(property)]
    extra: Option<String>,
    #[frame(count(of = headers))]
    n: Auto<u8>,
    #[frame(kv(key = varint, value = varint))]
    #[meta(properties)]
    headers: Section,
    #[frame(when = tagged, count = u16, tlv(tag = u16, length = u8, names(1 => "zone")))]
    #[meta(properties(prefix = "t-"))]
    tags: Option<Section>,
    #[meta(property)]
    shard: [u8; 4],
    #[meta(property)]
    delta: i16,
    #[frame(body)]
    body: Bytes,
}

fn corner() -> Corner {
    Corner {
        r#type: GET,
        flags: 0x8003,
        id: 9,
        code: 0,
        len: Auto::new(),
        mode: 300,
        extra: Some("more".to_owned()),
        n: Auto::new(),
        headers: section(&[("a", "1"), ("a", "2")]),
        tags: Some(section(&[("1", "z")])),
        shard: *b"s1\0\0",
        delta: -5,
        body: Bytes::from_static(b"body"),
    }
}

#[test]
fn parts_that_depend_on_parts_are_told() {
    let metadata = decode(&*Corner::protocol(), Side::Downstream, &corner());
    let expected = [
        ("code", "0"),
        ("mode", "0x012c"),
        ("extra", "more"),
        ("shard", "s1"),
        ("delta", "-5"),
        ("a", "1"),
        ("a", "2"),
        ("t-zone", "z"),
    ];
    assert_eq!(properties(&metadata), expected.map(|(n, v)| (n.to_owned(), v.to_owned())));
    assert_eq!(metadata.operation().unwrap().to_string(), "12c:more");
    let bare = Corner { flags: 0, mode: 2, extra: None, tags: None, ..corner() };
    let metadata = decode(&*Corner::protocol(), Side::Downstream, &bare);
    assert_eq!(metadata.operation().unwrap().to_string(), "2:");
    assert_eq!((metadata.property("extra"), metadata.property("t-zone")), (None, None));
}

#[test]
fn counts_and_lengths_in_parts_follow_a_change() {
    let protocol = Corner::protocol();
    let metadata = decode(&*protocol, Side::Downstream, &corner());
    let mutation = Mutation::new()
        .set("extra", "x".repeat(200))
        .set("a", "3")
        .append("b", "4")
        .remove("t-ZONE")
        .set("shard", "s22")
        .set("delta", "32767");
    let mut out = Output::new();
    codec(&*protocol, Side::Downstream).encode(&metadata, &mutation, &mut out).unwrap();
    let expected = Corner {
        extra: Some("x".repeat(200)),
        headers: section(&[("a", "3"), ("b", "4")]),
        tags: Some(Section::new()),
        shard: *b"s22\0",
        delta: 32767,
        ..corner()
    };
    assert_eq!(Corner::read(out.tail().clone().freeze()).unwrap(), expected);
}

#[test]
fn go_aways_are_made_and_the_magic_is_known() {
    let protocol = Corner::protocol();
    let mut out = bytes::BytesMut::new();
    codec(&*protocol, Side::Downstream).go_away(&mut out).unwrap();
    let go_away = Corner::read(out.freeze()).unwrap();
    assert_eq!(go_away.r#type, 3);
    let metadata = decode(&*protocol, Side::Upstream, &go_away);
    assert_eq!(metadata.kind, MessageKind::GoAway);
    assert_eq!(protocol.probe(b"C"), Probe::Yes);
    assert!(protocol.capabilities().go_away);
}

#[test]
fn such_a_protocol_conforms() {
    let reply = Corner { r#type: 2, extra: None, mode: 0, ..corner() };
    let samples = Samples::new()
        .request(wire(&corner()))
        .request(wire(&Corner { flags: 0, tags: None, headers: Section::new(), ..corner() }))
        .response(wire(&reply))
        .response(wire(&Corner { code: 7, ..reply }));
    check(&*Corner::protocol(), samples);
}

proptest! {
    #[test]
    fn a_change_is_read_back_alone(
        flags: bool,
        mode in 4_u16..,
        entries in proptest::collection::vec(("[a-c]{1,2}", "[ -~]{0,9}"), 0..5),
        body in proptest::collection::vec(any::<u8>(), 0..50),
        (name, value) in ("[a-e]{1,2}", ".{0,40}"),
    ) {
        let frame = Corner {
            flags: u16::from(flags) << 15,
            mode,
            tags: flags.then(Section::new),
            headers: Section::from_pairs(entries).unwrap(),
            body: body.into(),
            ..corner()
        };
        let protocol = Corner::protocol();
        let metadata = decode(&*protocol, Side::Downstream, &frame);
        let mut out = Output::new();
        let mutation = Mutation::new().set(name.as_str(), value.as_str());
        codec(&*protocol, Side::Upstream).encode(&metadata, &mutation, &mut out).unwrap();
        let read = Corner::read(out.parts().flatten().collect::<Vec<u8>>().into()).unwrap();
        let mut expected = frame.clone();
        expected.headers.set(&name, &value).unwrap();
        prop_assert_eq!(&read, &expected);
        let after = decode(&*protocol, Side::Downstream, &read);
        prop_assert_eq!(after.property(&name).unwrap().to_string(), value);
    }
}
