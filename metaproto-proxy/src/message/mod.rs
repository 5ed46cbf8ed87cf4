//! A message on its way from one connection to another.

mod timed;

use std::borrow::Cow;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use metaproto_core::{Codec, EncodeError, Metadata, Mutation, Output};

use self::timed::{Leaving, Stretch};

/// A message that is to be written: as it came, or re-written by a mutation.
#[derive(Debug)]
pub(crate) enum Message {
    /// The frame as it came.
    Frame {
        /// All of it.
        frame: Bytes,
        /// The bytes before the body; the id lies within them.
        header_size: usize,
        /// Where a request tells how much time is left.
        timed: Option<Stretch>,
    },
    /// What the codec has written for a mutation. The id lies within its first stretch.
    Rewritten(Box<Rewritten>),
}

/// What a codec has written.
#[derive(Debug)]
pub(crate) struct Rewritten {
    output: Output,
    /// Where a request tells how much time is left.
    timed: Option<Stretch>,
}

impl Message {
    /// The message that `metadata` describes, with the changes of the filters, if there are any, and
    /// then those of the route. Takes the frame out of `metadata`: what is still to be read from it
    /// must have been read.
    #[inline(always)]
    pub(crate) fn take(
        metadata: &mut Metadata,
        filters: Option<Mutation>,
        route: &Mutation,
        codec: &dyn Codec,
    ) -> Result<Self, EncodeError> {
        if filters.is_none() && route.is_empty() {
            let (frame, header_size) = (std::mem::take(&mut metadata.frame), metadata.header_size);
            let timed = Stretch::new(metadata.timeout_place.take(), frame.len());
            return Ok(Message::Frame { frame, header_size, timed });
        }
        Self::rewrite(metadata, filters, route, codec)
    }

    fn rewrite(
        metadata: &mut Metadata,
        filters: Option<Mutation>,
        route: &Mutation,
        codec: &dyn Codec,
    ) -> Result<Self, EncodeError> {
        let mut mutation = filters.unwrap_or_default();
        mutation.extend_from(route);
        if mutation.is_empty() {
            return Self::take(metadata, None, &mutation, codec);
        }
        let mut output = Output::new();
        let place = match metadata.timeout_place {
            Some(_) => codec.encode_timed(metadata, &mutation, &mut output)?,
            None => codec.encode(metadata, &mutation, &mut output).map(|()| None)?,
        };
        let timed = Stretch::new(place, output.len());
        Ok(Message::Rewritten(Box::new(Rewritten { output, timed })))
    }

    /// The same message, to be kept for long: few bytes are copied, so as not to hold on to what they
    /// were read into.
    pub(crate) fn kept(&self) -> Self {
        let keep = |bytes: &Bytes| match bytes.len() < Output::SHARE_MIN {
            true => Bytes::copy_from_slice(bytes),
            false => bytes.clone(),
        };
        match self {
            Message::Frame { frame, header_size, timed } => {
                Message::Frame { frame: keep(frame), header_size: *header_size, timed: *timed }
            }
            Message::Rewritten(message) => {
                let mut output = Output::new();
                message.output.parts().for_each(|part| output.share(part));
                Message::Rewritten(Box::new(Rewritten { output, timed: message.timed }))
            }
        }
    }

    /// All of the message in one piece, for a codec that writes it anew.
    pub(crate) fn whole(&self) -> Cow<'_, Bytes> {
        match self {
            Message::Frame { frame, .. } => Cow::Borrowed(frame),
            Message::Rewritten(message) => Cow::Owned(joined(&message.output)),
        }
    }

    /// The bytes that the message has.
    pub(crate) fn len(&self) -> usize {
        match self {
            Message::Frame { frame, .. } => frame.len(),
            Message::Rewritten(message) => message.output.len(),
        }
    }

    /// Whether it has a place that tells how much time is left.
    #[inline(always)]
    pub(crate) fn is_timed(&self) -> bool {
        self.timed().is_some()
    }

    #[inline(always)]
    fn timed(&self) -> Option<Stretch> {
        match self {
            Message::Frame { timed, .. } => *timed,
            Message::Rewritten(message) => message.timed,
        }
    }

    /// As [`write`](Message::write), for a request that has `left` to be answered: it says so, if it
    /// has a place for it.
    pub(crate) fn write_timed(
        &self,
        out: &mut Output,
        codec: &dyn Codec,
        id: Option<u64>,
        left: Duration,
    ) -> Result<(), EncodeError> {
        let Some(stretch) = self.timed() else { return self.write(out, codec, id) };
        let start = out.len();
        let leaving = Leaving { codec, id, left: (stretch, left) };
        match self {
            Message::Frame { frame, header_size, .. } => {
                timed::frame(out, frame, *header_size, leaving)
            }
            Message::Rewritten(message) => timed::rewritten(out, &message.output, leaving),
        }
        .inspect_err(|_| out.truncate(start))
    }

    /// Appends the message to `out`, with another id if one is given. The body of a large message is
    /// shared; a header is copied, because it is about to be changed. On an error `out` is as it was.
    #[inline(always)]
    pub(crate) fn write(
        &self,
        out: &mut Output,
        codec: &dyn Codec,
        id: Option<u64>,
    ) -> Result<(), EncodeError> {
        let start = out.len();
        match (self, id) {
            (Message::Frame { frame, .. }, Some(id)) if frame.len() < Output::SHARE_MIN => {
                patched(out, frame, codec, id)
            }
            (Message::Frame { frame, header_size, .. }, Some(id)) => {
                let mut body = frame.clone();
                let header = body.split_to(*header_size.min(&frame.len()));
                patched(out, &header, codec, id).map(|()| out.share(body))
            }
            (Message::Frame { frame, .. }, None) => {
                out.share(frame.clone());
                Ok(())
            }
            (Message::Rewritten(message), id) => write_rewritten(out, &message.output, codec, id),
        }
        .inspect_err(|_| out.truncate(start))
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
