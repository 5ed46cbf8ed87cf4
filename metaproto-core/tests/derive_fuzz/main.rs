//! The body of the fuzz target `derived`, on stable: its corpus, and inputs that are nearly frames.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "tests may panic"
)]

mod everything;

use std::path::Path;

use proptest::prelude::*;

fn corpus() -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus/derived");
    let files = std::fs::read_dir(folder).expect("the corpus is in the repository");
    files.map(|file| std::fs::read(file.unwrap().path()).unwrap()).collect()
}

#[test]
fn the_corpus_of_the_fuzz_target_holds() {
    let corpus = corpus();
    assert!(corpus.len() >= 3);
    corpus.iter().for_each(|data| everything::fuzz(data));
}

proptest! {
    #[test]
    fn inputs_with_a_few_wrong_bytes_hold(
        pick: prop::sample::Index,
        wrong in proptest::collection::vec(any::<(prop::sample::Index, u8)>(), 0..4),
        cut: prop::sample::Index,
    ) {
        let corpus = corpus();
        let mut data = pick.get(&corpus).clone();
        for (at, byte) in wrong {
            let at = at.index(data.len());
            data[at] = byte;
        }
        data.truncate(cut.index(data.len()) + 1);
        everything::fuzz(&data);
    }
}

#[test]
fn the_corpus_has_whole_frames_of_both_kinds() {
    use metaproto_core::frame::Frames;
    use metaproto_core::{Bytes, Side};
    let read = |data: Vec<u8>| everything::Everything::read(Side::Downstream, Bytes::from(data));
    let frames: Vec<_> = corpus().into_iter().filter_map(|data| read(data).ok()).collect();
    assert!(frames.iter().any(|frame| matches!(frame, everything::Everything::Told(_))));
    assert!(frames.iter().any(|frame| matches!(frame, everything::Everything::Scanned(_))));
}
