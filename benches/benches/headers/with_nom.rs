//! The headers with nom, which only reads.

use nom::bytes::complete::tag;
use nom::combinator::verify;
use nom::number::complete::{be_i8, be_i16, be_u8, be_u32, be_u64};
use nom::{IResult, Parser};

use super::samples::{fold_awesome, fold_dubbo};

#[inline(never)]
pub(crate) fn decode_dubbo(bytes: &[u8]) -> Option<u64> {
    let mut header = (tag(&b"\xda\xbb"[..]), be_u8, be_u8, be_u64, be_u32);
    let read: IResult<_, _, ()> = header.parse(bytes);
    let (_, (_, flags, status, id, body_len)) = read.ok()?;
    Some(fold_dubbo(flags, status, id, u64::from(body_len) + 16))
}

#[inline(never)]
pub(crate) fn decode_awesome(bytes: &[u8]) -> Option<u64> {
    let total = verify(be_u32, |total| *total >= 13);
    let read: IResult<_, _, ()> = (be_i8, be_u32, total, be_i16, be_i16).parse(bytes);
    let (_, (version, flow, total, cmd, code)) = read.ok()?;
    Some(fold_awesome(version, flow, (cmd, code), total.into()))
}
