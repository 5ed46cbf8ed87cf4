//! What stands in front of the arguments or the result: the name, the kind and the number of a message.

use std::ops::Range;

use metaproto_core::{BytesMut, DecodeError, Fault};

use crate::dialect::{COMPACT, Encoding, encoding};
use crate::value::{Varint, varint, write_varint};

/// What a message is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum MessageType {
    Call,
    Reply,
    /// An error of Thrift itself, a `TApplicationException`.
    Exception,
    Oneway,
}

impl MessageType {
    fn of(code: u8) -> Result<Self, DecodeError> {
        Ok(match code {
            1 => MessageType::Call,
            2 => MessageType::Reply,
            3 => MessageType::Exception,
            4 => MessageType::Oneway,
            _ => {
                let fault = Fault::UnknownValue(i64::from(code));
                return Err(DecodeError::connection("type of the message", fault));
            }
        })
    }

    fn code(self) -> u8 {
        match self {
            MessageType::Call => 1,
            MessageType::Reply => 2,
            MessageType::Exception => 3,
            MessageType::Oneway => 4,
        }
    }
}

/// The start of a message. Positions count from the start of what it was read from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Envelope {
    pub(crate) encoding: Encoding,
    pub(crate) kind: MessageType,
    pub(crate) name: Range<usize>,
    /// The number of the message; responses repeat it.
    pub(crate) seqid: i32,
    /// Where the struct of arguments or of the result starts.
    pub(crate) end: usize,
}

/// What could be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Found {
    Envelope(Envelope),
    /// So many bytes have to be there.
    Need(usize),
}

/// A part that has not arrived whole.
struct Missing(usize);

impl Envelope {
    /// Reads the start of the message that begins at `at`.
    ///
    /// Source: "Thrift Binary protocol encoding", section "Message"; "Thrift Compact protocol
    /// encoding", section "Message".
    pub(crate) fn read(bytes: &[u8], at: usize) -> Result<Found, DecodeError> {
        let message = bytes.get(at..).unwrap_or_default();
        if message.is_empty() {
            return Ok(Found::Need(at.saturating_add(1)));
        }
        let unknown = |byte: u8| DecodeError::connection("version", Fault::BadMagic(byte.into()));
        let first = message.first().copied().unwrap_or_default();
        let read = match encoding(message).ok_or_else(|| unknown(first))? {
            Encoding::Binary => Self::binary(message)?,
            Encoding::OldBinary => Self::old_binary(message)?,
            Encoding::Compact => Self::compact(message)?,
        };
        Ok(match read {
            Ok(envelope) => Found::Envelope(envelope.moved(at)),
            Err(Missing(size)) => Found::Need(at.saturating_add(size)),
        })
    }

    fn moved(mut self, by: usize) -> Self {
        let Range { start, end } = self.name;
        self.name = start.saturating_add(by)..end.saturating_add(by);
        self.end = self.end.saturating_add(by);
        self
    }

    fn binary(message: &[u8]) -> Result<Result<Self, Missing>, DecodeError> {
        let Some(&[_, version, _, code, a, b, c, d]) = message.first_chunk() else {
            return Ok(Err(Missing(8)));
        };
        if version != 1 {
            let fault = Fault::BadMagic(u64::from(version));
            return Err(DecodeError::connection("version", fault));
        }
        let kind = MessageType::of(code)?;
        let name = 8..len([a, b, c, d])?.saturating_add(8);
        let end = name.end.saturating_add(4);
        let Some(seqid) = message.get(name.end..end).and_then(|bytes| bytes.first_chunk()) else {
            return Ok(Err(Missing(end)));
        };
        let seqid = i32::from_be_bytes(*seqid);
        Ok(Ok(Envelope { encoding: Encoding::Binary, kind, name, seqid, end }))
    }

    fn old_binary(message: &[u8]) -> Result<Result<Self, Missing>, DecodeError> {
        let Some(size) = message.first_chunk() else { return Ok(Err(Missing(4))) };
        let name = 4..len(*size)?.saturating_add(4);
        let end = name.end.saturating_add(5);
        let Some(&[code, a, b, c, d]) =
            message.get(name.end..end).and_then(|bytes| bytes.first_chunk())
        else {
            return Ok(Err(Missing(end)));
        };
        let (kind, seqid) = (MessageType::of(code)?, i32::from_be_bytes([a, b, c, d]));
        Ok(Ok(Envelope { encoding: Encoding::OldBinary, kind, name, seqid, end }))
    }

    fn compact(message: &[u8]) -> Result<Result<Self, Missing>, DecodeError> {
        let more = message.len().saturating_add(1);
        let Some(&[_, code]) = message.first_chunk() else { return Ok(Err(Missing(2))) };
        if code & 0x1f != 1 {
            let fault = Fault::BadMagic(u64::from(code & 0x1f));
            return Err(DecodeError::connection("version", fault));
        }
        let kind = MessageType::of(code >> 5)?;
        let Some((seqid, size)) = varint_at(message, 2)? else { return Ok(Err(Missing(more))) };
        let seqid = u32::try_from(seqid)
            .map_err(|_| DecodeError::connection("seqid", Fault::Other("has more than 32 bits")))?;
        let at = size.saturating_add(2);
        let Some((len, size)) = varint_at(message, at)? else { return Ok(Err(Missing(more))) };
        let start = at.saturating_add(size);
        let len = usize::try_from(len).unwrap_or(usize::MAX);
        let name = start..start.saturating_add(len);
        let end = name.end;
        if end > message.len() {
            return Ok(Err(Missing(end)));
        }
        let seqid = seqid.cast_signed();
        Ok(Ok(Envelope { encoding: Encoding::Compact, kind, name, seqid, end }))
    }
}

fn varint_at(message: &[u8], at: usize) -> Result<Varint, DecodeError> {
    varint(message.get(at..).unwrap_or_default())
}

/// The length of a name, which is no number below zero.
fn len(bytes: [u8; 4]) -> Result<usize, DecodeError> {
    let told = i32::from_be_bytes(bytes);
    usize::try_from(told).map_err(|_| {
        DecodeError::connection("length of the name", Fault::UnknownValue(i64::from(told)))
    })
}

/// Appends the start of a message.
pub(crate) fn write(
    encoding: Encoding,
    kind: MessageType,
    name: &[u8],
    seqid: i32,
    out: &mut BytesMut,
) {
    let len = u32::try_from(name.len()).unwrap_or(u32::MAX).to_be_bytes();
    match encoding {
        Encoding::Binary => {
            out.extend_from_slice(&[0x80, 1, 0, kind.code()]);
            out.extend_from_slice(&len);
            out.extend_from_slice(name);
            out.extend_from_slice(&seqid.to_be_bytes());
        }
        Encoding::OldBinary => {
            out.extend_from_slice(&len);
            out.extend_from_slice(name);
            out.extend_from_slice(&[kind.code()]);
            out.extend_from_slice(&seqid.to_be_bytes());
        }
        Encoding::Compact => {
            out.extend_from_slice(&[COMPACT, kind.code() << 5 | 1]);
            write_varint(u64::from(seqid.cast_unsigned()), out);
            write_varint(name.len() as u64, out);
            out.extend_from_slice(name);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn an_envelope_is_read_as_it_was_written(
            which in 0..3_usize,
            kind in 1..=4_u8,
            name in "[a-zA-Z:_]{0,60}",
            seqid in any::<i32>(),
            at in 0..5_usize,
        ) {
            let encoding = [Encoding::Binary, Encoding::OldBinary, Encoding::Compact][which];
            let kind = MessageType::of(kind).unwrap();
            let mut out = BytesMut::new();
            out.extend_from_slice(&vec![7; at]);
            write(encoding, kind, name.as_bytes(), seqid, &mut out);
            let end = out.len();
            for cut in 0..end {
                let early = Envelope::read(&out[..cut], at).unwrap();
                prop_assert!(matches!(early, Found::Need(need) if need > cut && need <= end), "{early:?}");
            }
            out.extend_from_slice(b"\0");
            let Found::Envelope(read) = Envelope::read(&out, at).unwrap() else { panic!("whole") };
            prop_assert_eq!(&out[read.name.clone()], name.as_bytes());
            prop_assert_eq!((read.encoding, read.kind, read.seqid, read.end), (encoding, kind, seqid, end));
        }
    }

    #[test]
    fn what_is_no_message_is_refused() {
        for bytes in [
            &b"\x80\x02\x00\x01\x00\x00\x00\x00"[..],
            b"\x80\x01\x00\x05\x00\x00\x00\x00",
            b"\x82\x22\x00",
            b"\x82\xa1\x00",
            b"\x90\x01",
            b"\x80\x01\x00\x01\xff\xff\xff\xff",
        ] {
            assert!(Envelope::read(bytes, 0).is_err(), "{bytes:02x?}");
        }
    }
}
