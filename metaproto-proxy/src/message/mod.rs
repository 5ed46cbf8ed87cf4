//! A message on its way from one connection to another.

mod timed;

use std::borrow::Cow;
use std::ops::Range;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use metaproto_core::{Codec, EncodeError, Metadata, Mutation, Output};

use self::timed::Leaving;

/// A message that is to be written later: as it came, or re-written by a mutation.
#[derive(Debug)]
pub(crate) enum Message {
    /// The frame as it came.
    Frame {
        /// All of it.
        frame: Bytes,
        /// The bytes before the body; the id lies within them.
        header_size: usize,
        /// Where it tells how much time is left.
        timed: Option<Range<usize>>,
    },
    /// What the codec has written for a mutation. The id lies within its first stretch.
    Rewritten(Rewritten),
}

/// What a codec has written for a mutation.
pub(crate) type Rewritten = Box<Written>;

/// What a codec has written.
#[derive(Debug)]
pub(crate) struct Written {
    output: Output,
    /// Where it tells how much time is left.
    timed: Option<Range<usize>>,
}

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
        /// Where it tells how much time is left.
        timed: Option<&'a Range<usize>>,
    },
    /// What the codec has written for a mutation.
    Rewritten(&'a Written),
}

impl Message {
    /// The message, to be written.
    pub(crate) fn outgoing(&self) -> Outgoing<'_> {
        match self {
            Message::Frame { frame, header_size, timed } => {
                Outgoing::Frame { frame, header_size: *header_size, timed: timed.as_ref() }
            }
            Message::Rewritten(written) => Outgoing::Rewritten(written),
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
    let timed = match metadata.timeout_place {
        Some(_) => codec.encode_timed(metadata, &mutation, &mut output)?,
        None => codec.encode(metadata, &mutation, &mut output).map(|()| None)?,
    };
    Ok(Some(Box::new(Written { output, timed })))
}

impl<'a> Outgoing<'a> {
    /// The message that `metadata` describes, or what it was re-written to.
    #[inline(always)]
    pub(crate) fn new(metadata: &'a Metadata, rewritten: Option<&'a Written>) -> Self {
        let Metadata { frame, header_size, timeout_place, .. } = metadata;
        let timed = timeout_place.as_ref();
        let as_it_came = Outgoing::Frame { frame, header_size: *header_size, timed };
        rewritten.map_or(as_it_came, Outgoing::Rewritten)
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
            Outgoing::Frame { frame, header_size, timed } => {
                Message::Frame { frame: copy(frame), header_size, timed: timed.cloned() }
            }
            Outgoing::Rewritten(written) => {
                let mut output = Output::new();
                written.output.parts().for_each(|part| output.share(part));
                Message::Rewritten(Box::new(Written { output, timed: written.timed.clone() }))
            }
        }
    }

    /// All of the message in one piece, for a codec that writes it anew.
    pub(crate) fn whole(self) -> Cow<'a, Bytes> {
        match self {
            Outgoing::Frame { frame, .. } => Cow::Borrowed(frame),
            Outgoing::Rewritten(written) => Cow::Owned(joined(&written.output)),
        }
    }

    /// The bytes that the message has.
    pub(crate) fn len(self) -> usize {
        match self {
            Outgoing::Frame { frame, .. } => frame.len(),
            Outgoing::Rewritten(written) => written.output.len(),
        }
    }

    /// Whether it has a place that tells how much time is left.
    #[inline(always)]
    pub(crate) fn is_timed(self) -> bool {
        self.timed().is_some()
    }

    #[inline(always)]
    fn timed(self) -> Option<&'a Range<usize>> {
        match self {
            Outgoing::Frame { timed, .. } => timed,
            Outgoing::Rewritten(written) => written.timed.as_ref(),
        }
    }

    /// As [`write`](Outgoing::write), for a request that has `left` to be answered: it says so, if it
    /// has a place for it.
    pub(crate) fn write_timed(
        self,
        out: &mut Output,
        codec: &dyn Codec,
        id: Option<u64>,
        left: Duration,
    ) -> Result<(), EncodeError> {
        let Some(place) = self.timed() else { return self.write(out, codec, id) };
        let start = out.len();
        let leaving = Leaving { codec, id, left, place };
        let written = match self {
            Outgoing::Frame { frame, header_size, .. } => leaving.frame(frame, header_size, out),
            Outgoing::Rewritten(written) => leaving.rewritten(&written.output, out),
        };
        if written.is_err() {
            out.truncate(start);
        }
        written
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
            (Outgoing::Frame { frame, header_size, .. }, Some(id)) => {
                let mut body = frame.clone();
                let header = body.split_to(header_size.min(frame.len()));
                patched(out, &header, codec, id).map(|()| out.share(body))
            }
            (Outgoing::Frame { frame, .. }, None) => {
                out.share(frame.clone());
                Ok(())
            }
            (Outgoing::Rewritten(written), id) => write_rewritten(out, &written.output, codec, id),
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
