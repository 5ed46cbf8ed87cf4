//! Signs of life: silent connections are pinged, and given up if nothing comes then.
//!
//! | responses are told apart by | when a connection is pinged         | while the pong is awaited      |
//! |-----------------------------|-------------------------------------|--------------------------------|
//! | ids                         | whenever nothing has come           | calls go on                    |
//! | their order                 | only with no call in flight         | no call is sent on it          |
//!
//! A ping's id stays taken until it has been answered, by a pong or by what looks like a response, or
//! until the connection ends. So whatever answers it reaches no caller. Without ids the ping has a place
//! among the calls in flight instead. Nothing is sent behind it: if the peer answered the call and not
//! the ping, the response would be taken for the pong, and the next one for this response.

use metaproto_core::{Error, ErrorKind, Sharing};
use tokio::time::Instant;

use super::connection::{self, Upstream};
use super::{count, pool};
use crate::downstream;
use crate::model::KeepaliveTimes;
use crate::worker::{UpstreamKey, Worker};

/// A ping that has not been answered.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ping {
    sent: Instant,
    /// `None` if its answer is known by its place in the order.
    id: Option<u64>,
}

/// What a look at a connection has shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Well,
    Silent,
    Dead,
}

/// Pings the connections on which nothing has come for long, and closes those on which nothing has
/// come since they were.
pub(crate) fn keep_alive(worker: &mut Worker) {
    let keys: Vec<_> = worker.upstreams.keys().collect();
    for key in keys {
        let Some(times) = times(worker, key) else { continue };
        let now = worker.now;
        let Some(upstream) = worker.upstreams.get_mut(key) else { continue };
        match upstream.look(times, now) {
            Verdict::Well => {}
            Verdict::Silent => ping(worker, key),
            Verdict::Dead => give_up(worker, key, times),
        }
    }
}

/// When the connection is pinged, if it is.
fn times(worker: &Worker, key: UpstreamKey) -> Option<KeepaliveTimes> {
    let endpoint = worker.endpoints.get(worker.upstreams.get(key)?.endpoint)?;
    worker.clusters.get(endpoint.cluster)?.keepalive
}

impl Upstream {
    /// Whether no call may be sent before a pong has come.
    pub(crate) fn is_held(&self) -> bool {
        self.ping.is_some_and(|ping| ping.id.is_none())
    }

    fn look(&mut self, times: KeepaliveTimes, now: Instant) -> Verdict {
        if self.throttled {
            // It is not read, so nothing can be heard from it.
            self.last_heard = now;
            self.ping = self.ping.map(|ping| Ping { sent: now, ..ping });
            return Verdict::Well;
        }
        let over = |since: Instant, time| now.saturating_duration_since(since) >= time;
        match self.ping {
            // On a connection that is held anything else is no answer.
            Some(ping) if self.last_heard < ping.sent || ping.id.is_none() => {
                if over(ping.sent, times.timeout) { Verdict::Dead } else { Verdict::Well }
            }
            // What can't be written is looked after by whoever watches over stalled connections.
            _ if self.io.is_none() || !self.outbox.is_empty() => Verdict::Well,
            _ if over(self.last_heard, times.interval) => Verdict::Silent,
            _ => Verdict::Well,
        }
    }
}

fn ping(worker: &mut Worker, key: UpstreamKey) {
    let now = worker.now;
    let Some(upstream) = worker.upstreams.get_mut(key) else { return };
    let endpoint = upstream.endpoint;
    let cluster = worker.endpoints.get(endpoint).and_then(|e| worker.clusters.get_mut(e.cluster));
    let Some(cluster) = cluster else { return };
    let Some(id) = upstream.in_flight.begin_ping(cluster.correlation) else { return };
    if let Err(error) = upstream.codec.ping(id.unwrap_or(1), upstream.outbox.tail()) {
        tracing::debug!(%error, "the protocol can ping, and this connection can't");
        upstream.in_flight.end_ping(id);
        // Asked again after another interval, not with every look.
        upstream.last_heard = now;
        return;
    }
    upstream.ping = Some(Ping { sent: now, id });
    cluster.counters.keepalive_pings += 1;
    if upstream.is_held() {
        hold(worker, key);
    }
    connection::mark(worker, key);
}

/// Sees to it that no call is sent on a connection until a pong has come.
fn hold(worker: &mut Worker, key: UpstreamKey) {
    let Some(upstream) = worker.upstreams.get_mut(key) else { return };
    let client = upstream.bound_to;
    if let Some(client) = client
        && downstream::block(&mut worker.downstreams, client)
    {
        upstream.blocked.push(client);
    }
    if let Some(endpoint) = worker.endpoints.get_mut(upstream.endpoint)
        && upstream.sharing == Sharing::Exclusive
    {
        upstream.idle = false;
        endpoint.idle.retain(|other| *other != key);
    }
}

/// A pong has come, or what answers no call that anybody waits for, with this id. Tells whether it
/// answers a ping of [`keep_alive`].
pub(super) fn answered(worker: &mut Worker, key: UpstreamKey, id: Option<u64>) -> bool {
    let Some(upstream) = worker.upstreams.get_mut(key) else { return false };
    // A pong without an id answers whatever ping there is.
    let Some(ping) = upstream.ping.filter(|ping| id.is_none() || ping.id == id) else {
        return false;
    };
    upstream.ping = None;
    upstream.in_flight.end_ping(ping.id);
    if ping.id.is_none() {
        // Clients that were held are let go when it is flushed.
        connection::mark(worker, key);
    }
    true
}

fn give_up(worker: &mut Worker, key: UpstreamKey, times: KeepaliveTimes) {
    let Some(upstream) = worker.upstreams.get(key) else { return };
    let endpoint = upstream.endpoint;
    if let Some(counters) = count::counters(worker, endpoint) {
        counters.keepalive_failures += 1;
    }
    let message = format!("the upstream has not answered a ping within {:?}", times.timeout);
    pool::close(worker, key, &Error::new(ErrorKind::UpstreamReset, message));
}
