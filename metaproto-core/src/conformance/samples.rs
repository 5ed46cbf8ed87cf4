//! What the author of a codec hands in: whole valid frames.

use crate::conformance::Meter;
use crate::{Bytes, Limits, Side};

/// One whole valid frame.
#[derive(Debug, Clone)]
pub(super) struct Sample {
    pub(super) name: String,
    /// The side of the codec that reads it.
    pub(super) side: Side,
    pub(super) frame: Bytes,
}

/// Whole valid frames of a protocol, and what the kit should know besides.
///
/// The more kinds of message, the more is proven: at least one two-way request, its response, an
/// error response, and one of each further kind. Every frame must be readable as the first of its
/// connection. Short frames keep the kit fast; one with a body of a few KiB is worth having.
///
/// ```
/// use metaproto_core::conformance::Samples;
///
/// let samples = Samples::new()
///     .request([0x7a, 0, 0, 0, 0, 1])
///     .named("call without arguments")
///     .response(b"z\x02\0\0\0\x01");
/// ```
#[derive(Debug, Clone, Default)]
pub struct Samples {
    pub(super) list: Vec<Sample>,
    pub(super) limits: Limits,
    pub(super) meter: Option<Meter>,
    pub(super) allocations_per_decode: u64,
}

impl Samples {
    /// No samples yet, and default [`Limits`].
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a frame that a client sends: a request, a ping.
    #[must_use]
    pub fn request(self, frame: impl AsRef<[u8]>) -> Self {
        self.sample(Side::Downstream, "request", frame.as_ref())
    }

    /// Adds a frame that a server sends: a response, a go-away.
    #[must_use]
    pub fn response(self, frame: impl AsRef<[u8]>) -> Self {
        self.sample(Side::Upstream, "response", frame.as_ref())
    }

    /// Names the sample added last; reports use the name. Without it they count.
    #[must_use]
    pub fn named(mut self, name: impl Into<String>) -> Self {
        if let Some(last) = self.list.last_mut() {
            last.name = name.into();
        }
        self
    }

    /// Bounds that the codecs are made with.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// A way to count what the calling thread allocates; without one the law of allocation is
    /// proven only for the buffers that the kit hands in. See [`Meter`].
    #[must_use]
    pub fn allocation_meter(mut self, meter: Meter) -> Self {
        self.meter = Some(meter);
        self
    }

    /// How often `decode` may allocate once it has run a few times. Zero unless this is called;
    /// matters only with an [`allocation_meter`](Samples::allocation_meter).
    #[must_use]
    pub fn allocations_per_decode(mut self, count: u64) -> Self {
        self.allocations_per_decode = count;
        self
    }

    fn sample(mut self, side: Side, what: &str, frame: &[u8]) -> Self {
        let count = self.list.iter().filter(|s| s.side == side).count();
        let name = format!("{what} {count}");
        self.list.push(Sample { name, side, frame: Bytes::copy_from_slice(frame) });
        self
    }
}
