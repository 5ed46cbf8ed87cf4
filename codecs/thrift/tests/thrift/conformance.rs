//! The laws that every codec must keep, in every dialect, and on messages of real peers.

use std::path::Path;
use std::sync::{Arc, LazyLock};

use metaproto_core::conformance::{self, Allocations, Samples};
use metaproto_core::{Bytes, Options, Protocol, Side};
use metaproto_thrift::Thrift;
use proptest::prelude::*;

use super::captures::streams;
use super::streams::messages;
use super::support::{CALL, COMPACT, OLD, deflated, framed, with_header, with_tt_header};

/// Counts what the calling thread allocates.
fn meter(run: &mut dyn FnMut()) -> Allocations {
    let info = allocation_counter::measure(run);
    Allocations { count: info.count_total, bytes: info.bytes_total }
}

/// The same without what it takes to decompress anything at all: a window of 32 KiB, and tables.
fn meter_apart_from_windows(run: &mut dyn FnMut()) -> Allocations {
    let Allocations { count, bytes } = meter(run);
    Allocations { count, bytes: bytes.saturating_sub(48 << 10) }
}

const RESULT: &[u8] =
    b"\x80\x01\x00\x02\x00\x00\x00\x04find\x00\x00\x00\x07\x0b\x00\x00\x00\x00\x00\x02hi\x00";
const COMPACT_RESULT: &[u8] = b"\x82\x41\x07\x04find\x08\x00\x02hi\x00";

#[test]
fn the_codec_keeps_every_law_in_every_dialect() {
    let pairs = [("tenant", "blue"), ("client_timeout", "3000"), ("other", "x")];
    for (call, result) in [(CALL, RESULT), (OLD, RESULT), (COMPACT, COMPACT_RESULT)] {
        for transport in ["unframed", "framed"] {
            let carry = |message: &[u8]| match transport {
                "framed" => framed(message),
                _ => message.to_vec(),
            };
            let samples = Samples::new()
                .request(carry(call))
                .response(carry(result))
                .allocation_meter(meter)
                .allocations_per_decode(0);
            conformance::check(&*on(transport), samples);
        }
        type Carry = fn(&[(&str, &str)], &[u8]) -> Vec<u8>;
        let carriers = [
            ("auto", with_header as Carry),
            ("auto", with_tt_header),
            ("header", with_header),
            ("ttheader", with_tt_header),
        ];
        conformance::check(
            &*on("auto"),
            Samples::new()
                .request(deflated(COMPACT))
                .response(with_header(&[], COMPACT_RESULT))
                .allocation_meter(meter_apart_from_windows),
        );
        for (transport, carry) in carriers {
            let samples = Samples::new()
                .request(carry(&pairs, call))
                .request(carry(&[], call))
                .response(carry(&pairs, result))
                .allocation_meter(meter_apart_from_windows)
                .allocations_per_decode(0);
            conformance::check(&*on(transport), samples);
        }
    }
}

/// The protocol on this transport only.
fn on(transport: &str) -> Arc<dyn Protocol> {
    let options = Options::from([("transport".to_owned(), transport.to_owned())]);
    Thrift::protocol().configure(&options).expect("there is such a transport")
}

/// Where a message is from, who reads it, and what it is.
type Sample = (String, Side, Bytes);

/// Small messages of real peers, of one kind of carrier, spread over all captures.
fn real(headers: bool) -> Vec<Sample> {
    let mut all = Vec::new();
    for stream in streams().iter().filter(|stream| !stream.name.contains("gopkg-stream")) {
        if let Some((frame, _)) = messages(stream).into_iter().next() {
            let has_headers = matches!(frame.get(4..6), Some([0x0f, 0xff] | [0x10, 0x00]));
            if frame.len() <= 200 && has_headers == headers {
                all.push((stream.name.clone(), stream.side, frame));
            }
        }
    }
    let step = (all.len() / 10).max(1) | 1;
    all.into_iter().step_by(step).collect()
}

#[test]
fn the_corpus_of_the_fuzz_target_holds() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus/thrift_decode");
    let mut count = 0;
    for file in std::fs::read_dir(&folder).expect("the corpus is in the repository") {
        let data = std::fs::read(file.expect("it can be listed").path()).expect("it can be read");
        conformance::fuzz(&*Thrift::protocol(), &data);
        count += 1;
    }
    assert!(count >= 10, "only {count} inputs in {}", folder.display());
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
        static FRAMES: LazyLock<Vec<Sample>> =
            LazyLock::new(|| [real(true), real(false)].concat());
        let mut data = vec![chunks];
        for (pick, wrong) in picks {
            let mut frame = pick.get(&FRAMES).2.to_vec();
            for (at, byte) in wrong.into_iter().flatten() {
                let at = at.index(frame.len());
                frame[at] = byte;
            }
            data.extend(frame);
        }
        conformance::fuzz(&*Thrift::protocol(), &data);
    }
}
