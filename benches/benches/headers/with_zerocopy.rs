//! The headers with zerocopy: structs that have the layout of the wire.

use metaproto_core::EncodeError;
use zerocopy::big_endian::{I16, U16, U32, U64};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

use super::by_hand::MAGIC;
use super::samples::{
    AwesomeParts, DubboParts, awesome_length, dubbo_length, fold_awesome, fold_dubbo, refused,
};

#[derive(FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
struct Dubbo {
    magic: U16,
    flags: u8,
    status: u8,
    id: U64,
    body_len: U32,
}

#[derive(FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
struct Awesome {
    version: i8,
    flow: U32,
    total: U32,
    cmd: I16,
    code: I16,
}

#[inline(never)]
pub(crate) fn decode_dubbo(bytes: &[u8]) -> Option<u64> {
    let (header, _) = Dubbo::ref_from_prefix(bytes).ok()?;
    if header.magic != MAGIC {
        return None;
    }
    let total = u64::from(header.body_len.get()) + 16;
    Some(fold_dubbo(header.flags, header.status, header.id.get(), total))
}

#[inline(never)]
pub(crate) fn decode_awesome(bytes: &[u8]) -> Option<u64> {
    let (header, _) = Awesome::ref_from_prefix(bytes).ok()?;
    let total = header.total.get();
    if total < 13 {
        return None;
    }
    let results = (header.cmd.get(), header.code.get());
    Some(fold_awesome(header.version, header.flow.get(), results, total.into()))
}

#[inline(never)]
pub(crate) fn encode_dubbo(parts: &DubboParts, out: &mut [u8; 16]) -> Result<(), EncodeError> {
    let header = Dubbo {
        magic: MAGIC.into(),
        flags: parts.flags,
        status: parts.status,
        id: parts.id.into(),
        body_len: dubbo_length(&parts.body)?.into(),
    };
    header.write_to(out).map_err(|_| refused())
}

#[inline(never)]
pub(crate) fn encode_awesome(parts: &AwesomeParts, out: &mut [u8; 13]) -> Result<(), EncodeError> {
    let header = Awesome {
        version: parts.version,
        flow: parts.flow.into(),
        total: awesome_length(&parts.body)?.into(),
        cmd: parts.cmd.into(),
        code: parts.code.into(),
    };
    header.write_to(out).map_err(|_| refused())
}
