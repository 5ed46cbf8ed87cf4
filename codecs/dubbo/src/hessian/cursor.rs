//! The way through a stream of values.

use std::ops::Range;

use metaproto_core::{DecodeError, Fault};

use super::skip::{Tables, pass};
use super::text::{self, Text};

/// Passes over the values of a stream in Hessian 2.
///
/// Positions count from the start of the input, so that they fit the ranges of
/// [`Metadata`](metaproto_core::Metadata) if that is the frame. After an error nothing more can be
/// read, because where the next value starts is not known.
#[derive(Debug)]
pub struct Cursor<'a> {
    pub(super) input: &'a [u8],
    pub(super) position: usize,
    pub(super) tables: &'a mut Tables,
}

/// A value, if it is short; see [`Cursor::value`].
#[derive(Debug, Clone, Copy)]
pub enum Value<'a> {
    /// Null.
    Null,
    /// True or false.
    Bool(bool),
    /// An int or a long.
    Int(i64),
    /// A double.
    Double(f64),
    /// A string.
    Text(Text<'a>),
    /// Anything else, passed over.
    Other {
        /// Whether it ties in with others: lists, maps and objects take numbers that
        /// back-references count, class definitions have numbers that objects name, and a
        /// back-reference needs what it refers to.
        compound: bool,
    },
}

impl<'a> Cursor<'a> {
    /// Starts at the byte `at` of `input`, with no class defined.
    #[must_use]
    #[inline]
    pub fn new(input: &'a [u8], at: usize, tables: &'a mut Tables) -> Self {
        tables.clear();
        Cursor { input, position: at, tables }
    }

    /// All of the input.
    #[must_use]
    #[inline]
    pub fn input(&self) -> &'a [u8] {
        self.input
    }

    /// Where the next value starts.
    #[must_use]
    #[inline]
    pub fn position(&self) -> usize {
        self.position
    }

    /// Whether there is no further byte.
    #[must_use]
    pub fn is_at_end(&self) -> bool {
        self.position >= self.input.len()
    }

    /// The next byte, which is not read.
    #[must_use]
    #[inline]
    pub fn peek(&self) -> Option<u8> {
        self.input.get(self.position).copied()
    }

    /// Reads a string, or null.
    ///
    /// # Errors
    /// The next value is another one, or the input ends within it.
    #[inline(always)]
    pub fn text(&mut self) -> Result<Option<Text<'a>>, DecodeError> {
        match self.short() {
            Some(text) => Ok(Some(text)),
            None => self.long_text(),
        }
    }

    fn long_text(&mut self) -> Result<Option<Text<'a>>, DecodeError> {
        let code = self.peek().ok_or_else(truncated)?;
        match code {
            b'N' => {
                self.byte()?;
                Ok(None)
            }
            0x00..=0x1f | 0x30..=0x33 | b'S' | b'R' => text::read(self).map(Some),
            _ => Err(wrong("has another value where a text is due")),
        }
    }

    /// Reads a string; `None`, and nothing is read, if the next value is another one.
    ///
    /// # Errors
    /// The input ends within it.
    #[inline(always)]
    pub fn key(&mut self) -> Result<Option<Text<'a>>, DecodeError> {
        match self.short() {
            Some(text) => Ok(Some(text)),
            None => self.long_key(),
        }
    }

    fn long_key(&mut self) -> Result<Option<Text<'a>>, DecodeError> {
        match self.peek().ok_or_else(truncated)? {
            0x00..=0x1f | 0x30..=0x33 | b'S' | b'R' => text::read(self).map(Some),
            _ => Ok(None),
        }
    }

    /// Reads any value.
    ///
    /// # Errors
    /// It is no value, it is nested more than [`Tables::DEEPEST`] deep, or the input ends within it.
    pub fn value(&mut self) -> Result<Value<'a>, DecodeError> {
        match self.short() {
            Some(text) => Ok(Value::Text(text)),
            None => self.long_value(),
        }
    }

    fn long_value(&mut self) -> Result<Value<'a>, DecodeError> {
        let code = self.peek().ok_or_else(truncated)?;
        Ok(match code {
            0x00..=0x1f | 0x30..=0x33 | b'S' | b'R' => Value::Text(text::read(self)?),
            b'N' | b'T' | b'F' => {
                self.byte()?;
                match code {
                    b'N' => Value::Null,
                    _ => Value::Bool(code == b'T'),
                }
            }
            0x80..=0xd7 | b'I' => Value::Int(self.int()?),
            0xd8..=0xff | 0x38..=0x3f | 0x59 | b'L' => Value::Int(self.long()?),
            0x5b..=0x5f | b'D' => Value::Double(self.double()?),
            _ => {
                let compound =
                    matches!(code, 0x43 | 0x48 | 0x4d | 0x4f | 0x51 | 0x55..=0x58 | 0x60..=0x7f);
                pass(self)?;
                Value::Other { compound }
            }
        })
    }

    /// Passes over a value.
    ///
    /// # Errors
    /// As [`value`](Cursor::value).
    #[inline(always)]
    pub fn skip(&mut self) -> Result<(), DecodeError> {
        match self.short() {
            Some(_) => Ok(()),
            None => pass(self),
        }
    }

    /// Reads a string of at most 31 characters, all of them ASCII, if one comes next. Most strings
    /// are.
    #[inline(always)]
    pub(super) fn short(&mut self) -> Option<Text<'a>> {
        let (code, rest) = self.input.get(self.position..)?.split_first()?;
        let bytes = rest.get(..usize::from(*code)).filter(|_| *code <= 0x1f)?;
        if !bytes.is_ascii() {
            return None;
        }
        let start = self.position.saturating_add(1);
        self.position = start.saturating_add(bytes.len());
        Some(Text::ascii(self.input, start, self.position))
    }

    /// Reads the start of a map; `false` if there is a null instead.
    ///
    /// # Errors
    /// The next value is another one, or the input ends within the start.
    pub fn map(&mut self) -> Result<bool, DecodeError> {
        match self.byte()? {
            b'N' => Ok(false),
            b'H' => Ok(true),
            b'M' => self.type_name().map(|()| true),
            _ => Err(wrong("has another value where a map is due")),
        }
    }

    /// Reads the end of a map, if it comes next.
    ///
    /// # Errors
    /// The input ends.
    pub fn map_end(&mut self) -> Result<bool, DecodeError> {
        let is_end = self.peek().ok_or_else(truncated)? == b'Z';
        if is_end {
            self.byte()?;
        }
        Ok(is_end)
    }

    /// Passes over the name of a type, or the number of one that was named before.
    pub(super) fn type_name(&mut self) -> Result<(), DecodeError> {
        match self.peek().ok_or_else(truncated)? {
            0x00..=0x1f | 0x30..=0x33 | b'S' | b'R' => text::read(self).map(drop),
            _ => self.int().map(drop),
        }
    }

    /// An int.
    pub(super) fn int(&mut self) -> Result<i64, DecodeError> {
        match self.byte()? {
            code @ 0x80..=0xbf => Ok(distance(code, 0x90)),
            code @ 0xc0..=0xcf => self.number(distance(code, 0xc8), 1),
            code @ 0xd0..=0xd7 => self.number(distance(code, 0xd4), 2),
            b'I' => self.signed(4),
            _ => Err(wrong("has another value where a number is due")),
        }
    }

    fn long(&mut self) -> Result<i64, DecodeError> {
        match self.byte()? {
            code @ 0xd8..=0xef => Ok(distance(code, 0xe0)),
            code @ 0xf0..=0xff => self.number(distance(code, 0xf8), 1),
            code @ 0x38..=0x3f => self.number(distance(code, 0x3c), 2),
            0x59 => self.signed(4),
            _ => self.signed(8),
        }
    }

    fn double(&mut self) -> Result<f64, DecodeError> {
        Ok(match self.byte()? {
            0x5b => 0.0,
            0x5c => 1.0,
            0x5d => self.signed(1)? as f64,
            0x5e => self.signed(2)? as f64,
            // A float, or thousandths: writers differ, and nobody routes by it.
            0x5f => self.signed(4)? as f64 / 1000.0,
            _ => f64::from_bits(self.signed(8)?.cast_unsigned()),
        })
    }

    /// A number of `len` bytes, at most 8, with a sign.
    fn signed(&mut self, len: usize) -> Result<i64, DecodeError> {
        let is_negative = self.peek().is_some_and(|byte| byte >= 0x80);
        self.number(if is_negative { -1 } else { 0 }, len)
    }

    /// A number of which `high` is known, and `len` bytes follow.
    pub(super) fn number(&mut self, high: i64, len: usize) -> Result<i64, DecodeError> {
        let range = self.take(len)?;
        let bytes = self.input.get(range).unwrap_or_default();
        Ok(bytes.iter().fold(high, |number, byte| number << 8 | i64::from(*byte)))
    }

    /// A length of two bytes.
    #[inline]
    pub(super) fn length(&mut self, high: usize, len: usize) -> Result<usize, DecodeError> {
        let range = self.take(len)?;
        let bytes = self.input.get(range).unwrap_or_default();
        Ok(bytes.iter().fold(high, |number, byte| number << 8 | usize::from(*byte)))
    }

    #[inline]
    pub(super) fn byte(&mut self) -> Result<u8, DecodeError> {
        let byte = self.peek().ok_or_else(truncated)?;
        self.position = self.position.saturating_add(1);
        Ok(byte)
    }

    #[inline]
    pub(super) fn take(&mut self, len: usize) -> Result<Range<usize>, DecodeError> {
        let end = self.position.checked_add(len).filter(|end| *end <= self.input.len());
        let range = self.position..end.ok_or_else(truncated)?;
        self.position = range.end;
        Ok(range)
    }

    /// The bytes that are left.
    pub(super) fn left(&self) -> usize {
        self.input.len().saturating_sub(self.position)
    }
}

/// How far a code is from that of zero.
fn distance(code: u8, zero: u8) -> i64 {
    i64::from(code).saturating_sub(i64::from(zero))
}

#[cold]
pub(super) fn truncated() -> DecodeError {
    DecodeError::message("body", Fault::Truncated)
}

#[cold]
pub(super) fn wrong(what: &'static str) -> DecodeError {
    DecodeError::message("body", Fault::Other(what))
}
