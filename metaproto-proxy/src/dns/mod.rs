//! Endpoints that are known by name: looked up before the proxy serves, and again and again while it
//! runs.
//!
//! There is nothing to start: a [`Snapshot`] whose clusters have [names](crate::model::Name) is looked
//! up by [`Builder::start`](crate::Builder::start) and [`Handle::apply`](crate::Handle::apply), on a
//! thread of its own, which lives as long as the proxy. A proxy of addresses only has no such thread.
//!
//! - A name is looked up again when its records' time to live has passed, at the latest after
//!   [`Dns::refresh`](crate::model::Dns::refresh).
//! - If its addresses have changed, the running snapshot is replaced by one that differs in just the
//!   clusters that have the name. Calls in flight are not disturbed.
//! - A name that can't be looked up keeps the addresses that it had, also if the DNS says that it has
//!   none any more; the log says so once. One that never could be has no endpoints until it can:
//!   [`look_up`] tells which these are.
//! - `start` and `apply` wait for names that are new, for [`PATIENCE`] at the most.
//!
//! ```
//! use metaproto_core::Protocol;
//! use metaproto_proxy::config::{Config, Protocols};
//! use metaproto_proxy::model::{Cluster, Dns, Listener, Name, Route, Snapshot};
//! use metaproto_proxy::{Proxy, StartError};
//!
//! fn from_a_file(file: &str, protocols: &Protocols) -> Result<(), Box<dyn std::error::Error>> {
//!     let config = Config::load(file.as_ref(), protocols)?;
//!     Ok(Proxy::builder().snapshot(config.snapshot).run()?)
//! }
//!
//! fn from_code(protocol: std::sync::Arc<dyn Protocol>) -> Result<Proxy, StartError> {
//!     let address = ([127, 0, 0, 1], 9000).into();
//!     let users = Cluster::new("users", [])
//!         .name(Name::host("users.example", 9001))
//!         .name(Name::service("_rpc._tcp.users.example"));
//!     let mut snapshot = Snapshot::new()
//!         .listener(Listener::new("front", address, protocol).route(Route::to("users")))
//!         .cluster(users);
//!     snapshot.dns = Dns::servers([([127, 0, 0, 1], 5353).into()]);
//!     Proxy::builder().snapshot(snapshot).start()
//! }
//! ```

mod follow;
mod lookup;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::mpsc;

use self::follow::Follower;
use crate::counters::Counters;
use crate::model::{Snapshot, Target};
use crate::proxy::WeakHandle;

/// How long is waited for names that nothing is known of yet.
pub const PATIENCE: Duration = Duration::from_secs(5);

/// Names, looked up.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Resolved {
    /// The snapshot with the endpoints that its names stand for.
    pub snapshot: Snapshot,
    /// The names that could not be looked up within [`PATIENCE`], with the reasons.
    pub failures: BTreeMap<Target, String>,
}

/// Looks the names of a snapshot up, once: to check a configuration. Waits up to [`PATIENCE`].
///
/// # Errors
/// There is no thread to do it on.
pub fn look_up(snapshot: Snapshot) -> std::io::Result<Resolved> {
    match snapshot.targets().is_empty() {
        true => Ok(Resolved { snapshot, failures: BTreeMap::new() }),
        false => Ok(Follow::spawn()?.find_blocking(snapshot)),
    }
}

/// What the thread that looks names up can be told.
enum Ask {
    /// Look the names of the snapshot up, and answer when something is known of each.
    Find { snapshot: Box<Snapshot>, answer: Answered },
    /// Follow the names that the proxy has now.
    Follow(WeakHandle),
}

/// Takes the answer; called on the thread that looks names up, so it must not wait.
type Answered = Box<dyn FnOnce(Resolved) + Send>;

/// What each cluster has counted; only the numbers of look-ups.
type Counted = Arc<Mutex<Counters>>;

/// The thread that looks names up. It ends when this is dropped.
#[derive(Debug, Clone)]
pub(crate) struct Follow {
    asks: mpsc::UnboundedSender<Ask>,
    counted: Counted,
}

impl Follow {
    /// Starts the thread.
    pub(crate) fn spawn() -> std::io::Result<Self> {
        let (asks, inbox) = mpsc::unbounded_channel();
        let counted = Counted::default();
        let follower = Follower::new(inbox, counted.clone());
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let thread = std::thread::Builder::new().name("dns".to_owned());
        thread.spawn(move || runtime.block_on(follower.run()))?;
        Ok(Follow { asks, counted })
    }

    /// Finds what the names of `snapshot` stand for; blocks for up to [`PATIENCE`].
    pub(crate) fn find_blocking(&self, snapshot: Snapshot) -> Resolved {
        let (sender, receiver) = std::sync::mpsc::channel();
        let spare = snapshot.clone();
        let answer = Box::new(move |found| drop(sender.send(found)));
        self.ask(Ask::Find { snapshot: Box::new(snapshot), answer });
        receiver.recv().unwrap_or_else(|_| nothing(spare))
    }

    /// Finds what the names of `snapshot` stand for, in up to [`PATIENCE`].
    pub(crate) async fn find(&self, snapshot: Snapshot) -> Resolved {
        let (sender, receiver) = tokio::sync::oneshot::channel();
        let spare = snapshot.clone();
        let answer = Box::new(move |found| drop(sender.send(found)));
        self.ask(Ask::Find { snapshot: Box::new(snapshot), answer });
        receiver.await.unwrap_or_else(|_| nothing(spare))
    }

    /// Has the names followed that the proxy has now.
    pub(crate) fn follow(&self, handle: WeakHandle) {
        self.ask(Ask::Follow(handle));
    }

    /// Adds what has been counted to `counters`.
    pub(crate) fn count(&self, counters: &mut Counters) {
        counters.merge(&self.counted.lock().unwrap_or_else(PoisonError::into_inner));
    }

    fn ask(&self, ask: Ask) {
        // A thread that is gone is seen by who waits for its answer.
        self.asks.send(ask).ok();
    }
}

/// For the case that the thread is gone.
fn nothing(snapshot: Snapshot) -> Resolved {
    Resolved { snapshot, failures: BTreeMap::new() }
}
