//! The three ways to use upstream connections, and several workers.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use metaproto_awesomerpc::AwesomeRpc;
use metaproto_core::Sharing;
use metaproto_examples::{Server, reply};
use metaproto_proxy::model::Cluster;
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::support::{ANY, Running, backend, forward, said, start, start_with, through};

/// A backend that takes 5 ms for a call, and the most calls that it ever had at a time.
async fn busy() -> (Server, Arc<AtomicUsize>) {
    let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let peak = most.clone();
    let answer = move |request: AwesomeRpc| {
        let (now, most) = (now.clone(), most.clone());
        async move {
            most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            sleep(Duration::from_millis(5)).await;
            now.fetch_sub(1, Ordering::SeqCst);
            Some(reply(&request, 0, request.body.clone()))
        }
    };
    (Server::start(ANY, answer).await.expect("a backend"), peak)
}

/// So many clients make so many calls each, all at a time; each must get its own answers.
async fn load(proxy: &Running, clients: usize, calls: usize) {
    let mut all = JoinSet::new();
    for client in 0..clients {
        let connection = proxy.client().await;
        for call in 0..calls {
            let connection = connection.clone();
            all.spawn(async move {
                let body = format!("client {client}, call {call}");
                let response = connection.call(1, body.clone()).await.expect("a response");
                assert_eq!(said(&response), (0, body.as_str()));
            });
        }
    }
    all.join_all().await;
}

#[tokio::test]
async fn clients_share_one_connection() {
    let (backend, most) = busy().await;
    let proxy = start(forward([backend.address()]));
    load(&proxy, 10, 10).await;
    let counters = proxy.at_rest().await;
    assert_eq!(counters.clusters["upstream"].connections, 1);
    assert!(most.load(Ordering::SeqCst) > 10, "they do not wait for each other");
}

#[tokio::test]
async fn an_exclusive_connection_carries_one_call_at_a_time() {
    let (backend, most) = busy().await;
    let mut cluster = Cluster::new("upstream", [backend.address()]).sharing(Sharing::Exclusive);
    cluster.max_connections = 3;
    let proxy = start(through(cluster));
    load(&proxy, 4, 5).await;
    assert_eq!(proxy.at_rest().await.clusters["upstream"].connections, 3);
    assert_eq!(most.load(Ordering::SeqCst), 3);
}

#[tokio::test]
async fn a_bound_connection_belongs_to_its_client() {
    let (backend, _) = busy().await;
    let cluster = Cluster::new("upstream", [backend.address()]).sharing(Sharing::Bound);
    let proxy = start(through(cluster));
    load(&proxy, 4, 5).await;
    let counters = proxy.until(|all| all.clusters["upstream"].connections_active == 0).await;
    assert_eq!(counters.clusters["upstream"].connections, 4, "one for each client");
    proxy.at_rest().await;
}

#[tokio::test]
async fn workers_share_the_clients() {
    let (backend, _) = busy().await;
    let proxy = start_with(forward([backend.address()]), 2);
    load(&proxy, 40, 5).await;
    let counters = proxy.at_rest().await;
    assert_eq!(counters.listeners["front"].started, 200);
    // Of 40 clients some come to each worker, and each worker has a connection of its own.
    assert_eq!(counters.clusters["upstream"].connections, 2);
}

#[tokio::test]
async fn calls_are_shared_out_among_endpoints_in_turn() {
    let (first, second) = (backend("first").await, backend("second").await);
    let proxy = start(forward([first.address(), second.address()]));
    let client = proxy.client().await;
    let mut answers = Vec::new();
    for _ in 0..4 {
        answers.push(String::from_utf8(client.call(1, "a").await.unwrap().body.to_vec()).unwrap());
    }
    answers.sort();
    assert_eq!(answers, ["first: a", "first: a", "second: a", "second: a"]);
}
