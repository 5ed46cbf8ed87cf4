//! Backends that fail, and calls that lead nowhere: the caller is told, in the protocol.

use std::net::SocketAddr;
use std::time::Duration;

use metaproto_awesomerpc::AwesomeRpc;
use metaproto_core::{ErrorKind, StatusClass};
use metaproto_examples::{Frames, reply, send};
use metaproto_proxy::counters::Outcome;
use metaproto_proxy::model::{Cluster, Predicate, Route, Snapshot};
use tokio::net::TcpListener;
use tokio::time::sleep;

use crate::support::{
    ANY, backend, backend_at, forward, listener, nobody, said, soon, start, wire,
};

/// Calls of cmd 1 have little time, others have enough.
fn hurried(backend: SocketAddr) -> Snapshot {
    let short = Route::to("upstream")
        .when("cmd", Predicate::Exact("1".into()))
        .timeout(Duration::from_millis(30));
    Snapshot::new()
        .listener(listener().route(short).route(Route::to("upstream")))
        .cluster(Cluster::new("upstream", [backend]))
}

#[tokio::test]
async fn a_call_without_a_route_is_answered() {
    let backend = backend("v1").await;
    let route = Route::to("upstream").when("cmd", Predicate::Exact("100".into()));
    let cluster = Cluster::new("upstream", [backend.address()]);
    let proxy = start(Snapshot::new().listener(listener().route(route)).cluster(cluster));
    let client = proxy.client().await;
    assert_eq!(said(&client.call(7, "a").await.unwrap()), (-1, "no route matches cmd=7"));
    assert_eq!(said(&client.call(100, "b").await.unwrap()), (0, "v1: b"));
}

#[tokio::test]
async fn a_call_to_a_cluster_without_endpoints_is_answered() {
    let proxy = start(forward([]));
    let client = proxy.client().await;
    let response = client.call(1, "a").await.unwrap();
    assert_eq!(said(&response), (-3, "cluster upstream has no endpoints"));
}

#[tokio::test]
async fn a_call_that_takes_too_long_is_answered_in_the_protocol() {
    let backend = backend("v1").await;
    let proxy = start(hurried(backend.address()));
    let mut client = proxy.raw().await;
    client.send(&[wire(1, 1, "never"), wire(2, 2, "b")].concat()).await;
    assert_eq!(said(&client.response().await), (0, "v1: b"));
    let late = client.response().await;
    let text = format!("no response from {} in time", backend.address());
    assert_eq!((late.pack_flow, said(&late)), (1, (-6, text.as_str())));
    assert_eq!(proxy.at_rest().await.clusters["upstream"].timeouts, 1);
}

#[tokio::test]
async fn a_late_answer_reaches_nobody() {
    let backend = TcpListener::bind(ANY).await.unwrap();
    let proxy = start(hurried(backend.local_addr().unwrap()));
    let mut client = proxy.raw().await;
    client.send(&wire(7, 1, "late")).await;
    let (read, mut write) = soon(backend.accept()).await.unwrap().0.into_split();
    let mut requests = Frames::new(read);
    let late: AwesomeRpc = soon(requests.next()).await.unwrap().unwrap();
    assert_eq!(client.response().await.rsp_code, -6);
    // The client uses the id again, while the answer to its first use is still to come.
    client.send(&wire(7, 2, "in time")).await;
    let in_time: AwesomeRpc = soon(requests.next()).await.unwrap().unwrap();
    send(&mut write, &late).await.unwrap();
    send(&mut write, &in_time).await.unwrap();
    assert_eq!(said(&client.response().await), (0, "in time"));
    assert_eq!(proxy.at_rest().await.clusters["upstream"].late, 1);
}

#[tokio::test]
async fn a_backend_dies_and_comes_back() {
    let backend = backend("v1").await;
    let address = backend.address();
    let proxy = start(forward([address]));
    let mut client = proxy.raw().await;
    client.send(&wire(1, 1, "never")).await;
    // Answered behind the first: the backend has both.
    client.send(&wire(2, 1, "b")).await;
    assert_eq!(client.response().await.pack_flow, 2);
    backend.kill().await;
    let lost = client.response().await;
    assert_eq!((lost.pack_flow, lost.rsp_code), (1, -5));
    client.send(&wire(3, 1, "c")).await;
    let refused = client.response().await;
    assert_eq!((refused.pack_flow, refused.rsp_code), (3, -4));

    let _backend = backend_at("v2", address).await;
    client.send(&wire(4, 1, "d")).await;
    assert_eq!(said(&client.response().await), (0, "v2: d"));
    let front = &proxy.at_rest().await.listeners["front"];
    assert_eq!(front.connections, 1, "the client has not noticed");
    assert_eq!(front.completed.of(Outcome::Error(ErrorKind::UpstreamReset)), 1);
    assert_eq!(front.completed.of(Outcome::Error(ErrorKind::ConnectionFailure)), 1);
    assert_eq!(front.completed.of(Outcome::Response(StatusClass::Ok)), 2);
}

#[tokio::test]
async fn calls_go_to_the_endpoints_that_can_be_reached() {
    let backend = backend("v1").await;
    let proxy = start(forward([nobody().await, backend.address(), nobody().await]));
    let client = proxy.client().await;
    for _ in 0..10 {
        assert_eq!(said(&client.call(1, "a").await.unwrap()), (0, "v1: a"));
    }
    assert!(proxy.at_rest().await.clusters["upstream"].redispatched > 0);
}

#[tokio::test]
async fn answers_that_nobody_waits_for_are_dropped() {
    let backend = TcpListener::bind(ANY).await.unwrap();
    let proxy = start(forward([backend.local_addr().unwrap()]));
    let mut client = proxy.raw().await;
    client.send(&[wire(1, 1, "a"), wire(2, 1, "b")].concat()).await;
    let (read, mut write) = soon(backend.accept()).await.unwrap().0.into_split();
    let mut requests = Frames::new(read);
    let first: AwesomeRpc = soon(requests.next()).await.unwrap().unwrap();
    let second: AwesomeRpc = soon(requests.next()).await.unwrap().unwrap();
    let unknown = AwesomeRpc { pack_flow: first.pack_flow.wrapping_add(1000), ..first.clone() };
    for response in [&reply(&unknown, 0, "?"), &reply(&second, 0, "second"), &second, &first] {
        send(&mut write, response).await.unwrap();
    }
    let answers = [client.response().await, client.response().await];
    assert_eq!((answers[0].pack_flow, said(&answers[0])), (2, (0, "second")));
    assert_eq!((answers[1].pack_flow, said(&answers[1])), (1, (0, "a")));
    assert_eq!(proxy.at_rest().await.clusters["upstream"].unmatched, 2);
}

#[tokio::test]
async fn an_answer_that_can_not_be_read_is_an_error_and_not_the_end() {
    let backend = TcpListener::bind(ANY).await.unwrap();
    let proxy = start(forward([backend.local_addr().unwrap()]));
    let mut client = proxy.raw().await;
    client.send(&wire(1, 1, "a")).await;
    let (read, mut write) = soon(backend.accept()).await.unwrap().0.into_split();
    let request: AwesomeRpc = soon(Frames::new(read).next()).await.unwrap().unwrap();
    let mut garbage = [1, 0, 0, 0, 0, 0, 0, 0, 5, 0, 0, 0, 0];
    garbage[1..5].copy_from_slice(&request.pack_flow.to_be_bytes());
    tokio::io::AsyncWriteExt::write_all(&mut write, &garbage).await.unwrap();
    let text = "the upstream's response can't be read: pack_len: a length of 5 is too small";
    assert_eq!(said(&client.response().await), (-8, text));
    // The next call goes over a new connection.
    client.send(&wire(2, 1, "b")).await;
    let (read, mut write) = soon(backend.accept()).await.unwrap().0.into_split();
    let request: AwesomeRpc = soon(Frames::new(read).next()).await.unwrap().unwrap();
    send(&mut write, &reply(&request, 0, "fine")).await.unwrap();
    assert_eq!(said(&client.response().await), (0, "fine"));
}

#[tokio::test]
async fn a_client_that_goes_away_is_not_waited_for() {
    let backend = backend("v1").await;
    let proxy = start(forward([backend.address()]));
    let mut client = proxy.raw().await;
    client.send(&[wire(1, 1, "slow"), wire(2, 1, "b")].concat()).await;
    assert_eq!(client.response().await.pack_flow, 2);
    drop(client);
    sleep(Duration::from_millis(1)).await;
    let other = proxy.client().await;
    assert_eq!(said(&other.call(1, "c").await.unwrap()), (0, "v1: c"));
    proxy.at_rest().await;
}
