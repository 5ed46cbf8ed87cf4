//! How messages are written: on which transport, in which encoding.

use std::fmt;

use metaproto_core::{DecodeError, Fault};

/// What carries messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Transport {
    /// A length of four bytes, big-endian, then the message.
    Framed,
    /// Nothing but the message: where it ends follows from its content.
    Unframed,
    /// THeader: a frame with a header, which has keys and values and tells how the message is
    /// encoded.
    Header,
    /// TTHeader of CloudWeGo: the same idea, other bytes.
    TtHeader,
}

/// How messages are encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Encoding {
    /// The binary protocol, whose messages start with a version.
    Binary,
    /// The binary protocol as it was before: messages start with the length of a name.
    OldBinary,
    /// The compact protocol.
    Compact,
}

/// What configuration says of how messages are written; the rest is told by their bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Dialect {
    pub(crate) transport: Option<Transport>,
    pub(crate) encoding: Option<Encoding>,
    /// Whether messages behind a header of TTHeader have a length in front once more.
    pub(crate) framed_within: Option<bool>,
}

impl Dialect {
    /// Whether the number of a message can tell it from others: where it is known that there are
    /// frames, a connection can be shared.
    pub(crate) fn has_ids(self) -> bool {
        self.transport.is_some_and(|transport| transport != Transport::Unframed)
    }
}

impl Transport {
    /// The word for it in configuration and in the property `transport`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Transport::Framed => "framed",
            Transport::Unframed => "unframed",
            Transport::Header => "header",
            Transport::TtHeader => "ttheader",
        }
    }

    /// Whether messages have headers with keys and values.
    #[must_use]
    pub const fn has_headers(self) -> bool {
        matches!(self, Transport::Header | Transport::TtHeader)
    }
}

impl Encoding {
    /// The word for it in the property `protocol`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Encoding::Binary => "binary",
            Encoding::OldBinary => "old-binary",
            Encoding::Compact => "compact",
        }
    }
}

impl fmt::Display for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for Encoding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The first byte of a message in the binary protocol.
const BINARY: u8 = 0x80;
/// The first byte of a message in the compact protocol.
pub(crate) const COMPACT: u8 = 0x82;

/// What the first bytes of a connection tell, or how many of them it takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Detected {
    Transport(Transport),
    Need(usize),
}

/// Tells the transport by the first bytes of a message; eight are always enough.
///
/// A message of four bytes and more begins with its version (0x80, 0x82), or with a number below 2³¹:
/// the length of a frame, or of a name in the old encoding. Behind the length of a frame there is a
/// version, the mark of a header, or again a number; behind that of a name there is a letter.
pub(crate) fn detect(head: &[u8]) -> Result<Detected, DecodeError> {
    let unknown = |byte: u8| DecodeError::connection("", Fault::BadMagic(u64::from(byte)));
    let first = match head.first() {
        None => return Ok(Detected::Need(1)),
        Some(&(BINARY | COMPACT)) => return Ok(Detected::Transport(Transport::Unframed)),
        Some(first) if *first >= 0x80 => return Err(unknown(*first)),
        Some(first) => *first,
    };
    if head.starts_with(&[0; 4]) {
        return Ok(Detected::Transport(Transport::Framed)); // a frame of nothing
    }
    let Some(&[.., a, b]) = head.first_chunk::<6>() else { return Ok(Detected::Need(6)) };
    Ok(Detected::Transport(match (a, b) {
        (0x0f, 0xff) => Transport::Header,
        (0x10, 0x00) => Transport::TtHeader,
        (BINARY | COMPACT, _) | (0, _) => Transport::Framed,
        // The name of a method.
        (letter, _) if first == 0 && letter >= 0x20 => Transport::Unframed,
        (other, _) => return Err(unknown(other)),
    }))
}

/// Tells the encoding of a message by its first byte.
pub(crate) fn encoding(message: &[u8]) -> Option<Encoding> {
    Some(match message.first()? {
        &BINARY => Encoding::Binary,
        &COMPACT => Encoding::Compact,
        byte if *byte < 0x80 => Encoding::OldBinary,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn eight_bytes_tell_the_transport() {
        for (head, expected) in [
            (&b"\x80\x01\x00\x01"[..], Transport::Unframed),
            (b"\x82\x21\x05\x04ping", Transport::Unframed),
            (b"\x00\x00\x00\x04ping\x01", Transport::Unframed),
            (b"\x00\x00\x00\x11\x80\x01\x00\x01", Transport::Framed),
            (b"\x00\x00\x00\x11\x82\x21\x00\x04", Transport::Framed),
            (b"\x00\x00\x00\x11\x00\x00\x00\x04ping", Transport::Framed),
            (b"\x00\x00\x00\x00", Transport::Framed),
            (b"\x00\x00\x00\x42\x0f\xff\x00\x00", Transport::Header),
            (b"\x00\x00\x00\x42\x10\x00\x00\x00", Transport::TtHeader),
        ] {
            assert_eq!(detect(head), Ok(Detected::Transport(expected)), "{head:02x?}");
            for end in 0..head.len().min(6) {
                let early = detect(&head[..end]).unwrap();
                assert!(
                    matches!(early, Detected::Need(more) if more > end)
                        || early == Detected::Transport(expected)
                );
            }
        }
        assert!(detect(b"GET / HTTP/1.1").is_err());
        assert!(detect(b"\xff").is_err());
    }
}
