//! A client that has many calls in flight on one connection.

use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use metaproto_awesomerpc::AwesomeRpc;
use metaproto_core::Bytes;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpStream, ToSocketAddrs};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;

use crate::{Frames, request, send};

/// One connection to a server, or to a proxy. Cheap to clone; it ends with the last clone.
#[derive(Debug, Clone)]
pub struct Client {
    requests: mpsc::UnboundedSender<AwesomeRpc>,
    calls: Arc<Mutex<Calls>>,
    _tasks: Arc<JoinSet<()>>,
}

/// The calls that wait for their responses, by their ids.
#[derive(Debug, Default)]
struct Calls {
    next_id: u32,
    waiting: HashMap<u32, oneshot::Sender<AwesomeRpc>>,
    ended: bool,
}

impl Client {
    /// Connects to `address`.
    ///
    /// # Errors
    /// Nobody listens there.
    pub async fn connect(address: impl ToSocketAddrs) -> io::Result<Client> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let (read, write) = stream.into_split();
        let (requests, queue) = mpsc::unbounded_channel();
        let calls = Arc::new(Mutex::new(Calls::default()));
        let mut tasks = JoinSet::new();
        tasks.spawn(write_requests(write, queue));
        tasks.spawn(read_responses(read, calls.clone()));
        Ok(Client { requests, calls, _tasks: Arc::new(tasks) })
    }

    /// Calls `cmd` and waits for the response, whatever its code.
    ///
    /// # Errors
    /// The connection has ended, or ends before the response has come.
    pub async fn call(&self, cmd: i16, body: impl Into<Bytes>) -> io::Result<AwesomeRpc> {
        let (answer, response) = oneshot::channel();
        let id = {
            let mut calls = lock(&self.calls);
            if calls.ended {
                return Err(ended());
            }
            calls.next_id = calls.next_id.wrapping_add(1);
            let id = calls.next_id;
            calls.waiting.insert(id, answer);
            id
        };
        self.requests.send(request(id, cmd, body)).map_err(|_| ended())?;
        response.await.map_err(|_| ended())
    }
}

/// Writes what is queued. A task of its own: a caller that gives up must not leave half a request.
async fn write_requests(mut write: OwnedWriteHalf, mut queue: mpsc::UnboundedReceiver<AwesomeRpc>) {
    while let Some(request) = queue.recv().await {
        if send(&mut write, &request).await.is_err() {
            return;
        }
    }
}

/// Hands responses to the calls that wait for them, until the connection ends.
async fn read_responses(read: OwnedReadHalf, calls: Arc<Mutex<Calls>>) {
    let mut responses = Frames::new(read);
    while let Ok(Some(response)) = responses.next::<AwesomeRpc>().await {
        let call = lock(&calls).waiting.remove(&response.pack_flow);
        if let Some(call) = call {
            // The caller may have given up.
            call.send(response).ok();
        }
    }
    let mut calls = lock(&calls);
    calls.ended = true;
    calls.waiting.clear();
}

fn lock(calls: &Mutex<Calls>) -> MutexGuard<'_, Calls> {
    calls.lock().unwrap_or_else(PoisonError::into_inner)
}

fn ended() -> io::Error {
    io::Error::new(io::ErrorKind::ConnectionReset, "the connection has ended")
}
