//! What the process holds, and what is done when that is too much.
//!
//! Each worker adds up its own buffers a hundred times a second and tells the others by one number. The
//! path of a request asks its own worker only.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};

use metaproto_core::{Error, ErrorKind};

use crate::cluster::Usages;
use crate::counters::ProcessCounters;
use crate::downstream;
use crate::exchange::Call;
use crate::worker::Worker;

/// What a connection takes besides its buffers, about: its state, its task and its codec.
pub(crate) const CONNECTION: usize = 4096;

/// How bad it is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Stage {
    /// Requests are served.
    #[default]
    Calm,
    /// New requests are refused.
    Shedding,
    /// So are new connections, and others are closed.
    Full,
}

impl Stage {
    const ALL: [Stage; 3] = [Stage::Calm, Stage::Shedding, Stage::Full];

    /// In percent of what may be held: where the stage begins, and where it ends. These are apart, so
    /// that it does not begin again with the first request that is let in.
    const fn marks(self) -> (usize, usize) {
        match self {
            Stage::Calm => (0, 0),
            Stage::Shedding => (80, 70),
            Stage::Full => (95, 85),
        }
    }

    /// The stage that follows when this much is held.
    fn next(self, held: usize, max: usize) -> Self {
        let is_on = |stage: &Stage| {
            let (begin, end) = stage.marks();
            held >= percent(max, if *stage <= self { end } else { begin })
        };
        Stage::ALL.into_iter().rev().find(is_on).unwrap_or_default()
    }
}

/// Rounded down; the order avoids an overflow.
const fn percent(of: usize, percent: usize) -> usize {
    of / 100 * percent + of % 100 * percent / 100
}

/// What all workers of a process know.
#[derive(Debug, Default)]
pub(crate) struct Process {
    /// The bytes that the workers hold.
    held: AtomicUsize,
    /// The connections of clients.
    pub(crate) connections: Arc<AtomicUsize>,
    /// What is used of clusters that have limits.
    pub(crate) usages: Usages,
    /// The stage, as a number.
    stage: AtomicU8,
}

/// The load as one worker sees it.
#[derive(Debug, Default)]
pub(crate) struct Load {
    pub(crate) process: Arc<Process>,
    /// What this worker has added to what the process holds.
    told: usize,
    stage: Stage,
    /// How often this worker was the one that found the process overloaded.
    overloads: u64,
}

impl Load {
    /// The load of a worker of `process`.
    pub(crate) fn of(process: Arc<Process>) -> Self {
        Load { process, ..Load::default() }
    }

    /// Whether new requests are refused.
    #[inline(always)]
    pub(crate) fn sheds(&self) -> bool {
        self.stage != Stage::Calm
    }

    /// Whether new connections are refused.
    pub(crate) fn is_full(&self) -> bool {
        self.stage == Stage::Full
    }

    /// Tells what this worker holds, and finds out how much all do.
    pub(crate) fn tell(&mut self, held: usize) -> usize {
        let process = &self.process.held;
        // One addition, which wraps around if it is less than before: nobody ever sees half of it.
        let change = held.wrapping_sub(self.told);
        self.told = held;
        process.fetch_add(change, Ordering::Relaxed).wrapping_add(change)
    }

    /// Takes on the stage that the process is in when all hold `held` of `max`.
    fn judge(&mut self, held: usize, max: usize) {
        let shared = &self.process.stage;
        let before = shared.load(Ordering::Relaxed);
        let stage = Stage::ALL.get(usize::from(before)).copied().unwrap_or_default();
        self.stage = stage.next(held, max);
        let after = self.stage as u8;
        let swapped =
            shared.compare_exchange(before, after, Ordering::Relaxed, Ordering::Relaxed).is_ok();
        // One line for all workers.
        if before == after || !swapped {
            return;
        }
        match (stage, self.stage) {
            (Stage::Calm, _) => {
                self.overloads += 1;
                tracing::warn!(held, max, "overload: new requests are refused");
            }
            (_, Stage::Calm) => tracing::warn!(held, max, "the overload has ended"),
            _ => {}
        }
        if self.stage == Stage::Full {
            tracing::warn!(held, max, "overload: connections are refused and closed");
        }
    }

    /// What is shown of it, for a worker that holds `held`.
    pub(crate) fn counters(&self, held: usize) -> ProcessCounters {
        ProcessCounters {
            held: held as u64,
            overload_stage: self.stage as u64,
            overloads: self.overloads,
        }
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        self.tell(0);
    }
}

/// Adds up what the worker holds, and does what there is to be done about it. Without a bound there is
/// nothing to add up.
pub(crate) fn look(worker: &mut Worker) {
    let max = worker.snapshot.overload.max_memory;
    // Who held nothing has yet to learn that what others held is too much no longer.
    if max.is_none() && worker.load.told == 0 && !worker.load.sheds() {
        return;
    }
    let mine = if max.is_some() { held(worker) } else { 0 };
    let max = max.unwrap_or(usize::MAX);
    let all = worker.load.tell(mine);
    worker.load.judge(all, max);
    if worker.load.sheds() {
        worker.scratch.release_all();
    }
    let (mark, _) = Stage::Full.marks();
    match worker.load.stage {
        Stage::Calm => {}
        _ if worker.draining.is_some() => {}
        Stage::Shedding => downstream::shed_stuck(worker),
        Stage::Full => {
            downstream::shed_stuck(worker);
            let excess = all.saturating_sub(percent(max, mark));
            // Each worker's part of it.
            let part = excess as f64 * (mine as f64 / all.max(1) as f64);
            downstream::relieve(worker, part.ceil() as usize);
        }
    }
}

/// The bytes that the worker holds.
pub(crate) fn held(worker: &Worker) -> usize {
    let down: usize = worker.downstreams.values().map(downstream::Downstream::held).sum();
    let up: usize = worker.upstreams.values().map(crate::upstream::Upstream::held).sum();
    let lines: usize = worker.endpoints.values().map(|endpoint| endpoint.waiting.bytes()).sum();
    let kept: usize = worker.clusters.values().map(|cluster| cluster.kept.get()).sum();
    let connections = worker.downstreams.len() + worker.upstreams.len();
    down + up + lines + kept + connections * CONNECTION
}

/// A new request is refused.
#[cold]
pub(crate) fn shed(call: &Call) -> Box<Error> {
    if let Some(listener) = &call.listener {
        listener.borrow_mut().counters.shed += 1;
    }
    Box::new(Error::new(ErrorKind::Overloaded, "the proxy is short of memory"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn walk(loads: &[(usize, Stage)]) {
        let mut stage = Stage::Calm;
        for (held, expected) in loads {
            stage = stage.next(*held, 1000);
            assert_eq!(stage, *expected, "at {held}");
        }
    }

    #[test]
    fn a_stage_ends_well_below_where_it_begins() {
        use Stage::{Calm, Full, Shedding};
        walk(&[(0, Calm), (799, Calm), (800, Shedding), (700, Shedding), (699, Calm), (799, Calm)]);
        walk(&[
            (950, Full),
            (850, Full),
            (849, Shedding),
            (949, Shedding),
            (950, Full),
            (10, Calm),
        ]);
    }

    #[test]
    fn bounds_at_the_ends_of_their_range_are_no_fault() {
        assert_eq!(Stage::Calm.next(usize::MAX, usize::MAX), Stage::Full);
        assert_eq!(Stage::Calm.next(usize::MAX / 2, usize::MAX), Stage::Calm);
        assert_eq!(Stage::Full.next(0, 1), Stage::Full, "nothing is too much where nothing may be");
    }

    #[test]
    fn workers_add_up_and_one_tells() {
        let process = Arc::new(Process::default());
        let (mut one, mut other) = (Load::of(process.clone()), Load::of(process.clone()));
        assert_eq!(one.tell(500), 500);
        let all = other.tell(400);
        assert_eq!(all, 900);
        other.judge(all, 1000);
        assert!(other.sheds() && !one.sheds(), "it has not looked yet");
        let all = one.tell(300);
        one.judge(all, 1000);
        assert!(one.sheds() && !one.is_full(), "700 is not yet the end");
        assert_eq!((one.overloads, other.overloads), (0, 1));
        drop(one);
        let all = other.tell(400);
        assert_eq!(all, 400, "who is gone holds nothing");
        other.judge(all, 1000);
        assert!(!other.sheds());
    }
}
