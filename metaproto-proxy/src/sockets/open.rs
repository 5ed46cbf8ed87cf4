//! Listening sockets that are open already when a proxy starts.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;

use listenfd::ListenFd;
use rustix::net::sockopt;

use crate::model::Listener;

/// Listening sockets that somebody else has opened: systemd, the process that is being replaced, or
/// the program that the proxy is part of. Given to [`Builder::sockets`](crate::Builder::sockets).
///
/// A listener takes those that are bound to its address, and those that have its name and no
/// listener's address. What is in their queues is neither refused nor reset.
#[derive(Debug, Default)]
pub struct OpenSockets(pub(crate) Vec<OpenSocket>);

/// One of them.
#[derive(Debug)]
pub(crate) struct OpenSocket {
    pub(crate) name: String,
    pub(crate) socket: TcpListener,
    pub(crate) origin: Origin,
}

/// Where a socket comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin {
    /// From somebody who keeps it open when this proxy has ended, and who wants it to be used.
    Outside,
    /// From a proxy, whose listener asked for this address. Nobody minds if it is no longer used.
    Proxy(SocketAddr),
}

/// A socket that was given to the proxy and that is for none of its listeners.
#[derive(Debug, thiserror::Error)]
#[error(
    "the open socket \"{name}\" at {address} is for no listener: none has its name or address; \
     there {}",
    told(listeners)
)]
pub struct UnusedSocket {
    /// Its name; empty if it has none.
    pub name: String,
    /// The address that it is bound to.
    pub address: SocketAddr,
    /// The names and addresses of the listeners.
    pub listeners: Vec<(String, SocketAddr)>,
}

fn told(listeners: &[(String, SocketAddr)]) -> String {
    let all: Vec<_> = listeners.iter().map(|(name, at)| format!("{name} ({at})")).collect();
    if all.is_empty() { "are no listeners".to_owned() } else { format!("are {}", all.join(", ")) }
}

impl OpenSockets {
    /// None.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Those that systemd has opened for this process (`LISTEN_FDS`, `LISTEN_PID`, `LISTEN_FDNAMES`,
    /// see sd_listen_fds(3)); none if there are none for it. They can be asked for once: the variables
    /// are gone then, so call this before other threads look at the environment.
    ///
    /// # Errors
    /// A descriptor that is not a listening TCP socket.
    pub fn from_systemd() -> io::Result<Self> {
        let names = std::env::var("LISTEN_FDNAMES").unwrap_or_default();
        let mut names = names.split(':');
        let mut given = ListenFd::from_env();
        let mut all = OpenSockets::new();
        for index in 0..given.len() {
            let name = names.next().unwrap_or_default();
            let wrong = |error: io::Error| {
                let what = format!("LISTEN_FDS: socket {index} (\"{name}\"): {error}");
                io::Error::new(error.kind(), what)
            };
            if let Some(socket) = given.take_tcp_listener(index).map_err(wrong)? {
                all.add(name, socket).map_err(wrong)?;
            }
        }
        Ok(all)
    }

    /// Adds a socket with a name, which may be empty.
    ///
    /// # Errors
    /// A socket that does not listen.
    pub fn add(&mut self, name: impl Into<String>, socket: TcpListener) -> io::Result<()> {
        self.push(OpenSocket { name: name.into(), socket, origin: Origin::Outside })
    }

    pub(crate) fn push(&mut self, open: OpenSocket) -> io::Result<()> {
        if !sockopt::socket_acceptconn(&open.socket)? {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "it does not listen"));
        }
        // The same for all who share it, so that each must cope with it.
        open.socket.set_nonblocking(true)?;
        self.0.push(open);
        Ok(())
    }

    /// Adds another's sockets.
    pub fn extend(&mut self, others: OpenSockets) {
        self.0.extend(others.0);
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds a socket that is to be handed to another proxy: that it was bound for `requested` tells
    /// the other one for which of its own it is.
    ///
    /// # Errors
    /// A socket that does not listen.
    pub fn add_own(
        &mut self,
        name: impl Into<String>,
        requested: SocketAddr,
        socket: TcpListener,
    ) -> io::Result<()> {
        self.push(OpenSocket { name: name.into(), socket, origin: Origin::Proxy(requested) })
    }

    /// Takes a socket that is not for a listener: one that is bound to `address`, or else has this
    /// name.
    pub fn take(&mut self, name: &str, address: SocketAddr) -> Option<TcpListener> {
        let mut all = self.0.iter();
        let found = all
            .position(|open| open.is_at(address))
            .or_else(|| self.0.iter().position(|open| open.is_named(name, address)))?;
        Some(self.0.swap_remove(found).socket)
    }

    /// Takes those that are for `listener`; `all` are the listeners that may have some.
    pub(super) fn take_for(
        &mut self,
        listener: &Listener,
        all: &[&Arc<Listener>],
    ) -> Vec<OpenSocket> {
        let is_for = |open: &mut OpenSocket| {
            open.is_at(listener.address)
                || open.is_named(&listener.name, listener.address)
                    && !all.iter().any(|other| open.is_at(other.address))
        };
        self.0.extract_if(.., is_for).collect()
    }

    /// Complains about a socket that somebody wanted to be used; the others are closed.
    pub(super) fn must_be_used_up(self, listeners: &[Arc<Listener>]) -> Result<(), UnusedSocket> {
        for open in self.0 {
            let Ok(address) = open.socket.local_addr() else { continue };
            if open.origin == Origin::Outside {
                let listeners = listeners.iter().map(|l| (l.name.clone(), l.address)).collect();
                return Err(UnusedSocket { name: open.name, address, listeners });
            }
            tracing::info!(%address, name = open.name, "no longer listening");
        }
        Ok(())
    }
}

impl OpenSocket {
    fn is_at(&self, address: SocketAddr) -> bool {
        self.socket.local_addr().is_ok_and(|bound| bound == address)
    }

    /// Whether it is for who has this name and asks for this address. A proxy's own is not if it was
    /// for another address: the configuration has changed.
    fn is_named(&self, name: &str, requested: SocketAddr) -> bool {
        self.name == name
            && match self.origin {
                Origin::Outside => true,
                Origin::Proxy(before) => before == requested,
            }
    }
}
