//! A message, as far as it can be told without its content: how it is carried, and its envelope.

use metaproto_core::{DecodeError, Fault};

use crate::dialect::{Detected, Transport, detect};
use crate::envelope::{Envelope, Found};
use crate::header::{self, FIXED, Header, Pair};
use crate::zlib::Zlib;

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
    /// Tells how a message is carried that came on this transport, or on that which its first bytes
    /// tell, and hands out the keys and values of its header.
    pub(crate) fn of_message(
        transport: Option<Transport>,
        frame: &[u8],
        each: impl FnMut(Pair),
    ) -> Result<Self, DecodeError> {
        let detected = transport.or_else(|| match detect(frame) {
            Ok(Detected::Transport(transport)) => Some(transport),
            _ => None,
        });
        match detected {
            Some(Transport::Unframed) => Ok(Carrier::of(Transport::Unframed, 0)),
            _ => Carrier::read(frame, each),
        }
    }

    fn read(frame: &[u8], each: impl FnMut(Pair)) -> Result<Self, DecodeError> {
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

    pub(crate) fn is_compressed(&self) -> bool {
        self.header.as_ref().is_some_and(|header| header.is_compressed)
    }

    /// The bytes in which the envelope stands, and where it starts: the frame, or the front of what
    /// was compressed.
    pub(crate) fn content<'a>(
        &self,
        frame: &'a [u8],
        zlib: &'a mut Zlib,
    ) -> Result<Content<'a>, DecodeError> {
        match self.is_compressed() {
            false => Ok(Content { bytes: frame, start: self.payload, is_frame: true }),
            true => {
                let bytes = zlib.front(frame.get(self.payload..).unwrap_or_default(), INFLATED)?;
                Ok(Content { bytes, start: 0, is_frame: false })
            }
        }
    }

    /// The same with all of what was compressed, if that is no more than `most` bytes.
    pub(crate) fn whole<'a>(
        &self,
        frame: &'a [u8],
        zlib: &'a mut Zlib,
        most: usize,
    ) -> Result<Content<'a>, DecodeError> {
        match self.is_compressed() {
            false => self.content(frame, zlib),
            true => {
                let bytes = zlib.whole(frame.get(self.payload..).unwrap_or_default(), most)?;
                Ok(Content { bytes, start: 0, is_frame: false })
            }
        }
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
    pub(crate) bytes: &'a [u8],
    pub(crate) start: usize,
    /// Whether positions in it are positions in the frame.
    pub(crate) is_frame: bool,
}

impl Content<'_> {
    /// Reads the envelope.
    pub(crate) fn envelope(&self) -> Result<Envelope, DecodeError> {
        let read = Envelope::read(self.bytes, self.start);
        match read.map_err(|error| DecodeError::message(error.field, error.fault))? {
            Found::Envelope(envelope) => Ok(envelope),
            Found::Need(_) => Err(DecodeError::message("message", Fault::Truncated)),
        }
    }
}
