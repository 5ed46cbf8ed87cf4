//! The contract between a protocol and the engine: bytes in, facts out.
//!
//! A [`Codec`] is sans-IO. It never sees a socket, a task or a clock, so the same code runs in the
//! proxy, in a test, in a fuzz target and in a tool that explains a capture.

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};

use crate::{DecodeError, EncodeError, Error, Interest, Metadata, Mutation, Output, RequestHead};

/// What the bytes at the front of a buffer tell of the length of their frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FrameLength {
    /// The length can't be told before at least this many bytes have arrived, counted from the
    /// start of the frame. Must be more than what was passed in.
    Need(usize),
    /// The frame is this many bytes long, header included. Must not be zero.
    Known(usize),
}

/// Reads and writes the frames of one direction of one connection.
///
/// The engine owns the loop: it collects bytes, asks [`frame_length`](Codec::frame_length), refuses
/// what exceeds [`Limits::max_frame`](crate::Limits), and calls [`decode`](Codec::decode) with
/// exactly one whole frame. A codec can therefore not get a split frame wrong.
///
/// A codec instance belongs to one direction of one connection (see [`Side`](crate::Side)) and may
/// keep state: a resumable scan, a negotiated dialect.
///
/// Nothing here may panic, whatever the bytes.
pub trait Codec: Send {
    /// Tells the length of the frame that starts at `head[0]`.
    ///
    /// It is called again with the same bytes and more behind them after it has asked for more; work
    /// already done on the first part must not be repeated (keep the scan's state), so that bytes
    /// that trickle in cost the same as bytes that come at once. `head` is never empty, and may hold
    /// bytes of the next frame.
    ///
    /// # Errors
    /// [`DecodeError::connection`] when these bytes can't be the start of a frame: framing is lost.
    fn frame_length(&mut self, head: &[u8]) -> Result<FrameLength, DecodeError>;

    /// Reads one whole frame and fills `metadata`, which comes cleared; stores `frame` in it.
    ///
    /// On an error whatever has been filled in stays of use: with a kind and a request id the engine
    /// can still answer.
    ///
    /// # Errors
    /// [`DecodeError::message`] when only this message is bad (the request is answered with
    /// [`ErrorKind::BadRequest`](crate::ErrorKind::BadRequest) and the connection lives on),
    /// [`DecodeError::connection`] when the connection can't be used any longer.
    fn decode(&mut self, frame: Bytes, metadata: &mut Metadata) -> Result<(), DecodeError>;

    /// Appends the message to `out` with `mutation` applied and every length fixed up. Parts that
    /// do not change are shared with [`Output::share`], not copied.
    ///
    /// The engine does not call it for an empty mutation: such frames are forwarded bit-exact. It is
    /// called on the codec of the client's connection, for requests and for responses.
    ///
    /// # Errors
    /// [`EncodeError::Unsupported`] for an operation this protocol can't express,
    /// [`EncodeError::InvalidValue`] for a value that does not fit. `out` is then as it was.
    fn encode(
        &self,
        metadata: &Metadata,
        mutation: &Mutation,
        out: &mut Output,
    ) -> Result<(), EncodeError>;

    /// Appends the answer that tells the caller of `request` about `error`, in the protocol's own
    /// words and with the request's own id. Called for two-way requests only, and total: every
    /// [`ErrorKind`](crate::ErrorKind) has an answer.
    ///
    /// # Errors
    /// [`EncodeError::Unsupported`] if the protocol has no error answers at all
    /// ([`Capabilities::error_replies`](crate::Capabilities) is then false and the engine closes the
    /// connection instead). `out` is then as it was.
    fn on_error(
        &self,
        request: &RequestHead,
        error: &Error,
        out: &mut BytesMut,
    ) -> Result<(), EncodeError>;

    /// Overwrites the request id of a message in place. Called on the codec of the connection that
    /// the message leaves on: one that reads responses patches requests, and the other way round.
    ///
    /// `header` starts at the first byte of the frame and holds at least the first
    /// [`Metadata::header_size`] bytes of it.
    ///
    /// # Errors
    /// [`EncodeError::Unsupported`] for protocols without ids (the default),
    /// [`EncodeError::InvalidValue`] for an id wider than the field. `header` is then as it was.
    fn patch_request_id(&self, header: &mut [u8], id: u64) -> Result<(), EncodeError> {
        let _ = (header, id);
        Err(EncodeError::Unsupported("request ids"))
    }

    /// Appends the request `frame`, which came on another connection, as the peer of this connection
    /// expects it: in its dialect, with the id `id` if one is given, and with the time left for it,
    /// `remaining`, if that is given and the request has a field for it. Called on the codec of the
    /// upstream connection that the request leaves on, and only where
    /// [`Capabilities::translates`](crate::Capabilities); it takes the place of
    /// [`patch_request_id`](Codec::patch_request_id) and [`set_deadline`](Codec::set_deadline). The
    /// frame is whole, and was decoded, and perhaps changed, by a codec of the same protocol with,
    /// perhaps, other options. `remaining` is given only if it had a [`Metadata::timeout_place`].
    ///
    /// # Errors
    /// [`EncodeError`] if the request can't be expressed in this dialect. `out` is then as it was.
    fn translate_request(
        &mut self,
        frame: &Bytes,
        id: Option<u64>,
        remaining: Option<Duration>,
        out: &mut Output,
    ) -> Result<(), EncodeError> {
        let _ = (frame, id, remaining, out);
        Err(EncodeError::Unsupported("other dialects"))
    }

    /// Appends the response `frame`, which came on another connection, as the caller of `request`
    /// expects it: in the dialect and with the id of the request. Called on the codec of the client's
    /// connection; otherwise as [`translate_request`](Codec::translate_request).
    ///
    /// # Errors
    /// [`EncodeError`] if the response can't be expressed in this dialect. `out` is then as it was.
    fn translate_response(
        &mut self,
        frame: &Bytes,
        request: &RequestHead,
        out: &mut Output,
    ) -> Result<(), EncodeError> {
        let _ = (frame, request, out);
        Err(EncodeError::Unsupported("other dialects"))
    }

    /// Tells which properties will be asked for from the next message on, instead of those of
    /// [`CodecContext::interest`](crate::CodecContext::interest): configuration has changed.
    fn set_interest(&mut self, interest: &Arc<Interest>) {
        let _ = interest;
    }

    /// What can be told of a request from its first bytes alone, so that a frame too large to be
    /// read can still be answered. `head` is what had arrived when the length became known.
    fn peek_request(&self, head: &[u8]) -> Option<RequestHead> {
        let _ = head;
        None
    }

    /// Appends a ping with the given id, to be sent to a peer that is silent. Its answer decodes as
    /// [`MessageKind::Pong`](crate::MessageKind), or as a response to that id, or, in protocols
    /// without ids, as the response that is next in the order.
    ///
    /// # Errors
    /// [`EncodeError::Unsupported`] for protocols without pings (the default).
    fn ping(&self, id: u64, out: &mut BytesMut) -> Result<(), EncodeError> {
        let _ = (id, out);
        Err(EncodeError::Unsupported("pings"))
    }

    /// Appends the answer to `ping`, a message of kind [`MessageKind::Ping`](crate::MessageKind).
    ///
    /// # Errors
    /// [`EncodeError::Unsupported`] for protocols without pings (the default).
    fn pong(&self, ping: &Metadata, out: &mut BytesMut) -> Result<(), EncodeError> {
        let _ = (ping, out);
        Err(EncodeError::Unsupported("pongs"))
    }

    /// Appends the message that asks the peer to send no further requests on this connection.
    ///
    /// # Errors
    /// [`EncodeError::Unsupported`] for protocols without such a message (the default).
    fn go_away(&self, out: &mut BytesMut) -> Result<(), EncodeError> {
        let _ = out;
        Err(EncodeError::Unsupported("go-away"))
    }

    /// Overwrites the time left for a request in place, as near as its field can tell it: never as
    /// more than the field can hold, nor as no limit. Called on the codec of the connection that the
    /// request leaves on, for requests with a [`Metadata::timeout_place`], after
    /// [`patch_request_id`](Codec::patch_request_id) and with no more time than
    /// [`Metadata::timeout`] if there is one.
    ///
    /// `stretch` is that place of the frame and nothing else: the bytes must tell by themselves how
    /// they are to be changed. Neither their number nor that of any other bytes can change.
    ///
    /// # Errors
    /// [`EncodeError::Unsupported`] for protocols without such a field (the default), and for what is
    /// no such stretch. `stretch` is then as it was, and the request is sent so.
    fn set_deadline(&self, stretch: &mut [u8], remaining: Duration) -> Result<(), EncodeError> {
        let _ = (stretch, remaining);
        Err(EncodeError::Unsupported("deadlines"))
    }

    /// As [`encode`](Codec::encode), for a request that has a [`Metadata::timeout_place`]; tells where
    /// that stretch stands in what was appended, counted from its first byte, if it is still there as
    /// it was. By default it does not: what was changed goes up with the time that the client gave.
    ///
    /// # Errors
    /// As [`encode`](Codec::encode).
    fn encode_timed(
        &self,
        metadata: &Metadata,
        mutation: &Mutation,
        out: &mut Output,
    ) -> Result<Option<Range<usize>>, EncodeError> {
        self.encode(metadata, mutation, out).map(|()| None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The engine is compiled once and holds codecs behind a pointer: object safety is a fact that
    /// the compiler checks here.
    fn _object_safe(_: Box<dyn Codec>) {}
}
