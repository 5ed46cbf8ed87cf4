//! The clock: deadlines, idle connections, the end of a drain.
//!
//! There is no timer for a request. While requests are in flight, the worker looks at the deadlines of
//! all of them every [`TICK`]; a deadline is therefore met with that precision. Connections that
//! nothing happens on are looked at less often.

use std::rc::Rc;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

use super::{SharedWorker, Worker};
use crate::{downstream, overload, reload, retry, upstream};

/// How often deadlines are looked at.
const TICK: Duration = Duration::from_millis(10);

/// How often idle connections are looked at, unless their timeouts are short.
const IDLE_TICK: Duration = Duration::from_secs(1);

/// How often it is looked at what the process holds, if that is bounded and no call is in flight.
const LOOK_TICK: Duration = Duration::from_millis(50);

/// How often it is looked at what so many connections hold, if calls are in flight. To add that up takes
/// some 50 ns for each, which is to be less than a hundredth of the time.
fn look_tick(connections: usize) -> Duration {
    const EACH: Duration = Duration::from_micros(5);
    EACH.saturating_mul(u32::try_from(connections).unwrap_or(u32::MAX)).min(LOOK_TICK)
}

/// How many ticks the clock goes on after the last request, so that a quiet client does not start
/// and stop it with every call.
const REST_AFTER: u32 = 100;

/// When the worker looks at its connections.
#[derive(Debug, Default)]
pub(crate) struct Clock {
    /// Wakes the task when requests come after a rest.
    wake: Rc<Notify>,
    running: bool,
    quiet_ticks: u32,
    next_idle: Option<Instant>,
    /// When it is next looked at what the process holds.
    next_look: Option<Instant>,
}

impl Clock {
    /// A request with a deadline, a linger or a drain has begun.
    pub(crate) fn start(&mut self) {
        self.quiet_ticks = 0;
        if !self.running {
            self.running = true;
            self.wake.notify_one();
        }
    }
}

/// The task that looks at the clock.
pub(super) async fn run(worker: SharedWorker) {
    let wake = worker.borrow().clock.wake.clone();
    loop {
        let next = worker.borrow_mut().tick();
        tokio::select! {
            () = sleep_until(next) => {}
            () = wake.notified() => {}
        }
    }
}

impl Worker {
    /// Looks at everything that has a time, and says when to look again.
    fn tick(&mut self) -> Instant {
        self.read_clock();
        let mut busy = upstream::expire(self) || self.draining.is_some();
        busy |= retry::send_due(self);
        downstream::expire(self);
        if self.clock.next_look.is_none_or(|next| next <= self.now) {
            overload::look(self);
            let connections = self.downstreams.len() + self.upstreams.len();
            self.clock.next_look = Some(self.now + look_tick(connections));
        }
        if self.clock.next_idle.is_none_or(|next| next <= self.now) {
            // A worker that was stopped for a while has yet to read what came meanwhile.
            let on_time = self.clock.next_idle.is_none_or(|next| self.now < next + IDLE_TICK);
            downstream::close_idle(self);
            upstream::close_idle(self);
            if on_time {
                upstream::keep_alive(self);
            }
            reload::collect(self);
            self.scratch.release_some();
            self.clock.next_idle = Some(self.now + self.idle_tick());
        }
        self.clock.quiet_ticks = if busy { 0 } else { self.clock.quiet_ticks + 1 };
        self.clock.running &= self.clock.quiet_ticks < REST_AFTER;
        let idle = self.clock.next_idle.unwrap_or(self.now + IDLE_TICK);
        let next = match self.snapshot.overload.max_memory {
            _ if self.clock.running => TICK,
            Some(_) => LOOK_TICK,
            None => return idle,
        };
        idle.min(self.now + next)
    }

    /// An eighth of the shortest time after which a connection is closed or pinged, so that none is
    /// exceeded by much.
    fn idle_tick(&self) -> Duration {
        let listeners = self.snapshot.listeners.iter();
        let listeners = listeners
            .flat_map(|l| [l.idle_timeout, l.frame_timeout, l.max_connection_age])
            .flatten();
        let clusters = self.snapshot.clusters.values();
        let clusters = clusters.flat_map(|c| [c.idle_timeout, c.max_connection_age]).flatten();
        let keepalives = self.clusters.values().filter_map(|cluster| cluster.keepalive);
        let keepalives = keepalives.flat_map(|times| [times.interval, times.timeout]);
        let shortest = listeners.chain(clusters).chain(keepalives).min().unwrap_or(IDLE_TICK * 8);
        (shortest / 8).clamp(TICK, IDLE_TICK)
    }
}
