//! What the header looks like at first.

use clap::{Args, ValueEnum};

use super::template::Value;

/// The shape of the header.
#[derive(Debug, Clone, Copy, Args)]
#[command(next_help_heading = "The header, at first")]
pub(super) struct Shape {
    /// Order of the bytes of integers
    #[arg(long, value_enum, value_name = "ORDER", default_value = "big")]
    pub(super) endian: Endian,

    /// Width of the request id
    #[arg(long, value_enum, value_name = "BITS", default_value = "64")]
    pub(super) id_bits: IdBits,

    /// What the length field counts: the frame with its header, or the body alone
    #[arg(long, value_enum, value_name = "WHAT", default_value = "body")]
    pub(super) length_of: LengthOf,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Endian {
    Little,
    Big,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum IdBits {
    #[value(name = "16")]
    B16,
    #[value(name = "32")]
    B32,
    #[value(name = "64")]
    B64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum LengthOf {
    Frame,
    Body,
}

/// Where the request id starts.
const ID_AT: usize = 8;

/// The width of the length.
const LENGTH_BYTES: usize = 4;

/// The body of the message in the test, which is `hello`.
const BODY_BYTES: usize = 5;

impl Shape {
    pub(super) fn values(self) -> Vec<Value> {
        let endian = match self.endian {
            Endian::Little => "little",
            Endian::Big => "big",
        };
        let id_bytes = match self.id_bits {
            IdBits::B16 => 2,
            IdBits::B32 => 4,
            IdBits::B64 => 8,
        };
        let length_at = ID_AT + id_bytes;
        let header = length_at + LENGTH_BYTES;
        let (length_of, counted, length) = match self.length_of {
            LengthOf::Frame => ("frame", "whole message, header included", header + BODY_BYTES),
            LengthOf::Body => ("body", "body alone", BODY_BYTES),
        };
        vec![
            ("endian", endian.to_owned()),
            ("id_bits", (8 * id_bytes).to_string()),
            ("id_bytes", id_bytes.to_string()),
            ("length_at", length_at.to_string()),
            ("header_size", header.to_string()),
            ("length_of", length_of.to_owned()),
            ("length_counts", counted.to_owned()),
            ("length_counts_padded", format!("{counted:<31}")),
            ("wire_method", self.wire(7, 2)),
            ("wire_id", self.wire(5, id_bytes)),
            ("wire_length", self.wire(length, LENGTH_BYTES)),
        ]
    }

    /// A number of `width` bytes as it goes on the wire, as the elements of an array.
    fn wire(self, number: usize, width: usize) -> String {
        let mut bytes: Vec<_> =
            number.to_le_bytes().iter().take(width).map(u8::to_string).collect();
        if self.endian == Endian::Big {
            bytes.reverse();
        }
        bytes.join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(shape: Shape, name: &str) -> String {
        let found = shape.values().into_iter().find(|(known, _)| *known == name);
        found.expect("a value of this name").1
    }

    #[test]
    fn the_bytes_of_numbers_are_in_the_order_of_the_shape() {
        let (id_bits, length_of) = (IdBits::B32, LengthOf::Frame);
        let little = Shape { endian: Endian::Little, id_bits, length_of };
        assert_eq!(value(little, "wire_id"), "5, 0, 0, 0");
        assert_eq!(value(little, "wire_length"), "21, 0, 0, 0");
        let big = Shape { endian: Endian::Big, id_bits, length_of };
        assert_eq!(value(big, "wire_id"), "0, 0, 0, 5");
        assert_eq!(value(big, "wire_method"), "0, 7");
    }
}
