//! Names and values of properties.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

/// The value of a property: text as it stands in the frame (not necessarily UTF-8), or a number,
/// which counts as its decimal text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PropertyValue<'a> {
    /// Text.
    Text(&'a [u8]),
    /// A number.
    Int(i128),
}

/// Where the name or the value of a property comes from; see
/// [`Metadata::push`](crate::Metadata::push).
#[derive(Debug, Clone)]
pub enum Source<'a> {
    /// A text that never changes.
    Static(&'static str),
    /// Text that stands in the frame.
    InFrame(Range<usize>),
    /// Text that stands nowhere in the frame, or not as one piece. It is copied.
    Text(&'a [u8]),
    /// A number.
    Int(i128),
}

/// Room for the decimal text of a number; see [`PropertyValue::as_bytes`].
#[derive(Default)]
pub struct IntText(itoa::Buffer);

impl fmt::Debug for IntText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("IntText")
    }
}

impl<'a> PropertyValue<'a> {
    /// The value as text; a number is written into `room`.
    #[must_use]
    pub fn as_bytes<'s>(&'s self, room: &'s mut IntText) -> &'s [u8] {
        match self {
            PropertyValue::Text(text) => text,
            PropertyValue::Int(number) => room.0.format(*number).as_bytes(),
        }
    }

    /// Whether the value as text is `text`. A number is not written for that, which would cost more
    /// than all else.
    #[must_use]
    #[inline]
    pub fn is_text(&self, text: &[u8]) -> bool {
        match self {
            PropertyValue::Text(own) => *own == text,
            PropertyValue::Int(number) => is_decimal(text, *number),
        }
    }

    /// The value as a number, if it is one or its text reads as a decimal one.
    #[must_use]
    pub fn as_int(&self) -> Option<i128> {
        match self {
            PropertyValue::Int(number) => Some(*number),
            PropertyValue::Text(text) => std::str::from_utf8(text).ok()?.trim().parse().ok(),
        }
    }

    /// The value as text for people; bytes that aren't UTF-8 are replaced.
    #[must_use]
    pub fn to_text(&self) -> Cow<'a, str> {
        match self {
            PropertyValue::Text(text) => String::from_utf8_lossy(text),
            PropertyValue::Int(number) => Cow::Owned(number.to_string()),
        }
    }
}

/// Whether `text` is what a number is written as: without a plus, and without zeros in front.
fn is_decimal(text: &[u8], number: i128) -> bool {
    // These digits fit whatever they are.
    const MOST_DIGITS: usize = 19;
    let (negative, digits) = match text {
        [b'-', digits @ ..] => (true, digits),
        digits => (false, digits),
    };
    let canonical = match digits {
        [] | [b'0', _, ..] => false,
        [b'0'] => !negative,
        _ => true,
    };
    if !canonical {
        return false;
    }
    let magnitude = number.unsigned_abs();
    if digits.len() > MOST_DIGITS {
        let mut room = itoa::Buffer::new();
        return negative == (number < 0) && room.format(magnitude).as_bytes() == digits;
    }
    let mut value = 0_u64;
    for digit in digits {
        let digit = digit.wrapping_sub(b'0');
        if digit > 9 {
            return false;
        }
        value = value.wrapping_mul(10).wrapping_add(u64::from(digit));
    }
    negative == (number < 0) && u128::from(value) == magnitude
}

impl fmt::Display for PropertyValue<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_text())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_its_decimal_text_and_no_other() {
        let digits = [0, 1, -1, 9, 10, -42, 100, 1_000_000_007, i128::MAX, i128::MIN];
        let edges = [9_999_999_999_999_999_999, 10_000_000_000_000_000_000, i128::from(i64::MIN)];
        let numbers = || digits.into_iter().chain(edges);
        for number in numbers() {
            let value = PropertyValue::Int(number);
            for other in numbers() {
                assert_eq!(value.is_text(other.to_string().as_bytes()), other == number);
            }
            for text in [format!("+{number}"), format!("0{number}"), format!("{number} ")] {
                assert!(!value.is_text(text.as_bytes()), "{text}");
            }
        }
        for text in ["", "-", "-0", "00", "x", "0x0", "1:"] {
            let is_any =
                numbers().any(|number| PropertyValue::Int(number).is_text(text.as_bytes()));
            assert!(!is_any, "{text}");
        }
    }
}
