//! How integers are written, and how a length is told.

use bytes::{BufMut, BytesMut};

use super::{Cursor, Stop};
use crate::frame::ByteOrder;
use crate::frame::support::{given, wire_value};
use crate::{EncodeError, Fault};

/// How an integer is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum IntForm {
    /// In a fixed number of bytes.
    Fixed {
        /// How many, 1 to 16.
        width: u8,
        /// In which order.
        order: ByteOrder,
        /// Whether it is in two's complement.
        signed: bool,
    },
    /// As LEB128: 7 bits a byte, the least significant ones first, all but the last byte with their
    /// highest bit set. At most 10 bytes.
    Varint,
    /// As LEB128, of `2n` for `n` and of `2n - 1` for `-n`: small negative numbers stay short.
    ZigZag,
}

/// The most bytes that a varint of 64 bits takes.
const MAX_VARINT: usize = 10;

impl IntForm {
    /// The fewest bytes that it takes.
    #[must_use]
    pub const fn min_size(self) -> usize {
        match self {
            IntForm::Fixed { width, .. } => width as usize,
            IntForm::Varint | IntForm::ZigZag => 1,
        }
    }

    /// Reads a number.
    ///
    /// # Errors
    /// As [`Cursor::advance`]; or a varint is wider than 64 bits.
    #[inline]
    pub fn read(self, cursor: &mut Cursor<'_>) -> Result<i128, Stop> {
        match self {
            IntForm::Fixed { width, order, signed } => {
                let range = cursor.advance(u64::from(width))?;
                Ok(fixed(cursor.bytes(range), order, signed))
            }
            IntForm::Varint => varint(cursor).map(i128::from),
            IntForm::ZigZag => varint(cursor).map(|n| {
                let magnitude = i128::from(n >> 1);
                if n & 1 == 1 { !magnitude } else { magnitude }
            }),
        }
    }

    /// How many bytes a number takes.
    #[must_use]
    pub fn size(self, value: i128) -> usize {
        match self {
            IntForm::Fixed { width, .. } => usize::from(width),
            IntForm::Varint => varint_size(value as u64),
            IntForm::ZigZag => varint_size(zigzag(value)),
        }
    }

    /// Appends a number.
    ///
    /// # Errors
    /// [`EncodeError::InvalidValue`] if it does not fit.
    pub fn write(self, value: i128, out: &mut BytesMut) -> Result<(), EncodeError> {
        let does_not_fit = || EncodeError::InvalidValue {
            field: "number",
            reason: format!("{value} does not fit").into(),
        };
        match self {
            IntForm::Fixed { width, order, signed } => {
                let unused = 128_u32.saturating_sub(u32::from(width).saturating_mul(8)).min(127);
                let fits = match signed {
                    true => (value << unused) >> unused == value,
                    false if unused == 0 => true,
                    false => value >= 0 && (value as u128) >> (128_u32.saturating_sub(unused)) == 0,
                };
                if !fits {
                    return Err(does_not_fit());
                }
                let bytes = value.to_le_bytes();
                let bytes = bytes.iter().take(usize::from(width));
                match order {
                    ByteOrder::Little => out.extend(bytes),
                    ByteOrder::Big => out.extend(bytes.rev()),
                }
            }
            IntForm::Varint => put_varint(u64::try_from(value).map_err(|_| does_not_fit())?, out),
            IntForm::ZigZag => {
                i64::try_from(value).map_err(|_| does_not_fit())?;
                put_varint(zigzag(value), out);
            }
        }
        Ok(())
    }
}

fn fixed(bytes: &[u8], order: ByteOrder, signed: bool) -> i128 {
    let push = |all: u128, byte: &u8| all << 8 | u128::from(*byte);
    let value = match order {
        ByteOrder::Big => bytes.iter().fold(0, push),
        ByteOrder::Little => bytes.iter().rev().fold(0, push),
    };
    let unused = 128_u32.saturating_sub((bytes.len() as u32).saturating_mul(8)).min(127);
    match signed {
        true => ((value << unused) as i128) >> unused,
        false => value as i128,
    }
}

fn zigzag(value: i128) -> u64 {
    let value = value as i64;
    ((value << 1) ^ (value >> 63)) as u64
}

#[inline]
fn varint(cursor: &mut Cursor<'_>) -> Result<u64, Stop> {
    let mut value = 0_u64;
    for at in 0..MAX_VARINT as u32 {
        let [byte] = cursor.array::<1>()?;
        let bits = u64::from(byte & 0x7f);
        // The tenth byte has room for one bit.
        if at == 9 && bits > 1 {
            break;
        }
        value |= bits << at.saturating_mul(7);
        if byte & 0x80 == 0 {
            return Ok(value);
        }
    }
    Err(cursor.bad(Fault::Other("a varint of more than 64 bits")))
}

fn varint_size(value: u64) -> usize {
    let bits = 64_u32.saturating_sub(value.leading_zeros()).max(1);
    bits.div_ceil(7) as usize
}

fn put_varint(mut value: u64, out: &mut BytesMut) {
    while value > 0x7f {
        out.put_u8(value as u8 | 0x80);
        value >>= 7;
    }
    out.put_u8(value as u8);
}

/// How long something is, or how many there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// A number in front of it says so.
    Prefix(Prefix),
    /// A field elsewhere has said so.
    Given(u64),
    /// Up to the end of the window or the frame.
    Rest,
}

/// A number that says how much follows: `amount / unit + plus`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Prefix {
    /// How the number is written.
    pub form: IntForm,
    /// How many bytes it counts as one; at least 1.
    pub unit: u64,
    /// What it says of nothing.
    pub plus: i64,
}

impl Prefix {
    /// Reads the amount.
    ///
    /// # Errors
    /// As [`IntForm::read`]; or it is negative.
    pub fn read(&self, cursor: &mut Cursor<'_>) -> Result<u64, Stop> {
        let told = self.form.read(cursor)?;
        let told =
            u64::try_from(told).map_err(|_| cursor.bad(Fault::Other("a negative length")))?;
        given(cursor.field(), told, self.unit, self.plus)
    }

    /// What the number says of `amount`.
    fn wire(&self, amount: usize) -> Result<i128, EncodeError> {
        wire_value("length", amount, self.unit, self.plus, u64::MAX).map(i128::from)
    }

    /// How many bytes the number takes.
    #[must_use]
    pub fn size(&self, amount: usize) -> usize {
        self.form.size(self.wire(amount).unwrap_or_default())
    }

    /// Appends the number.
    ///
    /// # Errors
    /// [`EncodeError::InvalidValue`] if it does not fit.
    pub fn write(&self, amount: usize, out: &mut BytesMut) -> Result<(), EncodeError> {
        self.form.write(self.wire(amount)?, out)
    }
}

impl Extent {
    /// The fewest bytes that the number in front takes.
    #[must_use]
    pub fn size(&self, amount: usize) -> usize {
        match self {
            Extent::Prefix(prefix) => prefix.size(amount),
            Extent::Given(_) | Extent::Rest => 0,
        }
    }

    /// Appends the number in front, if there is one.
    ///
    /// # Errors
    /// [`EncodeError::InvalidValue`] if it does not fit.
    pub fn write(&self, amount: usize, out: &mut BytesMut) -> Result<(), EncodeError> {
        match self {
            Extent::Prefix(prefix) => prefix.write(amount, out),
            Extent::Given(_) | Extent::Rest => Ok(()),
        }
    }

    /// Passes over as many bytes as are told, and tells where they are.
    ///
    /// # Errors
    /// As [`Cursor::advance`].
    #[inline]
    pub fn advance(&self, cursor: &mut Cursor<'_>) -> Result<std::ops::Range<usize>, Stop> {
        let bytes = match self {
            Extent::Prefix(prefix) => prefix.read(cursor)?,
            Extent::Given(bytes) => *bytes,
            Extent::Rest => return cursor.rest(),
        };
        cursor.advance(bytes)
    }
}
