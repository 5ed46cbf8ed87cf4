//! A running proxy: its threads, and the handle by which a program steers it.

use std::fmt;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};

use crate::counters::Counters;
use crate::filter::{Filter, FilterFactories};
use crate::model::{Invalid, Listener, Snapshot};
use crate::sockets::{self, Address, BindError, Sockets};
use crate::worker::{self, Command, Start};

/// A proxy whose workers run. Dropping it ends them at once; [`Handle::drain`] ends them gently.
#[derive(Debug)]
pub struct Proxy {
    handle: Handle,
    threads: Vec<JoinHandle<()>>,
}

/// Steers a running [`Proxy`]. Cheap to clone.
#[derive(Clone)]
pub struct Handle {
    workers: Arc<[mpsc::UnboundedSender<Command>]>,
    state: Arc<Mutex<State>>,
}

struct State {
    snapshot: Arc<Snapshot>,
    addresses: Vec<Address>,
}

/// How a proxy is to run; made by [`Proxy::builder`].
#[derive(Debug)]
pub struct Builder {
    snapshot: Snapshot,
    workers: Option<usize>,
    drain_timeout: Duration,
    filters: FilterFactories,
}

/// Why a proxy can't start, or can't take a snapshot.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The snapshot can't work.
    #[error(transparent)]
    Invalid(#[from] Invalid),
    /// An address can't be listened on.
    #[error(transparent)]
    Bind(#[from] BindError),
    /// A thread or its runtime can't be had.
    #[error("can't start a worker: {0}")]
    Worker(#[from] std::io::Error),
}

impl Builder {
    /// The default time for requests in flight to end when the proxy is asked to stop.
    pub const DEFAULT_DRAIN_TIMEOUT: Duration = Duration::from_secs(30);

    /// What the proxy runs on.
    #[must_use]
    pub fn snapshot(mut self, snapshot: Snapshot) -> Self {
        self.snapshot = snapshot;
        self
    }

    /// The number of worker threads; by default one for each processor.
    #[must_use]
    pub fn workers(mut self, workers: usize) -> Self {
        self.workers = Some(workers.max(1));
        self
    }

    /// How long [`run`](Builder::run) waits for requests in flight after it was asked to stop.
    #[must_use]
    pub fn drain_timeout(mut self, timeout: Duration) -> Self {
        self.drain_timeout = timeout;
        self
    }

    /// Adds a filter behind the others; `make` is called once for each worker.
    #[must_use]
    pub fn filter<F: Filter + 'static>(
        mut self,
        make: impl Fn() -> F + Send + Sync + 'static,
    ) -> Self {
        self.filters.push(Arc::new(move || Box::new(make())));
        self
    }

    /// Binds the listeners and starts the workers. Clients are served when this returns.
    ///
    /// # Errors
    /// A snapshot that can't work, an address that is taken, a thread that can't be had.
    pub fn start(self) -> Result<Proxy, StartError> {
        self.snapshot.validate()?;
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        let count = self.workers.unwrap_or(processors);
        let mut bound = sockets::bind(&self.snapshot, &[], count)?;
        let addresses = bound.iter().map(|set| set.address.clone()).collect();
        let snapshot = Arc::new(self.snapshot);
        let (mut workers, mut threads) = (Vec::new(), Vec::new());
        let process = Arc::default();
        for id in 0..count {
            let (commands, inbox) = mpsc::unbounded_channel();
            let sockets: Sockets = bound.iter_mut().filter_map(|set| set.take_one()).collect();
            let snapshot = snapshot.clone();
            let process = Arc::clone(&process);
            let start = Start { snapshot, sockets, filters: self.filters.clone(), process };
            threads.push(worker::spawn(id, inbox, start)?);
            workers.push(commands);
        }
        let state = Arc::new(Mutex::new(State { snapshot, addresses }));
        Ok(Proxy { handle: Handle { workers: workers.into(), state }, threads })
    }

    /// Starts the proxy and serves until the process is asked to stop (SIGTERM, SIGINT); then stops
    /// accepting, lets requests in flight end within the drain timeout, and returns. A second signal
    /// ends it at once.
    ///
    /// For programs with a `main` of their own that is not asynchronous.
    ///
    /// # Errors
    /// As [`start`](Builder::start).
    pub fn run(self) -> Result<(), StartError> {
        let drain_timeout = self.drain_timeout;
        let proxy = self.start()?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(async {
            let handle = proxy.handle();
            crate::signals::stop().await?;
            tracing::info!("draining");
            tokio::select! {
                () = handle.drain(drain_timeout) => Ok(()),
                again = crate::signals::stop() => again,
            }
        })?;
        Ok(())
    }
}

impl Proxy {
    /// Describes a proxy.
    #[must_use]
    pub fn builder() -> Builder {
        Builder {
            snapshot: Snapshot::new(),
            workers: None,
            drain_timeout: Builder::DEFAULT_DRAIN_TIMEOUT,
            filters: FilterFactories::default(),
        }
    }

    /// A handle to steer it.
    #[must_use]
    pub fn handle(&self) -> Handle {
        self.handle.clone()
    }

    /// The listeners and the addresses that they are bound to.
    #[must_use]
    pub fn addresses(&self) -> Vec<(String, SocketAddr)> {
        self.handle.addresses()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.handle.send(|| Command::Stop);
        for thread in self.threads.drain(..) {
            if thread.join().is_err() {
                tracing::error!("a worker had panicked");
            }
        }
    }
}

impl Handle {
    /// The listeners and the addresses that they are bound to.
    #[must_use]
    pub fn addresses(&self) -> Vec<(String, SocketAddr)> {
        self.state().addresses.iter().map(|a| (a.name.clone(), a.bound)).collect()
    }

    /// What the proxy runs on now.
    #[must_use]
    pub fn snapshot(&self) -> Arc<Snapshot> {
        self.state().snapshot.clone()
    }

    /// Swaps in another snapshot, whole. Requests in flight are not disturbed: connections to
    /// endpoints and of listeners that stay are kept, those of others end when they are idle.
    ///
    /// # Errors
    /// A snapshot that can't work or an address that can't be bound; the running one then stays.
    pub async fn apply(&self, snapshot: Snapshot) -> Result<(), StartError> {
        snapshot.validate()?;
        let snapshot = Arc::new(snapshot);
        let acknowledged = {
            let mut state = self.state();
            let mut bound = sockets::bind(&snapshot, &state.addresses, self.workers.len())?;
            state.addresses.retain(|held| {
                let stays = |l: &Arc<Listener>| l.name == held.name && l.address == held.requested;
                snapshot.listeners.iter().any(stays)
            });
            state.addresses.extend(bound.iter().map(|set| set.address.clone()));
            state.snapshot = snapshot.clone();
            self.ask(|done| {
                let sockets = bound.iter_mut().filter_map(|set| set.take_one()).collect();
                Command::Apply { snapshot: snapshot.clone(), sockets, done }
            })
        };
        for worker in acknowledged {
            // A worker that is gone has nothing to apply.
            worker.await.ok();
        }
        Ok(())
    }

    /// What the proxy has counted. Every worker is asked; the numbers of each balance.
    pub async fn counters(&self) -> Counters {
        let mut sum = Counters::default();
        for worker in self.ask(Command::Counters) {
            if let Ok(counters) = worker.await {
                sum.merge(&counters);
            }
        }
        sum
    }

    /// Stops accepting, lets requests in flight end, and closes every connection as soon as it is
    /// idle; what is left after `timeout` is closed anyway. Returns when the workers have ended.
    pub async fn drain(&self, timeout: Duration) {
        for worker in self.ask(|done| Command::Drain { timeout, done }) {
            // The sender is dropped when the worker ends, which is what is waited for.
            worker.await.ok();
        }
    }

    /// Whether the workers accept clients.
    pub async fn ready(&self) -> bool {
        for worker in self.ask(Command::Ready) {
            if !worker.await.unwrap_or(false) {
                return false;
            }
        }
        true
    }

    fn ask<T>(
        &self,
        mut command: impl FnMut(oneshot::Sender<T>) -> Command,
    ) -> Vec<oneshot::Receiver<T>> {
        let mut answers = Vec::with_capacity(self.workers.len());
        self.send(|| {
            let (sender, receiver) = oneshot::channel();
            answers.push(receiver);
            command(sender)
        });
        answers
    }

    fn send(&self, mut command: impl FnMut() -> Command) {
        for worker in self.workers.iter() {
            // A worker that has ended takes no commands, and needs none.
            worker.send(command()).ok();
        }
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handle").field("workers", &self.workers.len()).finish_non_exhaustive()
    }
}
