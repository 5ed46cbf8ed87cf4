//! Arrays of bytes that a header is read from as a whole.

/// A header as bytes: `[u8; N]`, and nothing else.
///
/// It is what lets generic code speak of a header's size: one check finds a header in a slice, and
/// every field is then known to be there.
pub trait Header: Copy + Send + Sync + sealed::Sealed + 'static {
    /// The size in bytes.
    const SIZE: usize;

    /// The header at the front of `bytes`, if they are enough.
    fn first(bytes: &[u8]) -> Option<&Self>;

    /// The header at the front of `bytes` to be changed in place, if they are enough.
    fn first_mut(bytes: &mut [u8]) -> Option<&mut Self>;

    /// The bytes.
    fn as_slice(&self) -> &[u8];

    /// The bytes, to be changed.
    fn as_mut_slice(&mut self) -> &mut [u8];
}

mod sealed {
    pub trait Sealed {}
    impl<const N: usize> Sealed for [u8; N] {}
}

impl<const N: usize> Header for [u8; N] {
    const SIZE: usize = N;

    #[inline(always)]
    fn first(bytes: &[u8]) -> Option<&Self> {
        bytes.first_chunk()
    }

    #[inline(always)]
    fn first_mut(bytes: &mut [u8]) -> Option<&mut Self> {
        bytes.first_chunk_mut()
    }

    #[inline(always)]
    fn as_slice(&self) -> &[u8] {
        self
    }

    #[inline(always)]
    fn as_mut_slice(&mut self) -> &mut [u8] {
        self
    }
}
