//! Headers read.

use std::ops::Range;

use metaproto_core::{DecodeError, Fault};

use super::{ACL_TOKEN, FIXED, INT_KEY_VALUE, KEY_VALUE, ZLIB};
use crate::dialect::Transport;
use crate::value::varint;

/// What a header says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Header {
    /// Where the message starts.
    pub(crate) payload: usize,
    /// How it is encoded, by the number of the transport.
    pub(crate) protocol: u64,
    /// Whether the message is compressed.
    pub(crate) is_compressed: bool,
    /// Where the keys and values are in which a change is made: their count first. Empty, at the
    /// place where they would stand, if there are none.
    pub(crate) pairs: Range<usize>,
    /// The same of those whose keys are numbers.
    pub(crate) numbered: Range<usize>,
}

/// A key and a value, by their place in the frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pair {
    pub(crate) key: Key,
    pub(crate) value: Range<usize>,
}

/// The key of an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Key {
    Text(Range<usize>),
    Number(u16),
}

fn truncated(field: &'static str) -> DecodeError {
    DecodeError::message(field, Fault::Truncated)
}

/// Reads the header of a frame, and hands out its keys and values.
pub(crate) fn read(
    frame: &[u8],
    transport: Transport,
    each: impl FnMut(Pair),
) -> Result<Header, DecodeError> {
    let words =
        frame.get(12..FIXED).and_then(<[u8]>::first_chunk).map(|two| u16::from_be_bytes(*two));
    let size = usize::from(words.ok_or_else(|| truncated("header"))?).saturating_mul(4);
    let end = FIXED.saturating_add(size);
    if end > frame.len() {
        return Err(truncated("header"));
    }
    let cursor = Cursor { frame, position: FIXED, end };
    match transport {
        Transport::TtHeader => tt_header(cursor, each),
        _ => t_header(cursor, each),
    }
}

fn t_header(mut cursor: Cursor<'_>, mut each: impl FnMut(Pair)) -> Result<Header, DecodeError> {
    let mut header =
        Header { payload: cursor.end, protocol: cursor.varint()?, ..Header::default() };
    for _ in 0..cursor.varint()? {
        match cursor.varint()? {
            ZLIB => header.is_compressed = true,
            other => {
                let told = i64::try_from(other).unwrap_or(i64::MAX);
                return Err(DecodeError::message("transform", Fault::UnknownValue(told)));
            }
        }
    }
    header.pairs = cursor.position..cursor.position;
    header.numbered = header.pairs.clone();
    while cursor.position < cursor.end {
        let start = cursor.position;
        match cursor.varint()? {
            0 => break, // padding
            kind if kind == u64::from(KEY_VALUE) => {
                for _ in 0..cursor.varint()? {
                    let (key, value) = (cursor.text()?, cursor.text()?);
                    each(Pair { key: Key::Text(key), value });
                }
                header.pairs = start..cursor.position;
            }
            // Information of a kind that is not known: it has no length, so that is all.
            _ => break,
        }
    }
    Ok(header)
}

fn tt_header(mut cursor: Cursor<'_>, mut each: impl FnMut(Pair)) -> Result<Header, DecodeError> {
    let protocol = u64::from(cursor.byte()?);
    let mut header = Header { payload: cursor.end, protocol, ..Header::default() };
    if cursor.byte()? > 0 {
        let transform = i64::from(cursor.byte()?);
        return Err(DecodeError::message("transform", Fault::UnknownValue(transform)));
    }
    header.pairs = cursor.position..cursor.position;
    header.numbered = header.pairs.clone();
    while cursor.position < cursor.end {
        let start = cursor.position;
        match cursor.byte()? {
            0 => {}
            KEY_VALUE => {
                for _ in 0..cursor.short()? {
                    let (key, value) = (cursor.long_text()?, cursor.long_text()?);
                    each(Pair { key: Key::Text(key), value });
                }
                header.pairs = start..cursor.position;
            }
            INT_KEY_VALUE => {
                for _ in 0..cursor.short()? {
                    let (key, value) = (cursor.short()?, cursor.long_text()?);
                    each(Pair { key: Key::Number(key), value });
                }
                header.numbered = start..cursor.position;
            }
            ACL_TOKEN => {
                cursor.long_text()?;
            }
            _ => break,
        }
    }
    Ok(header)
}

struct Cursor<'a> {
    frame: &'a [u8],
    position: usize,
    end: usize,
}

impl Cursor<'_> {
    fn rest(&self) -> &[u8] {
        self.frame.get(self.position..self.end).unwrap_or_default()
    }

    fn take(&mut self, len: usize) -> Result<Range<usize>, DecodeError> {
        let end = self.position.checked_add(len).filter(|end| *end <= self.end);
        let range = self.position..end.ok_or_else(|| truncated("header"))?;
        self.position = range.end;
        Ok(range)
    }

    fn byte(&mut self) -> Result<u8, DecodeError> {
        let byte = self.rest().first().copied().ok_or_else(|| truncated("header"))?;
        self.take(1)?;
        Ok(byte)
    }

    fn short(&mut self) -> Result<u16, DecodeError> {
        let bytes = self.rest().first_chunk().copied().ok_or_else(|| truncated("header"))?;
        self.take(2)?;
        Ok(u16::from_be_bytes(bytes))
    }

    fn varint(&mut self) -> Result<u64, DecodeError> {
        let (number, size) = varint(self.rest())
            .map_err(|error| DecodeError::message("header", error.fault))?
            .ok_or_else(|| truncated("header"))?;
        self.take(size)?;
        Ok(number)
    }

    fn text(&mut self) -> Result<Range<usize>, DecodeError> {
        let len = self.varint()?;
        self.take(usize::try_from(len).unwrap_or(usize::MAX))
    }

    fn long_text(&mut self) -> Result<Range<usize>, DecodeError> {
        let len = self.short()?;
        self.take(usize::from(len))
    }
}
