//! A message, as far as it can be told without its content: how it is carried, and its envelope.

use std::borrow::Cow;
use std::io::Read;

use flate2::bufread::ZlibDecoder;
use metaproto_core::{DecodeError, Fault};

use crate::dialect::Transport;
use crate::envelope::{Envelope, Found};
use crate::header::{self, FIXED, Header, Pair};

/// Of a compressed message no more than this is read: the envelope stands at its front.
const INFLATED: usize = 8192;

/// How a message is carried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Carrier {
    pub(crate) transport: Transport,
    /// Where the message itself starts.
    pub(crate) payload: usize,
    pub(crate) header: Option<Header>,
    /// Whether the message behind the header has a length in front once more, as some speakers of
    /// TTHeader have it.
    pub(crate) is_framed_within: bool,
}

impl Carrier {
    /// Tells how a frame with a length in front is carried, and hands out the keys and values of its
    /// header.
    pub(crate) fn read(frame: &[u8], each: impl FnMut(Pair)) -> Result<Self, DecodeError> {
        let transport = match frame.get(4..6) {
            Some([0x0f, 0xff]) if frame.len() >= FIXED => Transport::Header,
            Some([0x10, 0x00]) if frame.len() >= FIXED => Transport::TtHeader,
            _ => return Ok(Carrier::of(Transport::Framed, 4)),
        };
        let header = header::read(frame, transport, each)?;
        let mut carrier = Carrier::of(transport, header.payload);
        // The length of what is left can be no version and no length of a name.
        let rest = frame.get(header.payload..).unwrap_or_default();
        let inner = rest.first_chunk().map(|len| u32::from_be_bytes(*len));
        if transport == Transport::TtHeader
            && inner.is_some()
            && inner == told_length(frame, &header)
        {
            carrier.is_framed_within = true;
            carrier.payload = carrier.payload.saturating_add(4);
        }
        carrier.header = Some(header);
        Ok(carrier)
    }

    fn of(transport: Transport, payload: usize) -> Self {
        Carrier { transport, payload, header: None, is_framed_within: false }
    }

    /// One without a length in front.
    pub(crate) fn unframed() -> Self {
        Carrier::of(Transport::Unframed, 0)
    }

    fn is_compressed(&self) -> bool {
        self.header.as_ref().is_some_and(|header| header.is_compressed)
    }

    /// The bytes in which the envelope stands, and where it starts: the frame, or the front of what
    /// was compressed.
    pub(crate) fn content<'a>(&self, frame: &'a [u8]) -> Result<Content<'a>, DecodeError> {
        if !self.is_compressed() {
            return Ok(Content { bytes: Cow::Borrowed(frame), start: self.payload });
        }
        let compressed = frame.get(self.payload..).unwrap_or_default();
        let mut bytes = Vec::new();
        let mut front = ZlibDecoder::new(compressed).take(INFLATED as u64);
        // What ends early or goes wrong behind the front is not looked at.
        let read = front.read_to_end(&mut bytes);
        if read.is_err() && bytes.is_empty() {
            return Err(DecodeError::message("message", Fault::Other("can't be decompressed")));
        }
        Ok(Content { bytes: Cow::Owned(bytes), start: 0 })
    }
}

/// The length that a frame within this one would tell, by the length of this one: the frame may not be
/// there whole.
fn told_length(frame: &[u8], header: &Header) -> Option<u32> {
    let total = u32::from_be_bytes(*frame.first_chunk()?);
    let before = u32::try_from(header.payload).ok()?;
    // Both lengths count what is behind themselves.
    total.checked_sub(before)
}

/// Where an envelope stands.
#[derive(Debug)]
pub(crate) struct Content<'a> {
    pub(crate) bytes: Cow<'a, [u8]>,
    pub(crate) start: usize,
}

impl Content<'_> {
    /// Whether positions in it are positions in the frame.
    pub(crate) fn is_frame(&self) -> bool {
        matches!(self.bytes, Cow::Borrowed(_))
    }

    /// Reads the envelope.
    pub(crate) fn envelope(&self) -> Result<Envelope, DecodeError> {
        let read = Envelope::read(&self.bytes, self.start);
        match read.map_err(|error| DecodeError::message(error.field, error.fault))? {
            Found::Envelope(envelope) => Ok(envelope),
            Found::Need(_) => Err(DecodeError::message("message", Fault::Truncated)),
        }
    }
}
