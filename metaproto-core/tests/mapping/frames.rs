//! The frames that the tests are about.

use metaproto_core::{
    Auto, Bytes, BytesMut, Codec, CodecContext, Frame, Limits, Metadata, Section,
};
use metaproto_core::{Protocol, Side};

/// How a request is written: in hessian.
pub(crate) const HESSIAN: u8 = 2;

/// Sixteen bytes, most of what they say is in bits: like Dubbo's header.
#[derive(Debug, Clone, PartialEq, Frame, Codec)]
#[frame(magic = 0xdabb_u16)]
#[meta(protocol = "flags", errors(Timeout => 31, RouteNotFound => 60, _ => 80))]
#[meta(kind(
    event && request => Ping,
    event => Pong,
    request && two_way => Request,
    request => Oneway,
    _ => Response,
))]
#[meta(
    property(serialization, names(2 => "hessian2", 6 => "json")),
    property(two_way, name = "two-way"),
    property(urgent),
    reply(serialization = 6),
    operation = "v{version}/{code:#04x}",
)]
pub(crate) struct Flags {
    #[frame(bits(request = 7, two_way = 6, event = 5, serialization = 0..=4))]
    pub(crate) flags: u8,
    #[meta(status(ok = 20, classes(40 => NotFound, 100 => Overloaded)))]
    pub(crate) code: u8,
    #[meta(request_id)]
    pub(crate) id: u64,
    #[frame(bytes = 3)]
    #[meta(property(name = "ver", format = "{:#08x}"))]
    pub(crate) version: u32,
    #[frame(bits(urgent = 0), bit_order = msb0)]
    pub(crate) marks: u8,
    #[frame(length(of = body))]
    pub(crate) len: Auto<u8>,
    #[frame(body)]
    pub(crate) body: Bytes,
}

/// Everything that a header can have.
#[derive(Debug, Clone, PartialEq, Frame, Codec)]
#[frame(magic = b"RI", max_len = 1 << 20)]
#[meta(protocol = "rich", sharing = bound, errors(_ => -1), operation = "{service}/{method}")]
#[meta(kind(kind == 1 => Request, kind == REPLY => Response, kind == 3 => Ping, kind == 4 => Pong))]
pub(crate) struct Rich {
    #[frame(bits(kind = 0..=2, coded = 3, traced = 4))]
    pub(crate) flags: u8,
    #[frame(bytes = 3)]
    #[meta(request_id)]
    pub(crate) id: u32,
    #[meta(timeout(unit = ms))]
    pub(crate) timeout: u16,
    #[meta(status(ok = 0))]
    pub(crate) status: i16,
    #[frame(length(of = headers))]
    pub(crate) headers_len: Auto<u16>,
    #[frame(length(of = body))]
    pub(crate) body_len: Auto<u32>,
    #[frame(prefix = u8)]
    #[meta(property)]
    pub(crate) service: String,
    #[frame(prefix = u8)]
    #[meta(property(name = "Method"))]
    pub(crate) method: Bytes,
    #[frame(when = coded, varint)]
    #[meta(property(names(1 => "one", 2 => "two")))]
    pub(crate) code: Option<u32>,
    #[frame(kv(key = u8, value = u16))]
    #[meta(properties)]
    pub(crate) headers: Section,
    #[frame(count = u8, tlv(tag = u8, length = u8, names(1 => "zone", 2 => "tenant")))]
    #[meta(properties(prefix = "tag."))]
    pub(crate) tags: Section,
    #[frame(body)]
    pub(crate) body: Bytes,
    #[frame(checksum(with = sum, over = flags..=tags))]
    pub(crate) crc: Auto<u32>,
    #[frame(checksum(with = sum, over = body))]
    pub(crate) body_crc: Auto<u32>,
}

pub(crate) const REPLY: u8 = 2;

/// Adds up.
pub(crate) fn sum(bytes: &[u8]) -> u32 {
    bytes.iter().fold(7, |all, byte| all.rotate_left(3) ^ u32::from(*byte))
}

/// A checksum in the fixed part that covers the id and the deadline.
#[derive(Debug, Clone, PartialEq, Frame, Codec)]
#[meta(protocol = "sealed", errors(_ => 9))]
pub(crate) struct Sealed {
    #[meta(request_id)]
    pub(crate) id: u32,
    #[meta(timeout(unit = ms, none = 65535))]
    pub(crate) timeout: u16,
    #[meta(status(ok = 0), property)]
    pub(crate) status: u8,
    #[frame(length(of = body))]
    pub(crate) len: Auto<u16>,
    #[frame(checksum(with = sum16, over = id..=len))]
    pub(crate) crc: Auto<u16>,
    #[frame(body)]
    pub(crate) body: Bytes,
}

pub(crate) fn sum16(bytes: &[u8]) -> u16 {
    bytes.iter().fold(1, |all, byte| all.rotate_left(3) ^ u16::from(*byte))
}

pub(crate) fn flags() -> Flags {
    Flags {
        flags: Flags::FLAGS_REQUEST | Flags::FLAGS_TWO_WAY | HESSIAN,
        code: 0,
        id: 0x0102_0304_0506_0708,
        version: 0x0a_0b_0c,
        marks: 4,
        len: Auto::new(),
        body: Bytes::from_static(b"body"),
    }
}

pub(crate) fn rich() -> Rich {
    Rich {
        flags: 1 | Rich::FLAGS_CODED,
        id: 0x0a0b0c,
        timeout: 1500,
        status: 0,
        headers_len: Auto::new(),
        body_len: Auto::new(),
        service: "shop".to_owned(),
        method: Bytes::from_static(b"buy"),
        code: Some(2),
        headers: section(&[("trace", "1"), ("Method", "hidden"), ("tag.zone", "hidden too")]),
        tags: Section::new(),
        body: Bytes::from_static(b"hello"),
        crc: Auto::new(),
        body_crc: Auto::new(),
    }
}

pub(crate) fn sealed() -> Sealed {
    Sealed {
        id: 7,
        timeout: 50,
        status: 0,
        len: Auto::new(),
        crc: Auto::new(),
        body: Bytes::from_static(b"body"),
    }
}

pub(crate) fn section(pairs: &[(&str, &str)]) -> Section {
    Section::from_pairs(pairs.iter().copied()).unwrap()
}

pub(crate) fn wire(frame: &impl Frame) -> Bytes {
    let mut out = BytesMut::new();
    frame.write(&mut out).expect("it can be written");
    out.freeze()
}

pub(crate) fn codec(protocol: &dyn Protocol, side: Side) -> Box<dyn Codec> {
    protocol.codec(&CodecContext::new(side, Limits::default()))
}

pub(crate) fn decode(protocol: &dyn Protocol, side: Side, frame: &impl Frame) -> Metadata {
    let mut metadata = Metadata::new();
    codec(protocol, side).decode(wire(frame), &mut metadata).expect("it can be read");
    metadata
}

/// The properties as text, in order.
pub(crate) fn properties(metadata: &Metadata) -> Vec<(String, String)> {
    metadata.properties().map(|(name, value)| (name.into_owned(), value.to_string())).collect()
}
