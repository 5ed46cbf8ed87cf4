//! How long requests take, as it is counted.

use metaproto_core::ErrorKind;
use tokio::time::sleep;

use super::world::Door;
use super::*;
use crate::counters::Histogram;

/// How many a histogram has counted, and how long they were together in milliseconds.
fn sums(histogram: &Histogram) -> (u64, u64) {
    (histogram.count(), histogram.micros() / 1000)
}

#[test]
fn a_call_is_timed_from_its_request_to_its_response() {
    for mode in MODES {
        run(simple(mode), async |world| {
            let mut client = world.client().await;
            client.send(&request(1, "a")).await;
            let mut server = world.accept(1).await;
            let got = server.recv().await;
            sleep(ms(30)).await;
            server.send(&response(got.id, "b")).await;
            client.recv().await;
            let (listener, cluster) = (world.listener(), world.cluster());
            assert_eq!(sums(&listener.duration), (1, 30));
            assert_eq!(sums(&cluster.duration), (1, 30));
            let under = |bound| listener.duration.cumulative().find(|(at, _)| *at == bound);
            assert_eq!([under(20_000), under(50_000)], [Some((20_000, 0)), Some((50_000, 1))]);
        });
    }
}

#[test]
fn an_error_counts_for_the_client_and_not_for_the_cluster() {
    run(simple(Sharing::Shared), async |world| {
        let mut client = world.client().await;
        client.send(&Frame { code: 5, ..request(1, "timeout") }).await;
        let mut server = world.accept(1).await;
        server.recv().await;
        client.expect_error(1, ErrorKind::Timeout).await;
        let (count, took) = sums(&world.listener().duration);
        assert!(count == 1 && (50..=70).contains(&took), "{count} in {took} ms");
        assert_eq!(sums(&world.cluster().duration), (0, 0));
    });
}

#[test]
fn what_nobody_waits_for_is_not_timed() {
    run(simple(Sharing::Shared), async |world| {
        let mut client = world.client().await;
        client.send(&oneway(1, "a")).await;
        world.accept(1).await.recv().await;
        world.door(1, Door::Refuse);
        assert_eq!(world.listener().completed.total(), 1);
        assert_eq!(sums(&world.listener().duration), (0, 0));
    });
}

/// The client waits for all tries, and an endpoint is timed for its own.
#[test]
fn time_at_another_endpoint_is_not_the_clusters() {
    let snapshot = Snapshot::new().listener(listener()).cluster(cluster(Sharing::Shared, 2));
    run(snapshot, async |world| {
        world.door(1, Door::Hang);
        let mut client = world.client().await;
        client.send(&request(1, "a")).await;
        let mut server = world.accept(2).await;
        let got = server.recv().await;
        sleep(ms(5)).await;
        server.send(&response(got.id, "b")).await;
        client.recv().await;
        assert_eq!(sums(&world.listener().duration), (1, 1005));
        assert_eq!(sums(&world.cluster().duration), (1, 5));
    });
}
