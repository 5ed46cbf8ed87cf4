//! What is refused because too much of a cluster is in use.

use metaproto_core::{ErrorKind, StatusClass};

use super::*;
use crate::counters::Outcome;
use crate::model::{AdaptiveConcurrency, CircuitBreakers, Hedge, Retry, RetryOn};

fn limited(sharing: Sharing, endpoints: u8, breakers: CircuitBreakers) -> Snapshot {
    let mut cluster = cluster(sharing, endpoints);
    cluster.circuit_breakers = breakers;
    Snapshot::new().listener(listener()).cluster(cluster)
}

fn requests(max: usize) -> CircuitBreakers {
    CircuitBreakers { max_requests: Some(max), ..CircuitBreakers::default() }
}

#[test]
fn calls_beyond_those_that_may_be_in_flight_are_refused_at_once() {
    for mode in [Sharing::Shared, Sharing::Exclusive] {
        run(limited(mode, 1, requests(2)), async |world| {
            let (mut one, mut other) = (world.client().await, world.client().await);
            one.send(&request(1, "a")).await;
            let mut server = world.accept(1).await;
            other.send_all(&[request(2, "b"), request(3, "c"), request(4, "d")]).await;
            other.expect_error(3, ErrorKind::Overloaded).await;
            other.expect_error(4, ErrorKind::Overloaded).await;
            server.echo().await;
            one.expect(&response(1, "a")).await;
            // There is room again.
            one.send(&request(5, "e")).await;
            let mut second = match mode {
                Sharing::Exclusive => world.accept(1).await,
                _ => server,
            };
            second.echo().await;
            other.expect(&response(2, "b")).await;
            let counters = world.cluster();
            assert_eq!((counters.refused_requests, counters.requests), (2, 3));
            assert_eq!(world.count(Outcome::Error(ErrorKind::Overloaded)), 2);
        });
    }
}

#[test]
fn a_hedged_call_that_is_refused_does_not_wait_for_its_second_try() {
    let mut route = Route::to("c");
    route.hedge = Some(Hedge { after: ms(10_000) });
    let mut listener = listener();
    listener.routes = vec![Arc::new(route)];
    let mut snapshot = limited(Sharing::Shared, 2, requests(1));
    snapshot.listeners = vec![Arc::new(listener)];
    run(snapshot, async |world| {
        let mut client = world.client().await;
        client.send(&request(1, "a")).await;
        let mut server = world.accept(1).await;
        let got = server.recv().await;
        let start = tokio::time::Instant::now();
        client.send(&request(2, "b")).await;
        client.expect_error(2, ErrorKind::Overloaded).await;
        assert!(start.elapsed() < ms(100), "{:?}", start.elapsed());
        server.send(&response(got.id, "a")).await;
        client.expect(&response(1, "a")).await;
        // Its second try is not sent, though there is room again.
        tokio::time::sleep(ms(20_000)).await;
        client.expect_silence().await;
        assert_eq!(world.cluster().requests, 1);
        assert_eq!(world.count(Outcome::Error(ErrorKind::Overloaded)), 1);
    });
}

#[test]
fn nobody_waits_beyond_those_that_may_wait_for_a_connection() {
    for mode in [Sharing::Shared, Sharing::Exclusive] {
        let mut breakers = CircuitBreakers { max_pending: Some(2), ..CircuitBreakers::default() };
        breakers.max_connections = Some(1);
        run(limited(mode, 1, breakers), async |world| {
            world.door(1, world::Door::Hang);
            let mut client = world.client().await;
            client.send_all(&[request(1, "a"), request(2, "b"), request(3, "c")]).await;
            client.expect_error(3, ErrorKind::Overloaded).await;
            let counters = world.cluster();
            assert_eq!((counters.refused_pending, counters.pending, counters.active), (1, 2, 2));
        });
    }
}

#[test]
fn there_are_never_more_connections_than_may_be_to_all_endpoints() {
    let breakers = CircuitBreakers { max_connections: Some(1), ..CircuitBreakers::default() };
    run(limited(Sharing::Exclusive, 2, breakers), async |world| {
        let mut client = world.client().await;
        client.send_all(&[request(1, "a"), request(2, "b"), request(3, "c")]).await;
        let mut server = world.accept(1).await;
        // The other endpoint has no connection, and none can be waited for.
        client.expect_error(2, ErrorKind::Overloaded).await;
        server.echo().await;
        server.echo().await;
        client.expect(&response(1, "a")).await;
        client.expect(&response(3, "c")).await;
        let counters = world.cluster();
        assert_eq!((counters.refused_connections, counters.connections), (1, 1));
    });
}

#[test]
fn with_no_further_connection_calls_share_those_that_there_are() {
    let breakers = CircuitBreakers { max_connections: Some(1), ..CircuitBreakers::default() };
    let mut cluster = cluster(Sharing::Shared, 1);
    (cluster.connections, cluster.circuit_breakers) = (3, breakers);
    run(Snapshot::new().listener(listener()).cluster(cluster), async |world| {
        let mut client = world.client().await;
        client.send_all(&[request(1, "a"), request(2, "b")]).await;
        let mut server = world.accept(1).await;
        server.echo().await;
        server.echo().await;
        client.expect(&response(1, "a")).await;
        client.expect(&response(2, "b")).await;
        assert_eq!(world.cluster().connections, 1);
    });
}

#[test]
fn bound_clients_without_a_connection_are_refused() {
    let breakers = CircuitBreakers { max_connections: Some(1), ..CircuitBreakers::default() };
    run(limited(Sharing::Bound, 1, breakers), async |world| {
        let (mut one, mut other) = (world.client().await, world.client().await);
        one.send(&request(1, "a")).await;
        let mut server = world.accept(1).await;
        server.echo().await;
        one.expect(&response(1, "a")).await;
        other.send(&request(1, "b")).await;
        other.expect_error(1, ErrorKind::Overloaded).await;
        drop(one);
        world.settle().await;
        other.send(&request(2, "b")).await;
        world.accept(1).await.echo().await;
        other.expect(&response(2, "b")).await;
        assert_eq!(world.cluster().refused_connections, 1);
    });
}

#[test]
fn each_operation_has_its_own_bound_and_those_without_a_name_have_none() {
    // The toy names an operation after the first byte of the body.
    let operations = [(b's'.to_string(), 1)].into();
    let breakers = CircuitBreakers { operations, ..CircuitBreakers::default() };
    run(limited(Sharing::Shared, 1, breakers), async |world| {
        let mut client = world.client().await;
        let calls = ["slow", "fast", "fast", "slow"];
        let calls: Vec<_> = (1..).zip(calls).map(|(id, body)| request(id, body)).collect();
        client.send_all(&calls).await;
        client.expect_error(4, ErrorKind::Overloaded).await;
        let mut server = world.accept(1).await;
        for (id, body) in [(1, "slow"), (2, "fast"), (3, "fast")] {
            server.echo().await;
            client.expect(&response(id, body)).await;
        }
        client.send(&request(5, "slow")).await;
        server.echo().await;
        client.expect(&response(5, "slow")).await;
        assert_eq!(world.cluster().refused_operations, 1);
    });
}

#[test]
fn a_hedged_call_keeps_its_place_until_both_have_ended() {
    let operations = [(b's'.to_string(), 1)].into();
    let mut cluster = cluster(Sharing::Shared, 2);
    cluster.circuit_breakers = CircuitBreakers { operations, ..CircuitBreakers::default() };
    let mut route = Route::to("c");
    route.hedge = Some(Hedge { after: ms(50) });
    let mut listener = listener();
    listener.routes = vec![Arc::new(route)];
    run(Snapshot::new().listener(listener).cluster(cluster), async |world| {
        let mut client = world.client().await;
        client.send(&request(1, "slow")).await;
        let (mut one, mut other) = (world.accept(1).await, world.accept(2).await);
        one.echo().await;
        client.expect(&response(1, "slow")).await;
        client.send(&request(2, "slow")).await;
        client.expect_error(2, ErrorKind::Overloaded).await;
        other.echo().await;
        world.settle().await;
        client.send(&request(3, "slow")).await;
        let server = tokio::select! {
            got = one.recv() => { one.send(&response(got.id, "slow")).await; 1 }
            got = other.recv() => { other.send(&response(got.id, "slow")).await; 2 }
        };
        client.expect(&response(3, "slow")).await;
        assert!(server > 0);
    });
}

#[test]
fn further_attempts_are_limited_too() {
    let mut retry = Retry::on([RetryOn::Class(StatusClass::ApplicationError)]);
    retry.backoff = Duration::ZERO;
    let mut route = Route::to("c");
    route.retry = Some(retry);
    let mut listener = listener();
    listener.routes = vec![Arc::new(route)];
    let mut cluster = cluster(Sharing::Shared, 1);
    cluster.circuit_breakers =
        CircuitBreakers { max_retries: Some(1), ..CircuitBreakers::default() };
    run(Snapshot::new().listener(listener).cluster(cluster), async |world| {
        let mut client = world.client().await;
        client.send_all(&[request(1, "a"), request(2, "b")]).await;
        let mut server = world.accept(1).await;
        let (one, two) = (server.recv().await, server.recv().await);
        server.send(&Frame::new(toy::RESPONSE, one.id, 9, "no")).await;
        let again = server.recv().await;
        assert_eq!(again.body, b"a");
        server.send(&Frame::new(toy::RESPONSE, two.id, 9, "no")).await;
        client.expect(&Frame::new(toy::RESPONSE, 2, 9, "no")).await;
        server.send(&response(again.id, "yes")).await;
        client.expect(&response(1, "yes")).await;
        let counters = world.cluster();
        assert_eq!((counters.retries, counters.retries_refused), (1, 1));
    });
}

#[test]
fn limits_that_come_with_a_reload_count_what_is_in_flight_already() {
    run(simple(Sharing::Shared), async |world| {
        let mut client = world.client().await;
        client.send_all(&[request(1, "a"), request(2, "b")]).await;
        let mut server = world.accept(1).await;
        world.settle().await;
        world.apply(limited(Sharing::Shared, 1, requests(2)));
        client.send(&request(3, "c")).await;
        client.expect_error(3, ErrorKind::Overloaded).await;
        world.apply(limited(Sharing::Shared, 1, requests(3)));
        client.send_all(&[request(4, "d"), request(5, "e")]).await;
        client.expect_error(5, ErrorKind::Overloaded).await;
        world.apply(simple(Sharing::Shared));
        client.send(&request(6, "f")).await;
        for (id, body) in [(1, "a"), (2, "b"), (4, "d"), (6, "f")] {
            server.echo().await;
            client.expect(&response(id, body)).await;
        }
    });
}

#[test]
fn a_cluster_whose_answers_take_ever_longer_gets_fewer_calls() {
    let mut cluster = cluster(Sharing::Shared, 1);
    cluster.adaptive_concurrency =
        Some(AdaptiveConcurrency { min: 2, ..AdaptiveConcurrency::default() });
    run(Snapshot::new().listener(listener()).cluster(cluster), async |world| {
        let mut client = world.client().await;
        client.send(&request(0, "first")).await;
        let mut server = world.accept(1).await;
        server.echo().await;
        client.recv().await;
        assert_eq!(world.cluster().adaptive_limit, 2);
        // It carries out two at a time, ten milliseconds each, and there are always thirty calls.
        for round in 1..200 {
            let calls: Vec<_> = (0..30).map(|n| request(round * 100 + n, "x")).collect();
            client.send_all(&calls).await;
            world.settle().await;
            let sent = world.cluster().active;
            for call in 0..sent {
                if call % 2 == 0 {
                    tokio::time::sleep(ms(10)).await;
                }
                server.echo().await;
            }
            for _ in 0..30 {
                client.recv().await;
            }
        }
        let counters = world.cluster();
        assert!((2..12).contains(&counters.adaptive_limit), "{}", counters.adaptive_limit);
        assert!(counters.refused_adaptive > 1000);
    });
}
