//! A good codec with a length prefix and request ids, and the samples that prove it.
//!
//! magic 0x7a, kind u8, total length u32, id u32, code u8, method length u8, method, body. The code of a
//! request is its timeout in seconds; 0 is none.

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use metaproto_core::conformance::Samples;
use metaproto_core::wire::{Reader, Writer};
use metaproto_core::{
    Bytes, BytesMut, Capabilities, Codec, CodecContext, Correlation, DecodeError, EncodeError,
    Error, Fault, FrameLength, MessageKind, Metadata, Mutation, MutationSupport, OptionError,
    Options, Output, Probe, PropertyInfo, PropertySchema, Protocol, RequestHead, Status,
    no_options,
};

pub(crate) const FIXED: usize = 12;

/// Where the code stands.
pub(crate) const CODE: usize = 10;

#[derive(Debug)]
pub(crate) struct Binary;

impl Protocol for Binary {
    fn name(&self) -> &str {
        "binary"
    }

    fn capabilities(&self) -> Capabilities {
        let mut capabilities = Capabilities::new(Correlation::Id { bits: 32 });
        capabilities.oneway = true;
        capabilities.ping = true;
        capabilities.go_away = true;
        capabilities.probe = true;
        capabilities.properties = PropertySchema {
            known: vec![
                PropertyInfo { name: "method".into(), mutation: MutationSupport::SET },
                PropertyInfo { name: "code".into(), mutation: MutationSupport::NONE },
            ],
            open: None,
            in_body: false,
        };
        capabilities
    }

    fn codec(&self, _: &CodecContext) -> Box<dyn Codec> {
        Box::new(BinaryCodec)
    }

    fn configure(&self, options: &Options) -> Result<Arc<dyn Protocol>, OptionError> {
        no_options("binary", options)?;
        Ok(Arc::new(Binary))
    }

    fn probe(&self, head: &[u8]) -> Probe {
        match head {
            [] => Probe::Need(1),
            [0x7a] => Probe::Need(2),
            [0x7a, 0..=5, ..] => Probe::Yes,
            _ => Probe::No,
        }
    }
}

#[derive(Debug)]
pub(crate) struct BinaryCodec;

fn kind_of(byte: u8) -> Option<MessageKind> {
    use MessageKind::{GoAway, Oneway, Ping, Pong, Request, Response};
    [Request, Oneway, Response, Ping, Pong, GoAway].get(usize::from(byte)).copied()
}

fn write(out: &mut BytesMut, fields: (u8, u32, u8), method: &[u8]) -> Result<(), EncodeError> {
    let (kind, id, code) = fields;
    let mut writer = Writer::new(out);
    writer.u8(0x7a);
    writer.u8(kind);
    let total = writer.length::<4>();
    writer.u32_be(id);
    writer.u8(code);
    let method_len = writer.length::<1>();
    writer.slice(method);
    writer.fill_be(method_len, "method", 0)?;
    writer.fill_be(total, "total", 6)?;
    writer.finish();
    Ok(())
}

fn narrow(id: u64) -> Result<u32, EncodeError> {
    let wide = |_| EncodeError::InvalidValue { field: "id", reason: "has 32 bits".into() };
    u32::try_from(id).map_err(wide)
}

impl Codec for BinaryCodec {
    fn frame_length(&mut self, head: &[u8]) -> Result<FrameLength, DecodeError> {
        if let Some(magic) = head.first().filter(|magic| **magic != 0x7a) {
            return Err(DecodeError::connection("magic", Fault::BadMagic((*magic).into())));
        }
        let Some([_, _, len @ ..]) = head.first_chunk::<6>() else {
            return Ok(FrameLength::Need(6));
        };
        let total = u32::from_be_bytes(*len) as usize;
        if total < FIXED {
            return Err(DecodeError::connection("total", Fault::LengthTooSmall(total as u64)));
        }
        Ok(FrameLength::Known(total))
    }

    fn decode(&mut self, frame: Bytes, metadata: &mut Metadata) -> Result<(), DecodeError> {
        let mut reader = Reader::new(&frame);
        reader.u8("magic")?;
        let kind = reader.u8("kind")?;
        reader.u32_be("total")?;
        metadata.request_id = Some(reader.u32_be("id")?.into());
        metadata.kind =
            kind_of(kind).ok_or(DecodeError::message("kind", Fault::UnknownValue(kind.into())))?;
        let code = reader.u8("code")?;
        let len = reader.u8("method_len")?;
        let method = reader.range("method", len.into())?;
        metadata.header_size = method.end;
        if metadata.kind == MessageKind::Response {
            metadata.push_int("code", code);
            let ok = Status::ok(0);
            let status = if code == 0 { ok } else { Status::application_error(code.into()) };
            metadata.status = Some(status);
        } else {
            if matches!(metadata.kind, MessageKind::Request | MessageKind::Oneway) {
                metadata.timeout = (code > 0).then(|| Duration::from_secs(code.into()));
                metadata.timeout_place = Some(CODE..FIXED);
            }
            metadata.set_operation_in_frame(method.clone());
            metadata.push_in_frame("method", method);
        }
        metadata.frame = frame;
        Ok(())
    }

    fn encode(
        &self,
        metadata: &Metadata,
        mutation: &Mutation,
        out: &mut Output,
    ) -> Result<(), EncodeError> {
        let mut method: Option<&str> = None;
        for change in mutation.changes() {
            match change {
                metaproto_core::Change::Set { name, value }
                    if name.eq_ignore_ascii_case("method")
                        && metadata.kind != MessageKind::Response =>
                {
                    method = Some(value);
                }
                other => {
                    let (verb, name) = (other.verb(), other.name().to_owned());
                    return Err(EncodeError::UnsupportedChange { verb, name });
                }
            }
        }
        let header = metadata.header();
        let body = metadata.body();
        let too_short = EncodeError::Unsupported("a message without a header");
        let fixed = header.first_chunk::<FIXED>().ok_or(too_short)?;
        let method = method.map_or(&header[FIXED..], str::as_bytes);
        let Ok(len) = u8::try_from(method.len()) else {
            let reason = "has at most 255 bytes".into();
            return Err(EncodeError::InvalidValue { field: "method", reason });
        };
        let total = (FIXED + method.len() + body.len()) as u32;
        out.copy(&fixed[..2]);
        out.copy(&total.to_be_bytes());
        out.copy(&fixed[6..11]);
        out.copy(&[len]);
        out.copy(method);
        out.share(body);
        Ok(())
    }

    fn on_error(
        &self,
        request: &RequestHead,
        error: &Error,
        out: &mut BytesMut,
    ) -> Result<(), EncodeError> {
        let id = narrow(request.request_id.unwrap_or_default())?;
        write(out, (2, id, error.kind as u8 + 100), b"")
    }

    fn patch_request_id(&self, header: &mut [u8], id: u64) -> Result<(), EncodeError> {
        let id = narrow(id)?;
        let place = header.get_mut(6..10).ok_or(EncodeError::Unsupported("short headers"))?;
        place.copy_from_slice(&id.to_be_bytes());
        Ok(())
    }

    fn set_deadline(&self, stretch: &mut [u8], remaining: Duration) -> Result<(), EncodeError> {
        let [seconds, _] = stretch else { return Err(EncodeError::Unsupported("other places")) };
        *seconds = remaining.as_secs().clamp(1, 255) as u8;
        Ok(())
    }

    fn encode_timed(
        &self,
        metadata: &Metadata,
        mutation: &Mutation,
        out: &mut Output,
    ) -> Result<Option<Range<usize>>, EncodeError> {
        self.encode(metadata, mutation, out).map(|()| metadata.timeout_place.clone())
    }

    fn peek_request(&self, head: &[u8]) -> Option<RequestHead> {
        let id = head.get(6..10)?.try_into().ok().map(u32::from_be_bytes)?;
        let kind = kind_of(head[1])?;
        Some(RequestHead::peeked(kind, Some(id.into()), &[]))
    }

    fn ping(&self, id: u64, out: &mut BytesMut) -> Result<(), EncodeError> {
        write(out, (3, narrow(id)?, 0), b"")
    }

    fn pong(&self, ping: &Metadata, out: &mut BytesMut) -> Result<(), EncodeError> {
        write(out, (4, narrow(ping.request_id.unwrap_or_default())?, 0), b"")
    }

    fn go_away(&self, out: &mut BytesMut) -> Result<(), EncodeError> {
        write(out, (5, 0, 0), b"")
    }
}

/// A whole frame.
pub(crate) fn frame(kind: u8, id: u32, code: u8, method: &str, body: &[u8]) -> Vec<u8> {
    let total = (FIXED + method.len() + body.len()) as u32;
    let mut frame = vec![0x7a, kind];
    frame.extend(total.to_be_bytes());
    frame.extend(id.to_be_bytes());
    frame.extend([code, method.len() as u8]);
    frame.extend(method.as_bytes());
    frame.extend(body);
    frame
}

pub(crate) fn samples() -> Samples {
    Samples::new()
        .request(frame(0, 7, 0, "echo", b"hello"))
        .request(frame(0, 0xdead_beef, 0, "add", &[0x7a; 80]))
        .named("a call with a larger body")
        .request(frame(0, 8, 30, "wait", b"a while"))
        .named("a call with a timeout")
        .request(frame(1, 9, 0, "log", b"line"))
        .named("a one-way call")
        .request(frame(3, 1, 0, "", b""))
        .named("a ping")
        .response(frame(2, 7, 0, "", b"hello"))
        .response(frame(2, 7, 3, "", b"no"))
        .named("an error")
        .response(frame(5, 0, 0, "", b""))
        .named("a go-away")
}
