//! Where clients connect, and what they may do.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use metaproto_core::{Limits, Protocol};

use super::Route;

/// An address that clients connect to, the protocol that they speak, and the routes of their calls.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Listener {
    /// The name in metrics and logs, unique among the listeners of a snapshot.
    pub name: String,
    /// The address to bind. Port 0 takes a free port.
    pub address: SocketAddr,
    /// The protocol of the clients and of the clusters that their calls go to.
    pub protocol: Arc<dyn Protocol>,
    /// The routes in order; the first that matches decides.
    pub routes: Vec<Arc<Route>>,
    /// Bounds on the frames of clients and of upstreams.
    pub limits: Limits,
    /// How long a client connection without a request in flight may be silent; `None` is for ever.
    pub idle_timeout: Option<Duration>,
    /// How long the rest of a frame may take to come; `None` is for ever. Not counted while the proxy
    /// does not read.
    pub frame_timeout: Option<Duration>,
    /// How long a client connection is kept before it is asked to end, as in a drain, so that clients
    /// spread anew; `None` is for ever. Up to a tenth less, so that not all end at once.
    pub max_connection_age: Option<Duration>,
    /// The most client connections at a time, over all workers; more are closed at once.
    pub max_connections: usize,
    /// The most requests that one client connection may have in flight; the next is not read before
    /// one of them has ended.
    pub max_in_flight: usize,
    /// Bytes waiting to be written to one peer (a client of this listener, or an upstream connection
    /// of its clusters) above which nothing more is read for that peer until half of them are gone.
    pub buffer: usize,
    /// Bytes waiting to be written to one client above which the client is too slow to be kept:
    /// responses to the requests that it had in flight have filled the buffer all the same. Requests
    /// are read only as long as the responses to all that are in flight, if they are like the last
    /// ones, fill no more than half of it. A single frame is never too much.
    pub max_buffer: usize,
}

impl Listener {
    /// The default of [`idle_timeout`](Listener::idle_timeout): ten minutes.
    pub const DEFAULT_IDLE_TIMEOUT: Duration = Duration::from_secs(600);
    /// The default of [`frame_timeout`](Listener::frame_timeout): one minute.
    pub const DEFAULT_FRAME_TIMEOUT: Duration = Duration::from_secs(60);
    /// The default of [`max_connections`](Listener::max_connections).
    pub const DEFAULT_MAX_CONNECTIONS: usize = 65_536;
    /// The default of [`max_in_flight`](Listener::max_in_flight).
    pub const DEFAULT_MAX_IN_FLIGHT: usize = 1024;
    /// The default of [`buffer`](Listener::buffer): 1 MiB.
    pub const DEFAULT_BUFFER: usize = 1 << 20;
    /// The default of [`max_buffer`](Listener::max_buffer): 32 MiB.
    pub const DEFAULT_MAX_BUFFER: usize = 32 << 20;

    /// A listener without routes, with the defaults.
    pub fn new(name: impl Into<String>, address: SocketAddr, protocol: Arc<dyn Protocol>) -> Self {
        Listener {
            name: name.into(),
            address,
            protocol,
            routes: Vec::new(),
            limits: Limits::default(),
            idle_timeout: Some(Self::DEFAULT_IDLE_TIMEOUT),
            frame_timeout: Some(Self::DEFAULT_FRAME_TIMEOUT),
            max_connection_age: None,
            max_connections: Self::DEFAULT_MAX_CONNECTIONS,
            max_in_flight: Self::DEFAULT_MAX_IN_FLIGHT,
            buffer: Self::DEFAULT_BUFFER,
            max_buffer: Self::DEFAULT_MAX_BUFFER,
        }
    }

    /// The same with a further route behind the others.
    #[must_use]
    pub fn route(mut self, route: Route) -> Self {
        self.routes.push(Arc::new(route));
        self
    }
}
