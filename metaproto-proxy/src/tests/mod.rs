//! The engine in a world of its own: pipes in memory for sockets, and a clock that is wound by the
//! test. Nothing here waits for real time, and nothing hangs: whoever waits too long fails.

pub(crate) mod toy;

mod peer;
mod world;

mod age;
mod balancing;
mod bound;
mod deadline;
mod drain;
mod exclusive;
mod failures;
mod forward;
mod health;
mod hostile;
mod ids;
mod keepalive;
mod latency;
mod limits;
mod mirror;
mod order;
mod outlier;
mod overload;
mod pressure;
mod random;
mod reload;
mod retry;
mod routing;
mod timing;
mod translate;
mod unread;
mod unreadable;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use metaproto_core::Sharing;

use self::peer::{Frame, Peer, error, oneway, request, response};
use self::toy::Toy;
use self::world::{World, run, run_filtered};
use crate::model::{Cluster, Keepalive, KeepaliveTimes, Listener, Route, Snapshot};

/// Every way to use upstream connections.
const MODES: [Sharing; 3] = [Sharing::Shared, Sharing::Exclusive, Sharing::Bound];

/// The address of the n-th endpoint.
fn address(n: u8) -> SocketAddr {
    ([10, 0, 0, n], 1000).into()
}

const fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

/// A listener named `l` whose calls all go to the cluster `c`.
fn listener() -> Listener {
    listener_of(Toy::default())
}

fn listener_of(toy: Toy) -> Listener {
    Listener::new("l", address(100), Arc::new(toy)).route(Route::to("c"))
}

/// The cluster `c` with this many endpoints. They need not answer pings.
fn cluster(sharing: Sharing, endpoints: u8) -> Cluster {
    let mut cluster = Cluster::new("c", (1..=endpoints).map(address)).sharing(sharing);
    cluster.keepalive = Keepalive::Off;
    cluster
}

/// A listener before a cluster of one endpoint.
fn simple(sharing: Sharing) -> Snapshot {
    Snapshot::new().listener(listener()).cluster(cluster(sharing, 1))
}

/// The same for the protocol without ids.
fn simple_by_order(sharing: Sharing) -> Snapshot {
    let listener = listener_of(Toy { by_order: true, ..Toy::default() });
    Snapshot::new().listener(listener).cluster(cluster(sharing, 1))
}
