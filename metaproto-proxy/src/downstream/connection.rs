//! One connection of a client: its state, its answers, and when it is not read.

use std::cell::RefCell;
use std::net::IpAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use metaproto_core::{
    Codec, CodecContext, Correlation, EncodeError, MessageKind, Metadata, Output, RequestHead, Side,
};
use slotmap::SlotMap;
use tokio::time::Instant;

use super::close::{finish_if_done, remove};
use super::listener::{Listener, Place};
use super::order::Order;
use super::receive;
use super::watch::watch;
use crate::counters::Outcome;
use crate::exchange::Call;
use crate::inbound::Inbound;
use crate::io::{BoxIo, write_out};
use crate::mirror;
use crate::model;
use crate::route::Route;
use crate::upstream;
use crate::worker::{ClusterKey, DownstreamKey, LARGE, Peer, UpstreamKey, Worker};

/// How far a connection has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    /// Requests are read.
    Serving,
    /// The client has sent all that it will send; it waits for answers.
    HalfClosed,
    /// No request is read any more, but the client may not know: its bytes are dropped. It is told the
    /// end when its last answer has been written.
    Closing,
    /// The client has been told the end. Its bytes are dropped until it closes, too, or this time has
    /// come: to close with bytes unread would take the last answers from it.
    Lingering(Instant),
}

/// One connection of a client.
pub(crate) struct Downstream {
    pub(crate) listener: Rc<RefCell<Listener>>,
    /// The limits that the connection was accepted under.
    pub(crate) limits: Arc<model::Listener>,
    pub(crate) codec: Box<dyn Codec>,
    /// The codec writes responses anew.
    pub(crate) translates: bool,
    pub(crate) io: BoxIo,
    pub(crate) inbound: Inbound,
    pub(crate) outbox: Output,
    /// For protocols without request ids.
    pub(crate) order: Option<Order>,
    pub(crate) stage: Stage,
    /// Since when it is to be closed as soon as it has nothing in flight.
    pub(crate) draining: Option<Instant>,
    pub(crate) in_flight: usize,
    /// Calls in flight that are no reason to expect anything soon.
    slow_calls: usize,
    /// The size of a response as the last ones suggest, in bytes.
    typical_response: usize,
    /// More waits for it than it takes; nothing is read from it until half of that is gone.
    choked: bool,
    /// Upstream connections that can't take more of its requests.
    blocked_on: usize,
    /// It was not read for one of these reasons; its task sleeps until [`wake_if_free`].
    pub(crate) paused: bool,
    /// Its own upstream connections, in bound mode.
    pub(crate) bound: Vec<(ClusterKey, UpstreamKey)>,
    /// Upstream connections that are not read because it is choked.
    pub(crate) throttled: Vec<UpstreamKey>,
    pub(crate) last_active: Instant,
    /// Whether it has sent nothing since the clock found it silent, in a drain.
    pub(crate) found_silent: bool,
    /// Since when it is connected, if it has not sent anything.
    pub(crate) silent_since: Option<Instant>,
    /// Since when there is the start of a frame, and not its rest.
    pub(crate) partial_since: Option<Instant>,
    /// Since when it has taken nothing of what waits to be written.
    pub(super) stalled_since: Option<Instant>,
    /// When it is asked to end.
    pub(crate) retires_at: Option<Instant>,
    pub(crate) marked: bool,
    /// The clock [looks at it](super::watch).
    pub(super) watched: bool,
    pub(crate) waker: Waker,
    /// The client's own.
    pub(crate) address: IpAddr,
    _place: Place,
}

impl Downstream {
    /// Whether an upstream connection that serves it had better not be read: it has more to take than
    /// it should. The answer that all others wait for, of the call with the ticket `next`, is let
    /// through: nothing could leave before it.
    pub(crate) fn must_throttle(&self, next: impl FnOnce() -> Option<u32>) -> bool {
        let awaited = || {
            let takes_all = self.outbox.len() <= self.limits.buffer / 2;
            let first = self.order.as_ref().map(Order::first);
            takes_all && first.is_some() && next() == first
        };
        self.choked && !awaited()
    }

    /// Whether none of its requests may be read now.
    pub(crate) fn must_pause(&self) -> bool {
        // Pongs that wait for their turn are no calls, but as many.
        let owed = self.order.as_ref().map_or(0, Order::len).max(self.in_flight);
        self.choked
            || self.blocked_on > 0
            || owed >= self.limits.max_in_flight
            || self.expects_too_much()
    }

    /// Whether the responses to what is in flight may be more than should wait for it.
    fn expects_too_much(&self) -> bool {
        let counted = self.in_flight.saturating_sub(self.slow_calls);
        counted.saturating_mul(self.typical_response) > self.limits.max_buffer / 2
    }

    /// Takes note of the size of a response. Grows at once, and forgets slowly.
    pub(crate) fn note_response(&mut self, size: usize) {
        self.typical_response = size.max(self.typical_response - self.typical_response / 8);
        self.slow_calls = 0;
    }

    /// Whether it waits for responses that do not come, although it has taken all that came: calls may
    /// take long. They are not counted any longer, until there is a response.
    pub(crate) fn lose_patience(&mut self) -> bool {
        let slow = self.paused && self.outbox.is_empty() && self.expects_too_much();
        if slow {
            self.slow_calls = self.in_flight;
        }
        slow
    }

    /// The bytes that may wait for it before it is too slow.
    fn most_backlog(&self) -> usize {
        let limits = &self.limits;
        limits.max_buffer.max(limits.limits.max_frame.saturating_add(limits.buffer))
    }

    /// Whether it has nothing to do, and owes nothing.
    pub(crate) fn is_quiet(&self) -> bool {
        self.in_flight == 0 && self.outbox.is_empty()
    }

    /// The first route that matches a request.
    pub(crate) fn route(&self, request: &Metadata) -> Option<Rc<Route>> {
        self.listener.borrow().routes.find(request).cloned()
    }

    /// Writes the answer for a ticket, or keeps it until those before it have been written.
    pub(crate) fn answer(
        &mut self,
        ticket: u32,
        write: impl FnOnce(&mut dyn Codec, &mut Output) -> Result<(), EncodeError>,
    ) -> Result<(), EncodeError> {
        match &mut self.order {
            None => write(&mut *self.codec, &mut self.outbox),
            // Nothing has to be kept of the answer that all others wait for.
            Some(order) if order.first() == ticket && order.len() > 0 => {
                write(&mut *self.codec, &mut self.outbox)?;
                order.advance(&mut self.outbox);
                Ok(())
            }
            Some(order) => {
                let mut answer = Output::new();
                write(&mut *self.codec, &mut answer)?;
                order.put(ticket, answer, &mut self.outbox);
                Ok(())
            }
        }
    }

    /// There can be no answer for this ticket: the connection ends after the others.
    pub(crate) fn give_up(&mut self, ticket: u32) {
        self.answer(ticket, |_, _| Ok(())).ok();
        if self.stage == Stage::Serving {
            self.stage = Stage::Closing;
        }
    }

    /// Looks how much waits for it: what is added must be followed by this.
    pub(super) fn measure(&mut self) {
        self.choked |= self.backlog() > self.limits.buffer;
    }

    /// The bytes that wait for it, or for their turn.
    pub(super) fn backlog(&self) -> usize {
        self.outbox.len() + self.order.as_ref().map_or(0, Order::bytes)
    }
}

/// Takes a client on: its task reads until it is gone.
pub(super) fn start(
    worker: &mut Worker,
    listener: &Rc<RefCell<Listener>>,
    io: BoxIo,
    (address, place): (IpAddr, Place),
) {
    let Some(shared) = worker.shared() else { return };
    worker.read_clock();
    let mut state = listener.borrow_mut();
    state.counters.connections += 1;
    state.counters.connections_active += 1;
    let limits = state.model.clone();
    let context =
        CodecContext::new(Side::Downstream, limits.limits).with_interest(state.interest.clone());
    let max_age = limits.max_connection_age;
    let capabilities = limits.protocol.capabilities();
    let by_order = capabilities.in_order || capabilities.correlation == Correlation::Order;
    let downstream = Downstream {
        listener: listener.clone(),
        codec: limits.protocol.codec(&context),
        translates: capabilities.translates,
        slow_calls: 0,
        // Not known yet: 256 requests may be in flight before the first response has come.
        typical_response: limits.max_buffer / 512,
        limits,
        io,
        inbound: Inbound::default(),
        outbox: Output::new(),
        order: by_order.then(Order::default),
        stage: Stage::Serving,
        draining: None,
        in_flight: 0,
        choked: false,
        blocked_on: 0,
        paused: false,
        bound: Vec::new(),
        throttled: Vec::new(),
        last_active: worker.now,
        found_silent: false,
        silent_since: Some(worker.now),
        partial_since: None,
        stalled_since: None,
        retires_at: max_age.and_then(|age| worker.now.checked_add(upstream::shortened(age))),
        marked: false,
        watched: false,
        waker: Waker::noop().clone(),
        address,
        _place: place,
    };
    drop(state);
    let key = worker.downstreams.insert(downstream);
    tokio::task::spawn_local(std::future::poll_fn(move |context| {
        receive::poll(&mut shared.borrow_mut(), key, context)
    }));
}

/// Opens a call for a request: counts it, and gives its answer a place.
#[inline(always)]
pub(crate) fn open(worker: &mut Worker, request: &Metadata, from: DownstreamKey) -> Option<Call> {
    let client = worker.downstreams.get_mut(from)?;
    client.in_flight += 1;
    {
        let mut listener = client.listener.borrow_mut();
        listener.counters.started += 1;
        listener.counters.active += 1;
    }
    // Only what is answered takes a place among the answers.
    let two_way = request.kind != MessageKind::Oneway;
    let ticket = client.order.as_mut().filter(|_| two_way).map_or(0, Order::take_ticket);
    Some(Call {
        from,
        listener: Some(client.listener.clone()),
        ticket,
        opened: worker.micros,
        sent: 0,
        // Made where it is to stand: it is not small.
        head: RequestHead::of(request),
        deadline: None,
        route: None,
        failed_connects: 0,
        extra: None,
        timed: None,
    })
}

/// Closes a call: counts how it ended, and has the client written to.
#[inline(always)]
pub(crate) fn close(worker: &mut Worker, call: &Call, outcome: Outcome) {
    let Some(listener) = &call.listener else { return mirror::ended(worker, call, None) };
    {
        let mut listener = listener.borrow_mut();
        listener.counters.active -= 1;
        listener.counters.completed.add(outcome);
        if matches!(outcome, Outcome::Response(_) | Outcome::Error(_)) && call.is_two_way() {
            listener.counters.duration.add(worker.micros.wrapping_sub(call.opened));
        }
    }
    if let Some(comparison) = call.compared() {
        mirror::original_ended(worker, comparison, outcome);
    }
    let Some(client) = worker.downstreams.get_mut(call.from) else { return };
    client.in_flight -= 1;
    client.measure();
    let waiting = client.outbox.len();
    let alone = client.in_flight == 0 && client.typical_response >= LARGE;
    if !client.marked {
        client.marked = true;
        worker.mark(Peer::Down(call.from));
    }
    worker.weigh(Peer::Down(call.from), waiting, alone);
}

/// Passes on a message that is neither request nor response, as it is: from the upstream connection
/// that belongs to this client.
pub(crate) fn pass(worker: &mut Worker, metadata: &mut Metadata, to: DownstreamKey) {
    let Some(client) = worker.downstreams.get_mut(to) else { return };
    client.outbox.share(std::mem::take(&mut metadata.frame));
    client.measure();
    mark(worker, to);
}

/// Has the client written to at the end of the turn.
pub(super) fn mark(worker: &mut Worker, key: DownstreamKey) {
    if let Some(client) = worker.downstreams.get_mut(key)
        && !client.marked
    {
        client.marked = true;
        worker.mark(Peer::Down(key));
    }
}

/// Writes what has gathered, and closes the connection if that was its last task.
pub(crate) fn flush(worker: &mut Worker, key: DownstreamKey) {
    let Some(client) = worker.downstreams.get_mut(key) else { return };
    client.marked = false;
    let mut written = 0;
    let mut context = Context::from_waker(&client.waker);
    let result = write_out(&mut client.io, &mut context, &mut client.outbox, &mut written);
    if written > 0 {
        client.last_active = worker.now;
        client.stalled_since = None;
        client.listener.borrow_mut().counters.bytes_sent += written;
    }
    let is_full = result.is_pending();
    if is_full {
        client.stalled_since.get_or_insert(worker.now);
    }
    if let Poll::Ready(Err(error)) = result {
        tracing::debug!(%error, "a client has gone");
        return remove(worker, key);
    }
    if client.backlog() > client.most_backlog() {
        tracing::debug!(backlog = client.backlog(), "a client does not take its responses");
        client.listener.borrow_mut().counters.slow_clients += 1;
        return remove(worker, key);
    }
    let half = client.limits.buffer / 2;
    client.choked &= client.backlog() > half;
    if client.outbox.len() <= half && !client.throttled.is_empty() {
        let throttled = std::mem::take(&mut client.throttled);
        upstream::resume(worker, throttled);
    }
    if is_full {
        watch(worker, key);
    }
    wake_if_free(worker, key);
    finish_if_done(worker, key);
}

/// Stops reading a client because an upstream connection can't take more. Tells whether the
/// connection has to [`unblock`] it.
pub(crate) fn block(
    downstreams: &mut SlotMap<DownstreamKey, Downstream>,
    key: DownstreamKey,
) -> bool {
    let Some(client) = downstreams.get_mut(key) else { return false };
    client.blocked_on += 1;
    true
}

/// Undoes one [`block`] of each.
pub(crate) fn unblock(worker: &mut Worker, keys: Vec<DownstreamKey>) {
    for key in keys {
        if let Some(client) = worker.downstreams.get_mut(key) {
            client.blocked_on -= 1;
        }
        wake_if_free(worker, key);
    }
}

/// Has a client read again, if it was not and nothing speaks against it.
pub(super) fn wake_if_free(worker: &mut Worker, key: DownstreamKey) {
    let Some(client) = worker.downstreams.get_mut(key) else { return };
    if client.paused && !client.must_pause() {
        client.paused = false;
        client.waker.wake_by_ref();
    }
}
