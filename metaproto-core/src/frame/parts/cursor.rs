//! A cursor over a frame that may not have arrived whole.

use std::ops::Range;

use bytes::Bytes;

use super::Stop;
use crate::{DecodeError, Fault};

/// Moves through the bytes of a frame; every step is checked.
///
/// Positions count from the start of the frame. Over the front of a frame, running out of bytes asks
/// for more, and what is wrong is wrong with the connection: nobody knows where the next frame
/// starts. Over a whole frame nothing can be asked for, and errors are about the message.
#[derive(Debug, Clone)]
pub struct Cursor<'a> {
    bytes: &'a [u8],
    shared: Option<&'a Bytes>,
    position: usize,
    /// Nothing is read from here on.
    limit: usize,
    /// Whether more bytes may come.
    open: bool,
    /// Where the innermost window starts, if there is one.
    window: Option<usize>,
    /// How many values it is within that have a layout of their own.
    depth: u8,
    /// How many more items may take no bytes.
    empties: u32,
    field: &'static str,
}

/// So deep may values be nested in each other.
const MAX_DEPTH: u8 = 32;

/// The most items of a frame that may take no bytes: without a bound a few bytes could announce any
/// number.
pub(super) const MAX_EMPTY: u32 = 1 << 16;

/// Only a window or a whole frame has an end.
pub(super) const NO_END: Fault = Fault::Other("nothing tells where it ends");

/// A stretch of the frame that must be read to its end; see [`Cursor::limit`].
#[derive(Debug)]
#[must_use = "a window is left with `Cursor::leave`"]
pub struct Window {
    limit: usize,
    window: Option<usize>,
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
        Cursor {
            bytes,
            shared: None,
            position: 0,
            limit: bytes.len(),
            open: false,
            window: None,
            depth: 0,
            empties: MAX_EMPTY,
            field: "",
        }
    }

    /// Over the front of a frame.
    #[must_use]
    pub fn open(head: &'a [u8]) -> Self {
        // No object is larger than this, so no frame is.
        Cursor { limit: isize::MAX as usize, open: true, ..Cursor::over(head) }
    }

    /// Over the front of a frame of `total` bytes.
    pub(in crate::frame) fn front(head: &'a [u8], total: usize) -> Self {
        Cursor { limit: total, ..Cursor::over(head) }
    }

    /// Refuses to go further than `max` bytes; what would end behind them is not waited for.
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
        let start = self.position;
        if n > self.reach().saturating_sub(start) as u64 {
            return Err(self.lacking(n));
        }
        self.position = start.saturating_add(n as usize);
        Ok(start..self.position)
    }

    /// Reads an array.
    ///
    /// # Errors
    /// As [`advance`](Cursor::advance).
    #[inline]
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], Stop> {
        let Some(array) = self.ahead().first_chunk::<N>() else {
            return Err(self.lacking(N as u64));
        };
        self.position = self.position.saturating_add(N);
        Ok(*array)
    }

    /// Passes over all that is left of the window or the frame.
    ///
    /// # Errors
    /// It has not arrived; or more may come, and nothing tells how much.
    pub fn rest(&mut self) -> Result<Range<usize>, Stop> {
        if self.open && self.window.is_none() {
            return Err(self.bad(NO_END));
        }
        self.advance(self.remaining() as u64)
    }

    /// From here on nothing is read beyond `end`, until [`leave`](Cursor::leave). Waits for nothing.
    ///
    /// # Errors
    /// That is beyond the window that it is in, or beyond the frame; or it has been passed already.
    #[inline]
    pub fn limit(&mut self, end: u64) -> Result<Window, Stop> {
        if end < self.position as u64 {
            return Err(self.bad(Fault::LengthTooSmall(end)));
        }
        if end > self.limit as u64 {
            return Err(self.overlong(end));
        }
        let outer = Window { limit: self.limit, window: self.window };
        self.window = Some(self.position);
        self.limit = end as usize;
        Ok(outer)
    }

    /// Leaves a window.
    ///
    /// # Errors
    /// Something is left in it.
    #[inline]
    pub fn leave(&mut self, window: Window) -> Result<(), Stop> {
        let done = self.is_at_end();
        (self.limit, self.window) = (window.limit, window.window);
        if done { Ok(()) } else { Err(self.bad(Fault::Other("covers more than what is in it"))) }
    }

    /// Reads a value that has a layout of its own: such a value may hold others of the same type, and
    /// bytes must not make us descend for ever.
    ///
    /// # Errors
    /// [`Fault::TooDeep`] at a depth of 32; else what `read` fails with.
    #[inline]
    pub fn nested<T>(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<T, Stop>,
    ) -> Result<T, Stop> {
        let depth = self.depth;
        if depth >= MAX_DEPTH {
            return Err(self.bad(Fault::TooDeep));
        }
        self.depth = depth.saturating_add(1);
        let done = read(self);
        self.depth = depth;
        done
    }

    /// An item has been passed that takes no bytes.
    pub(super) fn empty_item(&mut self) -> Result<(), Stop> {
        let left = self.empties.checked_sub(1);
        self.empties =
            left.ok_or_else(|| self.bad(Fault::Other("has items that take no bytes")))?;
        Ok(())
    }

    /// Whether the end of the window, or of the whole frame, has been reached.
    #[must_use]
    pub fn is_at_end(&self) -> bool {
        self.position >= self.limit
    }

    /// Bytes that have been passed over. What has not arrived is empty.
    #[inline]
    #[must_use]
    pub fn bytes(&self, range: Range<usize>) -> &'a [u8] {
        self.bytes.get(range).unwrap_or_default()
    }

    /// The bytes that have arrived and can be read, from here on.
    #[must_use]
    #[inline]
    pub fn ahead(&self) -> &'a [u8] {
        self.bytes(self.position..self.reach())
    }

    /// What has arrived and can be read ends here.
    #[inline]
    fn reach(&self) -> usize {
        self.limit.min(self.bytes.len())
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
        self.bad_in(self.field, fault)
    }

    /// An error in another field.
    #[cold]
    pub(in crate::frame) fn bad_in(&self, field: &'static str, fault: Fault) -> Stop {
        Stop::Bad(match self.open {
            true => DecodeError::connection(field, fault),
            false => DecodeError::message(field, fault),
        })
    }

    /// Why `n` bytes can't be read.
    #[cold]
    fn lacking(&self, n: u64) -> Stop {
        let end = (self.position as u64).saturating_add(n);
        match self.window {
            _ if end <= self.limit as u64 => Stop::Need(end as usize),
            Some(start) => {
                let len = self.limit.saturating_sub(start);
                self.bad(Fault::LengthTooSmall(len as u64))
            }
            None => self.overlong(end),
        }
    }

    /// Something is to end where nothing is any more.
    #[cold]
    fn overlong(&self, end: u64) -> Stop {
        match self.open || self.window.is_some() {
            true => {
                let start = self.window.unwrap_or_default();
                self.bad(Fault::LengthTooLarge(end.saturating_sub(start as u64)))
            }
            false => self.bad(Fault::Truncated),
        }
    }
}
