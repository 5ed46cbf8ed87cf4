//! Which connection carries a call, and the beginning and end of connections.

use std::io;
use std::sync::Arc;
use std::task::Waker;
use std::time::Duration;

use metaproto_core::{
    CodecContext, Correlation, Error, ErrorKind, Interest, Limits, Sharing, Side,
};

use super::connection::{self, Upstream};
use super::id_table::IdTable;
use super::in_flight::InFlight;
use super::{Endpoint, Waiting, WaitingLine};
use super::{count, exclusive};
use crate::cluster::{self, Cluster, Seen};
use crate::descriptors::is_shortage;
use crate::downstream;
use crate::exchange::{self, Call};
use crate::inbound::Inbound;
use crate::io::BoxIo;
use crate::message::Outgoing;
use crate::worker::{ClusterKey, DownstreamKey, EndpointKey, UpstreamKey, Worker};

/// How the connections to an endpoint are used.
pub(crate) fn sharing(worker: &Worker, endpoint: EndpointKey) -> Option<Sharing> {
    let cluster = worker.endpoints.get(endpoint)?.cluster;
    Some(worker.clusters.get(cluster)?.sharing)
}

/// Sends a call to an endpoint, on a connection that its mode allows.
#[inline(always)]
pub(crate) fn dispatch(
    worker: &mut Worker,
    key: EndpointKey,
    mut call: Call,
    message: Outgoing<'_>,
) {
    let now = worker.micros;
    let Some((endpoint, cluster)) = count::endpoint_and_cluster(worker, key) else {
        let error = Error::new(ErrorKind::ClusterNotFound, "the cluster has been removed");
        return exchange::fail(worker, call, error);
    };
    if let Err(refusal) = cluster.begin_call() {
        return exchange::fail(worker, call, *refusal);
    }
    endpoint.active += 1;
    call.sent = now;
    call.timed = endpoint.latency.map(|_| key);
    let connection = match (cluster.sharing, endpoint.shared.as_slice()) {
        // By far the most frequent case.
        (Sharing::Shared, [only]) if cluster.model.connections <= 1 => Some(*only),
        (Sharing::Shared, _) => shared(worker, key),
        (Sharing::Exclusive, _) => endpoint.idle.pop(),
        (Sharing::Bound, _) => bound(worker, key, call.from),
    };
    if call.due().is_some() {
        worker.clock.start();
    }
    match connection {
        Some(connection) => connection::send(worker, connection, call, message),
        None => exclusive::wait(worker, key, call, message),
    }
}

/// The endpoint that a client's own connection to a cluster leads to, if it has one.
pub(crate) fn bound_endpoint(
    worker: &Worker,
    cluster: ClusterKey,
    from: DownstreamKey,
) -> Option<EndpointKey> {
    let bound = &worker.downstreams.get(from)?.bound;
    let (_, own) = bound.iter().find(|(of, _)| *of == cluster)?;
    worker.upstreams.get(*own).map(|upstream| upstream.endpoint)
}

/// The shared connection with the fewest calls; a new one while there are fewer than configured.
fn shared(worker: &mut Worker, key: EndpointKey) -> Option<UpstreamKey> {
    let endpoint = worker.endpoints.get(key)?;
    let limit = worker.clusters.get(endpoint.cluster)?.model.connections;
    if endpoint.shared.len() < limit.max(1)
        && let Some(new) = connect(worker, key, Sharing::Shared)
    {
        worker.endpoints.get_mut(key)?.shared.push(new);
        return Some(new);
    }
    let endpoint = worker.endpoints.get(key)?;
    let calls =
        |key: &&UpstreamKey| worker.upstreams.get(**key).map_or(usize::MAX, Upstream::calls);
    endpoint.shared.iter().min_by_key(calls).copied()
}

/// The client's own connection to the cluster, wherever it leads; a new one to this endpoint if there
/// is none.
fn bound(worker: &mut Worker, key: EndpointKey, from: DownstreamKey) -> Option<UpstreamKey> {
    let cluster = worker.endpoints.get(key)?.cluster;
    let client = worker.downstreams.get(from)?;
    if let Some((_, own)) = client.bound.iter().find(|(of, _)| *of == cluster) {
        return Some(*own);
    }
    let limit = worker.clusters.get(cluster)?.model.max_connections;
    if worker.endpoints.get(key)?.connections >= limit {
        return None;
    }
    let new = connect(worker, key, Sharing::Bound)?;
    worker.upstreams.get_mut(new)?.bound_to = Some(from);
    worker.downstreams.get_mut(from)?.bound.push((cluster, new));
    Some(new)
}

/// Begins a connection, if there may be one more; its task makes it.
pub(super) fn connect(
    worker: &mut Worker,
    key: EndpointKey,
    sharing: Sharing,
) -> Option<UpstreamKey> {
    let shared_worker = worker.shared()?;
    let endpoint = worker.endpoints.get_mut(key)?;
    let cluster = worker.clusters.get_mut(endpoint.cluster)?;
    if !cluster.begin_connection() {
        return None;
    }
    endpoint.connections += 1;
    endpoint.connecting += 1;
    // No route asks anything of responses, but a filter may.
    let interest =
        if worker.filters.is_empty() { Interest::Only(Vec::new()) } else { Interest::All };
    let context = CodecContext::new(Side::Upstream, Limits::max_frame(cluster.max_frame))
        .with_interest(Arc::new(interest));
    let upstream = new_upstream(cluster, key, sharing, &context, worker.now);
    let new = worker.upstreams.insert(upstream);
    tokio::task::spawn_local(connection::run(shared_worker, new));
    Some(new)
}

fn new_upstream(
    cluster: &Cluster,
    endpoint: EndpointKey,
    sharing: Sharing,
    context: &CodecContext,
    now: tokio::time::Instant,
) -> Upstream {
    Upstream {
        endpoint,
        sharing,
        codec: cluster.protocol.codec(context),
        translates: cluster.translates,
        max_frame: cluster.max_frame,
        buffer: cluster.buffer,
        io: None,
        inbound: Inbound::default(),
        outbox: metaproto_core::Output::new(),
        waiting: WaitingLine::default(),
        in_flight: match (cluster.correlation, sharing) {
            // The messages of a stream can't be given another id: they are passed on as they are.
            (Correlation::Id { .. }, Sharing::Bound) if cluster.streaming => InFlight::queue(true),
            (Correlation::Id { bits }, _) => InFlight::ById(IdTable::new(bits)),
            (Correlation::Order, _) => InFlight::queue(false),
        },
        earliest: None,
        bound_to: None,
        carries: None,
        idle: false,
        retiring: false,
        blocked: Vec::new(),
        throttled: false,
        stalled_since: None,
        late_in_silence: 0,
        orphaned_since: None,
        last_active: now,
        retires_at: cluster
            .model
            .max_connection_age
            .and_then(|age| now.checked_add(shortened(age))),
        last_heard: now,
        ping: None,
        marked: false,
        waker: Waker::noop().clone(),
    }
}

/// A time, up to a tenth less: what begins together does not end together.
pub(crate) fn shortened(time: Duration) -> Duration {
    time.mul_f64(1.0 - fastrand::f64() / 10.0)
}

/// The connection attempt of a connection's task, bounded in time.
pub(super) fn begin_connect(
    worker: &Worker,
    key: UpstreamKey,
) -> Option<impl Future<Output = io::Result<BoxIo>> + use<>> {
    let endpoint = worker.endpoints.get(worker.upstreams.get(key)?.endpoint)?;
    let timeout = worker.clusters.get(endpoint.cluster)?.model.connect_timeout;
    let connecting = worker.connector.connect(endpoint.address);
    Some(async move {
        let late = |_| io::Error::new(io::ErrorKind::TimedOut, format!("no answer in {timeout:?}"));
        tokio::time::timeout(timeout, connecting).await.map_err(late)?
    })
}

/// The connection could not be made: its calls go to other endpoints, if there are any.
pub(super) fn connect_failed(worker: &mut Worker, key: UpstreamKey, error: &io::Error) {
    worker.read_clock();
    let Some(upstream) = worker.upstreams.get_mut(key) else { return };
    let endpoint_key = upstream.endpoint;
    let waiting = std::mem::take(&mut upstream.waiting);
    let now = worker.now;
    let Some(endpoint) = worker.endpoints.get_mut(endpoint_key) else { return };
    let local = is_shortage(error);
    if !local {
        endpoint.failed(now);
        cluster::observe(worker, endpoint_key, Seen::Fault);
    }
    let Some(endpoint) = worker.endpoints.get_mut(endpoint_key) else { return };
    let (cluster, address) = (endpoint.cluster, endpoint.address);
    // One line for an outage, not one for each attempt.
    if !local && endpoint.is_first_failure() {
        tracing::warn!(%address, %error, "can't connect to an upstream");
    }
    if let Some(counters) = count::counters(worker, endpoint_key) {
        counters.connect_failures += 1;
        counters.local_connect_failures += u64::from(local);
    }
    let kind = if local { ErrorKind::Overloaded } else { ErrorKind::ConnectionFailure };
    let error = Error::new(kind, format!("can't connect to {address}: {error}"));
    // Before the endpoint can be forgotten with its last connection.
    for _ in 0..waiting.len() {
        count::uncount_endpoint(worker, endpoint_key);
    }
    remove(worker, key);
    let endpoint = exclusive::must_hand_on(worker, endpoint_key)
        .then(|| worker.endpoints.get_mut(endpoint_key))
        .flatten();
    let queued = endpoint.map(|endpoint| std::mem::take(&mut endpoint.waiting));
    let queued = queued.unwrap_or_default();
    for _ in 0..queued.len() {
        count::uncount_endpoint(worker, endpoint_key);
    }
    exclusive::line_moved(worker, endpoint_key);
    for Waiting { call, message, .. } in waiting.into_iter().chain(queued) {
        let message = message.outgoing();
        exchange::redispatch(worker, call, message, cluster, endpoint_key, error.clone());
    }
}

/// Ends a connection. Calls that were sent on it fail with `error`.
pub(super) fn close(worker: &mut Worker, key: UpstreamKey, error: &Error) {
    let Some(upstream) = worker.upstreams.get_mut(key) else { return };
    let endpoint = upstream.endpoint;
    let mut calls = upstream.in_flight.drain();
    let waiting = std::mem::take(&mut upstream.waiting);
    calls.extend(waiting.into_iter().map(|waiting| waiting.call));
    if !calls.is_empty() {
        tracing::debug!(%error, calls = calls.len(), "upstream connection lost");
        if let Some(counters) = count::counters(worker, endpoint) {
            counters.resets += 1;
        }
        if error.kind == ErrorKind::UpstreamReset || error.kind == ErrorKind::BadResponse {
            cluster::observe(worker, endpoint, Seen::Fault);
        }
    }
    // Before the endpoint can be forgotten with its last connection.
    for _ in &calls {
        count::uncount_endpoint(worker, endpoint);
    }
    remove(worker, key);
    for call in calls {
        exchange::fail(worker, call, error.clone());
    }
    exclusive::connect_more(worker, endpoint);
}

/// Takes a connection out of every list, and ends its task.
fn remove(worker: &mut Worker, key: UpstreamKey) {
    let Some(upstream) = worker.upstreams.remove(key) else { return };
    upstream.waker.wake_by_ref();
    if let Some(endpoint) = worker.endpoints.get_mut(upstream.endpoint) {
        endpoint.forget(key);
        endpoint.connections -= 1;
        endpoint.connecting -= usize::from(upstream.io.is_none());
        if let Some(cluster) = worker.clusters.get_mut(endpoint.cluster) {
            cluster.end_connection();
        }
    }
    if let Some(client) = upstream.bound_to.and_then(|key| worker.downstreams.get_mut(key)) {
        client.bound.retain(|(_, own)| *own != key);
    }
    downstream::unblock(worker, upstream.blocked);
    remove_endpoint_if_done(worker, upstream.endpoint);
}

/// Lets all connections to an endpoint end with their last calls.
pub(crate) fn retire_all(worker: &mut Worker, endpoint: EndpointKey) {
    let connections: Vec<_> = worker
        .upstreams
        .iter()
        .filter(|(_, upstream)| upstream.endpoint == endpoint)
        .map(|(key, _)| key)
        .collect();
    for connection in connections {
        retire(worker, connection);
    }
}

/// Lets an endpoint go that configuration has dropped: calls that wait for a connection to it are sent
/// elsewhere, those that were sent are waited for.
pub(crate) fn remove_endpoint(worker: &mut Worker, key: EndpointKey) {
    let Some(endpoint) = worker.endpoints.get_mut(key) else { return };
    endpoint.removed = true;
    let cluster = endpoint.cluster;
    let waiting = std::mem::take(&mut endpoint.waiting);
    for _ in 0..waiting.len() {
        count::uncount_endpoint(worker, key);
    }
    exclusive::line_moved(worker, key);
    for Waiting { call, message, .. } in waiting {
        let gone = Error::new(ErrorKind::NoHealthyUpstream, "the endpoint has been removed");
        exchange::redispatch(worker, call, message.outgoing(), cluster, key, gone);
    }
    retire_all(worker, key);
    remove_endpoint_if_done(worker, key);
}

/// Lets a connection end with its last call.
pub(crate) fn retire(worker: &mut Worker, key: UpstreamKey) {
    let Some(upstream) = worker.upstreams.get_mut(key) else { return };
    upstream.retiring = true;
    if let Some(endpoint) = worker.endpoints.get_mut(upstream.endpoint) {
        endpoint.forget(key);
    }
    if let Some(client) = upstream.bound_to.and_then(|key| worker.downstreams.get_mut(key)) {
        client.bound.retain(|(_, own)| *own != key);
    }
    close_if_retired(worker, key);
}

/// Closes a connection that was to end with its last call, if that was it.
pub(super) fn close_if_retired(worker: &mut Worker, key: UpstreamKey) {
    let Some(upstream) = worker.upstreams.get(key) else { return };
    if upstream.retiring && upstream.calls() == 0 && upstream.outbox.is_empty() {
        close(worker, key, &Error::new(ErrorKind::UpstreamReset, "retired"));
    }
}

/// Forgets an endpoint that configuration has dropped, when its last connection has gone.
fn remove_endpoint_if_done(worker: &mut Worker, key: EndpointKey) {
    let done = |e: &Endpoint| e.removed && e.connections == 0 && e.waiting.is_empty();
    if worker.endpoints.get(key).is_some_and(done) {
        worker.endpoints.remove(key);
    }
}
