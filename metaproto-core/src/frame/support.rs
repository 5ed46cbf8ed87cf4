//! What generated code calls. Not part of the public interface: it changes with the macros.

use std::borrow::Cow;
use std::ops::Range;

use super::Constant;
use super::parts::{Cursor, Stop};
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

/// The length of a frame whose length fields add up to `value`, and that has `plus` bytes besides.
/// It must be within `min..=max`.
///
/// # Errors
/// The length is outside these bounds, or more than memory has addresses.
#[inline(always)]
pub fn total(
    field: &'static str,
    value: u64,
    plus: i64,
    min: u64,
    max: u64,
) -> Result<Option<usize>, DecodeError> {
    let total = match plus {
        0.. => value.saturating_add(plus.unsigned_abs()),
        _ => value.saturating_sub(plus.unsigned_abs()),
    };
    if total < min {
        return Err(too_small(field, value));
    }
    match usize::try_from(total) {
        Ok(fits) if total <= max => Ok(Some(fits)),
        _ => Err(too_large(field, value)),
    }
}

/// What a field that tells a length or a count means: it stands for `value / unit + plus`.
///
/// # Errors
/// [`Fault::LengthTooSmall`] if that is negative.
#[inline]
pub fn given(
    field: &'static str,
    value: u64,
    unit: u64,
    plus: i64,
    cursor: &Cursor<'_>,
) -> Result<u64, Stop> {
    let units = match plus {
        0.. => value.checked_sub(plus.unsigned_abs()),
        _ => Some(value.saturating_add(plus.unsigned_abs())),
    };
    match units {
        Some(units) => Ok(units.saturating_mul(unit)),
        None => Err(cursor.bad_in(field, Fault::LengthTooSmall(value))),
    }
}

/// What a length of the whole frame says if `varying` bytes of it vary: that and `plus`, unless the
/// frame, of which `fixed` bytes do not vary, would be longer than `max`.
///
/// # Errors
/// [`EncodeError::InvalidValue`] if it would.
#[inline(always)]
pub fn wire_length<T: TryFrom<u64>>(
    field: &'static str,
    varying: usize,
    plus: i64,
    fixed: usize,
    max: u64,
) -> Result<T, EncodeError> {
    let (len, most) = (varying as u64, max.saturating_sub(fixed as u64));
    let told = match plus {
        0.. => len.saturating_add(plus.unsigned_abs()),
        _ => len.saturating_sub(plus.unsigned_abs()),
    };
    // Compared first: where the field can tell `most`, the compiler then sees that the rest can't fail.
    if len <= most
        && let Ok(value) = T::try_from(told)
    {
        return Ok(value);
    }
    Err(too_long(field, varying, fixed, max))
}

/// What a field says of `bytes`: `bytes / unit + plus`, at most `max`. The counterpart of [`given`].
///
/// # Errors
/// [`EncodeError::InvalidValue`] if it does not fit, or `bytes` are no whole units.
#[inline]
pub fn wire_value(
    field: &'static str,
    bytes: usize,
    unit: u64,
    plus: i64,
    max: u64,
) -> Result<u64, EncodeError> {
    let bytes = bytes as u64;
    let units = bytes.checked_div(unit).filter(|_| bytes.checked_rem(unit) == Some(0));
    let value = units.and_then(|units| units.checked_add_signed(plus));
    value.filter(|value| *value <= max).ok_or_else(|| cannot_tell(field, bytes))
}

/// As many bytes of `bytes` as fit into a wider number, at its more significant end: to be shifted
/// down, which extends the sign.
#[inline(always)]
pub const fn widen_be<const N: usize, const WIDE: usize>(bytes: [u8; N]) -> [u8; WIDE] {
    let mut wide = [0; WIDE];
    if let Some(place) = wide.first_chunk_mut::<N>() {
        *place = bytes;
    }
    wide
}

/// The same for little-endian numbers.
#[inline(always)]
pub const fn widen_le<const N: usize, const WIDE: usize>(bytes: [u8; N]) -> [u8; WIDE] {
    let mut wide = [0; WIDE];
    if let Some(place) = wide.last_chunk_mut::<N>() {
        *place = bytes;
    }
    wide
}

/// The less significant bytes of a number.
#[inline(always)]
pub const fn narrow_be<const N: usize, const WIDE: usize>(bytes: [u8; WIDE]) -> [u8; N] {
    match bytes.last_chunk::<N>() {
        Some(bytes) => *bytes,
        None => [0; N],
    }
}

/// The same for little-endian numbers.
#[inline(always)]
pub const fn narrow_le<const N: usize, const WIDE: usize>(bytes: [u8; WIDE]) -> [u8; N] {
    match bytes.first_chunk::<N>() {
        Some(bytes) => *bytes,
        None => [0; N],
    }
}

/// The items of an array of numbers.
#[inline]
pub fn split<const WIDTH: usize, const LEN: usize, const ALL: usize>(
    bytes: [u8; ALL],
) -> [[u8; WIDTH]; LEN] {
    let mut items = [[0; WIDTH]; LEN];
    for (item, bytes) in items.iter_mut().zip(bytes.as_chunks::<WIDTH>().0) {
        *item = *bytes;
    }
    items
}

/// The bytes of an array of numbers.
#[inline]
pub fn join<const WIDTH: usize, const LEN: usize, const ALL: usize>(
    items: [[u8; WIDTH]; LEN],
) -> [u8; ALL] {
    let mut all = [0; ALL];
    for (bytes, item) in all.as_chunks_mut::<WIDTH>().0.iter_mut().zip(items) {
        *bytes = item;
    }
    all
}

/// Narrows a request id to its field of `width` bytes.
///
/// # Errors
/// [`EncodeError::InvalidValue`] if it does not fit.
#[inline(always)]
pub fn request_id<T: TryFrom<u64>>(
    field: &'static str,
    id: u64,
    width: u32,
) -> Result<T, EncodeError> {
    let max = u64::MAX >> 64_u32.saturating_sub(width.saturating_mul(8)).min(63);
    match T::try_from(id) {
        Ok(fits) if id <= max => Ok(fits),
        _ => Err(wide_id(field, width)),
    }
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
fn too_long(field: &'static str, varying: usize, fixed: usize, max: u64) -> EncodeError {
    EncodeError::InvalidValue { field, reason: too_long_reason(fixed, max, varying) }
}

/// Adds here, not before: what the length says is often the same sum, and the compiler would make it
/// once for both, before it knows that it does not overflow. `varying` comes last for the sake of the
/// register that it then already is in.
#[cold]
#[inline(never)]
fn too_long_reason(fixed: usize, max: u64, varying: usize) -> Cow<'static, str> {
    let total = varying.saturating_add(fixed);
    format!("a frame of {total} bytes is longer than {max}").into()
}

#[cold]
fn wide_id(field: &'static str, width: u32) -> EncodeError {
    let reason = format!("the id is wider than {} bits", width.saturating_mul(8));
    EncodeError::InvalidValue { field, reason: reason.into() }
}

/// A value that contradicts others.
#[cold]
pub(super) fn does_not_fit(field: &'static str, reason: &'static str) -> EncodeError {
    EncodeError::InvalidValue { field, reason: reason.into() }
}

#[cold]
fn cannot_tell(field: &'static str, bytes: u64) -> EncodeError {
    EncodeError::InvalidValue { field, reason: format!("can't tell {bytes}").into() }
}

/// Names the field that a value does not fit; `None` if the field is missing.
#[cold]
#[must_use]
pub fn part_error(field: &'static str, error: Option<EncodeError>) -> EncodeError {
    let reason = match error {
        Some(EncodeError::InvalidValue { reason, .. }) => reason,
        Some(other) => other.to_string().into(),
        None => "is missing, so there is nothing to set".into(),
    };
    EncodeError::InvalidValue { field, reason }
}

/// A number that is more than its bits can say.
#[cold]
#[must_use]
pub fn too_wide(field: &'static str, value: u64, max: u64) -> EncodeError {
    let reason = format!("{value} is more than {max}");
    EncodeError::InvalidValue { field, reason: reason.into() }
}

/// A number that takes more bytes than its place has.
#[cold]
#[must_use]
pub fn wider_than(field: &'static str, width: usize) -> EncodeError {
    let reason = format!("does not fit {width} bytes");
    EncodeError::InvalidValue { field, reason: reason.into() }
}
