//! One worker: a thread, its runtime, its sockets, and everything that happens on them.
//!
//! ```text
//!   listener --accept--> downstream --frame--> exchange --message--> upstream
//!                            ^                                          |
//!                            +---------- response or error -------------+
//! ```
//!
//! All state of a worker is one value, [`Worker`], that the worker's tasks borrow in turn: one task for
//! each connection, which reads; one that writes what has gathered ([`flush`]); one that looks at the
//! clock ([`tick`]). Nothing is shared with other workers, so nothing is locked. Bytes for a peer are
//! appended to its buffer, the peer is marked, and when every task that was ready has run, each marked
//! peer is written to once: calls of many clients leave in one system call.

mod control;
mod flush;
mod tick;

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;
use std::task::Waker;

use metaproto_core::Metadata;
use slotmap::{SlotMap, new_key_type};
use tokio::sync::Notify;
use tokio::time::Instant;

pub(crate) use self::control::{Command, Start, spawn};
use crate::cluster::Cluster;
use crate::counters::Counters;
use crate::downstream::{Downstream, Listener};
use crate::filter::FilterChain;
use crate::health::Health;
use crate::inbound::Scratch;
use crate::io::{Connect, TcpConnect};
use crate::model::Snapshot;
use crate::overload::Load;
use crate::retry::Later;
use crate::upstream::{Endpoint, Upstream};

new_key_type! {
    /// Names a client connection; a key of a connection that is gone finds nothing.
    pub(crate) struct DownstreamKey;
    /// Names an upstream connection.
    pub(crate) struct UpstreamKey;
    /// Names an endpoint of a cluster.
    pub(crate) struct EndpointKey;
    /// Names a cluster as one protocol uses it.
    pub(crate) struct ClusterKey;
}

/// A peer that this many bytes wait for is not kept waiting until the end of the turn: to write them
/// with others would save little, and meanwhile they would leave the processor's cache.
const HEAVY: usize = 256 * 1024;

/// A message of this many bytes is not kept waiting either if nothing else is about to be written to its
/// peer: it would be written alone anyway.
pub(crate) const LARGE: usize = 32 * 1024;

/// A connection of either side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Peer {
    Down(DownstreamKey),
    Up(UpstreamKey),
}

/// A worker as its tasks hold it.
pub(crate) type SharedWorker = Rc<RefCell<Worker>>;

/// Everything that one worker knows.
pub(crate) struct Worker {
    pub(crate) snapshot: Arc<Snapshot>,
    pub(crate) listeners: HashMap<String, Rc<RefCell<Listener>>>,
    /// Listeners that configuration has dropped and that still have clients.
    pub(crate) retired: Vec<Rc<RefCell<Listener>>>,
    pub(crate) downstreams: SlotMap<DownstreamKey, Downstream>,
    pub(crate) clusters: SlotMap<ClusterKey, Cluster>,
    /// Clusters that configuration has dropped and that may still have calls.
    pub(crate) unused_clusters: Vec<ClusterKey>,
    pub(crate) endpoints: SlotMap<EndpointKey, Endpoint>,
    pub(crate) upstreams: SlotMap<UpstreamKey, Upstream>,
    /// Calls that wait until they are tried again.
    pub(crate) later: Later,
    /// What is known of the health of endpoints.
    pub(crate) health: Health,
    pub(crate) filters: FilterChain,
    pub(crate) counters: Counters,
    pub(crate) connector: Rc<dyn Connect>,
    /// The buffer that every connection reads into.
    pub(crate) scratch: Scratch,
    /// The room for the message that is being looked at.
    pub(crate) metadata: Metadata,
    /// The time at the start of this task's turn; see [`Worker::read_clock`].
    pub(crate) now: Instant,
    /// The same in microseconds since the worker was made, modulo their range of an hour: calls are
    /// small.
    pub(crate) micros: u32,
    /// The time at which the worker was made.
    epoch: Instant,
    pub(crate) clock: tick::Clock,
    /// How much it holds, and the others.
    pub(crate) load: Load,
    /// When a drain ends by force; `None` while the worker serves.
    pub(crate) draining: Option<Drain>,
    /// A handle to itself, for the tasks that it spawns.
    this: std::rc::Weak<RefCell<Worker>>,
    /// The clients that the clock looks at.
    pub(crate) watched: Vec<DownstreamKey>,
    dirty: Vec<Peer>,
    /// Those of them for which much waits.
    heavy: Vec<Peer>,
    flusher: Waker,
    pub(crate) ended: Rc<Notify>,
}

/// A drain that is under way.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Drain {
    /// From here on requests are answered with an error.
    pub(crate) refuse_at: Instant,
    /// From here on requests in flight are, too.
    pub(crate) abort_at: Instant,
    /// Here every connection is closed.
    pub(crate) close_at: Instant,
}

impl Worker {
    /// A worker without listeners or clusters; [`Worker::apply`] gives it some.
    pub(crate) fn new(connector: Rc<dyn Connect>, filters: FilterChain) -> SharedWorker {
        Rc::new_cyclic(|this| {
            RefCell::new(Worker {
                snapshot: Arc::new(Snapshot::new()),
                listeners: HashMap::new(),
                retired: Vec::new(),
                downstreams: SlotMap::with_key(),
                clusters: SlotMap::with_key(),
                unused_clusters: Vec::new(),
                endpoints: SlotMap::with_key(),
                upstreams: SlotMap::with_key(),
                later: Later::default(),
                health: Health::default(),
                filters,
                counters: Counters::default(),
                connector,
                scratch: Scratch::default(),
                metadata: Metadata::new(),
                now: Instant::now(),
                micros: 0,
                epoch: Instant::now(),
                clock: tick::Clock::default(),
                load: Load::default(),
                draining: None,
                this: this.clone(),
                watched: Vec::new(),
                dirty: Vec::new(),
                heavy: Vec::new(),
                flusher: Waker::noop().clone(),
                ended: Rc::new(Notify::new()),
            })
        })
    }

    /// A worker that connects by TCP.
    pub(crate) fn tcp(filters: FilterChain) -> SharedWorker {
        Worker::new(Rc::new(TcpConnect), filters)
    }

    /// Starts the tasks that every worker has; needs the worker's runtime.
    pub(crate) fn start(worker: &SharedWorker) {
        tokio::task::spawn_local(flush::run(worker.clone()));
        tokio::task::spawn_local(tick::run(worker.clone()));
    }

    /// Begins a turn: what happens from here on happens now.
    pub(crate) fn read_clock(&mut self) {
        self.now = Instant::now();
        self.micros = self.now.saturating_duration_since(self.epoch).as_micros() as u32;
    }

    /// The worker as a task that is about to be spawned holds it.
    pub(crate) fn shared(&self) -> Option<SharedWorker> {
        self.this.upgrade()
    }

    /// Marks a peer whose buffer has something to write; it is written to at the end of the turn.
    pub(crate) fn mark(&mut self, peer: Peer) {
        if self.dirty.is_empty() {
            self.flusher.wake_by_ref();
        }
        self.dirty.push(peer);
    }

    /// Takes note of how many bytes wait for a marked peer, and whether they are one message, which no
    /// other is about to follow: if they are many, it is written to
    /// [before the turn ends](Worker::flush_heavy).
    #[inline]
    pub(crate) fn weigh(&mut self, peer: Peer, waiting: usize, alone: bool) {
        let many = if alone { LARGE } else { HEAVY };
        if waiting >= many && self.heavy.last() != Some(&peer) {
            self.heavy.push(peer);
        }
    }
}

impl std::fmt::Debug for Worker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Worker")
            .field("downstreams", &self.downstreams.len())
            .field("upstreams", &self.upstreams.len())
            .finish_non_exhaustive()
    }
}
