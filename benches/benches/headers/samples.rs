//! What is read and written: the same messages for every contender, and what they make of them.

use fastrand::Rng;
use metaproto_core::{Bytes, EncodeError};

/// How many different headers there are. A round is one operation on each.
pub(crate) const COUNT: usize = 256;

/// What a Dubbo message consists of.
#[derive(Debug, Clone)]
pub(crate) struct DubboParts {
    pub(crate) flags: u8,
    pub(crate) status: u8,
    pub(crate) id: u64,
    pub(crate) body: Bytes,
}

/// What an awesomerpc message consists of.
#[derive(Debug, Clone)]
pub(crate) struct AwesomeParts {
    pub(crate) version: i8,
    pub(crate) flow: u32,
    pub(crate) cmd: i16,
    pub(crate) code: i16,
    pub(crate) body: Bytes,
}

/// Dubbo messages: requests, responses, one-way calls and events.
pub(crate) fn dubbo() -> Vec<DubboParts> {
    let mut random = Rng::with_seed(16);
    let part = |_| DubboParts {
        flags: random.choice([0xc2, 0xc2, 0x02, 0x02, 0x82, 0x22]).expect("some"),
        status: random.choice([20, 20, 20, 31, 70]).expect("some"),
        id: random.u64(..),
        body: body(&mut random),
    };
    (0..COUNT).map(part).collect()
}

/// Awesomerpc messages.
pub(crate) fn awesome() -> Vec<AwesomeParts> {
    let mut random = Rng::with_seed(13);
    let part = |_| AwesomeParts {
        version: 1,
        flow: random.u32(..),
        cmd: random.i16(..),
        code: random.choice([0, 0, 0, -6, 7]).expect("some"),
        body: body(&mut random),
    };
    (0..COUNT).map(part).collect()
}

fn body(random: &mut Rng) -> Bytes {
    vec![b'x'; random.usize(16..256)].into()
}

/// All that a Dubbo header tells, in one number.
///
/// Contenders return it instead of a struct of theirs: writing a struct out and reading it again in
/// words of another size would cost more than the decoding, and hide it.
#[inline(always)]
pub(crate) fn fold_dubbo(flags: u8, status: u8, id: u64, total: u64) -> u64 {
    id ^ total.rotate_left(32) ^ u64::from(flags) << 8 ^ u64::from(status)
}

/// All that an awesomerpc header tells, in one number; `results` are command and code.
#[inline(always)]
pub(crate) fn fold_awesome(version: i8, flow: u32, results: (i16, i16), total: u64) -> u64 {
    let [cmd, code] = [results.0, results.1].map(|result| u64::from(result.cast_unsigned()));
    let low = u64::from(flow) << 32 | cmd << 16 | code;
    low ^ total << 8 ^ u64::from(version.cast_unsigned()) << 56
}

/// What the length field of a Dubbo header says of this body.
#[inline(always)]
pub(crate) fn dubbo_length(body: &Bytes) -> Result<u32, EncodeError> {
    u32::try_from(body.len()).map_err(|_| refused())
}

/// What the length field of an awesomerpc header says of this body.
#[inline(always)]
pub(crate) fn awesome_length(body: &Bytes) -> Result<u32, EncodeError> {
    let total = body.len().checked_add(13).and_then(|total| u32::try_from(total).ok());
    total.ok_or_else(refused)
}

/// What can't be written. Ours says how long the body is, and how long it may be; by hand and with the
/// others a constant must do.
#[inline(always)]
pub(crate) fn refused() -> EncodeError {
    EncodeError::InvalidValue { field: "length", reason: "the body is too long".into() }
}
