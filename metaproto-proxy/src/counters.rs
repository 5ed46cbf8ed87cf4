//! What a proxy has counted: plain numbers, owned by the workers, copied out when asked for.
//!
//! A worker counts in its own memory, without atomics. Whoever wants to know asks every worker for a
//! copy, which the worker makes between two requests. The books therefore balance in every copy:
//! `started` is the sum of `completed` and `active`.

use std::collections::BTreeMap;

use metaproto_core::{ErrorKind, StatusClass};

pub use crate::histogram::Histogram;

/// How a request ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Outcome {
    /// An upstream's response with a status of this class was handed to the client.
    Response(StatusClass),
    /// The proxy answered with an error of this kind, or, for a one-way request, dropped it.
    Error(ErrorKind),
    /// A one-way request was handed to an upstream.
    Oneway,
    /// The client had gone before the response came.
    Abandoned,
}

impl Outcome {
    const RESPONSES: usize = StatusClass::ALL.len();
    const ERRORS: usize = ErrorKind::ALL.len();
    const COUNT: usize = Self::RESPONSES + Self::ERRORS + 2;

    /// Every outcome, in the order in which they are reported.
    pub fn all() -> impl Iterator<Item = Outcome> {
        let responses = StatusClass::ALL.into_iter().map(Outcome::Response);
        let errors = ErrorKind::ALL.into_iter().map(Outcome::Error);
        responses.chain(errors).chain([Outcome::Oneway, Outcome::Abandoned])
    }

    /// Who ended the request, for a metric's label: `upstream`, `proxy` or `client`.
    #[must_use]
    pub const fn origin(self) -> &'static str {
        match self {
            Outcome::Response(_) | Outcome::Oneway => "upstream",
            Outcome::Error(_) => "proxy",
            Outcome::Abandoned => "client",
        }
    }

    /// The name for a metric's label, in snake case.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Outcome::Response(class) => class.as_str(),
            Outcome::Error(kind) => kind.as_str(),
            Outcome::Oneway => "oneway",
            Outcome::Abandoned => "abandoned",
        }
    }

    fn index(self) -> usize {
        match self {
            Outcome::Response(class) => class.index(),
            Outcome::Error(kind) => Self::RESPONSES + kind as usize,
            Outcome::Oneway => Self::RESPONSES + Self::ERRORS,
            Outcome::Abandoned => Self::RESPONSES + Self::ERRORS + 1,
        }
    }
}

/// Requests by how they ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcomes([u64; Outcome::COUNT]);

impl Default for Outcomes {
    fn default() -> Self {
        Outcomes([0; Outcome::COUNT])
    }
}

impl Outcomes {
    /// Counts one.
    pub fn add(&mut self, outcome: Outcome) {
        if let Some(count) = self.0.get_mut(outcome.index()) {
            *count += 1;
        }
    }

    /// How many ended so.
    #[must_use]
    pub fn of(&self, outcome: Outcome) -> u64 {
        self.0.get(outcome.index()).copied().unwrap_or_default()
    }

    /// How many have ended.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.0.iter().sum()
    }

    fn merge(&mut self, other: &Outcomes) {
        for (mine, theirs) in self.0.iter_mut().zip(other.0) {
            *mine += theirs;
        }
    }
}

/// What one listener has counted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ListenerCounters {
    /// Connections accepted since the start.
    pub connections: u64,
    /// Connections open now.
    pub connections_active: u64,
    /// Connections closed at once because there were too many, or the process was overloaded.
    pub connections_refused: u64,
    /// Times that a client could not be accepted because descriptors or memory had run out.
    pub accept_failures: u64,
    /// Connections closed because the client sent what can't be read.
    pub protocol_errors: u64,
    /// Connections closed because the client did not read its responses.
    pub slow_clients: u64,
    /// Connections closed because nothing happened on them.
    pub idle_timeouts: u64,
    /// Connections closed because the rest of a frame did not come.
    pub frame_timeouts: u64,
    /// Bytes read from clients.
    pub bytes_received: u64,
    /// Bytes written to clients.
    pub bytes_sent: u64,
    /// Pings of clients, answered by the proxy.
    pub pings: u64,
    /// Messages of clients that are neither requests nor pings, and were dropped.
    pub dropped: u64,
    /// Requests whose body could not be read as far as was asked for; forwarded all the same. See
    /// [`Metadata::unread`](metaproto_core::Metadata::unread).
    pub unread_bodies: u64,
    /// Responses sent without the changes of their route because they have no place for them.
    pub unchanged_responses: u64,
    /// Requests refused because the process was overloaded.
    pub shed: u64,
    /// Connections closed because the process was overloaded.
    pub overload_closed: u64,
    /// Bytes in buffers now: of requests that have come in part, and of responses that have not left.
    pub buffered: u64,
    /// Requests read, two-way and one-way.
    pub started: u64,
    /// Requests read that have not ended yet.
    pub active: u64,
    /// Requests ended, by how.
    pub completed: Outcomes,
    /// From the reading of a request to its response or error, for those that have one.
    pub duration: Histogram,
}

/// What one cluster has counted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ClusterCounters {
    /// Connections made since the start.
    pub connections: u64,
    /// Connections open now, or being made.
    pub connections_active: u64,
    /// Connections that could not be made.
    pub connect_failures: u64,
    /// Those of them that failed because the proxy's own descriptors or memory had run out.
    pub local_connect_failures: u64,
    /// Connections that the upstream closed or reset while requests were in flight on them.
    pub resets: u64,
    /// Connections closed because the upstream sent what can't be read.
    pub protocol_errors: u64,
    /// Bytes read from upstreams.
    pub bytes_received: u64,
    /// Bytes written to upstreams.
    pub bytes_sent: u64,
    /// Requests handed to a connection.
    pub requests: u64,
    /// Requests sent, or waiting for a connection, whose response has not come.
    pub active: u64,
    /// Requests for which too few endpoints were usable, so that all were used.
    pub panicked: u64,
    /// Requests to endpoints that are not of the first priority.
    pub spilled: u64,
    /// Requests without a key, where the endpoint is chosen by its hash: they went to any.
    pub unkeyed: u64,
    /// Requests moved to another endpoint because the first could not be connected to.
    pub redispatched: u64,
    /// Names looked up in the DNS; a name that several clusters have is counted by each.
    pub dns_lookups: u64,
    /// Look-ups of them that failed; the addresses known before are kept.
    pub dns_failures: u64,
    /// Health checks that have ended.
    pub health_checks: u64,
    /// Health checks that have failed.
    pub health_check_failures: u64,
    /// Endpoints that are checked, and healthy.
    pub endpoints_healthy: u64,
    /// Endpoints that are checked, and unhealthy.
    pub endpoints_unhealthy: u64,
    /// Times that an endpoint was left out because its calls failed.
    pub ejections: u64,
    /// Times that it was not because too many were, or there was no other.
    pub ejections_refused: u64,
    /// Requests sent again after a failure.
    pub retries: u64,
    /// Requests not sent again because too many were.
    pub retries_refused: u64,
    /// Copies of requests sent to it; they count as requests, too.
    pub mirrored: u64,
    /// Copies not made because too much was under way, or there was no usable endpoint.
    pub mirror_dropped: u64,
    /// Copies whose response had a status of the same class as that of the request.
    pub mirror_equal: u64,
    /// Copies whose response had a status of another class.
    pub mirror_different: u64,
    /// Copies that could not be compared: they, or their requests, got no response.
    pub mirror_unanswered: u64,
    /// Requests refused because as many connections were open as may be.
    pub refused_connections: u64,
    /// Requests refused because as many waited for a connection as may.
    pub refused_pending: u64,
    /// Requests refused because as many were in flight as may be.
    pub refused_requests: u64,
    /// Requests refused because as many of their operation were in flight as may be.
    pub refused_operations: u64,
    /// Requests refused because answers took too long for so many.
    pub refused_adaptive: u64,
    /// Requests that wait for a connection now.
    pub pending: u64,
    /// The bounds on requests in flight that were found by how long answers take, of all workers.
    pub adaptive_limit: u64,
    /// Requests that got no response in time.
    pub timeouts: u64,
    /// Pings of upstreams, answered by the proxy.
    pub pings: u64,
    /// Responses that came after their request had ended; dropped.
    pub late: u64,
    /// Responses that answer no request; dropped.
    pub unmatched: u64,
    /// Pings sent to silent upstreams.
    pub keepalive_pings: u64,
    /// Connections closed because nothing came after such a ping: they were half open.
    pub keepalive_failures: u64,
    /// Responses whose body could not be read as far as was asked for; forwarded all the same.
    pub unread_bodies: u64,
    /// Bytes in buffers now: of requests that have not left or are kept to be sent again, and of
    /// responses that have come in part.
    pub buffered: u64,
    /// From when a request was given to an endpoint, connected to or not, to its response. A request
    /// that is sent again counts for each response.
    pub duration: Histogram,
}

/// What is counted for all listeners and clusters together.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ProcessCounters {
    /// Bytes that buffers and connections take now, as the [bound of the
    /// process](crate::model::Overload::max_memory) counts them: a connection without its buffers is
    /// taken for 4 KiB.
    pub held: u64,
    /// Whether the process is overloaded now: 1 if requests are refused, 2 if connections are, too.
    pub overload_stage: u64,
    /// Times that requests began to be refused.
    pub overloads: u64,
}

/// What a proxy, or one worker of it, has counted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counters {
    /// By the listener's name. A listener that is gone keeps its numbers.
    pub listeners: BTreeMap<String, ListenerCounters>,
    /// By the cluster's name. A cluster that is gone keeps its numbers.
    pub clusters: BTreeMap<String, ClusterCounters>,
    /// What is not of one listener or cluster.
    pub process: ProcessCounters,
}

macro_rules! add_fields {
    ($to:expr, $from:expr, $($field:ident)*) => { $( $to.$field += $from.$field; )* };
}

impl ListenerCounters {
    /// Adds another's numbers.
    pub fn merge(&mut self, other: &ListenerCounters) {
        add_fields!(self, other,
            connections connections_active connections_refused accept_failures protocol_errors slow_clients
            idle_timeouts frame_timeouts bytes_received bytes_sent pings dropped unread_bodies
            unchanged_responses shed overload_closed buffered started active);
        self.completed.merge(&other.completed);
        self.duration.merge(&other.duration);
    }
}

impl ClusterCounters {
    /// Adds another's numbers.
    pub fn merge(&mut self, other: &ClusterCounters) {
        add_fields!(self, other,
            connections connections_active connect_failures local_connect_failures resets protocol_errors bytes_received
            bytes_sent requests active panicked spilled unkeyed redispatched health_checks
            health_check_failures endpoints_healthy endpoints_unhealthy dns_lookups
            dns_failures ejections ejections_refused retries retries_refused mirrored
            mirror_dropped mirror_equal mirror_different mirror_unanswered refused_connections refused_pending
            refused_requests refused_operations refused_adaptive pending adaptive_limit
            timeouts pings late unmatched keepalive_pings
            keepalive_failures unread_bodies buffered);
        self.duration.merge(&other.duration);
    }
}

impl ProcessCounters {
    /// Adds another worker's numbers.
    pub fn merge(&mut self, other: &ProcessCounters) {
        add_fields!(self, other, held overloads);
        self.overload_stage = self.overload_stage.max(other.overload_stage);
    }
}

impl Counters {
    /// Adds another's numbers.
    pub fn merge(&mut self, other: &Counters) {
        for (name, theirs) in &other.listeners {
            self.listeners.entry(name.clone()).or_default().merge(theirs);
        }
        for (name, theirs) in &other.clusters {
            self.clusters.entry(name.clone()).or_default().merge(theirs);
        }
        self.process.merge(&other.process);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_outcome_has_a_counter_of_its_own() {
        let mut outcomes = Outcomes::default();
        for outcome in Outcome::all() {
            assert_eq!(outcomes.of(outcome), 0, "{outcome:?}");
            outcomes.add(outcome);
            assert_eq!(outcomes.of(outcome), 1, "{outcome:?}");
        }
        assert_eq!(outcomes.total(), Outcome::COUNT as u64);
        let mut twice = outcomes.clone();
        twice.merge(&outcomes);
        assert!(Outcome::all().all(|outcome| twice.of(outcome) == 2));
    }
}
