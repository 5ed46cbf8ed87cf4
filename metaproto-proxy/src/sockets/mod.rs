//! Listening sockets: one for each worker and address, so that the kernel spreads the clients.
//!
//! The kernel keeps a queue of connections for each socket, and resets them when the socket is closed.
//! A socket is therefore never closed while there is a use for it: the workers run on duplicates, and
//! the sockets themselves stay with the proxy, which can give them to another listener of its own or
//! to another process.

mod open;

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

use socket2::{Domain, Protocol, SockRef, Socket, Type};

pub(crate) use self::open::{OpenSocket, Origin};
pub use self::open::{OpenSockets, UnusedSocket};
use crate::downstream::Shortage;
use crate::model::{Listener, Snapshot};

/// Connections that the kernel accepts before we do; more are refused by it.
pub(crate) const BACKLOG: i32 = 4096;

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

/// Why listeners can't have their sockets.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    #[error(transparent)]
    Bind(#[from] BindError),
    #[error(transparent)]
    Unused(#[from] UnusedSocket),
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

/// A listener's sockets and address.
#[derive(Debug)]
pub(crate) struct Bound {
    pub(crate) name: String,
    pub(crate) requested: SocketAddr,
    pub(crate) address: SocketAddr,
    sockets: Vec<TcpListener>,
    /// A duplicate for each place of a worker, until the worker takes it.
    places: Vec<Vec<ListenSocket>>,
}

impl Bound {
    /// The sockets that the next worker accepts from.
    pub(crate) fn take_one(&mut self) -> Vec<ListenSocket> {
        self.places.pop().unwrap_or_default()
    }

    /// Keeps the sockets open no longer than the workers do.
    pub(crate) fn let_go(&mut self) {
        self.sockets.clear();
        self.places.clear();
    }

    /// Duplicates for another listener or another process.
    pub(crate) fn duplicate(&self, into: &mut OpenSockets) -> io::Result<()> {
        for socket in &self.sockets {
            into.add_own(self.name.clone(), self.requested, socket.try_clone()?)?;
        }
        Ok(())
    }

    /// Gives every worker one socket or more, and every socket to one worker or more: no queue may
    /// be without somebody who takes from it.
    fn share(&mut self, workers: usize) -> io::Result<()> {
        let connections = Arc::new(AtomicUsize::new(0));
        let shortage = Arc::new(Shortage::default());
        self.places.resize_with(workers, Vec::new);
        for index in 0..workers.max(self.sockets.len()) {
            let place = self.places.get_mut(index % workers);
            let socket = self.sockets.get(index % self.sockets.len());
            let Some((place, socket)) = place.zip(socket) else { continue };
            place.push(ListenSocket {
                name: self.name.clone(),
                listener: socket.try_clone()?,
                connections: connections.clone(),
                shortage: shortage.clone(),
            });
        }
        Ok(())
    }
}

/// Finds sockets for the listeners of `snapshot` that are not among `held`: first among those that are
/// `open`, then by binding one for each worker.
pub(crate) fn bind(
    snapshot: &Snapshot,
    held: &[&str],
    mut open: OpenSockets,
    workers: usize,
) -> Result<Vec<Bound>, Failure> {
    let is_new = |l: &&Arc<Listener>| !held.contains(&l.name.as_str());
    let new: Vec<_> = snapshot.listeners.iter().filter(is_new).collect();
    let taken: Vec<_> = new.iter().map(|listener| open.take_for(listener, &new)).collect();
    open.must_be_used_up(&snapshot.listeners)?;
    let mut all = Vec::new();
    for (listener, taken) in new.into_iter().zip(taken) {
        let (name, address) = (listener.name.clone(), listener.address);
        let bound = bind_one(listener, taken, workers);
        all.push(bound.map_err(|source| BindError { name, address, source })?);
    }
    Ok(all)
}

fn bind_one(listener: &Listener, taken: Vec<OpenSocket>, workers: usize) -> io::Result<Bound> {
    let requested = listener.address;
    // One that comes from outside must not get company that would go when this process ends.
    let outside = taken.iter().any(|open| open.origin == Origin::Outside);
    let mut sockets: Vec<_> = taken.into_iter().map(|open| open.socket).collect();
    if sockets.is_empty() {
        if requested.port() != 0 {
            // SO_REUSEPORT would let two proxies share an address by mistake, each with half the
            // clients. A socket without it finds out whether somebody else is there.
            drop(listen(requested, ReusePort::No)?);
        }
        sockets.push(listen(requested, ReusePort::Yes)?);
    }
    let address = match sockets.first() {
        Some(first) => first.local_addr()?,
        None => requested,
    };
    let alike = sockets.iter().all(|socket| SockRef::from(socket).reuse_port().unwrap_or(false));
    while !outside && alike && sockets.len() < workers {
        sockets.push(listen(address, ReusePort::Yes)?);
    }
    let name = listener.name.clone();
    let mut bound = Bound { name, requested, address, sockets, places: Vec::new() };
    bound.share(workers)?;
    Ok(bound)
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

    const ANY: ([u8; 4], u16) = ([127, 0, 0, 1], 0);

    fn snapshot(listeners: &[(&str, SocketAddr)]) -> Snapshot {
        listeners.iter().fold(Snapshot::new(), |snapshot, (name, address)| {
            snapshot.listener(Listener::new(*name, *address, Arc::new(Toy::default())))
        })
    }

    fn fresh(name: &str, workers: usize) -> Bound {
        bind(&snapshot(&[(name, ANY.into())]), &[], OpenSockets::new(), workers).unwrap().remove(0)
    }

    fn outside(names: &[&str]) -> (OpenSockets, Vec<SocketAddr>) {
        let mut open = OpenSockets::new();
        let mut addresses = Vec::new();
        for name in names {
            let socket = TcpListener::bind(SocketAddr::from(ANY)).unwrap();
            addresses.push(socket.local_addr().unwrap());
            open.add(*name, socket).unwrap();
        }
        (open, addresses)
    }

    fn places(bound: &mut Bound, workers: usize) -> Vec<usize> {
        (0..workers).map(|_| bound.take_one().len()).collect()
    }

    #[test]
    fn all_workers_listen_on_the_same_free_port() {
        let mut bound = fresh("l", 3);
        assert_ne!(bound.address.port(), 0);
        for _ in 0..3 {
            let sockets = bound.take_one();
            assert_eq!(sockets.len(), 1);
            assert_eq!(sockets[0].listener.local_addr().unwrap(), bound.address);
        }
    }

    #[test]
    fn an_address_that_somebody_listens_on_is_refused_even_with_reuse_port() {
        let taken = fresh("l", 1).address;
        let first = bind(&snapshot(&[("l", taken)]), &[], OpenSockets::new(), 1).unwrap();
        let error = bind(&snapshot(&[("m", taken)]), &[], OpenSockets::new(), 1).unwrap_err();
        assert!(error.to_string().starts_with(&format!("listener m: can't listen on {taken}: ")));
        // Under another name it goes on with the sockets that there are.
        let mut open = OpenSockets::new();
        first[0].duplicate(&mut open).unwrap();
        bind(&snapshot(&[("m", taken)]), &[], open, 1).unwrap();
    }

    #[test]
    fn no_socket_of_another_process_is_without_a_worker_and_no_worker_without_a_socket() {
        for (before, after, expected) in
            [(4, 2, vec![2, 2]), (5, 2, vec![2, 3]), (1, 3, vec![1, 1, 1]), (2, 2, vec![1, 1])]
        {
            let old = fresh("l", before);
            let mut open = OpenSockets::new();
            old.duplicate(&mut open).unwrap();
            let new = snapshot(&[("l", old.requested)]);
            let mut bound = bind(&new, &[], open, after).unwrap().remove(0);
            assert_eq!(bound.address, old.address);
            assert_eq!(bound.sockets.len(), before.max(after));
            assert_eq!(places(&mut bound, after), expected);
        }
    }

    #[test]
    fn a_socket_from_outside_is_shared_by_all_workers() {
        let (open, addresses) = outside(&["x"]);
        let mut bound = bind(&snapshot(&[("l", addresses[0])]), &[], open, 3).unwrap().remove(0);
        assert_eq!(bound.sockets.len(), 1);
        assert_eq!(places(&mut bound, 3), [1, 1, 1]);
    }

    #[test]
    fn sockets_are_found_by_their_address_and_else_by_their_name() {
        let (open, at) = outside(&["b", "b", ""]);
        let mut listeners = [("a", at[0]), ("b", ANY.into()), ("c", at[2])];
        let bound = bind(&snapshot(&listeners), &[], open, 1).unwrap();
        let found: Vec<_> = bound.iter().map(|b| (b.name.as_str(), b.address)).collect();
        listeners[1].1 = at[1];
        assert_eq!(found, listeners);
    }

    #[test]
    fn a_socket_from_outside_that_is_for_no_listener_is_an_error() {
        let (open, at) = outside(&["x"]);
        let listeners = snapshot(&[("l", ANY.into())]);
        let error = bind(&listeners, &[], open, 1).unwrap_err().to_string();
        let expected = format!(
            "the open socket \"x\" at {} is for no listener: none has its name or address; there are \
             l (127.0.0.1:0)",
            at[0]
        );
        assert_eq!(error, expected);
    }

    #[test]
    fn a_listener_that_moves_leaves_its_socket_behind() {
        let old = fresh("l", 1);
        let mut open = OpenSockets::new();
        open.add_own("l", old.address, old.sockets[0].try_clone().unwrap()).unwrap();
        let bound = bind(&snapshot(&[("l", ANY.into())]), &[], open, 1).unwrap().remove(0);
        assert_ne!(bound.address, old.address);
    }

    #[test]
    fn what_does_not_listen_is_no_listening_socket() {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        assert!(OpenSockets::new().add("x", socket.into()).is_err());
    }
}
