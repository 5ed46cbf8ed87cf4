//! What is kept of a request while it is in flight.

use std::cell::RefCell;
use std::num::NonZeroUsize;

use crate::{MessageKind, Metadata};

/// What is left of a request while it is in flight: enough to answer it with an error, small enough
/// to be kept without allocating, and without holding on to the frame.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RequestHead {
    /// [`MessageKind::Request`], mostly.
    pub kind: MessageKind,
    /// The id as the caller chose it.
    pub request_id: Option<u64>,
    context: Context,
}

impl RequestHead {
    /// The most bytes of a frame that are kept.
    pub const MAX_CONTEXT: usize = 4096;

    /// Up to this many bytes are kept in place. Room for more is used again and again.
    pub const IN_PLACE: usize = 24;

    /// The head of the request that `metadata` describes.
    #[must_use]
    pub fn of(metadata: &Metadata) -> Self {
        let size = metadata.context_size.min(Self::MAX_CONTEXT).min(metadata.frame.len());
        RequestHead {
            kind: metadata.kind,
            request_id: metadata.request_id,
            context: Context::new(&metadata.frame, size),
        }
    }

    /// A head whose context is the first bytes of a frame that was never read whole; for
    /// [`Codec::peek_request`](crate::Codec::peek_request).
    #[must_use]
    pub fn peeked(kind: MessageKind, request_id: Option<u64>, context: &[u8]) -> Self {
        let context = Context::new(context, context.len().min(Self::MAX_CONTEXT));
        RequestHead { kind, request_id, context }
    }

    /// The first bytes of the frame, as many as the codec asked for with
    /// [`Metadata::context_size`].
    #[must_use]
    pub fn context(&self) -> &[u8] {
        self.context.bytes()
    }
}

/// A few bytes in place, or many on the heap.
///
/// The size is a whole word so that there is no tag in front of the bytes: the zero that it can't be
/// tells the variants apart. A head is moved right after it was made, and bytes at odd places would
/// have to wait for each other.
#[derive(Debug, Clone)]
enum Context {
    /// The bytes, and how many they are, plus one.
    Few(Aligned, NonZeroUsize),
    Many(Lent),
}

thread_local! {
    /// Room for contexts that nobody uses. A worker makes and drops all its heads on one thread.
    static ROOM: RefCell<Vec<Vec<u8>>> = const { RefCell::new(Vec::new()) };
}

/// Room that is kept for later, in pieces.
const MOST_ROOM: usize = 1024;
/// The largest piece of room that is kept, in bytes.
const LARGEST_ROOM: usize = 256;

/// Bytes in room that goes back to where it came from.
#[derive(Debug)]
struct Lent(Vec<u8>);

impl Lent {
    fn new(bytes: &[u8]) -> Self {
        // At the end of a thread there is no room left to take, and none is missed.
        let room = ROOM.try_with(|room| room.borrow_mut().pop()).ok().flatten();
        let mut room = room.unwrap_or_else(|| Vec::with_capacity(bytes.len().max(64)));
        room.extend_from_slice(bytes);
        Lent(room)
    }
}

impl Clone for Lent {
    fn clone(&self) -> Self {
        Lent::new(&self.0)
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        let mut own = std::mem::take(&mut self.0);
        if own.capacity() > LARGEST_ROOM {
            return;
        }
        own.clear();
        let given = ROOM.try_with(|room| {
            let mut room = room.borrow_mut();
            if room.len() < MOST_ROOM {
                room.push(own);
            }
        });
        // At the end of a thread it just goes.
        given.ok();
    }
}

/// The alignment lets the bytes be moved in the same words in which they were written. A request's
/// head is moved right after it was made: words that overlap the written ones would have to wait.
#[derive(Debug, Clone, Copy, Default)]
#[repr(align(8))]
struct Aligned([u8; RequestHead::IN_PLACE]);

impl Context {
    /// Keeps the first `size` bytes of `frame`.
    fn new(frame: &[u8], size: usize) -> Self {
        let size = size.min(frame.len());
        if size > RequestHead::IN_PLACE {
            return Context::Many(Lent::new(frame.get(..size).unwrap_or_default()));
        }
        let len = NonZeroUsize::MIN.saturating_add(size);
        // A copy of constant size is a few words; what lies behind `len` is never looked at.
        if let Some(bytes) = frame.first_chunk() {
            return Context::Few(Aligned(*bytes), len);
        }
        let mut few = Aligned::default();
        for (to, from) in few.0.iter_mut().zip(frame) {
            *to = *from;
        }
        Context::Few(few, len)
    }

    fn bytes(&self) -> &[u8] {
        match self {
            Context::Few(bytes, len) => {
                bytes.0.get(..len.get().saturating_sub(1)).unwrap_or_default()
            }
            Context::Many(lent) => &lent.0,
        }
    }
}

impl Default for Context {
    fn default() -> Self {
        Context::Few(Aligned::default(), NonZeroUsize::MIN)
    }
}

impl PartialEq for Context {
    fn eq(&self, other: &Self) -> bool {
        self.bytes() == other.bytes()
    }
}

impl Eq for Context {}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    #[test]
    fn a_request_head_keeps_what_was_asked_for_and_no_more() {
        let mut m = Metadata::new();
        m.frame = Bytes::from(vec![7; 9000]);
        m.context_size = 13;
        assert_eq!(RequestHead::of(&m).context(), [7; 13]);
        m.context_size = 25;
        assert_eq!(RequestHead::of(&m).context(), [7; 25]);
        let short = RequestHead::peeked(MessageKind::Request, None, b"abc");
        assert_eq!(short.context(), b"abc");
        m.context_size = usize::MAX;
        assert_eq!(RequestHead::of(&m).context().len(), RequestHead::MAX_CONTEXT);
    }
}
