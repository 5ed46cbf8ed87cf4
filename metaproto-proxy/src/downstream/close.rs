//! How connections of clients end: none with an answer still owed, unless there is no other way.

use std::cell::RefCell;
use std::pin::Pin;
use std::rc::Rc;
use std::task::Context;
use std::time::Duration;

use tokio::io::AsyncWrite;

use super::connection::{Downstream, Stage};
use super::listener::Listener;
use super::watch::watch;
use crate::upstream::{self, REST};
use crate::worker::{DownstreamKey, Worker};

/// How long a client that was told the end may be silent before it closes its side ...
pub(super) const LINGER: Duration = Duration::from_secs(1);
/// ... and how long it may go on sending what is dropped.
const LONGEST_LINGER: Duration = Duration::from_secs(10);

/// The client sends no more. What it has asked for is still answered.
pub(super) fn end_of_input(worker: &mut Worker, key: DownstreamKey) {
    let Some(client) = worker.downstreams.get_mut(key) else { return };
    if !client.inbound.is_empty() && client.stage == Stage::Serving {
        tracing::debug!("a client ended within a frame");
        client.listener.borrow_mut().counters.protocol_errors += 1;
    }
    client.inbound.clear();
    if matches!(client.stage, Stage::Lingering(_)) {
        return remove(worker, key);
    }
    client.stage = Stage::HalfClosed;
    finish_if_done(worker, key);
}

/// No further request is read; the connection ends after the last answer.
pub(super) fn stop_reading(worker: &mut Worker, key: DownstreamKey) {
    let Some(client) = worker.downstreams.get_mut(key) else { return };
    client.inbound.clear();
    if client.stage == Stage::Serving {
        client.stage = Stage::Closing;
    }
    finish_if_done(worker, key);
}

/// Ends a connection that owes nothing and is to end.
pub(crate) fn finish_if_done(worker: &mut Worker, key: DownstreamKey) {
    let now = worker.now;
    let Some(client) = worker.downstreams.get_mut(key) else { return };
    if !client.is_quiet() {
        return;
    }
    match client.stage {
        Stage::HalfClosed => remove(worker, key),
        Stage::Closing => say_the_end(worker, key),
        // One that is never silent has to be cut off between two requests.
        Stage::Serving if client.inbound.is_empty() => {
            if client.draining.is_some_and(|since| since + PATIENCE <= now) {
                say_the_end(worker, key);
            }
        }
        Stage::Serving | Stage::Lingering(_) => {}
    }
}

/// How long a client has to be silent for its connection to be closed in a drain. One that was served a
/// moment ago may have sent its next request already, and that may be under way for longer than a
/// response takes.
const SILENCE: Duration = Duration::from_millis(100);
/// After this time a draining connection is closed as soon as it has nothing in flight.
const PATIENCE: Duration = Duration::from_secs(1);

/// Lets a draining client go that has fallen silent. The clock calls this, with every look.
pub(super) fn finish_if_silent(worker: &mut Worker, key: DownstreamKey) {
    let now = worker.now;
    let Some(client) = worker.downstreams.get_mut(key) else { return };
    let since = match client.silent_since {
        // The first request of one that has just connected is on its way.
        Some(connected) => connected + PATIENCE,
        None => client.last_active + SILENCE,
    };
    let between_calls = client.is_quiet() && client.inbound.is_empty();
    let silent = client.stage == Stage::Serving && between_calls && since <= now;
    // A worker that was stopped for a while has yet to read what came meanwhile. It does so before the
    // clock looks again.
    if silent && client.found_silent {
        return say_the_end(worker, key);
    }
    client.found_silent = silent;
}

/// Tells the client that nothing more will come, and waits for it to close its side.
fn say_the_end(worker: &mut Worker, key: DownstreamKey) {
    let (now, until) = (worker.now, worker.now + LONGEST_LINGER);
    let Some(client) = worker.downstreams.get_mut(key) else { return };
    client.last_active = now;
    client.stage = Stage::Lingering(until);
    client.inbound.clear();
    // A socket is shut down at once; another stream is closed when it is dropped.
    let shut = Pin::new(&mut client.io).poll_shutdown(&mut Context::from_waker(&client.waker));
    if let std::task::Poll::Ready(Err(error)) = shut {
        tracing::debug!(%error, "a client has gone");
        return remove(worker, key);
    }
    client.paused = false;
    client.waker.wake_by_ref();
    watch(worker, key);
    worker.clock.start();
}

/// Forgets a connection. Answers to its calls in flight are dropped when they come.
pub(super) fn remove(worker: &mut Worker, key: DownstreamKey) {
    let Some(client) = worker.downstreams.remove(key) else { return };
    client.waker.wake_by_ref();
    client.listener.borrow_mut().counters.connections_active -= 1;
    upstream::resume(worker, client.throttled);
    let bound = client.bound.into_iter().map(|(_, upstream)| upstream).collect();
    upstream::client_gone(worker, key, bound, client.in_flight);
    end_if_drained(worker);
}

/// Closes the connections that nothing has happened on for long, and gives back the memory of those
/// that rest.
pub(crate) fn close_idle(worker: &mut Worker) {
    let now = worker.now;
    close_late(worker);
    let mut idle = Vec::new();
    for (key, client) in &mut worker.downstreams {
        if client.in_flight > 0 {
            continue;
        }
        let rested = now.saturating_duration_since(client.last_active);
        if rested >= REST {
            client.outbox.release();
        }
        if client.limits.idle_timeout.is_some_and(|timeout| rested >= timeout) {
            idle.push(key);
        }
    }
    for key in idle {
        let Some(client) = worker.downstreams.get_mut(key) else { continue };
        match client.stage {
            Stage::Lingering(_) => {}
            // It does not take what it is owed: there is nothing left to be polite about.
            _ if !client.outbox.is_empty() => remove_idle(worker, key),
            _ => {
                client.listener.borrow_mut().counters.idle_timeouts += 1;
                say_the_end(worker, key);
            }
        }
    }
}

/// Ends the connections whose frames don't end, and those that have been kept for long enough.
fn close_late(worker: &mut Worker) {
    let now = worker.now;
    let is_partial = |client: &Downstream| {
        let since = client.partial_since.filter(|_| client.stage == Stage::Serving);
        let timeout = client.limits.frame_timeout;
        since.zip(timeout).is_some_and(|(since, timeout)| since + timeout <= now)
    };
    for key in keys(worker, is_partial) {
        let Some(client) = worker.downstreams.get_mut(key) else { continue };
        tracing::debug!("the rest of a frame did not come");
        client.listener.borrow_mut().counters.frame_timeouts += 1;
        client.partial_since = None;
        stop_reading(worker, key);
    }
    for key in keys(worker, |client| client.retires_at.is_some_and(|at| at <= now)) {
        drain(worker, key);
    }
}

fn remove_idle(worker: &mut Worker, key: DownstreamKey) {
    if let Some(client) = worker.downstreams.get_mut(key) {
        client.listener.borrow_mut().counters.slow_clients += 1;
    }
    remove(worker, key);
}

/// Lets a client go as soon as it has nothing in flight, and tells it so if the protocol can.
pub(crate) fn drain(worker: &mut Worker, key: DownstreamKey) {
    let Some(client) = worker.downstreams.get_mut(key) else { return };
    if client.draining.is_some() {
        return;
    }
    client.draining = Some(worker.now);
    if client.stage == Stage::Serving && client.codec.go_away(client.outbox.tail()).is_ok() {
        super::connection::mark(worker, key);
    }
    watch(worker, key);
    worker.clock.start();
}

/// Lets all clients of a listener go.
pub(crate) fn drain_listener(worker: &mut Worker, listener: &Rc<RefCell<Listener>>) {
    super::listener::stop(worker, listener);
    for key in keys(worker, |client| Rc::ptr_eq(&client.listener, listener)) {
        drain(worker, key);
    }
}

/// Ends the worker when it drains, the last client has gone, and what it has sent is on its way.
pub(crate) fn end_if_drained(worker: &mut Worker) {
    let Some(drain) = worker.draining else { return };
    if !worker.downstreams.is_empty() {
        return;
    }
    if drain.close_at <= worker.now || !upstream::any_unsent(worker) {
        worker.ended.notify_one();
    }
}

fn keys(worker: &Worker, of: impl Fn(&Downstream) -> bool) -> Vec<DownstreamKey> {
    worker.downstreams.iter().filter(|(_, client)| of(client)).map(|(key, _)| key).collect()
}
