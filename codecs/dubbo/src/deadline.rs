//! The time that a consumer waits, among the attachments of a call.
//!
//! Consumers tell it in milliseconds, as a number or as text, in `_TO`, which Apache Dubbo's providers
//! count down from, or in `timeout`. Source: `TIMEOUT_ATTACHMENT_KEY` and `TIMEOUT_KEY` of Apache
//! Dubbo's `CommonConstants`, `RpcUtils.getTimeout`; `DubboInvoker` of dubbo-go.
//!
//! Another time is written over the one that is there, in as many bytes: numbers keep their form,
//! however short it is, and texts get zeros in front. An entry tells by its first byte, that of its
//! key, what it is serialized with.

use std::ops::{Range, RangeInclusive};
use std::time::Duration;

use metaproto_core::EncodeError;

/// The attachment with the timeout that the consumer is configured with.
pub(crate) const TIMEOUT: &[u8] = b"timeout";

/// The attachment with the time that is left by the consumer's count.
pub(crate) const LEFT: &[u8] = b"_TO";

/// The most digits that are written.
const MOST_DIGITS: usize = 18;

/// Where in an entry the time stands, and in which form.
#[derive(Debug, PartialEq, Eq)]
enum Spot {
    /// Decimal digits.
    Digits(Range<usize>),
    /// A number in JSON, which can't begin with zeros; spaces in front of it mean nothing.
    Json(Range<usize>),
    /// A number of which the first byte, at this distance from `zero`, holds the high bits.
    Compact { at: Range<usize>, zero: u8, most: u64 },
    /// A big-endian number with a sign.
    Plain(Range<usize>),
}

/// Forms of numbers: their first bytes, that of zero, how many follow, and the largest number.
type Compact = (RangeInclusive<u8>, u8, usize, u64);

/// Those of Hessian 2, ints and longs.
const HESSIAN: [Compact; 6] = [
    (0x80..=0xbf, 0x90, 0, 47),
    (0xc0..=0xcf, 0xc8, 1, 2047),
    (0xd0..=0xd7, 0xd4, 2, 262_143),
    (0xd8..=0xef, 0xe0, 0, 15),
    (0xf0..=0xff, 0xf8, 1, 2047),
    (0x38..=0x3f, 0x3c, 2, 262_143),
];

/// Those of JSONB. A first byte is not that of a key.
const JSONB: [Compact; 6] = [
    (0x00..=0x2f, 0x00, 0, 47),
    (0x30..=0x3f, 0x38, 1, 2047),
    (0x40..=0x47, 0x44, 2, 262_143),
    (0xd8..=0xef, 0xe0, 0, 15),
    (0xc8..=0xd7, 0xd0, 1, 2047),
    (0xc0..=0xc7, 0xc4, 2, 262_143),
];

/// What a key of JSONB begins with, less its length.
const JSONB_TEXT: u8 = 0x49;

/// Whether another time can be written into this entry, key and value.
pub(crate) fn is_writable(entry: &[u8]) -> bool {
    spot(entry).is_some()
}

/// Writes another time into an entry: as much of it as fits, and never nothing, which is no limit.
pub(crate) fn write(entry: &mut [u8], remaining: Duration) -> Result<(), EncodeError> {
    let spot = spot(entry).ok_or(EncodeError::Unsupported("deadlines in another form"))?;
    let left = u64::try_from(remaining.as_millis()).unwrap_or(u64::MAX);
    match spot {
        Spot::Digits(at) => decimal(entry, at, left, b'0'),
        Spot::Json(at) => decimal(entry, at, left, b' '),
        Spot::Compact { at, zero, most } => {
            let first = big_endian(entry, at.clone(), left.clamp(1, most));
            if let Some(code) = entry.get_mut(at.start) {
                *code = zero.wrapping_add(first);
            }
        }
        Spot::Plain(at) => {
            let bits = u32::try_from(at.len().saturating_mul(8)).unwrap_or(64).clamp(8, 64);
            let most = u64::MAX >> 64_u32.saturating_sub(bits) >> 1;
            big_endian(entry, at, left.clamp(1, most));
        }
    }
    Ok(())
}

/// Writes the low bytes of a number; tells the first of them.
fn big_endian(entry: &mut [u8], at: Range<usize>, number: u64) -> u8 {
    let (mut rest, mut first) = (number, 0);
    for byte in entry.get_mut(at).unwrap_or_default().iter_mut().rev() {
        first = rest.to_le_bytes()[0];
        *byte = first;
        rest >>= 8;
    }
    first
}

fn decimal(entry: &mut [u8], at: Range<usize>, left: u64, padding: u8) {
    let width = u32::try_from(at.len().min(MOST_DIGITS)).unwrap_or_default();
    let most = 10_u64.saturating_pow(width).saturating_sub(1);
    let mut left = left.clamp(1, most.max(1));
    for byte in entry.get_mut(at).unwrap_or_default().iter_mut().rev() {
        let digit = b'0'.saturating_add(u8::try_from(left % 10).unwrap_or_default());
        *byte = if left == 0 { padding } else { digit };
        left /= 10;
    }
}

fn spot(entry: &[u8]) -> Option<Spot> {
    let first = *entry.first()?;
    let named = |len: u8| [TIMEOUT, LEFT].iter().any(|name| name.len() == usize::from(len));
    let key = |len: u8| usize::from(len).saturating_add(1);
    match first {
        b'"' => json(entry),
        len if named(len) => hessian(entry, key(len)),
        code => {
            let len = code.checked_sub(JSONB_TEXT).filter(|len| named(*len))?;
            jsonb(entry, key(len))
        }
    }
}

/// The value of an entry in Hessian 2, which starts at `at`.
fn hessian(entry: &[u8], at: usize) -> Option<Spot> {
    let code = *entry.get(at)?;
    match code {
        0x01..=0x1f => digits(entry, at, code),
        b'I' | 0x59 => plain(entry, at, 4),
        b'L' => plain(entry, at, 8),
        _ => compact(entry, at, &HESSIAN),
    }
}

/// The value of an entry in JSONB.
fn jsonb(entry: &[u8], at: usize) -> Option<Spot> {
    let code = *entry.get(at)?;
    match code {
        0x4a..=0x78 => digits(entry, at, code.saturating_sub(JSONB_TEXT)),
        0xbd => plain(entry, at, 1),
        0xbc => plain(entry, at, 2),
        0x48 | 0xbf => plain(entry, at, 4),
        0xbe => plain(entry, at, 8),
        _ => compact(entry, at, &JSONB),
    }
}

/// The value of an entry in JSON, whose key is one of the two and needs no escapes.
fn json(entry: &[u8]) -> Option<Spot> {
    let colon = memchr::memchr(b':', entry)?;
    let rest = entry.get(colon.checked_add(1)?..)?;
    let value = rest.trim_ascii_start();
    let at = entry.len().checked_sub(value.len())?;
    match value {
        [b'"', text @ .., b'"'] if is_number(text) => {
            let start = at.checked_add(1)?;
            Some(Spot::Digits(start..start.checked_add(text.len())?))
        }
        text if is_number(text) => Some(Spot::Json(at..entry.len())),
        _ => None,
    }
}

/// A text of `len` bytes behind the byte that tells so.
fn digits(entry: &[u8], at: usize, len: u8) -> Option<Spot> {
    let text = at.checked_add(1)?..entry.len();
    let is_it = text.len() == usize::from(len) && is_number(entry.get(text.clone())?);
    is_it.then_some(Spot::Digits(text))
}

/// Whether a text is nothing but digits, so few that they fit into 64 bits.
pub(crate) fn is_number(text: &[u8]) -> bool {
    (1..=MOST_DIGITS).contains(&text.len()) && text.iter().all(u8::is_ascii_digit)
}

/// A number of `size` bytes behind the byte that tells so.
fn plain(entry: &[u8], at: usize, size: usize) -> Option<Spot> {
    let number = at.checked_add(1)?..entry.len();
    (number.len() == size).then_some(Spot::Plain(number))
}

fn compact(entry: &[u8], at: usize, forms: &[Compact]) -> Option<Spot> {
    let code = entry.get(at)?;
    let (_, zero, size, most) = forms.iter().find(|(codes, ..)| codes.contains(code))?;
    let at = at..entry.len();
    (at.len() == size.checked_add(1)?).then_some(Spot::Compact { at, zero: *zero, most: *most })
}
