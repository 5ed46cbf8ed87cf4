//! The codec of a connection.

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use metaproto_core::{
    Bytes, BytesMut, Codec, CodecContext, DecodeError, EncodeError, Error, Fault, FrameLength,
    Interest, Metadata, Mutation, Output, RequestHead, Side,
};

use crate::asked::Asked;
use crate::change;
use crate::deadline;
use crate::describe::{Describer, Methods};
use crate::dialect::{Detected, Dialect, Encoding, Transport, detect};
use crate::envelope::{Envelope, Found};
use crate::plain;
use crate::reply;
use crate::translate::{Target, Translator};
use crate::value::{Kind, Progress, Scan};
use crate::zlib::Zlib;

/// Reads and writes the messages of one direction of a connection.
pub(crate) struct ThriftCodec {
    describer: Describer,
    /// How far an unframed message has been gone through that has not arrived whole.
    scan: Scan,
    is_scanning: bool,
    /// Goes through values of messages that are there whole.
    values: Scan,
    zlib: Zlib,
    translator: Translator,
    max_frame: usize,
}

impl ThriftCodec {
    /// For messages of this dialect, or of that which their first bytes tell.
    pub(crate) fn new(context: &CodecContext, dialect: Dialect, oneway: Methods) -> Self {
        let max_frame = context.limits.max_frame;
        ThriftCodec {
            describer: Describer {
                side: context.side,
                dialect,
                transport: dialect.transport,
                asked: Asked::new(&context.interest),
                oneway,
            },
            scan: Scan::new(Kind::Struct, Encoding::Binary, 0, max_frame),
            is_scanning: false,
            values: Scan::new(Kind::Struct, Encoding::Binary, 0, max_frame),
            zlib: Zlib::default(),
            translator: Translator::default(),
            max_frame,
        }
    }

    /// The length of an unframed message: its end is looked for.
    fn unframed_length(&mut self, head: &[u8]) -> Result<FrameLength, DecodeError> {
        if !self.is_scanning {
            match Envelope::read(head, 0)? {
                Found::Need(size) => return Ok(FrameLength::Need(size)),
                Found::Envelope(envelope) => {
                    self.scan.restart(Kind::Struct, envelope.encoding, envelope.end);
                    self.is_scanning = true;
                }
            }
        }
        match self.scan.go_on(head)? {
            Progress::Need(size) => Ok(FrameLength::Need(size)),
            Progress::End(size) => {
                self.is_scanning = false;
                Ok(FrameLength::Known(size))
            }
        }
    }
}

impl Codec for ThriftCodec {
    fn frame_length(&mut self, head: &[u8]) -> Result<FrameLength, DecodeError> {
        if self.is_scanning {
            return self.unframed_length(head);
        }
        let found = match detect(head)? {
            Detected::Need(size) => return Ok(FrameLength::Need(size)),
            Detected::Transport(transport) => transport,
        };
        if self.describer.side == Side::Upstream && self.describer.dialect.transport.is_none() {
            // Each answer is in the dialect of its request, and requests of several clients may follow
            // each other on a connection.
            self.describer.transport = Some(found);
        }
        let transport = *self.describer.transport.get_or_insert(found);
        let is_unframed = found == Transport::Unframed;
        // Clients have to speak what configuration says; framed and with headers may alternate else.
        let must_be =
            self.describer.dialect.transport.filter(|_| self.describer.side == Side::Downstream);
        let is_other = must_be.is_some_and(|must| must != found);
        if is_other || is_unframed != (transport == Transport::Unframed) {
            // A connection has one way to tell where messages end.
            let fault = Fault::Other("is not of the transport of this connection");
            return Err(DecodeError::connection("message", fault));
        }
        if is_unframed {
            return self.unframed_length(head);
        }
        let Some(length) = head.first_chunk() else { return Ok(FrameLength::Need(4)) };
        let length = u32::from_be_bytes(*length);
        if length > i32::MAX.unsigned_abs() {
            let fault = Fault::LengthTooLarge(u64::from(length));
            return Err(DecodeError::connection("length of the frame", fault));
        }
        Ok(FrameLength::Known(usize::try_from(length).unwrap_or(usize::MAX).saturating_add(4)))
    }

    fn decode(&mut self, frame: Bytes, metadata: &mut Metadata) -> Result<(), DecodeError> {
        let tools = (&mut self.zlib, &mut self.values);
        let described = self.describer.describe(&frame, tools, metadata);
        metadata.frame = frame;
        described
    }

    fn encode(
        &self,
        metadata: &Metadata,
        mutation: &Mutation,
        out: &mut Output,
    ) -> Result<(), EncodeError> {
        self.encode_timed(metadata, mutation, out).map(drop)
    }

    fn encode_timed(
        &self,
        metadata: &Metadata,
        mutation: &Mutation,
        out: &mut Output,
    ) -> Result<Option<Range<usize>>, EncodeError> {
        if mutation.is_empty() {
            out.share(metadata.frame.clone());
            return Ok(metadata.timeout_place.clone());
        }
        let head = change::headers(&metadata.frame, self.describer.transport, mutation, out)?;
        let before = metadata.timeout_place.as_ref();
        Ok(before.and_then(|before| deadline::moved(&metadata.frame, before, &head)))
    }

    fn on_error(
        &self,
        request: &RequestHead,
        error: &Error,
        out: &mut BytesMut,
    ) -> Result<(), EncodeError> {
        let unreadable = |_| EncodeError::Unsupported("answers to a request that can't be read");
        let head = request.context();
        let carrier = self.describer.carrier(head, |_| {}).map_err(unreadable)?;
        let mut zlib = Zlib::default();
        let content = carrier.content(head, &mut zlib).map_err(unreadable)?;
        let envelope = content.envelope().map_err(unreadable)?;
        let name = content.bytes.get(envelope.name.clone()).unwrap_or_default();
        let text = error.to_string();
        reply::write(head, &carrier, (name, &envelope), (error.kind, &text), out)
    }

    fn set_deadline(&self, stretch: &mut [u8], remaining: Duration) -> Result<(), EncodeError> {
        deadline::write(stretch, remaining)
    }

    fn set_interest(&mut self, interest: &Arc<Interest>) {
        self.describer.asked = Asked::new(interest);
    }

    fn peek_request(&self, head: &[u8]) -> Option<RequestHead> {
        let carrier = self.describer.carrier(head, |_| {}).ok()?;
        let mut zlib = Zlib::default();
        let content = carrier.content(head, &mut zlib).ok()?;
        let envelope = content.envelope().ok()?;
        let kind = self.describer.kind(content.bytes, &envelope);
        let size = if content.is_frame { envelope.end } else { head.len() };
        let id = self.describer.has_ids().then_some(u64::from(envelope.seqid.cast_unsigned()));
        Some(RequestHead::peeked(kind, id, head.get(..size)?))
    }

    fn translate_request(
        &mut self,
        frame: &Bytes,
        id: Option<u64>,
        remaining: Option<Duration>,
        out: &mut Output,
    ) -> Result<(), EncodeError> {
        let target = Target::upstream(self.describer.dialect, id, remaining);
        self.translator.translate(frame, &target, self.max_frame, out)
    }

    fn translate_response(
        &mut self,
        frame: &Bytes,
        request: &RequestHead,
        out: &mut Output,
    ) -> Result<(), EncodeError> {
        let head = request.context();
        if self.describer.transport != Some(Transport::Unframed)
            && let Some(number) = plain::number(head).and_then(|at| head.get(at)?.first_chunk())
            && let Some(place) = plain::number(frame)
        {
            plain::renumber(frame, &place, *number, out);
            return Ok(());
        }
        let unreadable = |_| EncodeError::Unsupported("answers to a request that can't be read");
        let carrier = self.describer.carrier(head, |_| {}).map_err(unreadable)?;
        let content = carrier.content(head, &mut self.zlib).map_err(unreadable)?;
        let envelope = content.envelope().map_err(unreadable)?;
        let target = Target::downstream(head, &carrier, &envelope);
        self.translator.translate(frame, &target, self.max_frame, out)
    }
}
