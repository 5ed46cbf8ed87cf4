//! The codec of an enum of messages.

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};

use super::choice::Chosen;
use super::messages::{Asking, Choose, Variant};
use crate::{
    Codec, DecodeError, EncodeError, Error, FrameLength, Interest, MessageKind, Metadata, Mutation,
    Output, RequestHead, Side,
};

/// Hands each message to the codec of its variant.
pub(super) struct VariantsCodec {
    pub(super) side: Side,
    pub(super) choose: Choose,
    pub(super) variants: &'static [&'static dyn Variant],
    pub(super) codecs: Vec<Box<dyn Codec>>,
}

/// A variant, by its place, and its codec.
type Found<'a> = (usize, &'a dyn Codec);

impl VariantsCodec {
    fn chosen(&self, head: &[u8]) -> Result<usize, DecodeError> {
        match (self.choose)(self.side, head)? {
            Chosen::Variant(index) => Ok(index),
            Chosen::Need(_) => Err(super::support::truncated()),
        }
    }

    /// The codec for a frame that has been read before, from this side.
    fn of_frame(&self, side: Side, head: &[u8]) -> Result<Found<'_>, EncodeError> {
        let index = match (self.choose)(side, head) {
            Ok(Chosen::Variant(index)) => Some(index),
            _ => None,
        };
        let found = index.and_then(|index| Some((index, &**self.codecs.get(index)?)));
        found.ok_or(EncodeError::Unsupported("this message"))
    }

    /// The codec that can make these changes.
    fn changing(
        &self,
        metadata: &Metadata,
        mutation: &Mutation,
    ) -> Result<&dyn Codec, EncodeError> {
        // Either side's messages are changed by the codec of the client's connection.
        let side = match metadata.kind {
            MessageKind::Response | MessageKind::Pong => Side::Upstream,
            _ => Side::Downstream,
        };
        let (index, codec) = self.of_frame(side, &metadata.frame)?;
        match mutation.changes().iter().find(|change| self.is_foreign(index, change.name())) {
            None => Ok(codec),
            Some(change) => Err(super::change::unsupported(change)),
        }
    }

    /// Whose messages this codec writes.
    fn written_side(&self) -> Side {
        match self.side {
            Side::Downstream => Side::Upstream,
            Side::Upstream => Side::Downstream,
        }
    }

    /// Whether a property is one of other variants only. In this one its name would be that of an
    /// entry of a section.
    fn is_foreign(&self, index: usize, name: &str) -> bool {
        let has = |variant: &&dyn Variant| {
            let properties = variant.spec().properties;
            properties.iter().any(|property| property.name.eq_ignore_ascii_case(name))
        };
        !self.variants.get(index).is_some_and(has) && self.variants.iter().any(has)
    }

    /// The codec of the first variant that has messages of this kind.
    fn of_kind(&self, kind: MessageKind) -> Result<usize, EncodeError> {
        let found = self.variants.iter().position(|variant| variant.spec().has_kind(kind));
        found.ok_or(EncodeError::Unsupported("messages of this kind"))
    }

    /// Answers the message with this header in a variant of another layout.
    fn answer(
        &self,
        with: usize,
        header: &[u8],
        (id, kind): (Option<u64>, MessageKind),
        error: Option<&Error>,
        out: &mut BytesMut,
    ) -> Result<(), EncodeError> {
        let asked = self.chosen(header).ok().and_then(|index| self.variants.get(index));
        let fields = asked.map_or(&[][..], |variant| variant.fields());
        let variant = self.variants.get(with).ok_or(EncodeError::Unsupported("answers"))?;
        let is_own =
            |header: &[u8]| (self.choose)(self.written_side(), header) == Ok(Chosen::Variant(with));
        variant.answer(&Asking { is_own: &is_own, fields, header, id, kind, error }, out)
    }
}

impl Codec for VariantsCodec {
    fn frame_length(&mut self, head: &[u8]) -> Result<FrameLength, DecodeError> {
        match (self.choose)(self.side, head)? {
            Chosen::Need(needed) => Ok(FrameLength::Need(needed.max(head.len().saturating_add(1)))),
            Chosen::Variant(index) => match self.codecs.get_mut(index) {
                Some(codec) => codec.frame_length(head),
                None => Err(super::support::truncated()),
            },
        }
    }

    fn decode(&mut self, frame: Bytes, metadata: &mut Metadata) -> Result<(), DecodeError> {
        let chosen = self.chosen(&frame);
        match chosen.map(|index| self.codecs.get_mut(index)) {
            Ok(Some(codec)) => codec.decode(frame, metadata),
            other => {
                metadata.frame = frame;
                Err(other.err().unwrap_or_else(super::support::truncated))
            }
        }
    }

    fn encode(
        &self,
        metadata: &Metadata,
        mutation: &Mutation,
        out: &mut Output,
    ) -> Result<(), EncodeError> {
        self.changing(metadata, mutation)?.encode(metadata, mutation, out)
    }

    fn encode_timed(
        &self,
        metadata: &Metadata,
        mutation: &Mutation,
        out: &mut Output,
    ) -> Result<Option<Range<usize>>, EncodeError> {
        self.changing(metadata, mutation)?.encode_timed(metadata, mutation, out)
    }

    fn on_error(
        &self,
        request: &RequestHead,
        error: &Error,
        out: &mut BytesMut,
    ) -> Result<(), EncodeError> {
        let can = |index: usize| {
            self.variants.get(index).is_some_and(|variant| variant.capabilities().error_replies)
        };
        let header = request.context();
        let own = self.chosen(header).ok().filter(|index| can(*index));
        if let Some(codec) = own.and_then(|index| self.codecs.get(index)) {
            return codec.on_error(request, error, out);
        }
        let with = (0..self.variants.len()).find(|index| can(*index));
        let with = with.ok_or(EncodeError::Unsupported("error replies"))?;
        let asked = (request.request_id, MessageKind::Response);
        self.answer(with, header, asked, Some(error), out)
    }

    fn patch_request_id(&self, header: &mut [u8], id: u64) -> Result<(), EncodeError> {
        self.of_frame(self.written_side(), header)?.1.patch_request_id(header, id)
    }

    fn set_interest(&mut self, interest: &Arc<Interest>) {
        for codec in &mut self.codecs {
            codec.set_interest(interest);
        }
    }

    fn peek_request(&self, head: &[u8]) -> Option<RequestHead> {
        self.of_frame(self.side, head).ok()?.1.peek_request(head)
    }

    fn ping(&self, id: u64, out: &mut BytesMut) -> Result<(), EncodeError> {
        let index = self.of_kind(MessageKind::Ping)?;
        self.codecs.get(index).map_or(Ok(()), |codec| codec.ping(id, out))
    }

    fn pong(&self, ping: &Metadata, out: &mut BytesMut) -> Result<(), EncodeError> {
        let with = self.of_kind(MessageKind::Pong)?;
        if self.chosen(&ping.frame) == Ok(with) {
            return self.of_frame(self.side, &ping.frame)?.1.pong(ping, out);
        }
        self.answer(with, ping.header(), (ping.request_id, MessageKind::Pong), None, out)
    }

    fn go_away(&self, out: &mut BytesMut) -> Result<(), EncodeError> {
        let index = self.of_kind(MessageKind::GoAway)?;
        self.codecs.get(index).map_or(Ok(()), |codec| codec.go_away(out))
    }

    fn set_deadline(&self, stretch: &mut [u8], remaining: Duration) -> Result<(), EncodeError> {
        self.of_frame(self.written_side(), stretch)?.1.set_deadline(stretch, remaining)
    }
}
