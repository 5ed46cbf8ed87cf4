//! A frame told to a person, field by field.
//!
//! [`Protocol::explain`](crate::Protocol::explain) makes an [`Explanation`] of a frame of any
//! protocol; printed, it is an annotated hex dump:
//!
//! ```
//! use metaproto_core::Explanation;
//!
//! let mut explanation = Explanation::new(b"\x01\x00\x00\x00\x05hello".as_slice());
//! explanation.fact("kind", "request").note(0..1, "version", "1").note(1..5, "len", "5");
//! explanation.note(5..10, "body", "5 bytes");
//! assert_eq!(
//!     explanation.to_string(),
//!     "\
//! kind  request
//!
//! 0000  01                       .         version  1
//! 0001  00 00 00 05              ....      len      5
//! 0005  68 65 6c 6c 6f           hello     body     5 bytes
//! "
//! );
//! ```

mod decode;
mod display;
mod row;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::ops::Range;

use bytes::Bytes;

pub(crate) use self::decode::{by_decoding, content, facts, measure, shown};
pub(crate) use self::row::{Clean, count};
use crate::frame::parts::Stop;
use crate::{DecodeError, Scope};

/// What one part of a frame is, or a fact about the whole of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// The bytes that it is about, counted from the start of the frame; `None` for a fact that
    /// stands nowhere in particular. May reach behind the bytes that are there: a field cut off.
    pub range: Option<Range<usize>>,
    /// What it is: a field's name.
    pub name: Cow<'static, str>,
    /// What it says.
    pub value: String,
    /// How many notes it lies within.
    pub depth: usize,
}

/// The bytes of a frame with notes on what they mean. Made field by field, printed with `{}`: long
/// fields are cut, `{:#}` shows every byte of them.
///
/// Bytes that no note is about are shown as such, and so are bytes behind the frame.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Explanation {
    bytes: Bytes,
    length: Option<usize>,
    notes: Vec<Note>,
    error: Option<String>,
    depth: usize,
    /// Where something could not be read.
    failed: Option<usize>,
    /// Whether values are to be as short as can be.
    brief: bool,
}

impl Explanation {
    /// An explanation of `bytes` that says nothing yet.
    #[must_use]
    pub fn new(bytes: impl Into<Bytes>) -> Self {
        Explanation { bytes: bytes.into(), ..Self::default() }
    }

    /// Notes what the bytes of `range` are.
    pub fn note(
        &mut self,
        range: Range<usize>,
        name: impl Into<Cow<'static, str>>,
        value: impl Into<String>,
    ) -> &mut Self {
        self.push(Some(range), name.into(), value.into())
    }

    /// Notes a fact that stands nowhere in particular.
    pub fn fact(
        &mut self,
        name: impl Into<Cow<'static, str>>,
        value: impl Into<String>,
    ) -> &mut Self {
        self.push(None, name.into(), value.into())
    }

    /// Everything that `inner` notes is a part of the note before it.
    pub fn nested(&mut self, inner: impl FnOnce(&mut Self)) -> &mut Self {
        self.depth = self.depth.saturating_add(1);
        inner(self);
        self.depth = self.depth.saturating_sub(1);
        self
    }

    /// Tells how long the frame is, in bytes: what lies behind is not a part of it.
    pub fn length(&mut self, bytes: usize) -> &mut Self {
        self.length = Some(bytes);
        self
    }

    /// Tells where and why no more can be said. The first reason counts.
    pub fn stop(&mut self, why: impl Into<String>) -> &mut Self {
        self.error.get_or_insert_with(|| why.into());
        self
    }

    /// Stops at the field that `error` names, and tells what it means for the connection.
    pub fn stop_at(&mut self, error: &DecodeError) -> &mut Self {
        let mut named = self.notes.iter().filter(|note| note.name == error.field);
        let place = self.failed.or_else(|| named.find_map(|note| Some(note.range.as_ref()?.start)));
        let place = place.map(|place| format!("at {place:04x}, ")).unwrap_or_default();
        let meaning = match error.scope {
            Scope::Message => "this message can't be used, the connection can",
            Scope::Connection => "the connection can't be used any longer",
        };
        self.stop(format!("{place}{error}; {meaning}"))
    }

    /// The bytes that are explained, with those behind the frame.
    #[must_use]
    pub fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// What is known, in the order in which it was noted; parts follow what they are parts of.
    #[must_use]
    pub fn notes(&self) -> &[Note] {
        &self.notes
    }

    /// Where and why the explanation ends early; `None` if it does not.
    #[must_use]
    pub fn error(&self) -> Option<&str> {
        self.error.as_deref()
    }

    /// One whose values are short.
    pub(crate) fn brief(bytes: Bytes) -> Self {
        Explanation { brief: true, ..Explanation::new(bytes) }
    }

    pub(crate) fn is_brief(&self) -> bool {
        self.brief
    }

    /// The length of the frame in bytes, if it is known.
    pub(crate) fn told_length(&self) -> Option<usize> {
        self.length
    }

    /// The frame, if all of it is there.
    pub(crate) fn frame(&self) -> Option<Bytes> {
        let total = self.length.filter(|total| *total <= self.bytes.len())?;
        Some(self.bytes.slice(..total))
    }

    /// Notes that what starts at `start` could not be read.
    pub(crate) fn fail(&mut self, start: usize, name: Cow<'static, str>, stop: &Stop) {
        match stop {
            Stop::Need(needed) => {
                let end = self.bytes.len().max(*needed).max(start);
                self.note(start..end, name, "cut off");
            }
            Stop::Bad(error) => {
                self.failed.get_or_insert(start);
                self.note(start..start, name, error.fault.to_string());
            }
        }
    }

    /// Says more of what has been noted.
    pub(crate) fn annotate(&mut self, range: &Range<usize>, name: &str, more: &str) {
        let is_it = |note: &&mut Note| note.range.as_ref() == Some(range) && note.name == name;
        if let Some(note) = self.notes.iter_mut().find(is_it) {
            note.value.push_str("  ");
            note.value.push_str(more);
        }
    }

    /// Says something else in the place of an earlier note.
    pub(crate) fn revise(&mut self, index: usize, range: Range<usize>, value: String) {
        if let Some(note) = self.notes.get_mut(index) {
            (note.range, note.value) = (Some(range), value);
        }
    }

    /// Forgets all but so many notes.
    pub(crate) fn truncate(&mut self, notes: usize) {
        self.notes.truncate(notes);
    }

    /// The bytes of the frame that are there.
    fn end(&self) -> usize {
        self.length.unwrap_or(usize::MAX).min(self.bytes.len())
    }

    fn push(
        &mut self,
        range: Option<Range<usize>>,
        name: Cow<'static, str>,
        value: String,
    ) -> &mut Self {
        self.notes.push(Note { range, name, value, depth: self.depth });
        self
    }
}
