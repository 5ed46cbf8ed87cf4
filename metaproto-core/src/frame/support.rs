//! What generated code calls. Not part of the public interface: it changes with the macros.

use std::borrow::Cow;
use std::ops::Range;

use super::Constant;
use crate::{DecodeError, EncodeError, Fault, FrameLength};

/// `LEN` bytes of a header from the offset `AT`. That they lie within it is checked by the compiler,
/// so that nothing is left to check at run time.
#[inline(always)]
#[must_use]
pub const fn take<const AT: usize, const LEN: usize, const N: usize>(
    header: &[u8; N],
) -> [u8; LEN] {
    const { assert!(AT <= N && LEN <= N.saturating_sub(AT), "a field lies outside the header") };
    match header.split_at(AT).1.first_chunk::<LEN>() {
        Some(bytes) => *bytes,
        None => [0; LEN],
    }
}

/// Writes `LEN` bytes of a header at the offset `AT`; the counterpart of [`take`].
#[inline(always)]
pub const fn put<const AT: usize, const LEN: usize, const N: usize>(
    header: &mut [u8; N],
    bytes: [u8; LEN],
) {
    const { assert!(AT <= N && LEN <= N.saturating_sub(AT), "a field lies outside the header") };
    if let Some(place) = header.split_at_mut(AT).1.first_chunk_mut::<LEN>() {
        *place = bytes;
    }
}

/// Where the text of a field lies that is padded with zeros.
#[inline]
#[must_use]
pub fn text<const AT: usize, const LEN: usize, const N: usize>(header: &[u8; N]) -> Range<usize> {
    let bytes = take::<AT, LEN, N>(header);
    let len = bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last.saturating_add(1));
    AT..AT.saturating_add(len)
}

/// The length of a frame whose length field says `value`, where the field counts all but `plus`
/// bytes. It must be within `min..=max`.
///
/// # Errors
/// The length is outside these bounds, or more than memory has addresses.
#[inline(always)]
pub fn total(
    field: &'static str,
    value: u64,
    plus: u64,
    min: u64,
    max: u64,
) -> Result<usize, DecodeError> {
    let total = value.saturating_add(plus);
    if total < min {
        return Err(too_small(field, value));
    }
    match usize::try_from(total) {
        Ok(fits) if total <= max => Ok(fits),
        _ => Err(too_large(field, value)),
    }
}

/// What a length field says of a body of `body_len` bytes: that and `plus`, unless the whole frame,
/// which has a header of `header` bytes, would be longer than `max`.
///
/// # Errors
/// [`EncodeError::InvalidValue`] if it would.
#[inline(always)]
pub fn wire_length<T: TryFrom<u64>>(
    field: &'static str,
    body_len: usize,
    plus: usize,
    header: usize,
    max: u64,
) -> Result<T, EncodeError> {
    let (len, most) = (body_len as u64, max.saturating_sub(header as u64));
    // Compared first: where the field can tell `most`, the compiler then sees that the rest can't fail.
    if len <= most
        && let Ok(value) = T::try_from(len.saturating_add(plus as u64))
    {
        return Ok(value);
    }
    Err(too_long(field, body_len.saturating_add(header) as u64, max))
}

/// Narrows a request id to its field.
///
/// # Errors
/// [`EncodeError::InvalidValue`] if it does not fit.
#[inline(always)]
pub fn request_id<T: TryFrom<u64>>(field: &'static str, id: u64) -> Result<T, EncodeError> {
    T::try_from(id).map_err(|_| wide_id(field, size_of::<T>()))
}

/// What can be told before the header, of `size` bytes, has arrived. Out of line: it is for the one
/// frame of many that a read has cut in two.
///
/// # Errors
/// As [`check_prefix`].
#[inline(never)]
pub(super) fn short(
    head: &[u8],
    constants: &[Constant],
    size: usize,
) -> Result<FrameLength, DecodeError> {
    check_prefix(head, constants).map(|()| FrameLength::Need(size))
}

/// Checks as much of the constants as has arrived.
///
/// # Errors
/// [`Fault::BadMagic`] for the first that differs.
pub(super) fn check_prefix(prefix: &[u8], constants: &[Constant]) -> Result<(), DecodeError> {
    for constant in constants {
        let arrived = prefix.get(constant.offset..).unwrap_or_default();
        let len = arrived.len().min(constant.bytes.len());
        let arrived = arrived.get(..len).unwrap_or_default();
        if constant.bytes.get(..len) != Some(arrived) {
            return Err(bad_constant(constant.name, arrived));
        }
    }
    Ok(())
}

/// Checks that a frame is as long as it says.
///
/// # Errors
/// It ends early, or there are bytes behind it.
#[inline(always)]
pub(super) fn check_total(told: usize, is: usize) -> Result<(), DecodeError> {
    if told == is { Ok(()) } else { Err(wrong_total(told > is)) }
}

// Errors are made out of line, and as values: the way without errors stays short.

/// A constant has another value; the first eight bytes of it are told.
#[cold]
#[must_use]
pub fn bad_constant(field: &'static str, found: &[u8]) -> DecodeError {
    let value = found.iter().take(8).fold(0_u64, |all, byte| all << 8 | u64::from(*byte));
    DecodeError::connection(field, Fault::BadMagic(value))
}

/// A kind has a value that means none.
#[cold]
#[must_use]
pub fn unknown_kind(field: &'static str, value: i64) -> DecodeError {
    DecodeError::message(field, Fault::UnknownValue(value))
}

#[cold]
pub(super) fn truncated() -> DecodeError {
    DecodeError::connection("", Fault::Truncated)
}

#[cold]
fn wrong_total(ends_early: bool) -> DecodeError {
    if ends_early { truncated() } else { DecodeError::connection("", super::OVERLONG) }
}

#[cold]
fn too_small(field: &'static str, value: u64) -> DecodeError {
    DecodeError::connection(field, Fault::LengthTooSmall(value))
}

#[cold]
fn too_large(field: &'static str, value: u64) -> DecodeError {
    DecodeError::connection(field, Fault::LengthTooLarge(value))
}

/// Only the reason is made out of line: the compiler must see that this is an error, or it keeps a
/// way from here back to success, and registers for it.
#[inline(always)]
fn too_long(field: &'static str, total: u64, max: u64) -> EncodeError {
    EncodeError::InvalidValue { field, reason: too_long_reason(total, max) }
}

#[cold]
#[inline(never)]
fn too_long_reason(total: u64, max: u64) -> Cow<'static, str> {
    format!("a frame of {total} bytes is longer than {max}").into()
}

#[cold]
fn wide_id(field: &'static str, width: usize) -> EncodeError {
    let reason = format!("the id is wider than {} bits", width.saturating_mul(8));
    EncodeError::InvalidValue { field, reason: reason.into() }
}
