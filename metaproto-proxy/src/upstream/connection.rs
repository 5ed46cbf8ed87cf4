//! One connection to an endpoint: made, written to, read from, closed.

use std::task::{Context, Poll, Waker};
use std::time::Duration;

use metaproto_core::{
    Codec, EncodeError, Error, ErrorKind, MessageKind, Metadata, Output, Sharing,
};
use tokio::time::Instant;

use super::id_table::Found;
use super::in_flight::InFlight;
use super::keepalive::Ping;
use super::{Endpoint, Waiting, WaitingLine, count, exclusive, pool, receive};
use crate::cluster::Traffic;
use crate::downstream;
use crate::exchange::{self, Call};
use crate::inbound::Inbound;
use crate::io::{BoxIo, write_out};
use crate::message::Outgoing;
use crate::worker::{DownstreamKey, EndpointKey, Peer, SharedWorker, UpstreamKey, Worker};

/// A call that could not be sent, and why.
type Unsent = (Call, Error);

/// One connection to an endpoint.
pub(crate) struct Upstream {
    pub(crate) endpoint: EndpointKey,
    pub(crate) sharing: Sharing,
    pub(crate) codec: Box<dyn Codec>,
    /// The codec writes requests anew.
    pub(crate) translates: bool,
    /// The largest frame that it may send, in bytes.
    pub(crate) max_frame: usize,
    /// The bytes waiting for it above which its clients are not read.
    pub(crate) buffer: usize,
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
    /// It is among the idle ones of its endpoint, in exclusive mode.
    pub(crate) idle: bool,
    /// It takes no further calls and ends with its last one.
    pub(crate) retiring: bool,
    /// Clients that are not read until its outbox is nearly empty.
    pub(crate) blocked: Vec<DownstreamKey>,
    /// It is not read until its client has taken what waits for it.
    pub(crate) throttled: bool,
    /// Since when it has taken nothing of what waits to be written.
    pub(crate) stalled_since: Option<Instant>,
    /// Since when the client whose calls it carries has gone.
    pub(crate) orphaned_since: Option<Instant>,
    /// How many calls have run out of time since the endpoint last sent a byte.
    pub(crate) late_in_silence: usize,
    /// When there was last a call on it. Pings of either side don't count.
    pub(crate) last_active: Instant,
    /// When it takes no further calls.
    pub(crate) retires_at: Option<Instant>,
    /// When anything last came from it.
    pub(crate) last_heard: Instant,
    /// The ping that it has not answered.
    pub(crate) ping: Option<Ping>,
    pub(crate) marked: bool,
    pub(crate) waker: Waker,
}

impl Upstream {
    /// The calls that somebody waits for, sent or not.
    pub(crate) fn calls(&self) -> usize {
        self.in_flight.live() + self.waiting.len()
    }

    /// Appends a call to the outbox and remembers whom its response is for. Gives the call back with
    /// the reason if it can't be sent.
    #[inline(always)]
    fn write(
        &mut self,
        call: Call,
        message: Outgoing<'_>,
        now: Instant,
    ) -> Result<(), Box<Unsent>> {
        let left = time_left(&call, message, now);
        let id = match self.in_flight.insert(call) {
            Ok(id) => id,
            Err(call) => return Err(Box::new((*call, overloaded()))),
        };
        match self.put(message, id, left) {
            Ok(()) => Ok(()),
            Err(error) => match self.in_flight.take(id) {
                Found::Live(call) => Err(Box::new((call, unwritable(&error)))),
                Found::Abandoned | Found::Unknown => Ok(()),
            },
        }
    }

    /// Appends a message to the outbox, with another id and with the time that is left, if they are
    /// given.
    #[inline(always)]
    fn put(
        &mut self,
        message: Outgoing<'_>,
        id: Option<u64>,
        left: Option<Duration>,
    ) -> Result<(), EncodeError> {
        let (codec, out) = (&mut self.codec, &mut self.outbox);
        match (self.translates, left) {
            (false, None) => message.write(out, &**codec, id),
            (false, Some(left)) => message.write_timed(out, &**codec, id, left),
            (true, left) => codec.translate_request(&message.whole(), id, left, out),
        }
    }

    /// Whether the clients that were kept from sending more may go on.
    pub(crate) fn has_room(&self) -> bool {
        self.backlog() <= self.buffer / 2 && !self.is_held()
    }

    /// Whether clients whose requests are sent on it need not pause.
    pub(super) fn takes_more(&self) -> bool {
        self.backlog() <= self.buffer
    }

    /// The bytes that its buffers hold.
    pub(crate) fn held(&self) -> usize {
        self.backlog() + self.inbound.held()
    }

    /// The bytes that wait to be written.
    pub(crate) fn backlog(&self) -> usize {
        self.outbox.len() + self.waiting.bytes()
    }
}

/// How much time a request has left that can tell so: until it is given up, or this try of it.
#[inline(always)]
fn time_left(call: &Call, message: Outgoing<'_>, now: Instant) -> Option<Duration> {
    match message.is_timed() {
        true => call.due().map(|due| due.saturating_duration_since(now)),
        false => None,
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
    worker.read_clock();
    let Some(upstream) = worker.upstreams.get_mut(key) else { return };
    upstream.io = Some(io);
    (upstream.last_active, upstream.last_heard) = (worker.now, worker.now);
    let endpoint = upstream.endpoint;
    let waiting = std::mem::take(&mut upstream.waiting);
    if let Some(endpoint) = worker.endpoints.get_mut(endpoint) {
        endpoint.succeeded();
        endpoint.connecting -= 1;
        if let Some(cluster) = worker.clusters.get_mut(endpoint.cluster) {
            cluster.counters.connections += 1;
        }
    }
    for Waiting { call, message, .. } in waiting {
        send(worker, key, call, message.outgoing());
    }
    // Also if nothing waits any longer: clients may be blocked.
    mark(worker, key);
    exclusive::release_if_free(worker, key);
    exclusive::connect_more(worker, endpoint);
}

/// Sends a call on a connection: at once, or when it has been made.
#[inline(always)]
pub(super) fn send(worker: &mut Worker, key: UpstreamKey, call: Call, message: Outgoing<'_>) {
    let Some(upstream) = worker.upstreams.get_mut(key) else {
        let error = Error::new(ErrorKind::UpstreamReset, "the upstream connection has gone");
        return exchange::fail(worker, call, error);
    };
    if let Some(deadline) = call.due() {
        upstream.earliest = Some(upstream.earliest.map_or(deadline, |own| own.min(deadline)));
    }
    let from = call.from;
    if upstream.sharing == Sharing::Exclusive {
        (upstream.carries, upstream.orphaned_since) = (Some(from), None);
        upstream.idle = false;
    }
    if upstream.io.is_none() {
        wait(worker, key, call, message);
    } else if call.head.kind != MessageKind::Request {
        send_unanswered(worker, key, call, message);
    } else {
        let written = upstream.write(call, message, worker.now);
        let waiting = upstream.outbox.len();
        let alone = upstream.sharing == Sharing::Exclusive;
        mark(worker, key);
        worker.weigh(Peer::Up(key), waiting, alone);
        if let Err(unsent) = written {
            count::uncount(worker, key);
            exchange::fail(worker, unsent.0, unsent.1);
        }
    }
    block_if_full(worker, key, from);
}

/// Keeps a call until the connection has been made.
fn wait(worker: &mut Worker, key: UpstreamKey, call: Call, message: Outgoing<'_>) {
    let slot = match count::pending_slot(worker, key) {
        Ok(slot) => slot,
        Err(refusal) => {
            count::uncount(worker, key);
            return exchange::fail(worker, call, *refusal);
        }
    };
    let Some(upstream) = worker.upstreams.get_mut(key) else { return };
    // What follows the opening of a stream is no call and can't wait here: it must not be read.
    let opens = call.head.kind == MessageKind::StreamOpen;
    if opens && downstream::block(&mut worker.downstreams, call.from) {
        upstream.blocked.push(call.from);
    }
    upstream.waiting.push(Waiting { call, message: message.owned(), _slot: slot });
}

/// Sends what no response will come to: the id only must not be another call's.
fn send_unanswered(worker: &mut Worker, key: UpstreamKey, call: Call, message: Outgoing<'_>) {
    let Some(upstream) = worker.upstreams.get_mut(key) else { return };
    upstream.last_active = worker.now;
    let left = time_left(&call, message, worker.now);
    let written = match upstream.in_flight.spare_id() {
        Ok(id) => upstream.put(message, id, left).map_err(|error| unwritable(&error)),
        Err(_) => Err(overloaded()),
    };
    count::uncount(worker, key);
    mark(worker, key);
    match written {
        Ok(()) => exchange::sent(worker, &call),
        Err(error) => exchange::fail(worker, call, error),
    }
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

/// Passes on a message that is no part of a stream to the connection that belongs to its client. Not
/// before the connection has been made: the message would arrive ahead of the calls that wait for that.
pub(crate) fn pass_copy(
    worker: &mut Worker,
    metadata: &Metadata,
    key: UpstreamKey,
    from: DownstreamKey,
) -> bool {
    let Some(upstream) = worker.upstreams.get_mut(key) else { return false };
    if upstream.io.is_none() {
        return false;
    }
    upstream.outbox.share(metadata.frame.clone());
    mark(worker, key);
    block_if_full(worker, key, from);
    true
}

fn unwritable(error: &EncodeError) -> Error {
    Error::new(ErrorKind::Unsupported, error.to_string())
}

fn overloaded() -> Error {
    let message = "too many requests are in flight on the upstream connection";
    Error::new(ErrorKind::Overloaded, message)
}

/// Whether a request has yet to leave, one-way perhaps, so that no client waits with it. Copies of
/// requests don't count.
pub(crate) fn any_unsent(worker: &Worker) -> bool {
    let counts = |endpoint: &Endpoint| {
        let cluster = worker.clusters.get(endpoint.cluster);
        cluster.is_none_or(|cluster| cluster.traffic == Traffic::Calls)
    };
    let waits = |endpoint: &Endpoint| !endpoint.waiting.is_empty() && counts(endpoint);
    worker.endpoints.values().any(waits)
        || worker.upstreams.values().any(|upstream| {
            upstream.backlog() > 0 && worker.endpoints.get(upstream.endpoint).is_none_or(counts)
        })
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
#[inline(always)]
fn block_if_full(worker: &mut Worker, key: UpstreamKey, from: DownstreamKey) {
    let Some(upstream) = worker.upstreams.get_mut(key) else { return };
    if upstream.backlog() > upstream.buffer && downstream::block(&mut worker.downstreams, from) {
        upstream.blocked.push(from);
    }
}

/// Writes what has gathered.
pub(crate) fn flush(worker: &mut Worker, key: UpstreamKey) {
    let Some(upstream) = worker.upstreams.get_mut(key) else { return };
    upstream.marked = false;
    let Some(io) = &mut upstream.io else { return };
    let mut written = 0;
    let mut context = Context::from_waker(&upstream.waker);
    let result = write_out(io, &mut context, &mut upstream.outbox, &mut written);
    if written > 0 {
        upstream.stalled_since = None;
    }
    if result.is_pending() && upstream.stalled_since.is_none() {
        upstream.stalled_since = Some(worker.now);
    }
    let cluster = worker.endpoints.get(upstream.endpoint).map(|endpoint| endpoint.cluster);
    if let Some(cluster) = cluster.and_then(|key| worker.clusters.get_mut(key)) {
        cluster.counters.bytes_sent += written;
    }
    if upstream.has_room() && !upstream.blocked.is_empty() {
        let blocked = std::mem::take(&mut upstream.blocked);
        downstream::unblock(worker, blocked);
    }
    if let Poll::Ready(Err(error)) = result {
        let reason = format!("can't write to the upstream: {error}");
        pool::close(worker, key, &Error::new(ErrorKind::UpstreamReset, reason));
    } else {
        // A one-way call ends here.
        exclusive::release_if_free(worker, key);
        pool::close_if_retired(worker, key);
    }
}
