//! The values of a body, whatever it is serialized with.
//!
//! All serializations write a call as the same list of values: texts that name the call, its
//! arguments, and a map of attachments. What is read of them is told by a [`Values`]; who reads does
//! not see the difference.

pub(crate) mod hessian2;
pub(crate) mod json;
pub(crate) mod jsonb;

use std::borrow::Cow;
use std::ops::Range;

use metaproto_core::{BytesMut, DecodeError, Fault, Source};

pub(crate) use self::hessian2::Hessian2;
pub(crate) use self::json::Json;
pub(crate) use self::jsonb::Jsonb;

/// Reads the values of a body one after the other. Positions count from the start of the frame.
pub(crate) trait Values<'a> {
    /// Where the next value starts.
    fn position(&self) -> usize;

    /// Whether there is no further value.
    fn is_at_end(&self) -> bool;

    /// What must stand in front of a value that is written where the next one starts.
    fn separator(&self) -> &'static [u8] {
        b""
    }

    /// Reads a text, or nothing.
    fn text(&mut self) -> Result<Option<Text<'a>>, DecodeError>;

    /// Reads any value.
    fn value(&mut self) -> Result<Value<'a>, DecodeError>;

    /// Passes over any value.
    fn skip(&mut self) -> Result<(), DecodeError> {
        self.value().map(drop)
    }

    /// Reads a map and hands out those entries whose keys are `wanted`, at most [`MOST_ENTRIES`];
    /// tells where the marks of its start stand, or `None` if there is nothing instead of a map.
    fn map(
        &mut self,
        wanted: impl Fn(&[u8]) -> bool,
        each: impl FnMut(Entry<'a>),
    ) -> Result<Option<Range<usize>>, DecodeError>;
}

/// A map of which more is wanted is refused. An entry can be as short as two bytes, and what is kept
/// of it is far longer: a frame full of them must not fill the memory.
pub(crate) const MOST_ENTRIES: usize = 4096;

/// Hands out entries of a map, up to [`MOST_ENTRIES`].
struct Bounded<E> {
    each: E,
    left: usize,
}

impl<'a, E: FnMut(Entry<'a>)> Bounded<E> {
    fn new(each: E) -> Self {
        Bounded { each, left: MOST_ENTRIES }
    }

    fn hand(&mut self, entry: Entry<'a>) -> Result<(), DecodeError> {
        let left = self.left.checked_sub(1);
        self.left = left.ok_or_else(|| wrong("has too many attachments"))?;
        (self.each)(entry);
        Ok(())
    }
}

/// Writes a map of texts in the way of one serialization.
pub(crate) trait WriteMap {
    /// Appends a map of these entries, with the marks of a start that it had, if it had one. Tells
    /// where in `out` the entry is that is noted, if there is one.
    fn map(
        &self,
        start: Option<&[u8]>,
        entries: &[Kept<'_>],
        out: &mut BytesMut,
    ) -> Option<Range<usize>>;

    /// Appends a number from 0 to 5: the type of a result.
    fn result_type(&self, kind: u8, out: &mut BytesMut);
}

/// An entry of a map that is written.
#[derive(Debug, Clone)]
pub(crate) enum Kept<'a> {
    /// As it was: key and value as they stood in the frame.
    Raw(&'a [u8]),
    /// The same; where it stands will be asked for.
    Noted(&'a [u8]),
    /// Another one.
    New(Cow<'a, str>, &'a str),
}

impl Kept<'_> {
    /// Appends it, with a `colon` between the key and the value of another one, which `write_text`
    /// writes; notes where it is if that will be asked for.
    fn write(
        &self,
        out: &mut BytesMut,
        colon: &[u8],
        write_text: fn(&str, &mut BytesMut),
        noted: &mut Option<Range<usize>>,
    ) {
        let start = out.len();
        match self {
            Kept::Raw(bytes) => out.extend_from_slice(bytes),
            Kept::Noted(bytes) => {
                out.extend_from_slice(bytes);
                *noted = Some(start..out.len());
            }
            Kept::New(key, value) => {
                write_text(key, out);
                out.extend_from_slice(colon);
                write_text(value, out);
            }
        }
    }
}

/// A text of a body.
#[derive(Debug, Clone)]
pub(crate) enum Text<'a> {
    /// It stands in the frame as it is.
    InFrame(Range<usize>),
    /// It is written in another way there: with escapes, in chunks, not in UTF-8.
    Made(Cow<'a, str>),
}

impl Text<'_> {
    /// The text, which stands in `frame` if anywhere.
    pub(crate) fn bytes<'s>(&'s self, frame: &'s [u8]) -> &'s [u8] {
        match self {
            Text::InFrame(range) => frame.get(range.clone()).unwrap_or_default(),
            Text::Made(text) => text.as_bytes(),
        }
    }

    /// The text as the value of a property.
    pub(crate) fn source(&self) -> Source<'_> {
        match self {
            Text::InFrame(range) => Source::InFrame(range.clone()),
            Text::Made(text) => Source::Text(text.as_bytes()),
        }
    }
}

/// A value of a body.
#[derive(Debug, Clone)]
pub(crate) enum Value<'a> {
    Null,
    Bool(bool),
    Int(i64),
    Text(Text<'a>),
    /// Anything else.
    Other,
}

impl Value<'_> {
    /// The value as that of a property; `None` for what has no short text.
    pub(crate) fn source(&self) -> Option<Source<'_>> {
        match self {
            Value::Text(text) => Some(text.source()),
            Value::Int(number) => Some(Source::Int(i128::from(*number))),
            Value::Bool(true) => Some(Source::Static("true")),
            Value::Bool(false) => Some(Source::Static("false")),
            Value::Null | Value::Other => None,
        }
    }
}

/// An entry of a map.
#[derive(Debug, Clone)]
pub(crate) struct Entry<'a> {
    /// Its key; `None` if that is no text.
    pub(crate) key: Option<Text<'a>>,
    pub(crate) value: Value<'a>,
    /// Whether it may tie in with others in the stream: it takes a number that back-references
    /// count, defines a class or a symbol, or refers to something.
    pub(crate) counts: bool,
    /// Where both stand in the frame, key first.
    pub(crate) place: Range<usize>,
}

impl Entry<'_> {
    /// One whose key is no text: nobody can ask for it, and others may count on it.
    pub(crate) fn nameless(place: Range<usize>) -> Self {
        Entry { key: None, value: Value::Other, counts: true, place }
    }
}

/// A body that ends within a value, or has another value than is due.
pub(crate) fn truncated() -> DecodeError {
    DecodeError::message("body", Fault::Truncated)
}

pub(crate) fn wrong(what: &'static str) -> DecodeError {
    DecodeError::message("body", Fault::Other(what))
}
