//! Where a value stands that is more than data.

use super::{BitsInfo, FieldInfo};
use crate::EncodeError;

/// Where a value stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// In a field of the fixed part.
    Field(FieldInfo),
    /// In some bits of one.
    Bits(FieldInfo, BitsInfo),
    /// In a part, whose place differs between frames.
    Part(&'static str),
}

impl Place {
    /// The field of the fixed part, if it is in one.
    #[must_use]
    pub const fn field(&self) -> Option<&FieldInfo> {
        match self {
            Place::Field(field) | Place::Bits(field, _) => Some(field),
            Place::Part(_) => None,
        }
    }

    /// The name of the field, or of the bits.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Place::Field(field) => field.name,
            Place::Bits(_, bits) => bits.name,
            Place::Part(name) => name,
        }
    }

    /// Writes a number.
    ///
    /// # Errors
    /// [`EncodeError::InvalidValue`] if it does not fit; [`EncodeError::Unsupported`] for parts.
    /// `header` is then as it was.
    pub(super) fn write_int(&self, header: &mut [u8], value: i128) -> Result<(), EncodeError> {
        match self {
            Place::Field(field) => field.write_int(header, value),
            Place::Bits(field, bits) => field.write_bits(header, bits, value),
            Place::Part(_) => Err(EncodeError::Unsupported("setting this in the fixed part")),
        }
    }

    /// Writes the value that `text` says.
    ///
    /// # Errors
    /// As [`write_int`](Place::write_int).
    pub(super) fn write_text(&self, header: &mut [u8], text: &str) -> Result<(), EncodeError> {
        let number = match (self, text) {
            (Place::Field(field), _) => return field.write_text(header, text),
            (Place::Bits(_, bits), "true") if bits.single => 1,
            (Place::Bits(_, bits), "false") if bits.single => 0,
            _ => text.parse::<i128>().map_err(|_| EncodeError::InvalidValue {
                field: self.name(),
                reason: format!("{text:?} is not a number").into(),
            })?,
        };
        self.write_int(header, number)
    }
}
