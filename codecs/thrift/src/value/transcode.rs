//! Values of the binary protocol written in the compact one, and the other way round.

use metaproto_core::{BytesMut, DecodeError, Fault};

use super::kind::Kind;
use super::scan::DEEPEST;
use super::varint::{unzigzag, varint, write_varint, zigzag};
use crate::dialect::Encoding;

/// Writes structs in another encoding, in one pass and without taking them apart first. Keeps its room
/// from struct to struct.
///
/// From binary to compact and back a struct stays the same, byte for byte, if its bools are 0 and 1 and
/// its empty maps are of bytes to bytes: the compact protocol has no types for those.
#[derive(Debug, Default)]
pub(crate) struct Transcoder {
    /// What has been begun and not ended, from outside to inside.
    open: Vec<Open>,
}

/// A value that has values inside.
#[derive(Debug, Clone, Copy)]
enum Open {
    /// The number of the last field.
    Struct(i16),
    /// So many more of this type.
    List(Type, usize),
    /// So many more keys and values, keys first.
    Map([Type; 2], usize),
}

/// The type of a value, and whether a list of values is a set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Type {
    kind: Kind,
    is_set: bool,
}

impl Type {
    fn of(code: u8, encoding: Encoding) -> Result<Self, DecodeError> {
        let kind = Kind::of(code, encoding)
            .map_err(|error| DecodeError::message(error.field, error.fault))?;
        let set = if encoding == Encoding::Compact { 10 } else { 14 };
        Ok(Type { kind, is_set: kind == Kind::List && code == set })
    }

    /// The number of the type. A bool that is true, in the compact protocol.
    fn code(self, encoding: Encoding) -> u8 {
        let (binary, compact) = match self.kind {
            Kind::Bool => (2, 1),
            Kind::Byte => (3, 3),
            Kind::Double => (4, 7),
            Kind::I16 => (6, 4),
            Kind::I32 => (8, 5),
            Kind::I64 => (10, 6),
            Kind::Text => (11, 8),
            Kind::Struct => (12, 12),
            Kind::Map => (13, 11),
            Kind::List if self.is_set => (14, 10),
            Kind::List => (15, 9),
            Kind::Uuid => (16, 13),
        };
        if encoding == Encoding::Compact { compact } else { binary }
    }
}

/// The types of an empty map that tells none.
const BYTE: Type = Type { kind: Kind::Byte, is_set: false };

impl Transcoder {
    /// Appends the struct at the front of `value`, which is there whole, in the encoding `to`, which must
    /// be compact if `from` is not, and the other way round. Tells how many bytes of `value` it takes.
    ///
    /// # Errors
    /// [`DecodeError::message`] if it can't be read; `out` then has a part of it.
    pub(crate) fn transcode(
        &mut self,
        value: &[u8],
        from: Encoding,
        to: Encoding,
        out: &mut BytesMut,
    ) -> Result<usize, DecodeError> {
        let mut pass = Pass { input: value, position: 0, from, to, out };
        self.open.clear();
        self.open.push(Open::Struct(0));
        while let Some(open) = self.open.last_mut() {
            let inside = match open {
                Open::Struct(last) => pass.field(last)?,
                Open::List(_, 0) | Open::Map(_, 0) => None,
                Open::List(element, left) => {
                    *left = left.saturating_sub(1);
                    pass.value(*element)?
                }
                Open::Map([key, value], left) => {
                    let next = if left.is_multiple_of(2) { *key } else { *value };
                    *left = left.saturating_sub(1);
                    pass.value(next)?
                }
            };
            match inside {
                None => {
                    self.open.pop();
                }
                Some(Passed::Whole) => {}
                Some(Passed::Begun(_)) if self.open.len() >= DEEPEST => {
                    return Err(DecodeError::message("struct", Fault::TooDeep));
                }
                Some(Passed::Begun(open)) => self.open.push(open),
            }
        }
        Ok(pass.position)
    }
}

/// What has been written of a value.
enum Passed {
    Whole,
    /// Its head; the values inside follow.
    Begun(Open),
}

/// What is inside of an open value next: `None` is its end.
type Inside = Option<Passed>;

/// One way from what is read to what is written.
struct Pass<'a> {
    input: &'a [u8],
    position: usize,
    from: Encoding,
    to: Encoding,
    out: &'a mut BytesMut,
}

impl<'a> Pass<'a> {
    fn reads_compact(&self) -> bool {
        self.from == Encoding::Compact
    }

    fn writes_compact(&self) -> bool {
        self.to == Encoding::Compact
    }

    /// A field, or the end of its struct.
    fn field(&mut self, last: &mut i16) -> Result<Inside, DecodeError> {
        let first = self.byte()?;
        if first == 0 {
            self.out.extend_from_slice(&[0]);
            return Ok(None);
        }
        let (id, code) = match (self.reads_compact(), first >> 4) {
            (true, 0) => (unzigzag(self.varint()?) as i16, first & 0x0f),
            (true, delta) => (last.wrapping_add(i16::from(delta)), first & 0x0f),
            (false, _) => (i16::from_be_bytes(self.chunk()?), first),
        };
        let field = Type::of(code, self.from)?;
        if field.kind != Kind::Bool {
            self.field_head(id, field.code(self.to), last);
            return self.value(field);
        }
        // The compact protocol has the value of a bool in its type.
        let is_true = if self.reads_compact() { code == 1 } else { self.byte()? != 0 };
        if self.writes_compact() {
            self.field_head(id, if is_true { 1 } else { 2 }, last);
        } else {
            self.field_head(id, field.code(self.to), last);
            self.out.extend_from_slice(&[u8::from(is_true)]);
        }
        Ok(Some(Passed::Whole))
    }

    fn field_head(&mut self, id: i16, code: u8, last: &mut i16) {
        if !self.writes_compact() {
            self.out.extend_from_slice(&[code]);
            self.out.extend_from_slice(&id.to_be_bytes());
        } else {
            match u8::try_from(i32::from(id) - i32::from(*last)) {
                Ok(delta @ 1..=15) => self.out.extend_from_slice(&[delta << 4 | code]),
                _ => {
                    self.out.extend_from_slice(&[code]);
                    write_varint(zigzag(i64::from(id)), self.out);
                }
            }
        }
        *last = id;
    }

    /// A value that is no bool of a field, or its head.
    fn value(&mut self, kind: Type) -> Result<Inside, DecodeError> {
        match kind.kind {
            Kind::Bool => {
                let is_true = match self.reads_compact() {
                    true => self.byte()? == 1,
                    false => self.byte()? != 0,
                };
                let written = match (is_true, self.writes_compact()) {
                    (true, _) => 1,
                    (false, true) => 2,
                    (false, false) => 0,
                };
                self.out.extend_from_slice(&[written]);
            }
            Kind::Byte => self.copy(1)?,
            Kind::I16 => self.number::<2>()?,
            Kind::I32 => self.number::<4>()?,
            Kind::I64 => self.number::<8>()?,
            // The compact protocol has the lowest byte first, in all implementations.
            Kind::Double => {
                let mut bytes = self.chunk::<8>()?;
                bytes.reverse();
                self.out.extend_from_slice(&bytes);
            }
            Kind::Uuid => self.copy(16)?,
            Kind::Text => {
                let len = self.length()?;
                let len = self.bounded(len, 1)?;
                self.write_length(len);
                self.copy(len)?;
            }
            Kind::Struct => return Ok(Some(Passed::Begun(Open::Struct(0)))),
            Kind::List => return self.list().map(Some),
            Kind::Map => return self.map().map(Some),
        }
        Ok(Some(Passed::Whole))
    }

    /// A whole number of `N` bytes.
    fn number<const N: usize>(&mut self) -> Result<(), DecodeError> {
        if self.reads_compact() {
            let number = unzigzag(self.varint()?).to_be_bytes();
            let (front, back) = number.split_at(8 - N);
            // What is left out is the sign.
            let sign = if back.first().is_some_and(|byte| *byte >= 0x80) { 0xff } else { 0 };
            if front.iter().any(|byte| *byte != sign) {
                let fault = Fault::Other("has more bits than its type");
                return Err(DecodeError::message("number", fault));
            }
            self.out.extend_from_slice(back);
        } else {
            let bytes = self.chunk::<N>()?;
            let sign = bytes.first().map_or(0, |byte| i64::from(byte.cast_signed() >> 7));
            let number = bytes.iter().fold(sign, |number, byte| number << 8 | i64::from(*byte));
            write_varint(zigzag(number), self.out);
        }
        Ok(())
    }

    /// The head of a list or a set.
    fn list(&mut self) -> Result<Passed, DecodeError> {
        let first = self.byte()?;
        let (code, count) = match (self.reads_compact(), first >> 4) {
            (true, 15) => (first & 0x0f, self.varint()?),
            (true, count) => (first & 0x0f, u64::from(count)),
            (false, _) => (first, self.length()?),
        };
        // The type of no elements is kept if it is one.
        let element = match Type::of(code, self.from) {
            Err(_) if count == 0 => BYTE,
            element => element?,
        };
        let count = self.bounded(count, element.kind.least(self.from))?;
        let code = element.code(self.to);
        match (self.writes_compact(), u8::try_from(count)) {
            (true, Ok(few @ 0..=14)) => self.out.extend_from_slice(&[few << 4 | code]),
            (true, _) => {
                self.out.extend_from_slice(&[0xf0 | code]);
                write_varint(count as u64, self.out);
            }
            (false, _) => {
                self.out.extend_from_slice(&[code]);
                self.write_length(count);
            }
        }
        Ok(Passed::Begun(Open::List(element, count)))
    }

    /// The head of a map.
    fn map(&mut self) -> Result<Passed, DecodeError> {
        let (codes, count) = match self.reads_compact() {
            true => match self.varint()? {
                0 => ([3, 3], 0),
                count => {
                    let both = self.byte()?;
                    ([both >> 4, both & 0x0f], count)
                }
            },
            false => (self.chunk()?, self.length()?),
        };
        let [key, value] = codes.map(|code| match Type::of(code, self.from) {
            Err(_) if count == 0 => Ok(BYTE),
            found => found,
        });
        let (key, value) = (key?, value?);
        let least = key.kind.least(self.from).saturating_add(value.kind.least(self.from));
        let count = self.bounded(count, least)?;
        let codes = [key, value].map(|one| one.code(self.to));
        if !self.writes_compact() {
            self.out.extend_from_slice(&codes);
            self.write_length(count);
        } else {
            write_varint(count as u64, self.out);
            if count > 0 {
                let [key, value] = codes;
                self.out.extend_from_slice(&[key << 4 | value]);
            }
        }
        Ok(Passed::Begun(Open::Map([key, value], count.saturating_mul(2))))
    }

    /// A count or a length, as it is told.
    fn length(&mut self) -> Result<u64, DecodeError> {
        match self.reads_compact() {
            true => self.varint(),
            false => self.chunk().map(|bytes| u64::from(u32::from_be_bytes(bytes))),
        }
    }

    fn write_length(&mut self, length: usize) {
        match self.writes_compact() {
            true => write_varint(length as u64, self.out),
            // It has been found to fit what was read.
            false => {
                let length = u32::try_from(length).unwrap_or(u32::MAX);
                self.out.extend_from_slice(&length.to_be_bytes());
            }
        }
    }

    /// A count of values of `least` bytes, if there are as many.
    fn bounded(&self, count: u64, least: usize) -> Result<usize, DecodeError> {
        let room = self.input.len().saturating_sub(self.position);
        let fits = usize::try_from(count).ok().filter(|c| c.saturating_mul(least) <= room);
        fits.ok_or_else(|| {
            DecodeError::message("size of a container", Fault::LengthTooLarge(count))
        })
    }

    fn take(&mut self, len: usize) -> Result<&'a [u8], DecodeError> {
        let end = self.position.saturating_add(len);
        let bytes = self.input.get(self.position..end);
        let bytes = bytes.ok_or_else(|| DecodeError::message("struct", Fault::Truncated))?;
        self.position = end;
        Ok(bytes)
    }

    fn copy(&mut self, len: usize) -> Result<(), DecodeError> {
        let bytes = self.take(len)?;
        self.out.extend_from_slice(bytes);
        Ok(())
    }

    fn chunk<const N: usize>(&mut self) -> Result<[u8; N], DecodeError> {
        let bytes = self.take(N)?.first_chunk().copied();
        bytes.ok_or_else(|| DecodeError::message("struct", Fault::Truncated))
    }

    fn byte(&mut self) -> Result<u8, DecodeError> {
        self.chunk().map(|[byte]| byte)
    }

    fn varint(&mut self) -> Result<u64, DecodeError> {
        let rest = self.input.get(self.position..).unwrap_or_default();
        let read = varint(rest).map_err(|e| DecodeError::message(e.field, e.fault))?;
        let (number, size) = read.ok_or(DecodeError::message("struct", Fault::Truncated))?;
        self.position = self.position.saturating_add(size);
        Ok(number)
    }
}
