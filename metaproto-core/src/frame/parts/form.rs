//! How integers are written.

use bytes::{BufMut, BytesMut};

use super::{Cursor, Stop, invalid};
use crate::frame::ByteOrder;
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
    #[inline]
    #[must_use]
    pub const fn min_size(self) -> usize {
        match self {
            IntForm::Fixed { width, .. } => width as usize,
            IntForm::Varint | IntForm::ZigZag => 1,
        }
    }

    /// Whether it can say negative numbers.
    #[inline]
    #[must_use]
    pub const fn is_signed(self) -> bool {
        match self {
            IntForm::Fixed { signed, .. } => signed,
            IntForm::Varint => false,
            IntForm::ZigZag => true,
        }
    }

    /// Whether numbers of this form are read as the bits of an `i128`, which has no room for the
    /// larger half of them.
    #[inline]
    pub(super) const fn wraps(self) -> bool {
        matches!(self, IntForm::Fixed { width: 16.., signed: false, .. })
    }

    /// Moves behind a number without looking at it more closely than needed.
    #[inline]
    pub(super) fn skip(self, cursor: &mut Cursor<'_>) -> Result<(), Stop> {
        match self {
            IntForm::Fixed { width, .. } => cursor.advance(width.into()).map(|_| ()),
            IntForm::Varint | IntForm::ZigZag => varint(cursor).map(|_| ()),
        }
    }

    /// Reads a number. One of 16 bytes without a sign is read as the bits of an `i128`.
    ///
    /// # Errors
    /// As [`Cursor::advance`]; or a varint is wider than 64 bits.
    #[inline]
    pub fn read(self, cursor: &mut Cursor<'_>) -> Result<i128, Stop> {
        match self {
            IntForm::Fixed { width, order, signed } => {
                let bits = fixed(cursor, width, order)?;
                let unused = 128_u32.saturating_sub(u32::from(width).saturating_mul(8)).min(127);
                match signed {
                    true => Ok((bits << unused).cast_signed() >> unused),
                    false => Ok(bits.cast_signed()),
                }
            }
            IntForm::Varint => varint(cursor).map(i128::from),
            IntForm::ZigZag => varint(cursor).map(|bits| {
                let magnitude = i128::from(bits >> 1);
                if bits & 1 == 1 { !magnitude } else { magnitude }
            }),
        }
    }

    /// How many bytes a number takes, if it can be written.
    #[inline]
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
        if !self.can_say(value) {
            return Err(self.out_of_range(value));
        }
        match self {
            IntForm::Fixed { width, order, .. } => {
                let width = usize::from(width).min(16);
                let (little, big) = (value.to_le_bytes(), value.to_be_bytes());
                out.put_slice(match order {
                    ByteOrder::Little => little.get(..width).unwrap_or_default(),
                    ByteOrder::Big => big.get(16_usize.saturating_sub(width)..).unwrap_or_default(),
                });
            }
            IntForm::Varint => put_varint(value as u64, out),
            IntForm::ZigZag => put_varint(zigzag(value), out),
        }
        Ok(())
    }

    /// Whether a number can be written.
    fn can_say(self, value: i128) -> bool {
        match self {
            IntForm::Fixed { width, signed, .. } => {
                let unused = 128_u32.saturating_sub(u32::from(width).saturating_mul(8)).min(127);
                match signed {
                    true => (value << unused) >> unused == value,
                    false => {
                        self.wraps()
                            || (value.cast_unsigned() << unused) >> unused == value.cast_unsigned()
                    }
                }
            }
            IntForm::Varint => u64::try_from(value).is_ok(),
            IntForm::ZigZag => i64::try_from(value).is_ok(),
        }
    }

    #[cold]
    fn out_of_range(self, value: i128) -> EncodeError {
        invalid(match self {
            IntForm::Fixed { width, signed: true, .. } => {
                format!("{value} does not fit {width} bytes with a sign")
            }
            IntForm::Fixed { width, .. } => format!("{value} does not fit {width} bytes"),
            IntForm::Varint => format!("{value} does not fit a varint of 64 bits"),
            IntForm::ZigZag => format!("{value} does not fit 64 bits with a sign"),
        })
    }
}

/// Reads `width` bytes. With a width that the compiler knows only one arm is left.
#[inline(always)]
fn fixed(cursor: &mut Cursor<'_>, width: u8, order: ByteOrder) -> Result<u128, Stop> {
    Ok(match (width, order) {
        (1, _) => u128::from(u8::from_be_bytes(cursor.array()?)),
        (2, ByteOrder::Big) => u16::from_be_bytes(cursor.array()?).into(),
        (2, ByteOrder::Little) => u16::from_le_bytes(cursor.array()?).into(),
        (4, ByteOrder::Big) => u32::from_be_bytes(cursor.array()?).into(),
        (4, ByteOrder::Little) => u32::from_le_bytes(cursor.array()?).into(),
        (8, ByteOrder::Big) => u64::from_be_bytes(cursor.array()?).into(),
        (8, ByteOrder::Little) => u64::from_le_bytes(cursor.array()?).into(),
        (16, ByteOrder::Big) => u128::from_be_bytes(cursor.array()?),
        (16, ByteOrder::Little) => u128::from_le_bytes(cursor.array()?),
        _ => {
            let range = cursor.advance(width.into())?;
            let bytes = cursor.bytes(range).iter();
            let add = |all, byte: &u8| all << 8 | u128::from(*byte);
            match order {
                ByteOrder::Big => bytes.fold(0, add),
                ByteOrder::Little => bytes.rev().fold(0, add),
            }
        }
    })
}

#[inline]
fn varint(cursor: &mut Cursor<'_>) -> Result<u64, Stop> {
    // Most are one byte.
    match cursor.ahead() {
        [byte, ..] if *byte < 0x80 => {
            cursor.advance(1)?;
            Ok(u64::from(*byte))
        }
        ahead => long_varint(cursor, ahead),
    }
}

fn long_varint(cursor: &mut Cursor<'_>, ahead: &[u8]) -> Result<u64, Stop> {
    let mut value = 0_u64;
    let mut len = 0_u32;
    for byte in ahead.iter().take(MAX_VARINT) {
        let bits = u64::from(byte & 0x7f);
        let place = len.saturating_mul(7);
        if place == 63 && bits > 1 {
            break;
        }
        value |= bits << place;
        len = len.saturating_add(1);
        if *byte < 0x80 {
            cursor.advance(len.into())?;
            return Ok(value);
        }
    }
    if (len as usize) < ahead.len() || len as usize == MAX_VARINT {
        return Err(cursor.bad(Fault::Other("is a varint of more than 64 bits")));
    }
    // Nothing but bytes that say that another follows.
    Err(cursor.advance(u64::from(len).saturating_add(1)).err().unwrap_or(Stop::Need(usize::MAX)))
}

/// The least number of bytes that a varint takes.
fn varint_size(value: u64) -> usize {
    let bits = 64_u32.saturating_sub(value.leading_zeros()).max(1);
    bits.div_ceil(7) as usize
}

fn zigzag(value: i128) -> u64 {
    let value = value as i64;
    ((value << 1) ^ (value >> 63)).cast_unsigned()
}

fn put_varint(mut value: u64, out: &mut BytesMut) {
    while value > 0x7f {
        out.put_u8(value as u8 | 0x80);
        value >>= 7;
    }
    out.put_u8(value as u8);
}
