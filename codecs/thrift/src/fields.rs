//! The fields of a struct, one by one.

use std::ops::Range;

use metaproto_core::{DecodeError, Fault};

use crate::dialect::Encoding;
use crate::value::{Kind, Progress, Scan, unzigzag, varint};

/// A field of a struct that is there whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Field {
    pub(crate) id: i16,
    pub(crate) kind: Kind,
    /// Where its value stands. A bool of the compact protocol has no bytes.
    pub(crate) value: Range<usize>,
}

/// The number of a field and its type.
pub(crate) type Head = (i16, Kind);

/// Reads the fields of a struct, none of what is inside of them.
#[derive(Debug)]
pub(crate) struct Fields<'a> {
    bytes: &'a [u8],
    encoding: Encoding,
    position: usize,
    last: i16,
}

impl<'a> Fields<'a> {
    /// Those of the struct that starts at `at`.
    pub(crate) fn new(bytes: &'a [u8], at: usize, encoding: Encoding) -> Self {
        Fields { bytes, encoding, position: at, last: 0 }
    }

    /// The head of the next field: its number and its type; `None` at the end of the struct. Its value
    /// has to be passed over before the next.
    pub(crate) fn head(&mut self) -> Result<Option<Head>, DecodeError> {
        let rest = self.bytes.get(self.position..).unwrap_or_default();
        let first = *rest.first().ok_or_else(truncated)?;
        if first == 0 {
            self.position = self.position.saturating_add(1);
            return Ok(None);
        }
        let behind = rest.get(1..).unwrap_or_default();
        let (id, kind, size) = match self.encoding {
            Encoding::Compact => {
                let kind = Kind::of(first & 0x0f, self.encoding).map_err(of_message)?;
                match i16::from(first >> 4) {
                    0 => {
                        let read = varint(behind).map_err(of_message)?;
                        let (number, size) = read.ok_or_else(truncated)?;
                        (unzigzag(number) as i16, kind, size.saturating_add(1))
                    }
                    delta => (self.last.wrapping_add(delta), kind, 1),
                }
            }
            _ => {
                let id = behind.first_chunk().ok_or_else(truncated)?;
                let kind = Kind::of(first, self.encoding).map_err(of_message)?;
                (i16::from_be_bytes(*id), kind, 3)
            }
        };
        self.last = id;
        self.position = self.position.saturating_add(size);
        Ok(Some((id, kind)))
    }

    /// The next field with its value.
    pub(crate) fn next(&mut self, scan: &mut Scan) -> Result<Option<Field>, DecodeError> {
        let Some((id, kind)) = self.head()? else { return Ok(None) };
        let start = self.position;
        if !(kind == Kind::Bool && self.encoding == Encoding::Compact) {
            scan.restart(kind, self.encoding, start);
            match scan.go_on(self.bytes).map_err(of_message)? {
                Progress::End(end) if end <= self.bytes.len() => self.position = end,
                _ => return Err(truncated()),
            }
        }
        Ok(Some(Field { id, kind, value: start..self.position }))
    }

    /// The whole number that a field holds.
    pub(crate) fn int(&self, field: &Field) -> Option<i64> {
        let bytes = self.bytes.get(field.value.clone())?;
        match (field.kind, self.encoding) {
            (Kind::Byte, _)
            | (Kind::I16 | Kind::I32 | Kind::I64, Encoding::Binary | Encoding::OldBinary) => {
                let first = bytes.first().map(|byte| i64::from(byte.cast_signed() >> 7));
                Some(bytes.iter().fold(first?, |number, byte| number << 8 | i64::from(*byte)))
            }
            (Kind::I16 | Kind::I32 | Kind::I64, Encoding::Compact) => {
                varint(bytes).ok().flatten().map(|(number, _)| unzigzag(number))
            }
            _ => None,
        }
    }

    /// Where the text stands that a field holds.
    pub(crate) fn text(&self, field: &Field) -> Option<Range<usize>> {
        let bytes = self.bytes.get(field.value.clone())?;
        let front = match (field.kind, self.encoding) {
            (Kind::Text, Encoding::Compact) => varint(bytes).ok().flatten()?.1,
            (Kind::Text, _) => 4,
            _ => return None,
        };
        Some(field.value.start.saturating_add(front)..field.value.end)
    }
}

/// Where the message ends is known: what is wrong inside does not reach further.
fn of_message(error: DecodeError) -> DecodeError {
    DecodeError::message(error.field, error.fault)
}

fn truncated() -> DecodeError {
    DecodeError::message("struct", Fault::Truncated)
}
