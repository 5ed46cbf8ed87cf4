//! Values of the binary protocol written in the compact one, and the other way round.

use metaproto_core::{BytesMut, DecodeError, Fault};

use super::kind::Kind;
use super::scan::DEEPEST;
use super::varint::{unzigzag, varint, write_varint, zigzag};
use crate::dialect::Encoding;

/// Writes structs in another encoding, in one pass and without taking them apart first. Keeps its room
/// from struct to struct.
///
/// From binary to compact and back a struct stays the same, byte for byte, if it is canonical: its bools
/// are 0 and 1, its empty maps are of bytes to bytes (the compact protocol has no types for those), and
/// its empty lists are of a type that there is. What is not canonical becomes so.
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

impl Passed {
    /// The head of a container of so many. An empty one is no further level, as in the scan.
    fn container(count: usize, open: Open) -> Self {
        if count == 0 { Passed::Whole } else { Passed::Begun(open) }
    }
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
        Ok(Passed::container(count, Open::List(element, count)))
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
        Ok(Passed::container(count, Open::Map([key, value], count.saturating_mul(2))))
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

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::super::generate::{Value, nearly, structs};
    use super::super::scan::{Progress, Scan};
    use super::*;

    const WAYS: [(Encoding, Encoding); 3] = [
        (Encoding::Binary, Encoding::Compact),
        (Encoding::OldBinary, Encoding::Compact),
        (Encoding::Compact, Encoding::Binary),
    ];

    /// What is written, and how many bytes are read for it.
    type Written = (Vec<u8>, usize);

    fn transcode(bytes: &[u8], from: Encoding, to: Encoding) -> Result<Written, DecodeError> {
        let mut out = BytesMut::from(&b"in front"[..]);
        let read = Transcoder::default().transcode(bytes, from, to, &mut out)?;
        assert!(out.starts_with(b"in front"));
        Ok((out[8..].to_vec(), read))
    }

    proptest! {
        #[test]
        // Both ways, so that there and back is the identity.
        fn a_struct_is_written_as_the_specification_has_it(
            value in structs(),
            behind in vec(any::<u8>(), 0..5),
        ) {
            let (binary, compact) = (value.binary(), value.compact());
            for (from, to) in WAYS {
                let (source, expected) = match from {
                    Encoding::Compact => (&compact, &binary),
                    _ => (&binary, &compact),
                };
                let (written, read) = transcode(&[&source[..], &behind].concat(), from, to).unwrap();
                prop_assert_eq!(&written, expected);
                prop_assert_eq!(read, source.len());
            }
        }

        #[test]
        fn a_struct_that_is_cut_is_refused(value in structs()) {
            for (from, to) in WAYS {
                let source = if from == Encoding::Compact { value.compact() } else { value.binary() };
                for cut in 0..source.len() {
                    prop_assert!(transcode(&source[..cut], from, to).is_err());
                }
            }
        }

        #[test]
        fn any_bytes_are_written_as_a_struct_of_their_size_or_refused(
            binary in nearly(Value::binary),
            compact in nearly(Value::compact),
            noise in vec(any::<u8>(), 0..100),
        ) {
            for bytes in [binary, compact, noise] {
                for (from, to) in WAYS {
                    check(&bytes, from, to)?;
                }
            }
        }
    }

    /// What holds for any bytes.
    fn check(bytes: &[u8], from: Encoding, to: Encoding) -> Result<(), TestCaseError> {
        let end = Scan::new(Kind::Struct, from, 0, bytes.len()).go_on(bytes);
        match transcode(bytes, from, to) {
            Ok((written, read)) => {
                prop_assert_eq!(end, Ok(Progress::End(read)));
                let whole = Scan::new(Kind::Struct, to, 0, written.len()).go_on(&written);
                prop_assert_eq!(whole, Ok(Progress::End(written.len())));
                // An i64 takes eight bytes and may take one.
                prop_assert!(written.len() <= 8 * read);
                // What was not canonical is so now.
                let (back, _) = transcode(&written, to, from).unwrap();
                prop_assert_eq!(transcode(&back, from, to), Ok((written, back.len())));
            }
            // Only numbers are looked at here and not by the scan.
            Err(error) if error.field == "number" => prop_assert_eq!(from, Encoding::Compact),
            Err(error) => {
                prop_assert!(
                    !matches!(end, Ok(Progress::End(_))),
                    "{error}, not found by the scan"
                );
                prop_assert_eq!(error.scope, metaproto_core::Scope::Message);
            }
        }
        Ok(())
    }

    #[test]
    fn what_is_not_canonical_becomes_so() {
        let binary = b"\x02\x00\x01\x07\x0f\x00\x02\x02\x00\x00\x00\x02\x00\xff\
            \x0d\x00\x03\x08\x0c\x00\x00\x00\x00\x0f\x00\x04\x63\x00\x00\x00\x00\x00";
        let canonical = b"\x02\x00\x01\x01\x0f\x00\x02\x02\x00\x00\x00\x02\x00\x01\
            \x0d\x00\x03\x03\x03\x00\x00\x00\x00\x0f\x00\x04\x03\x00\x00\x00\x00\x00";
        let compact = b"\x11\x19\x21\x02\x01\x1b\x00\x19\x03\x00";
        let (written, _) = transcode(binary, Encoding::Binary, Encoding::Compact).unwrap();
        assert_eq!(written, compact);
        // Bools of the type 2, and false as 0; a field told in full; a number of more bytes than needed.
        let other = b"\x01\x02\x19\x22\x00\x01\x1b\x80\x00\x19\x03\x00";
        for compact in [&compact[..], other] {
            let (written, _) = transcode(compact, Encoding::Compact, Encoding::Binary).unwrap();
            assert_eq!(written, canonical);
        }
    }

    #[test]
    fn a_number_that_has_more_bits_than_its_type_is_refused() {
        for (code, fine, wide) in [
            (4, &b"\xff\xff\x03"[..], &b"\x80\x80\x04"[..]),
            (4, b"\xfe\xff\x03", b"\x81\x80\x04"),
            (5, b"\xff\xff\xff\xff\x0f", b"\x80\x80\x80\x80\x10"),
            (5, b"\xfe\xff\xff\xff\x0f", b"\x81\x80\x80\x80\x10"),
        ] {
            let read = |number: &[u8]| {
                let bytes = [&[0x10 | code], number, &[0]].concat();
                transcode(&bytes, Encoding::Compact, Encoding::Binary)
            };
            read(fine).expect("it fits");
            assert_eq!(read(wide).expect_err("it is wider").field, "number");
        }
    }

    #[test]
    fn structs_are_nested_as_deep_as_the_scan_allows() {
        for (from, to) in WAYS {
            let (head, list) = match from {
                Encoding::Compact => (&b"\x1c"[..], &b"\x19\x03"[..]),
                _ => (&b"\x0c\x00\x01"[..], &b"\x0f\x00\x01\x03\x00\x00\x00\x00"[..]),
            };
            // An empty list has nothing inside and is no further level.
            for inside in [&[][..], list] {
                for (depth, is_fine) in [(DEEPEST, true), (DEEPEST + 1, false)] {
                    let bytes = [&head.repeat(depth - 1)[..], inside, &vec![0; depth]].concat();
                    let found = transcode(&bytes, from, to);
                    assert_eq!(found.is_ok(), is_fine, "{depth} with {inside:02x?} in {from}");
                }
            }
        }
    }

    #[test]
    fn nothing_is_allocated_for_what_is_announced_and_not_there() {
        let mut out = BytesMut::with_capacity(64);
        let mut transcoder = Transcoder::default();
        transcoder.transcode(b"\0", Encoding::Binary, Encoding::Compact, &mut out).unwrap();
        for (from, to, bytes) in [
            (Encoding::Binary, Encoding::Compact, &b"\x0f\x00\x01\x0a\x7f\xff\xff\xff"[..]),
            (Encoding::Binary, Encoding::Compact, b"\x0b\x00\x01\xff\xff\xff\xff"),
            (Encoding::Binary, Encoding::Compact, b"\x0d\x00\x01\x02\x02\x7f\xff\xff\xff"),
            (Encoding::Compact, Encoding::Binary, b"\x19\xfc\xff\xff\xff\xff\x07"),
            (Encoding::Compact, Encoding::Binary, b"\x18\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"),
        ] {
            let counted = allocation_counter::measure(|| {
                transcoder.transcode(bytes, from, to, &mut out).expect_err("it is not there");
            });
            assert_eq!(counted.count_total, 0, "{bytes:02x?}");
        }
    }

    #[test]
    fn room_is_kept_from_struct_to_struct() {
        let nested = [&b"\x0c\x00\x01".repeat(40)[..], &[0; 41]].concat();
        let mut transcoder = Transcoder::default();
        let mut out = BytesMut::with_capacity(1024);
        let mut run = || {
            out.clear();
            transcoder.transcode(&nested, Encoding::Binary, Encoding::Compact, &mut out).unwrap();
        };
        run();
        assert_eq!(allocation_counter::measure(run).count_total, 0);
    }
}
