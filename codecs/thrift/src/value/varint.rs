//! Numbers of as many bytes as they need, seven bits in each, the lowest first.

use metaproto_core::{BytesMut, DecodeError, Fault};

/// A number and the bytes that it took; `None` if it goes on behind what is there.
pub(crate) type Varint = Option<(u64, usize)>;

/// Reads the number at the front.
pub(crate) fn varint(bytes: &[u8]) -> Result<Varint, DecodeError> {
    let mut number = 0_u64;
    for (index, byte) in bytes.iter().take(10).enumerate() {
        let bits = u64::from(byte & 0x7f);
        let shift = 7_u32.saturating_mul(u32::try_from(index).unwrap_or(u32::MAX));
        let shifted = bits.checked_shl(shift).filter(|shifted| shifted >> shift == bits);
        number |= shifted.ok_or_else(too_long)?;
        if byte & 0x80 == 0 {
            return Ok(Some((number, index.saturating_add(1))));
        }
    }
    if bytes.len() >= 10 { Err(too_long()) } else { Ok(None) }
}

fn too_long() -> DecodeError {
    DecodeError::connection("varint", Fault::Other("has more than 64 bits"))
}

/// Appends a number.
pub(crate) fn write_varint(mut number: u64, out: &mut BytesMut) {
    while number > 0x7f {
        out.extend_from_slice(&[0x80 | (number & 0x7f) as u8]);
        number >>= 7;
    }
    out.extend_from_slice(&[number as u8]);
}

/// A number with a sign, so that small ones stay small: 0, -1, 1, -2, ..
pub(crate) fn zigzag(number: i64) -> u64 {
    (number << 1 ^ number >> 63).cast_unsigned()
}

/// The number that was zig-zagged.
pub(crate) fn unzigzag(number: u64) -> i64 {
    (number >> 1).cast_signed() ^ -((number & 1).cast_signed())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn numbers_come_back(number in any::<u64>(), signed in any::<i64>(), behind in any::<u8>()) {
            let mut out = BytesMut::new();
            write_varint(number, &mut out);
            let size = out.len();
            for end in 0..size {
                prop_assert_eq!(varint(&out[..end]), Ok(None));
            }
            out.extend_from_slice(&[behind]);
            prop_assert_eq!(varint(&out), Ok(Some((number, size))));
            prop_assert_eq!(unzigzag(zigzag(signed)), signed);
        }
    }

    #[test]
    fn a_number_of_more_than_64_bits_is_refused() {
        assert!(varint(&[0xff; 10]).is_err());
        assert!(varint(&[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02]).is_err());
        assert_eq!(
            varint(&[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01]),
            Ok(Some((u64::MAX, 10)))
        );
    }
}
