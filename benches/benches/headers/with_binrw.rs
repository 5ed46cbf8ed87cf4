//! The headers with binrw.

use std::io::Cursor;

use binrw::{BinRead, BinWrite};
use metaproto_core::EncodeError;

use super::samples::{
    AwesomeParts, DubboParts, awesome_length, dubbo_length, fold_awesome, fold_dubbo, refused,
};

#[derive(BinRead, BinWrite)]
#[brw(big, magic = 0xdabb_u16)]
struct Dubbo {
    flags: u8,
    status: u8,
    id: u64,
    body_len: u32,
}

#[derive(BinRead, BinWrite)]
#[brw(big)]
struct Awesome {
    version: i8,
    flow: u32,
    #[br(assert(total >= 13))]
    total: u32,
    cmd: i16,
    code: i16,
}

#[inline(never)]
pub(crate) fn decode_dubbo(bytes: &[u8]) -> Option<u64> {
    let header = Dubbo::read(&mut Cursor::new(bytes)).ok()?;
    let total = u64::from(header.body_len) + 16;
    Some(fold_dubbo(header.flags, header.status, header.id, total))
}

#[inline(never)]
pub(crate) fn decode_awesome(bytes: &[u8]) -> Option<u64> {
    let header = Awesome::read(&mut Cursor::new(bytes)).ok()?;
    let results = (header.cmd, header.code);
    Some(fold_awesome(header.version, header.flow, results, header.total.into()))
}

#[inline(never)]
pub(crate) fn encode_dubbo(parts: &DubboParts, out: &mut [u8; 16]) -> Result<(), EncodeError> {
    let body_len = dubbo_length(&parts.body)?;
    let header = Dubbo { flags: parts.flags, status: parts.status, id: parts.id, body_len };
    header.write(&mut Cursor::new(&mut out[..])).map_err(|_| refused())
}

#[inline(never)]
pub(crate) fn encode_awesome(parts: &AwesomeParts, out: &mut [u8; 13]) -> Result<(), EncodeError> {
    let AwesomeParts { version, flow, cmd, code, ref body } = *parts;
    let total = awesome_length(body)?;
    Awesome { version, flow, total, cmd, code }
        .write(&mut Cursor::new(&mut out[..]))
        .map_err(|_| refused())
}
