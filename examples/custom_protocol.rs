//! A protocol of one's own, derived and proxied: the program of the tutorial (docs/tutorial.md).
//!
//! `cargo run --release --example custom_protocol`

use metaproto_core::{Auto, Bytes, Codec, Frame};
use metaproto_examples::{Frames, Server, send};
use metaproto_proxy::Proxy;
use metaproto_proxy::model::{Cluster, Listener, Predicate, Route, Snapshot};
use tokio::net::TcpStream;

/// A message of Pelican, which is made up: 22 bytes of header, little-endian, then the body.
#[derive(Debug, Clone, PartialEq, Frame, Codec)]
#[frame(magic = b"PL", endian = little)]
#[meta(protocol = "pelican", errors(RouteNotFound => 404, Timeout => 504, _ => 500))]
struct Pelican {
    #[frame(constant = 1)]
    version: Auto<u8>,
    #[meta(kind(1 => Request, 2 => Response, 3 => Oneway, 4 => Ping, 5 => Pong))]
    kind: u8,
    #[meta(request_id)]
    id: u64,
    #[meta(property)]
    service: u16,
    #[meta(property, operation)]
    method: u16,
    #[meta(status(ok = 200))]
    status: u16,
    #[frame(length(of = body))]
    len: Auto<u32>,
    #[frame(body)]
    body: Bytes,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (users, orders) = (backend("users").await?, backend("orders").await?);
    let service = |number: u16| Predicate::Exact(number.to_string());
    let listener = Listener::new("pelican", "127.0.0.1:0".parse()?, Pelican::protocol())
        .route(Route::to("users").when("service", service(1)))
        .route(Route::to("orders").when("service", service(2)));
    let snapshot = Snapshot::new()
        .listener(listener)
        .cluster(Cluster::new("users", [users.address()]))
        .cluster(Cluster::new("orders", [orders.address()]));
    let proxy = Proxy::builder().snapshot(snapshot).start()?;

    let (read, mut write) = TcpStream::connect(proxy.addresses()[0].1).await?.into_split();
    let mut replies = Frames::new(read);
    for (kind, id, service) in [(1, 1, 1), (1, 2, 2), (1, 3, 9), (4, 4, 0)] {
        let (version, len, body) = (Auto::new(), Auto::new(), Bytes::from_static(b"hello"));
        let sent = Pelican { version, kind, id, service, method: 7, status: 0, len, body };
        send(&mut write, &sent).await?;
        let Some(Pelican { kind: answer, status, body, .. }) = replies.next().await? else { break };
        println!("kind {kind}, service {service}  ->  kind {answer}, status {status}, {body:?}");
    }
    Ok(())
}

/// A server that answers requests with its name and what they carry.
async fn backend(name: &'static str) -> std::io::Result<Server> {
    let answer = move |request: Pelican| async move {
        let body = format!("{name}: {}", request.body.escape_ascii()).into();
        Some(Pelican { kind: 2, status: 200, body, ..request })
    };
    Server::start("127.0.0.1:0", answer).await
}

#[cfg(test)]
mod tests {
    use metaproto_core::BytesMut;
    use metaproto_core::conformance::{Samples, check};
    use metaproto_proxy::config::{Config, Protocols};

    use super::*;

    fn frame(kind: u8, status: u16, body: &'static [u8]) -> BytesMut {
        let (version, len, body) = (Auto::new(), Auto::new(), Bytes::from_static(body));
        let message = Pelican { version, kind, id: 5, service: 1, method: 7, status, len, body };
        let mut wire = BytesMut::new();
        message.write(&mut wire).unwrap();
        wire
    }

    #[test]
    fn pelican_holds_to_the_laws() {
        let samples = Samples::new()
            .request(frame(1, 0, b"hello"))
            .request(frame(1, 0, &[b'x'; 3000]))
            .request(frame(3, 0, b"no answer, please"))
            .request(frame(4, 0, b""))
            .response(frame(2, 200, b"hello to you"))
            .response(frame(2, 404, b"no such service"))
            .response(frame(5, 0, b""));
        check(&*Pelican::protocol(), samples);
    }

    #[test]
    fn the_bytes_are_what_the_specification_says() {
        let wire = b"PL\x01\x01\x05\0\0\0\0\0\0\0\x01\0\x07\0\0\0\x05\0\0\0hello";
        assert_eq!(&frame(1, 0, b"hello")[..], wire);
    }

    #[test]
    fn the_program_runs() {
        main().unwrap();
    }

    #[test]
    fn the_tutorial_has_a_file_that_works() {
        let tutorial = include_str!("../docs/tutorial.md");
        let (_, rest) = tutorial.split_once("```yaml\n").unwrap();
        let (yaml, _) = rest.split_once("```").unwrap();
        let protocols = Protocols::new().with(Pelican::protocol());
        Config::parse(yaml, &protocols).unwrap();
        let wrong = Config::parse(&yaml.replace("service: 2", "servise: 2"), &protocols);
        let reason = "pelican has no property \"servise\"; it has: service, method";
        assert_eq!(wrong.unwrap_err().reason, reason);
    }
}
