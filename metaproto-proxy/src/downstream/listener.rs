//! Where clients come in.

use std::cell::RefCell;
use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use metaproto_core::Interest;
use socket2::SockRef;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::AbortHandle;

use super::back_off::{self, BackOff, Shortage};
use super::connection;
use crate::counters::ListenerCounters;
use crate::io::BoxIo;
use crate::model;
use crate::route::RouteTable;
use crate::worker::{SharedWorker, Worker};

/// The task that accepts from a socket, and the socket.
type Accepting = (AbortHandle, Rc<TcpListener>);

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
    accepting: Vec<Accepting>,
}

impl Listener {
    pub(crate) fn new(model: Arc<model::Listener>) -> Self {
        Listener {
            model,
            routes: Rc::default(),
            interest: Arc::new(Interest::All),
            counters: ListenerCounters::default(),
            connections: Arc::default(),
            accepting: Vec::new(),
        }
    }

    /// Closes the socket; connections stay.
    pub(crate) fn stop_accepting(&mut self) {
        for (task, _) in self.accepting.drain(..) {
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

/// Begins to accept clients on `socket` (too).
pub(crate) fn accept(
    worker: &SharedWorker,
    listener: &Rc<RefCell<Listener>>,
    socket: crate::sockets::ListenSocket,
) {
    let tokio_listener = match TcpListener::from_std(socket.listener) {
        Ok(tokio_listener) => tokio_listener,
        Err(error) => return tracing::error!(%error, name = socket.name, "can't accept clients"),
    };
    let tokio_listener = Rc::new(tokio_listener);
    let socket_and_shortage = (tokio_listener.clone(), socket.shortage);
    let task = tokio::task::spawn_local(run(worker.clone(), listener.clone(), socket_and_shortage));
    let mut listener = listener.borrow_mut();
    listener.connections = socket.connections;
    listener.accepting.push((task.abort_handle(), tokio_listener));
}

async fn run(
    worker: SharedWorker,
    listener: Rc<RefCell<Listener>>,
    (socket, shortage): (Rc<TcpListener>, Arc<Shortage>),
) {
    let mut back_off = BackOff::default();
    loop {
        match socket.accept().await {
            Ok((stream, peer)) => {
                back_off = BackOff::default();
                if let Err(error) = stream.set_nodelay(true) {
                    tracing::debug!(%error, %peer, "a client has gone at once");
                    continue;
                }
                welcome(&mut worker.borrow_mut(), &listener, Box::new(stream), peer);
            }
            // The kernel has taken it from the queue; the next may be fine.
            Err(error) if back_off::is_of_one_client(&error) => {
                tracing::debug!(%error, "a client has gone before it was accepted");
            }
            Err(error) => {
                listener.borrow_mut().counters.accept_failures += 1;
                if shortage.is_new() {
                    let name = listener.borrow().model.name.clone();
                    tracing::warn!(%error, name, "can't accept clients; they wait");
                }
                tokio::time::sleep(back_off.next()).await;
            }
        }
    }
}

/// Closes the sockets of a listener. Clients that the kernel has let in are served first: closing would
/// reset their connections.
pub(crate) fn stop(worker: &mut Worker, listener: &Rc<RefCell<Listener>>) {
    let sockets = std::mem::take(&mut listener.borrow_mut().accepting);
    for (task, socket) in sockets {
        task.abort();
        // Bounded by what the queue can hold, so that clients who keep coming don't keep it open.
        for _ in 0..crate::sockets::BACKLOG {
            match accept_now(&socket) {
                Ok((stream, peer)) => welcome(worker, listener, Box::new(stream), peer),
                Err(error) if back_off::is_of_one_client(&error) => {}
                // By far the most frequent: the queue is empty.
                Err(_) => break,
            }
        }
    }
}

/// Accepts a client without waiting for one.
fn accept_now(socket: &TcpListener) -> io::Result<(TcpStream, SocketAddr)> {
    let (stream, peer) = SockRef::from(socket).accept()?;
    stream.set_nonblocking(true)?;
    stream.set_tcp_nodelay(true)?;
    let peer = peer.as_socket().ok_or(io::ErrorKind::InvalidData)?;
    Ok((TcpStream::from_std(stream.into())?, peer))
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
