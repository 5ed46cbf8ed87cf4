//! A running proxy: its threads, and the handle by which a program steers it.

mod state;

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};

use crate::counters::Counters;
use crate::dns;
use crate::filter::{Filter, FilterFactories};
use crate::health::Health;
use crate::model::{Invalid, Snapshot};
use crate::sockets::{self, BindError, Bound, OpenSockets, UnusedSocket};
use crate::worker::{self, Command, Start};

pub(crate) use self::state::WeakHandle;
use self::state::{State, look_up};

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
    /// Held while names are looked up, so that snapshots are applied in the order that they came in.
    turn: Arc<tokio::sync::Mutex<()>>,
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
    /// If there are [names](crate::model::Cluster::names), they are looked up before, for at most
    /// [`dns::PATIENCE`]; those that can't be have no endpoints until they can.
    ///
    /// # Errors
    /// A snapshot that can't work, an address that is taken, a thread that can't be had.
    pub fn start(self) -> Result<Proxy, StartError> {
        let (snapshot, dns) = look_up(self.snapshot)?;
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        let count = self.workers.unwrap_or(processors);
        let mut listening = sockets::bind(&snapshot, &[], self.sockets, count)?;
        let snapshot = Arc::new(snapshot);
        let mut threads = Vec::new();
        let (workers, inboxes): (Vec<_>, Vec<_>) =
            (0..count).map(|_| mpsc::unbounded_channel()).unzip();
        let health = Health::shared(&workers);
        let process = Arc::default();
        for (id, (inbox, health)) in inboxes.into_iter().zip(health).enumerate() {
            let sockets = listening.iter_mut().flat_map(Bound::take_one).collect();
            let snapshot = snapshot.clone();
            let (filters, process) = (self.filters.clone(), Arc::clone(&process));
            let start = Start { snapshot, sockets, filters, health, process };
            threads.push(worker::spawn(id, inbox, start)?);
        }
        let state = Arc::new(Mutex::new(State { snapshot, listening, dns }));
        let handle = Handle { workers: workers.into(), state, turn: Arc::default() };
        handle.follow_names();
        Ok(Proxy { handle, threads })
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
        // Whoever still has a handle needs no names any more.
        self.handle.state().dns = None;
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
    /// [Names](crate::model::Cluster::names) that are new are looked up before, for at most
    /// [`dns::PATIENCE`].
    ///
    /// # Errors
    /// A snapshot that can't work or an address that can't be bound; the running one then stays.
    /// Names that can't be looked up are no error; see [`dns`].
    pub async fn apply(&self, snapshot: Snapshot) -> Result<(), StartError> {
        snapshot.validate()?;
        let _turn = self.turn.lock().await;
        let snapshot = self.look_up(snapshot).await?;
        let acknowledged = self.amend(|_| Some(snapshot));
        self.follow_names();
        for worker in acknowledged? {
            // A worker that is gone has nothing to apply.
            worker.await.ok();
        }
        Ok(())
    }

    /// Swaps in the snapshot that `change` makes of the running one, if it makes one. The workers say
    /// when they have it.
    fn amend(
        &self,
        change: impl FnOnce(&Snapshot) -> Option<Snapshot>,
    ) -> Result<Vec<oneshot::Receiver<()>>, StartError> {
        let mut state = self.state();
        let Some(snapshot) = change(&state.snapshot).map(Arc::new) else {
            return Ok(Vec::new());
        };
        snapshot.validate()?;
        state.take_on(&snapshot, self.workers.len())?;
        Ok(self.ask(|done| {
            let sockets = state.listening.iter_mut().flat_map(Bound::take_one).collect();
            Command::Apply { snapshot: snapshot.clone(), sockets, done }
        }))
    }

    /// The snapshot with what its names stand for.
    async fn look_up(&self, snapshot: Snapshot) -> Result<Snapshot, StartError> {
        let dns = {
            let mut state = self.state();
            if state.dns.is_none() && !snapshot.targets().is_empty() {
                state.dns = Some(dns::Follow::spawn()?);
            }
            state.dns.clone()
        };
        match dns {
            Some(dns) => Ok(dns.find(snapshot).await.snapshot),
            None => Ok(snapshot),
        }
    }

    /// Has the names looked up again and again that the proxy has now.
    fn follow_names(&self) {
        let weak = WeakHandle {
            workers: Arc::downgrade(&self.workers),
            state: Arc::downgrade(&self.state),
            turn: self.turn.clone(),
        };
        if let Some(dns) = &self.state().dns {
            dns.follow(weak);
        }
    }

    /// What the proxy has counted. Every worker is asked; the numbers of each balance.
    pub async fn counters(&self) -> Counters {
        let mut sum = Counters::default();
        for worker in self.ask(Command::Counters) {
            if let Ok(counters) = worker.await {
                sum.merge(&counters);
            }
        }
        if let Some(dns) = &self.state().dns {
            dns.count(&mut sum);
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Cluster, Name};
    use crate::tests::toy::Toy;

    #[tokio::test]
    async fn names_are_looked_up_only_where_there_are_any() {
        let any = "127.0.0.1:0".parse().unwrap();
        let snapshot = Snapshot::forward(any, Arc::new(Toy::DEFAULT), [any]);
        let proxy = Proxy::builder().workers(1).snapshot(snapshot.clone()).start().unwrap();
        let handle = proxy.handle();
        handle.apply(snapshot.clone()).await.unwrap();
        assert!(handle.state().dns.is_none());
        let named = Cluster::new("upstream", []).name(Name::host("localhost", 9));
        handle.apply(snapshot.cluster(named)).await.unwrap();
        assert!(handle.state().dns.is_some());
        drop(proxy);
        assert!(handle.state().dns.is_none());
    }
}
