//! Bytes and text.

use std::borrow::Cow;
use std::marker::PhantomData;
use std::ops::Range;

use bytes::{Bytes, BytesMut};

use memchr::{memchr, memmem};

use super::{Content, Cursor, Extent, Part, Prefix, Progress, Stop, invalid, note_read};
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

/// What is no text is wrong with one message: where it ends is known, so that an open cursor goes on.
#[inline]
fn checked<B: Blob>(cursor: &Cursor<'_>, range: Range<usize>) -> Result<Range<usize>, Stop> {
    match cursor.is_open() || B::is_valid(cursor.bytes(range.clone())) {
        true => Ok(range),
        false => Err(cursor.bad(Fault::NotUtf8)),
    }
}

/// Bytes of which something tells how many they are.
pub struct Block<B> {
    pub(super) extent: Extent,
    of: PhantomData<B>,
}

impl<B: Blob> Block<B> {
    /// As many bytes as `extent` tells.
    #[must_use]
    pub const fn new(extent: Extent) -> Self {
        Block { extent, of: PhantomData }
    }

    fn range(&self, cursor: &mut Cursor<'_>) -> Result<Range<usize>, Stop> {
        let range = self.extent.advance(cursor)?;
        checked::<B>(cursor, range)
    }
}

impl<B: Blob> Part for Block<B> {
    type Value = B;
    const MIN_SIZE: usize = 0;

    #[inline]
    fn min_size(&self) -> usize {
        match self.extent {
            Extent::Given(length) => usize::try_from(length).unwrap_or(usize::MAX),
            extent => extent.min_size(),
        }
    }

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

/// Bytes that may be missing, which the number in front of them says: it stands for one less than no
/// bytes. That is -1 if it has a sign, or 0 if it says 1 of no bytes.
pub struct Nullable<B> {
    pub(super) prefix: Prefix,
    of: PhantomData<B>,
}

impl<B: Blob> Nullable<B> {
    /// With this number in front.
    #[must_use]
    pub const fn new(prefix: Prefix) -> Self {
        Nullable { prefix, of: PhantomData }
    }

    #[inline]
    fn range(&self, cursor: &mut Cursor<'_>) -> Result<Option<Range<usize>>, Stop> {
        let Some(length) = self.prefix.read_nullable(cursor)? else { return Ok(None) };
        let range = cursor.advance(length)?;
        checked::<B>(cursor, range).map(Some)
    }
}

impl<B: Blob> Part for Nullable<B> {
    type Value = Option<B>;
    const MIN_SIZE: usize = 1;

    #[inline]
    fn min_size(&self) -> usize {
        self.prefix.form.min_size()
    }

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
            None => self.prefix.size_of(None),
            Some(value) => {
                let len = value.as_slice().len();
                self.prefix.size(len).saturating_add(len)
            }
        }
    }

    fn write(&self, value: &Option<B>, out: &mut BytesMut) -> Result<(), EncodeError> {
        let Some(value) = value else { return self.prefix.write_of(None, out) };
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
pub struct Terminated<B> {
    pub(super) end: &'static [u8],
    pub(super) max: usize,
    of: PhantomData<B>,
}

impl<B: Blob> Terminated<B> {
    /// Up to `end`, and at most `max` bytes.
    #[must_use]
    pub const fn new(end: &'static [u8], max: usize) -> Self {
        Terminated { end, max, of: PhantomData }
    }

    /// Moves behind the terminator and tells where the content is.
    fn advance(
        &self,
        cursor: &mut Cursor<'_>,
        progress: &mut Progress,
    ) -> Result<Range<usize>, Stop> {
        let begun = progress.resume(cursor).and_then(|start| usize::try_from(start).ok());
        let from = cursor.position();
        let start = begun.unwrap_or(from);
        let most = start.saturating_add(self.max).saturating_add(self.end.len());
        let ahead = cursor.ahead();
        let looked_at = ahead.get(..most.saturating_sub(from)).unwrap_or(ahead);
        if let Some(found) = find(looked_at, self.end) {
            let content = start..from.saturating_add(found);
            cursor.seek(content.end.saturating_add(self.end.len()));
            return checked::<B>(cursor, content);
        }
        let arrived = from.saturating_add(ahead.len());
        if arrived >= most {
            return Err(cursor.bad(Fault::LengthTooLarge((self.max as u64).saturating_add(1))));
        }
        cursor.seek(arrived);
        // The terminator may have begun, but not ended.
        let begun = self.end.len().saturating_sub(1).min(looked_at.len());
        let settled = arrived.saturating_sub(begun);
        // Says what is missing: more bytes, or an end that can't come any more.
        cursor.advance(1).map_err(|stop| progress.save(stop, settled, start as u64))
    }
}

#[inline]
fn find(bytes: &[u8], end: &[u8]) -> Option<usize> {
    match end {
        [byte] => memchr(*byte, bytes),
        _ => memmem::find(bytes, end),
    }
}

impl<B: Blob> Part for Terminated<B> {
    type Value = B;
    const MIN_SIZE: usize = 1;

    #[inline]
    fn min_size(&self) -> usize {
        self.end.len().max(1)
    }

    fn skip(&self, cursor: &mut Cursor<'_>, progress: &mut Progress) -> Result<(), Stop> {
        self.advance(cursor, progress).map(|_| ())
    }

    fn read(&self, cursor: &mut Cursor<'_>) -> Result<B, Stop> {
        self.advance(cursor, &mut Progress::new()).map(|range| B::take(cursor, range))
    }

    fn size(&self, value: &B) -> usize {
        value.as_slice().len().saturating_add(self.end.len())
    }

    fn write(&self, value: &B, out: &mut BytesMut) -> Result<(), EncodeError> {
        let bytes = value.as_slice();
        if bytes.len() > self.max {
            return Err(invalid(format!("{} bytes are more than {}", bytes.len(), self.max)));
        }
        let start = out.len();
        out.extend_from_slice(bytes);
        out.extend_from_slice(self.end);
        // Its first bytes may complete a terminator with the last ones of the content.
        match out.get(start..).and_then(|written| find(written, self.end)) {
            Some(found) if found == bytes.len() => Ok(()),
            _ => Err(invalid("holds the terminator")),
        }
    }

    fn property(&self, _: &[u8], range: Range<usize>) -> Content {
        let end = range.end.saturating_sub(self.end.len()).max(range.start);
        Content::Text(range.start..end)
    }

    fn parse(&self, text: &str) -> Result<B, EncodeError> {
        Ok(B::of(text))
    }
}
