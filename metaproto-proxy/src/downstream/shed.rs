//! Which clients are closed when the process holds too much.

use std::cmp::Reverse;
use std::time::Duration;

use tokio::time::Instant;

use super::close::{drain, remove, stop_reading};
use super::connection::{Downstream, Stage};
use crate::overload::CONNECTION;
use crate::worker::{DownstreamKey, Worker};

/// A client that neither takes nor sends the rest of anything for this long is closed in an overload ...
const STUCK: Duration = Duration::from_secs(5);
/// ... and after this time, if that is not enough.
const SLOW: Duration = Duration::from_secs(1);
/// A connection that has been silent for this long can be spared.
const SILENT: Duration = Duration::from_secs(1);

impl Downstream {
    /// The bytes that its buffers hold.
    pub(crate) fn held(&self) -> usize {
        self.backlog() + self.inbound.held()
    }

    /// Whether nothing of what waits for it has been taken for so long, or nothing has come of the
    /// frame that it has begun.
    fn is_stuck(&self, now: Instant, time: Duration) -> bool {
        let stalled = self.stalled_since.is_some_and(|since| since + time <= now);
        stalled
            || self.partial_since.is_some() && self.last_active + time <= now && !self.is_ending()
    }

    /// Whether it holds memory that others could use: it takes less than comes for it, or has begun a
    /// frame some time ago.
    fn is_slow(&self, now: Instant) -> bool {
        let partial = self.partial_since.is_some_and(|since| since + SLOW <= now);
        partial && !self.is_ending()
            || self.is_stuck(now, SLOW)
            || self.backlog() > self.limits.buffer
    }

    /// Whether it has nothing to do, and has had nothing for a while.
    fn is_idle(&self, now: Instant) -> bool {
        self.is_quiet() && self.inbound.is_empty() && self.last_active + SILENT <= now
    }

    /// Whether it is about to end, as soon as it owes nothing.
    fn is_ending(&self) -> bool {
        self.draining.is_some() || self.stage != Stage::Serving
    }
}

/// Closes the clients on which nothing moves.
pub(crate) fn shed_stuck(worker: &mut Worker) {
    let now = worker.now;
    let stuck = worker.downstreams.iter().filter(|(_, client)| client.is_stuck(now, STUCK));
    let stuck: Vec<_> = stuck.map(|(key, _)| key).collect();
    for key in stuck {
        close_slow(worker, key);
    }
}

/// Closes clients until `excess` bytes less are held: those that have been silent for longest first, then
/// those that hold most.
pub(crate) fn relieve(worker: &mut Worker, excess: usize) {
    let now = worker.now;
    let of = |client: &Downstream| client.held() + CONNECTION;
    let ending =
        worker.downstreams.values().filter(|client| client.is_ending() && client.is_quiet());
    let mut left = excess.saturating_sub(ending.map(of).sum());
    if left == 0 {
        return;
    }
    let mut idle: Vec<_> = worker
        .downstreams
        .iter()
        .filter(|(_, client)| !client.is_ending() && client.is_idle(now))
        .map(|(key, client)| (client.last_active, of(client), key))
        .collect();
    let mut slow: Vec<_> = worker
        .downstreams
        .iter()
        .filter(|(_, client)| client.is_slow(now))
        .map(|(key, client)| (of(client), key))
        .collect();
    idle.sort_unstable_by_key(|(since, ..)| *since);
    slow.sort_unstable_by_key(|(size, _)| Reverse(*size));
    for (_, size, key) in idle {
        if left == 0 {
            return;
        }
        left = left.saturating_sub(size);
        count(worker, key);
        drain(worker, key);
    }
    for (size, key) in slow {
        if left == 0 {
            return;
        }
        left = left.saturating_sub(size);
        close_slow(worker, key);
    }
}

/// Closes a client that holds memory: at once, or, if all that it has been sent is on its way, when it
/// has been told the end.
fn close_slow(worker: &mut Worker, key: DownstreamKey) {
    count(worker, key);
    match worker.downstreams.get(key) {
        Some(client) if client.backlog() == 0 => stop_reading(worker, key),
        _ => remove(worker, key),
    }
}

fn count(worker: &mut Worker, key: DownstreamKey) {
    if let Some(client) = worker.downstreams.get_mut(key) {
        client.listener.borrow_mut().counters.overload_closed += 1;
    }
}
