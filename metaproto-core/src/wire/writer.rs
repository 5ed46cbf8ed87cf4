//! Appends fields to a buffer, with lengths that are filled in when they are known.

use bytes::{BufMut, BytesMut};

use crate::EncodeError;

/// Appends fields to a buffer, all or nothing: unless [`finish`](Writer::finish) is called, the
/// buffer is afterwards as it was.
///
/// ```
/// use metaproto_core::{BytesMut, wire::Writer};
///
/// let mut out = BytesMut::new();
/// let mut writer = Writer::new(&mut out);
/// let len = writer.length::<2>();
/// writer.slice(b"hello");
/// writer.fill_be(len, "len", 0)?;
/// writer.finish();
/// assert_eq!(&out[..], b"\0\x05hello");
/// # Ok::<(), metaproto_core::EncodeError>(())
/// ```
#[derive(Debug)]
pub struct Writer<'a> {
    out: &'a mut BytesMut,
    start: usize,
    finished: bool,
}

/// The place of a length of `N` bytes that has yet to be filled in.
#[derive(Debug)]
#[must_use = "an unfilled length stays zero on the wire"]
pub struct LengthSlot<const N: usize> {
    at: usize,
}

macro_rules! integers {
    ($($type:ident $be:ident $le:ident;)*) => {$(
        #[doc = concat!("Appends a big-endian `", stringify!($type), "`.")]
        pub fn $be(&mut self, value: $type) {
            self.out.put_slice(&value.to_be_bytes());
        }

        #[doc = concat!("Appends a little-endian `", stringify!($type), "`.")]
        pub fn $le(&mut self, value: $type) {
            self.out.put_slice(&value.to_le_bytes());
        }
    )*};
}

impl<'a> Writer<'a> {
    /// Appends behind what is in `out`.
    pub fn new(out: &'a mut BytesMut) -> Self {
        let start = out.len();
        Writer { out, start, finished: false }
    }

    /// How many bytes this writer has appended.
    #[must_use]
    pub fn written(&self) -> usize {
        self.out.len().saturating_sub(self.start)
    }

    /// Appends bytes.
    pub fn slice(&mut self, bytes: &[u8]) {
        self.out.put_slice(bytes);
    }

    /// Appends one byte.
    pub fn u8(&mut self, value: u8) {
        self.out.put_u8(value);
    }

    /// Leaves room for a length of `N` bytes, 1 to 8.
    pub fn length<const N: usize>(&mut self) -> LengthSlot<N> {
        let at = self.out.len();
        self.out.put_bytes(0, N);
        LengthSlot { at }
    }

    /// Fills in a big-endian length: the bytes appended behind the slot, plus `plus`.
    ///
    /// # Errors
    /// [`EncodeError::InvalidValue`] if the length does not fit `N` bytes.
    pub fn fill_be<const N: usize>(
        &mut self,
        slot: LengthSlot<N>,
        field: &'static str,
        plus: usize,
    ) -> Result<(), EncodeError> {
        let behind = self.out.len().saturating_sub(slot.at).saturating_sub(N);
        let length = behind.saturating_add(plus) as u64;
        let bytes = length.to_be_bytes();
        let cut = bytes.len().saturating_sub(N);
        let (high, low) = bytes.split_at(cut);
        let place = self.out.get_mut(slot.at..slot.at.saturating_add(low.len()));
        match place {
            Some(place) if high.iter().all(|byte| *byte == 0) => {
                place.copy_from_slice(low);
                Ok(())
            }
            _ => Err(EncodeError::InvalidValue {
                field,
                reason: format!("a length of {length} does not fit {N} bytes").into(),
            }),
        }
    }

    /// Keeps what has been appended.
    pub fn finish(mut self) {
        self.finished = true;
    }

    integers! {
        u16 u16_be u16_le;
        u32 u32_be u32_le;
        u64 u64_be u64_le;
        i16 i16_be i16_le;
        i32 i32_be i32_le;
        i64 i64_be i64_le;
    }
}

impl Drop for Writer<'_> {
    fn drop(&mut self) {
        if !self.finished {
            self.out.truncate(self.start);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_that_does_not_fit_is_an_error_and_leaves_no_trace() {
        let mut out = BytesMut::from(&b"before"[..]);
        let mut writer = Writer::new(&mut out);
        let slot = writer.length::<1>();
        writer.slice(&[0; 256]);
        assert!(writer.fill_be(slot, "len", 0).is_err());
        drop(writer);
        assert_eq!(&out[..], b"before");
    }

    #[test]
    fn a_length_may_count_more_than_what_follows_it() {
        let mut out = BytesMut::new();
        let mut writer = Writer::new(&mut out);
        writer.u8(9);
        let slot = writer.length::<4>();
        writer.u16_le(0x0102);
        writer.fill_be(slot, "total", 5).unwrap();
        assert_eq!(writer.written(), 7);
        writer.finish();
        assert_eq!(&out[..], [9, 0, 0, 0, 7, 2, 1]);
    }
}
