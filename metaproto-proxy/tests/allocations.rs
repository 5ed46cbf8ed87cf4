//! Calls that are forwarded allocate nothing, from socket to socket: neither engine nor codec.
#![cfg(all(feature = "dubbo", feature = "thrift"))]

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;

use metaproto_core::{Options, Protocol, Sharing};
use metaproto_dubbo::Dubbo;
use metaproto_proxy::Proxy;
use metaproto_proxy::model::{Cluster, Listener, Predicate, Route, Snapshot};
use metaproto_thrift::Thrift;

/// Counts the allocations of all threads, the workers' among them.
#[global_allocator]
static ALLOCATOR: dhat::Alloc = dhat::Alloc;

const CALLS: u64 = 500;

/// A request and its response.
struct Exchange {
    name: &'static str,
    protocol: Arc<dyn Protocol>,
    sharing: Sharing,
    request: Vec<u8>,
    response: Vec<u8>,
    /// Where the id stands in both.
    id: std::ops::Range<usize>,
    /// A property that a route looks at.
    property: (&'static str, &'static str),
}

fn framed(message: &[u8]) -> Vec<u8> {
    [&u32::try_from(message.len()).expect("short").to_be_bytes(), message].concat()
}

fn thrift(name: &'static str, transport: &str, sharing: Sharing) -> Exchange {
    let call = b"\x80\x01\x00\x01\x00\x00\x00\x0aUsers:find\x00\x00\x00\x07\x0b\x00\x01\x00\x00\x00\x04anna\x00";
    let reply =
        b"\x80\x01\x00\x02\x00\x00\x00\x0aUsers:find\x00\x00\x00\x07\x0b\x00\x00\x00\x00\x00\x04anna\x00";
    let options = Options::from([("transport".to_owned(), transport.to_owned())]);
    Exchange {
        name,
        protocol: Thrift::protocol().configure(&options).expect("an option"),
        sharing,
        request: framed(call),
        response: framed(reply),
        id: 22..26,
        property: ("service", "Users"),
    }
}

fn dubbo() -> Exchange {
    let text = |text: &str| [&[u8::try_from(text.len()).expect("short")], text.as_bytes()].concat();
    let texts = ["2.0.2", "org.acme.Users", "1.0", "find", "Ljava/lang/String;", "anna"];
    let mut body: Vec<u8> = texts.into_iter().flat_map(text).collect();
    body.push(b'H');
    body.extend(["path", "org.acme.Users", "timeout", "1000"].into_iter().flat_map(text));
    body.push(b'Z');
    let message = |flags: u8, status: u8, body: &[u8]| {
        [&[0xda, 0xbb, flags, status, 0, 0, 0, 0, 0, 0, 0, 9], &framed(body)[..]].concat()
    };
    Exchange {
        name: "dubbo, shared",
        protocol: Dubbo::protocol(),
        sharing: Sharing::Shared,
        request: message(0xc2, 0, &body),
        response: message(0x02, 20, b"\x91\x04anna"),
        id: 4..12,
        property: ("method", "find"),
    }
}

/// Answers on one connection after the other, until there are no more.
fn serve(listener: &TcpListener, exchange: &Exchange) {
    for stream in listener.incoming() {
        let mut stream = stream.expect("a client");
        let mut request = vec![0; exchange.request.len()];
        let mut response = exchange.response.clone();
        while stream.read_exact(&mut request).is_ok() {
            response[exchange.id.clone()].copy_from_slice(&request[exchange.id.clone()]);
            stream.write_all(&response).expect("it is taken");
        }
    }
}

fn call(stream: &mut TcpStream, exchange: &Exchange, room: &mut [u8]) {
    stream.write_all(&exchange.request).expect("it is taken");
    stream.read_exact(room).expect("an answer");
    assert_eq!(room, exchange.response);
}

fn allocations_of(exchange: Exchange) -> (u64, &'static str) {
    let backend = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
    let address = backend.local_addr().expect("bound");
    let name = exchange.name;
    let (property, value) = exchange.property;
    let route = Route::to("c").when(property, Predicate::Exact(value.to_owned()));
    let here = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let listener = Listener::new("l", here, exchange.protocol.clone()).route(route);
    let cluster = Cluster::new("c", [address]).sharing(exchange.sharing);
    let snapshot = Snapshot::new().listener(listener).cluster(cluster);
    let proxy = Proxy::builder().workers(1).snapshot(snapshot).start().expect("it starts");
    let client = proxy.addresses()[0].1;

    let exchange = Arc::new(exchange);
    let backends = exchange.clone();
    thread::spawn(move || serve(&backend, &backends));
    let mut stream = TcpStream::connect(client).expect("it listens");
    stream.set_nodelay(true).expect("TCP");
    let mut room = vec![0; exchange.response.len()];
    // Until every table and buffer has the room that it needs.
    for _ in 0..CALLS {
        call(&mut stream, &exchange, &mut room);
    }
    let before = dhat::HeapStats::get().total_blocks;
    for _ in 0..CALLS {
        call(&mut stream, &exchange, &mut room);
    }
    (dhat::HeapStats::get().total_blocks - before, name)
}

/// All in one test: what is counted is the whole process.
#[test]
fn a_forwarded_call_allocates_nothing() {
    let _profiler = dhat::Profiler::builder().testing().build();
    for exchange in [
        dubbo(),
        thrift("thrift, exclusive", "auto", Sharing::Exclusive),
        thrift("thrift, shared", "framed", Sharing::Shared),
    ] {
        let (count, name) = allocations_of(exchange);
        // Clocks and signals have their own now and then.
        assert!(count < CALLS / 20, "{name}: {count} allocations in {CALLS} calls");
    }
}
