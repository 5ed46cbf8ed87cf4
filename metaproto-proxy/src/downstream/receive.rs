//! What a client sends.

use std::task::{Context, Poll};

use metaproto_core::{DecodeError, Error, ErrorKind, MessageKind, Metadata, RequestHead, Scope};

use super::close::{end_of_input, remove, stop_reading};
use super::connection::{self, Stage};
use super::watch::watch;
use crate::exchange;
use crate::inbound::CutError;
use crate::worker::{DownstreamKey, Worker};

/// Reads of one connection in one turn, so that a busy one does not keep the others waiting.
const READS: usize = 4;

/// Reads what has come, and hands it on. `Ready` when the connection is gone.
pub(super) fn poll(worker: &mut Worker, key: DownstreamKey, context: &mut Context<'_>) -> Poll<()> {
    worker.read_clock();
    let Some(client) = worker.downstreams.get_mut(key) else { return Poll::Ready(()) };
    if !client.waker.will_wake(context.waker()) {
        client.waker = context.waker().clone();
    }
    if !client.outbox.is_empty() {
        connection::mark(worker, key);
    }
    // What was left when the client had to pause comes before what it has sent since.
    take_frames(worker, key);
    for _ in 0..READS {
        let Some(client) = worker.downstreams.get_mut(key) else { return Poll::Ready(()) };
        if client.paused || client.stage == Stage::HalfClosed {
            return Poll::Pending;
        }
        match client.inbound.poll_read(&mut client.io, context, &mut worker.scratch) {
            Poll::Pending => return Poll::Pending,
            Poll::Ready(Ok(count @ 1..)) => {
                client.last_active = worker.now;
                client.silent_since = None;
                client.found_silent = false;
                client.listener.borrow_mut().counters.bytes_received += count as u64;
                take_frames(worker, key);
                worker.flush_heavy();
            }
            Poll::Ready(Ok(0)) => end_of_input(worker, key),
            Poll::Ready(Err(error)) => {
                tracing::debug!(%error, "a client has gone");
                remove(worker, key);
            }
        }
    }
    context.waker().wake_by_ref();
    Poll::Pending
}

/// Hands on every whole frame that is there, as long as the client need not pause.
fn take_frames(worker: &mut Worker, key: DownstreamKey) {
    let mut metadata = std::mem::take(&mut worker.metadata);
    let mut taken = false;
    while take_frame(worker, &mut metadata, key) {
        taken = true;
    }
    metadata.clear();
    worker.metadata = metadata;
    if let Some(client) = worker.downstreams.get_mut(key) {
        client.inbound.settle(&mut worker.scratch);
        client.partial_since = match client.inbound.is_empty() || client.paused {
            true => None,
            false => client.partial_since.filter(|_| !taken).or(Some(worker.now)),
        };
    }
}

/// Hands on the next whole frame; `false` when there is none, or none may be taken.
fn take_frame(worker: &mut Worker, metadata: &mut Metadata, key: DownstreamKey) -> bool {
    let Some(client) = worker.downstreams.get_mut(key) else { return false };
    if matches!(client.stage, Stage::Closing | Stage::Lingering(_)) {
        client.inbound.clear();
        return false;
    }
    if client.must_pause() {
        client.paused = true;
        watch(worker, key);
        worker.clock.start();
        return false;
    }
    let frame = match client.inbound.cut(&mut *client.codec, client.limits.limits.max_frame) {
        Ok(Some(frame)) => frame,
        Ok(None) => return false,
        Err(error) => {
            let head = client.codec.peek_request(client.inbound.head());
            unreadable(worker, key, head, *error);
            return false;
        }
    };
    metadata.clear();
    match client.codec.decode(frame, metadata) {
        Ok(()) => message(worker, metadata, key),
        Err(error) if error.scope == Scope::Message => {
            bad_request(worker, metadata, key, &error);
        }
        Err(error) => {
            let head = RequestHead::of(metadata);
            unreadable(worker, key, Some(head), CutError::Malformed(error));
            return false;
        }
    }
    true
}

fn message(worker: &mut Worker, metadata: &mut Metadata, key: DownstreamKey) {
    if let Some(reason) = metadata.unread {
        unread(worker, metadata.kind, key, reason);
    }
    match metadata.kind {
        MessageKind::Request | MessageKind::Oneway | MessageKind::StreamOpen => {
            exchange::request(worker, metadata, key);
        }
        MessageKind::Ping => pong(worker, metadata, key),
        MessageKind::StreamData | MessageKind::StreamHalfClose | MessageKind::StreamClose => {
            exchange::pass_up(worker, metadata, key);
        }
        MessageKind::GoAway => exchange::pass_go_away(worker, metadata, key),
        _ => dropped(worker, key),
    }
}

/// The body of a request could not be read as far as was asked for. It goes on all the same.
#[cold]
fn unread(worker: &mut Worker, kind: MessageKind, key: DownstreamKey, reason: DecodeError) {
    if matches!(kind, MessageKind::Request | MessageKind::Oneway | MessageKind::StreamOpen)
        && let Some(client) = worker.downstreams.get_mut(key)
    {
        tracing::debug!(%reason, "the body of a request can't be read");
        client.listener.borrow_mut().counters.unread_bodies += 1;
    }
}

/// Answers a ping. Where order tells answers apart it takes its turn among them.
fn pong(worker: &mut Worker, metadata: &Metadata, key: DownstreamKey) {
    let Some(client) = worker.downstreams.get_mut(key) else { return };
    client.listener.borrow_mut().counters.pings += 1;
    let ticket = client.order.as_mut().map_or(0, super::Order::take_ticket);
    if let Err(reason) = client.answer(ticket, |codec, out| codec.pong(metadata, out.tail())) {
        tracing::debug!(%reason, "a ping stays unanswered");
        client.answer(ticket, |_, _| Ok(())).ok();
    }
    client.measure();
    connection::mark(worker, key);
}

/// A message that a client has no business to send.
pub(crate) fn dropped(worker: &mut Worker, key: DownstreamKey) {
    if let Some(client) = worker.downstreams.get_mut(key) {
        client.listener.borrow_mut().counters.dropped += 1;
    }
}

/// One request can't be read: it is answered, the connection goes on.
fn bad_request(worker: &mut Worker, metadata: &Metadata, key: DownstreamKey, error: &DecodeError) {
    if !matches!(metadata.kind, MessageKind::Request | MessageKind::Oneway) {
        return dropped(worker, key);
    }
    if let Some(call) = connection::open(worker, metadata, key) {
        let message = format!("the request can't be read: {error}");
        exchange::fail(worker, call, Error::new(ErrorKind::BadRequest, message));
    }
}

/// Nothing more can be read from the client. What is at fault, `head`, is answered if that can be told
/// at all; then the connection ends, after the answers to what had been sent before.
fn unreadable(worker: &mut Worker, key: DownstreamKey, head: Option<RequestHead>, error: CutError) {
    let Some(client) = worker.downstreams.get_mut(key) else { return };
    client.listener.borrow_mut().counters.protocol_errors += 1;
    let error = match error {
        CutError::TooLarge(size) => {
            let limit = client.limits.limits.max_frame;
            let message = format!("a request of {size} bytes is over the limit of {limit}");
            Error::new(ErrorKind::FrameTooLarge, message)
        }
        CutError::Malformed(error) => {
            Error::new(ErrorKind::BadRequest, format!("the request can't be read: {error}"))
        }
    };
    tracing::debug!(%error, "a client sent what can't be read");
    if let Some(head) = head.filter(|head| head.kind == MessageKind::Request) {
        refuse(worker, key, head, error);
    }
    stop_reading(worker, key);
}

/// Answers a request that was never read whole.
fn refuse(worker: &mut Worker, key: DownstreamKey, head: RequestHead, error: Error) {
    let request = Metadata::new();
    if let Some(mut call) = connection::open(worker, &request, key) {
        call.head = head;
        exchange::fail(worker, call, error);
    }
}
