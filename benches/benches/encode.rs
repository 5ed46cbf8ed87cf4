//! Writing: a message with a property set, an error reply, a request id in place.

mod awesomerpc;

use std::hint::black_box;

use criterion::{BenchmarkId, Throughput};
use metaproto_awesomerpc::AwesomeRpc;
use metaproto_core::{BytesMut, Error, ErrorKind, Frame, Mutation, Output, RequestHead};

use self::awesomerpc::{codec, criterion, decoded, frame};

fn main() {
    let mut criterion = criterion();
    let mut codec = codec(&*AwesomeRpc::protocol());

    // A large body is shared, not copied: its size must not show.
    let mut group = criterion.benchmark_group("encode/set cmd");
    let mutation = Mutation::new().set("cmd", "258");
    for size in [128, 64 << 10] {
        let message = decoded(&mut *codec, &frame(size, 100));
        group.throughput(Throughput::Elements(1));
        group.bench_function(BenchmarkId::from_parameter(format!("{size} bytes")), |bencher| {
            bencher.iter(|| {
                let mut out = Output::new();
                codec.encode(black_box(&message), black_box(&mutation), &mut out).expect("it can");
                out
            });
        });
    }
    group.finish();

    let mut group = criterion.benchmark_group("encode");
    group.throughput(Throughput::Elements(1));
    let request = RequestHead::of(&decoded(&mut *codec, &frame(128, 100)));
    let error = Error::new(ErrorKind::Timeout, "no response from 127.0.0.1:9001 in time");
    let mut out = BytesMut::with_capacity(1024);
    group.bench_function("error reply", |bencher| {
        bencher.iter(|| {
            out.clear();
            codec.on_error(black_box(&request), black_box(&error), &mut out).expect("it can");
        });
    });
    let mut header = frame(128, 100)[..AwesomeRpc::HEADER_SIZE].to_vec();
    group.bench_function("request id in place", |bencher| {
        bencher.iter(|| codec.patch_request_id(black_box(&mut header), black_box(9)));
    });
    group.finish();
    criterion.final_summary();
}
