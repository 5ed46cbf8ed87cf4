//! The conformance kit and the fuzz target's body, on the frames of real peers.

use metaproto_core::conformance::{self, Allocations, Samples};
use metaproto_core::{Bytes, Protocol, Side};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;

use super::golden::{self, Golden};

/// The kit tries every frame in so many ways that large ones take long, and tell nothing new.
const LARGEST: usize = 512;

/// About so many of them are enough.
const MOST: usize = 16;

/// Counts what the calling thread allocates.
fn meter(run: &mut dyn FnMut()) -> Allocations {
    let info = allocation_counter::measure(run);
    Allocations { count: info.count_total, bytes: info.bytes_total }
}

/// Every law that a codec must keep, and everything that can be done to a stream of these frames.
pub(crate) fn holds(protocol: &dyn Protocol, folder: &str, takes: impl Fn(&Golden) -> bool) {
    holds_allocating(0, protocol, folder, takes);
}

/// The same of a codec that allocates so often in a decode.
pub(crate) fn holds_allocating(
    count: u64,
    protocol: &dyn Protocol,
    folder: &str,
    takes: impl Fn(&Golden) -> bool,
) {
    let is_small = |golden: &Golden| golden.bytes.len() <= LARGEST;
    let frames = golden::frames(folder).into_iter().filter(takes).filter(is_small);
    let frames: Vec<Golden> = frames.collect();
    // Spread over all files, of both sides.
    let step = (frames.len() / MOST).max(1) | 1;
    let frames: Vec<Golden> = frames.into_iter().step_by(step).collect();
    assert!(!frames.is_empty(), "no frame of {folder} is taken");
    let mut samples = Samples::new().allocation_meter(meter).allocations_per_decode(count);
    for golden in &frames {
        samples = match golden.side {
            Side::Downstream => samples.request(&golden.bytes),
            Side::Upstream => samples.response(&golden.bytes),
        };
        samples = samples.named(golden.to_string());
    }
    conformance::check(protocol, samples);
    let bytes: Vec<Bytes> = frames.into_iter().map(|golden| golden.bytes).collect();
    fuzzed(protocol, &bytes);
}

/// Streams of frames, of which some have a wrong byte, in any chunks.
fn fuzzed(protocol: &dyn Protocol, frames: &[Bytes]) {
    let one = (any::<prop::sample::Index>(), any::<Option<(prop::sample::Index, u8)>>());
    let strategy = (any::<u8>(), proptest::collection::vec(one, 1..4));
    let mut runner = TestRunner::new(ProptestConfig::with_cases(32));
    let outcome = runner.run(&strategy, |(chunks, picks)| {
        let mut data = vec![chunks];
        for (pick, wrong) in picks {
            let mut frame = pick.get(frames).to_vec();
            if let Some((at, byte)) = wrong {
                let at = at.index(frame.len());
                frame[at] = byte;
            }
            data.extend(frame);
        }
        conformance::fuzz(protocol, &data);
        Ok(())
    });
    outcome.unwrap();
}
