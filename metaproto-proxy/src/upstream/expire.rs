//! What time does to upstream connections and their calls.

use std::time::Duration;

use metaproto_core::{Error, ErrorKind, Sharing};
use tokio::time::Instant;

use super::{count, exclusive, give_up, pool};
use crate::cluster::{self, Seen};
use crate::downstream;
use crate::exchange::{self, Call};
use crate::worker::{EndpointKey, UpstreamKey, Worker};

/// How long the calls of a client that has gone keep a connection that nobody else uses. To close it at
/// once could take requests from the endpoint that it has not read yet.
const GRACE: Duration = Duration::from_secs(5);

/// An endpoint that takes nothing of what is written to it for this long is as good as gone.
const STALL: Duration = Duration::from_secs(10);

/// Calls in a row whose time may run out on a connection without a byte from the endpoint. With
/// more the connection is as good as gone, though nobody has closed it, and is replaced: the path
/// swallows packets, or the endpoint has forgotten it.
const MOST_LATE_IN_SILENCE: usize = 3;

/// Ends the calls whose time is up. Tells whether any call is in flight at all.
pub(crate) fn expire(worker: &mut Worker) -> bool {
    let now = worker.now;
    let mut busy = expire_waiting(worker, now);
    let due = |key: &UpstreamKey, worker: &Worker| {
        worker.upstreams.get(*key).is_some_and(|upstream| {
            upstream.earliest.is_some_and(|earliest| earliest <= now)
                || upstream.stalled_since.is_some_and(|since| since + STALL <= now)
                || upstream.orphaned_since.is_some_and(|since| since + GRACE <= now)
        })
    };
    let waits = |u: &super::Upstream| {
        u.earliest.is_some() || u.orphaned_since.is_some() || !u.outbox.is_empty()
    };
    busy |= worker.upstreams.values().any(waits);
    let all: Vec<_> = worker.upstreams.keys().filter(|key| due(key, worker)).collect();
    for key in all {
        expire_connection(worker, key, now);
    }
    busy
}

fn expire_connection(worker: &mut Worker, key: UpstreamKey, now: Instant) {
    let Some(upstream) = worker.upstreams.get_mut(key) else { return };
    let (endpoint, sharing) = (upstream.endpoint, upstream.sharing);
    let mut earliest: Option<Instant> = None;
    let mut blocked = Vec::new();
    let mut is_late = |call: &Call| {
        let late = call.due().is_some_and(|deadline| deadline <= now);
        if !late {
            earliest = [earliest, call.due()].into_iter().flatten().min();
        }
        late
    };
    let mut calls = upstream.waiting.abandon(&mut is_late);
    let sent = upstream.in_flight.abandon(is_late);
    if upstream.has_room() {
        blocked = std::mem::take(&mut upstream.blocked);
    }
    let any_sent = !sent.is_empty();
    upstream.late_in_silence += sent.len();
    let dead = upstream.late_in_silence >= MOST_LATE_IN_SILENCE;
    calls.extend(sent);
    upstream.earliest = earliest;
    let worn_out = upstream.in_flight.owes_too_much();
    let orphaned = upstream.orphaned_since.is_some_and(|since| since + GRACE <= now);
    let stalled = upstream.stalled_since.is_some_and(|since| since + STALL <= now);
    downstream::unblock(worker, blocked);
    time_out(worker, endpoint, calls);
    if orphaned {
        give_up::abandon(worker, key);
    } else if stalled {
        let message = format!("the upstream took nothing for {STALL:?}");
        pool::close(worker, key, &Error::new(ErrorKind::UpstreamReset, message));
    } else if any_sent && sharing == Sharing::Exclusive {
        // The late response must not meet the next call.
        pool::close(worker, key, &Error::new(ErrorKind::UpstreamReset, "its call timed out"));
    } else if worn_out || dead {
        pool::retire(worker, key);
    }
    pool::close_if_retired(worker, key);
}

fn expire_waiting(worker: &mut Worker, now: Instant) -> bool {
    let waiting: Vec<_> = worker
        .endpoints
        .iter()
        .filter(|(_, endpoint)| !endpoint.waiting.is_empty())
        .map(|(key, _)| key)
        .collect();
    for key in &waiting {
        let Some(endpoint) = worker.endpoints.get_mut(*key) else { continue };
        let is_late = |call: &Call| call.due().is_some_and(|deadline| deadline <= now);
        let late = endpoint.waiting.abandon(is_late);
        exclusive::line_moved(worker, *key);
        // It may have been left alone while it could not be connected to.
        exclusive::connect_more(worker, *key);
        time_out(worker, *key, late);
    }
    !waiting.is_empty()
}

fn time_out(worker: &mut Worker, endpoint: EndpointKey, calls: Vec<Call>) {
    let address = worker.endpoints.get(endpoint).map(|endpoint| endpoint.address.to_string());
    let message = format!("no response from {} in time", address.unwrap_or_default());
    for call in calls {
        count::count_timeout(worker, endpoint, &call);
        cluster::observe(worker, endpoint, Seen::Fault);
        exchange::fail(worker, call, Error::new(ErrorKind::Timeout, message.clone()));
    }
}

/// Closes the connections that have had no calls for long, and gives back the memory of those
/// that rest.
pub(crate) fn close_idle(worker: &mut Worker) {
    let now = worker.now;
    let mut idle = Vec::new();
    for (key, upstream) in &mut worker.upstreams {
        // A bound connection lives as long as its client.
        if upstream.bound_to.is_none() && upstream.retires_at.is_some_and(|at| at <= now) {
            upstream.retires_at = None;
            idle.push(key);
        }
        // Responses that nobody waits for don't count: what is closed can't bring them late.
        if upstream.io.is_none() || upstream.calls() > 0 || !upstream.outbox.is_empty() {
            upstream.last_active = now;
            continue;
        }
        let rested = now.saturating_duration_since(upstream.last_active);
        if rested >= super::REST {
            upstream.outbox.release();
            upstream.in_flight.release();
        }
        let endpoint = worker.endpoints.get(upstream.endpoint);
        let cluster = endpoint.and_then(|endpoint| worker.clusters.get(endpoint.cluster));
        let timeout = cluster.and_then(|cluster| cluster.model.idle_timeout);
        if upstream.bound_to.is_none() && timeout.is_some_and(|timeout| rested >= timeout) {
            idle.push(key);
        }
    }
    for key in idle {
        pool::retire(worker, key);
    }
}
