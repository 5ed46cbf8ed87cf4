//! The codec that a message makes.

use std::marker::PhantomData;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};

use super::whole::locate;
use super::{Asked, Header, Located, Message, Places, support};
use crate::{
    Change, Codec, CodecContext, DecodeError, EncodeError, Error, FrameLength, Interest,
    MessageKind, Metadata, Mutation, Output, RequestHead,
};

/// Reads and writes `M`s. Keeps no state, but for how far a header has been gone through that has
/// not arrived whole.
pub(super) struct MessageCodec<M: Message> {
    asked: Asked,
    located: Located<M::Starts>,
    message: PhantomData<M>,
}

impl<M: Message> MessageCodec<M> {
    pub(super) fn new(context: &CodecContext) -> Self {
        let asked = Asked::new::<M>(context.side, &context.interest);
        MessageCodec { asked, located: Located::default(), message: PhantomData }
    }

    /// Appends a message of `kind` that nobody has sent: a template, and perhaps an id.
    fn append(
        &self,
        kind: MessageKind,
        id: Option<u64>,
        out: &mut BytesMut,
    ) -> Result<(), EncodeError> {
        let mut header = M::TEMPLATE;
        complete::<M>(&mut header, id, kind)?;
        M::write_filled(header, &[], out)
    }

    /// What a message says of itself, and where its body starts.
    fn describe_frame(&self, frame: &Bytes, metadata: &mut Metadata) -> Result<(), DecodeError> {
        let header = M::Header::first(frame).ok_or_else(support::truncated)?;
        metadata.header_size = M::HEADER_SIZE;
        metadata.context_size = M::HEADER_SIZE;
        let described = M::describe(header, &self.asked, metadata);
        if M::IS_FIXED {
            let prefix = M::Prefix::first(header.as_slice()).ok_or_else(support::truncated)?;
            if let Some(told) = M::length(prefix)? {
                support::check_total(told, frame.len())?;
            }
            return described;
        }
        let located = locate::<M>(frame)?;
        metadata.header_size = located.header_size();
        M::verify(frame, located.starts())?;
        M::describe_parts(frame, located.starts(), &self.asked, metadata)?;
        described
    }
}

impl<M: Message> Codec for MessageCodec<M> {
    fn frame_length(&mut self, head: &[u8]) -> Result<FrameLength, DecodeError> {
        let told = M::frame_length_from(&mut self.located, head);
        if M::IS_SCANNED && !matches!(told, Ok(FrameLength::Need(_))) {
            self.located = Located::default();
        }
        told
    }

    fn decode(&mut self, frame: Bytes, metadata: &mut Metadata) -> Result<(), DecodeError> {
        let described = self.describe_frame(&frame, metadata);
        metadata.frame = frame;
        described
    }

    fn encode(
        &self,
        metadata: &Metadata,
        mutation: &Mutation,
        out: &mut Output,
    ) -> Result<(), EncodeError> {
        if !M::IS_FIXED {
            return encode_whole::<M>(metadata, mutation, out);
        }
        let mut header = *M::Header::first(&metadata.frame).ok_or_else(no_header)?;
        for change in mutation.changes() {
            apply::<M>(&mut header, change)?;
        }
        let body = metadata.frame.slice(M::HEADER_SIZE..);
        M::set_lengths(&mut header, &Places::ZERO, body.len())?;
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
        let mut header = M::Header::first(request.context()).copied().unwrap_or(M::TEMPLATE);
        complete::<M>(&mut header, request.request_id, MessageKind::Response)?;
        answer::<M>(header, Some(error), out)
    }

    fn patch_request_id(&self, header: &mut [u8], id: u64) -> Result<(), EncodeError> {
        M::set_request_id(M::Header::first_mut(header).ok_or_else(no_header)?, id)
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
    if M::SPEC.kind.is_none() && kind == MessageKind::Response {
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
    status.field.write_int(header.as_mut_slice(), i128::from(code))?;
    let room = M::MAX_LENGTH.saturating_sub(M::HEADER_SIZE as u64);
    let text = if errors.text { cut(&error.message, room) } else { "" };
    M::write_filled(header, text.as_bytes(), out)
}

/// Changes a message that has more than a header of fixed size: reads it, changes its fields, and
/// writes all but its body anew.
fn encode_whole<M: Message>(
    metadata: &Metadata,
    mutation: &Mutation,
    out: &mut Output,
) -> Result<(), EncodeError> {
    let mut message = M::read(metadata.frame.clone()).map_err(|error| {
        EncodeError::InvalidValue { field: error.field, reason: error.fault.to_string().into() }
    })?;
    for change in mutation.changes() {
        message.change(change)?;
    }
    let mut written = BytesMut::new();
    message.write(&mut written)?;
    out.share(written.freeze());
    Ok(())
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
