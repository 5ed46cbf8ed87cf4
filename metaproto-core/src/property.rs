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

impl fmt::Display for PropertyValue<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_text())
    }
}
