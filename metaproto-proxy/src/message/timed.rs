//! Requests that tell how much time is left.

use std::ops::Range;
use std::time::Duration;

use bytes::Bytes;
use metaproto_core::{Codec, EncodeError, Output};

use super::patched;

/// Where a message tells how much time is left.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stretch {
    start: u32,
    len: u32,
}

impl Stretch {
    /// One of a message of `size` bytes; none if it does not lie within, or so far behind that messages
    /// would have to be larger for it.
    #[inline(always)]
    pub(super) fn new(place: Option<Range<usize>>, size: usize) -> Option<Self> {
        let place = place?;
        let len = place.end.checked_sub(place.start).filter(|_| place.end <= size)?;
        Some(Stretch { start: place.start.try_into().ok()?, len: len.try_into().ok()? })
    }

    fn start(self) -> usize {
        self.start as usize
    }

    fn len(self) -> usize {
        self.len as usize
    }

    fn end(self) -> usize {
        self.start().saturating_add(self.len())
    }
}

/// What is different in a message when it leaves.
#[derive(Clone, Copy)]
pub(super) struct Leaving<'a> {
    /// The codec of the connection that it leaves on.
    pub(super) codec: &'a dyn Codec,
    pub(super) id: Option<u64>,
    /// How much time is left, and where it says so.
    pub(super) left: (Stretch, Duration),
}

impl Leaving<'_> {
    /// Writes the time into a stretch of the message, `place`, that was copied to the end of `out`.
    /// Whoever can't be told goes by what the client has said.
    fn set(&self, out: &mut Output, at: usize) {
        let (stretch, left) = self.left;
        let end = at.saturating_add(stretch.len());
        if let Some(bytes) = out.tail().get_mut(at..end) {
            self.codec.set_deadline(bytes, left).ok();
        }
    }
}

/// Appends a frame. Its first bytes are copied, and so is the stretch; of a large one the rest is shared.
pub(super) fn frame(
    out: &mut Output,
    frame: &Bytes,
    header_size: usize,
    leaving: Leaving<'_>,
) -> Result<(), EncodeError> {
    let (stretch, _) = leaving.left;
    let size = match frame.len() < Output::SHARE_MIN {
        true => frame.len(),
        false if stretch.start() < header_size => header_size.max(stretch.end()).min(frame.len()),
        false => header_size.min(frame.len()),
    };
    let mut body = frame.clone();
    let head = body.split_to(size);
    first(out, &head, leaving)?;
    later(out, body, size, leaving);
    Ok(())
}

/// Appends what a codec has written.
pub(super) fn rewritten(
    out: &mut Output,
    message: &Output,
    leaving: Leaving<'_>,
) -> Result<(), EncodeError> {
    let mut from = 0_usize;
    for (index, part) in message.parts().enumerate() {
        let size = part.len();
        match index == 0 && leaving.id.is_some() {
            true => first(out, &part, leaving)?,
            false => later(out, part, from, leaving),
        }
        from = from.saturating_add(size);
    }
    Ok(())
}

/// Appends a copy of `bytes`, the first of the message.
fn first(out: &mut Output, bytes: &[u8], leaving: Leaving<'_>) -> Result<(), EncodeError> {
    let start = out.tail().len();
    match leaving.id {
        Some(id) => patched(out, bytes, leaving.codec, id)?,
        None => out.copy(bytes),
    }
    let (stretch, _) = leaving.left;
    if stretch.end() <= bytes.len() {
        leaving.set(out, start.saturating_add(stretch.start()));
    }
    Ok(())
}

/// Appends `bytes`, which begin at `from` of the message, with nothing copied but the stretch, if that
/// is part of them.
fn later(out: &mut Output, mut bytes: Bytes, from: usize, leaving: Leaving<'_>) {
    let (stretch, _) = leaving.left;
    let before = stretch.start().checked_sub(from);
    if let Some(before) = before.filter(|_| stretch.end() <= from.saturating_add(bytes.len())) {
        out.share(bytes.split_to(before));
        let at = out.tail().len();
        out.copy(&bytes.split_to(stretch.len()));
        leaving.set(out, at);
    }
    out.share(bytes);
}
