//! The codec that a message makes.

use std::marker::PhantomData;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};

use super::{Header, Message, Wanted, support};
use crate::{
    Change, Codec, CodecContext, DecodeError, EncodeError, Error, FrameLength, Interest,
    MessageKind, Metadata, Mutation, Output, RequestHead, Side,
};

/// Reads and writes `M`s. Keeps no state: the header tells everything.
pub(super) struct MessageCodec<M> {
    side: Side,
    wanted: Wanted,
    message: PhantomData<M>,
}

impl<M: Message> MessageCodec<M> {
    pub(super) fn new(context: &CodecContext) -> Self {
        let wanted = Wanted::of(&context.interest, M::SPEC.properties);
        MessageCodec { side: context.side, wanted, message: PhantomData }
    }

    /// Appends a message of `kind` that nobody has sent: a template, and perhaps an id.
    fn append(
        &self,
        kind: MessageKind,
        id: Option<u64>,
        out: &mut BytesMut,
    ) -> Result<(), EncodeError> {
        let mut header = M::TEMPLATE;
        set_kind::<M>(&mut header, kind)?;
        if let (Some(id), Some(_)) = (id, M::SPEC.request_id_bits) {
            M::set_request_id(&mut header, id)?;
        }
        M::set_length(&mut header, 0)?;
        out.extend_from_slice(header.as_slice());
        Ok(())
    }
}

impl<M: Message> Codec for MessageCodec<M> {
    fn frame_length(&mut self, head: &[u8]) -> Result<FrameLength, DecodeError> {
        M::frame_length(head)
    }

    fn decode(&mut self, frame: Bytes, metadata: &mut Metadata) -> Result<(), DecodeError> {
        let Some(header) = M::Header::first(&frame) else {
            metadata.frame = frame;
            return Err(support::truncated());
        };
        metadata.header_size = M::HEADER_SIZE;
        metadata.context_size = M::HEADER_SIZE;
        let described = M::describe(header, self.side, self.wanted, metadata);
        let told = M::length(header);
        let is = frame.len();
        metadata.frame = frame;
        support::check_total(told?, is)?;
        described
    }

    fn encode(
        &self,
        metadata: &Metadata,
        mutation: &Mutation,
        out: &mut Output,
    ) -> Result<(), EncodeError> {
        let mut header = *M::Header::first(&metadata.frame).ok_or_else(no_header)?;
        for change in mutation.changes() {
            apply::<M>(&mut header, change)?;
        }
        let body = metadata.frame.slice(M::HEADER_SIZE..);
        M::set_length(&mut header, body.len())?;
        out.copy(header.as_slice());
        out.share(body);
        Ok(())
    }

    fn on_error(
        &self,
        request: &RequestHead,
        error: &Error,
        out: &mut BytesMut,
    ) -> Result<(), EncodeError> {
        let (Some(status), Some(errors)) = (M::SPEC.status, M::SPEC.errors) else {
            return Err(EncodeError::Unsupported("error replies"));
        };
        let mut header = M::Header::first(request.context()).copied().unwrap_or(M::TEMPLATE);
        if let (Some(id), Some(_)) = (request.request_id, M::SPEC.request_id_bits) {
            M::set_request_id(&mut header, id)?;
        }
        let code = errors.code(error.kind);
        status.field.write_int(header.as_mut_slice(), i128::from(code))?;
        if M::SPEC.kind.is_some() {
            set_kind::<M>(&mut header, MessageKind::Response)?;
        }
        let room = M::MAX_LENGTH.saturating_sub(M::HEADER_SIZE as u64);
        let text = if errors.text { cut(&error.message, room) } else { "" };
        M::set_length(&mut header, text.len())?;
        out.extend_from_slice(header.as_slice());
        out.extend_from_slice(text.as_bytes());
        Ok(())
    }

    fn patch_request_id(&self, header: &mut [u8], id: u64) -> Result<(), EncodeError> {
        M::set_request_id(M::Header::first_mut(header).ok_or_else(no_header)?, id)
    }

    fn set_interest(&mut self, interest: &Arc<Interest>) {
        self.wanted = Wanted::of(interest, M::SPEC.properties);
    }

    fn peek_request(&self, head: &[u8]) -> Option<RequestHead> {
        let header = M::Header::first(head)?;
        let mut metadata = Metadata::new();
        // A kind that is not known reads as a request, and a request can be answered.
        let _ = M::describe(header, self.side, Wanted::NONE, &mut metadata);
        Some(RequestHead::peeked(metadata.kind, metadata.request_id, header.as_slice()))
    }

    fn ping(&self, id: u64, out: &mut BytesMut) -> Result<(), EncodeError> {
        self.append(MessageKind::Ping, Some(id), out)
    }

    /// The ping itself, as a pong: whatever it carries comes back.
    fn pong(&self, ping: &Metadata, out: &mut BytesMut) -> Result<(), EncodeError> {
        let mut header = *M::Header::first(&ping.frame).ok_or_else(no_header)?;
        set_kind::<M>(&mut header, MessageKind::Pong)?;
        out.extend_from_slice(header.as_slice());
        out.extend_from_slice(ping.frame.get(M::HEADER_SIZE..).unwrap_or_default());
        Ok(())
    }

    fn go_away(&self, out: &mut BytesMut) -> Result<(), EncodeError> {
        self.append(MessageKind::GoAway, None, out)
    }
}

fn apply<M: Message>(header: &mut M::Header, change: &Change) -> Result<(), EncodeError> {
    let named = |name: &str| change.name().eq_ignore_ascii_case(name);
    match (change, M::SPEC.properties.iter().find(|property| named(property.name))) {
        (Change::Set { value, .. }, Some(property)) => {
            property.field.write_text(header.as_mut_slice(), value)
        }
        _ => Err(EncodeError::UnsupportedChange {
            verb: change.verb(),
            name: change.name().to_owned(),
        }),
    }
}

fn set_kind<M: Message>(header: &mut M::Header, kind: MessageKind) -> Result<(), EncodeError> {
    let found = M::SPEC.kind.and_then(|field| Some((field, field.value(kind)?)));
    let (field, value) = found.ok_or(EncodeError::Unsupported("messages of this kind"))?;
    field.field.write_int(header.as_mut_slice(), i128::from(value))
}

/// As much of `text` as fits `room` bytes, in whole characters: a reply that says less is better
/// than none.
fn cut(text: &str, room: u64) -> &str {
    let room = usize::try_from(room).unwrap_or(usize::MAX);
    text.get(..text.floor_char_boundary(room)).unwrap_or_default()
}

#[cold]
fn no_header() -> EncodeError {
    EncodeError::InvalidValue { field: "frame", reason: "ends inside the header".into() }
}
