//! Another configuration while requests are in flight.

use metaproto_core::ErrorKind;

use super::world::Door;
use super::*;
use crate::model::{Hedge, Predicate, Retry, RetryOn};

fn to(mode: Sharing, endpoints: impl IntoIterator<Item = u8>) -> Snapshot {
    let endpoints = endpoints.into_iter().map(address);
    Snapshot::new().listener(listener()).cluster(Cluster::new("c", endpoints).sharing(mode))
}

#[test]
fn open_connections_follow_the_new_routes() {
    run(simple(Sharing::Shared), async |world| {
        let mut client = world.client().await;
        client.send(&request(1, "a")).await;
        world.accept(1).await.echo().await;
        client.expect(&response(1, "a")).await;
        let mut listener = listener();
        listener.routes =
            vec![Arc::new(Route::to("d").when("to", Predicate::Exact(b'b'.to_string())))];
        let other = Cluster::new("d", [address(2)]);
        world.apply(Snapshot::new().listener(listener).cluster(other));
        client.send_all(&[request(2, "a"), request(3, "b")]).await;
        client.expect_error(2, ErrorKind::RouteNotFound).await;
        world.accept(2).await.echo().await;
        client.expect(&response(3, "b")).await;
    });
}

#[test]
fn an_endpoint_that_stays_keeps_its_connections() {
    for mode in MODES {
        run(simple(mode), async |world| {
            let mut client = world.client().await;
            client.send(&request(1, "a")).await;
            let mut server = world.accept(1).await;
            server.echo().await;
            client.recv().await;
            world.apply(to(mode, [2, 1]));
            world.apply(to(mode, [1]));
            client.send(&request(2, "b")).await;
            server.echo().await;
            client.expect(&response(2, "b")).await;
            assert_eq!(world.cluster().connections, 1);
        });
    }
}

#[test]
fn a_removed_endpoint_finishes_what_it_has_and_gets_no_more() {
    for mode in MODES {
        run(simple(mode), async |world| {
            let mut client = world.client().await;
            client.send(&request(1, "old")).await;
            let mut old = world.accept(1).await;
            let got = old.recv().await;
            world.apply(to(mode, [2]));
            client.send(&request(2, "new")).await;
            world.accept(2).await.echo().await;
            client.expect(&response(2, "new")).await;
            old.send(&response(got.id, "done")).await;
            client.expect(&response(1, "done")).await;
            old.expect_closed().await;
        });
    }
}

#[test]
fn a_removed_endpoint_that_resets_fails_its_calls_and_the_books_balance() {
    for mode in MODES {
        run(simple(mode), async |world| {
            let mut client = world.client().await;
            client.send(&request(1, "old")).await;
            let mut old = world.accept(1).await;
            old.recv().await;
            world.apply(to(mode, [2]));
            drop(old);
            client.expect_error(1, ErrorKind::UpstreamReset).await;
            assert_eq!(world.cluster().active, 0);
        });
    }
}

#[test]
fn calls_that_wait_for_a_removed_endpoint_go_to_another() {
    // For a free connection to it ...
    let with_one = |n| {
        let mut snapshot = to(Sharing::Exclusive, [n]);
        let cluster = Arc::make_mut(snapshot.clusters.get_mut("c").unwrap());
        cluster.max_connections = 1;
        snapshot
    };
    run(with_one(1), async |world| {
        let mut client = world.client().await;
        client.send_all(&[request(1, "sent"), request(2, "waits")]).await;
        let mut old = world.accept(1).await;
        let got = old.recv().await;
        world.apply(with_one(2));
        world.accept(2).await.echo().await;
        client.expect(&response(2, "waits")).await;
        old.send(&response(got.id, "done")).await;
        client.expect(&response(1, "done")).await;
    });
    // ... or for one that is being made, and fails.
    for mode in MODES {
        run(simple(mode), async |world| {
            world.door(1, Door::Hang);
            let mut client = world.client().await;
            client.send(&request(1, "waits")).await;
            world.settle().await;
            world.apply(to(mode, [2]));
            world.accept(2).await.echo().await;
            client.expect(&response(1, "waits")).await;
            assert_eq!(world.cluster().active, 0);
        });
    }
}

#[test]
fn calls_that_have_met_a_closed_door_go_to_the_endpoints_of_the_new_configuration() {
    for mode in MODES {
        run(to(mode, [1, 2]), async |world| {
            world.door(1, Door::Refuse);
            world.door(2, Door::Hang);
            let mut client = world.client().await;
            client.send(&request(1, "waits")).await;
            world.settle().await;
            world.apply(to(mode, [3]));
            world.accept(3).await.echo().await;
            client.expect(&response(1, "waits")).await;
        });
    }
}

/// The listener leads to another cluster, and nothing to the first any more.
fn elsewhere() -> Snapshot {
    let mut listener = listener();
    listener.routes = vec![Arc::new(Route::to("d"))];
    Snapshot::new().listener(listener).cluster(Cluster::new("d", [address(2)]))
}

#[test]
fn calls_that_wait_for_a_connection_to_a_removed_cluster_get_it() {
    let mut only_one = simple(Sharing::Exclusive);
    let cluster = Arc::make_mut(only_one.clusters.get_mut("c").unwrap());
    cluster.max_connections = 1;
    run(only_one, async |world| {
        let mut client = world.client().await;
        client.send_all(&[request(1, "sent"), request(2, "waits")]).await;
        let mut server = world.accept(1).await;
        let got = server.recv().await;
        world.apply(elsewhere());
        tokio::time::sleep(ms(3000)).await;
        server.send(&response(got.id, "done")).await;
        client.expect(&response(1, "done")).await;
        server.echo().await;
        client.expect(&response(2, "waits")).await;
        client.send(&request(3, "new")).await;
        world.accept(2).await.echo().await;
        client.expect(&response(3, "new")).await;
        server.expect_closed().await;
        tokio::time::sleep(ms(3000)).await;
        assert_eq!(world.worker.borrow().clusters.len(), 1);
    });
}

#[test]
fn calls_to_a_removed_cluster_are_tried_again() {
    let mut retry = Retry::on([RetryOn::Reset]);
    (retry.backoff, retry.max_backoff) = (ms(3000), ms(3000));
    let mut retried = Route::to("c");
    retried.retry = Some(retry);
    let mut hedged = Route::to("c");
    hedged.hedge = Some(Hedge { after: ms(3000) });
    for route in [retried, hedged] {
        let mut listener = listener();
        listener.routes = vec![Arc::new(route)];
        let before = Snapshot::new().listener(listener);
        run(before.cluster(cluster(Sharing::Shared, 1)), async |world| {
            let mut client = world.client().await;
            client.send(&request(1, "a")).await;
            let mut server = world.accept(1).await;
            server.recv().await;
            drop(server);
            world.settle().await;
            world.apply(elsewhere());
            world.accept(1).await.echo().await;
            client.expect(&response(1, "a")).await;
        });
    }
}

#[test]
fn a_removed_listener_serves_what_is_in_flight_and_lets_its_clients_go() {
    run(simple(Sharing::Shared), async |world| {
        let (mut idle, mut busy) = (world.client().await, world.client().await);
        busy.send(&request(1, "a")).await;
        let mut server = world.accept(1).await;
        let got = server.recv().await;
        world.apply(Snapshot::new());
        let go_away = Frame::new(toy::GO_AWAY, 0, 0, "");
        idle.expect(&go_away).await;
        idle.expect_closed().await;
        busy.expect(&go_away).await;
        busy.expect_silence().await;
        server.send(&response(got.id, "done")).await;
        busy.expect(&response(1, "done")).await;
        busy.expect_closed().await;
        server.expect_closed().await;
        tokio::time::sleep(ms(3000)).await;
        let worker = world.worker.borrow();
        assert!(worker.clusters.is_empty() && worker.retired.is_empty());
        drop(worker);
        assert_eq!(world.listener().started, 1, "a listener that is gone keeps its numbers");
        assert_eq!(world.cluster().requests, 1);
    });
}

#[test]
fn connections_used_in_another_way_finish_and_are_replaced() {
    for before in MODES {
        for after in MODES.into_iter().filter(|mode| *mode != before) {
            run(simple(before), async |world| {
                let mut client = world.client().await;
                client.send(&request(1, "old")).await;
                let mut old = world.accept(1).await;
                let got = old.recv().await;
                world.apply(simple(after));
                client.send(&request(2, "new")).await;
                let mut new = world.accept(1).await;
                new.echo().await;
                client.expect(&response(2, "new")).await;
                old.send(&response(got.id, "done")).await;
                client.expect(&response(1, "done")).await;
                old.expect_closed().await;
                client.send(&request(3, "more")).await;
                new.echo().await;
                client.expect(&response(3, "more")).await;
            });
        }
    }
}

#[test]
fn more_connections_by_configuration_let_those_go_that_wait() {
    let with = |max| {
        let mut cluster = cluster(Sharing::Exclusive, 1);
        cluster.max_connections = max;
        Snapshot::new().listener(listener()).cluster(cluster)
    };
    run(with(1), async |world| {
        let mut client = world.client().await;
        client.send_all(&[request(1, "a"), request(2, "b"), request(3, "c")]).await;
        let mut one = world.accept(1).await;
        let got = one.recv().await;
        world.apply(with(2));
        let mut two = world.accept(1).await;
        two.echo().await;
        client.expect(&response(2, "b")).await;
        two.echo().await;
        client.expect(&response(3, "c")).await;
        one.send(&response(got.id, "a")).await;
        client.expect(&response(1, "a")).await;
    });
}

#[test]
fn a_removed_cluster_and_listener_hold_nothing_any_more() {
    run(simple(Sharing::Shared), async |world| {
        world.upstream_pipe(10);
        let mut client = world.client_with_pipe(10).await;
        let big = [b'a'; 3000];
        let call = request(1, big);
        let ((), mut server) = tokio::join!(client.send(&call), world.accept(1));
        world.settle().await;
        assert!(world.cluster().buffered > 2000);
        let got = server.recv().await;
        server.send(&response(got.id, big)).await;
        world.settle().await;
        assert!(world.listener().buffered > 2000);
        // The last that was measured is not what counts when they are gone.
        let mut listener = listener();
        listener.name = "k".into();
        listener.routes = vec![Arc::new(Route::to("d"))];
        let other = Cluster::new("d", [address(2)]);
        world.apply(Snapshot::new().listener(listener).cluster(other));
        world.counters();
        client.recv().await;
        drop((client, server));
        tokio::time::sleep(ms(5000)).await;
        assert_eq!((world.cluster().buffered, world.listener().buffered), (0, 0));
    });
}
