//! Bodies in JSONB, the binary JSON of fastjson2: each value with its length in front, as four bytes,
//! big-endian.
//!
//! Source: `FastJson2ObjectOutput` of Apache Dubbo, and fastjson2's description of JSONB. The first
//! byte of a value tells its kind, and often its size or all of it.

use std::borrow::Cow;
use std::ops::Range;

use metaproto_core::{BytesMut, DecodeError, Fault};

use super::{Bounded, Entry, Kept, Text, Value, Values, WriteMap, truncated, wrong};

/// Nothing.
pub(crate) const NULL: u8 = 0xaf;

const BINARY: u8 = 0x91;
const TYPED: u8 = 0x92;
const REFERENCE: u8 = 0x93;
const ARRAY_MIN: u8 = 0x94;
const ARRAY: u8 = 0xa4;
const OBJECT_END: u8 = 0xa5;
const OBJECT: u8 = 0xa6;
const INT8: u8 = 0xbd;
const TEXT_MIN: u8 = 0x49;
const TEXT_MAX: u8 = 0x78;
const ASCII: u8 = 0x79;
const UTF8: u8 = 0x7a;
const SYMBOL: u8 = 0x7f;

/// Attachments are texts; what lies deeper in them than this is not read.
const DEEPEST: u32 = 32;

/// The values of a body in JSONB.
pub(crate) struct Jsonb<'a> {
    frame: &'a [u8],
    position: usize,
}

impl<'a> Jsonb<'a> {
    pub(crate) fn new(frame: &'a [u8], at: usize) -> Self {
        Jsonb { frame, position: at }
    }

    /// The next value, without its length.
    fn block(&mut self) -> Result<Block<'a>, DecodeError> {
        let start = self.position.saturating_add(4);
        let len = self.frame.get(self.position..start).and_then(|len| len.try_into().ok());
        let len = u32::from_be_bytes(len.ok_or_else(truncated)?);
        let end = usize::try_from(len).ok().and_then(|len| start.checked_add(len));
        let end = end.filter(|end| *end <= self.frame.len()).ok_or_else(truncated)?;
        self.position = end;
        Ok(Block { frame: self.frame, position: start, end })
    }
}

impl<'a> Values<'a> for Jsonb<'a> {
    fn position(&self) -> usize {
        self.position
    }

    fn is_at_end(&self) -> bool {
        self.position >= self.frame.len()
    }

    fn text(&mut self) -> Result<Option<Text<'a>>, DecodeError> {
        match self.value()? {
            Value::Null => Ok(None),
            Value::Text(text) => Ok(Some(text)),
            _ => Err(wrong("has another value where a text is due")),
        }
    }

    fn value(&mut self) -> Result<Value<'a>, DecodeError> {
        let mut block = self.block()?;
        // The length tells where a large value ends: it need not be gone through.
        match block.peek()? {
            BINARY..=OBJECT => Ok(Value::Other),
            _ => block.value(0),
        }
    }

    fn skip(&mut self) -> Result<(), DecodeError> {
        self.block().map(drop)
    }

    fn map(
        &mut self,
        wanted: impl Fn(&[u8]) -> bool,
        each: impl FnMut(Entry<'a>),
    ) -> Result<Option<Range<usize>>, DecodeError> {
        let mut entries = Bounded::new(each);
        let mut block = self.block()?;
        let start = block.position;
        block.pass_type()?;
        match block.byte()? {
            NULL => return Ok(None),
            OBJECT => {}
            _ => return Err(wrong("has no map of attachments in JSONB")),
        }
        let marks = start..block.position;
        while block.peek()? != OBJECT_END {
            let start = block.position;
            let defines = block.peek()? == SYMBOL;
            let key = block.value(1)?;
            let defines = defines || block.peek()? == SYMBOL;
            let value = block.value(1)?;
            let counts = defines || matches!(value, Value::Other);
            let place = start..block.position;
            match key {
                Value::Text(key) if wanted(key.bytes(self.frame)) => {
                    entries.hand(Entry { key: Some(key), value, counts, place })?;
                }
                Value::Text(_) => {}
                _ => entries.hand(Entry::nameless(place))?,
            }
        }
        Ok(Some(marks))
    }
}

/// The bytes of one value.
struct Block<'a> {
    frame: &'a [u8],
    position: usize,
    end: usize,
}

impl<'a> Block<'a> {
    fn peek(&self) -> Result<u8, DecodeError> {
        let rest = self.frame.get(self.position..self.end);
        rest.and_then(|rest| rest.first()).copied().ok_or_else(truncated)
    }

    fn byte(&mut self) -> Result<u8, DecodeError> {
        let byte = self.peek()?;
        self.position = self.position.saturating_add(1);
        Ok(byte)
    }

    fn take(&mut self, len: usize) -> Result<Range<usize>, DecodeError> {
        let end = self.position.checked_add(len).filter(|end| *end <= self.end);
        let range = self.position..end.ok_or_else(truncated)?;
        self.position = range.end;
        Ok(range)
    }

    fn bytes(&self, range: Range<usize>) -> &'a [u8] {
        self.frame.get(range).unwrap_or_default()
    }

    /// A big-endian number of `len` bytes, at most 8, with a sign.
    fn number(&mut self, len: usize) -> Result<i64, DecodeError> {
        let range = self.take(len)?;
        let bytes = self.bytes(range);
        let first = if bytes.first().is_some_and(|byte| *byte >= 0x80) { -1 } else { 0 };
        Ok(bytes.iter().fold(first, |number, byte| number << 8 | i64::from(*byte)))
    }

    /// A number whose first byte, at this distance from the one of zero, holds its high bits.
    fn compact(&mut self, code: u8, zero: u8, rest: usize) -> Result<i64, DecodeError> {
        let high = i64::from(code).saturating_sub(i64::from(zero));
        let range = self.take(rest)?;
        Ok(self.bytes(range).iter().fold(high, |number, byte| number << 8 | i64::from(*byte)))
    }

    /// A length or a count, which is a value itself.
    fn len(&mut self) -> Result<usize, DecodeError> {
        let code = self.byte()?;
        let number = self.int(code)?.ok_or_else(|| wrong("has no number as a length"))?;
        usize::try_from(number).map_err(|_| wrong("has a length below zero"))
    }

    /// The whole number that begins with `code`, if one does.
    fn int(&mut self, code: u8) -> Result<Option<i64>, DecodeError> {
        Ok(Some(match code {
            0x00..=0x2f => i64::from(code),
            0xf0..=0xff => i64::from(code.cast_signed()),
            0x30..=0x3f => self.compact(code, 0x38, 1)?,
            0x40..=0x47 => self.compact(code, 0x44, 2)?,
            0x48 => self.number(4)?,
            0xd8..=0xef => i64::from(code).saturating_sub(0xe0),
            0xc8..=0xd7 => self.compact(code, 0xd0, 1)?,
            0xc0..=0xc7 => self.compact(code, 0xc4, 2)?,
            0xbf => self.number(4)?,
            0xbe => self.number(8)?,
            INT8 => self.number(1)?,
            0xbc => self.number(2)?,
            _ => return Ok(None),
        }))
    }

    /// Passes over the name of a class in front of a value.
    fn pass_type(&mut self) -> Result<(), DecodeError> {
        if self.peek()? == TYPED {
            self.byte()?;
            self.symbol()?;
        }
        Ok(())
    }

    fn value(&mut self, depth: u32) -> Result<Value<'a>, DecodeError> {
        let code = self.byte()?;
        if let Some(number) = self.int(code)? {
            return Ok(Value::Int(number));
        }
        match code {
            NULL => return Ok(Value::Null),
            0xb0 => return Ok(Value::Bool(false)),
            0xb1 => return Ok(Value::Bool(true)),
            TEXT_MIN..=TEXT_MAX => {
                return self.latin(usize::from(code.saturating_sub(TEXT_MIN)));
            }
            ASCII..=0x7e => {
                let len = self.len()?;
                return self.long_text(code, len);
            }
            SYMBOL => return self.symbol(),
            _ => {}
        }
        if depth >= DEEPEST {
            return Err(DecodeError::message("body", Fault::TooDeep));
        }
        self.pass_other(code, depth.saturating_add(1))?;
        Ok(Value::Other)
    }

    /// A text and the number that it goes by from now on, or such a number.
    fn symbol(&mut self) -> Result<Value<'a>, DecodeError> {
        let text = match self.peek()? {
            TEXT_MIN..SYMBOL => self.value(DEEPEST)?,
            _ => Value::Other,
        };
        self.len()?;
        Ok(text)
    }

    /// A text whose bytes are its characters.
    fn latin(&mut self, len: usize) -> Result<Value<'a>, DecodeError> {
        let place = self.take(len)?;
        let bytes = self.bytes(place.clone());
        Ok(Value::Text(match bytes.is_ascii() {
            true => Text::InFrame(place),
            false => Text::Made(bytes.iter().map(|byte| char::from(*byte)).collect()),
        }))
    }

    fn long_text(&mut self, code: u8, len: usize) -> Result<Value<'a>, DecodeError> {
        if code == ASCII {
            return self.latin(len);
        }
        let place = self.take(len)?;
        let bytes = self.bytes(place.clone());
        let units = |unit: fn([u8; 2]) -> u16| {
            let units = bytes.as_chunks().0.iter().map(|pair| unit(*pair));
            let text = char::decode_utf16(units).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER));
            Text::Made(Cow::Owned(text.collect()))
        };
        Ok(match code {
            UTF8 => Value::Text(Text::InFrame(place)),
            0x7c => Value::Text(units(u16::from_le_bytes)),
            0x7b | 0x7d => Value::Text(units(u16::from_be_bytes)),
            // GB 18030: nobody can route by it, but it can be passed over.
            _ => Value::Other,
        })
    }

    /// Passes over what is no number and no text.
    fn pass_other(&mut self, code: u8, depth: u32) -> Result<(), DecodeError> {
        let size = match code {
            BINARY | 0xbb => self.len()?,
            TYPED => {
                self.symbol()?;
                return self.values(1, depth);
            }
            REFERENCE | 0xb4 | 0xb6 | 0xb8 | 0xba => return self.values(1, depth),
            ARRAY_MIN..ARRAY => {
                return self.values(usize::from(code.saturating_sub(ARRAY_MIN)), depth);
            }
            ARRAY => {
                let count = self.len()?;
                return self.values(count, depth);
            }
            OBJECT => {
                while self.peek()? != OBJECT_END {
                    self.values(2, depth)?;
                }
                1
            }
            // Times: fixed parts, then nanoseconds, then perhaps a zone.
            0xa7 | 0xa8 | 0xaa => {
                self.take(if code == 0xa7 { 3 } else { 7 })?;
                return self.values(if code == 0xaa { 2 } else { 1 }, depth);
            }
            0xb9 | 0xae => return self.values(2, depth),
            0xb2 | 0xb3 => 0,
            0x90 => return self.values(1, depth),
            0xb5 | 0xab => 8,
            0xb7 | 0xac | 0xad | 0xa9 => 4,
            _ => return Err(wrong("has a value of unknown kind in JSONB")),
        };
        self.take(size).map(drop)
    }

    /// Passes over `count` values, each of which has a byte at least.
    fn values(&mut self, count: usize, depth: u32) -> Result<(), DecodeError> {
        if count > self.end.saturating_sub(self.position) {
            return Err(truncated());
        }
        (0..count).try_for_each(|_| self.value(depth).map(drop))
    }
}

/// Writes maps in JSONB.
pub(crate) struct WriteJsonb;

impl WriteMap for WriteJsonb {
    fn map(
        &self,
        start: Option<&[u8]>,
        entries: &[Kept<'_>],
        out: &mut BytesMut,
    ) -> Option<Range<usize>> {
        let mut noted = None;
        block(out, |out| {
            out.extend_from_slice(start.unwrap_or(&[OBJECT]));
            for entry in entries {
                entry.write(out, b"", write_text, &mut noted);
            }
            out.extend_from_slice(&[OBJECT_END]);
        });
        noted
    }

    fn result_type(&self, kind: u8, out: &mut BytesMut) {
        block(out, |out| out.extend_from_slice(&[INT8, kind]));
    }
}

/// Appends a value with its length in front.
fn block(out: &mut BytesMut, write: impl FnOnce(&mut BytesMut)) {
    let start = out.len();
    out.extend_from_slice(&[0; 4]);
    write(out);
    let len = out.len().saturating_sub(start).saturating_sub(4);
    let len = u32::try_from(len).unwrap_or(u32::MAX).to_be_bytes();
    if let Some(place) = out.get_mut(start..).and_then(<[u8]>::first_chunk_mut) {
        *place = len;
    }
}

fn write_text(text: &str, out: &mut BytesMut) {
    let len = u8::try_from(text.len()).unwrap_or(u8::MAX);
    match text.is_ascii() && len <= TEXT_MAX - TEXT_MIN {
        true => out.extend_from_slice(&[TEXT_MIN.saturating_add(len)]),
        false => {
            let len = u32::try_from(text.len()).unwrap_or(u32::MAX);
            out.extend_from_slice(&[if text.is_ascii() { ASCII } else { UTF8 }, 0x48]);
            out.extend_from_slice(&len.to_be_bytes());
        }
    }
    out.extend_from_slice(text.as_bytes());
}

/// Appends a text as a value of a body.
pub(crate) fn write_text_block(text: &str, out: &mut BytesMut) {
    block(out, |out| write_text(text, out));
}
