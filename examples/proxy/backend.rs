//! A backend that can die and come back.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use metaproto_awesomerpc::AwesomeRpc;
use metaproto_examples::{Server, reply};
use tokio::sync::Notify;

/// How long the answer to a call takes whose body is `wait`.
const WAIT: Duration = Duration::from_secs(1);

/// A server that answers every call with its name and what was sent.
pub(crate) struct Backend {
    name: &'static str,
    address: SocketAddr,
    server: Option<Server>,
    working: Arc<Notify>,
}

impl Backend {
    /// Starts one on loopback, on this port, or on any that is free if it is taken.
    pub(crate) async fn start(name: &'static str, port: u16) -> io::Result<Backend> {
        let working = Arc::new(Notify::new());
        let server = match serve(name, &working, SocketAddr::from(([127, 0, 0, 1], port))).await {
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
                serve(name, &working, SocketAddr::from(([127, 0, 0, 1], 0))).await?
            }
            server => server?,
        };
        Ok(Backend { name, address: server.address(), server: Some(server), working })
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns when it works on a call that takes time.
    pub(crate) async fn working(&self) {
        self.working.notified().await;
    }

    /// Ends without a word to anybody.
    pub(crate) async fn die(&mut self) {
        if let Some(server) = self.server.take() {
            server.kill().await;
        }
    }

    /// Serves again, on the same address.
    pub(crate) async fn come_back(&mut self) -> io::Result<()> {
        self.server = Some(serve(self.name, &self.working, self.address).await?);
        Ok(())
    }
}

async fn serve(
    name: &'static str,
    working: &Arc<Notify>,
    address: SocketAddr,
) -> io::Result<Server> {
    let working = working.clone();
    let answer = move |request: AwesomeRpc| {
        let working = working.clone();
        async move {
            if request.body == "wait" {
                working.notify_one();
                tokio::time::sleep(WAIT).await;
            }
            let body = [name.as_bytes(), b": ", &request.body].concat();
            Some(reply(&request, 0, body))
        }
    };
    Server::start(address, answer).await
}
