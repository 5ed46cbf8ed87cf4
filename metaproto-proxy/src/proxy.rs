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
use crate::sockets::{self, BindError, Bound, OpenSockets, UnusedSocket};
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
    listening: Vec<Bound>,
}

/// How a proxy is to run; made by [`Proxy::builder`].
#[derive(Debug)]
pub struct Builder {
    snapshot: Snapshot,
    workers: Option<usize>,
    drain_timeout: Duration,
    filters: FilterFactories,
    sockets: OpenSockets,
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
    /// A socket that was given to it is for none of the listeners.
    #[error(transparent)]
    UnusedSocket(#[from] UnusedSocket),
    /// A thread or its runtime can't be had.
    #[error("can't start a worker: {0}")]
    Worker(#[from] std::io::Error),
}

impl From<sockets::Failure> for StartError {
    fn from(failure: sockets::Failure) -> Self {
        match failure {
            sockets::Failure::Bind(error) => error.into(),
            sockets::Failure::Unused(error) => error.into(),
        }
    }
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

    /// Listening sockets that are open already; listeners without one are bound. See
    /// [`OpenSockets::from_systemd`] and [`handover`](crate::handover).
    #[must_use]
    pub fn sockets(mut self, sockets: OpenSockets) -> Self {
        self.sockets.extend(sockets);
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
        let mut listening = sockets::bind(&self.snapshot, &[], self.sockets, count)?;
        let snapshot = Arc::new(self.snapshot);
        let (mut workers, mut threads) = (Vec::new(), Vec::new());
        for id in 0..count {
            let (commands, inbox) = mpsc::unbounded_channel();
            let sockets = listening.iter_mut().flat_map(Bound::take_one).collect();
            let snapshot = snapshot.clone();
            let start = Start { snapshot, sockets, filters: self.filters.clone() };
            threads.push(worker::spawn(id, inbox, start)?);
            workers.push(commands);
        }
        let state = Arc::new(Mutex::new(State { snapshot, listening }));
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
            sockets: OpenSockets::new(),
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
        // A handle may outlive the proxy, and its sockets would take clients that nobody serves.
        self.handle.stop_listening();
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
        self.state().listening.iter().map(|l| (l.name.clone(), l.address)).collect()
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
            state.take_on(&snapshot, self.workers.len())?;
            self.ask(|done| {
                let sockets = state.listening.iter_mut().flat_map(Bound::take_one).collect();
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
        let ended = self.ask(|done| Command::Drain { timeout, done });
        self.stop_listening();
        for worker in ended {
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

    /// Duplicates of the listening sockets, for another process. Nobody who connects is lost as long
    /// as one of both accepts.
    ///
    /// # Errors
    /// There are no descriptors left.
    pub fn sockets(&self) -> std::io::Result<OpenSockets> {
        let mut open = OpenSockets::new();
        for listening in &self.state().listening {
            listening.duplicate(&mut open)?;
        }
        Ok(open)
    }

    /// Closes the sockets as soon as the workers have.
    fn stop_listening(&self) {
        self.state().listening.iter_mut().for_each(Bound::let_go);
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

impl State {
    /// Makes `snapshot` the one that counts. A listener that has another name or protocol than before
    /// takes over the sockets at its address.
    fn take_on(&mut self, snapshot: &Arc<Snapshot>, workers: usize) -> Result<(), StartError> {
        let before = self.snapshot.clone();
        let protocol = |snapshot: &Snapshot, name: &str| {
            let listener = snapshot.listeners.iter().find(|listener| listener.name == name);
            listener.map(|listener| listener.protocol.name().to_owned())
        };
        let stays = |held: &Bound| {
            let same = |l: &Arc<Listener>| l.name == held.name && l.address == held.requested;
            snapshot.listeners.iter().any(same)
                && protocol(snapshot, &held.name) == protocol(&before, &held.name)
        };
        let mut open = OpenSockets::new();
        for gone in self.listening.iter().filter(|held| !stays(held)) {
            let (name, address) = (gone.name.clone(), gone.address);
            let fail = |source| BindError { name, address, source };
            gone.duplicate(&mut open).map_err(fail)?;
        }
        let held = self.listening.iter().filter(|held| stays(held));
        let held: Vec<_> = held.map(|held| held.name.as_str()).collect();
        let new = sockets::bind(snapshot, &held, open, workers)?;
        self.listening.retain(stays);
        self.listening.extend(new);
        self.snapshot = snapshot.clone();
        Ok(())
    }
}

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handle").field("workers", &self.workers.len()).finish_non_exhaustive()
    }
}
