//! Values nested in each other: whole, in pieces, and from hostile bytes.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "tests may panic"
)]

use metaproto_core::frame::Located;
use metaproto_core::frame::parts::{Cursor, Nested, Part, Progress, Stop};
use metaproto_core::{
    Auto, Bytes, BytesMut, DecodeError, Fault, Frame, FrameLength, Scope, Section, Wire,
};
use proptest::collection::vec;
use proptest::prelude::*;

/// A value that holds others like itself, in several ways and behind each other.
#[derive(Debug, Clone, PartialEq, Wire)]
struct Tree {
    #[frame(bits(named = 0, deep = 1))]
    flags: u8,
    #[frame(length(of = names..=kind))]
    names_len: Auto<u16>,
    #[frame(varint, count(of = branches))]
    n: Auto<u32>,
    #[frame(prefix = u8, when = named)]
    name: Option<String>,
    #[frame(count = varint, each(until = b"\r\n"))]
    names: Vec<String>,
    kind: Kind,
    branches: Vec<Tree>,
    #[frame(length(of = sized))]
    sized_len: Auto<u32>,
    #[frame(rest)]
    sized: Vec<Tree>,
    #[frame(align_before = 4)]
    end: u16,
    #[frame(count = u8)]
    leaves: Vec<Kind>,
}

#[derive(Debug, Clone, PartialEq, Wire)]
#[frame(tag = u8)]
enum Kind {
    #[frame(tag = 1)]
    Empty,
    #[frame(tag = 2)]
    Pair(Pair),
    #[frame(tag = 3, count = u8)]
    Pairs(Vec<Pair>),
}

#[derive(Debug, Clone, PartialEq, Wire)]
struct Pair {
    #[frame(prefix = varint)]
    key: Bytes,
    #[frame(zigzag)]
    value: i64,
}

#[derive(Debug, Clone, PartialEq, Frame)]
#[frame(max_header = 1 << 20)]
struct Forest {
    id: u8,
    #[frame(length(of = body))]
    body_len: Auto<u16>,
    #[frame(count = u16)]
    trees: Vec<Tree>,
    #[frame(count = u8, kv(key = u8, value = i16))]
    headers: Section,
    #[frame(body)]
    body: Bytes,
}

fn pair() -> impl Strategy<Value = Pair> {
    (vec(any::<u8>(), 0..5), any::<i64>()).prop_map(|(key, value)| Pair { key: key.into(), value })
}

fn kind() -> impl Strategy<Value = Kind> {
    prop_oneof![
        Just(Kind::Empty),
        pair().prop_map(Kind::Pair),
        vec(pair(), 0..4).prop_map(Kind::Pairs),
    ]
}

fn tree() -> impl Strategy<Value = Tree> {
    let names = || (prop::option::of("[a-z]{0,5}"), vec("[a-z\r]{0,5}[a-z]", 0..3));
    let make = |((name, names), kind, leaves, end), branches, sized| Tree {
        flags: u8::from(Option::<String>::is_some(&name)),
        names_len: Auto::new(),
        n: Auto::new(),
        name,
        names,
        kind,
        branches,
        sized_len: Auto::new(),
        sized,
        end,
        leaves,
    };
    let own = move || (names(), kind(), vec(kind(), 0..3), any::<u16>());
    let leaf = own().prop_map(move |own| make(own, Vec::new(), Vec::new()));
    leaf.prop_recursive(3, 12, 3, move |inner| {
        (own(), vec(inner.clone(), 0..3), vec(inner, 0..3))
            .prop_map(move |(own, branches, sized)| make(own, branches, sized))
    })
}

fn forest() -> impl Strategy<Value = Forest> {
    (vec(tree(), 0..3), vec(any::<u8>(), 0..9)).prop_map(|(trees, body)| Forest {
        id: 1,
        body_len: Auto::new(),
        trees,
        headers: Section::from_pairs([("a", "b"), ("c", "")]).unwrap(),
        body: body.into(),
    })
}

fn written(frame: &Forest) -> Bytes {
    let mut out = BytesMut::new();
    frame.write(&mut out).unwrap();
    out.freeze()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_is_nested_comes_back(frame in forest()) {
        let bytes = written(&frame);
        prop_assert_eq!(frame.size(), bytes.len());
        for tree in &frame.trees {
            let mut out = BytesMut::from(&b"x"[..]);
            tree.write(&mut out).unwrap();
            prop_assert_eq!(tree.size(), out.len() - 1);
        }
        prop_assert_eq!(Forest::frame_length(&bytes), Ok(FrameLength::Known(bytes.len())));
        prop_assert_eq!(Forest::read(bytes.clone()).unwrap(), frame);
        for cut in 0..bytes.len() {
            prop_assert!(Forest::read(bytes.slice(..cut)).is_err());
        }
    }

    #[test]
    fn a_frame_that_comes_byte_by_byte_is_asked_for_piece_by_piece(frame in forest()) {
        let bytes = written(&frame);
        let mut located = Located::default();
        for there in 1..=bytes.len() {
            match Forest::frame_length_from(&mut located, &bytes[..there]).unwrap() {
                FrameLength::Need(need) => {
                    prop_assert!(there < need && need <= bytes.len(), "{need} at {there}");
                }
                FrameLength::Known(len) => prop_assert_eq!(len, bytes.len()),
            }
        }
    }

    #[test]
    fn a_value_that_comes_byte_by_byte_is_gone_on_with(tree in tree(), ahead in 0..3_usize) {
        let mut out = BytesMut::zeroed(ahead);
        tree.write(&mut out).unwrap();
        let mut progress = Progress::new();
        for there in ahead..=out.len() {
            let mut cursor = Cursor::open(&out[..there]);
            cursor.seek(ahead);
            let settled = progress.at;
            match Nested::<Tree>::new().skip(&mut cursor, &mut progress) {
                Ok(()) => prop_assert_eq!((there, cursor.position()), (out.len(), out.len())),
                Err(Stop::Need(need)) => {
                    prop_assert!(there < need && need <= out.len(), "{need} at {there}");
                    prop_assert!(settled <= progress.at && progress.at <= there);
                }
                Err(bad) => return Err(TestCaseError::fail(format!("{bad:?}"))),
            }
        }
        prop_assert_eq!(progress, Progress::new());
    }

    #[test]
    fn whatever_comes_is_a_frame_or_an_error(
        frame in forest(), at in any::<prop::sample::Index>(), to: u8, garbage: Vec<u8>,
    ) {
        let mut bytes = written(&frame).to_vec();
        let at = at.index(bytes.len());
        bytes[at] = to;
        for bytes in [bytes, garbage] {
            if let Ok(FrameLength::Known(len)) = Forest::frame_length(&bytes) {
                prop_assert!(len > 0);
            }
            if let Ok(read) = Forest::read(bytes.clone().into()) {
                // Padding and the length of varints may differ; what is said may not.
                prop_assert_eq!(Forest::read(written(&read)).unwrap(), read);
            }
        }
    }
}

fn leaf() -> Tree {
    Tree {
        flags: 0,
        names_len: Auto::new(),
        n: Auto::new(),
        name: None,
        names: Vec::new(),
        kind: Kind::Empty,
        branches: Vec::new(),
        sized_len: Auto::new(),
        sized: Vec::new(),
        end: 0,
        leaves: Vec::new(),
    }
}

/// A list in an enum in a list in a struct: the costs of each byte that comes are those of one item.
#[test]
fn what_is_settled_is_not_looked_at_again() {
    let pairs: Vec<Pair> =
        (0..2000).map(|value| Pair { key: Bytes::from_static(b"key"), value }).collect();
    let leaves: Vec<Kind> = pairs.chunks(200).map(|pairs| Kind::Pairs(pairs.to_vec())).collect();
    let leaves = Tree { leaves, ..leaf() };
    let tree = Tree { branches: vec![leaf(), leaves], ..leaf() };
    let mut out = BytesMut::from(&b"x"[..]);
    tree.write(&mut out).unwrap();
    let mut progress = Progress::new();
    for there in 2..out.len() {
        let mut cursor = Cursor::open(&out[..there]);
        cursor.seek(1);
        let stop = Nested::<Tree>::new().skip(&mut cursor, &mut progress).unwrap_err();
        assert!(matches!(stop, Stop::Need(_)), "{stop:?}");
        assert!(there - progress.at < 12 || progress.at == 0, "{progress:?} of {there}");
        assert!(there < 12 || progress.at > 0);
    }
}

/// Trees within each other, as bytes.
fn nested(depth: usize) -> Vec<u8> {
    let mut bytes = vec![0, 0, 2, 1, 0, 1];
    for _ in 1..depth {
        bytes.extend_from_slice(&[0, 0, 2, 1, 0, 1]);
    }
    bytes
}

#[test]
fn what_is_nested_too_deeply_is_refused() {
    let bytes = nested(100_000);
    let tree = Nested::<Tree>::new();
    let error = tree.read(&mut Cursor::over(&bytes)).unwrap_err().into_error();
    assert_eq!((error.scope, error.fault), (Scope::Message, Fault::TooDeep));
    let error = tree.skip(&mut Cursor::over(&bytes), &mut Progress::new()).unwrap_err();
    assert_eq!(error.into_error().fault, Fault::TooDeep);
    let error = tree.skip(&mut Cursor::open(&bytes), &mut Progress::new()).unwrap_err();
    let error = error.into_error();
    assert_eq!((error.scope, error.fault), (Scope::Connection, Fault::TooDeep));
    let front = [&[1, 0, 0, 0, 1][..], &bytes].concat();
    assert!(Forest::explain(&front).error().is_some());
}

#[test]
fn what_is_nested_deeply_is_measured_once() {
    let tree = (1..31).fold(leaf(), |inner, _| Tree { sized: vec![inner], ..leaf() });
    let mut out = BytesMut::new();
    tree.write(&mut out).unwrap();
    assert_eq!(tree.size(), out.len());
    assert_eq!(Tree::read(&mut Cursor::over(&out)).unwrap(), tree);
}

#[test]
fn errors_name_the_field() {
    let pair = Pair { key: Bytes::new(), value: 0 };
    let kind = Kind::Pairs(vec![pair; 256]);
    let mut frame = Forest {
        id: 1,
        body_len: Auto::new(),
        trees: Vec::new(),
        headers: Section::new(),
        body: Bytes::new(),
    };
    frame.headers = Section::from_pairs([("x".repeat(256), "")]).unwrap();
    let mut out = BytesMut::new();
    let error = frame.write(&mut out).unwrap_err();
    assert_eq!(error.to_string(), "headers: 256 does not fit 1 bytes");
    frame.headers = Section::new();
    frame.trees.push(Tree { flags: 1, kind, ..leaf() });
    let error = frame.write(&mut out).unwrap_err();
    assert_eq!(error.to_string(), "name: is missing, but other fields say it is there");
    frame.trees[0].flags = 0;
    let error = frame.write(&mut out).unwrap_err();
    assert_eq!(error.to_string(), "kind: 256 does not fit 1 bytes");
    assert!(out.is_empty());
    let bytes = Bytes::from_static(b"\x01\0\0\0\0\x01\x01k\xff\xfe");
    let error = Forest::read(bytes).unwrap_err();
    assert_eq!(error, DecodeError::message("headers", Fault::UnknownValue(-2)));
}
