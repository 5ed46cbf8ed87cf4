//! Counting what a codec allocates.

use crate::Metadata;
use crate::conformance::Rig;
use crate::conformance::report::{Breach, Journal, Law, Verdict};
use crate::conformance::samples::Sample;

/// Runs what it is given once and tells what the calling thread has allocated meanwhile.
///
/// A counting allocator needs `unsafe`, so the kit brings none. With the crate `allocation-counter`
/// among the dev-dependencies this is all it takes:
///
/// ```
/// use metaproto_core::conformance::Allocations;
///
/// fn meter(run: &mut dyn FnMut()) -> Allocations {
///     let info = allocation_counter::measure(run);
///     Allocations { count: info.count_total, bytes: info.bytes_total }
/// }
///
/// assert_eq!(meter(&mut || drop(vec![1_u8; 64])), Allocations { count: 1, bytes: 64 });
/// ```
pub type Meter = fn(&mut dyn FnMut()) -> Allocations;

/// What was allocated while something ran, whether it was given back or not.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Allocations {
    /// How often memory was asked for.
    pub count: u64,
    /// How many bytes were asked for in total.
    pub bytes: u64,
}

/// The bytes that one call may allocate when it is handed `input` bytes. Generous for anything that
/// grows with the input, far below what a trusted length field would ask for.
pub(super) fn allowance(input: usize) -> usize {
    input.saturating_mul(8).saturating_add(16 << 10)
}

/// Once room has been made, decoding makes no more of it.
pub(super) fn check(rig: &Rig<'_>, sample: &Sample, journal: &mut Journal) {
    if rig.samples.meter.is_some() {
        journal.case(Law::Allocation, &sample.name, steady(rig, sample));
    }
}

fn steady(rig: &Rig<'_>, sample: &Sample) -> Verdict {
    let mut subject = rig.subject(sample.side);
    let mut metadata = Metadata::new();
    let mut counted = 0;
    for _ in 0..4 {
        metadata.clear();
        let frame = sample.frame.clone();
        if !matches!(subject.frame_length(&frame)?, Ok(crate::FrameLength::Known(_))) {
            return Ok(());
        }
        if subject.decode(frame, &mut metadata)?.is_err() {
            return Ok(());
        }
        counted = subject.allocations.count;
    }
    let allowed = rig.samples.allocations_per_decode;
    if counted <= allowed {
        return Ok(());
    }
    Err(Breach::new(
        Law::Allocation,
        format!("at most {allowed} allocations in a decode after the first few"),
        format!("{counted} allocations"),
    ))
}
