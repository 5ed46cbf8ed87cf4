//! A cursor over a frame that may not have arrived whole.

use std::ops::Range;

use bytes::Bytes;

use super::Stop;
use crate::{DecodeError, Fault};

/// Moves through the bytes of a frame; every step is checked.
///
/// Positions count from the start of the frame. Over a whole frame, running out of bytes is an error;
/// over the front of one, it asks for more.
#[derive(Debug, Clone)]
pub struct Cursor<'a> {
    bytes: &'a [u8],
    shared: Option<&'a Bytes>,
    position: usize,
    /// Nothing is read from here on.
    limit: usize,
    /// Whether more bytes may come.
    open: bool,
    /// Whether the limit is one of the frame rather than the bytes' end.
    windowed: bool,
    field: &'static str,
}

/// A stretch of the frame that must be read to its end; see [`Cursor::limit`].
#[derive(Debug)]
#[must_use = "a window is left with `Cursor::leave`"]
pub struct Window {
    limit: usize,
    windowed: bool,
}

impl<'a> Cursor<'a> {
    /// Over a whole frame, with which blocks of bytes are shared.
    #[must_use]
    pub fn whole(frame: &'a Bytes) -> Self {
        Cursor { shared: Some(frame), ..Cursor::over(frame) }
    }

    /// Over a whole frame; blocks of bytes are copied.
    #[must_use]
    pub fn over(bytes: &'a [u8]) -> Self {
        let limit = bytes.len();
        let (shared, field) = (None, "");
        Cursor { bytes, shared, position: 0, limit, open: false, windowed: false, field }
    }

    /// Over the front of a frame.
    #[must_use]
    pub fn open(head: &'a [u8]) -> Self {
        Cursor { limit: usize::MAX, open: true, ..Cursor::over(head) }
    }

    /// Over the front of a frame of `total` bytes.
    pub(in crate::frame) fn front(head: &'a [u8], total: usize) -> Self {
        Cursor { limit: total, ..Cursor::over(head) }
    }

    /// Refuses to go further than `max` bytes.
    #[must_use]
    pub fn max(mut self, max: usize) -> Self {
        self.limit = self.limit.min(max);
        self
    }

    /// Names the field that is read next, for errors.
    #[inline]
    pub fn enter(&mut self, field: &'static str) {
        self.field = field;
    }

    /// The field that is being read.
    #[must_use]
    pub fn field(&self) -> &'static str {
        self.field
    }

    /// How far it has come.
    #[inline]
    #[must_use]
    pub fn position(&self) -> usize {
        self.position
    }

    /// Moves to a place that it has been at.
    #[inline]
    pub fn seek(&mut self, position: usize) {
        self.position = position;
    }

    /// Whether more bytes may come.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.open
    }

    /// The end of what can be read: of the window, or of the frame.
    #[must_use]
    pub fn end(&self) -> usize {
        self.limit
    }

    /// How many bytes can be read at most, whether they have arrived or not.
    #[inline]
    #[must_use]
    pub fn remaining(&self) -> usize {
        self.limit.saturating_sub(self.position)
    }

    /// Passes over `n` bytes and tells where they are.
    ///
    /// # Errors
    /// They go beyond the window or the frame, or have not arrived.
    #[inline]
    pub fn advance(&mut self, n: u64) -> Result<Range<usize>, Stop> {
        let n = usize::try_from(n).map_err(|_| self.too_large(n))?;
        let end = self.position.checked_add(n).filter(|end| *end <= self.limit);
        let Some(end) = end else { return Err(self.beyond(n as u64)) };
        if end > self.bytes.len() {
            return Err(Stop::Need(end));
        }
        let range = self.position..end;
        self.position = end;
        Ok(range)
    }

    /// Reads an array.
    ///
    /// # Errors
    /// As [`advance`](Cursor::advance).
    #[inline]
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], Stop> {
        let range = self.advance(N as u64)?;
        Ok(self.bytes(range).first_chunk().copied().unwrap_or([0; N]))
    }

    /// Passes over all that is left of the window or the frame.
    ///
    /// # Errors
    /// It has not arrived; or more may come, and nothing tells how much.
    pub fn rest(&mut self) -> Result<Range<usize>, Stop> {
        if self.open && !self.windowed {
            return Err(self.bad(Fault::Other("nothing tells where it ends")));
        }
        self.advance(self.remaining() as u64)
    }

    /// From here on nothing is read beyond `end`, until [`leave`](Cursor::leave).
    ///
    /// # Errors
    /// That is beyond the window that it is in, or beyond the frame; or it has been passed already.
    pub fn limit(&mut self, end: u64) -> Result<Window, Stop> {
        let fits = usize::try_from(end).ok().filter(|end| *end <= self.limit);
        let Some(fits) = fits else {
            return Err(self.beyond(end.saturating_sub(self.position as u64)));
        };
        if fits < self.position {
            return Err(self.bad(Fault::LengthTooSmall(end)));
        }
        let before = Window { limit: self.limit, windowed: self.windowed };
        (self.limit, self.windowed) = (fits, true);
        Ok(before)
    }

    /// Leaves a window.
    ///
    /// # Errors
    /// Something is left in it.
    pub fn leave(&mut self, window: Window) -> Result<(), Stop> {
        if self.position != self.limit {
            return Err(self.bad(Fault::Other("covers more than what is in it")));
        }
        (self.limit, self.windowed) = (window.limit, window.windowed);
        Ok(())
    }

    /// Goes back to before a window, whose bytes have not arrived.
    pub(super) fn restore(&mut self, window: &Window) {
        (self.limit, self.windowed) = (window.limit, window.windowed);
    }

    /// Whether the end of the window, or of the whole frame, has been reached.
    #[must_use]
    pub fn is_at_end(&self) -> bool {
        self.position >= self.limit
    }

    /// Bytes that have been passed over.
    #[inline]
    #[must_use]
    pub fn bytes(&self, range: Range<usize>) -> &'a [u8] {
        self.bytes.get(range).unwrap_or_default()
    }

    /// The bytes that have arrived and can be read, from here on.
    #[must_use]
    pub fn ahead(&self) -> &'a [u8] {
        let end = self.limit.min(self.bytes.len());
        self.bytes.get(self.position..end).unwrap_or_default()
    }

    /// The same bytes, shared with the frame if it is one that can be shared with.
    #[must_use]
    pub fn share(&self, range: Range<usize>) -> Bytes {
        match self.shared {
            Some(shared) if range.start <= range.end && range.end <= shared.len() => {
                shared.slice(range)
            }
            _ => Bytes::copy_from_slice(self.bytes(range)),
        }
    }

    /// An error in the field that is being read.
    #[cold]
    #[must_use]
    pub fn bad(&self, fault: Fault) -> Stop {
        Stop::Bad(DecodeError::message(self.field, fault))
    }

    #[cold]
    fn too_large(&self, n: u64) -> Stop {
        self.bad(Fault::LengthTooLarge(n))
    }

    /// `n` bytes are more than there can be.
    #[cold]
    fn beyond(&self, n: u64) -> Stop {
        match self.open || self.windowed {
            true => self.bad(Fault::LengthTooLarge(n)),
            false => self.bad(Fault::Truncated),
        }
    }
}
