//! Bodies in JSON as text: a line for a value, as fastjson writes them.
//!
//! Source: `FastJsonObjectOutput` of Apache Dubbo. A line holds one value; line breaks within texts
//! are escaped.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

use metaproto_core::{BytesMut, DecodeError};
use serde::Deserialize;
use serde::de::{Deserializer, Error, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::{Bounded, Entry, Kept, Text, Value, Values, WriteMap, truncated, wrong};

/// The values of a body in JSON.
pub(crate) struct Json<'a> {
    frame: &'a [u8],
    position: usize,
}

impl<'a> Json<'a> {
    pub(crate) fn new(frame: &'a [u8], at: usize) -> Self {
        Json { frame, position: at }
    }

    /// The next line without its end, and where it starts.
    fn line(&mut self) -> Result<Place<'a>, DecodeError> {
        let start = self.position;
        let rest = self.frame.get(start..).filter(|rest| !rest.is_empty());
        let rest = rest.ok_or_else(truncated)?;
        let len = memchr::memchr(b'\n', rest);
        let line = rest.get(..len.unwrap_or(rest.len())).unwrap_or_default();
        self.position =
            len.map_or(self.frame.len(), |len| start.saturating_add(len).saturating_add(1));
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let text = std::str::from_utf8(line).map_err(|_| wrong("is not UTF-8"))?;
        Ok(Place { text, start })
    }
}

impl<'a> Values<'a> for Json<'a> {
    fn position(&self) -> usize {
        self.position
    }

    fn is_at_end(&self) -> bool {
        self.position >= self.frame.len()
    }

    /// The last line of a body need not have an end.
    fn separator(&self) -> &'static [u8] {
        let before = self.position.checked_sub(1).and_then(|at| self.frame.get(at));
        if self.is_at_end() && before != Some(&b'\n') { b"\n" } else { b"" }
    }

    fn text(&mut self) -> Result<Option<Text<'a>>, DecodeError> {
        match self.value()? {
            Value::Null => Ok(None),
            Value::Text(text) => Ok(Some(text)),
            _ => Err(wrong("has another value where a text is due")),
        }
    }

    fn value(&mut self) -> Result<Value<'a>, DecodeError> {
        self.line()?.value()
    }

    fn skip(&mut self) -> Result<(), DecodeError> {
        self.line().map(drop)
    }

    fn map(
        &mut self,
        wanted: impl Fn(&[u8]) -> bool,
        each: impl FnMut(Entry<'a>),
    ) -> Result<Option<Range<usize>>, DecodeError> {
        let line = self.line()?;
        if line.text.trim() == "null" {
            return Ok(None);
        }
        let mut reader = serde_json::Deserializer::from_str(line.text);
        let each = Bounded::new(each);
        let entries = Entries { frame: self.frame, line, wanted, each };
        let read = reader.deserialize_map(entries).and_then(|()| reader.end());
        read.map_err(|_| wrong("has no map of attachments in JSON"))?;
        Ok(Some(line.start..line.start.saturating_add(1)))
    }
}

/// A piece of the frame.
#[derive(Debug, Clone, Copy)]
struct Place<'a> {
    text: &'a str,
    start: usize,
}

impl<'a> Place<'a> {
    /// A piece of this piece, by where it lies in memory.
    fn find(self, piece: &'a str) -> Option<Place<'a>> {
        let offset = (piece.as_ptr() as usize).checked_sub(self.text.as_ptr() as usize)?;
        let end = offset.checked_add(piece.len()).filter(|end| *end <= self.text.len())?;
        let text = self.text.get(offset..end)?;
        Some(Place { text, start: self.start.saturating_add(offset) })
    }

    fn end(self) -> usize {
        self.start.saturating_add(self.text.len())
    }

    fn value(self) -> Result<Value<'a>, DecodeError> {
        let text = self.text.trim();
        Ok(match text.as_bytes().first() {
            Some(b'"') => Value::Text(self.text_of(text)?),
            Some(b'n') => Value::Null,
            Some(b't') => Value::Bool(true),
            Some(b'f') => Value::Bool(false),
            Some(b'-' | b'0'..=b'9') => match text.parse() {
                Ok(number) => Value::Int(number),
                Err(_) => Value::Other,
            },
            Some(_) => Value::Other,
            None => return Err(wrong("has an empty line")),
        })
    }

    /// What a text in quotes says.
    fn text_of(self, quoted: &'a str) -> Result<Text<'a>, DecodeError> {
        let Borrowed(text) =
            serde_json::from_str(quoted).map_err(|_| wrong("has a text that is no JSON"))?;
        let place = match &text {
            Cow::Borrowed(text) => self.find(text),
            Cow::Owned(_) => None,
        };
        Ok(match place {
            Some(place) => Text::InFrame(place.start..place.end()),
            None => Text::Made(text),
        })
    }
}

/// A text that is borrowed where it has no escapes.
#[derive(Deserialize)]
struct Borrowed<'a>(#[serde(borrow)] Cow<'a, str>);

/// Hands out the entries of an object.
struct Entries<'a, W, E> {
    frame: &'a [u8],
    line: Place<'a>,
    wanted: W,
    each: Bounded<E>,
}

impl<'a, W: Fn(&[u8]) -> bool, E: FnMut(Entry<'a>)> Visitor<'a> for Entries<'a, W, E> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'a>>(mut self, mut map: A) -> Result<(), A::Error> {
        while let Some((key, value)) = map.next_entry::<&'a RawValue, &'a RawValue>()? {
            let find = |raw: &'a RawValue| {
                self.line.find(raw.get()).ok_or_else(|| A::Error::custom("not borrowed"))
            };
            let (key, value) = (find(key)?, find(value)?);
            let place = key.start..value.end();
            // `{"$ref":"$.other"}` refers to another entry.
            let counts = value.text.starts_with(['{', '[']);
            let key = key.text_of(key.text).map_err(A::Error::custom)?;
            if !(self.wanted)(key.bytes(self.frame)) {
                continue;
            }
            let value = value.value().map_err(A::Error::custom)?;
            let entry = Entry { key: Some(key), value, counts, place };
            self.each.hand(entry).map_err(A::Error::custom)?;
        }
        Ok(())
    }
}

/// Writes maps as lines of JSON.
pub(crate) struct WriteJson;

impl WriteMap for WriteJson {
    fn map(
        &self,
        _: Option<&[u8]>,
        entries: &[Kept<'_>],
        out: &mut BytesMut,
    ) -> Option<Range<usize>> {
        let mut noted = None;
        out.extend_from_slice(b"{");
        for (index, entry) in entries.iter().enumerate() {
            if index > 0 {
                out.extend_from_slice(b",");
            }
            entry.write(out, b":", write_text, &mut noted);
        }
        out.extend_from_slice(b"}\n");
        noted
    }

    fn result_type(&self, kind: u8, out: &mut BytesMut) {
        out.extend_from_slice(&[b'0'.saturating_add(kind), b'\n']);
    }
}

/// Appends a text in quotes.
fn write_text(text: &str, out: &mut BytesMut) {
    // Texts are always JSON.
    out.extend_from_slice(&serde_json::to_vec(text).unwrap_or_default());
}

/// Appends a text as a value of a body.
pub(crate) fn write_text_line(text: &str, out: &mut BytesMut) {
    write_text(text, out);
    out.extend_from_slice(b"\n");
}
