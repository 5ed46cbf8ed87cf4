//! Values re-encoded: those of real peers, and what the fuzz target `thrift_transcode` begins with.

use std::collections::BTreeMap;
use std::path::Path;

use metaproto_core::{MessageKind, Side};
use proptest::collection::vec;
use proptest::prelude::*;

use super::captures::{Stream, streams};
use super::reencoding::{fuzz, reencoded};
use super::streams::messages;

/// The calls of a case, by the encoding that they are captured in.
type Calls = BTreeMap<&'static str, Vec<Vec<u8>>>;

/// What is not the same in each run: keys of one-way calls, the order of maps in Go and of sets in Python.
const DIFFERS: [&[&str]; 3] = [&["oneway"], &["go--go", "maps"], &["thriftpy2", "echo_struct"]];

/// Calls of the same client in the same case, as they are without a transport.
fn cases() -> BTreeMap<String, Calls> {
    let mut cases: BTreeMap<String, Calls> = BTreeMap::new();
    let same = |name: &str| !DIFFERS.iter().any(|words| words.iter().all(|w| name.contains(w)));
    let calls = |stream: &&Stream| stream.side == Side::Downstream && same(&stream.name);
    for stream in streams().iter().filter(calls) {
        let parts: Vec<&str> = stream.name.split(['/', '-']).collect();
        let spoken = |word: &&str| parts.contains(word);
        let Some(protocol) = ["binary", "compact"].iter().find(|word| spoken(word)) else {
            continue;
        };
        let Some(transport) = ["framed", "buffered"].iter().find(|word| spoken(word)) else {
            continue;
        };
        let front = if *transport == "framed" { 4 } else { 0 };
        let all = messages(stream);
        let calls = all.iter().filter(|(_, metadata)| metadata.kind != MessageKind::Pong);
        let calls = calls.map(|(frame, _)| frame[front..].to_vec()).collect();
        let case = parts.into_iter().filter(|part| part != protocol && part != transport);
        cases.entry(case.collect::<Vec<_>>().join("-")).or_default().insert(protocol, calls);
    }
    cases
}

#[test]
fn calls_of_real_peers_are_as_they_write_them_in_the_other_encoding() {
    let mut compared = 0;
    for (name, calls) in cases() {
        let (Some(binary), Some(compact)) = (calls.get("binary"), calls.get("compact")) else {
            continue;
        };
        assert_eq!(binary.len(), compact.len(), "{name}");
        for (binary, compact) in binary.iter().zip(compact) {
            assert_eq!(reencoded(binary, "compact").as_ref(), Ok(compact), "{name}");
            let back = reencoded(compact, "binary").expect("a real message");
            assert_eq!(reencoded(&back, "compact").as_ref(), Ok(compact), "{name}");
            // The compact protocol does not tell the types of empty maps: those may differ.
            assert_eq!(back.len(), binary.len(), "{name}");
            compared += 1;
        }
    }
    assert!(compared >= 100, "only {compared} calls");
}

fn corpus() -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus/thrift_transcode");
    let files = std::fs::read_dir(folder).expect("the corpus is in the repository");
    let mut paths: Vec<_> = files.map(|file| file.expect("it can be listed").path()).collect();
    paths.sort();
    paths.iter().map(|path| std::fs::read(path).expect("it can be read")).collect()
}

#[test]
fn the_corpus_of_the_fuzz_target_for_values_holds() {
    let corpus = corpus();
    assert!(corpus.len() >= 20, "only {} inputs", corpus.len());
    corpus.iter().for_each(|data| fuzz(data));
}

proptest! {
    #[test]
    fn arguments_with_wrong_bytes_do_no_harm(
        pick in any::<prop::sample::Index>(),
        wrong in vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
        behind in vec(any::<u8>(), 0..8),
    ) {
        static CORPUS: std::sync::LazyLock<Vec<Vec<u8>>> = std::sync::LazyLock::new(corpus);
        let mut data = pick.get(&CORPUS).clone();
        for (at, byte) in wrong {
            let at = at.index(data.len());
            data[at] = byte;
        }
        data.extend(behind);
        fuzz(&data);
    }
}
