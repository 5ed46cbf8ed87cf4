//! What is known of a field at compile time, and the slow but general way to write one.

use std::ops::Range;

use crate::EncodeError;

/// The order of the bytes of a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ByteOrder {
    /// The most significant byte comes first.
    Big,
    /// The least significant byte comes first.
    Little,
}

/// How the bytes of a field are to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// A number that is never negative, 1 to 16 bytes.
    Unsigned(ByteOrder),
    /// A number in two's complement, 1 to 16 bytes.
    Signed(ByteOrder),
    /// A floating-point number of IEEE 754, 4 or 8 bytes.
    Float(ByteOrder),
    /// Bytes as they are. As a property they are text, and zeros at the end are padding.
    Bytes,
}

/// One field of a header.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct FieldInfo {
    /// The field's name.
    pub name: &'static str,
    /// Where the field starts, in bytes from the start of the frame.
    pub offset: usize,
    /// How many bytes it takes.
    pub width: usize,
    /// How its bytes are to be read.
    pub format: Format,
    /// The bits that have names.
    pub bits: &'static [BitsInfo],
}

/// Some bits of a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct BitsInfo {
    /// Their name.
    pub name: &'static str,
    /// The least significant of them; 0 is the least significant of the field.
    pub low: usize,
    /// How many there are.
    pub len: usize,
    /// Whether it is one bit, true or false, rather than a number.
    pub single: bool,
}

/// A part of a header that never changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Constant {
    /// The field's name; `magic` for the one at the front that has no field.
    pub name: &'static str,
    /// Where it starts, in bytes from the start of the frame.
    pub offset: usize,
    /// The bytes that must be there.
    pub bytes: &'static [u8],
}

impl FieldInfo {
    /// Plain bytes.
    #[must_use]
    pub const fn bytes(
        name: &'static str,
        offset: usize,
        width: usize,
        bits: &'static [BitsInfo],
    ) -> Self {
        FieldInfo { name, offset, width, format: Format::Bytes, bits }
    }

    /// An unsigned big-endian number.
    #[must_use]
    pub const fn unsigned(
        name: &'static str,
        offset: usize,
        width: usize,
        bits: &'static [BitsInfo],
    ) -> Self {
        FieldInfo { name, offset, width, format: Format::Unsigned(ByteOrder::Big), bits }
    }

    /// A signed big-endian number, in two's complement.
    #[must_use]
    pub const fn signed(
        name: &'static str,
        offset: usize,
        width: usize,
        bits: &'static [BitsInfo],
    ) -> Self {
        FieldInfo { name, offset, width, format: Format::Signed(ByteOrder::Big), bits }
    }

    /// A big-endian floating-point number.
    #[must_use]
    pub const fn float(
        name: &'static str,
        offset: usize,
        width: usize,
        bits: &'static [BitsInfo],
    ) -> Self {
        FieldInfo { name, offset, width, format: Format::Float(ByteOrder::Big), bits }
    }

    /// The same field with its bytes in the other order, if it is a number.
    #[must_use]
    pub const fn little_endian(mut self) -> Self {
        self.format = match self.format {
            Format::Bytes => Format::Bytes,
            Format::Unsigned(_) => Format::Unsigned(ByteOrder::Little),
            Format::Signed(_) => Format::Signed(ByteOrder::Little),
            Format::Float(_) => Format::Float(ByteOrder::Little),
        };
        self
    }

    /// Where the field lies in the frame.
    #[must_use]
    pub const fn range(&self) -> Range<usize> {
        self.offset..self.offset.saturating_add(self.width)
    }

    /// Writes the value that `text` says.
    ///
    /// # Errors
    /// [`EncodeError::InvalidValue`] if the value does not fit. `header` is then as it was.
    pub(crate) fn write_text(&self, header: &mut [u8], text: &str) -> Result<(), EncodeError> {
        if self.format != Format::Bytes {
            if let Format::Float(order) = self.format {
                return self.write_float(header, order, text);
            }
            let number = text.parse::<i128>();
            let number = number.map_err(|_| self.invalid(format!("{text:?} is not a number")))?;
            return self.write_int(header, number);
        }
        let padding = self
            .width
            .checked_sub(text.len())
            .ok_or_else(|| self.invalid(format!("{text:?} is longer than {} bytes", self.width)))?;
        if text.ends_with('\0') {
            return Err(self.invalid("ends in a zero, which would be padding".to_owned()));
        }
        self.write(header, text.bytes().chain(std::iter::repeat_n(0, padding)))
    }

    /// Writes a number.
    ///
    /// # Errors
    /// [`EncodeError::InvalidValue`] if it does not fit. `header` is then as it was.
    pub(crate) fn write_int(&self, header: &mut [u8], value: i128) -> Result<(), EncodeError> {
        let (signed, order) = match self.format {
            Format::Unsigned(order) => (false, order),
            Format::Signed(order) => (true, order),
            Format::Bytes | Format::Float(_) => {
                return Err(self.invalid("is not an integer".to_owned()));
            }
        };
        let unused_bits = 128_usize.saturating_sub(self.width.saturating_mul(8)) as u32;
        let unsigned_max = u128::MAX.checked_shr(unused_bits).unwrap_or(0);
        // What is wider can't be told; values of 16 bytes are cut.
        let unsigned_max = i128::try_from(unsigned_max).unwrap_or(i128::MAX);
        let (min, max) = match signed {
            true => (!(unsigned_max >> 1), unsigned_max >> 1),
            false => (0, unsigned_max),
        };
        if value < min || value > max {
            return Err(self.invalid(format!("{value} is not within {min} to {max}")));
        }
        let bytes = value.to_le_bytes().into_iter().take(self.width);
        match order {
            ByteOrder::Little => self.write(header, bytes),
            ByteOrder::Big => self.write(header, bytes.rev()),
        }
    }

    /// Writes a number to some bits.
    ///
    /// # Errors
    /// [`EncodeError::InvalidValue`] if it does not fit. `header` is then as it was.
    pub(crate) fn write_bits(
        &self,
        header: &mut [u8],
        bits: &BitsInfo,
        value: i128,
    ) -> Result<(), EncodeError> {
        let unused = 64_usize.saturating_sub(bits.len).min(63) as u32;
        let max = u64::MAX >> unused;
        let Some(value) = u64::try_from(value).ok().filter(|value| *value <= max) else {
            let reason = format!("{value} is not within 0 to {max}").into();
            return Err(EncodeError::InvalidValue { field: bits.name, reason });
        };
        let order = match self.format {
            Format::Unsigned(order) | Format::Signed(order) => order,
            Format::Bytes | Format::Float(_) => {
                return Err(self.invalid("is not an integer".to_owned()));
            }
        };
        let before = header.get(self.range()).unwrap_or_default();
        let append = |all: u64, byte: &u8| all << 8 | u64::from(*byte);
        let before = match order {
            ByteOrder::Big => before.iter().fold(0, append),
            ByteOrder::Little => before.iter().rev().fold(0, append),
        };
        let low = bits.low.min(63) as u32;
        let carrier = (before & !(max << low)) | value << low;
        let bytes = carrier.to_le_bytes().into_iter().take(self.width);
        match order {
            ByteOrder::Little => self.write(header, bytes),
            ByteOrder::Big => self.write(header, bytes.rev()),
        }
    }

    fn write_float(
        &self,
        header: &mut [u8],
        order: ByteOrder,
        text: &str,
    ) -> Result<(), EncodeError> {
        let value: f64 =
            text.parse().map_err(|_| self.invalid(format!("{text:?} is not a number")))?;
        let bits = match self.width {
            4 => u64::from((value as f32).to_bits()),
            _ => value.to_bits(),
        };
        let bytes = bits.to_le_bytes().into_iter().take(self.width);
        match order {
            ByteOrder::Little => self.write(header, bytes),
            ByteOrder::Big => self.write(header, bytes.rev()),
        }
    }

    fn write(&self, header: &mut [u8], bytes: impl Iterator<Item = u8>) -> Result<(), EncodeError> {
        let place = header.get_mut(self.range());
        let place = place.ok_or_else(|| self.invalid("is outside the header".to_owned()))?;
        for (to, from) in place.iter_mut().zip(bytes) {
            *to = from;
        }
        Ok(())
    }

    fn invalid(&self, reason: String) -> EncodeError {
        EncodeError::InvalidValue { field: self.name, reason: reason.into() }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn field(width: usize, format: Format) -> FieldInfo {
        FieldInfo { name: "f", offset: 1, width, format, bits: &[] }
    }

    #[expect(clippy::arithmetic_side_effects, reason = "widths are small")]
    fn write_int(width: usize, format: Format, value: i128) -> Option<Vec<u8>> {
        let mut header = vec![0xee; width + 2];
        let written = field(width, format).write_int(&mut header, value);
        assert_eq!((header[0], header[width + 1]), (0xee, 0xee));
        written.ok().map(|()| header[1..=width].to_vec())
    }

    proptest! {
        #[test]
        fn a_number_is_written_if_and_only_if_it_fits(
            value in prop_oneof![any::<i128>(), -70_000..70_000_i128],
        ) {
            let be = Format::Unsigned(ByteOrder::Big);
            let le = Format::Signed(ByteOrder::Little);
            let u16_be = u16::try_from(value).ok().map(|v| v.to_be_bytes().to_vec());
            prop_assert_eq!(write_int(2, be, value), u16_be);
            let u64_be = u64::try_from(value).ok().map(|v| v.to_be_bytes().to_vec());
            prop_assert_eq!(write_int(8, be, value), u64_be);
            let i32_le = i32::try_from(value).ok().map(|v| v.to_le_bytes().to_vec());
            prop_assert_eq!(write_int(4, le, value), i32_le);
            let i64_le = i64::try_from(value).ok().map(|v| v.to_le_bytes().to_vec());
            prop_assert_eq!(write_int(8, le, value), i64_le);
        }
    }

    #[test]
    fn text_is_padded_with_zeros_and_never_cut() {
        let mut header = *b"....";
        let name = field(3, Format::Bytes);
        name.write_text(&mut header, "ab").unwrap();
        assert_eq!(&header, b".ab\0");
        let error = name.write_text(&mut header, "abcd").unwrap_err();
        assert_eq!(error.to_string(), "f: \"abcd\" is longer than 3 bytes");
        assert!(name.write_text(&mut header, "a\0").is_err());
        assert_eq!(&header, b".ab\0");
    }

    #[test]
    fn a_bad_number_says_what_would_be_right() {
        let cmd = field(2, Format::Signed(ByteOrder::Big));
        let error = cmd.write_text(&mut [0; 4], "40000").unwrap_err();
        assert_eq!(error.to_string(), "f: 40000 is not within -32768 to 32767");
        let error = cmd.write_text(&mut [0; 4], "x").unwrap_err();
        assert_eq!(error.to_string(), "f: \"x\" is not a number");
    }
}
