//! The proxy and Dubbo, over real sockets. Against Apache Dubbo itself it is tried by
//! `codecs/dubbo/interop`.

#[path = "../dubbo/messages.rs"]
mod messages;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use metaproto_core::{CodecContext, Frame, Limits, Metadata, Side};
use metaproto_dubbo::{Dubbo, Message};
use metaproto_examples::{Frames, Server, send};
use metaproto_proxy::Proxy;
use metaproto_proxy::config::{Config, Protocols};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::time::timeout;

use self::messages::{Called, answer, describe, request};

const CANARY: &str = include_str!("../dubbo/canary.yaml");
const PAGE: &str = include_str!("../../docs/dubbo.md");

/// A provider, and how many messages have come to it.
async fn provider(tag: &'static str) -> (Server, Arc<AtomicUsize>) {
    let count = Arc::new(AtomicUsize::new(0));
    let seen = count.clone();
    let server = Server::start("127.0.0.1:0", move |message: Message| {
        seen.fetch_add(1, Ordering::Relaxed);
        // This one answers one-way calls, too, as some do.
        let asked = Message { flags: message.flags | 0x40, ..message };
        let response = answer(tag, &asked);
        async move { response }
    });
    (server.await.expect("a provider"), count)
}

/// A proxy with the canary's file, on free ports and before these providers.
fn proxy(v1: SocketAddr, v2: SocketAddr) -> Proxy {
    let text = CANARY
        .replace("127.0.0.1:20880", "127.0.0.1:0")
        .replace("127.0.0.1:9901", "127.0.0.1:0")
        .replace("127.0.0.1:20881", &v1.to_string())
        .replace("127.0.0.1:20882", &v2.to_string());
    let protocols = Protocols::new().with(Dubbo::protocol());
    let config = Config::parse(&text, &protocols).expect("the file is good");
    Proxy::builder().snapshot(config.snapshot).workers(1).start().expect("a proxy")
}

struct Consumer {
    responses: Frames<OwnedReadHalf>,
    write: OwnedWriteHalf,
}

impl Consumer {
    async fn connect(proxy: &Proxy) -> Self {
        let stream = TcpStream::connect(proxy.addresses()[0].1).await.expect("it listens");
        let (read, write) = stream.into_split();
        Consumer { responses: Frames::new(read), write }
    }

    async fn send(&mut self, message: &Message) {
        send(&mut self.write, message).await.expect("it is sent");
    }

    async fn receive(&mut self) -> Message {
        let next = timeout(Duration::from_secs(5), self.responses.next());
        next.await.expect("in time").expect("a frame").expect("not the end")
    }

    async fn call(&mut self, id: u64, call: &Called<'_>) -> Message {
        self.send(&request(id, call)).await;
        let response = self.receive().await;
        assert_eq!(response.id, id);
        response
    }
}

fn users<'a>(method: &'a str) -> Called<'a> {
    let arguments = vec!["anna"];
    let interface = "org.example.Users";
    Called { interface, method, version: "1.0.0", arguments, attachments: Vec::new() }
}

#[tokio::test]
async fn the_canary_does_what_its_page_says() {
    let ((v1, _), (v2, _)) = (provider("v1").await, provider("v2").await);
    let proxy = proxy(v1.address(), v2.address());
    let mut consumer = Consumer::connect(&proxy).await;
    let tagged = Called { attachments: vec![("tag", "canary")], ..users("remove") };
    let newer = Called { version: "2.0.0", ..users("remove") };
    let unknown = Called { interface: "org.example.Orders", arguments: vec!["7"], ..users("find") };
    for (id, call) in [users("remove"), tagged, newer, unknown].iter().enumerate() {
        let told = describe(&consumer.call(id as u64, call).await);
        assert!(PAGE.contains(&format!("\n1 x {told}\n")), "{told}");
    }
    let mut shares = [0, 0];
    for id in 0..100 {
        let told = describe(&consumer.call(id, &users("find")).await);
        shares[usize::from(told.contains("v2"))] += 1;
        assert!(PAGE.contains(&format!("0 x {told}\n")), "{told}");
    }
    assert_eq!(shares, [90, 10]);
}

#[test]
fn the_file_of_the_page_is_that_of_the_example() {
    let (_, block) = PAGE.split_once("```yaml\n").expect("a file");
    assert_eq!(block.split_once("```").expect("its end").0, CANARY);
}

#[tokio::test]
async fn a_response_is_told_who_has_served_it() {
    let ((v1, _), (v2, _)) = (provider("v1").await, provider("v2").await);
    let proxy = proxy(v1.address(), v2.address());
    let mut consumer = Consumer::connect(&proxy).await;
    let tagged = Called { attachments: vec![("tag", "canary")], ..users("remove") };
    let response = consumer.call(7, &tagged).await;
    let mut wire = metaproto_core::BytesMut::new();
    response.write(&mut wire).expect("it fits");
    let mut codec = Dubbo::protocol().codec(&CodecContext::new(Side::Upstream, Limits::default()));
    let mut metadata = Metadata::new();
    codec.decode(wire.freeze(), &mut metadata).expect("it is a response");
    let served_by = metadata.property("served-by").expect("the route sets it").to_text();
    assert_eq!(served_by, "users-v2");
}

#[tokio::test]
async fn an_answer_to_a_one_way_call_reaches_nobody() {
    let ((v1, count), (v2, _)) = (provider("v1").await, provider("v2").await);
    let proxy = proxy(v1.address(), v2.address());
    let mut consumer = Consumer::connect(&proxy).await;
    for id in 0..50 {
        let oneway = Message { flags: 0x82, ..request(2 * id, &users("remove")) };
        consumer.send(&oneway).await;
        let call = Called { arguments: vec!["me"], ..users("remove") };
        let response = consumer.call(2 * id + 1, &call).await;
        assert!(describe(&response).contains("(me)"), "{}", describe(&response));
    }
    assert_eq!(count.load(Ordering::Relaxed), 100, "every call has arrived");
}

#[tokio::test]
async fn heartbeats_are_answered_and_failures_told_at_once() {
    let ((v1, count), (v2, _)) = (provider("v1").await, provider("v2").await);
    let proxy = proxy(v1.address(), v2.address());
    let mut consumer = Consumer::connect(&proxy).await;
    let ping = Message { flags: 0xe2, body: "N".into(), ..request(9, &users("find")) };
    consumer.send(&ping).await;
    let pong = consumer.receive().await;
    assert_eq!((pong.flags, pong.status, pong.id, &pong.body[..]), (0x22, 20, 9, &b"N"[..]));
    assert_eq!(count.load(Ordering::Relaxed), 0, "it is between the proxy and its client");
    v1.kill().await;
    let response = consumer.call(10, &users("remove")).await;
    assert_eq!(response.status, 35);
    assert!(describe(&response).contains("connection_failure: "), "{}", describe(&response));
}

#[tokio::test]
async fn a_draining_proxy_says_read_only() {
    let ((v1, _), (v2, _)) = (provider("v1").await, provider("v2").await);
    let proxy = proxy(v1.address(), v2.address());
    let mut consumer = Consumer::connect(&proxy).await;
    consumer.call(1, &users("remove")).await;
    let handle = proxy.handle();
    let drained = tokio::spawn(async move { handle.drain(Duration::from_secs(5)).await });
    let event = consumer.receive().await;
    assert_eq!((event.flags, &event.body[..]), (0xa2, &b"\x01R"[..]));
    drop(consumer);
    drained.await.expect("it ends");
}
