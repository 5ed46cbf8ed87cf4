//! A cursor that can't read past the end.

use std::ops::Range;

use crate::{DecodeError, Fault};

/// Reads fields from the front of a slice. Every read is checked; an error names the field.
///
/// Positions are counted from the start of the slice, so that what [`range`](Reader::range) returns
/// fits [`Metadata::push_in_frame`](crate::Metadata::push_in_frame) when the slice is the frame.
///
/// ```
/// use metaproto_core::wire::Reader;
///
/// let mut reader = Reader::new(&[0, 5, b'h', b'e', b'l', b'l', b'o']);
/// let len = reader.u16_be("len")?;
/// assert_eq!(reader.take("text", usize::from(len))?, b"hello");
/// assert!(reader.u8("more").is_err());
/// # Ok::<(), metaproto_core::DecodeError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Reader<'a> {
    bytes: &'a [u8],
    position: usize,
}

macro_rules! integers {
    ($($type:ident $be:ident $le:ident;)*) => {$(
        #[doc = concat!("Reads a big-endian `", stringify!($type), "`.")]
        ///
        /// # Errors
        /// [`Fault::Truncated`] if the slice ends inside it.
        pub fn $be(&mut self, field: &'static str) -> Result<$type, DecodeError> {
            self.array(field).map($type::from_be_bytes)
        }

        #[doc = concat!("Reads a little-endian `", stringify!($type), "`.")]
        ///
        /// # Errors
        /// [`Fault::Truncated`] if the slice ends inside it.
        pub fn $le(&mut self, field: &'static str) -> Result<$type, DecodeError> {
            self.array(field).map($type::from_le_bytes)
        }
    )*};
}

impl<'a> Reader<'a> {
    /// A cursor at the start of `bytes`.
    #[must_use]
    pub const fn new(bytes: &'a [u8]) -> Self {
        Reader { bytes, position: 0 }
    }

    /// How many bytes have been read.
    #[must_use]
    pub const fn position(&self) -> usize {
        self.position
    }

    /// How many bytes are left.
    #[must_use]
    pub const fn remaining(&self) -> usize {
        self.bytes.len().saturating_sub(self.position)
    }

    /// Reads `len` bytes.
    ///
    /// # Errors
    /// [`Fault::Truncated`] if fewer are left; nothing is read then.
    pub fn take(&mut self, field: &'static str, len: usize) -> Result<&'a [u8], DecodeError> {
        let range = self.range(field, len)?;
        Ok(self.bytes.get(range).unwrap_or_default())
    }

    /// Skips `len` bytes and tells where they are.
    ///
    /// # Errors
    /// [`Fault::Truncated`] if fewer are left; nothing is skipped then.
    pub fn range(&mut self, field: &'static str, len: usize) -> Result<Range<usize>, DecodeError> {
        let end = self.position.checked_add(len).filter(|end| *end <= self.bytes.len());
        let end = end.ok_or(DecodeError::message(field, Fault::Truncated))?;
        let range = self.position..end;
        self.position = end;
        Ok(range)
    }

    /// Reads an array.
    ///
    /// # Errors
    /// [`Fault::Truncated`] if the slice ends inside it; nothing is read then.
    pub fn array<const N: usize>(&mut self, field: &'static str) -> Result<[u8; N], DecodeError> {
        let rest = self.bytes.get(self.position..).unwrap_or_default();
        let array = rest.first_chunk::<N>().ok_or(DecodeError::message(field, Fault::Truncated))?;
        self.position = self.position.saturating_add(N);
        Ok(*array)
    }

    /// Reads one byte.
    ///
    /// # Errors
    /// [`Fault::Truncated`] at the end.
    pub fn u8(&mut self, field: &'static str) -> Result<u8, DecodeError> {
        self.array::<1>(field).map(|[byte]| byte)
    }

    /// Reads one signed byte.
    ///
    /// # Errors
    /// [`Fault::Truncated`] at the end.
    pub fn i8(&mut self, field: &'static str) -> Result<i8, DecodeError> {
        self.array::<1>(field).map(i8::from_be_bytes)
    }

    /// Reads what is left.
    pub fn rest(&mut self) -> &'a [u8] {
        let rest = self.bytes.get(self.position..).unwrap_or_default();
        self.position = self.bytes.len();
        rest
    }

    integers! {
        u16 u16_be u16_le;
        u32 u32_be u32_le;
        u64 u64_be u64_le;
        u128 u128_be u128_le;
        i16 i16_be i16_le;
        i32 i32_be i32_le;
        i64 i64_be i64_le;
        i128 i128_be i128_le;
        f32 f32_be f32_le;
        f64 f64_be f64_le;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_failed_read_reads_nothing() {
        let mut reader = Reader::new(&[1, 2, 3]);
        assert!(reader.u32_be("four").is_err());
        assert_eq!(reader.u16_le("two").unwrap(), 0x0201);
        assert!(reader.take("huge", usize::MAX).is_err());
        assert_eq!(reader.rest(), [3]);
        assert_eq!(reader.remaining(), 0);
    }

    proptest! {
        #[test]
        fn ranges_are_where_the_bytes_are(bytes: Vec<u8>, lens: Vec<u8>) {
            let mut by_take = Reader::new(&bytes);
            let mut by_range = Reader::new(&bytes);
            for len in lens {
                let taken = by_take.take("f", usize::from(len));
                let range = by_range.range("f", usize::from(len));
                prop_assert_eq!(taken, range.map(|r| &bytes[r]));
                prop_assert_eq!(by_take.position(), by_range.position());
            }
        }
    }
}
