//! Messages written anew: with another number, on another transport, in another encoding.

use std::ops::Range;
use std::time::Duration;

use metaproto_core::{Bytes, BytesMut, DecodeError, EncodeError, Output};

use crate::deadline;
use crate::dialect::{Dialect, Encoding, Transport};
use crate::envelope::{self, Envelope};
use crate::header::{self, FIXED};
use crate::message::{Carrier, Content};
use crate::plain;
use crate::value::Transcoder;
use crate::zlib::Zlib;

/// What a message is to be like. What is `None` stays as it is.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Target {
    transport: Option<Transport>,
    encoding: Option<Encoding>,
    /// Whether it may be in the binary protocol with a version where it should be in that of old.
    allows_version: bool,
    /// The number of the message.
    seqid: Option<i32>,
    /// The number in the fixed part of a header.
    header_seqid: Option<[u8; 4]>,
    /// Whether a message that comes without a header is to be compressed; if not, then none may be.
    compressed: Option<bool>,
    /// Whether a message gets a second length behind a header of TTHeader.
    framed_within: Option<bool>,
    /// The time that is left for a request.
    remaining: Option<Duration>,
}

impl Target {
    /// A request to servers of this dialect, with this id, and with this time left.
    pub(crate) fn upstream(dialect: Dialect, id: Option<u64>, remaining: Option<Duration>) -> Self {
        let seqid = id.and_then(|id| u32::try_from(id).ok()).map(u32::cast_signed);
        Target {
            transport: dialect.transport,
            encoding: dialect.encoding,
            framed_within: dialect.framed_within,
            seqid,
            header_seqid: seqid.map(i32::to_be_bytes),
            remaining,
            ..Target::default()
        }
    }

    /// A response to the request that begins with `head`.
    pub(crate) fn downstream(head: &[u8], carrier: &Carrier, envelope: &Envelope) -> Self {
        let header_seqid = head.get(8..12).and_then(|bytes| bytes.first_chunk()).copied();
        Target {
            transport: Some(carrier.transport),
            encoding: Some(envelope.encoding),
            // Most servers answer so, and clients that speak that of old read both.
            allows_version: true,
            seqid: Some(envelope.seqid),
            header_seqid: header_seqid.filter(|_| carrier.transport.has_headers()),
            // Who does not compress may not be able to read what is.
            compressed: Some(carrier.is_compressed()),
            framed_within: carrier.header.is_some().then_some(carrier.is_framed_within),
            remaining: None,
        }
    }

    /// The number of a [plain](crate::plain) message, if that is all that is to be different.
    fn plain_number(&self) -> Option<[u8; 4]> {
        let is_framed = self.transport.is_none_or(|transport| transport == Transport::Framed);
        let stays = is_framed && self.encoding(Encoding::Binary) == Encoding::Binary;
        self.seqid.filter(|_| stays).map(i32::to_be_bytes)
    }

    /// How a message is to be encoded that is encoded so.
    fn encoding(&self, own: Encoding) -> Encoding {
        match (self.encoding, own) {
            (None, own) => own,
            (Some(Encoding::OldBinary), Encoding::Binary) if self.allows_version => own,
            (Some(encoding), _) => encoding,
        }
    }
}

/// Writes messages anew. Keeps its room from message to message.
#[derive(Debug, Default)]
pub(crate) struct Translator {
    /// For what comes.
    inflate: Zlib,
    /// For what leaves.
    deflate: Zlib,
    transcoder: Transcoder,
    message: BytesMut,
}

impl Translator {
    /// Appends the message `frame` as `target` wants it; as it is, if it is so already. A compressed
    /// message may have `most` bytes.
    pub(crate) fn translate(
        &mut self,
        frame: &Bytes,
        target: &Target,
        most: usize,
        out: &mut Output,
    ) -> Result<(), EncodeError> {
        if let Some((place, number)) = plain::number(frame).zip(target.plain_number()) {
            plain::renumber(frame, &place, number, out);
            return Ok(());
        }
        let mut timed = None;
        let carrier = Carrier::of_message(None, frame, |pair| {
            if target.remaining.is_some() {
                deadline::note(&mut timed, frame, &pair);
            }
        });
        let carrier = carrier.map_err(|error| unreadable(&error))?;
        let timed = timed.zip(target.remaining);
        let mut zlib = std::mem::take(&mut self.inflate);
        let read = (&carrier, timed.as_ref());
        let written = self.translate_with(frame, read, &mut zlib, (target, most), out);
        self.inflate = zlib;
        written
    }

    fn translate_with(
        &mut self,
        frame: &Bytes,
        (carrier, timed): (&Carrier, Option<&Timed>),
        zlib: &mut Zlib,
        (target, most): (&Target, usize),
        out: &mut Output,
    ) -> Result<(), EncodeError> {
        // The front is enough to tell whether anything has to be done.
        let front = carrier.content(frame, zlib).map_err(|error| unreadable(&error))?;
        let envelope = front.envelope().map_err(|error| unreadable(&error))?;
        let source = Source { frame, carrier, content: &front, envelope, timed };
        if source.is_like(target) {
            source.pass(out);
            return Ok(());
        }
        let envelope = source.envelope;
        let whole = carrier.whole(frame, zlib, most).map_err(|error| unreadable(&error))?;
        self.write(&Source { frame, carrier, content: &whole, envelope, timed }, target, out)
    }

    fn write(
        &mut self,
        source: &Source<'_>,
        target: &Target,
        out: &mut Output,
    ) -> Result<(), EncodeError> {
        let transport = target.transport.unwrap_or(source.carrier.transport);
        let begin = out.len();
        let body = self.message(source, target)?;
        self.carry(source, target, transport, &body, out).inspect_err(|_| out.truncate(begin))
    }

    /// Writes the message but for what of it can be shared, which is handed back.
    fn message(&mut self, source: &Source<'_>, target: &Target) -> Result<Bytes, EncodeError> {
        let envelope = &source.envelope;
        let encoding = target.encoding(envelope.encoding);
        let name = source.content.bytes.get(envelope.name.clone()).unwrap_or_default();
        let seqid = target.seqid.unwrap_or(envelope.seqid);
        self.message.clear();
        envelope::write(encoding, envelope.kind, name, seqid, &mut self.message);
        let values = source.content.bytes.get(envelope.end..).unwrap_or_default();
        if (encoding == Encoding::Compact) != (envelope.encoding == Encoding::Compact) {
            self.transcoder
                .transcode(values, envelope.encoding, encoding, &mut self.message)
                .map_err(|error| unreadable(&error))?;
            return Ok(Bytes::new());
        }
        if source.content.is_frame && values.len() >= Output::SHARE_MIN {
            return Ok(source.frame.slice_ref(values));
        }
        self.message.extend_from_slice(values);
        Ok(Bytes::new())
    }

    /// Appends the message, with `body` behind, as this transport carries it.
    fn carry(
        &mut self,
        source: &Source<'_>,
        target: &Target,
        transport: Transport,
        body: &Bytes,
        out: &mut Output,
    ) -> Result<(), EncodeError> {
        let tail = out.tail();
        let start = tail.len();
        if transport != Transport::Unframed {
            tail.extend_from_slice(&[0; 4]);
        }
        let (mut compressed, mut framed_within) = (false, false);
        if transport.has_headers() {
            (compressed, framed_within) = source.ways(target, transport);
            source.header(target, transport, compressed, tail)?;
        }
        let (message, body): (&[u8], _) = match compressed {
            true => (self.deflate.deflated([&self.message, body]), Bytes::new()),
            false => (&self.message, body.clone()),
        };
        let size = message.len().saturating_add(body.len());
        if framed_within {
            tail.extend_from_slice(&length(size)?);
        }
        let before = tail.len().saturating_sub(start);
        tail.extend_from_slice(message);
        if transport != Transport::Unframed {
            let told = length(before.saturating_sub(4).saturating_add(size))?;
            put(tail, start, &told);
        }
        out.share(body);
        Ok(())
    }
}

/// A message as it came.
struct Source<'a> {
    frame: &'a Bytes,
    carrier: &'a Carrier,
    content: &'a Content<'a>,
    envelope: Envelope,
    timed: Option<&'a Timed>,
}

/// Where a header tells how long its client waits, and what it is to tell instead.
type Timed = (Range<usize>, Duration);

impl Source<'_> {
    /// Whether the message is already what it is to be.
    fn is_like(&self, target: &Target) -> bool {
        let told = self.carrier.header.as_ref().and(self.frame.get(8..12));
        target.transport.is_none_or(|transport| transport == self.carrier.transport)
            && target.encoding(self.envelope.encoding) == self.envelope.encoding
            && target.seqid.is_none_or(|seqid| seqid == self.envelope.seqid)
            && (self.carrier.transport != Transport::TtHeader
                || target
                    .framed_within
                    .is_none_or(|within| within == self.carrier.is_framed_within))
            && !(target.compressed == Some(false) && self.carrier.is_compressed())
            && (told.is_none() || target.header_seqid.is_none_or(|seqid| told == Some(&seqid)))
    }

    /// Appends the message as it is, but for the time that is left.
    fn pass(&self, out: &mut Output) {
        let Some((_, header)) = self.timed.zip(self.carrier.header.as_ref()) else {
            return out.share(self.frame.clone());
        };
        let tail = out.tail();
        let start = tail.len();
        let mut message = self.frame.clone();
        tail.extend_from_slice(&message.split_to(header.payload.min(self.frame.len())));
        self.time(tail, start);
        out.share(message);
    }

    /// Writes the time that is left into what is a copy of the header, or of its end, from where in
    /// `out` the frame would start.
    fn time(&self, out: &mut BytesMut, start: usize) {
        let Some((place, remaining)) = self.timed else { return };
        let places = [place.start, place.end].map(|at| start.saturating_add(at));
        if let Some(digits) = out.get_mut(places[0]..places[1]) {
            // It was read before: it can be written.
            deadline::write(digits, *remaining).ok();
        }
    }

    /// Whether the message will be compressed, and whether it will have a length behind the header: as
    /// it came, if it came with a header of the kind and nothing is said.
    fn ways(&self, target: &Target, transport: Transport) -> (bool, bool) {
        let compressed = match target.compressed {
            Some(false) => false,
            Some(true) if self.carrier.transport != transport => true,
            _ => self.carrier.is_compressed(),
        };
        let within = target.framed_within.unwrap_or(self.carrier.is_framed_within);
        (compressed && transport == Transport::Header, within && transport == Transport::TtHeader)
    }

    /// Appends the header for this transport, behind the length of the frame.
    fn header(
        &self,
        target: &Target,
        transport: Transport,
        compressed: bool,
        out: &mut BytesMut,
    ) -> Result<(), EncodeError> {
        let own = self.carrier.header.as_ref();
        let encoding = target.encoding(self.envelope.encoding);
        let flags = own.and_then(|_| self.frame.get(6..8)).unwrap_or(&[0; 2]);
        let seqid = target.seqid.unwrap_or(self.envelope.seqid).to_be_bytes();
        let told = own.and_then(|_| self.frame.get(8..12)).unwrap_or(&seqid);
        let seqid = target.header_seqid.as_ref().map_or(told, |seqid| &seqid[..]);
        let magic = if transport == Transport::Header { [0x0f, 0xff] } else { [0x10, 0x00] };
        [&magic[..], flags, seqid, &[0; 2]].iter().for_each(|part| out.extend_from_slice(part));
        let start = out.len();
        match own {
            // All that it says is kept, known or not.
            Some(own)
                if self.carrier.transport == transport
                    && self.carrier.is_compressed() == compressed =>
            {
                out.extend_from_slice(self.frame.get(FIXED..own.payload).unwrap_or_default());
                self.time(out, start.saturating_sub(FIXED));
                if let Some(protocol) = out.get_mut(start)
                    && encoding != self.envelope.encoding
                {
                    *protocol = header::protocol(encoding);
                }
            }
            _ => {
                let protocol = header::protocol(encoding);
                header::begin(transport, protocol, compressed, out);
                header::copy(self.frame, self.carrier, transport, out)?;
                while !out.len().saturating_sub(start).is_multiple_of(4) {
                    out.extend_from_slice(&[0]);
                }
            }
        }
        let words = u16::try_from(out.len().saturating_sub(start) / 4).map_err(|_| too_long())?;
        put(out, start.saturating_sub(2), &words.to_be_bytes());
        Ok(())
    }
}

/// Writes over what stands at `at`.
fn put<const N: usize>(out: &mut BytesMut, at: usize, bytes: &[u8; N]) {
    if let Some(place) = out.get_mut(at..).and_then(<[u8]>::first_chunk_mut) {
        *place = *bytes;
    }
}

/// A length of four bytes.
fn length(size: usize) -> Result<[u8; 4], EncodeError> {
    i32::try_from(size).map(i32::to_be_bytes).map_err(|_| too_long())
}

fn too_long() -> EncodeError {
    EncodeError::InvalidValue { field: "message", reason: "is too long".into() }
}

fn unreadable(error: &DecodeError) -> EncodeError {
    EncodeError::InvalidValue {
        field: "message",
        reason: format!("can't be read for another dialect: {error}").into(),
    }
}
