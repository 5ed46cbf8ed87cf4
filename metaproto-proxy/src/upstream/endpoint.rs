//! One server, and the connections to it.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::time::Instant;

use super::WaitingLine;
use crate::cluster::{Changed, Latency, Record};
use crate::worker::{ClusterKey, DownstreamKey, UpstreamKey};

/// How long an endpoint is left out after the first failure to connect; doubles with each further.
const FIRST_DOWN: Duration = Duration::from_secs(1);
/// How long an endpoint is left out at the most.
const LONGEST_DOWN: Duration = Duration::from_secs(30);

/// How long an endpoint that said go-away is left out. Most that say so are about to end, and take new
/// connections until they do.
const GONE_AWAY: Duration = Duration::from_secs(10);

/// One server of a cluster, as a worker sees it.
pub(crate) struct Endpoint {
    pub(crate) cluster: ClusterKey,
    pub(crate) address: SocketAddr,
    /// Calls sent to it, or waiting for a connection to it.
    pub(crate) active: usize,
    /// Its shared connections that take calls.
    pub(crate) shared: Vec<UpstreamKey>,
    /// Its exclusive connections that nobody uses; the last used is at the end, and is used next.
    pub(crate) idle: Vec<UpstreamKey>,
    /// Its connections of every kind.
    pub(crate) connections: usize,
    /// Those of them that are still being made.
    pub(crate) connecting: usize,
    /// Calls that wait for an exclusive connection, because there are as many as may be.
    pub(crate) waiting: WaitingLine,
    /// Clients that are not read until fewer wait.
    pub(crate) blocked: Vec<DownstreamKey>,
    /// Configuration has dropped it: it goes when its last call has ended.
    pub(crate) removed: bool,
    /// How long it takes to answer, where the balancing asks for that.
    pub(crate) latency: Option<Latency>,
    /// How its calls have ended.
    pub(crate) record: Record,
    /// It has failed its health checks.
    unhealthy: bool,
    failures: u32,
    down_until: Option<Instant>,
    /// Since when it is known to be usable.
    usable_since: Option<Instant>,
    /// Tells the balancing that its usability has changed.
    changed: Changed,
}

impl Endpoint {
    /// An endpoint that says by `changed` when it is usable and was not, or the other way round.
    pub(crate) fn new(cluster: ClusterKey, address: SocketAddr, changed: Changed) -> Self {
        Endpoint {
            cluster,
            address,
            active: 0,
            shared: Vec::new(),
            idle: Vec::new(),
            connections: 0,
            connecting: 0,
            blocked: Vec::new(),
            waiting: WaitingLine::default(),
            removed: false,
            latency: None,
            record: Record::default(),
            unhealthy: false,
            failures: 0,
            down_until: None,
            usable_since: None,
            changed,
        }
    }

    /// Whether calls may go to it: the one place where this is asked. What makes it false or true
    /// again either comes at a time that [`changes_at`](Endpoint::changes_at) tells, or tells
    /// `changed`.
    pub(crate) fn is_usable(&self, now: Instant) -> bool {
        !self.unhealthy && !self.is_down(now) && self.record.ejected_until(now).is_none()
    }

    /// When it next becomes usable, or ceases to be, just because time passes.
    pub(crate) fn changes_at(&self, now: Instant) -> Option<Instant> {
        let down = self.down_until.filter(|until| now < *until);
        [down, self.record.ejected_until(now)].into_iter().flatten().min()
    }

    /// Takes note of whether it is usable now.
    pub(crate) fn note_usability(&mut self, now: Instant) {
        if self.is_usable(now) != self.usable_since.is_some() {
            self.usable_since = self.is_usable(now).then_some(now);
        }
    }

    /// Since when it is known to be usable; `None` if it was not when somebody last looked.
    pub(crate) fn usable_since(&self) -> Option<Instant> {
        self.usable_since
    }

    /// Whether it could not be connected to, or said go-away, a short while ago.
    pub(crate) fn is_down(&self, now: Instant) -> bool {
        self.down_until.is_some_and(|until| now < until)
    }

    /// Takes note of its health checks; tells whether that is news.
    pub(crate) fn set_healthy(&mut self, healthy: bool) -> bool {
        let is_news = self.unhealthy == healthy;
        if is_news {
            self.unhealthy = !healthy;
            self.note_change();
        }
        is_news
    }

    /// It could not be connected to. Attempts that fail while it is left out already are part of the
    /// same failure.
    pub(crate) fn failed(&mut self, now: Instant) {
        if self.is_down(now) {
            return;
        }
        let down = FIRST_DOWN.saturating_mul(1 << self.failures.min(5)).min(LONGEST_DOWN);
        self.failures += 1;
        self.be_down(Some(now + down));
    }

    /// It has asked for no further requests.
    pub(crate) fn went_away(&mut self, now: Instant) {
        self.be_down(Some(now + GONE_AWAY));
    }

    /// Whether it could be connected to before the last attempt.
    pub(crate) fn is_first_failure(&self) -> bool {
        self.failures == 1
    }

    /// It could be connected to.
    pub(crate) fn succeeded(&mut self) {
        self.failures = 0;
        if self.down_until.is_some() {
            self.be_down(None);
        }
    }

    fn be_down(&mut self, until: Option<Instant>) {
        self.down_until = until;
        self.note_change();
    }

    /// Tells the balancing that it may have become usable, or have ceased to be.
    pub(crate) fn note_change(&self) {
        self.changed.set(true);
    }

    /// What a further call to it costs, by its latency and the calls in flight.
    pub(crate) fn cost(&self, now: Instant) -> f64 {
        let active = self.active;
        self.latency.map_or(active as f64, |latency| latency.cost(active, now))
    }

    /// Forgets a connection that is gone or takes no more calls.
    pub(crate) fn forget(&mut self, key: UpstreamKey) {
        self.shared.retain(|other| *other != key);
        self.idle.retain(|other| *other != key);
    }
}
