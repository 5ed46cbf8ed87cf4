//! Finding the first route that matches, as the engine does: the routes of a listener in order, each
//! with one exact condition. The last of them matches, or none.

mod awesomerpc;

use std::hint::black_box;

use criterion::{BenchmarkId, Throughput};
use metaproto_awesomerpc::AwesomeRpc;
use metaproto_proxy::model::{Predicate, Route};

use self::awesomerpc::{codec, criterion, decoded, frame};

fn main() {
    let mut criterion = criterion();
    let mut codec = codec(&*AwesomeRpc::protocol());
    let mut group = criterion.benchmark_group("route_match");
    for count in [1_i16, 10, 100] {
        let route = |cmd: i16| Route::to("c").when("cmd", Predicate::Exact(cmd.to_string()));
        let routes: Vec<_> = (1..=count).map(route).collect();
        let last = decoded(&mut *codec, &frame(128, count));
        let none = decoded(&mut *codec, &frame(128, 0));
        group.throughput(Throughput::Elements(1));
        for (name, request, found) in [("last", &last, true), ("none", &none, false)] {
            let find = || routes.iter().find(|route| route.matches(black_box(request)));
            assert_eq!(find().is_some(), found);
            group.bench_function(BenchmarkId::new(name, count), |bencher| bencher.iter(find));
        }
    }
    group.finish();
    criterion.final_summary();
}
