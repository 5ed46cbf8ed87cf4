//! What comes back from an endpoint.

use std::io;
use std::task::{Context, Poll};

use metaproto_core::{
    DecodeError, Error, ErrorKind, MessageKind, Metadata, Scope, Sharing, Status,
};

use super::id_table::Found;
use super::{connection, count, exclusive, keepalive, pool};
use crate::cluster::{self, Seen};
use crate::inbound::CutError;
use crate::worker::{UpstreamKey, Worker};
use crate::{downstream, exchange};

/// Reads of one connection in one turn, so that a busy one does not keep the others waiting.
const READS: usize = 4;

/// Reads what has come, and hands it on. `Ready` when the connection is gone.
pub(super) fn poll(worker: &mut Worker, key: UpstreamKey, context: &mut Context<'_>) -> Poll<()> {
    worker.read_clock();
    let Some(upstream) = worker.upstreams.get_mut(key) else { return Poll::Ready(()) };
    if !upstream.waker.will_wake(context.waker()) {
        upstream.waker = context.waker().clone();
    }
    if !upstream.outbox.is_empty() {
        connection::mark(worker, key);
    }
    for _ in 0..READS {
        if throttle(worker, key) {
            return Poll::Pending;
        }
        let Some(upstream) = worker.upstreams.get_mut(key) else { return Poll::Ready(()) };
        let Some(io) = &mut upstream.io else { return Poll::Pending };
        match upstream.inbound.poll_read(io, context, &mut worker.scratch) {
            Poll::Pending => {
                // Not before: the end may have come with the answer.
                exclusive::release_if_free(worker, key);
                return Poll::Pending;
            }
            Poll::Ready(Ok(count @ 1..)) => {
                upstream.last_heard = worker.now;
                upstream.late_in_silence = 0;
                let endpoint = upstream.endpoint;
                if let Some(counters) = count::counters(worker, endpoint) {
                    counters.bytes_received += count as u64;
                }
                receive(worker, key);
                worker.flush_heavy();
            }
            Poll::Ready(ended) => {
                ended_by_peer(worker, key, ended.err());
                return Poll::Ready(());
            }
        }
    }
    context.waker().wake_by_ref();
    Poll::Pending
}

/// Whether the connection is not to be read now: it serves one client, and that client does not take
/// what it has already been sent. A shared connection serves others, too, and is always read.
fn throttle(worker: &mut Worker, key: UpstreamKey) -> bool {
    let Some(upstream) = worker.upstreams.get_mut(key) else { return false };
    let client = upstream.bound_to.and_then(|client| worker.downstreams.get_mut(client));
    let choked = client.filter(|client| client.must_throttle(|| upstream.in_flight.next_ticket()));
    if let Some(client) = choked {
        if !upstream.throttled {
            client.throttled.push(key);
        }
        upstream.throttled = true;
        return true;
    }
    upstream.throttled = false;
    false
}

/// Hands on every whole frame that has come.
fn receive(worker: &mut Worker, key: UpstreamKey) {
    let mut metadata = std::mem::take(&mut worker.metadata);
    while receive_one(worker, &mut metadata, key) {}
    metadata.clear();
    worker.metadata = metadata;
    if let Some(upstream) = worker.upstreams.get_mut(key) {
        upstream.inbound.settle(&mut worker.scratch);
    }
    pool::close_if_retired(worker, key);
}

/// Hands on the next whole frame; `false` when there is none, or the connection is gone.
fn receive_one(worker: &mut Worker, metadata: &mut Metadata, key: UpstreamKey) -> bool {
    let Some(upstream) = worker.upstreams.get_mut(key) else { return false };
    let codec = &mut *upstream.codec;
    let frame = match upstream.inbound.cut(codec, upstream.max_frame) {
        Ok(Some(frame)) => frame,
        Ok(None) => return false,
        Err(error) => {
            let id = codec.peek_request(upstream.inbound.head()).and_then(|head| head.request_id);
            unreadable(worker, key, id, *error);
            return false;
        }
    };
    metadata.clear();
    match codec.decode(frame, metadata) {
        Ok(()) => message(worker, metadata, key),
        Err(error) if error.scope == Scope::Message => bad_response(worker, metadata, key, error),
        Err(error) => {
            unreadable(worker, key, metadata.request_id, CutError::Malformed(error));
            return false;
        }
    }
    true
}

fn message(worker: &mut Worker, metadata: &mut Metadata, key: UpstreamKey) {
    if let Some(reason) = metadata.unread {
        unread(worker, metadata, key, reason);
    }
    let Some(upstream) = worker.upstreams.get_mut(key) else { return };
    let endpoint = upstream.endpoint;
    match metadata.kind {
        MessageKind::Response => match upstream.in_flight.take(metadata.request_id) {
            Found::Live(call) => {
                upstream.last_active = worker.now;
                count::count_response(worker, endpoint, &call);
                let status = metadata.status.unwrap_or(Status::ok(0));
                cluster::observe(worker, endpoint, Seen::Response(status));
                exchange::respond(worker, metadata, call);
            }
            // Some protocols answer a ping as they answer a request.
            Found::Abandoned if keepalive::answered(worker, key, metadata.request_id) => {}
            Found::Abandoned => count(worker, key, |counters| counters.late += 1),
            Found::Unknown => unmatched(worker, key),
        },
        MessageKind::Ping => pong(worker, metadata, key),
        MessageKind::Pong => {
            keepalive::answered(worker, key, metadata.request_id);
        }
        MessageKind::GoAway => {
            // It is the client's own connection that ends, and the message may say more than that.
            if let Some(client) = upstream.bound_to {
                downstream::pass(worker, metadata, client);
            }
            if let Some(endpoint) = worker.endpoints.get_mut(endpoint) {
                endpoint.went_away(worker.now);
            }
            pool::retire(worker, key);
        }
        _ => match upstream.bound_to {
            Some(client) => downstream::pass(worker, metadata, client),
            None => unmatched(worker, key),
        },
    }
}

/// The body of a message could not be read as far as was asked for. It goes on all the same.
#[cold]
fn unread(worker: &mut Worker, metadata: &Metadata, key: UpstreamKey, reason: DecodeError) {
    if metadata.kind == MessageKind::Response {
        tracing::debug!(%reason, "the body of a response can't be read");
        count(worker, key, |counters| counters.unread_bodies += 1);
    }
}

/// Answers a ping, unless the upstream does not even take what it has been sent.
fn pong(worker: &mut Worker, metadata: &Metadata, key: UpstreamKey) {
    let Some(upstream) = worker.upstreams.get_mut(key) else { return };
    let endpoint = worker.endpoints.get(upstream.endpoint);
    let cluster = endpoint.and_then(|endpoint| worker.clusters.get(endpoint.cluster));
    let has_room = cluster.is_some_and(|cluster| upstream.outbox.len() <= cluster.buffer);
    if has_room && upstream.codec.pong(metadata, upstream.outbox.tail()).is_ok() {
        connection::mark(worker, key);
    }
    count(worker, key, |counters| counters.pings += 1);
}

fn count(
    worker: &mut Worker,
    key: UpstreamKey,
    add: impl FnOnce(&mut crate::counters::ClusterCounters),
) {
    let endpoint = worker.upstreams.get(key).map(|upstream| upstream.endpoint);
    if let Some(counters) = endpoint.and_then(|endpoint| count::counters(worker, endpoint)) {
        add(counters);
    }
}

/// A response that answers nothing is dropped. Where responses are told apart by their order alone,
/// nothing that follows can be trusted either.
fn unmatched(worker: &mut Worker, key: UpstreamKey) {
    count(worker, key, |counters| counters.unmatched += 1);
    let by_order = worker.upstreams.get(key).is_some_and(|upstream| {
        let endpoint = worker.endpoints.get(upstream.endpoint);
        let cluster = endpoint.and_then(|endpoint| worker.clusters.get(endpoint.cluster));
        cluster.is_some_and(|c| c.correlation == metaproto_core::Correlation::Order)
    });
    if by_order {
        pool::retire(worker, key);
    }
}

/// One response can't be read: its caller is told, the connection goes on.
fn bad_response(worker: &mut Worker, metadata: &Metadata, key: UpstreamKey, error: DecodeError) {
    let Some(upstream) = worker.upstreams.get_mut(key) else { return };
    let endpoint = upstream.endpoint;
    match upstream.in_flight.take(metadata.request_id) {
        Found::Live(call) => {
            upstream.last_active = worker.now;
            count::uncount_endpoint(worker, endpoint);
            cluster::observe(worker, endpoint, Seen::Fault);
            let message = format!("the upstream's response can't be read: {error}");
            exchange::fail(worker, call, Error::new(ErrorKind::BadResponse, message));
        }
        Found::Abandoned if keepalive::answered(worker, key, metadata.request_id) => {}
        _ => unmatched(worker, key),
    }
}

/// Nothing more can be read from the connection: all its calls are told, and it is closed. `id` is that
/// of the response at fault, if it could be read.
fn unreadable(worker: &mut Worker, key: UpstreamKey, id: Option<u64>, error: CutError) {
    let Some(upstream) = worker.upstreams.get_mut(key) else { return };
    let (address, sharing) = (upstream.endpoint, upstream.sharing);
    let error = match error {
        CutError::TooLarge(size) => {
            let message = format!("the upstream's response of {size} bytes is over the limit");
            Error::new(ErrorKind::FrameTooLarge, message)
        }
        CutError::Malformed(error) => {
            let message = format!("the upstream's response can't be read: {error}");
            Error::new(ErrorKind::BadResponse, message)
        }
    };
    // The caller of the response at fault gets the reason; on a shared connection the others only
    // learn that it has gone.
    let culprit = match (sharing, id) {
        (Sharing::Shared, Some(_)) => upstream.in_flight.take(id),
        _ => Found::Unknown,
    };
    count(worker, key, |counters| counters.protocol_errors += 1);
    match culprit {
        Found::Live(call) => {
            count::uncount_endpoint(worker, address);
            exchange::fail(worker, call, error);
            let reset = "the upstream connection was closed after a response that can't be read";
            pool::close(worker, key, &Error::new(ErrorKind::UpstreamReset, reset));
        }
        _ => pool::close(worker, key, &error),
    }
}

fn ended_by_peer(worker: &mut Worker, key: UpstreamKey, error: Option<io::Error>) {
    let message = match error {
        None => "the upstream closed the connection before it answered".to_owned(),
        Some(error) => format!("the upstream connection was lost: {error}"),
    };
    pool::close(worker, key, &Error::new(ErrorKind::UpstreamReset, message));
}

/// Lets connections be read again whose client has taken what waited for it.
pub(crate) fn resume(worker: &mut Worker, keys: Vec<UpstreamKey>) {
    for key in keys {
        if let Some(upstream) = worker.upstreams.get_mut(key) {
            // It has left the client's list; if it still must wait it goes back.
            upstream.throttled = false;
            upstream.waker.wake_by_ref();
        }
    }
}
