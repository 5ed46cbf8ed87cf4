//! Backends, proxies and clients for the tests. All ports are those that the system gives.

use std::future::{Future, pending};
use std::net::SocketAddr;
use std::time::Duration;

use metaproto_awesomerpc::AwesomeRpc;
use metaproto_core::BytesMut;
use metaproto_core::Frame;
use metaproto_examples::{Frames, Server, reply};
use metaproto_proxy::counters::Counters;
use metaproto_proxy::model::{Cluster, Listener, Route, Snapshot};
use metaproto_proxy::{Handle, Proxy};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::time::{sleep, timeout};

pub(crate) const ANY: &str = "127.0.0.1:0";
/// Nothing in these tests takes as long.
const PATIENCE: Duration = Duration::from_secs(5);

/// A backend that answers with its name and what it was sent. The body `never` gets no answer, and
/// `slow` gets it after 50 ms.
pub(crate) async fn backend(name: &'static str) -> Server {
    backend_at(name, ANY.parse().expect("an address")).await
}

pub(crate) async fn backend_at(name: &'static str, address: SocketAddr) -> Server {
    let answer = move |request: AwesomeRpc| async move {
        match &request.body[..] {
            b"never" => pending().await,
            b"slow" => sleep(Duration::from_millis(50)).await,
            _ => {}
        }
        Some(reply(&request, 0, [name.as_bytes(), b": ", &request.body].concat()))
    };
    Server::start(address, answer).await.expect("a backend")
}

/// An address at which nobody listens.
pub(crate) async fn nobody() -> SocketAddr {
    let server = backend("nobody").await;
    let address = server.address();
    server.kill().await;
    address
}

/// A listener on a port of the system's choice.
pub(crate) fn listener() -> Listener {
    Listener::new("front", ANY.parse().expect("an address"), AwesomeRpc::protocol())
}

/// Everything goes to these endpoints.
pub(crate) fn forward(endpoints: impl IntoIterator<Item = SocketAddr>) -> Snapshot {
    through(Cluster::new("upstream", endpoints))
}

/// Everything goes to this cluster, which is named `upstream`.
pub(crate) fn through(cluster: Cluster) -> Snapshot {
    Snapshot::new().listener(listener().route(Route::to("upstream"))).cluster(cluster)
}

/// A running proxy with one worker.
pub(crate) fn start(snapshot: Snapshot) -> Running {
    start_with(snapshot, 1)
}

pub(crate) fn start_with(snapshot: Snapshot, workers: usize) -> Running {
    let proxy = Proxy::builder().snapshot(snapshot).workers(workers).start().expect("a proxy");
    Running { address: proxy.addresses()[0].1, handle: proxy.handle(), _proxy: proxy }
}

pub(crate) struct Running {
    pub(crate) address: SocketAddr,
    pub(crate) handle: Handle,
    _proxy: Proxy,
}

impl Running {
    /// A client that sends bytes as the test says.
    pub(crate) async fn raw(&self) -> Raw {
        Raw::connect(self.address).await
    }

    pub(crate) async fn client(&self) -> metaproto_examples::Client {
        metaproto_examples::Client::connect(self.address).await.expect("the proxy listens")
    }

    /// Waits until the counters are as they should be.
    pub(crate) async fn until(&self, expected: impl Fn(&Counters) -> bool) -> Counters {
        soon(async {
            loop {
                let counters = self.handle.counters().await;
                if expected(&counters) {
                    return counters;
                }
                sleep(Duration::from_millis(2)).await;
            }
        })
        .await
    }

    /// The counters, when no call is in flight; they must balance.
    pub(crate) async fn at_rest(&self) -> Counters {
        let counters = self.until(|all| all.listeners["front"].active == 0).await;
        let front = &counters.listeners["front"];
        assert_eq!(front.started, front.completed.total(), "{counters:#?}");
        counters
    }
}

/// A connection on which bytes are sent as the test says.
pub(crate) struct Raw {
    responses: Frames<OwnedReadHalf>,
    write: OwnedWriteHalf,
}

impl Raw {
    pub(crate) async fn connect(address: SocketAddr) -> Raw {
        let stream = TcpStream::connect(address).await.expect("somebody listens");
        stream.set_nodelay(true).expect("an open socket");
        let (read, write) = stream.into_split();
        Raw { responses: Frames::new(read), write }
    }

    pub(crate) async fn send(&mut self, bytes: &[u8]) {
        self.write.write_all(bytes).await.expect("the proxy reads");
    }

    pub(crate) async fn half_close(&mut self) {
        self.write.shutdown().await.expect("an open socket");
    }

    pub(crate) async fn response(&mut self) -> AwesomeRpc {
        self.next().await.expect("a response")
    }

    /// The next response; `None` when the proxy has ended the connection.
    pub(crate) async fn next(&mut self) -> Option<AwesomeRpc> {
        soon(self.responses.next()).await.expect("the protocol")
    }
}

/// What `future` gives; a test that hangs fails here.
pub(crate) async fn soon<F: Future>(future: F) -> F::Output {
    timeout(PATIENCE, future).await.expect("it takes too long")
}

/// A request as bytes.
pub(crate) fn wire(id: u32, cmd: i16, body: &str) -> Vec<u8> {
    bytes_of(&metaproto_examples::request(id, cmd, body.to_owned()))
}

pub(crate) fn bytes_of(message: &AwesomeRpc) -> Vec<u8> {
    let mut wire = BytesMut::new();
    message.write(&mut wire).expect("a short body");
    wire.to_vec()
}

/// Code and body of a response.
pub(crate) fn said(response: &AwesomeRpc) -> (i16, &str) {
    (response.rsp_code, std::str::from_utf8(&response.body).expect("text"))
}
