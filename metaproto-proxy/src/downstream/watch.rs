//! The clients that the clock looks at with every tick.
//!
//! To most clients time does nothing that can't wait for a second. To look at ten thousand of them a
//! hundred times a second would cost more than to serve some, so those with a reason are listed.

use metaproto_core::{Error, ErrorKind};
use tokio::time::Instant;

use super::close::{LINGER, end_if_drained, finish_if_done, finish_if_silent, remove};
use super::connection::{Downstream, Stage, wake_if_free};
use crate::upstream::{self, REST};
use crate::worker::{DownstreamKey, Worker};

/// The bytes that are copied in a tick, at the most: a part of a millisecond.
const COPIES: usize = 1 << 20;

/// Has the clock look at a client from now on, for as long as it [has to](Downstream::is_to_watch).
pub(super) fn watch(worker: &mut Worker, key: DownstreamKey) {
    if let Some(client) = worker.downstreams.get_mut(key)
        && !client.watched
    {
        client.watched = true;
        worker.watched.push(key);
    }
}

impl Downstream {
    /// Whether something of it ends with time.
    fn is_to_watch(&self) -> bool {
        let is_lingering = matches!(self.stage, Stage::Lingering(_));
        self.paused || is_lingering || self.draining.is_some() || self.stalled_since.is_some()
    }

    /// Whether it has waited long enough for the client to close.
    fn is_over(&self, now: Instant) -> bool {
        match self.stage {
            Stage::Lingering(until) => until <= now || self.last_active + LINGER <= now,
            _ => false,
        }
    }
}

/// Ends what has waited long enough: for its client to close, or for the drain.
pub(crate) fn expire(worker: &mut Worker) {
    let now = worker.now;
    if worker.draining.is_some_and(|drain| drain.abort_at <= now) {
        let error = Error::new(ErrorKind::Draining, "the proxy has shut down before the response");
        upstream::abort(worker, &error);
    }
    if worker.draining.is_some_and(|drain| drain.close_at <= now) {
        let all: Vec<_> = worker.downstreams.keys().collect();
        all.into_iter().for_each(|key| remove(worker, key));
    }
    let mut copies = COPIES;
    for key in std::mem::take(&mut worker.watched) {
        look(worker, key, &mut copies);
        // Whoever has no reason left is listed again when there is one.
        let Some(client) = worker.downstreams.get_mut(key) else { continue };
        client.watched = client.is_to_watch();
        if client.watched {
            worker.watched.push(key);
        }
    }
    if copies < COPIES {
        worker.clock.start();
    }
    end_if_drained(worker);
}

fn look(worker: &mut Worker, key: DownstreamKey, copies: &mut usize) {
    let now = worker.now;
    let Some(client) = worker.downstreams.get_mut(key) else { return };
    if client.is_over(now) {
        return remove(worker, key);
    }
    // What waits for a client that takes nothing shall not keep the buffers that it was read into.
    if client.stalled_since.is_some_and(|since| since + REST <= now) && *copies > 0 {
        *copies = copies.saturating_sub(client.outbox.own(*copies));
    }
    let is_draining = client.draining.is_some();
    if client.lose_patience() {
        wake_if_free(worker, key);
    }
    if is_draining {
        finish_if_done(worker, key);
        finish_if_silent(worker, key);
    }
}
