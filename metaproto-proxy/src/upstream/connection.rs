//! One connection to an endpoint: made, written to, read from, closed.

use std::task::{Context, Poll, Waker};

use metaproto_core::{
    Codec, EncodeError, Error, ErrorKind, MessageKind, Metadata, Output, Sharing,
};
use tokio::time::Instant;

use super::id_table::Found;
use super::in_flight::InFlight;
use super::{Waiting, WaitingLine, pool, receive};
use crate::downstream;
use crate::exchange::{self, Call};
use crate::inbound::Inbound;
use crate::io::{BoxIo, write_out};
use crate::message::Message;
use crate::worker::{DownstreamKey, EndpointKey, Peer, SharedWorker, UpstreamKey, Worker};

/// One connection to an endpoint.
pub(crate) struct Upstream {
    pub(crate) endpoint: EndpointKey,
    pub(crate) sharing: Sharing,
    pub(crate) codec: Box<dyn Codec>,
    /// `None` while it is being made.
    pub(crate) io: Option<BoxIo>,
    pub(crate) inbound: Inbound,
    pub(crate) outbox: Output,
    /// What is to be sent when it has been made.
    pub(crate) waiting: WaitingLine,
    pub(crate) in_flight: InFlight,
    /// No deadline of its calls is before this.
    pub(crate) earliest: Option<Instant>,
    /// The client that it belongs to, in bound mode.
    pub(crate) bound_to: Option<DownstreamKey>,
    /// The client whose call it carries, in exclusive mode.
    pub(crate) carries: Option<DownstreamKey>,
    /// It takes no further calls and ends with its last one.
    pub(crate) retiring: bool,
    /// Clients that are not read until its outbox is nearly empty.
    pub(crate) blocked: Vec<DownstreamKey>,
    /// It is not read until its client has taken what waits for it.
    pub(crate) throttled: bool,
    /// Since when it has taken nothing of what waits to be written.
    pub(crate) stalled_since: Option<Instant>,
    pub(crate) last_active: Instant,
    pub(crate) marked: bool,
    pub(crate) waker: Waker,
}

impl Upstream {
    /// The calls that somebody waits for, sent or not.
    pub(crate) fn calls(&self) -> usize {
        self.in_flight.live() + self.waiting.len()
    }

    /// The bytes that wait to be written.
    pub(crate) fn backlog(&self) -> usize {
        self.outbox.len() + self.waiting.bytes()
    }
}

/// The task of a connection: makes it, then reads from it until it is gone.
pub(super) async fn run(worker: SharedWorker, key: UpstreamKey) {
    let Some(connecting) = pool::begin_connect(&worker.borrow(), key) else { return };
    match connecting.await {
        Ok(io) => opened(&mut worker.borrow_mut(), key, io),
        Err(error) => return pool::connect_failed(&mut worker.borrow_mut(), key, &error),
    }
    std::future::poll_fn(|context| receive::poll(&mut worker.borrow_mut(), key, context)).await;
}

fn opened(worker: &mut Worker, key: UpstreamKey, io: BoxIo) {
    worker.now = Instant::now();
    let Some(upstream) = worker.upstreams.get_mut(key) else { return };
    upstream.io = Some(io);
    upstream.last_active = worker.now;
    let waiting = std::mem::take(&mut upstream.waiting);
    if let Some(endpoint) = worker.endpoints.get_mut(upstream.endpoint) {
        endpoint.succeeded();
        if let Some(cluster) = worker.clusters.get_mut(endpoint.cluster) {
            cluster.counters.connections += 1;
        }
    }
    for Waiting { call, message } in waiting {
        send(worker, key, call, message);
    }
    // Also if nothing waits any longer: clients may be blocked.
    mark(worker, key);
    pool::release_if_free(worker, key);
}

/// Sends a call on a connection: at once, or when it has been made.
pub(super) fn send(worker: &mut Worker, key: UpstreamKey, call: Call, message: Message) {
    let Some(upstream) = worker.upstreams.get_mut(key) else {
        let error = Error::new(ErrorKind::UpstreamReset, "the upstream connection has gone");
        return exchange::fail(worker, call, error);
    };
    let from = call.from;
    upstream.earliest = [upstream.earliest, call.deadline].into_iter().flatten().min();
    if upstream.io.is_some() {
        write(worker, key, call, message);
    } else {
        // What follows the opening of a stream is no call and can't wait here: it must not be read.
        let waits = call.head.kind == MessageKind::StreamOpen;
        if waits && downstream::block(&mut worker.downstreams, from) {
            upstream.blocked.push(from);
        }
        upstream.waiting.push(Waiting { call, message });
    }
    block_if_full(worker, key, from);
}

/// Appends a call to the outbox and remembers whom its response is for.
fn write(worker: &mut Worker, key: UpstreamKey, call: Call, message: Message) {
    let Some(upstream) = worker.upstreams.get_mut(key) else { return };
    let Upstream { codec, outbox, in_flight, .. } = upstream;
    if call.head.kind != MessageKind::Request {
        // No response will come: the id only must not be another call's.
        let written = match in_flight.spare_id() {
            Ok(id) => message.write(outbox, &**codec, id).map_err(|error| unwritable(&error)),
            Err(_) => Err(overloaded()),
        };
        pool::uncount(worker, key);
        mark(worker, key);
        return match written {
            Ok(()) => exchange::sent(worker, &call),
            Err(error) => exchange::fail(worker, call, error),
        };
    }
    let id = match in_flight.insert(call) {
        Ok(id) => id,
        Err(call) => {
            pool::uncount(worker, key);
            return exchange::fail(worker, call, overloaded());
        }
    };
    if let Err(error) = message.write(outbox, &**codec, id)
        && let Found::Live(call) = in_flight.take(id)
    {
        pool::uncount(worker, key);
        exchange::fail(worker, call, unwritable(&error));
    }
    mark(worker, key);
}

/// Passes on a message of a stream, as it is, to the connection that belongs to its client.
pub(crate) fn pass(
    worker: &mut Worker,
    metadata: &mut Metadata,
    key: UpstreamKey,
    from: DownstreamKey,
) {
    let Some(upstream) = worker.upstreams.get_mut(key) else { return };
    upstream.outbox.share(std::mem::take(&mut metadata.frame));
    mark(worker, key);
    block_if_full(worker, key, from);
}

fn unwritable(error: &EncodeError) -> Error {
    Error::new(ErrorKind::Unsupported, error.to_string())
}

fn overloaded() -> Error {
    let message = "too many requests are in flight on the upstream connection";
    Error::new(ErrorKind::Overloaded, message)
}

/// Whether a request has yet to leave, one-way perhaps, so that no client waits with it.
pub(crate) fn any_unsent(worker: &Worker) -> bool {
    worker.upstreams.values().any(|upstream| upstream.backlog() > 0)
        || worker.endpoints.values().any(|endpoint| !endpoint.waiting.is_empty())
}

/// Has the connection written to at the end of the turn.
pub(super) fn mark(worker: &mut Worker, key: UpstreamKey) {
    if let Some(upstream) = worker.upstreams.get_mut(key)
        && !upstream.marked
    {
        upstream.marked = true;
        worker.mark(Peer::Up(key));
    }
}

/// Stops reading a client that sends more than the endpoint takes.
fn block_if_full(worker: &mut Worker, key: UpstreamKey, from: DownstreamKey) {
    let Some(upstream) = worker.upstreams.get_mut(key) else { return };
    let limit = worker.endpoints.get(upstream.endpoint).map(|endpoint| endpoint.cluster);
    let limit = limit.and_then(|cluster| worker.clusters.get(cluster)).map(|c| c.buffer);
    if limit.is_some_and(|limit| upstream.backlog() > limit)
        && downstream::block(&mut worker.downstreams, from)
    {
        upstream.blocked.push(from);
    }
}

/// Writes what has gathered.
pub(crate) fn flush(worker: &mut Worker, key: UpstreamKey) {
    let Some(upstream) = worker.upstreams.get_mut(key) else { return };
    upstream.marked = false;
    let Some(io) = &mut upstream.io else { return };
    let mut written = 0;
    let waker = upstream.waker.clone();
    let result =
        write_out(io, &mut Context::from_waker(&waker), &mut upstream.outbox, &mut written);
    if written > 0 {
        upstream.last_active = worker.now;
        upstream.stalled_since = None;
    }
    if result.is_pending() && upstream.stalled_since.is_none() {
        upstream.stalled_since = Some(worker.now);
    }
    let cluster = worker.endpoints.get(upstream.endpoint).map(|endpoint| endpoint.cluster);
    if let Some(cluster) = cluster.and_then(|key| worker.clusters.get_mut(key)) {
        cluster.counters.bytes_sent += written;
        if upstream.outbox.len() <= cluster.buffer / 2 && !upstream.blocked.is_empty() {
            let blocked = std::mem::take(&mut upstream.blocked);
            downstream::unblock(worker, blocked);
        }
    }
    if let Poll::Ready(Err(error)) = result {
        let reason = format!("can't write to the upstream: {error}");
        pool::close(worker, key, &Error::new(ErrorKind::UpstreamReset, reason));
    } else {
        // A one-way call ends here.
        pool::release_if_free(worker, key);
        pool::close_if_retired(worker, key);
    }
}
