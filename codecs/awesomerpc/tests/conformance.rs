//! The laws that every codec must keep, checked with metaproto's conformance kit; and the inputs of
//! the fuzz target, replayed without a fuzzer.

use std::path::Path;

use metaproto_awesomerpc::AwesomeRpc;
use metaproto_core::conformance::{self, Allocations, Samples};
use metaproto_core::{Auto, Bytes, BytesMut, Frame};
use proptest::prelude::*;

/// Counts what the calling thread allocates.
fn meter(run: &mut dyn FnMut()) -> Allocations {
    let info = allocation_counter::measure(run);
    Allocations { count: info.count_total, bytes: info.bytes_total }
}

fn frame(pack_flow: u32, req_cmd: i16, rsp_code: i16, body: &[u8]) -> Vec<u8> {
    let pack_len = Auto::new();
    let body = Bytes::copy_from_slice(body);
    let message = AwesomeRpc { version: 1, pack_flow, pack_len, req_cmd, rsp_code, body };
    let mut wire = BytesMut::new();
    message.write(&mut wire).expect("it fits");
    wire.to_vec()
}

fn samples() -> Samples {
    Samples::new()
        .request(frame(1, 7, 0, b"hello"))
        .named("a request")
        .request(frame(u32::MAX, -1, 0, b""))
        .named("a request without a body, extreme id")
        .request(frame(2, i16::MIN, 0, &[0xa5; 3000]))
        .named("a request with a body that is copied")
        .request(frame(3, i16::MAX, 0, &[0x5a; 20_000]))
        .named("a request with a body that is shared")
        .response(frame(1, 7, 0, b"world"))
        .named("a response")
        .response(frame(0, 0, 0, b""))
        .named("a response of nothing but zeros")
        .response(frame(4, 7, 42, b"out of stock"))
        .named("the application says no")
        .response(frame(5, 7, -6, b"no response in time"))
        .named("an error reply of a proxy")
        .response(frame(6, 7, 0, &[0xff; 20_000]))
        .named("a response with a large body")
        // No allocation for a decode: `allocations_per_decode` is zero unless it is set.
        .allocation_meter(meter)
}

#[test]
fn the_codec_keeps_every_law_and_decodes_without_allocating() {
    conformance::check(&*AwesomeRpc::protocol(), samples());
}

#[test]
fn the_corpus_of_the_fuzz_target_holds() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus/awesomerpc_decode");
    let files = std::fs::read_dir(&folder).expect("the corpus is in the repository");
    let mut count = 0;
    for file in files {
        let data = std::fs::read(file.expect("it can be listed").path()).expect("it can be read");
        conformance::fuzz(&*AwesomeRpc::protocol(), &data);
        count += 1;
    }
    assert!(count >= 4, "only {count} inputs in {}", folder.display());
}

/// A part of a stream: a frame, or a frame with one byte changed, or anything.
fn part() -> impl Strategy<Value = Vec<u8>> {
    let bytes = |most| proptest::collection::vec(any::<u8>(), 0..most);
    let good = (any::<(u32, i16, i16)>(), bytes(40))
        .prop_map(|((id, cmd, code), body)| frame(id, cmd, code, &body));
    let bad = (good.clone(), any::<prop::sample::Index>(), any::<u8>()).prop_map(
        |(mut frame, at, byte)| {
            let at = at.index(frame.len());
            frame[at] = byte;
            frame
        },
    );
    prop_oneof![4 => good, 2 => bad, 1 => bytes(20)]
}

proptest! {
    #[test]
    fn nearly_valid_streams_in_any_chunks_hold(
        chunks: u8,
        parts in proptest::collection::vec(part(), 0..5),
    ) {
        let data = [&[chunks][..], &parts.concat()].concat();
        conformance::fuzz(&*AwesomeRpc::protocol(), &data);
    }

    #[test]
    fn arbitrary_bytes_hold(data in proptest::collection::vec(any::<u8>(), 0..100)) {
        conformance::fuzz(&*AwesomeRpc::protocol(), &data);
    }
}
