//! Frames, however their bytes come.

use std::collections::BTreeSet;
use std::time::Duration;

use metaproto_awesomerpc::AwesomeRpc;
use metaproto_core::{Auto, Limits};
use metaproto_examples::{Server, reply};
use metaproto_proxy::model::{Cluster, Route, Snapshot};
use tokio::sync::mpsc;
use tokio::time::sleep;

use crate::support::{ANY, backend, bytes_of, forward, listener, said, start, wire};

#[tokio::test]
async fn a_request_may_be_split_at_every_byte() {
    let backend = backend("v1").await;
    let proxy = start(forward([backend.address()]));
    let mut client = proxy.raw().await;
    let length = wire(0, 1, "hello").len();
    for split in 1..length {
        let request = wire(split as u32, 1, "hello");
        client.send(&request[..split]).await;
        sleep(Duration::from_millis(1)).await;
        client.send(&request[split..]).await;
        let response = client.response().await;
        assert_eq!(response.pack_flow, split as u32);
        assert_eq!(said(&response), (0, "v1: hello"));
    }
}

#[tokio::test]
async fn requests_may_come_byte_by_byte() {
    let backend = backend("v1").await;
    let proxy = start(forward([backend.address()]));
    let mut client = proxy.raw().await;
    for byte in [wire(1, 1, "a"), wire(2, 1, "b")].concat() {
        client.send(&[byte]).await;
        tokio::task::yield_now().await;
    }
    assert_eq!(said(&client.response().await), (0, "v1: a"));
    assert_eq!(said(&client.response().await), (0, "v1: b"));
}

#[tokio::test]
async fn requests_sent_at_once_are_all_answered() {
    let backend = backend("v1").await;
    let proxy = start(forward([backend.address()]));
    let mut client = proxy.raw().await;
    let requests: Vec<u8> = (0..500).flat_map(|id| wire(id, 1, &format!("{id}"))).collect();
    client.send(&requests).await;
    let mut ids = BTreeSet::new();
    for _ in 0..500 {
        let response = client.response().await;
        assert_eq!(said(&response), (0, format!("v1: {}", response.pack_flow).as_str()));
        ids.insert(response.pack_flow);
    }
    assert_eq!(ids, (0..500).collect());
}

#[tokio::test]
async fn a_quick_answer_overtakes_a_slow_one() {
    let backend = backend("v1").await;
    let proxy = start(forward([backend.address()]));
    let mut client = proxy.raw().await;
    client.send(&[wire(1, 1, "slow"), wire(2, 1, "quick")].concat()).await;
    assert_eq!(client.response().await.pack_flow, 2);
    assert_eq!(client.response().await.pack_flow, 1);
}

#[tokio::test]
async fn clients_that_use_the_same_ids_get_their_own_answers() {
    let backend = backend("v1").await;
    let proxy = start(forward([backend.address()]));
    let mut clients = Vec::new();
    for _ in 0..20 {
        clients.push(proxy.raw().await);
    }
    for (at, client) in clients.iter_mut().enumerate() {
        client.send(&wire(7, 1, &format!("client {at}"))).await;
    }
    for (at, client) in clients.iter_mut().enumerate() {
        let response = client.response().await;
        assert_eq!(response.pack_flow, 7);
        assert_eq!(said(&response), (0, format!("v1: client {at}").as_str()));
    }
}

#[tokio::test]
async fn a_client_that_ends_its_side_gets_what_it_has_asked_for() {
    let backend = backend("v1").await;
    let proxy = start(forward([backend.address()]));
    let mut client = proxy.raw().await;
    client.send(&[wire(1, 1, "slow"), wire(2, 1, "b"), wire(3, 1, "slow")].concat()).await;
    client.half_close().await;
    let mut ids = BTreeSet::new();
    while let Some(response) = client.next().await {
        ids.insert(response.pack_flow);
    }
    assert_eq!(ids, BTreeSet::from([1, 2, 3]));
}

#[tokio::test]
async fn a_client_that_ends_within_a_request_leaves_nothing_behind() {
    let backend = backend("v1").await;
    let proxy = start(forward([backend.address()]));
    let mut client = proxy.raw().await;
    client.send(&wire(1, 1, "hello")[..15]).await;
    client.half_close().await;
    assert_eq!(client.next().await, None);
    let counters = proxy.until(|all| all.listeners["front"].connections_active == 0).await;
    assert_eq!(counters.listeners["front"].started, 0);
}

#[tokio::test]
async fn a_request_over_the_limit_is_answered_before_it_is_read() {
    let backend = backend("v1").await;
    let mut front = listener().route(Route::to("upstream"));
    front.limits = Limits::max_frame(100);
    let cluster = Cluster::new("upstream", [backend.address()]);
    let proxy = start(Snapshot::new().listener(front).cluster(cluster));
    let mut client = proxy.raw().await;
    client.send(&wire(1, 1, &"x".repeat(83))).await;
    let response = client.response().await;
    assert_eq!(bytes_of(&response).len(), 100, "with the name it is just within the limit");
    // The header is enough: the other bytes never come.
    client.send(&wire(2, 1, &"x".repeat(88))[..13]).await;
    let response = client.response().await;
    assert_eq!(response.pack_flow, 2);
    assert_eq!(said(&response), (-9, "a request of 101 bytes is over the limit of 100"));
    assert_eq!(client.next().await, None);
    proxy.at_rest().await;
}

#[tokio::test]
async fn garbage_ends_its_own_connection_and_no_other() {
    let backend = backend("v1").await;
    let proxy = start(forward([backend.address()]));
    let (mut good, mut bad) = (proxy.raw().await, proxy.raw().await);
    good.send(&wire(1, 1, "slow")).await;
    let call = wire(1, 1, "slow");
    // A length of 3 is less than the header: what follows can't be found.
    bad.send(&[&call[..], &[1, 0, 0, 0, 9, 0, 0, 0, 3, 0, 0, 0, 0]].concat()).await;
    let mut answers = Vec::new();
    while let Some(response) = bad.next().await {
        answers.push(response);
    }
    let refusal = "the request can't be read: pack_len: a length of 3 is too small";
    assert_eq!((answers[0].pack_flow, said(&answers[0])), (9, (-7, refusal)));
    assert_eq!((answers[1].pack_flow, said(&answers[1])), (1, (0, "v1: slow")));
    assert_eq!(answers.len(), 2);
    assert_eq!(said(&good.response().await), (0, "v1: slow"));
    let counters = proxy.at_rest().await;
    assert_eq!(counters.listeners["front"].protocol_errors, 1);
}

#[tokio::test]
async fn what_is_not_changed_is_forwarded_as_it_is() {
    let (seen, mut requests) = mpsc::unbounded_channel();
    let backend = Server::start(ANY, move |request: AwesomeRpc| {
        seen.send(request.clone()).expect("the test waits");
        std::future::ready(Some(AwesomeRpc {
            version: 9,
            req_cmd: -1,
            ..reply(&request, 77, "no")
        }))
    });
    let backend = backend.await.unwrap();
    let proxy = start(forward([backend.address()]));
    let mut client = proxy.raw().await;
    for length in [0, 1, 1000, 100_000, 3_000_000] {
        let body: Vec<u8> = (0..length).map(|at| (at % 251) as u8).collect();
        let request = AwesomeRpc {
            version: -128,
            pack_flow: u32::MAX,
            pack_len: Auto::new(),
            req_cmd: -32_768,
            rsp_code: 12_345,
            body: body.into(),
        };
        client.send(&bytes_of(&request)).await;
        let arrived = requests.recv().await.unwrap();
        assert!(AwesomeRpc { pack_flow: u32::MAX, ..arrived } == request, "{length} bytes");
        let expected = AwesomeRpc { version: 9, req_cmd: -1, ..reply(&request, 77, "no") };
        assert_eq!(client.response().await, expected);
    }
}
