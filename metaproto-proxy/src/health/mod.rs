//! Active health checks: each endpoint is checked once for all workers.
//!
//! The first worker checks. What has failed stands on a board that all workers share; they are told when
//! it changes, and look at it again with each snapshot. So nothing is asked for a call, and no worker
//! misses a change, in whatever order it learns of snapshots and of health.

mod board;
mod ping;
mod target;

use std::collections::HashMap;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use metaproto_core::{DecodeError, EncodeError};
use tokio::sync::mpsc::{UnboundedSender, WeakUnboundedSender};
use tokio::task::AbortHandle;
use tokio::time::{Instant, sleep, timeout};

use self::board::Board;
use self::ping::PingLine;
pub(crate) use self::target::Target;
use self::target::{Plan, plans};
use crate::counters::Counters;
use crate::model::{Check, HealthCheck, Snapshot};
use crate::reload::identity;
use crate::worker::{Command, SharedWorker, Worker};

/// What one worker knows of the health of endpoints.
#[derive(Debug)]
pub(crate) struct Health {
    board: Board,
    /// Whether this worker checks for all.
    checks: bool,
    /// What is checked, if this worker does.
    checked: HashMap<Arc<Target>, Checked>,
    /// The workers that have to be told. Weakly, so that they end when the proxy lets go of them.
    others: Vec<WeakUnboundedSender<Command>>,
}

/// An endpoint that is checked.
#[derive(Debug)]
struct Checked {
    plan: Plan,
    state: State,
    task: AbortHandle,
}

/// What the checks of an endpoint have shown. It counts as healthy until they say otherwise.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct State {
    unhealthy: bool,
    /// Checks in a row that say the opposite.
    row: u32,
}

/// Why a check has failed.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error("can't be connected to: {0}")]
    Connect(io::Error),
    #[error("no answer within {0:?}")]
    Late(Duration),
    #[error("the connection was lost: {0}")]
    Lost(io::Error),
    #[error("the connection was closed")]
    Closed,
    #[error("said go-away")]
    GoneAway,
    #[error("what it sent can't be read: {0}")]
    Unreadable(DecodeError),
    #[error("sent a frame of {0} bytes, which is over the limit")]
    TooLarge(usize),
    #[error("no ping can be written: {0}")]
    Unwritable(#[from] EncodeError),
}

impl Default for Health {
    /// That of a worker without others.
    fn default() -> Self {
        Health {
            board: Board::default(),
            checks: true,
            checked: HashMap::new(),
            others: Vec::new(),
        }
    }
}

impl Health {
    /// One for each of these workers, with one board; the first worker checks.
    pub(crate) fn shared(workers: &[UnboundedSender<Command>]) -> Vec<Health> {
        let first = Health {
            others: workers.iter().skip(1).map(UnboundedSender::downgrade).collect(),
            ..Health::default()
        };
        let follower = || Health { board: first.board.clone(), checks: false, ..Health::default() };
        let followers: Vec<_> = workers.iter().skip(1).map(|_| follower()).collect();
        std::iter::once(first).chain(followers).collect()
    }

    /// Checks no more; what is known stays.
    pub(crate) fn stop(&mut self) {
        for checked in self.checked.values() {
            checked.task.abort();
        }
    }

    /// Adds how many endpoints are healthy, and how many are not.
    pub(crate) fn count(&self, counters: &mut Counters) {
        for (target, checked) in &self.checked {
            let counters = counters.clusters.entry(target.cluster.clone()).or_default();
            match checked.state.unhealthy {
                false => counters.endpoints_healthy += 1,
                true => counters.endpoints_unhealthy += 1,
            }
        }
    }
}

impl Drop for Checked {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl State {
    /// Takes note of a check. Tells whether it has changed what the endpoint counts as.
    fn note(&mut self, policy: &HealthCheck, passed: bool) -> bool {
        if passed != self.unhealthy {
            self.row = 0;
            return false;
        }
        self.row += 1;
        let needed = if passed { policy.healthy_after } else { policy.unhealthy_after };
        let changes = self.row >= needed;
        if changes {
            *self = State { unhealthy: !passed, row: 0 };
        }
        changes
    }
}

/// Checks what `snapshot` says from now on, and takes note of what is known of its endpoints. Endpoints
/// that stay keep their health.
pub(crate) fn apply(worker: &mut Worker, snapshot: &Snapshot) {
    if worker.health.checks {
        check(worker, plans(snapshot));
    }
    for cluster in worker.clusters.values() {
        let checks = cluster.model.health_check.is_some();
        let unhealthy = match checks {
            true => worker.health.board.of(&cluster.model.name, &identity(&*cluster.protocol)),
            false => Default::default(),
        };
        for key in &cluster.endpoints {
            if let Some(endpoint) = worker.endpoints.get_mut(*key) {
                endpoint.set_healthy(!unhealthy.contains(&endpoint.address));
            }
        }
    }
}

fn check(worker: &mut Worker, plans: HashMap<Arc<Target>, Plan>) {
    let Some(shared) = worker.shared() else { return };
    let mut before = std::mem::take(&mut worker.health.checked);
    for (target, plan) in plans {
        let known = before.remove(&target);
        let checked = match known {
            Some(known) if known.plan == plan => known,
            known => {
                let state = known.map(|known| known.state).unwrap_or_default();
                let task = run(shared.clone(), target.clone(), plan.clone());
                let task = tokio::task::spawn_local(task).abort_handle();
                Checked { plan, state, task }
            }
        };
        worker.health.checked.insert(target, checked);
    }
    for (target, gone) in before {
        if gone.state.unhealthy {
            publish(worker, &target, true);
        }
    }
}

/// The task that checks one endpoint.
async fn run(worker: SharedWorker, target: Arc<Target>, plan: Plan) {
    let policy = plan.policy;
    let mut line = PingLine::new(worker.clone(), target.address, &plan);
    // What is configured together would otherwise be checked together for ever.
    sleep(policy.interval.mul_f64(fastrand::f64())).await;
    loop {
        let begun = Instant::now();
        let checking = async {
            match policy.check {
                Check::Tcp { port } => connect(&worker, &target, port).await,
                Check::Ping => line.check().await,
            }
        };
        let late = |_| Err(Failure::Late(policy.timeout));
        let result = timeout(policy.timeout, checking).await.unwrap_or_else(late);
        note(&mut worker.borrow_mut(), &target, result);
        sleep(policy.interval.saturating_sub(begun.elapsed())).await;
    }
}

async fn connect(worker: &SharedWorker, target: &Target, port: Option<u16>) -> Result<(), Failure> {
    let mut address = target.address;
    if let Some(port) = port {
        address.set_port(port);
    }
    let connecting = worker.borrow().connector.connect(address);
    connecting.await.map(drop).map_err(Failure::Connect)
}

/// Takes note of how a check has ended.
fn note(worker: &mut Worker, target: &Arc<Target>, result: Result<(), Failure>) {
    let counters = worker.counters.clusters.entry(target.cluster.clone()).or_default();
    counters.health_checks += 1;
    counters.health_check_failures += u64::from(result.is_err());
    let Some(checked) = worker.health.checked.get_mut(target) else { return };
    let policy = checked.plan.policy;
    if !checked.state.note(&policy, result.is_ok()) {
        return;
    }
    let (address, cluster) = (target.address, &target.cluster);
    match &result {
        Ok(()) => {
            let reason = format!("{} checks in a row have passed", policy.healthy_after);
            tracing::info!(%address, cluster, %reason, "an endpoint is healthy again");
        }
        Err(reason) => tracing::warn!(%address, cluster, %reason, "an endpoint is unhealthy"),
    }
    publish(worker, target, result.is_ok());
}

/// Makes known to all workers whether an endpoint is healthy.
fn publish(worker: &mut Worker, target: &Arc<Target>, healthy: bool) {
    worker.health.board.set(target, healthy);
    look(worker, target);
    for other in worker.health.others.iter().filter_map(WeakUnboundedSender::upgrade) {
        // A worker that has ended needs to know nothing.
        other.send(Command::Health(target.clone())).ok();
    }
}

/// Takes note of what the board says of an endpoint.
pub(crate) fn look(worker: &mut Worker, target: &Target) {
    let healthy = !worker.health.board.has(target);
    for cluster in worker.clusters.values() {
        let is_it =
            cluster.model.name == target.cluster && identity(&*cluster.protocol) == target.protocol;
        // That it takes connections on another port says nothing of this one.
        let own_port = |policy: HealthCheck| !matches!(policy.check, Check::Tcp { port: Some(_) });
        let reached = healthy && cluster.model.health_check.is_some_and(own_port);
        for key in cluster.endpoints.iter().filter(|_| is_it) {
            let Some(endpoint) = worker.endpoints.get_mut(*key) else { continue };
            if endpoint.address == target.address && endpoint.set_healthy(healthy) && reached {
                endpoint.succeeded();
            }
        }
    }
}
