//! A good codec without a length prefix and without ids: one line, scanned once.
//!
//! `Q name=value name=value;body\n`, answered by `A` (ok) or `E` (error) in the same form. It can be
//! broken in one way at a time.

use std::ops::Range;
use std::sync::Arc;

use metaproto_core::conformance::Samples;
use metaproto_core::{
    Bytes, BytesMut, Capabilities, Change, Codec, CodecContext, Correlation, DecodeError,
    EncodeError, Error, Fault, FrameLength, MessageKind, Metadata, Mutation, MutationSupport,
    OptionError, Options, Output, PropertySchema, Protocol, RequestHead, Status, no_options,
};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flaw {
    None,
    /// Starts every scan at the front of the line.
    ScansAgain,
    /// Writes ends of lines into values.
    InjectsValues,
    /// Writes ends of lines into error texts.
    InjectsErrors,
    RefusesNewProperties,
    AppendsInPlaceOfOthers,
    RemovesInSilence,
    /// Although its responses are matched by order.
    PatchesIds,
}

#[derive(Debug)]
pub(crate) struct Lines(pub(crate) Flaw);

impl Protocol for Lines {
    fn name(&self) -> &str {
        "lines"
    }

    fn capabilities(&self) -> Capabilities {
        let mut capabilities = Capabilities::new(Correlation::Order);
        let open = Some(MutationSupport::ALL);
        capabilities.properties = PropertySchema { open, ..PropertySchema::default() };
        capabilities
    }

    fn codec(&self, _: &CodecContext) -> Box<dyn Codec> {
        Box::new(LinesCodec { scanned: 0, flaw: self.0 })
    }

    fn configure(&self, options: &Options) -> Result<Arc<dyn Protocol>, OptionError> {
        no_options("lines", options)?;
        Ok(Arc::new(Lines(self.0)))
    }
}

#[derive(Debug)]
struct LinesCodec {
    /// The bytes of the line that have no end of line among them.
    scanned: usize,
    flaw: Flaw,
}

/// A name and a value.
type Entry = (Vec<u8>, Vec<u8>);

/// Where a name and a value stand.
type Place = [Range<usize>; 2];

/// The entries of a line, and where its body starts.
type Entries = (Vec<Place>, usize);

fn entries(frame: &[u8]) -> Option<Entries> {
    let end = frame.iter().position(|byte| *byte == b';')?;
    let mut entries = Vec::new();
    let mut at = 1;
    while at < end {
        let next = frame.get(at + 1..end)?.iter().position(|byte| *byte == b' ');
        let next = next.map_or(end, |len| at + 1 + len);
        let equals = at + frame.get(at..next)?.iter().position(|byte| *byte == b'=')?;
        if frame.get(at) != Some(&b' ') || equals == at + 1 {
            return None;
        }
        entries.push([at + 1..equals, equals + 1..next]);
        at = next;
    }
    Some((entries, end + 1))
}

fn invalid(field: &'static str) -> EncodeError {
    EncodeError::InvalidValue { field, reason: "has a reserved character".into() }
}

impl LinesCodec {
    fn apply(&self, change: &Change, list: &mut Vec<Entry>) -> Result<(), EncodeError> {
        let name = change.name().as_bytes();
        if name.is_empty() || name.iter().any(|byte| b" =;\n".contains(byte)) {
            return Err(invalid("name"));
        }
        let replaces = match change {
            Change::Append { .. } => self.flaw == Flaw::AppendsInPlaceOfOthers,
            Change::Remove { .. } => self.flaw != Flaw::RemovesInSilence,
            _ => true,
        };
        let len = list.len();
        if replaces {
            list.retain(|(n, _)| !n.eq_ignore_ascii_case(name));
        }
        let (Change::Set { value, .. } | Change::Append { value, .. }) = change else {
            return Ok(());
        };
        if value.bytes().any(|byte| b" ;\n".contains(&byte)) && self.flaw != Flaw::InjectsValues {
            return Err(invalid("value"));
        }
        if self.flaw == Flaw::RefusesNewProperties && list.len() == len {
            return Err(invalid("name"));
        }
        list.push((name.to_vec(), value.as_bytes().to_vec()));
        Ok(())
    }
}

impl Codec for LinesCodec {
    fn frame_length(&mut self, head: &[u8]) -> Result<FrameLength, DecodeError> {
        if self.flaw == Flaw::ScansAgain {
            self.scanned = 0;
        }
        let new = head.get(self.scanned..).unwrap_or_default();
        if let Some(at) = new.iter().position(|byte| *byte == b'\n') {
            let total = self.scanned + at + 1;
            self.scanned = 0;
            return Ok(FrameLength::Known(total));
        }
        self.scanned = head.len();
        Ok(FrameLength::Need(head.len() + 1))
    }

    fn decode(&mut self, frame: Bytes, metadata: &mut Metadata) -> Result<(), DecodeError> {
        let word = frame.first().copied().unwrap_or_default();
        (metadata.kind, metadata.status) = match word {
            b'Q' => (MessageKind::Request, None),
            b'A' => (MessageKind::Response, Some(Status::ok(0))),
            b'E' => (MessageKind::Response, Some(Status::application_error(1))),
            other => {
                return Err(DecodeError::message("word", Fault::UnknownValue(other.into())));
            }
        };
        let bad = DecodeError::message("entries", Fault::Truncated);
        let (entries, header_size) = entries(&frame).ok_or(bad)?;
        for [name, value] in entries {
            metadata.push_entry_in_frame(name, value);
        }
        metadata.header_size = header_size;
        metadata.frame = frame;
        Ok(())
    }

    fn encode(
        &self,
        metadata: &Metadata,
        mutation: &Mutation,
        out: &mut Output,
    ) -> Result<(), EncodeError> {
        let mut list: Vec<Entry> = Vec::new();
        let (there, _) = entries(&metadata.frame).ok_or(EncodeError::Unsupported("this"))?;
        let text = |range: Range<usize>| metadata.frame.get(range).unwrap_or_default().to_vec();
        list.extend(there.into_iter().map(|[name, value]| (text(name), text(value))));
        for change in mutation.changes() {
            self.apply(change, &mut list)?;
        }
        out.copy(metadata.frame.get(..1).unwrap_or_default());
        for (name, value) in list {
            out.copy(b" ");
            out.copy(&name);
            out.copy(b"=");
            out.copy(&value);
        }
        out.copy(b";");
        out.share(metadata.body());
        Ok(())
    }

    fn on_error(
        &self,
        _: &RequestHead,
        error: &Error,
        out: &mut BytesMut,
    ) -> Result<(), EncodeError> {
        let message = match self.flaw {
            Flaw::InjectsErrors => error.message.to_string(),
            _ => error.message.replace('\n', " "),
        };
        out.extend_from_slice(format!("E error={};{message}\n", error.kind).as_bytes());
        Ok(())
    }

    fn patch_request_id(&self, _: &mut [u8], _: u64) -> Result<(), EncodeError> {
        match self.flaw {
            Flaw::PatchesIds => Ok(()),
            _ => Err(EncodeError::Unsupported("request ids")),
        }
    }
}

pub(crate) fn samples() -> Samples {
    Samples::new()
        .request("Q method=echo Tenant=blue;hello\n")
        .request("Q method=add method=again;\n")
        .named("a property twice")
        .request("Q;\n")
        .named("a call without anything")
        .response("A took=3;hello\n")
        .response("E error=timeout;sorry\n")
        .named("an error")
}
