//! The binary protocol with codecs that write messages anew, well or with a flaw.

use std::sync::Arc;
use std::time::Duration;

use metaproto_core::*;

use super::binary::{Binary, BinaryCodec, CODE, FIXED};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flaw {
    None,
    /// Writes a request with its own id, whatever it is given.
    KeepsTheId,
    /// Writes a request with another body.
    ChangesTheBody,
    /// Writes a request that is to stay as it is with another id.
    ChangesWhatIsToStay,
    /// Writes a response with the id that it has.
    ForgetsTheRequest,
    /// Writes a request with the timeout that it has.
    ForgetsTheDeadline,
    /// Writes a response as a failed one.
    ChangesTheStatus,
    WritesBeforeItRefuses,
}

#[derive(Debug)]
pub(crate) struct Translating(pub(crate) Flaw);

impl Protocol for Translating {
    fn name(&self) -> &str {
        "translating"
    }

    fn capabilities(&self) -> Capabilities {
        let mut capabilities = Binary.capabilities();
        capabilities.translates = true;
        capabilities
    }

    fn codec(&self, _: &CodecContext) -> Box<dyn Codec> {
        Box::new(TranslatingCodec(BinaryCodec, self.0))
    }

    fn configure(&self, options: &Options) -> Result<Arc<dyn Protocol>, OptionError> {
        Binary.configure(options)?;
        Ok(Arc::new(Translating(self.0)))
    }

    fn probe(&self, head: &[u8]) -> Probe {
        Binary.probe(head)
    }
}

struct TranslatingCodec(BinaryCodec, Flaw);

impl TranslatingCodec {
    fn with_id(&self, frame: &Bytes, id: u64, out: &mut Output) -> Result<(), EncodeError> {
        let mut changed = BytesMut::from(&**frame);
        self.0.patch_request_id(&mut changed, id)?;
        if self.1 == Flaw::ChangesTheBody
            && let Some(last) = changed.last_mut()
        {
            *last ^= 1;
        }
        if self.1 == Flaw::ChangesTheStatus {
            // The code of a response.
            changed[10] ^= 1;
        }
        out.copy(&changed);
        Ok(())
    }
}

impl Codec for TranslatingCodec {
    fn frame_length(&mut self, head: &[u8]) -> Result<FrameLength, DecodeError> {
        self.0.frame_length(head)
    }

    fn decode(&mut self, frame: Bytes, metadata: &mut Metadata) -> Result<(), DecodeError> {
        self.0.decode(frame, metadata)
    }

    fn encode(
        &self,
        m: &Metadata,
        mutation: &Mutation,
        out: &mut Output,
    ) -> Result<(), EncodeError> {
        self.0.encode(m, mutation, out)
    }

    fn on_error(
        &self,
        request: &RequestHead,
        error: &Error,
        out: &mut BytesMut,
    ) -> Result<(), EncodeError> {
        self.0.on_error(request, error, out)
    }

    fn peek_request(&self, head: &[u8]) -> Option<RequestHead> {
        self.0.peek_request(head)
    }

    fn ping(&self, id: u64, out: &mut BytesMut) -> Result<(), EncodeError> {
        self.0.ping(id, out)
    }

    fn pong(&self, ping: &Metadata, out: &mut BytesMut) -> Result<(), EncodeError> {
        self.0.pong(ping, out)
    }

    fn go_away(&self, out: &mut BytesMut) -> Result<(), EncodeError> {
        self.0.go_away(out)
    }

    fn set_deadline(&self, stretch: &mut [u8], remaining: Duration) -> Result<(), EncodeError> {
        self.0.set_deadline(stretch, remaining)
    }

    fn translate_request(
        &mut self,
        frame: &Bytes,
        id: Option<u64>,
        remaining: Option<Duration>,
        out: &mut Output,
    ) -> Result<(), EncodeError> {
        let mut timed = frame.to_vec();
        if let (Some(remaining), true) = (remaining, self.1 != Flaw::ForgetsTheDeadline) {
            self.0.set_deadline(&mut timed[CODE..FIXED], remaining)?;
        }
        let frame = &Bytes::from(timed);
        match (self.1, id) {
            (Flaw::KeepsTheId, _) | (_, None) if self.1 != Flaw::ChangesWhatIsToStay => {
                out.share(frame.clone());
                Ok(())
            }
            (Flaw::WritesBeforeItRefuses, Some(_)) => {
                out.copy(b"half");
                Err(EncodeError::Unsupported("ids"))
            }
            (_, id) => self.with_id(frame, id.unwrap_or(77), out),
        }
    }

    fn translate_response(
        &mut self,
        frame: &Bytes,
        request: &RequestHead,
        out: &mut Output,
    ) -> Result<(), EncodeError> {
        match (self.1, request.request_id) {
            (Flaw::ForgetsTheRequest, _) | (_, None) => self.with_id(frame, 4_000_000_000, out),
            (_, Some(id)) => self.with_id(frame, id, out),
        }
    }
}
