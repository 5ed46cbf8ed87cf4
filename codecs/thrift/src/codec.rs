//! The codec of a connection.

use std::mem::take;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use metaproto_core::{
    Bytes, BytesMut, Codec, CodecContext, DecodeError, EncodeError, Error, Fault, FrameLength,
    IntText, Interest, MessageKind, Metadata, Mutation, Output, PropertyValue, RequestHead, Side,
    Source,
};

use crate::asked::{ARGUMENT, Asked, HEADER, OWN, Shown};
use crate::change;
use crate::deadline;
use crate::dialect::{Detected, Dialect, Encoding, Transport, detect};
use crate::envelope::{Envelope, Found, MessageType};
use crate::fields::Fields;
use crate::header::{Key, Pair};
use crate::message::{Carrier, Content};
use crate::plain;
use crate::reply;
use crate::translate::{Target, Translator};
use crate::value::{Kind, Progress, Scan};
use crate::zlib::Zlib;

/// Names of methods, as they stand in messages.
pub(crate) type Methods = Arc<[Box<[u8]>]>;

/// Reads and writes the messages of one direction of a connection.
pub(crate) struct ThriftCodec {
    side: Side,
    /// What configuration says.
    dialect: Dialect,
    /// What carries messages, once it is known.
    transport: Option<Transport>,
    /// How far an unframed message has been gone through that has not arrived whole.
    scan: Scan,
    is_scanning: bool,
    /// Goes through values of messages that are there whole.
    values: Scan,
    zlib: Zlib,
    translator: Translator,
    max_frame: usize,
    asked: Asked,
    /// The methods without an answer that do not say so.
    oneway: Methods,
}

impl ThriftCodec {
    /// For messages of this dialect, or of that which their first bytes tell.
    pub(crate) fn new(context: &CodecContext, dialect: Dialect, oneway: Methods) -> Self {
        let max_frame = context.limits.max_frame;
        ThriftCodec {
            side: context.side,
            dialect,
            transport: dialect.transport,
            scan: Scan::new(Kind::Struct, Encoding::Binary, 0, max_frame),
            is_scanning: false,
            values: Scan::new(Kind::Struct, Encoding::Binary, 0, max_frame),
            zlib: Zlib::default(),
            translator: Translator::default(),
            max_frame,
            asked: Asked::new(&context.interest),
            oneway,
        }
    }

    fn kind(&self, content: &[u8], envelope: &Envelope) -> MessageKind {
        let name = content.get(envelope.name.clone()).unwrap_or_default();
        match envelope.kind {
            MessageType::Call if self.oneway.iter().any(|oneway| **oneway == *name) => {
                MessageKind::Oneway
            }
            MessageType::Call => MessageKind::Request,
            MessageType::Oneway => MessageKind::Oneway,
            MessageType::Reply | MessageType::Exception => MessageKind::Response,
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

    /// What carries a message. A codec that has not seen the start of its connection is told by the
    /// message.
    fn carrier(&self, frame: &[u8], each: impl FnMut(Pair)) -> Result<Carrier, DecodeError> {
        Carrier::of_message(self.transport, frame, each)
    }

    fn describe(
        &self,
        frame: &[u8],
        (zlib, values): (&mut Zlib, &mut Scan),
        metadata: &mut Metadata,
    ) -> Result<(), DecodeError> {
        metadata.header_size = frame.len();
        let mut timed = None;
        let carrier = self.carrier(frame, |pair| deadline::note(&mut timed, frame, &pair))?;
        if carrier.payload >= frame.len() {
            // A frame without a message: some servers send one after each answer.
            metadata.kind = MessageKind::Pong;
            return Ok(());
        }
        let content = carrier.content(frame, zlib)?;
        let envelope = content.envelope()?;
        metadata.header_size = if content.is_frame { envelope.end } else { carrier.payload };
        metadata.context_size = if content.is_frame { envelope.end } else { frame.len() };
        metadata.kind = self.kind(content.bytes, &envelope);
        if self.has_ids() {
            metadata.request_id = Some(u64::from(envelope.seqid.cast_unsigned()));
        }
        self.names(&carrier, &content, &envelope, metadata);
        values.set_limit(content.bytes.len());
        if metadata.kind == MessageKind::Response {
            metadata.status = Some(reply::status(&content, &envelope, values)?);
        } else {
            metadata.timeout = timed.as_ref().and_then(|place| deadline::read(frame, place));
            metadata.timeout_place = timed;
            self.check_encoding(&envelope)?;
            if self.asked.arguments()
                && let Err(error) = self.arguments(&content, &envelope, values, metadata)
            {
                metadata.unread = Some(error);
            }
        }
        metadata.prefix_from_here(HEADER);
        if carrier.header.is_some() && self.asked.headers() {
            self.carrier(frame, |pair| self.header(frame, &pair, metadata))?;
        }
        Ok(())
    }

    /// Whether requests can be told apart by their numbers.
    fn has_ids(&self) -> bool {
        self.dialect.has_ids()
    }

    /// Clients have to speak what configuration says. Servers are asked in it, and answer as they like.
    fn check_encoding(&self, envelope: &Envelope) -> Result<(), DecodeError> {
        match self.dialect.encoding {
            Some(encoding) if self.side == Side::Downstream && encoding != envelope.encoding => {
                let fault = Fault::Other("is not in the protocol that this listener is for");
                Err(DecodeError::message("message", fault))
            }
            _ => Ok(()),
        }
    }

    /// What a message says of itself in front of its content.
    fn names(
        &self,
        carrier: &Carrier,
        content: &Content<'_>,
        envelope: &Envelope,
        metadata: &mut Metadata,
    ) {
        let name = content.bytes.get(envelope.name.clone()).unwrap_or_default();
        // A multiplexed name has its service in front.
        let colon = name.iter().position(|byte| *byte == b':');
        let Range { start, end } = envelope.name;
        let service = colon.map(|colon| start..start.saturating_add(colon));
        let method = service.as_ref().map_or(start, |service| service.end.saturating_add(1))..end;
        let text = |range: Range<usize>| match content.is_frame {
            true => Source::InFrame(range),
            false => Source::Text(content.bytes.get(range).unwrap_or_default()),
        };
        for (index, name) in OWN.iter().enumerate().filter(|(index, _)| self.asked.own(*index)) {
            let value = match index {
                0 => Source::Static(carrier.transport.as_str()),
                1 => Source::Static(envelope.encoding.as_str()),
                2 => match service.clone() {
                    Some(service) => text(service),
                    None => continue,
                },
                3 => text(method.clone()),
                _ => Source::Int(i128::from(envelope.seqid)),
            };
            metadata.push(Source::Static(name), value);
        }
        match content.is_frame {
            true => metadata.set_operation_in_frame(envelope.name.clone()),
            false => metadata.join_operation(&[name]),
        }
    }

    /// The arguments that are texts and whole numbers.
    fn arguments(
        &self,
        content: &Content<'_>,
        envelope: &Envelope,
        scan: &mut Scan,
        metadata: &mut Metadata,
    ) -> Result<(), DecodeError> {
        let mut fields = Fields::new(content.bytes, envelope.end, envelope.encoding);
        while let Some(field) = fields.next(scan)? {
            if !self.asked.argument(field.id) {
                continue;
            }
            let number = PropertyValue::Int(i128::from(field.id));
            let mut room = IntText::default();
            let text = fields.text(&field).map(|range| match content.is_frame {
                true => Source::InFrame(range),
                false => Source::Text(content.bytes.get(range).unwrap_or_default()),
            });
            let int = fields.int(&field).map(|number| Source::Int(i128::from(number)));
            if let Some(value) = text.or(int) {
                metadata.push_prefixed(ARGUMENT, number.as_bytes(&mut room), value);
            }
        }
        Ok(())
    }

    fn header(&self, frame: &[u8], pair: &Pair, metadata: &mut Metadata) {
        let value = Source::InFrame(pair.value.clone());
        let mut room = IntText::default();
        let number;
        let (name, source) = match &pair.key {
            Key::Text(range) => {
                (frame.get(range.clone()).unwrap_or_default(), Source::InFrame(range.clone()))
            }
            Key::Number(key) => {
                number = PropertyValue::Int(i128::from(*key));
                (number.as_bytes(&mut room), Source::Int(i128::from(*key)))
            }
        };
        match self.asked.header(name) {
            Shown::Plain => metadata.push(source, value),
            Shown::Prefixed => metadata.push_prefixed(HEADER, name, value),
            Shown::Not => {}
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
        if self.side == Side::Upstream && self.dialect.transport.is_none() {
            // Each answer is in the dialect of its request, and requests of several clients may follow
            // each other on a connection.
            self.transport = Some(found);
        }
        let transport = *self.transport.get_or_insert(found);
        let is_unframed = found == Transport::Unframed;
        // Clients have to speak what configuration says; framed and with headers may alternate else.
        let must_be = self.dialect.transport.filter(|_| self.side == Side::Downstream);
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
        let (mut zlib, mut values) = (take(&mut self.zlib), take(&mut self.values));
        let described = self.describe(&frame, (&mut zlib, &mut values), metadata);
        (self.zlib, self.values) = (zlib, values);
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
        let head = change::headers(&metadata.frame, self.transport, mutation, out)?;
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
        let carrier = self.carrier(head, |_| {}).map_err(unreadable)?;
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
        self.asked = Asked::new(interest);
    }

    fn peek_request(&self, head: &[u8]) -> Option<RequestHead> {
        let carrier = self.carrier(head, |_| {}).ok()?;
        let mut zlib = Zlib::default();
        let content = carrier.content(head, &mut zlib).ok()?;
        let envelope = content.envelope().ok()?;
        let kind = self.kind(content.bytes, &envelope);
        let size = if content.is_frame { envelope.end } else { head.len() };
        let id = self.has_ids().then_some(u64::from(envelope.seqid.cast_unsigned()));
        Some(RequestHead::peeked(kind, id, head.get(..size)?))
    }

    fn translate_request(
        &mut self,
        frame: &Bytes,
        id: Option<u64>,
        remaining: Option<Duration>,
        out: &mut Output,
    ) -> Result<(), EncodeError> {
        let target = Target::upstream(self.dialect, id, remaining);
        self.translator.translate(frame, &target, self.max_frame, out)
    }

    fn translate_response(
        &mut self,
        frame: &Bytes,
        request: &RequestHead,
        out: &mut Output,
    ) -> Result<(), EncodeError> {
        let head = request.context();
        if self.transport != Some(Transport::Unframed)
            && let Some(number) = plain::number(head).and_then(|at| head.get(at)?.first_chunk())
            && let Some(place) = plain::number(frame)
        {
            plain::renumber(frame, &place, *number, out);
            return Ok(());
        }
        let unreadable = |_| EncodeError::Unsupported("answers to a request that can't be read");
        let carrier = self.carrier(head, |_| {}).map_err(unreadable)?;
        let content = carrier.content(head, &mut self.zlib).map_err(unreadable)?;
        let envelope = content.envelope().map_err(unreadable)?;
        let target = Target::downstream(head, &carrier, &envelope);
        self.translator.translate(frame, &target, self.max_frame, out)
    }
}
