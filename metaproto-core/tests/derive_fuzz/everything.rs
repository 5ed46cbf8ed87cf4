//! Messages that have a bit of everything that can be derived, for the fuzzer.

use metaproto_core::frame::Frames;
use metaproto_core::{Auto, Bytes, BytesMut, Codec, Frame, Section, Side, Wire, conformance};

#[derive(Debug, PartialEq, Frame, Codec)]
#[frame(tag(u8, at = 1))]
#[meta(protocol = "everything")]
pub(crate) enum Everything {
    #[frame(tag = 1 | 2)]
    Told(Told),
    #[frame(other)]
    Scanned(Scanned),
}

/// Its length is told by the fixed part.
#[derive(Debug, PartialEq, Frame, Codec)]
#[frame(magic = b"E", max_len = 1 << 16)]
#[meta(protocol = "everything", operation = "{service}/{method}", errors(_ => 9))]
#[meta(kind(ty == 1 && quiet => Oneway, ty == 1 => Request, _ => Response))]
#[meta(make(Response(ty = 2)))]
pub(crate) struct Told {
    ty: u8,
    #[frame(bits(quiet = 0, traced = 1, level = 4..=6))]
    flags: u8,
    #[frame(bytes = 3)]
    #[meta(request_id)]
    id: u32,
    #[meta(status(ok = 0))]
    status: u8,
    #[frame(checksum(with = sum))]
    proof: Auto<u8>,
    #[frame(length(of = rest))]
    len: Auto<u16>,
    #[frame(length(of = service..=tree))]
    header: Auto<u16>,
    #[frame(prefix = u8)]
    service: String,
    #[frame(until = b"\r\n")]
    method: String,
    #[frame(when = traced, zigzag)]
    trace: Option<i64>,
    #[frame(prefix(varint, plus = 1))]
    client: Option<String>,
    #[frame(count = u8, kv(key = u8, value = u8))]
    #[meta(properties)]
    headers: Section,
    #[frame(count = varint)]
    tree: Vec<Tree>,
    #[frame(body)]
    body: Bytes,
    tail: [u8; 2],
}

/// A type that holds others of its kind.
#[derive(Debug, PartialEq, Wire)]
pub(crate) struct Tree {
    value: u8,
    #[frame(count = u8)]
    children: Vec<Tree>,
}

/// Its length is found by going through it.
#[derive(Debug, PartialEq, Frame, Codec)]
#[frame(magic = b"E", max_len = 1 << 16, max_header = 1 << 12)]
#[meta(protocol = "everything")]
pub(crate) struct Scanned {
    ty: u8,
    #[frame(bytes = 3)]
    #[meta(request_id)]
    id: u32,
    #[frame(count = u8, each(prefix = u8))]
    names: Vec<Bytes>,
    #[frame(tlv(tag = varint, length = u8, names(1 => "one")), count = u8)]
    #[meta(properties(prefix = "tag."))]
    tags: Section,
    #[frame(varint, length(of = rest))]
    left: Auto<u32>,
    #[frame(body)]
    body: Bytes,
}

fn sum(bytes: &[u8]) -> u8 {
    bytes.iter().fold(0, |sum, byte| sum.wrapping_add(*byte))
}

/// What the fuzzer does with its input: all that an engine would, and what people do.
pub(crate) fn fuzz(data: &[u8]) {
    conformance::fuzz(&*Everything::protocol(), data);
    let explanation = Everything::explain(Side::Downstream, data);
    let most = data.len().saturating_mul(200).saturating_add(4096);
    assert!(explanation.to_string().len() <= most);
    let Ok(frame) = Everything::read(Side::Downstream, Bytes::copy_from_slice(data)) else {
        return;
    };
    let mut out = BytesMut::new();
    if frame.write(&mut out).is_ok() {
        assert_eq!(frame.size(), out.len());
        assert_eq!(Everything::read(Side::Downstream, out.freeze()), Ok(frame));
    }
}
