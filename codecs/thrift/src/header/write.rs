//! Headers written.

use metaproto_core::{BytesMut, DecodeError, EncodeError};

use super::read::{Key, read};
use super::{INT_KEY_VALUE, KEY_VALUE, ZLIB};
use crate::dialect::{Encoding, Transport};
use crate::message::Carrier;
use crate::value::write_varint;

/// The number that tells of this encoding, the same on both transports.
pub(crate) fn protocol(encoding: Encoding) -> u8 {
    match encoding {
        Encoding::Binary | Encoding::OldBinary => 0,
        Encoding::Compact => 2,
    }
}

/// Appends what stands in front of the information: the protocol, and the transforms. TTHeader has
/// none.
pub(crate) fn begin(transport: Transport, protocol: u8, compressed: bool, out: &mut BytesMut) {
    let zlib = u8::try_from(ZLIB).unwrap_or_default();
    match compressed && transport == Transport::Header {
        true => out.extend_from_slice(&[protocol, 1, zlib]),
        false => out.extend_from_slice(&[protocol, 0]),
    }
}

/// Appends the keys and values of a frame's header, as this transport has them. Numbers as keys stay
/// behind where there is no place for them.
pub(crate) fn copy(
    frame: &[u8],
    carrier: &Carrier,
    transport: Transport,
    out: &mut BytesMut,
) -> Result<(), EncodeError> {
    if carrier.header.is_none() {
        return Ok(());
    }
    for is_numbered in [false, true] {
        if is_numbered && transport != Transport::TtHeader {
            continue;
        }
        let mut count = 0_usize;
        let is_here = |key: &Key| matches!(key, Key::Number(_)) == is_numbered;
        let counted =
            read(frame, carrier.transport, |pair| count += usize::from(is_here(&pair.key)));
        counted.map_err(|error| unreadable(&error))?;
        if count == 0 {
            continue;
        }
        section_head(transport, is_numbered, count, out)?;
        let text = |range: std::ops::Range<usize>| frame.get(range).unwrap_or_default();
        let mut written = Ok(());
        let copied = read(frame, carrier.transport, |pair| {
            if is_here(&pair.key) && written.is_ok() {
                let key = match pair.key {
                    Key::Text(range) => Name::Text(text(range)),
                    Key::Number(number) => Name::Number(number),
                };
                written = entry(transport, Entry { key, value: text(pair.value) }, out);
            }
        });
        copied.map_err(|error| unreadable(&error))?;
        written?;
    }
    Ok(())
}

fn unreadable(error: &DecodeError) -> EncodeError {
    EncodeError::InvalidValue { field: "header", reason: error.to_string().into() }
}

/// A key and a value.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Entry<'a> {
    pub(crate) key: Name<'a>,
    pub(crate) value: &'a [u8],
}

/// A key.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Name<'a> {
    Text(&'a [u8]),
    Number(u16),
}

impl Name<'_> {
    /// Whether a change of the header `name` is meant for this one.
    pub(crate) fn is(&self, name: &str) -> bool {
        match self {
            Name::Text(text) => text.eq_ignore_ascii_case(name.as_bytes()),
            Name::Number(number) => name.parse() == Ok(*number),
        }
    }
}

/// Appends the section with these entries; nothing if there are none.
pub(crate) fn section(
    transport: Transport,
    is_numbered: bool,
    entries: &[Entry<'_>],
    out: &mut BytesMut,
) -> Result<(), EncodeError> {
    if entries.is_empty() {
        return Ok(());
    }
    section_head(transport, is_numbered, entries.len(), out)?;
    entries.iter().try_for_each(|one| entry(transport, *one, out))
}

fn section_head(
    transport: Transport,
    is_numbered: bool,
    count: usize,
    out: &mut BytesMut,
) -> Result<(), EncodeError> {
    out.extend_from_slice(&[if is_numbered { INT_KEY_VALUE } else { KEY_VALUE }]);
    match transport {
        Transport::TtHeader => out.extend_from_slice(&short(count)?),
        _ => write_varint(count as u64, out),
    }
    Ok(())
}

fn entry(transport: Transport, entry: Entry<'_>, out: &mut BytesMut) -> Result<(), EncodeError> {
    match entry.key {
        Name::Text(text) => write_text(transport, text, out)?,
        Name::Number(number) => out.extend_from_slice(&number.to_be_bytes()),
    }
    write_text(transport, entry.value, out)
}

fn write_text(transport: Transport, text: &[u8], out: &mut BytesMut) -> Result<(), EncodeError> {
    match transport {
        Transport::TtHeader => out.extend_from_slice(&short(text.len())?),
        _ => write_varint(text.len() as u64, out),
    }
    out.extend_from_slice(text);
    Ok(())
}

fn short(len: usize) -> Result<[u8; 2], EncodeError> {
    u16::try_from(len).map(u16::to_be_bytes).map_err(|_| EncodeError::InvalidValue {
        field: "header",
        reason: "has a key or a value of more than 65,535 bytes, or as many entries".into(),
    })
}
