//! What each proxy is told.

pub(crate) mod envoy;
pub(crate) mod haproxy;
pub(crate) mod metaproto;

use std::net::SocketAddr;

use crate::protocol::Protocol;

/// Upstream connections that a layer-7 proxy may have at a time.
pub(crate) const UPSTREAM_CONNECTIONS: usize = 1024;

/// Connections that may wait to be accepted; as many as metaproto always lets wait.
pub(crate) const BACKLOG: u32 = 4096;

/// What every proxy has to know.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    /// What it forwards.
    pub(crate) protocol: Protocol,
    /// Where clients come.
    pub(crate) listen: SocketAddr,
    /// Where calls go.
    pub(crate) upstream: SocketAddr,
    /// Client connections that it must be able to hold.
    pub(crate) connections: usize,
    /// Calls in flight at a time that it must be able to hold.
    pub(crate) in_flight: usize,
}

#[cfg(test)]
impl Place {
    /// Some place of `protocol`.
    pub(crate) fn example(protocol: Protocol) -> Self {
        let listen = SocketAddr::from(([127, 0, 0, 1], 9000));
        let upstream = SocketAddr::from(([127, 0, 0, 1], 9001));
        Place { protocol, listen, upstream, connections: 1000, in_flight: 1000 }
    }
}
