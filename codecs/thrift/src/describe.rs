//! What a message says of itself.

use std::ops::Range;
use std::sync::Arc;

use metaproto_core::{
    DecodeError, Fault, IntText, MessageKind, Metadata, PropertyValue, Side, Source,
};

use crate::asked::{ARGUMENT, Asked, HEADER, OWN, Shown};
use crate::deadline;
use crate::dialect::{Dialect, Transport};
use crate::envelope::{Envelope, MessageType};
use crate::fields::Fields;
use crate::header::{Key, Pair};
use crate::message::{Carrier, Content};
use crate::reply;
use crate::value::Scan;
use crate::zlib::Zlib;

/// Names of methods, as they stand in messages.
pub(crate) type Methods = Arc<[Box<[u8]>]>;

/// Tells what the messages of one direction of a connection are.
pub(crate) struct Describer {
    pub(crate) side: Side,
    /// What configuration says.
    pub(crate) dialect: Dialect,
    /// What carries messages, once it is known.
    pub(crate) transport: Option<Transport>,
    pub(crate) asked: Asked,
    /// The methods without an answer that do not say so.
    pub(crate) oneway: Methods,
}

impl Describer {
    pub(crate) fn kind(&self, content: &[u8], envelope: &Envelope) -> MessageKind {
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

    /// What carries a message. A codec that has not seen the start of its connection is told by the
    /// message.
    pub(crate) fn carrier(
        &self,
        frame: &[u8],
        each: impl FnMut(Pair),
    ) -> Result<Carrier, DecodeError> {
        Carrier::of_message(self.transport, frame, each)
    }

    pub(crate) fn describe(
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
    pub(crate) fn has_ids(&self) -> bool {
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
