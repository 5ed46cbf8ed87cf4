//! Bounds that hold whatever a peer sends.

/// Bounds on what one peer can make us do. Checked before memory is reserved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// The largest frame in bytes, header included.
    pub max_frame: usize,
}

impl Limits {
    /// The default of [`max_frame`](Limits::max_frame): 4 MiB.
    pub const DEFAULT_MAX_FRAME: usize = 4 << 20;

    /// Limits with this `max_frame` in bytes.
    #[must_use]
    pub const fn max_frame(bytes: usize) -> Self {
        Limits { max_frame: bytes }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Limits::max_frame(Self::DEFAULT_MAX_FRAME)
    }
}
