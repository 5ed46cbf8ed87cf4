//! A message on its way from one connection to another.

use std::borrow::Cow;

use bytes::{Bytes, BytesMut};
use metaproto_core::{Codec, EncodeError, Metadata, Mutation, Output};

/// A message that is to be written later: as it came, or re-written by a mutation.
#[derive(Debug)]
pub(crate) enum Message {
    /// The frame as it came.
    Frame {
        /// All of it.
        frame: Bytes,
        /// The bytes before the body; the id lies within them.
        header_size: usize,
    },
    /// What the codec has written for a mutation. The id lies within its first stretch.
    Rewritten(Rewritten),
}

/// What a codec has written for a mutation.
pub(crate) type Rewritten = Box<Output>;

/// A message that is to be written now, wherever it stands. Most are never more than this: to move
/// whole messages from hand to hand costs more than to write them.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Outgoing<'a> {
    /// The frame as it came.
    Frame {
        /// All of it.
        frame: &'a Bytes,
        /// The bytes before the body; the id lies within them.
        header_size: usize,
    },
    /// What the codec has written for a mutation.
    Rewritten(&'a Output),
}

impl Message {
    /// The message, to be written.
    pub(crate) fn outgoing(&self) -> Outgoing<'_> {
        match self {
            Message::Frame { frame, header_size } => {
                Outgoing::Frame { frame, header_size: *header_size }
            }
            Message::Rewritten(output) => Outgoing::Rewritten(output),
        }
    }

    /// The bytes that the message has.
    pub(crate) fn len(&self) -> usize {
        self.outgoing().len()
    }
}

/// What the changes of the filters, if there are any, and then those of the route make of the message
/// that `metadata` describes. `None` if nothing is to be changed.
#[inline(always)]
pub(crate) fn rewritten(
    metadata: &Metadata,
    filters: Option<Mutation>,
    route: &Mutation,
    codec: &dyn Codec,
) -> Result<Option<Rewritten>, Box<EncodeError>> {
    if filters.is_none() && route.is_empty() {
        return Ok(None);
    }
    rewrite(metadata, filters, route, codec).map_err(Box::new)
}

fn rewrite(
    metadata: &Metadata,
    filters: Option<Mutation>,
    route: &Mutation,
    codec: &dyn Codec,
) -> Result<Option<Rewritten>, EncodeError> {
    let mut mutation = filters.unwrap_or_default();
    mutation.extend_from(route);
    if mutation.is_empty() {
        return Ok(None);
    }
    let mut output = Output::new();
    codec.encode(metadata, &mutation, &mut output)?;
    Ok(Some(Box::new(output)))
}

impl<'a> Outgoing<'a> {
    /// The message that `metadata` describes, or what it was re-written to.
    #[inline(always)]
    pub(crate) fn new(metadata: &'a Metadata, rewritten: Option<&'a Output>) -> Self {
        let header_size = metadata.header_size;
        rewritten
            .map_or(Outgoing::Frame { frame: &metadata.frame, header_size }, Outgoing::Rewritten)
    }

    /// The message, to be written in a moment. It shares what it was read into.
    pub(crate) fn owned(self) -> Message {
        self.copied(Bytes::clone)
    }

    /// The message, to be kept for long: few bytes are copied, so as not to hold on to what they were
    /// read into.
    pub(crate) fn kept(self) -> Message {
        self.copied(|bytes| match bytes.len() < Output::SHARE_MIN {
            true => Bytes::copy_from_slice(bytes),
            false => bytes.clone(),
        })
    }

    fn copied(self, copy: impl FnOnce(&Bytes) -> Bytes) -> Message {
        match self {
            Outgoing::Frame { frame, header_size } => {
                Message::Frame { frame: copy(frame), header_size }
            }
            Outgoing::Rewritten(output) => {
                let mut kept = Output::new();
                output.parts().for_each(|part| kept.share(part));
                Message::Rewritten(Box::new(kept))
            }
        }
    }

    /// All of the message in one piece, for a codec that writes it anew.
    pub(crate) fn whole(self) -> Cow<'a, Bytes> {
        match self {
            Outgoing::Frame { frame, .. } => Cow::Borrowed(frame),
            Outgoing::Rewritten(output) => Cow::Owned(joined(output)),
        }
    }

    /// The bytes that the message has.
    pub(crate) fn len(self) -> usize {
        match self {
            Outgoing::Frame { frame, .. } => frame.len(),
            Outgoing::Rewritten(output) => output.len(),
        }
    }

    /// Appends the message to `out`, with another id if one is given. The body of a large message is
    /// shared; a header is copied, because it is about to be changed. On an error `out` is as it was.
    #[inline(always)]
    pub(crate) fn write(
        self,
        out: &mut Output,
        codec: &dyn Codec,
        id: Option<u64>,
    ) -> Result<(), EncodeError> {
        let start = out.len();
        let written = match (self, id) {
            (Outgoing::Frame { frame, .. }, Some(id)) if frame.len() < Output::SHARE_MIN => {
                patched(out, frame, codec, id)
            }
            (Outgoing::Frame { frame, header_size }, Some(id)) => {
                let mut body = frame.clone();
                let header = body.split_to(header_size.min(frame.len()));
                patched(out, &header, codec, id).map(|()| out.share(body))
            }
            (Outgoing::Frame { frame, .. }, None) => {
                out.share(frame.clone());
                Ok(())
            }
            (Outgoing::Rewritten(message), id) => write_rewritten(out, message, codec, id),
        };
        if written.is_err() {
            out.truncate(start);
        }
        written
    }
}

fn joined(output: &Output) -> Bytes {
    let mut whole = BytesMut::with_capacity(output.len());
    output.parts().for_each(|part| whole.extend_from_slice(&part));
    whole.freeze()
}

fn write_rewritten(
    out: &mut Output,
    message: &Output,
    codec: &dyn Codec,
    id: Option<u64>,
) -> Result<(), EncodeError> {
    let mut parts = message.parts();
    if let Some(id) = id
        && let Some(head) = parts.next()
    {
        patched(out, &head, codec, id)?;
    }
    parts.for_each(|part| out.share(part));
    Ok(())
}

/// Appends a copy of `bytes`, the start of a frame, with `id` in it.
#[inline(always)]
fn patched(out: &mut Output, bytes: &[u8], codec: &dyn Codec, id: u64) -> Result<(), EncodeError> {
    let tail = out.tail();
    let start = tail.len();
    tail.extend_from_slice(bytes);
    codec.patch_request_id(tail.get_mut(start..).unwrap_or_default(), id)
}
