//! A protocol for tests of the engine, which must not depend on any real one.

use std::sync::Arc;
use std::time::Duration;

use bytes::{BufMut, Bytes, BytesMut};
use metaproto_core::*;

/// `len: u16` (of all) `kind: u8` `id: u32` `code: u8`, then the body. Property `to` is the first
/// byte of the body, and can be set; a body that begins with [`SEALED`] can't be read. A request's code
/// is its timeout in units of 10 ms, if not 0; 255 is no time at all.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Toy {
    /// Responses are told apart by their order, not by the id.
    pub(crate) by_order: bool,
    /// The bits of an id; 0 stands for 32.
    pub(crate) id_bits: u8,
    /// There are no error replies.
    pub(crate) mute: bool,
    /// Clients take answers in the order of their requests, although those have ids.
    pub(crate) in_order: bool,
    /// Messages are written anew for the connection that they leave on.
    pub(crate) translates: bool,
    /// The dialect in which bodies are written from back to front, behind a [`REVERSED`].
    pub(crate) reversed: bool,
    /// The byte of a request that its timeout stands in, and in which the time left is written; 0 if
    /// that is none.
    pub(crate) deadline_at: usize,
}

impl Toy {
    /// The protocol as it is by default.
    pub(crate) const DEFAULT: Self = Toy {
        by_order: false,
        id_bits: 0,
        mute: false,
        in_order: false,
        translates: false,
        reversed: false,
        deadline_at: 0,
    };

    /// What the byte that tells of a timeout says of this much time.
    pub(crate) fn tens(remaining: Duration) -> u8 {
        (remaining.as_millis() / 10).clamp(1, 254) as u8
    }

    /// Appends a frame with another id and body. What is sealed can't be read.
    fn rewrite(head: &[u8], id: u32, body: &[u8], out: &mut Output) -> Result<(), EncodeError> {
        if body.last() == Some(&SEALED) {
            return Err(EncodeError::Unsupported("what is sealed"));
        }
        out.copy(&frame(head[2], id, head[7], body));
        Ok(())
    }
}

/// Begins a body that is written from back to front.
const REVERSED: u8 = b'<';

pub(crate) const REQUEST: u8 = 0;
pub(crate) const ONEWAY: u8 = 1;
pub(crate) const RESPONSE: u8 = 2;
pub(crate) const PING: u8 = 3;
pub(crate) const PONG: u8 = 4;
pub(crate) const GO_AWAY: u8 = 5;
pub(crate) const STREAM_OPEN: u8 = 6;
pub(crate) const STREAM_DATA: u8 = 7;
/// Answers a ping without its id.
pub(crate) const PLAIN_PONG: u8 = 8;
/// Begins a body that can't be read, and can be forwarded.
pub(crate) const SEALED: u8 = 0xEE;
/// Can be framed, not read, and nothing behind it can.
pub(crate) const CORRUPT: u8 = 98;
/// Can be framed, not read.
pub(crate) const BAD: u8 = 99;

const HEADER: usize = 8;

/// A frame of the protocol.
pub(crate) fn frame(kind: u8, id: u32, code: u8, body: &[u8]) -> Vec<u8> {
    let mut frame = Vec::with_capacity(HEADER + body.len());
    frame.put_u16((HEADER + body.len()) as u16);
    frame.put_u8(kind);
    frame.put_u32(id);
    frame.put_u8(code);
    frame.put_slice(body);
    frame
}

impl Protocol for Toy {
    fn name(&self) -> &str {
        "toy"
    }

    fn capabilities(&self) -> Capabilities {
        let bits = if self.id_bits == 0 { 32 } else { self.id_bits };
        let correlation = if self.by_order { Correlation::Order } else { Correlation::Id { bits } };
        let mut capabilities = Capabilities::new(correlation);
        capabilities.error_replies = !self.mute;
        capabilities.oneway = true;
        capabilities.streaming = true;
        capabilities.in_order |= self.in_order;
        capabilities.translates = self.translates;
        capabilities.ping = true;
        capabilities.go_away = true;
        capabilities.properties.known =
            vec![PropertyInfo { name: "to".into(), mutation: MutationSupport::SET }];
        capabilities
    }

    fn codec(&self, _: &CodecContext) -> Box<dyn Codec> {
        Box::new(*self)
    }

    fn configure(&self, options: &Options) -> Result<Arc<dyn Protocol>, OptionError> {
        let mut others = options.clone();
        let reversed = self.translates && others.remove("reversed").is_some();
        no_options(self.name(), &others).map(|()| Arc::new(Toy { reversed, ..*self }) as _)
    }
}

impl Codec for Toy {
    fn frame_length(&mut self, head: &[u8]) -> Result<FrameLength, DecodeError> {
        let Some(length) = head.first_chunk::<2>() else { return Ok(FrameLength::Need(2)) };
        let length = u16::from_be_bytes(*length);
        if usize::from(length) < HEADER {
            return Err(DecodeError::connection("len", Fault::LengthTooSmall(length.into())));
        }
        Ok(FrameLength::Known(length.into()))
    }

    fn decode(&mut self, frame: Bytes, metadata: &mut Metadata) -> Result<(), DecodeError> {
        let id = u32::from_be_bytes([frame[3], frame[4], frame[5], frame[6]]);
        metadata.request_id = (!self.by_order).then_some(id.into());
        metadata.header_size = HEADER;
        metadata.context_size = HEADER;
        if let Some(to) = frame.get(HEADER) {
            metadata.push_int("to", *to);
            metadata.set_operation_int(*to);
            let sealed = DecodeError::message("body", Fault::Other("is sealed"));
            metadata.unread = (*to == SEALED).then_some(sealed);
        }
        let (kind, mut code) = (frame[2], frame[7]);
        let at = self.deadline_at;
        if at > 0 && kind <= ONEWAY && at < frame.len() {
            code = frame[at];
            metadata.timeout_place = Some(at..at + 1);
        }
        metadata.frame = frame;
        metadata.kind = match kind {
            REQUEST => MessageKind::Request,
            ONEWAY => MessageKind::Oneway,
            RESPONSE => MessageKind::Response,
            PING => MessageKind::Ping,
            PONG => MessageKind::Pong,
            PLAIN_PONG => {
                metadata.request_id = None;
                MessageKind::Pong
            }
            GO_AWAY => MessageKind::GoAway,
            STREAM_OPEN => MessageKind::StreamOpen,
            STREAM_DATA => MessageKind::StreamData,
            // Bit 7 of the code tells of which kind a bad message is.
            BAD if code & 0x80 != 0 => {
                metadata.kind = MessageKind::Response;
                return Err(DecodeError::message("kind", Fault::UnknownValue(kind.into())));
            }
            CORRUPT => {
                let response = code & 0x80 != 0;
                metadata.kind = if response { MessageKind::Response } else { MessageKind::Request };
                return Err(DecodeError::connection("kind", Fault::UnknownValue(kind.into())));
            }
            _ => return Err(DecodeError::message("kind", Fault::UnknownValue(kind.into()))),
        };
        let is_timed = metadata.kind == MessageKind::Request || metadata.timeout_place.is_some();
        if is_timed && code > 0 {
            let code = if code == 255 { 0 } else { code };
            metadata.timeout = Some(Duration::from_millis(10) * code.into());
        }
        if metadata.kind == MessageKind::Response {
            metadata.status = Some(match code {
                0 => Status::ok(0),
                code => Status::application_error(code.into()),
            });
        }
        Ok(())
    }

    fn encode(
        &self,
        metadata: &Metadata,
        mutation: &Mutation,
        out: &mut Output,
    ) -> Result<(), EncodeError> {
        let mut frame = BytesMut::from(&*metadata.frame);
        for change in mutation.changes() {
            let (Change::Set { value, .. }, Some(to)) = (change, frame.get_mut(HEADER)) else {
                return Err(EncodeError::Unsupported("this change"));
            };
            *to = value
                .parse()
                .map_err(|_| EncodeError::InvalidValue { field: "to", reason: "a byte".into() })?;
        }
        out.copy(&frame);
        Ok(())
    }

    fn on_error(
        &self,
        request: &RequestHead,
        error: &Error,
        out: &mut BytesMut,
    ) -> Result<(), EncodeError> {
        if self.mute {
            return Err(EncodeError::Unsupported("error replies"));
        }
        let id =
            request.context().get(3..7).map_or(0, |b| u32::from_be_bytes(b.try_into().unwrap()));
        let id = request.request_id.map_or(id, |id| id as u32);
        out.put_slice(&frame(RESPONSE, id, 100 + error.kind as u8, error.message.as_bytes()));
        Ok(())
    }

    fn patch_request_id(&self, header: &mut [u8], id: u64) -> Result<(), EncodeError> {
        header[3..7].copy_from_slice(&(id as u32).to_be_bytes());
        Ok(())
    }

    fn translate_request(
        &mut self,
        frame: &Bytes,
        id: Option<u64>,
        remaining: Option<Duration>,
        out: &mut Output,
    ) -> Result<(), EncodeError> {
        let mut frame = frame.to_vec();
        if let (Some(remaining), Some(tens)) = (remaining, frame.get_mut(self.deadline_at)) {
            *tens = Toy::tens(remaining);
        }
        let (head, body) = frame.split_at(HEADER);
        let id = id.unwrap_or_else(|| u32::from_be_bytes(head[3..7].try_into().unwrap()).into());
        let reversed = || [REVERSED].into_iter().chain(body.iter().rev().copied()).collect();
        let body = if self.reversed { reversed() } else { body.to_vec() };
        Toy::rewrite(head, id as u32, &body, out)
    }

    fn translate_response(
        &mut self,
        frame: &Bytes,
        request: &RequestHead,
        out: &mut Output,
    ) -> Result<(), EncodeError> {
        let (head, body) = frame.split_at(HEADER);
        let id = u32::from_be_bytes(request.context()[3..7].try_into().unwrap());
        let body = match body {
            [REVERSED, body @ ..] => body.iter().rev().copied().collect(),
            body => body.to_vec(),
        };
        Toy::rewrite(head, id, &body, out)
    }

    fn set_deadline(&self, stretch: &mut [u8], remaining: Duration) -> Result<(), EncodeError> {
        let [tens] = stretch else { return Err(EncodeError::Unsupported("other stretches")) };
        *tens = Toy::tens(remaining);
        Ok(())
    }

    fn encode_timed(
        &self,
        metadata: &Metadata,
        mutation: &Mutation,
        out: &mut Output,
    ) -> Result<Option<std::ops::Range<usize>>, EncodeError> {
        self.encode(metadata, mutation, out).map(|()| metadata.timeout_place.clone())
    }

    fn peek_request(&self, head: &[u8]) -> Option<RequestHead> {
        let id = u32::from_be_bytes(head.get(3..7)?.try_into().ok()?);
        let kind = match *head.get(2)? {
            REQUEST => MessageKind::Request,
            RESPONSE => MessageKind::Response,
            _ => MessageKind::Oneway,
        };
        Some(RequestHead::peeked(kind, Some(id.into()), head.get(..HEADER)?))
    }

    fn ping(&self, id: u64, out: &mut BytesMut) -> Result<(), EncodeError> {
        out.put_slice(&frame(PING, id as u32, 0, b""));
        Ok(())
    }

    fn pong(&self, ping: &Metadata, out: &mut BytesMut) -> Result<(), EncodeError> {
        let id = ping.frame.get(3..7).map_or(0, |b| u32::from_be_bytes(b.try_into().unwrap()));
        out.put_slice(&frame(PONG, id, 0, b""));
        Ok(())
    }

    fn go_away(&self, out: &mut BytesMut) -> Result<(), EncodeError> {
        out.put_slice(&frame(GO_AWAY, 0, 0, b""));
        Ok(())
    }
}
