//! The commands that a worker takes, and the thread that it lives on.

use std::io;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::runtime::{Builder, LocalOptions};
use tokio::sync::{mpsc, oneshot};

use super::{Drain, SharedWorker, Worker};
use crate::counters::Counters;
use crate::filter::FilterFactories;
use crate::health::{self, Health, Target};
use crate::model::Snapshot;
use crate::overload::{self, Load, Process};
use crate::sockets::Sockets;
use crate::{downstream, reload};

/// Tasks that run between two looks at the sockets. High, so that all clients that were ready at once
/// are served in one turn.
const EVENT_INTERVAL: u32 = 512;

/// More than any drain takes, and less than the clock can hold.
const LONGEST_DRAIN: Duration = Duration::from_secs(1 << 32);

/// What a worker can be told.
#[derive(Debug)]
pub(crate) enum Command {
    /// Run on this from now on; `sockets` are those of new listeners.
    Apply { snapshot: Arc<Snapshot>, sockets: Sockets, done: oneshot::Sender<()> },
    /// Say what has been counted.
    Counters(oneshot::Sender<Counters>),
    /// Say whether clients are accepted.
    Ready(oneshot::Sender<bool>),
    /// The health of this endpoint has changed.
    Health(Arc<Target>),
    /// End gently; `done` is dropped at the end.
    Drain { timeout: Duration, done: oneshot::Sender<()> },
    /// End at once.
    Stop,
}

/// What a worker starts with.
#[derive(Debug)]
pub(crate) struct Start {
    pub(crate) snapshot: Arc<Snapshot>,
    pub(crate) sockets: Sockets,
    pub(crate) filters: FilterFactories,
    pub(crate) health: Health,
    pub(crate) process: Arc<Process>,
}

/// Starts a worker on a thread of its own.
pub(crate) fn spawn(
    id: usize,
    inbox: mpsc::UnboundedReceiver<Command>,
    start: Start,
) -> io::Result<JoinHandle<()>> {
    std::thread::Builder::new().name(format!("worker-{id}")).spawn(move || {
        let runtime = Builder::new_current_thread()
            .enable_all()
            .event_interval(EVENT_INTERVAL)
            .build_local(LocalOptions::default());
        match runtime {
            Ok(runtime) => runtime.block_on(run(inbox, start)),
            Err(error) => tracing::error!(%error, "worker {id} has no runtime"),
        }
    })
}

async fn run(mut inbox: mpsc::UnboundedReceiver<Command>, start: Start) {
    let worker = Worker::tcp(start.filters.build());
    worker.borrow_mut().health = start.health;
    worker.borrow_mut().load = Load::of(start.process);
    Worker::start(&worker);
    reload::apply(&worker, start.snapshot, start.sockets);
    let ended = worker.borrow().ended.clone();
    // Dropped at the end, which is what those who asked for a drain wait for.
    let mut drains = Vec::new();
    loop {
        let command = tokio::select! {
            command = inbox.recv() => command,
            () = ended.notified() => None,
        };
        match command {
            None | Some(Command::Stop) => return,
            Some(Command::Drain { timeout, done }) => {
                drains.push(done);
                worker.borrow_mut().drain(timeout);
            }
            Some(command) => obey(&worker, command),
        }
    }
}

/// The answers may find nobody: whoever asked has lost interest.
fn obey(worker: &SharedWorker, command: Command) {
    match command {
        Command::Apply { snapshot, sockets, done } => {
            if worker.borrow().draining.is_none() {
                reload::apply(worker, snapshot, sockets);
            }
            done.send(()).ok();
        }
        Command::Counters(answer) => {
            answer.send(worker.borrow_mut().counters()).ok();
        }
        Command::Ready(answer) => {
            answer.send(worker.borrow().draining.is_none()).ok();
        }
        Command::Health(target) => health::look(&mut worker.borrow_mut(), &target),
        Command::Drain { .. } | Command::Stop => {}
    }
}

impl Worker {
    /// Begins to end: no further clients, and every client is let go when it has nothing in flight.
    pub(crate) fn drain(&mut self, timeout: Duration) {
        self.read_clock();
        if self.draining.is_none() {
            let listeners: Vec<_> = self.listeners.values().cloned().collect();
            for listener in listeners {
                downstream::stop(self, &listener);
            }
            self.health.stop();
            let timeout = timeout.min(LONGEST_DRAIN);
            // The answers that say so still have to be written and read.
            let goodbye = (timeout / 10).min(Duration::from_millis(500));
            let (refuse_at, close_at) = (self.now + timeout / 2, self.now + timeout);
            self.draining = Some(Drain { refuse_at, abort_at: close_at - goodbye, close_at });
            self.clock.start();
        }
        let all: Vec<_> = self.downstreams.keys().collect();
        for key in all {
            downstream::drain(self, key);
        }
        downstream::end_if_drained(self);
    }

    /// What the worker has counted so far.
    pub(crate) fn counters(&mut self) -> Counters {
        self.measure_buffers();
        let mut all = self.counters.clone();
        for listener in self.listeners.values().chain(&self.retired) {
            let listener = listener.borrow();
            all.listeners.entry(listener.model.name.clone()).or_default().merge(&listener.counters);
        }
        for cluster in self.clusters.values() {
            all.clusters.entry(cluster.model.name.clone()).or_default().merge(&cluster.counters);
        }
        self.health.count(&mut all);
        all.process = self.load.counters(overload::held(self));
        all
    }

    /// Adds up what the connections hold, by listener and by cluster, and the calls that wait for them.
    fn measure_buffers(&mut self) {
        for listener in self.listeners.values().chain(&self.retired) {
            listener.borrow_mut().counters.buffered = 0;
        }
        for client in self.downstreams.values() {
            client.listener.borrow_mut().counters.buffered += client.held() as u64;
        }
        for cluster in self.clusters.values_mut() {
            cluster.counters.buffered = cluster.kept.get() as u64;
            cluster.counters.pending = 0;
            cluster.counters.adaptive_limit = cluster.adaptive_limit().unwrap_or(0) as u64;
        }
        for endpoint in self.endpoints.values() {
            if let Some(cluster) = self.clusters.get_mut(endpoint.cluster) {
                cluster.counters.buffered += endpoint.waiting.bytes() as u64;
                cluster.counters.pending += endpoint.waiting.len() as u64;
            }
        }
        for upstream in self.upstreams.values() {
            let endpoint = self.endpoints.get(upstream.endpoint);
            let cluster = endpoint.and_then(|endpoint| self.clusters.get_mut(endpoint.cluster));
            if let Some(cluster) = cluster {
                cluster.counters.buffered += upstream.held() as u64;
                cluster.counters.pending += upstream.waiting.len() as u64;
            }
        }
    }
}
