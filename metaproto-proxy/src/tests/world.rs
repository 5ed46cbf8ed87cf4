//! A worker, the network around it, and the books that must balance at the end.

use std::cell::{Cell, RefCell};
use std::collections::{HashMap, VecDeque};
use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Once};
use std::time::Duration;

use tokio::io::{DuplexStream, duplex};
use tokio::runtime::{Builder, LocalOptions};
use tokio::sync::Notify;
use tokio::time::{sleep, timeout};

use super::address;
use super::peer::{PATIENCE, Peer};
use crate::counters::{ClusterCounters, Counters, ListenerCounters, Outcome};
use crate::filter::{FilterChain, FilterFactories};
use crate::io::{BoxIo, Connect, Connecting};
use crate::model::Snapshot;
use crate::worker::{SharedWorker, Worker};
use crate::{Filter, downstream, reload};

/// The bytes that a pipe takes before somebody reads, unless a test wants fewer.
const PIPE: usize = 1 << 20;

/// What an endpoint does with those who connect.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Door {
    #[default]
    Open,
    Refuse,
    Hang,
    /// There is no descriptor for the connection.
    Shortage,
}

/// Those who have connected to an address and not been accepted.
type Arrived = HashMap<SocketAddr, VecDeque<DuplexStream>>;

/// The network: whoever connects to an address waits there until the test accepts.
#[derive(Default)]
struct Net {
    doors: RefCell<HashMap<SocketAddr, Door>>,
    arrived: RefCell<Arrived>,
    arrival: Notify,
    pipe: RefCell<Option<usize>>,
    closed: RefCell<bool>,
}

struct Network(Rc<Net>);

impl Connect for Network {
    fn connect(&self, address: SocketAddr) -> Connecting {
        let net = self.0.clone();
        Box::pin(async move {
            let door = net.doors.borrow().get(&address).copied().unwrap_or_default();
            match door {
                _ if *net.closed.borrow() => Err(io::ErrorKind::ConnectionRefused.into()),
                Door::Refuse => Err(io::ErrorKind::ConnectionRefused.into()),
                Door::Shortage => Err(rustix::io::Errno::MFILE.into()),
                Door::Hang => std::future::pending().await,
                Door::Open => {
                    let (ours, theirs) = duplex(net.pipe.borrow().unwrap_or(PIPE));
                    net.arrived.borrow_mut().entry(address).or_default().push_back(theirs);
                    net.arrival.notify_waiters();
                    Ok(Box::new(ours) as BoxIo)
                }
            }
        })
    }
}

/// A worker in its world.
pub(super) struct World {
    pub(super) worker: SharedWorker,
    net: Rc<Net>,
}

/// Runs a test in a world; checks afterwards that nothing is left over.
pub(super) fn run(snapshot: Snapshot, test: impl AsyncFnOnce(&World)) {
    run_with(snapshot, FilterFactories::default().build(), test);
}

/// The same with a filter.
pub(super) fn run_filtered<F: Filter + 'static>(
    snapshot: Snapshot,
    make: impl Fn() -> F + Send + Sync + 'static,
    test: impl AsyncFnOnce(&World),
) {
    let mut filters = FilterFactories::default();
    filters.push(Arc::new(move || Box::new(make())));
    run_with(snapshot, filters.build(), test);
}

fn run_with(snapshot: Snapshot, filters: FilterChain, test: impl AsyncFnOnce(&World)) {
    count_panics();
    let runtime = Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build_local(LocalOptions::default())
        .expect("a runtime");
    runtime.block_on(async {
        let net = Rc::new(Net::default());
        let worker = Worker::new(Rc::new(Network(net.clone())), filters);
        Worker::start(&worker);
        let world = World { worker, net };
        world.apply(snapshot);
        let hour = Duration::from_secs(3600);
        timeout(hour, test(&world)).await.expect("the test does not end");
        world.check_books();
        world.finish().await;
    });
    assert_eq!(PANICS.get(), 0, "a task has panicked");
}

thread_local! {
    /// Panics on this thread: the runtime catches those of tasks, and goes on.
    static PANICS: Cell<usize> = const { Cell::new(0) };
}

fn count_panics() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let print = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            PANICS.set(PANICS.get() + 1);
            print(panic);
        }));
    });
    PANICS.set(0);
}

impl World {
    /// Has the worker run on this from now on.
    pub(super) fn apply(&self, snapshot: Snapshot) {
        if let Err(error) = snapshot.validate() {
            panic!("{error}");
        }
        reload::apply(&self.worker, Arc::new(snapshot), Vec::new());
    }

    /// A client of the listener `l`.
    pub(super) async fn client(&self) -> Peer {
        self.client_with_pipe(PIPE).await
    }

    /// A client that takes this many bytes before it reads.
    pub(super) async fn client_with_pipe(&self, pipe: usize) -> Peer {
        let (ours, theirs) = duplex(pipe);
        let listener = self.worker.borrow().listeners["l"].clone();
        let mut worker = self.worker.borrow_mut();
        downstream::welcome(&mut worker, &listener, Box::new(theirs), address(200));
        Peer::new(ours)
    }

    /// What the n-th endpoint does with those who connect from now on.
    pub(super) fn door(&self, n: u8, door: Door) {
        self.net.doors.borrow_mut().insert(address(n), door);
    }

    /// How many bytes further upstream connections take before somebody reads.
    pub(super) fn upstream_pipe(&self, pipe: usize) {
        *self.net.pipe.borrow_mut() = Some(pipe);
    }

    /// The server's end of the next connection to the n-th endpoint.
    pub(super) async fn accept(&self, n: u8) -> Peer {
        timeout(PATIENCE, async {
            loop {
                let arrival = self.net.arrival.notified();
                if let Some(peer) = self.try_accept(n) {
                    return peer;
                }
                arrival.await;
            }
        })
        .await
        .expect("nobody connects")
    }

    /// The same, if somebody has connected already.
    pub(super) fn try_accept(&self, n: u8) -> Option<Peer> {
        let mut arrived = self.net.arrived.borrow_mut();
        arrived.get_mut(&address(n))?.pop_front().map(Peer::new)
    }

    pub(super) fn counters(&self) -> Counters {
        self.worker.borrow_mut().counters()
    }

    /// The counters of the listener `l`.
    pub(super) fn listener(&self) -> ListenerCounters {
        self.counters().listeners.remove("l").unwrap_or_default()
    }

    /// The counters of the cluster `c`.
    pub(super) fn cluster(&self) -> ClusterCounters {
        self.counters().clusters.remove("c").unwrap_or_default()
    }

    pub(super) fn count(&self, outcome: Outcome) -> u64 {
        self.listener().completed.of(outcome)
    }

    /// Lets everything that is ready run, and a little time pass.
    pub(super) async fn settle(&self) {
        sleep(Duration::from_millis(1)).await;
    }

    /// Begins to drain; `true` as soon as the worker has ended can be asked with [`World::ended`].
    pub(super) fn drain(&self, limit: Duration) {
        self.worker.borrow_mut().drain(limit);
    }

    /// Waits for the end of a drain.
    pub(super) async fn ended(&self) {
        let ended = self.worker.borrow().ended.clone();
        timeout(PATIENCE, ended.notified()).await.expect("the worker does not end");
    }

    /// Whatever happens, at any time: each request is counted as begun, and as under way or ended.
    pub(super) fn check_books(&self) {
        for (name, l) in self.counters().listeners {
            assert_eq!(l.started, l.completed.total() + l.active, "listener {name}: {l:?}");
        }
    }

    /// All peers are gone: after a while nothing may be left of them.
    async fn finish(&self) {
        *self.net.closed.borrow_mut() = true;
        self.net.arrived.borrow_mut().clear();
        sleep(Duration::from_secs(70)).await;
        self.check_books();
        let counters = self.counters();
        for (name, l) in counters.listeners {
            let left = (l.active, l.connections_active, l.buffered);
            assert_eq!(left, (0, 0, 0), "listener {name}: {l:?}");
        }
        for (name, c) in counters.clusters {
            let left = (c.active, c.connections_active, c.buffered);
            assert_eq!(left, (0, 0, 0), "cluster {name}: {c:?}");
        }
        let worker = self.worker.borrow();
        assert!(worker.load.process.usages.is_empty(), "limited, and still in use");
        assert!(worker.downstreams.is_empty() && worker.upstreams.is_empty());
        assert!(worker.later.is_empty() && worker.retired.is_empty());
        assert!(worker.clusters.values().all(|c| c.retries.get() == 0 && c.kept.get() == 0));
        assert_eq!(counters.process.held, 0);
        assert_eq!(worker.load.process.connections.load(Ordering::Relaxed), 0);
        for endpoint in worker.endpoints.values() {
            assert!(endpoint.active == 0 && endpoint.connections == 0);
            assert!(endpoint.waiting.is_empty() && endpoint.idle.is_empty());
            assert!(endpoint.shared.is_empty());
        }
        let configured: usize = worker.clusters.values().map(|c| c.endpoints.len()).sum();
        assert_eq!(worker.endpoints.len(), configured, "endpoints that nobody knows");
    }
}
