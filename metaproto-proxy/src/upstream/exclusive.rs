//! Exclusive connections: each carries one call at a time.
//!
//! A call takes the connection that was used last, or waits in line. Who waits is served by whatever
//! comes first: a connection that becomes free, or one that has been made for the line. A connection is
//! never made for one call, so an attempt that fails or hangs fails nobody who could be served by
//! another.

use metaproto_core::Sharing;

use super::{Waiting, connection, count, pool};
use crate::downstream;
use crate::exchange::{self, Call};
use crate::message::Outgoing;
use crate::worker::{EndpointKey, UpstreamKey, Worker};

/// Attempts to connect to an endpoint at the same time. More would only overflow the line in which its
/// system keeps those that it has not accepted.
pub(super) const MAX_CONNECTING: usize = 32;

/// Has a call wait for a connection. Bound calls have no line to wait in: their client has its own
/// connection or none. Nobody waits for connections to an endpoint that has none and may have none.
pub(super) fn wait(worker: &mut Worker, key: EndpointKey, call: Call, message: Outgoing<'_>) {
    let Some((endpoint, cluster)) = count::endpoint_and_cluster(worker, key) else { return };
    let in_vain =
        cluster.sharing != Sharing::Exclusive || endpoint.connections == 0 && cluster.is_full();
    let slot = if in_vain { Err(cluster.no_connection()) } else { cluster.pending_slot() };
    let slot = match slot {
        Ok(slot) => slot,
        Err(refusal) => {
            count::uncount_endpoint(worker, key);
            return exchange::fail(worker, call, *refusal);
        }
    };
    let (buffer, from) = (cluster.buffer, call.from);
    endpoint.waiting.push(Waiting { call, message: message.owned(), _slot: slot });
    let is_long = endpoint.waiting.bytes() > buffer;
    if is_long
        && downstream::block(&mut worker.downstreams, from)
        && let Some(endpoint) = worker.endpoints.get_mut(key)
    {
        endpoint.blocked.push(from);
    }
    connect_more(worker, key);
}

/// Makes connections for those that wait, as far as there may be more.
pub(crate) fn connect_more(worker: &mut Worker, key: EndpointKey) {
    loop {
        let Some(endpoint) = worker.endpoints.get(key) else { return };
        let limit = worker.clusters.get(endpoint.cluster).map_or(0, |c| c.model.max_connections);
        let wanted = endpoint.waiting.len().min(MAX_CONNECTING);
        // While an endpoint accepts nobody, those that wait are served by the connections there are.
        let hopeless = endpoint.is_down(worker.now) && endpoint.connections > 0;
        if endpoint.connecting >= wanted || endpoint.connections >= limit || hopeless {
            return;
        }
        if pool::connect(worker, key, Sharing::Exclusive).is_none() {
            return;
        }
    }
}

/// Whether those that wait at an endpoint that could not be connected to would wait in vain, or longer
/// than elsewhere: it has no connection that could serve them, or nobody is being waited for any more
/// and there is another endpoint.
pub(super) fn must_hand_on(worker: &Worker, key: EndpointKey) -> bool {
    let Some(endpoint) = worker.endpoints.get(key) else { return false };
    let usable = |other: &EndpointKey| {
        let found = worker.endpoints.get(*other);
        *other != key && found.is_some_and(|other| other.is_usable(worker.now))
    };
    let cluster = worker.clusters.get(endpoint.cluster);
    let elsewhere = || cluster.is_some_and(|cluster| cluster.endpoints.iter().any(usable));
    endpoint.connections == 0 || endpoint.connecting == 0 && elsewhere()
}

/// A connection that has nothing to do, and nothing left to write, takes the next call, or goes back
/// to the pool.
pub(super) fn release_if_free(worker: &mut Worker, key: UpstreamKey) {
    let Some(upstream) = worker.upstreams.get_mut(key) else { return };
    let busy = upstream.in_flight.live() > 0 || !upstream.outbox.is_empty() || upstream.is_held();
    if upstream.sharing != Sharing::Exclusive || upstream.io.is_none() || busy {
        return;
    }
    (upstream.carries, upstream.orphaned_since) = (None, None);
    let endpoint_key = upstream.endpoint;
    let Some(endpoint) = worker.endpoints.get_mut(endpoint_key) else { return };
    if upstream.retiring || !upstream.inbound.is_empty() {
        upstream.retiring = true;
        return pool::close_if_retired(worker, key);
    }
    match endpoint.waiting.pop() {
        Some(Waiting { call, message, .. }) => {
            if upstream.idle {
                endpoint.idle.retain(|other| *other != key);
            }
            line_moved(worker, endpoint_key);
            connection::send(worker, key, call, message.outgoing());
        }
        None if upstream.idle => {}
        None => {
            upstream.idle = true;
            endpoint.idle.push(key);
        }
    }
}

/// Fewer wait than before: clients may be read again that were not because of the line.
pub(super) fn line_moved(worker: &mut Worker, key: EndpointKey) {
    let Some(endpoint) = worker.endpoints.get_mut(key) else { return };
    let buffer = worker.clusters.get(endpoint.cluster).map_or(0, |cluster| cluster.buffer);
    if !endpoint.blocked.is_empty() && endpoint.waiting.bytes() <= buffer / 2 {
        let blocked = std::mem::take(&mut endpoint.blocked);
        downstream::unblock(worker, blocked);
    }
}
