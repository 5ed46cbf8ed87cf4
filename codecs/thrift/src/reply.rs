//! Answers of the proxy's own, a `TApplicationException` in the dialect of the request; and how calls end.

use metaproto_core::{BytesMut, DecodeError, EncodeError, ErrorKind, Status, StatusClass};

use crate::dialect::{Encoding, Transport};
use crate::envelope::{self, Envelope, MessageType};
use crate::fields::Fields;
use crate::header::FIXED;
use crate::message::{Carrier, Content};
use crate::value::{Kind, Scan, write_varint, zigzag};

/// The type of a `TApplicationException`.
///
/// Source: `TApplicationExceptionType` in Apache Thrift. Numbers above 10 are not known everywhere.
pub(crate) mod exception {
    pub(crate) const UNKNOWN_METHOD: i32 = 1;
    pub(crate) const INTERNAL_ERROR: i32 = 6;
    pub(crate) const PROTOCOL_ERROR: i32 = 7;
}

/// The type that tells of an error.
pub(crate) fn code(kind: ErrorKind) -> i32 {
    match kind {
        ErrorKind::RouteNotFound | ErrorKind::ClusterNotFound => exception::UNKNOWN_METHOD,
        ErrorKind::BadRequest | ErrorKind::FrameTooLarge => exception::PROTOCOL_ERROR,
        _ => exception::INTERNAL_ERROR,
    }
}

/// Appends the answer to a request of which `head` is the front, up to its envelope at least.
pub(crate) fn write(
    head: &[u8],
    carrier: &Carrier,
    (name, envelope): (&[u8], &Envelope),
    (kind, text): (ErrorKind, &str),
    out: &mut BytesMut,
) -> Result<(), EncodeError> {
    let mut message = BytesMut::new();
    let encoding = envelope.encoding;
    // Servers answer with the name of the method alone, too. What does not begin like a name could be
    // taken for something else than one.
    let method = name.rsplit(|byte| *byte == b':').next();
    let name =
        method.filter(|method| method.first().is_some_and(u8::is_ascii_graphic)).unwrap_or(name);
    envelope::write(encoding, MessageType::Exception, name, envelope.seqid, &mut message);
    exception(encoding, code(kind), text, &mut message);
    carry(head, carrier, &message, out)
}

/// Appends a struct with the fields of a `TApplicationException`: 1 is the message, 2 the type.
fn exception(encoding: Encoding, code: i32, text: &str, out: &mut BytesMut) {
    if encoding == Encoding::Compact {
        out.extend_from_slice(&[0x18]);
        write_varint(text.len() as u64, out);
        out.extend_from_slice(text.as_bytes());
        out.extend_from_slice(&[0x15]);
        write_varint(zigzag(i64::from(code)), out);
    } else {
        out.extend_from_slice(&[11, 0, 1]);
        out.extend_from_slice(&u32::try_from(text.len()).unwrap_or(u32::MAX).to_be_bytes());
        out.extend_from_slice(text.as_bytes());
        out.extend_from_slice(&[8, 0, 2]);
        out.extend_from_slice(&code.to_be_bytes());
    }
    out.extend_from_slice(&[0]);
}

/// Appends a message as its request was carried.
fn carry(
    head: &[u8],
    carrier: &Carrier,
    message: &[u8],
    out: &mut BytesMut,
) -> Result<(), EncodeError> {
    let header: &[u8] = match (carrier.transport, &carrier.header) {
        (Transport::Unframed | Transport::Framed, _) => &[],
        // The protocol, no transforms, padding.
        (_, Some(header)) => &[u8::try_from(header.protocol).unwrap_or_default(), 0, 0, 0],
        (_, None) => {
            return Err(EncodeError::Unsupported("answers to a request without its header"));
        }
    };
    let inner = u32::try_from(message.len()).unwrap_or(u32::MAX).to_be_bytes();
    let inner: &[u8] = if carrier.is_framed_within { &inner } else { &[] };
    let fixed = if header.is_empty() { &[] } else { head.get(4..12).unwrap_or_default() };
    let words = if header.is_empty() { &[][..] } else { &[0, 1] };
    let len = fixed
        .len()
        .saturating_add(words.len())
        .saturating_add(header.len())
        .saturating_add(inner.len());
    let len = u32::try_from(len.saturating_add(message.len()))
        .map_err(|_| EncodeError::InvalidValue { field: "length", reason: "is too long".into() })?;
    debug_assert!(header.is_empty() || head.len() >= FIXED);
    if carrier.transport != Transport::Unframed {
        out.extend_from_slice(&len.to_be_bytes());
    }
    [fixed, words, header, inner, message].iter().for_each(|part| out.extend_from_slice(part));
    Ok(())
}

/// How a call ended. A result has its value in field 0, an exception that the service declares in
/// another.
pub(crate) fn status(
    content: &Content<'_>,
    envelope: &Envelope,
    scan: &mut Scan,
) -> Result<Status, DecodeError> {
    let mut fields = Fields::new(content.bytes, envelope.end, envelope.encoding);
    if envelope.kind == MessageType::Reply {
        return Ok(match fields.head()? {
            None | Some((0, _)) => Status::ok(0),
            Some((id, _)) => Status::application_error(i64::from(id)),
        });
    }
    let mut code = 0;
    // What can't be read of an exception does not make it less of one.
    while let Ok(Some(field)) = fields.next(scan) {
        if let (2, Kind::I32, Some(found)) = (field.id, field.kind, fields.int(&field)) {
            code = found;
        }
    }
    let class = match code {
        1 => StatusClass::NotFound,
        2 | 3 | 7..=10 => StatusClass::BadRequest,
        _ => StatusClass::Internal,
    };
    Ok(Status { class, code })
}
