//! Strings, as they stand in a stream.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

use metaproto_core::DecodeError;

use super::cursor::{Cursor, truncated, wrong};

/// A string as it stands in a stream: a length in UTF-16 units, then UTF-8; or several of that, in
/// chunks. What lies beyond the BMP is written as two surrogates of three bytes each (CESU-8) by some
/// writers, and as four bytes by others.
#[derive(Clone, Copy)]
pub struct Text<'a> {
    /// All of the stream.
    input: &'a [u8],
    form: Form,
}

#[derive(Clone, Copy)]
enum Form {
    /// ASCII in one piece.
    Ascii(usize, usize),
    /// One piece.
    Piece(usize, usize),
    /// Chunks, the first of which starts here with its code.
    Chunks(usize),
}

/// Reads a string.
#[inline]
pub(super) fn read<'a>(cursor: &mut Cursor<'a>) -> Result<Text<'a>, DecodeError> {
    let start = cursor.position;
    let input = cursor.input;
    let code = cursor.byte()?;
    if code == b'R' {
        pass(cursor, code)?;
        return Ok(Text { input, form: Form::Chunks(start) });
    }
    let units = length(cursor, code)?;
    let start = cursor.position;
    let is_ascii = characters(cursor, units)?;
    let form = if is_ascii { Form::Ascii } else { Form::Piece };
    Ok(Text { input, form: form(start, cursor.position) })
}

/// Passes over a string whose first byte was `code`.
#[inline]
pub(super) fn pass(cursor: &mut Cursor<'_>, mut code: u8) -> Result<(), DecodeError> {
    loop {
        let units = length(cursor, code)?;
        characters(cursor, units)?;
        if code != b'R' {
            return Ok(());
        }
        code = cursor.byte()?;
    }
}

/// The length of a chunk in UTF-16 units.
#[inline]
fn length(cursor: &mut Cursor<'_>, code: u8) -> Result<usize, DecodeError> {
    match code {
        0x00..=0x1f => Ok(usize::from(code)),
        0x30..=0x33 => cursor.length(usize::from(code.saturating_sub(0x30)), 1),
        b'S' | b'R' => cursor.length(0, 2),
        _ => Err(wrong("has another value where a text is due")),
    }
}

/// Passes over so many UTF-16 units; tells whether they are all ASCII.
#[inline]
fn characters(cursor: &mut Cursor<'_>, units: usize) -> Result<bool, DecodeError> {
    let rest = cursor.input.get(cursor.position..).unwrap_or_default();
    // A character has a byte at least, so that the first `units` bytes are of this text.
    let front = rest.get(..units).ok_or_else(truncated)?;
    if front.is_ascii() {
        cursor.position = cursor.position.saturating_add(units);
        return Ok(true);
    }
    let mut left = units;
    let mut at = 0_usize;
    while left > 0 {
        let (size, width) = match rest.get(at).ok_or_else(truncated)? {
            0x00..=0x7f => (1, 1),
            0xc0..=0xdf => (2, 1),
            0xe0..=0xef => (3, 1),
            // Java counts two units. Others count one character: theirs may be the last.
            0xf0..=0xf7 => (4, 2),
            _ => return Err(wrong("has a text that is not UTF-8")),
        };
        at = at.saturating_add(size);
        left = left.saturating_sub(width);
    }
    cursor.take(at)?;
    Ok(false)
}

impl<'a> Text<'a> {
    /// One that is ASCII.
    #[inline(always)]
    pub(super) fn ascii(input: &'a [u8], start: usize, end: usize) -> Self {
        Text { input, form: Form::Ascii(start, end) }
    }

    /// Where the text stands, if it is UTF-8 in one piece: the usual case.
    #[must_use]
    #[inline]
    pub fn place(&self) -> Option<Range<usize>> {
        match self.form {
            Form::Ascii(start, end) => Some(start..end),
            Form::Piece(start, end) => {
                let bytes = self.input.get(start..end)?;
                std::str::from_utf8(bytes).ok().map(|_| start..end)
            }
            Form::Chunks(_) => None,
        }
    }

    /// The text in one piece, its surrogates as the characters that they stand for. What is wrong is
    /// replaced.
    #[must_use]
    pub fn to_text(&self) -> Cow<'a, str> {
        let place = self.place().and_then(|place| self.input.get(place));
        if let Some(text) = place.and_then(|bytes| std::str::from_utf8(bytes).ok()) {
            return Cow::Borrowed(text);
        }
        match self.form {
            Form::Ascii(start, end) | Form::Piece(start, end) => {
                Cow::Owned(joined(self.input.get(start..end).unwrap_or_default()))
            }
            Form::Chunks(start) => Cow::Owned(joined(&self.gathered(start))),
        }
    }

    /// The bytes of all chunks.
    fn gathered(&self, start: usize) -> Vec<u8> {
        let mut tables = super::Tables::default();
        let mut cursor = Cursor::new(self.input, start, &mut tables);
        let mut bytes = Vec::new();
        // They have been read before: there is no error.
        while let Ok(code) = cursor.byte()
            && let Ok(units) = length(&mut cursor, code)
        {
            let start = cursor.position;
            let Ok(_) = characters(&mut cursor, units) else { break };
            bytes.extend_from_slice(self.input.get(start..cursor.position).unwrap_or_default());
            if code != b'R' {
                break;
            }
        }
        bytes
    }
}

/// UTF-8 of which some may be CESU-8, as a text.
fn joined(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some(at) = rest.windows(3).position(|three| surrogate(three).is_some()) {
        let (before, from) = rest.split_at(at);
        text.push_str(&String::from_utf8_lossy(before));
        let (first, after) = from.split_at(3);
        let pair = [surrogate(first), after.get(..3).and_then(surrogate)];
        let units = pair.into_iter().flatten();
        match char::decode_utf16(units).next() {
            Some(Ok(character)) => {
                text.push(character);
                rest = after.get(3..).unwrap_or_default();
            }
            _ => {
                text.push(char::REPLACEMENT_CHARACTER);
                rest = after;
            }
        }
    }
    text.push_str(&String::from_utf8_lossy(rest));
    text
}

/// The surrogate that three bytes stand for.
fn surrogate(bytes: &[u8]) -> Option<u16> {
    match *bytes {
        [0xed, second @ 0xa0..=0xbf, third @ 0x80..=0xbf] => {
            Some(0xd000 | u16::from(second & 0x3f) << 6 | u16::from(third & 0x3f))
        }
        _ => None,
    }
}

impl fmt::Debug for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.to_text(), f)
    }
}

impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_text())
    }
}
