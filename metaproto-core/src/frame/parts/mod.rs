//! Parts of a header whose place is known only when the frame is there: texts, lists, sections of
//! names and values, numbers of varying size.
//!
//! A [`Part`] says how one field is written; derived code makes one for each such field and asks it
//! to pass over the field, to read it, to write it. A [`Wire`] is a type that has a layout of its own
//! and can be a field; derive it, or implement it by hand for what no attribute can say.

mod block;
mod cursor;
mod extent;
mod form;
mod list;
mod nested;
mod number;
mod pairs;
mod plain;
mod progress;
mod section;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::ops::Range;

use bytes::BytesMut;

pub use self::block::{Blob, Block, Nullable, Terminated};
pub use self::cursor::{Cursor, Window};
pub use self::extent::{Extent, Prefix};
pub use self::form::IntForm;
pub use self::list::{List, Optional};
pub use self::nested::{ByTag, Nested, Padding, Tagged, Wire};
pub use self::number::{Array, Number, Numeric};
pub use self::pairs::Pairs;
pub use self::progress::Progress;
pub use self::section::{Entry, EntryFormat, EntryKey, Key, NameAndValue, Section};
use crate::explain::{content, count};
use crate::{DecodeError, EncodeError, Explanation, Fault};

/// Where reading stops.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stop {
    /// More bytes are needed: at least this many, counted from the start of the frame.
    Need(usize),
    /// The bytes are wrong.
    Bad(DecodeError),
}

impl Stop {
    /// The error, where nothing more will come.
    #[must_use]
    pub fn into_error(self) -> DecodeError {
        match self {
            Stop::Need(_) => DecodeError::connection("", Fault::Truncated),
            Stop::Bad(error) => error,
        }
    }
}

impl From<DecodeError> for Stop {
    fn from(error: DecodeError) -> Self {
        Stop::Bad(error)
    }
}

/// What a part says as a property.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// A number.
    Int(i128),
    /// The text at this place of the frame.
    Text(Range<usize>),
    /// Nothing: the part is missing, or is no single value.
    Absent,
}

/// How a field is written.
pub trait Part {
    /// The type of the field.
    type Value;

    /// The fewest bytes that a part of this type can take.
    const MIN_SIZE: usize;

    /// The fewest bytes that this one can take, at least [`MIN_SIZE`](Part::MIN_SIZE).
    #[inline]
    fn min_size(&self) -> usize {
        Self::MIN_SIZE
    }

    /// Moves behind it.
    ///
    /// An open cursor looks at no more than it takes to find the end. A whole one checks everything
    /// that [`read`](Part::read) does, since what is wrong then is wrong with one message only.
    ///
    /// It may be called again after it has asked for more bytes, with the cursor where the part
    /// starts and the same `progress`: what has been settled is not looked at again. Where the cursor
    /// is after an error means nothing. After `Ok` the progress is as new.
    ///
    /// # Errors
    /// [`Stop::Need`] if bytes are missing, [`Stop::Bad`] if they are wrong.
    fn skip(&self, cursor: &mut Cursor<'_>, progress: &mut Progress) -> Result<(), Stop>;

    /// Reads it.
    ///
    /// # Errors
    /// As [`skip`](Part::skip).
    fn read(&self, cursor: &mut Cursor<'_>) -> Result<Self::Value, Stop>;

    /// How many bytes `value` takes.
    fn size(&self, value: &Self::Value) -> usize;

    /// Appends `value` to `out`.
    ///
    /// # Errors
    /// [`EncodeError::InvalidValue`] if it does not fit, without the name of the field: see
    /// [`EncodeError::in_field`]. What has been appended is of no use then; the caller cuts it off.
    fn write(&self, value: &Self::Value, out: &mut BytesMut) -> Result<(), EncodeError>;

    /// What it says as a property; `range` is where [`skip`](Part::skip) has passed over it.
    fn property(&self, frame: &[u8], range: Range<usize>) -> Content {
        let _ = (frame, range);
        Content::Absent
    }

    /// The value that `text` says, for a property that is set.
    ///
    /// # Errors
    /// [`EncodeError::InvalidValue`] if it says none.
    fn parse(&self, text: &str) -> Result<Self::Value, EncodeError> {
        let _ = text;
        Err(EncodeError::Unsupported("setting this property"))
    }

    /// Passes over it and notes what it says, under this name. What can't be read is noted as such.
    ///
    /// # Errors
    /// As [`skip`](Part::skip).
    fn explain(
        &self,
        cursor: &mut Cursor<'_>,
        name: Cow<'static, str>,
        notes: &mut Explanation,
    ) -> Result<(), Stop> {
        let start = cursor.position();
        if let Err(stop) = self.skip(cursor, &mut Progress::new()) {
            notes.fail(start, name, &stop);
            return Err(stop);
        }
        let range = start..cursor.position();
        let frame = cursor.bytes(0..range.end);
        let value = match self.property(frame, range.clone()) {
            Content::Int(number) => number.to_string(),
            Content::Text(place) => content(frame.get(place).unwrap_or_default()),
            Content::Absent => count(range.len()),
        };
        notes.note(range, name, value);
        Ok(())
    }
}

/// A value that can't be written. Who knows the field names it.
#[cold]
fn invalid(reason: impl Into<Cow<'static, str>>) -> EncodeError {
    EncodeError::InvalidValue { field: "", reason: reason.into() }
}

/// Notes what `read` says of what it has read, or that it could not.
fn note_read(
    cursor: &mut Cursor<'_>,
    name: Cow<'static, str>,
    notes: &mut Explanation,
    read: impl FnOnce(&mut Cursor<'_>) -> Result<String, Stop>,
) -> Result<(), Stop> {
    let start = cursor.position();
    let value = read(cursor).inspect_err(|stop| notes.fail(start, name.clone(), stop))?;
    notes.note(start..cursor.position(), name, value);
    Ok(())
}
