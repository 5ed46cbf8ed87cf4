//! What configuration changes: messages, routes, and the proxy while it runs.

use std::time::Duration;

use metaproto_core::{ErrorKind, Mutation, StatusClass};
use metaproto_examples::Client;
use metaproto_proxy::counters::Outcome;
use metaproto_proxy::model::{Cluster, Predicate, Route, Snapshot};

use crate::support::{Raw, backend, forward, listener, said, soon, start, wire};

fn to(cluster: &str, address: std::net::SocketAddr) -> Snapshot {
    let cluster_of = Cluster::new(cluster, [address]);
    Snapshot::new().listener(listener().route(Route::to(cluster))).cluster(cluster_of)
}

#[tokio::test]
async fn requests_and_responses_can_be_changed() {
    // The backend is a proxy that has a route for cmd 7 only: it shows what the first proxy sends.
    let backend = backend("v1").await;
    let only_7 = Route::to("upstream").when("cmd", Predicate::Exact("7".into()));
    let cluster = Cluster::new("upstream", [backend.address()]);
    let second = start(Snapshot::new().listener(listener().route(only_7)).cluster(cluster));

    let mut route = Route::to("upstream");
    route.request = Mutation::new().set("cmd", "7");
    route.response = Mutation::new().set("cmd", "-2");
    let cluster = Cluster::new("upstream", [second.address]);
    let first = start(Snapshot::new().listener(listener().route(route)).cluster(cluster));
    let mut client = first.raw().await;
    client.send(&wire(5, 100, "hello")).await;
    let response = client.response().await;
    assert_eq!((response.pack_flow, response.req_cmd), (5, -2));
    assert_eq!(said(&response), (0, "v1: hello"));
}

#[tokio::test]
async fn calls_are_split_in_exact_shares() {
    let (v1, v2) = (backend("v1").await, backend("v2").await);
    let snapshot = Snapshot::new()
        .listener(listener().route(Route::split([("v1", 90), ("v2", 10)])))
        .cluster(Cluster::new("v1", [v1.address()]))
        .cluster(Cluster::new("v2", [v2.address()]));
    let proxy = start(snapshot);
    let client = proxy.client().await;
    for _ in 0..100 {
        client.call(1, "a").await.unwrap();
    }
    let counters = proxy.at_rest().await;
    assert_eq!((counters.clusters["v1"].requests, counters.clusters["v2"].requests), (90, 10));
}

#[tokio::test]
async fn a_drain_lets_calls_in_flight_end() {
    let backend = backend("v1").await;
    let proxy = start(forward([backend.address()]));
    let mut client = proxy.raw().await;
    client.send(&wire(1, 1, "slow")).await;
    proxy.until(|all| all.listeners["front"].active == 1).await;
    let drained = proxy.handle.drain(Duration::from_secs(5));
    let ((), ()) = soon(async {
        tokio::join!(drained, async {
            assert_eq!(said(&client.response().await), (0, "v1: slow"));
            assert_eq!(client.next().await, None, "then the proxy ends the connection");
        })
    })
    .await;
    assert!(Client::connect(proxy.address).await.is_err(), "nobody listens any longer");
}

#[tokio::test]
async fn a_drain_does_not_wait_for_ever() {
    let backend = backend("v1").await;
    let proxy = start(forward([backend.address()]));
    let mut client = proxy.raw().await;
    client.send(&wire(1, 1, "never")).await;
    proxy.until(|all| all.listeners["front"].active == 1).await;
    soon(proxy.handle.drain(Duration::from_millis(50))).await;
}

#[tokio::test]
async fn another_configuration_loses_no_call() {
    let (v1, v2) = (backend("v1").await, backend("v2").await);
    let proxy = start(to("v1", v1.address()));
    let mut client = proxy.raw().await;
    client.send(&wire(1, 1, "slow")).await;
    proxy.until(|all| all.listeners["front"].active == 1).await;
    proxy.handle.apply(to("v2", v2.address())).await.unwrap();
    client.send(&wire(2, 1, "b")).await;
    assert_eq!(said(&client.response().await), (0, "v2: b"));
    assert_eq!(said(&client.response().await), (0, "v1: slow"));
    // The old cluster's connections end when nobody needs them.
    proxy.until(|all| all.clusters["v1"].connections_active == 0).await;
    assert_eq!(proxy.at_rest().await.listeners["front"].connections, 1);
}

#[tokio::test]
async fn a_configuration_that_can_not_work_is_refused_and_the_old_one_stays() {
    let v1 = backend("v1").await;
    let proxy = start(to("v1", v1.address()));
    let dangling = Snapshot::new().listener(listener().route(Route::to("v3")));
    let refused = proxy.handle.apply(dangling).await.unwrap_err();
    let reason = "listeners[0].routes[0].clusters[0].cluster: no cluster named \"v3\"; there are no clusters";
    assert_eq!(refused.to_string(), reason);
    let response = proxy.client().await.call(1, "a").await.unwrap();
    assert_eq!(said(&response), (0, "v1: a"));
}

#[tokio::test]
async fn the_books_balance_at_every_look() {
    let backend = backend("v1").await;
    let route = Route::to("upstream").when("cmd", Predicate::Range { start: 1, end: 10 });
    let cluster = Cluster::new("upstream", [backend.address()]);
    let proxy = start(Snapshot::new().listener(listener().route(route)).cluster(cluster));
    let mut clients: Vec<Raw> = Vec::new();
    for client in 0..5 {
        let mut raw = proxy.raw().await;
        raw.send(&[wire(1, 1, "slow"), wire(2, 2, "b"), wire(3, 99, "c")].concat()).await;
        // The last two do not wait for their answers.
        if client < 3 {
            clients.push(raw);
        }
        let counters = proxy.handle.counters().await;
        let front = &counters.listeners["front"];
        assert_eq!(front.started, front.completed.total() + front.active);
    }
    for client in &mut clients {
        for _ in 0..3 {
            client.response().await;
        }
    }
    let counters = proxy.until(|all| all.listeners["front"].completed.total() == 15).await;
    let front = &counters.listeners["front"];
    assert_eq!((front.started, front.active), (15, 0));
    let ok = front.completed.of(Outcome::Response(StatusClass::Ok));
    let no_route = front.completed.of(Outcome::Error(ErrorKind::RouteNotFound));
    assert_eq!(ok + no_route + front.completed.of(Outcome::Abandoned), 15);
    assert_eq!(no_route, 5);
    assert_eq!(counters.clusters["upstream"].active, 0);
}
