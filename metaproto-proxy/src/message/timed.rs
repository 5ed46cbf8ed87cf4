//! Requests that tell how much time is left.

use std::ops::Range;
use std::time::Duration;

use bytes::Bytes;
use metaproto_core::{Codec, EncodeError, Output};

use super::patched;

/// What is different in a request when it leaves.
#[derive(Clone, Copy)]
pub(super) struct Leaving<'a> {
    /// The codec of the connection that it leaves on.
    pub(super) codec: &'a dyn Codec,
    pub(super) id: Option<u64>,
    /// How much time is left.
    pub(super) left: Duration,
    /// Where it says so.
    pub(super) place: &'a Range<usize>,
}

impl Leaving<'_> {
    /// Appends a frame. Its first bytes are copied, and so is the place; of a large one the rest is
    /// shared.
    pub(super) fn frame(
        self,
        frame: &Bytes,
        header_size: usize,
        out: &mut Output,
    ) -> Result<(), EncodeError> {
        if frame.len() < Output::SHARE_MIN {
            return self.first(frame, out);
        }
        let size = match self.place.start < header_size {
            true => header_size.max(self.place.end),
            false => header_size,
        };
        let mut body = frame.clone();
        let head = body.split_to(size.min(frame.len()));
        self.first(&head, out)?;
        self.later(body, head.len(), out);
        Ok(())
    }

    /// Appends what a codec has written.
    pub(super) fn rewritten(self, message: &Output, out: &mut Output) -> Result<(), EncodeError> {
        let mut from = 0_usize;
        for (index, part) in message.parts().enumerate() {
            let size = part.len();
            match index == 0 && self.id.is_some() {
                true => self.first(&part, out)?,
                false => self.later(part, from, out),
            }
            from = from.saturating_add(size);
        }
        Ok(())
    }

    /// Appends a copy of `bytes`, the first of the message.
    fn first(self, bytes: &[u8], out: &mut Output) -> Result<(), EncodeError> {
        let start = out.tail().len();
        match self.id {
            Some(id) => patched(out, bytes, self.codec, id)?,
            None => out.copy(bytes),
        }
        if self.place.end <= bytes.len() {
            self.tell(start.saturating_add(self.place.start), out);
        }
        Ok(())
    }

    /// Appends `bytes`, which begin at `from` of the message, with nothing copied but the place, if that
    /// is part of them.
    fn later(self, mut bytes: Bytes, from: usize, out: &mut Output) {
        let end = from.saturating_add(bytes.len());
        let is_here = from <= self.place.start && self.place.end <= end && !self.place.is_empty();
        if is_here && let Some(before) = self.place.start.checked_sub(from) {
            out.share(bytes.split_to(before));
            let at = out.tail().len();
            out.copy(&bytes.split_to(self.place.len()));
            self.tell(at, out);
        }
        out.share(bytes);
    }

    /// Writes the time into a copy of the place, which stands at `at` of the end of `out`. Whoever can't
    /// be told goes by what the client has said.
    fn tell(self, at: usize, out: &mut Output) {
        let end = at.saturating_add(self.place.len());
        if let Some(stretch) = out.tail().get_mut(at..end) {
            self.codec.set_deadline(stretch, self.left).ok();
        }
    }
}
