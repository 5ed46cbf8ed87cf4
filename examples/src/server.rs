//! A server of any protocol that is a [`Frame`], whose answers are up to you.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use metaproto_core::Frame;
use tokio::net::{TcpListener, TcpStream, ToSocketAddrs};
use tokio::sync::Mutex;
use tokio::task::JoinSet;

use crate::{Frames, send};

/// A server that runs until it is dropped; its connections end with it.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    task: JoinSet<()>,
}

impl Server {
    /// Listens on `address` and answers every request with what `answer` makes of it; `None` is no
    /// answer at all. Requests of one connection are worked on at the same time, so a quick answer
    /// overtakes a slow one.
    ///
    /// # Errors
    /// The address can't be listened on.
    pub async fn start<M, A, F>(address: impl ToSocketAddrs, answer: A) -> io::Result<Server>
    where
        M: Frame + Send + Sync + 'static,
        A: Fn(M) -> F + Send + Sync + 'static,
        F: Future<Output = Option<M>> + Send + 'static,
    {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        let mut task = JoinSet::new();
        task.spawn(accept(listener, Arc::new(answer)));
        Ok(Server { address, task })
    }

    /// The address that it listens on.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Ends it at once, with all its connections, as if the process had died. When this returns
    /// nobody listens on the address.
    pub async fn kill(mut self) {
        self.task.shutdown().await;
    }

    /// Serves for ever.
    pub async fn run(mut self) {
        self.task.join_next().await;
    }
}

async fn accept<M, A, F>(listener: TcpListener, answer: Arc<A>)
where
    M: Frame + Send + Sync + 'static,
    A: Fn(M) -> F + Send + Sync + 'static,
    F: Future<Output = Option<M>> + Send + 'static,
{
    let mut connections = JoinSet::new();
    // An error of `accept` that does not pass, such as too many open files, ends the server.
    while let Ok((stream, _)) = listener.accept().await {
        while connections.try_join_next().is_some() {}
        connections.spawn(serve(stream, answer.clone()));
    }
}

/// Serves one connection. A client that ends its side still gets what it has asked for.
async fn serve<M, A, F>(stream: TcpStream, answer: Arc<A>) -> io::Result<()>
where
    M: Frame + Send + Sync + 'static,
    A: Fn(M) -> F + Send + Sync + 'static,
    F: Future<Output = Option<M>> + Send + 'static,
{
    stream.set_nodelay(true)?;
    let (read, write) = stream.into_split();
    let (mut requests, write) = (Frames::new(read), Arc::new(Mutex::new(write)));
    let mut calls = JoinSet::new();
    while let Some(request) = requests.next().await? {
        while calls.try_join_next().is_some() {}
        let (write, answer) = (write.clone(), answer(request));
        calls.spawn(async move {
            match answer.await {
                Some(response) => send(&mut *write.lock().await, &response).await,
                None => Ok(()),
            }
        });
    }
    while calls.join_next().await.is_some() {}
    Ok(())
}
