//! One server, and the connections to it.

use std::cmp::Ordering;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::time::Instant;

use super::WaitingLine;
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
    pub(crate) weight: u32,
    /// What the weighted round robin owes it.
    pub(crate) credit: i64,
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
    failures: u32,
    down_until: Option<Instant>,
}

impl Endpoint {
    pub(crate) fn new(cluster: ClusterKey, address: SocketAddr, weight: u32) -> Self {
        Endpoint {
            cluster,
            address,
            weight,
            credit: 0,
            active: 0,
            shared: Vec::new(),
            idle: Vec::new(),
            connections: 0,
            connecting: 0,
            blocked: Vec::new(),
            waiting: WaitingLine::default(),
            removed: false,
            failures: 0,
            down_until: None,
        }
    }

    /// Whether it could not be connected to, or said go-away, a short while ago.
    pub(crate) fn is_down(&self, now: Instant) -> bool {
        self.down_until.is_some_and(|until| now < until)
    }

    /// It could not be connected to. Attempts that fail while it is left out already are part of the
    /// same failure.
    pub(crate) fn failed(&mut self, now: Instant) {
        if self.is_down(now) {
            return;
        }
        let down = FIRST_DOWN.saturating_mul(1 << self.failures.min(5)).min(LONGEST_DOWN);
        self.failures += 1;
        self.down_until = Some(now + down);
    }

    /// It has asked for no further requests.
    pub(crate) fn went_away(&mut self, now: Instant) {
        self.down_until = Some(now + GONE_AWAY);
    }

    /// Whether it could be connected to before the last attempt.
    pub(crate) fn is_first_failure(&self) -> bool {
        self.failures == 1
    }

    /// It could be connected to.
    pub(crate) fn succeeded(&mut self) {
        self.failures = 0;
        self.down_until = None;
    }

    /// Compares the calls in flight, relative to the weights.
    pub(crate) fn compare_load(&self, other: &Endpoint) -> Ordering {
        let mine = (self.active as u128) * u128::from(other.weight);
        let theirs = (other.active as u128) * u128::from(self.weight);
        mine.cmp(&theirs)
    }

    /// Forgets a connection that is gone or takes no more calls.
    pub(crate) fn forget(&mut self, key: UpstreamKey) {
        self.shared.retain(|other| *other != key);
        self.idle.retain(|other| *other != key);
    }
}
