//! The codec that a message makes.

use std::fmt;
use std::marker::PhantomData;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};

use super::change::{change_header, encode_whole, no_header, read_again, trailer};
use super::parts::Stop;
use super::whole::locate;
use super::{Asked, Header, Located, Message, Places, Spec, support};
use crate::{
    Codec, CodecContext, DecodeError, EncodeError, Error, FrameLength, Interest, MessageKind,
    Metadata, Mutation, Output, RequestHead, Side,
};

/// Reads and writes `M`s: the codec of [`Derived`](super::Derived). A codec that is written by hand, to
/// read bodies perhaps, holds it for the header.
///
/// Keeps no state, but for how far a header has been gone through that has not arrived whole.
pub struct MessageCodec<M: Message> {
    asked: Asked,
    max_frame: usize,
    located: Located<M::Starts>,
    message: PhantomData<M>,
}

impl<M: Message> fmt::Debug for MessageCodec<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("MessageCodec").field(&M::SPEC.protocol).finish()
    }
}

impl<M: Message> MessageCodec<M> {
    /// The codec of one direction of one connection.
    #[must_use]
    pub fn new(context: &CodecContext) -> Self {
        let asked = Asked::new::<M>(context.side, &context.interest);
        let max_frame = context.limits.max_frame;
        MessageCodec { asked, max_frame, located: Located::default(), message: PhantomData }
    }

    /// Appends a message of `kind` that nobody has sent: a template, and perhaps an id.
    fn append(
        &self,
        kind: MessageKind,
        id: Option<u64>,
        out: &mut BytesMut,
    ) -> Result<(), EncodeError> {
        let mut header = M::TEMPLATE;
        let id = id.zip(M::SPEC.request_id_bits).map(|(id, bits)| own_id(M::SPEC, id, bits));
        complete::<M>(&mut header, id, kind)?;
        M::write_filled(header, &[], out)
    }

    #[inline(always)]
    fn told_length(&mut self, head: &[u8]) -> Result<FrameLength, DecodeError> {
        let told = M::frame_length_from(&mut self.located, head);
        if M::IS_SCANNED && !matches!(told, Ok(FrameLength::Need(_))) {
            self.located = Located::default();
        }
        told
    }

    /// The length, although the fixed part has not arrived whole. Out of line: it is for the one
    /// frame of many that a read has cut in two.
    #[inline(never)]
    fn early_length(&mut self, head: &[u8]) -> Result<FrameLength, DecodeError> {
        match self.told_length(head)? {
            // It will be refused; to be answered all the same, it must say who has asked.
            FrameLength::Known(total) if total > self.max_frame => {
                Ok(FrameLength::Need(M::HEADER_SIZE))
            }
            told => Ok(told),
        }
    }

    /// As [`decode`](Codec::decode), but for [`Metadata::frame`], which the caller still needs.
    ///
    /// # Errors
    /// Those of `decode`.
    #[inline]
    pub fn describe(&self, frame: &Bytes, metadata: &mut Metadata) -> Result<(), DecodeError> {
        let header = M::Header::first(frame).ok_or_else(support::truncated)?;
        metadata.header_size = M::HEADER_SIZE;
        metadata.context_size = M::HEADER_SIZE;
        let described = M::describe(header, &self.asked, metadata);
        if M::SPEC.sealed_id && matches!(metadata.kind, MessageKind::Ping | MessageKind::Pong) {
            // Where order counts, pings are not matched by what is in their id.
            metadata.request_id = None;
        }
        if M::IS_PLAIN {
            let prefix = M::Prefix::first(header.as_slice()).ok_or_else(support::truncated)?;
            if let Some(told) = M::length(prefix)? {
                support::check_total(told, frame.len())?;
            }
            return described;
        }
        let located = locate::<M>(frame)?;
        metadata.header_size = located.header_size();
        metadata.trailer_size = M::TRAILER_SIZE;
        M::verify(frame, located.starts())?;
        M::describe_parts(frame, located.starts(), &self.asked, metadata)
            .map_err(Stop::into_error)?;
        described
    }
}

impl<M: Message> Codec for MessageCodec<M> {
    fn frame_length(&mut self, head: &[u8]) -> Result<FrameLength, DecodeError> {
        if head.len() < M::HEADER_SIZE {
            return self.early_length(head);
        }
        self.told_length(head)
    }

    fn decode(&mut self, frame: Bytes, metadata: &mut Metadata) -> Result<(), DecodeError> {
        let described = self.describe(&frame, metadata);
        metadata.frame = frame;
        described
    }

    fn encode(
        &self,
        metadata: &Metadata,
        mutation: &Mutation,
        out: &mut Output,
    ) -> Result<(), EncodeError> {
        if mutation.is_empty() {
            out.share(metadata.frame.clone());
            return Ok(());
        }
        let mut header = *M::Header::first(&metadata.frame).ok_or_else(no_header)?;
        if !M::IS_PLAIN {
            return encode_whole::<M>(&metadata.frame, &mut header, mutation, out);
        }
        for change in mutation.changes() {
            change_header::<M>(&mut header, change)?;
        }
        let body = metadata.frame.slice(M::HEADER_SIZE..);
        M::set_lengths(&mut header, &Places::ZERO, body.len())?;
        out.copy(header.as_slice());
        out.share(body);
        Ok(())
    }

    fn encode_timed(
        &self,
        metadata: &Metadata,
        mutation: &Mutation,
        out: &mut Output,
    ) -> Result<Option<Range<usize>>, EncodeError> {
        self.encode(metadata, mutation, out)?;
        // The fixed part stays where it is.
        Ok(metadata.timeout_place.clone().filter(|_| keeps_timeout::<M>(metadata, mutation)))
    }

    fn on_error(
        &self,
        request: &RequestHead,
        error: &Error,
        out: &mut BytesMut,
    ) -> Result<(), EncodeError> {
        let mut header = M::Header::first(request.context()).copied().unwrap_or(M::TEMPLATE);
        complete::<M>(&mut header, request.request_id, MessageKind::Response)?;
        answer::<M>(header, Some(error), out)
    }

    fn patch_request_id(&self, header: &mut [u8], id: u64) -> Result<(), EncodeError> {
        let header = M::Header::first_mut(header).ok_or_else(no_header)?;
        if M::SPEC.sealed_id {
            return keeps_its_id::<M>(header, id);
        }
        M::set_request_id(header, id)?;
        M::reseal(header);
        Ok(())
    }

    /// The stretch is the fixed part: a checksum in it may cover the field.
    fn set_deadline(&self, stretch: &mut [u8], remaining: Duration) -> Result<(), EncodeError> {
        let header = M::Header::first_mut(stretch).ok_or_else(no_header)?;
        M::set_deadline(header, remaining)?;
        M::reseal(header);
        Ok(())
    }

    fn set_interest(&mut self, interest: &Arc<Interest>) {
        self.asked = Asked::new::<M>(self.asked.side, interest);
    }

    fn peek_request(&self, head: &[u8]) -> Option<RequestHead> {
        let header = M::Header::first(head)?;
        let mut metadata = Metadata::new();
        // A kind that is not known reads as a request, and a request can be answered.
        let _ = M::describe(header, &Asked::nothing(self.asked.side), &mut metadata);
        Some(RequestHead::peeked(metadata.kind, metadata.request_id, header.as_slice()))
    }

    fn ping(&self, id: u64, out: &mut BytesMut) -> Result<(), EncodeError> {
        self.append(MessageKind::Ping, Some(id), out)
    }

    /// The ping itself, as a pong: whatever it carries comes back.
    fn pong(&self, ping: &Metadata, out: &mut BytesMut) -> Result<(), EncodeError> {
        let mut header = *M::Header::first(&ping.frame).ok_or_else(no_header)?;
        set_kind::<M>(&mut header, MessageKind::Pong)?;
        if !M::IS_PLAIN {
            return answer_ping::<M>(header, &ping.frame, out);
        }
        out.extend_from_slice(header.as_slice());
        out.extend_from_slice(ping.frame.get(M::HEADER_SIZE..).unwrap_or_default());
        Ok(())
    }

    fn go_away(&self, out: &mut BytesMut) -> Result<(), EncodeError> {
        self.append(MessageKind::GoAway, None, out)
    }
}

/// Makes a header one of this kind, with this id.
pub(super) fn complete<M: Message>(
    header: &mut M::Header,
    id: Option<u64>,
    kind: MessageKind,
) -> Result<(), EncodeError> {
    if let (Some(id), Some(_)) = (id, M::SPEC.request_id_bits) {
        M::set_request_id(header, id)?;
    }
    // Without a kind in the header, the side tells requests from responses; there are no others.
    if M::SPEC.kinds.is_empty() && kind == MessageKind::Response {
        return Ok(());
    }
    set_kind::<M>(header, kind)
}

/// Appends a message with this header, which tells of an error if there is one.
pub(super) fn answer<M: Message>(
    mut header: M::Header,
    error: Option<&Error>,
    out: &mut BytesMut,
) -> Result<(), EncodeError> {
    let Some(error) = error else { return M::write_filled(header, &[], out) };
    let (Some(status), Some(errors)) = (M::SPEC.status, M::SPEC.errors) else {
        return Err(EncodeError::Unsupported("error replies"));
    };
    let code = errors.code(error.kind);
    status.place.write_int(header.as_mut_slice(), i128::from(code))?;
    M::fill_reply(&mut header);
    let text = if errors.text { &error.message } else { "" };
    write_reply::<M>(header, text, out)
}

/// The ping with a header that makes a pong of it. If its parts can't be those of a pong, they are
/// left empty.
fn answer_ping<M: Message>(
    header: M::Header,
    ping: &Bytes,
    out: &mut BytesMut,
) -> Result<(), EncodeError> {
    let message = read_again::<M>(ping)?;
    let mut pong = Output::new();
    match message.rewrite(header, trailer::<M>(ping), &mut pong) {
        Ok(()) => pong.parts().for_each(|part| out.extend_from_slice(&part)),
        Err(_) => M::write_filled(header, message.body(), out)?,
    }
    Ok(())
}

/// Makes the message one of this kind, and makes sure that it is read as one.
fn set_kind<M: Message>(header: &mut M::Header, kind: MessageKind) -> Result<(), EncodeError> {
    M::set_kind(header, kind)?;
    let mut metadata = Metadata::new();
    let described = M::describe(header, &Asked::nothing(Side::Upstream), &mut metadata);
    match described.is_ok() && metadata.kind == kind {
        true => Ok(()),
        false => Err(support::does_not_fit("kind", "comes out as another one")),
    }
}

/// The id of a message that is made here. Where order counts an id has no width: it is cut.
fn own_id(spec: &Spec, id: u64, bits: u8) -> u64 {
    match spec.sealed_id {
        true => id & u64::MAX >> 64_u32.saturating_sub(u32::from(bits)).min(63),
        false => id,
    }
}

/// Whether a mutation leaves the timeout as the client has given it.
fn keeps_timeout<M: Message>(metadata: &Metadata, mutation: &Mutation) -> bool {
    let Some(mut header) = M::Header::first(&metadata.frame).copied() else { return false };
    for change in mutation.changes() {
        // What is no field of the fixed part is no timeout.
        change_header::<M>(&mut header, change).ok();
    }
    let mut changed = Metadata::new();
    let described = M::describe(&header, &Asked::nothing(Side::Downstream), &mut changed);
    described.is_ok() && changed.timeout == metadata.timeout
}

/// A checksum covers the id that can't be made anew here, so only the id that is there already can be
/// written.
fn keeps_its_id<M: Message>(header: &M::Header, id: u64) -> Result<(), EncodeError> {
    let mut other = *header;
    M::set_request_id(&mut other, id)?;
    match other.as_slice() == header.as_slice() {
        true => Ok(()),
        false => Err(EncodeError::Unsupported("other request ids: a checksum covers them")),
    }
}

/// Writes an error reply; its text is cut until it fits.
fn write_reply<M: Message>(
    header: M::Header,
    text: &str,
    out: &mut BytesMut,
) -> Result<(), EncodeError> {
    let least = M::HEADER_SIZE.saturating_add(M::TRAILER_SIZE);
    let mut text = cut(text, M::MAX_LENGTH.saturating_sub(least as u64));
    loop {
        match M::write_filled(header, text.as_bytes(), out) {
            Err(_) if !text.is_empty() => text = cut(text, text.len() as u64 / 2),
            written => return written,
        }
    }
}

/// As much of `text` as fits `room` bytes, in whole characters: a reply that says less is better
/// than none.
fn cut(text: &str, room: u64) -> &str {
    let room = usize::try_from(room).unwrap_or(usize::MAX);
    text.get(..text.floor_char_boundary(room)).unwrap_or_default()
}
