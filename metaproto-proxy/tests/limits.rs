//! Limits of a cluster that all workers of a proxy keep together.
#![cfg(feature = "awesomerpc")]

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc;
use std::time::Duration;

use metaproto_awesomerpc::AwesomeRpc;
use metaproto_proxy::Proxy;
use metaproto_proxy::model::{CircuitBreakers, Cluster, Listener, Route, Snapshot};

const PATIENCE: Duration = Duration::from_secs(20);
const CLIENTS: usize = 40;
const MAX: usize = 5;

/// A message without a body.
type Message = [u8; 13];

fn request(id: u8) -> Message {
    [1, 0, 0, 0, id, 0, 0, 0, 13, 0, 7, 0, 0]
}

/// An address at which each request waits, and is told of, until it may be answered.
fn backend(arrived: mpsc::Sender<mpsc::Sender<()>>) -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a listener");
    let address = listener.local_addr().expect("an address");
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let (mut stream, arrived) = (stream.expect("a connection"), arrived.clone());
            std::thread::spawn(move || {
                let mut message = [0; 13];
                while stream.read_exact(&mut message).is_ok() {
                    let (answer, may_answer) = mpsc::channel();
                    arrived.send(answer).ok();
                    may_answer.recv().ok();
                    stream.write_all(&message).ok();
                }
            });
        }
    });
    address
}

fn proxy(backend: SocketAddr) -> Proxy {
    let mut cluster = Cluster::new("c", [backend]).sharing(metaproto_core::Sharing::Exclusive);
    let mut breakers = CircuitBreakers::default();
    breakers.max_requests = Some(MAX);
    cluster.circuit_breakers = breakers;
    let front = (Ipv4Addr::LOCALHOST, 0).into();
    let listener = Listener::new("l", front, AwesomeRpc::protocol()).route(Route::to("c"));
    let snapshot = Snapshot::new().listener(listener).cluster(cluster);
    Proxy::builder().snapshot(snapshot).workers(2).start().expect("a proxy")
}

#[test]
fn two_workers_let_through_as_many_calls_as_one_would() {
    let (arrived, arrivals) = mpsc::channel();
    let proxy = proxy(backend(arrived));
    let (_, front) = proxy.addresses().remove(0);
    let mut clients: Vec<_> =
        (0..CLIENTS).map(|_| TcpStream::connect(front).expect("a client")).collect();
    for (id, client) in (0..).zip(&mut clients) {
        client.set_read_timeout(Some(PATIENCE)).expect("a socket");
        client.write_all(&request(id)).expect("a request");
    }
    // Two times, so that places that were given back are found.
    for _ in 0..2 {
        let held: Vec<_> =
            (0..MAX).map(|_| arrivals.recv_timeout(PATIENCE).expect("a request")).collect();
        assert!(arrivals.recv_timeout(Duration::from_millis(100)).is_err(), "too many");
        drop(held);
        let mut codes = Vec::new();
        for (id, client) in (0..).zip(&mut clients) {
            let mut response = [0; 13];
            client.read_exact(&mut response).expect("an answer");
            let (code, length) =
                (i16::from_be_bytes([response[11], response[12]]), usize::from(response[8]));
            codes.push(code);
            client.read_exact(&mut vec![0; length - 13]).expect("the text of an error");
            assert_eq!(response[4], id);
        }
        assert_eq!(codes.iter().filter(|code| **code == 0).count(), MAX);
        assert_eq!(codes.iter().filter(|code| **code == -11).count(), CLIENTS - MAX);
        for (id, client) in (0..).zip(&mut clients) {
            client.write_all(&request(id)).expect("a request");
        }
    }
}
