//! The types of values.

use metaproto_core::{DecodeError, Fault};

use crate::dialect::Encoding;

/// The type of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Bool,
    Byte,
    I16,
    I32,
    I64,
    Double,
    Text,
    Struct,
    Map,
    /// A list or a set.
    List,
    Uuid,
}

impl Kind {
    /// The type that a code stands for.
    pub(crate) fn of(code: u8, encoding: Encoding) -> Result<Kind, DecodeError> {
        let unknown =
            || DecodeError::connection("type of a field", Fault::UnknownValue(i64::from(code)));
        Ok(match encoding {
            Encoding::Binary | Encoding::OldBinary => match code {
                2 => Kind::Bool,
                3 => Kind::Byte,
                4 => Kind::Double,
                6 => Kind::I16,
                8 => Kind::I32,
                10 => Kind::I64,
                11 => Kind::Text,
                12 => Kind::Struct,
                13 => Kind::Map,
                14 | 15 => Kind::List,
                16 => Kind::Uuid,
                _ => return Err(unknown()),
            },
            Encoding::Compact => match code {
                1 | 2 => Kind::Bool,
                3 => Kind::Byte,
                4 => Kind::I16,
                5 => Kind::I32,
                6 => Kind::I64,
                7 => Kind::Double,
                8 => Kind::Text,
                9 | 10 => Kind::List,
                11 => Kind::Map,
                12 => Kind::Struct,
                13 => Kind::Uuid,
                _ => return Err(unknown()),
            },
        })
    }

    /// The bytes of a value that is an element or a key, if they are always as many.
    pub(crate) fn fixed(self, encoding: Encoding) -> Option<usize> {
        let is_compact = encoding == Encoding::Compact;
        Some(match self {
            Kind::Bool | Kind::Byte => 1,
            Kind::Double => 8,
            Kind::Uuid => 16,
            Kind::I16 if !is_compact => 2,
            Kind::I32 if !is_compact => 4,
            Kind::I64 if !is_compact => 8,
            _ => return None,
        })
    }

    /// The bytes that a value has at least.
    pub(crate) fn least(self, encoding: Encoding) -> usize {
        match (self, encoding) {
            (Kind::Text, Encoding::Binary | Encoding::OldBinary) => 4,
            (Kind::List, Encoding::Binary | Encoding::OldBinary) => 5,
            (Kind::Map, Encoding::Binary | Encoding::OldBinary) => 6,
            _ => self.fixed(encoding).unwrap_or(1),
        }
    }
}
