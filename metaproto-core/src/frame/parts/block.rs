//! Bytes and text.

use std::borrow::Cow;
use std::marker::PhantomData;
use std::ops::Range;

use bytes::{Bytes, BytesMut};

use super::{Content, Cursor, Extent, IntForm, Part, Prefix, Progress, Stop, note_read};
use crate::explain::content;
use crate::{EncodeError, Explanation, Fault};

/// A type that is made of bytes: `Bytes`, `String`, `Vec<u8>`.
pub trait Blob: Sized {
    /// Whether these bytes can be one.
    fn is_valid(bytes: &[u8]) -> bool {
        let _ = bytes;
        true
    }

    /// Makes it of bytes that are valid.
    fn take(cursor: &Cursor<'_>, range: Range<usize>) -> Self;

    /// Makes it of text.
    fn of(text: &str) -> Self;

    /// Its bytes.
    fn as_slice(&self) -> &[u8];
}

impl Blob for Bytes {
    fn take(cursor: &Cursor<'_>, range: Range<usize>) -> Self {
        cursor.share(range)
    }

    fn of(text: &str) -> Self {
        Bytes::copy_from_slice(text.as_bytes())
    }

    fn as_slice(&self) -> &[u8] {
        self
    }
}

impl Blob for Vec<u8> {
    fn take(cursor: &Cursor<'_>, range: Range<usize>) -> Self {
        cursor.bytes(range).to_vec()
    }

    fn of(text: &str) -> Self {
        text.as_bytes().to_vec()
    }

    fn as_slice(&self) -> &[u8] {
        self
    }
}

impl Blob for String {
    fn is_valid(bytes: &[u8]) -> bool {
        std::str::from_utf8(bytes).is_ok()
    }

    fn take(cursor: &Cursor<'_>, range: Range<usize>) -> Self {
        String::from_utf8_lossy(cursor.bytes(range)).into_owned()
    }

    fn of(text: &str) -> Self {
        text.to_owned()
    }

    fn as_slice(&self) -> &[u8] {
        self.as_bytes()
    }
}

fn checked<B: Blob>(cursor: &Cursor<'_>, range: Range<usize>) -> Result<Range<usize>, Stop> {
    match B::is_valid(cursor.bytes(range.clone())) {
        true => Ok(range),
        false => Err(cursor.bad(Fault::NotUtf8)),
    }
}

/// Moves back before an error: what has not been read whole is read again.
fn or_back<T>(
    cursor: &mut Cursor<'_>,
    read: impl FnOnce(&mut Cursor<'_>) -> Result<T, Stop>,
) -> Result<T, Stop> {
    let start = cursor.position();
    let result = read(cursor);
    if result.is_err() {
        cursor.seek(start);
    }
    result
}

/// Bytes of which something tells how many they are.
#[derive(Debug, Clone, Copy)]
pub struct Block<B> {
    extent: Extent,
    of: PhantomData<B>,
}

impl<B: Blob> Block<B> {
    /// As many bytes as `extent` tells.
    #[must_use]
    pub const fn new(extent: Extent) -> Self {
        Block { extent, of: PhantomData }
    }

    fn range(&self, cursor: &mut Cursor<'_>) -> Result<Range<usize>, Stop> {
        let range = or_back(cursor, |cursor| self.extent.advance(cursor))?;
        checked::<B>(cursor, range)
    }
}

impl<B: Blob> Part for Block<B> {
    type Value = B;
    const MIN_SIZE: usize = 0;

    #[inline]
    fn skip(&self, cursor: &mut Cursor<'_>, _: &mut Progress) -> Result<(), Stop> {
        self.range(cursor).map(|_| ())
    }

    #[inline]
    fn read(&self, cursor: &mut Cursor<'_>) -> Result<B, Stop> {
        self.range(cursor).map(|range| B::take(cursor, range))
    }

    fn size(&self, value: &B) -> usize {
        let len = value.as_slice().len();
        self.extent.size(len).saturating_add(len)
    }

    fn write(&self, value: &B, out: &mut BytesMut) -> Result<(), EncodeError> {
        let bytes = value.as_slice();
        self.extent.write(bytes.len(), out)?;
        out.extend_from_slice(bytes);
        Ok(())
    }

    fn property(&self, frame: &[u8], range: Range<usize>) -> Content {
        let mut cursor = Cursor::over(frame.get(..range.end).unwrap_or_default());
        cursor.seek(range.start);
        let content = match self.extent {
            Extent::Prefix(_) => self.extent.advance(&mut cursor),
            Extent::Given(_) | Extent::Rest => Ok(range),
        };
        content.map_or(Content::Absent, Content::Text)
    }

    fn parse(&self, text: &str) -> Result<B, EncodeError> {
        Ok(B::of(text))
    }
}

/// Bytes that may be missing, which the number in front of them says: -1 if it is signed, 0 if
/// nothing counts as 1.
#[derive(Debug, Clone, Copy)]
pub struct Nullable<B> {
    prefix: Prefix,
    of: PhantomData<B>,
}

impl<B: Blob> Nullable<B> {
    /// With this number in front.
    #[must_use]
    pub const fn new(prefix: Prefix) -> Self {
        Nullable { prefix, of: PhantomData }
    }

    /// What the number says if there is nothing.
    const fn null(&self) -> i128 {
        match self.prefix.form {
            IntForm::Fixed { signed: true, .. } | IntForm::ZigZag => -1,
            _ => 0,
        }
    }

    fn range(&self, cursor: &mut Cursor<'_>) -> Result<Option<Range<usize>>, Stop> {
        let mut range = None;
        or_back(cursor, |cursor| {
            let start = cursor.position();
            if self.prefix.form.read(cursor)? != self.null() {
                cursor.seek(start);
                range = Some(Extent::Prefix(self.prefix).advance(cursor)?);
            }
            Ok(())
        })?;
        range.map(|range| checked::<B>(cursor, range)).transpose()
    }
}

impl<B: Blob> Part for Nullable<B> {
    type Value = Option<B>;
    const MIN_SIZE: usize = 1;

    fn skip(&self, cursor: &mut Cursor<'_>, _: &mut Progress) -> Result<(), Stop> {
        self.range(cursor).map(|_| ())
    }

    fn read(&self, cursor: &mut Cursor<'_>) -> Result<Option<B>, Stop> {
        self.range(cursor).map(|range| range.map(|range| B::take(cursor, range)))
    }

    fn explain(
        &self,
        cursor: &mut Cursor<'_>,
        name: Cow<'static, str>,
        notes: &mut Explanation,
    ) -> Result<(), Stop> {
        note_read(cursor, name, notes, |cursor| {
            let range = self.range(cursor)?;
            Ok(range.map_or_else(|| "nothing".to_owned(), |range| content(cursor.bytes(range))))
        })
    }

    fn size(&self, value: &Option<B>) -> usize {
        match value {
            None => self.prefix.form.size(self.null()),
            Some(value) => {
                let len = value.as_slice().len();
                self.prefix.size(len).saturating_add(len)
            }
        }
    }

    fn write(&self, value: &Option<B>, out: &mut BytesMut) -> Result<(), EncodeError> {
        let Some(value) = value else { return self.prefix.form.write(self.null(), out) };
        Block::<B>::new(Extent::Prefix(self.prefix)).write(value, out)
    }

    fn property(&self, frame: &[u8], range: Range<usize>) -> Content {
        let mut cursor = Cursor::over(frame.get(..range.end).unwrap_or_default());
        cursor.seek(range.start);
        match self.range(&mut cursor) {
            Ok(Some(range)) => Content::Text(range),
            _ => Content::Absent,
        }
    }

    fn parse(&self, text: &str) -> Result<Option<B>, EncodeError> {
        Ok(Some(B::of(text)))
    }
}

/// Bytes up to a terminator, which is not part of them.
#[derive(Debug, Clone, Copy)]
pub struct Terminated<B> {
    end: &'static [u8],
    max: usize,
    of: PhantomData<B>,
}

impl<B: Blob> Terminated<B> {
    /// Up to `end`, and at most `max` bytes.
    #[must_use]
    pub const fn new(end: &'static [u8], max: usize) -> Self {
        Terminated { end, max, of: PhantomData }
    }

    /// Where the content is, if it starts at `start` and holds no terminator before `from`.
    fn find(
        &self,
        cursor: &mut Cursor<'_>,
        start: usize,
        from: usize,
    ) -> Result<Range<usize>, Stop> {
        cursor.seek(from.max(start));
        let ahead = cursor.ahead();
        let found = memchr::memmem::find(ahead, self.end);
        let from = cursor.position();
        let searched = from.saturating_add(found.unwrap_or(ahead.len()));
        if searched.saturating_sub(start) > self.max {
            return Err(cursor.bad(Fault::LengthTooLarge(self.max as u64)));
        }
        if found.is_some() {
            cursor.seek(searched.saturating_add(self.end.len()));
            return checked::<B>(cursor, start..searched);
        }
        let needed = from.saturating_add(ahead.len()).saturating_add(1).max(self.end.len());
        cursor.seek(from.saturating_add(ahead.len()));
        // Says what is missing: more bytes, or an end that can't come any more.
        cursor.advance(1)?;
        Err(Stop::Need(needed))
    }
}

impl<B: Blob> Part for Terminated<B> {
    type Value = B;
    const MIN_SIZE: usize = 1;

    fn skip(&self, cursor: &mut Cursor<'_>, progress: &mut Progress) -> Result<(), Stop> {
        let start = match progress.left {
            Some(start) => start as usize,
            None => cursor.position(),
        };
        let arrived = cursor.position().saturating_add(cursor.ahead().len());
        let found = self.find(cursor, start, progress.at);
        if let Err(Stop::Need(_)) = found {
            // All but what may be the beginning of the terminator needs no second look.
            let begun = self.end.len().saturating_sub(1);
            let searched = arrived.saturating_sub(begun);
            if searched > start {
                (progress.at, progress.left) = (searched, Some(start as u64));
            }
        }
        found.map(|_| ())
    }

    fn read(&self, cursor: &mut Cursor<'_>) -> Result<B, Stop> {
        let start = cursor.position();
        self.find(cursor, start, start).map(|range| B::take(cursor, range))
    }

    fn size(&self, value: &B) -> usize {
        value.as_slice().len().saturating_add(self.end.len())
    }

    fn write(&self, value: &B, out: &mut BytesMut) -> Result<(), EncodeError> {
        let bytes = value.as_slice();
        let invalid = |reason: &'static str| {
            Err(EncodeError::InvalidValue { field: "text", reason: reason.into() })
        };
        if memchr::memmem::find(bytes, self.end).is_some() {
            return invalid("holds the terminator");
        }
        if bytes.len() > self.max {
            return invalid("is longer than allowed");
        }
        out.extend_from_slice(bytes);
        out.extend_from_slice(self.end);
        Ok(())
    }

    fn property(&self, _: &[u8], range: Range<usize>) -> Content {
        let end = range.end.saturating_sub(self.end.len()).max(range.start);
        Content::Text(range.start..end)
    }

    fn parse(&self, text: &str) -> Result<B, EncodeError> {
        Ok(B::of(text))
    }
}
