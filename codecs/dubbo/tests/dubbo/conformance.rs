//! The laws that every codec must keep, on frames of real peers and on frames made for them.

use std::path::Path;
use std::sync::LazyLock;

use metaproto_core::conformance::{self, Allocations, Samples};
use metaproto_core::{Bytes, Side};
use metaproto_dubbo::Dubbo;
use proptest::prelude::*;

use super::captures;
use super::frames::{call, frame, map, texts, two_way};

/// Counts what the calling thread allocates.
fn meter(run: &mut dyn FnMut()) -> Allocations {
    let info = allocation_counter::measure(run);
    Allocations { count: info.count_total, bytes: info.bytes_total }
}

fn made() -> Samples {
    let attachments = [("group", "blue"), ("tag", "a"), ("timeout", "3000")];
    let large = texts(&[&"x".repeat(20_000)]);
    Samples::new()
        .request(two_way(&call(&texts(&["anna"]), "Ljava/lang/String;", &attachments)))
        .named("a call")
        .request(frame(0x82, 0, u64::MAX, &call(&[], "", &[])))
        .named("a one-way call with the largest id")
        .request(two_way(&call(&large, "Ljava/lang/String;", &attachments)))
        .named("a call with a body that is shared")
        .request(frame(0xe2, 0, 0, b"N"))
        .named("a heartbeat")
        .request(frame(0xc8, 0, 3, b"\x01\x02\x03"))
        .named("a call in kryo")
        .response(frame(0x02, 20, 7, &[&[0x94][..], b"\x05hello", &map(&attachments)].concat()))
        .named("a result with attachments")
        .response(frame(0x02, 20, 7, b"\x91N"))
        .named("a result that is null")
        .response(frame(0x02, 80, 0, &texts(&["the server is on fire"])))
        .named("an error")
        .response(frame(0x22, 20, 5, b"N"))
        .named("a pong")
        .response(frame(0xa2, 0, 1, b"\x01R"))
        .named("good-bye")
        .allocation_meter(meter)
}

#[test]
fn the_codec_keeps_every_law_and_decodes_without_allocating() {
    conformance::check(&*Dubbo::protocol(), made());
}

/// Where a frame is from, who reads it, and what it is.
type Sample = (String, Side, Bytes);

/// Small frames of real peers, spread over all captures.
fn real() -> Vec<Sample> {
    let small: Vec<_> = captures::frames()
        .into_iter()
        .filter(|captured| captured.bytes.len() <= 400)
        .map(|captured| (captured.name, captured.side, captured.bytes))
        .collect();
    let step = (small.len() / 16).max(1) | 1;
    small.into_iter().step_by(step).collect()
}

#[test]
fn the_codec_keeps_every_law_on_frames_of_real_peers() {
    let mut samples = Samples::new().allocation_meter(meter);
    for (name, side, bytes) in real() {
        samples = match side {
            Side::Downstream => samples.request(bytes),
            Side::Upstream => samples.response(bytes),
        };
        samples = samples.named(name);
    }
    // A text beyond the BMP, written as surrogates, is put together.
    conformance::check(&*Dubbo::protocol(), samples.allocations_per_decode(1));
}

#[test]
fn the_corpus_of_the_fuzz_target_holds() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus/dubbo_decode");
    let mut count = 0;
    for file in std::fs::read_dir(&folder).expect("the corpus is in the repository") {
        let data = std::fs::read(file.expect("it can be listed").path()).expect("it can be read");
        conformance::fuzz(&*Dubbo::protocol(), &data);
        count += 1;
    }
    assert!(count >= 8, "only {count} inputs in {}", folder.display());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn streams_with_wrong_bytes_do_no_harm(
        chunks in any::<u8>(),
        picks in proptest::collection::vec(
            (any::<prop::sample::Index>(), any::<[Option<(prop::sample::Index, u8)>; 2]>()), 1..4,
        ),
    ) {
        // Read once: there are many cases.
        static FRAMES: LazyLock<Vec<Sample>> = LazyLock::new(real);
        let mut data = vec![chunks];
        for (pick, wrong) in picks {
            let mut frame = pick.get(&FRAMES).2.to_vec();
            for (at, byte) in wrong.into_iter().flatten() {
                let at = at.index(frame.len());
                frame[at] = byte;
            }
            data.extend(frame);
        }
        conformance::fuzz(&*Dubbo::protocol(), &data);
    }
}
