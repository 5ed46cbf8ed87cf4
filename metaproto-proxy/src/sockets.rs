//! Listening sockets: one for each worker and address, so that the kernel spreads the clients.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

use socket2::{Domain, Protocol, Socket, Type};

use crate::downstream::Shortage;
use crate::model::Snapshot;

/// Connections that the kernel accepts before we do; more are refused by it.
const BACKLOG: i32 = 4096;

/// An address that can't be listened on.
#[derive(Debug, thiserror::Error)]
#[error("listener {name}: can't listen on {address}: {source}")]
pub struct BindError {
    /// The listener's name.
    pub name: String,
    /// The address that was asked for.
    pub address: SocketAddr,
    /// What the system says.
    pub source: io::Error,
}

/// A listener's address, as asked for and as bound.
#[derive(Debug, Clone)]
pub(crate) struct Address {
    pub(crate) name: String,
    pub(crate) requested: SocketAddr,
    pub(crate) bound: SocketAddr,
}

/// A listening socket of one worker.
#[derive(Debug)]
pub(crate) struct ListenSocket {
    pub(crate) name: String,
    pub(crate) listener: TcpListener,
    /// The connections of this listener, over all workers.
    pub(crate) connections: Arc<AtomicUsize>,
    /// Whether clients can't be accepted, over all workers.
    pub(crate) shortage: Arc<Shortage>,
}

/// The sockets of one worker.
pub(crate) type Sockets = Vec<ListenSocket>;

/// The sockets of one listener, one for each worker.
#[derive(Debug)]
pub(crate) struct Bound {
    pub(crate) address: Address,
    sockets: Vec<ListenSocket>,
}

impl Bound {
    /// The socket of the next worker.
    pub(crate) fn take_one(&mut self) -> Option<ListenSocket> {
        self.sockets.pop()
    }
}

/// Binds the listeners of `snapshot` that are not among `held`, once for each worker.
pub(crate) fn bind(
    snapshot: &Snapshot,
    held: &[Address],
    workers: usize,
) -> Result<Vec<Bound>, BindError> {
    let mut all = Vec::new();
    for listener in &snapshot.listeners {
        let (name, requested) = (&listener.name, listener.address);
        if held.iter().any(|a| a.name == *name && a.requested == requested) {
            continue;
        }
        let fail = |source| BindError { name: name.clone(), address: requested, source };
        let ours = held.iter().any(|a| a.bound == requested);
        all.push(bind_one(name, requested, ours, workers).map_err(fail)?);
    }
    Ok(all)
}

fn bind_one(name: &str, requested: SocketAddr, ours: bool, workers: usize) -> io::Result<Bound> {
    if !ours && requested.port() != 0 {
        // SO_REUSEPORT would let two proxies share an address by mistake, each with half the
        // clients. A socket without it finds out whether somebody else is there.
        drop(listen(requested, ReusePort::No)?);
    }
    let connections = Arc::new(AtomicUsize::new(0));
    let shortage = Arc::new(Shortage::default());
    let mut bound = requested;
    let mut sockets = Vec::with_capacity(workers);
    for _ in 0..workers {
        let listener = listen(bound, ReusePort::Yes)?;
        bound = listener.local_addr()?;
        sockets.push(ListenSocket {
            name: name.to_owned(),
            listener,
            connections: connections.clone(),
            shortage: shortage.clone(),
        });
    }
    Ok(Bound { address: Address { name: name.to_owned(), requested, bound }, sockets })
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum ReusePort {
    Yes,
    No,
}

fn listen(address: SocketAddr, reuse_port: ReusePort) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_reuse_address(true)?;
    socket.set_reuse_port(reuse_port == ReusePort::Yes)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Listener;
    use crate::tests::toy::Toy;

    fn snapshot(address: SocketAddr) -> Snapshot {
        Snapshot::new().listener(Listener::new("l", address, Arc::new(Toy::default())))
    }

    #[test]
    fn all_workers_listen_on_the_same_free_port() {
        let mut bound = bind(&snapshot(([127, 0, 0, 1], 0).into()), &[], 3).unwrap();
        let address = bound[0].address.bound;
        assert_ne!(address.port(), 0);
        let sockets: Vec<_> = std::iter::from_fn(|| bound[0].take_one()).collect();
        assert_eq!(sockets.len(), 3);
        assert!(sockets.iter().all(|s| s.listener.local_addr().unwrap() == address));
    }

    #[test]
    fn an_address_that_somebody_listens_on_is_refused_even_with_reuse_port() {
        let first = bind(&snapshot(([127, 0, 0, 1], 0).into()), &[], 1).unwrap();
        let taken = first[0].address.bound;
        let error = bind(&snapshot(taken), &[], 1).unwrap_err();
        assert!(error.to_string().starts_with(&format!("listener l: can't listen on {taken}: ")));
        // Our own address may be bound again: a listener has been renamed.
        let held = [Address { name: "old".into(), requested: taken, bound: taken }];
        bind(&snapshot(taken), &held, 1).unwrap();
    }
}
