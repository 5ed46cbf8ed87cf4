//! Where clients come in.

use std::cell::RefCell;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use metaproto_core::Interest;
use tokio::net::TcpListener;
use tokio::task::AbortHandle;

use super::connection;
use crate::counters::ListenerCounters;
use crate::io::BoxIo;
use crate::model;
use crate::route::RouteTable;
use crate::worker::{SharedWorker, Worker};

/// How long to wait when the system has no room for a further connection (no descriptors, say).
const BACK_OFF: Duration = Duration::from_millis(100);

/// A listener as a worker runs it.
#[derive(Debug)]
pub(crate) struct Listener {
    pub(crate) model: Arc<model::Listener>,
    pub(crate) routes: Rc<RouteTable>,
    /// The properties that anybody asks for.
    pub(crate) interest: Arc<Interest>,
    pub(crate) counters: ListenerCounters,
    /// Its connections over all workers.
    connections: Arc<AtomicUsize>,
    accepting: Option<AbortHandle>,
}

impl Listener {
    pub(crate) fn new(model: Arc<model::Listener>) -> Self {
        Listener {
            model,
            routes: Rc::default(),
            interest: Arc::new(Interest::All),
            counters: ListenerCounters::default(),
            connections: Arc::default(),
            accepting: None,
        }
    }

    /// Closes the socket; connections stay.
    pub(crate) fn stop_accepting(&mut self) {
        if let Some(task) = self.accepting.take() {
            task.abort();
        }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.stop_accepting();
    }
}

/// A place among the connections of a listener, and of the process.
#[derive(Debug)]
pub(crate) struct Place {
    _of_listener: OnePlace,
    _of_process: OnePlace,
}

/// A place among the connections that are counted here.
#[derive(Debug)]
struct OnePlace(Arc<AtomicUsize>);

impl OnePlace {
    fn take(connections: &Arc<AtomicUsize>, limit: usize) -> Option<Self> {
        let place = OnePlace(connections.clone());
        (connections.fetch_add(1, Ordering::Relaxed) < limit).then_some(place)
    }
}

impl Drop for OnePlace {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Begins to accept clients on `socket`.
pub(crate) fn accept(
    worker: &SharedWorker,
    listener: &Rc<RefCell<Listener>>,
    socket: crate::sockets::ListenSocket,
) {
    let tokio_listener = match TcpListener::from_std(socket.listener) {
        Ok(tokio_listener) => tokio_listener,
        Err(error) => return tracing::error!(%error, name = socket.name, "can't accept clients"),
    };
    let task = tokio::task::spawn_local(run(worker.clone(), listener.clone(), tokio_listener));
    let mut listener = listener.borrow_mut();
    listener.stop_accepting();
    listener.connections = socket.connections;
    listener.accepting = Some(task.abort_handle());
}

async fn run(worker: SharedWorker, listener: Rc<RefCell<Listener>>, socket: TcpListener) {
    loop {
        match socket.accept().await {
            Ok((stream, peer)) => {
                if let Err(error) = stream.set_nodelay(true) {
                    tracing::debug!(%error, %peer, "a client has gone at once");
                    continue;
                }
                welcome(&mut worker.borrow_mut(), &listener, Box::new(stream), peer);
            }
            Err(error) => {
                // Without a pause this would spin: what is missing does not come back at once.
                tracing::warn!(%error, "can't accept a client");
                tokio::time::sleep(BACK_OFF).await;
            }
        }
    }
}

/// Takes a client on, unless there are too many.
pub(crate) fn welcome(
    worker: &mut Worker,
    listener: &Rc<RefCell<Listener>>,
    io: BoxIo,
    peer: SocketAddr,
) {
    let place = place(worker, &listener.borrow());
    match place {
        Some(place) => connection::start(worker, listener, io, (peer.ip(), place)),
        None => {
            listener.borrow_mut().counters.connections_refused += 1;
            // That there is an overload has been told.
            if !worker.load.is_full() {
                tracing::warn!(%peer, "too many clients; one is refused");
            }
        }
    }
}

fn place(worker: &Worker, listener: &Listener) -> Option<Place> {
    if worker.load.is_full() {
        return None;
    }
    let most = worker.snapshot.overload.max_connections.unwrap_or(usize::MAX);
    let all = &worker.load.process.connections;
    Some(Place {
        _of_listener: OnePlace::take(&listener.connections, listener.model.max_connections)?,
        _of_process: OnePlace::take(all, most)?,
    })
}
