//! The codec of a connection.

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use metaproto_core::frame::MessageCodec;
use metaproto_core::{
    Bytes, BytesMut, Codec, CodecContext, DecodeError, EncodeError, Error, ErrorKind, Frame,
    FrameLength, Interest, MessageKind, Metadata, Mutation, Output, RequestHead, Source,
    StatusClass,
};

use crate::asked::{Asked, OWN};
use crate::body::hessian2::WriteHessian2;
use crate::body::json::WriteJson;
use crate::body::jsonb::WriteJsonb;
use crate::body::{Hessian2, Json, Jsonb, Value, Values};
use crate::hessian::Tables;
use crate::message::{self, Message, status};
use crate::serialization::Serialization;
use crate::{change, deadline, request, response};

/// A pong repeats what its ping carries, unless that is longer than this.
const LONGEST_ECHO: usize = 64;

/// The event that asks a peer to send no further requests. Source: `HeartBeatRequest` and
/// `READONLY_EVENT` of Apache Dubbo.
const READ_ONLY: &str = "R";

/// Reads and writes the messages of one direction of a connection.
pub(crate) struct DubboCodec {
    /// The codec that follows from the layout of [`Message`]: it reads headers.
    header: MessageCodec<Message>,
    asked: Asked,
    honours_timeout: bool,
    /// What the peer wrote its last message in.
    seen: Serialization,
    tables: Tables,
}

impl DubboCodec {
    pub(crate) fn new(context: &CodecContext, honours_timeout: bool) -> Self {
        let nothing = Arc::new(Interest::Only(Vec::new()));
        DubboCodec {
            header: MessageCodec::new(&context.clone().with_interest(nothing)),
            asked: Asked::new(&context.interest, honours_timeout),
            honours_timeout,
            seen: Serialization::HESSIAN2,
            tables: Tables::default(),
        }
    }

    /// Reads the body, as far as it is asked for.
    fn body(&mut self, frame: &[u8], metadata: &mut Metadata) -> Result<(), DecodeError> {
        self.seen = Serialization::of(frame);
        if self.asked.own(0) {
            let value = match self.seen.name() {
                Some(name) => Source::Static(name),
                None => Source::Int(i128::from(self.seen.0)),
            };
            metadata.push(Source::Static(OWN[0]), value);
        }
        match self.seen {
            Serialization::HESSIAN2 => {
                let values = Hessian2::new(frame, Message::HEADER, &mut self.tables);
                read(values, frame, &self.asked, metadata)
            }
            Serialization::FASTJSON => {
                read(Json::new(frame, Message::HEADER), frame, &self.asked, metadata)
            }
            Serialization::FASTJSON2 => {
                read(Jsonb::new(frame, Message::HEADER), frame, &self.asked, metadata)
            }
            _ => Ok(()),
        }
    }
}

fn read<'a>(
    mut values: impl Values<'a>,
    frame: &'a [u8],
    asked: &Asked,
    metadata: &mut Metadata,
) -> Result<(), DecodeError> {
    match metadata.kind {
        MessageKind::Request | MessageKind::Oneway => {
            request::read(&mut values, frame, asked, metadata)
        }
        MessageKind::Response if is_ok(metadata) => {
            response::read(&mut values, frame, asked, metadata)
        }
        MessageKind::Ping => {
            metadata.kind = event(values, frame);
            Ok(())
        }
        _ => Ok(()),
    }
}

fn is_ok(metadata: &Metadata) -> bool {
    metadata.status.is_some_and(|status| status.class == StatusClass::Ok)
}

/// What an event of the connection is for: the end of it, a heartbeat, or something else that nobody
/// answers.
fn event<'a>(mut values: impl Values<'a>, frame: &'a [u8]) -> MessageKind {
    let is_two_way = message::flags(frame) & Message::TWO_WAY != 0;
    let value = if values.is_at_end() { Ok(Value::Null) } else { values.value() };
    match value {
        Ok(Value::Text(text)) if text.bytes(frame) == READ_ONLY.as_bytes() => MessageKind::GoAway,
        Ok(Value::Null) | Err(_) => MessageKind::Ping,
        Ok(_) if is_two_way => MessageKind::Ping,
        Ok(_) => MessageKind::Oneway,
    }
}

impl Codec for DubboCodec {
    fn frame_length(&mut self, head: &[u8]) -> Result<FrameLength, DecodeError> {
        self.header.frame_length(head)
    }

    fn decode(&mut self, frame: Bytes, metadata: &mut Metadata) -> Result<(), DecodeError> {
        let described = self.header.describe(&frame, metadata);
        if described.is_ok()
            && let Err(error) = self.body(&frame, metadata)
        {
            metadata.unread = Some(error);
        }
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
        let frame = &metadata.frame;
        if mutation.is_empty() {
            out.share(frame.clone());
            return Ok(metadata.timeout_place.clone());
        }
        if metadata.kind == MessageKind::Response {
            return encode_response(frame, mutation, out).map(|()| None);
        }
        let (mut tables, at) = (Tables::default(), Message::HEADER);
        let noted = metadata.timeout_place.as_ref();
        match Serialization::of(frame) {
            Serialization::HESSIAN2 => {
                let mut values = Hessian2::new(frame, at, &mut tables);
                change::request(&mut values, &WriteHessian2, frame, noted, mutation, out)
            }
            Serialization::FASTJSON => {
                change::request(&mut Json::new(frame, at), &WriteJson, frame, noted, mutation, out)
            }
            Serialization::FASTJSON2 => change::request(
                &mut Jsonb::new(frame, at),
                &WriteJsonb,
                frame,
                noted,
                mutation,
                out,
            ),
            _ => Err(EncodeError::Unsupported(OTHER_SERIALIZATIONS)),
        }
    }

    fn set_deadline(&self, stretch: &mut [u8], remaining: Duration) -> Result<(), EncodeError> {
        deadline::write(stretch, remaining)
    }

    fn on_error(
        &self,
        request: &RequestHead,
        error: &Error,
        out: &mut BytesMut,
    ) -> Result<(), EncodeError> {
        let serialization = match request.context() {
            [] => Serialization::HESSIAN2,
            header => Serialization::of(header),
        };
        let mut text = BytesMut::new();
        serialization.write_text(&error.to_string(), &mut text);
        let id = request.request_id.unwrap_or_default();
        let flags = serialization.writable().0;
        Message::new(flags, code(error.kind), id, text).write(out)
    }

    fn patch_request_id(&self, header: &mut [u8], id: u64) -> Result<(), EncodeError> {
        self.header.patch_request_id(header, id)
    }

    fn set_interest(&mut self, interest: &Arc<Interest>) {
        self.asked = Asked::new(interest, self.honours_timeout);
    }

    fn peek_request(&self, head: &[u8]) -> Option<RequestHead> {
        self.header.peek_request(head)
    }

    fn ping(&self, id: u64, out: &mut BytesMut) -> Result<(), EncodeError> {
        let serialization = self.seen.writable();
        let flags = Message::REQUEST | Message::TWO_WAY | Message::EVENT | serialization.0;
        Message::new(flags, 0, id, serialization.null()).write(out)
    }

    fn pong(&self, ping: &Metadata, out: &mut BytesMut) -> Result<(), EncodeError> {
        let frame = &ping.frame;
        if message::flags(frame) & Message::TWO_WAY == 0 {
            // A heartbeat that wants no answer.
            return Ok(());
        }
        let serialization = Serialization::of(frame);
        let body = frame.get(Message::HEADER..).unwrap_or_default();
        let id = ping.request_id.unwrap_or_default();
        let pong = match body.len() <= LONGEST_ECHO {
            true => {
                let flags = Message::EVENT | serialization.0;
                Message::new(flags, status::OK, id, frame.slice(Message::HEADER..))
            }
            false => {
                let flags = Message::EVENT | serialization.writable().0;
                Message::new(flags, status::OK, id, serialization.null())
            }
        };
        pong.write(out)
    }

    fn go_away(&self, out: &mut BytesMut) -> Result<(), EncodeError> {
        let serialization = self.seen.writable();
        let mut body = BytesMut::new();
        serialization.write_text(READ_ONLY, &mut body);
        let flags = Message::REQUEST | Message::EVENT | serialization.0;
        Message::new(flags, 0, 0, body).write(out)
    }
}

/// What can't be changed.
const OTHER_SERIALIZATIONS: &str = "changes of bodies in this serialization";

/// Appends `frame`, a response, with its attachments changed.
fn encode_response(
    frame: &Bytes,
    mutation: &Mutation,
    out: &mut Output,
) -> Result<(), EncodeError> {
    // What failed before the method was called has a message, and no place for attachments.
    if frame.get(Message::OFFSET_STATUS) != Some(&status::OK) {
        return Err(EncodeError::Unsupported("changes of responses that tell of an error"));
    }
    let (mut tables, at) = (Tables::default(), Message::HEADER);
    match Serialization::of(frame) {
        Serialization::HESSIAN2 => {
            let mut values = Hessian2::new(frame, at, &mut tables);
            change::response(&mut values, &WriteHessian2, frame, mutation, out)
        }
        Serialization::FASTJSON => {
            change::response(&mut Json::new(frame, at), &WriteJson, frame, mutation, out)
        }
        Serialization::FASTJSON2 => {
            change::response(&mut Jsonb::new(frame, at), &WriteJsonb, frame, mutation, out)
        }
        _ => Err(EncodeError::Unsupported(OTHER_SERIALIZATIONS)),
    }
}

/// The status of an error reply. Each makes Apache Dubbo's client throw at once; of these it tells
/// timeouts from the rest.
fn code(kind: ErrorKind) -> u8 {
    match kind {
        ErrorKind::RouteNotFound | ErrorKind::ClusterNotFound => status::SERVICE_NOT_FOUND,
        ErrorKind::ConnectionFailure | ErrorKind::UpstreamReset => status::CHANNEL_INACTIVE,
        ErrorKind::Timeout => status::SERVER_TIMEOUT,
        ErrorKind::BadRequest | ErrorKind::FrameTooLarge => status::BAD_REQUEST,
        ErrorKind::BadResponse => status::BAD_RESPONSE,
        ErrorKind::OverLimit | ErrorKind::Overloaded => status::THREADPOOL_EXHAUSTED,
        _ => status::SERVER_ERROR,
    }
}
