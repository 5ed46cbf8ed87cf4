//! Calls that are tried again, and calls that are sent twice.
//!
//! A call whose route says so keeps its message. What would end it, an error or a response, is looked
//! at here first: [`failed`] and [`answered`] either hand the call back, to end, or keep it for another
//! try. Those that wait for their time stand in [`Later`].

use std::cell::Cell;
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::rc::Rc;
use std::time::Duration;

use metaproto_core::{Error, ErrorKind, MessageKind, Status};
use tokio::time::Instant;

use crate::cluster::{self, Cluster};
use crate::exchange::{self, Call, Extra};
use crate::message::{Message, Outgoing};
use crate::model::{Retry, RetryOn};
use crate::route::Destination;
use crate::upstream;
use crate::worker::{ClusterKey, EndpointKey, Worker};

/// What it takes to send a call again.
#[derive(Debug)]
pub(crate) struct Again {
    message: Message,
    to: Destination,
    /// Where it was sent last.
    last: EndpointKey,
    /// How often it has been tried again.
    retries: u32,
    /// When the try that is under way is given up.
    until: Option<Instant>,
    /// The calls that were sent at the same time.
    race: Option<Rc<Race>>,
    /// Its place among the retries of the cluster.
    slot: Option<Slot>,
    _kept: Kept,
}

impl Again {
    fn new(worker: &Worker, message: Outgoing<'_>, to: Destination, last: EndpointKey) -> Self {
        let message = message.kept();
        let kept = worker.clusters.get(to.cluster).map(|cluster| cluster.kept.clone());
        let _kept = Kept::new(kept.unwrap_or_default(), message.len());
        Again { message, to, last, retries: 0, until: None, race: None, slot: None, _kept }
    }

    /// When the try that is under way is given up.
    pub(crate) fn until(&self) -> Option<Instant> {
        self.until
    }
}

/// Calls for one request, of which the first response counts.
#[derive(Debug)]
struct Race {
    /// How many are under way.
    open: Cell<u32>,
    /// The second of them has been sent.
    doubled: Cell<bool>,
    won: Cell<bool>,
}

/// A place among the retries of a cluster, given back when it is dropped.
#[derive(Debug)]
struct Slot {
    taken: Rc<Cell<usize>>,
    /// Its place among those of all workers, where these are limited.
    _shared: Option<cluster::Slot>,
}

impl Slot {
    fn take(cluster: &mut Cluster) -> Option<Self> {
        let budget = cluster.model.retry_budget;
        let share = cluster.counters.active.saturating_mul(u64::from(budget.percent)) / 100;
        let most = share.max(u64::from(budget.min));
        let taken = cluster.retries.get();
        if taken as u64 >= most {
            return None;
        }
        let _shared = cluster.retry_slot()?;
        cluster.retries.set(taken + 1);
        Some(Slot { taken: cluster.retries.clone(), _shared })
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.taken.set(self.taken.get().saturating_sub(1));
    }
}

/// Bytes of a message that is kept, counted for the cluster until this is dropped.
#[derive(Debug)]
struct Kept {
    all: Rc<Cell<usize>>,
    bytes: usize,
}

impl Kept {
    fn new(all: Rc<Cell<usize>>, bytes: usize) -> Self {
        all.set(all.get() + bytes);
        Kept { all, bytes }
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        self.all.set(self.all.get().saturating_sub(self.bytes));
    }
}

/// Calls that wait until they are sent.
#[derive(Debug, Default)]
pub(crate) struct Later(BinaryHeap<Reverse<Waiting>>);

impl Later {
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether a call to `cluster` waits.
    pub(crate) fn leads_to(&self, cluster: ClusterKey) -> bool {
        let mut waiting =
            self.0.iter().filter_map(|Reverse(it)| it.call.extra.as_ref()?.again.as_ref());
        waiting.any(|again| again.to.cluster == cluster)
    }
}

#[derive(Debug)]
struct Waiting {
    at: Instant,
    call: Call,
    /// Why the last try failed; what the caller is told if there is no further one.
    error: Error,
}

impl PartialEq for Waiting {
    fn eq(&self, other: &Self) -> bool {
        self.at == other.at
    }
}

impl Eq for Waiting {}

impl PartialOrd for Waiting {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Waiting {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.at.cmp(&other.at)
    }
}

/// Has a call keep what it takes to try it again, if its route says so. It is about to be sent to
/// `endpoint`.
pub(crate) fn prepare(
    worker: &mut Worker,
    call: &mut Call,
    message: Outgoing<'_>,
    to: Destination,
    endpoint: EndpointKey,
) {
    let Some(route) = &call.route else { return };
    let (retry, hedge) = (route.model.retry.as_ref(), route.model.hedge);
    if (retry.is_none() && hedge.is_none()) || call.head.kind != MessageKind::Request {
        return;
    }
    let mut again = Again::new(worker, message, to, endpoint);
    let per_try = retry.and_then(|retry| retry.per_try_timeout);
    again.until = per_try.and_then(|time| worker.now.checked_add(time));
    if let Some(hedge) = hedge {
        let race = Rc::new(Race::of_two());
        let mut other = Again::new(worker, message, to, endpoint);
        (again.race, other.race) = (Some(race.clone()), Some(race));
        let error = Error::new(ErrorKind::Timeout, "no response in time");
        wait(worker, worker.now + hedge.after, call.twin(other), error);
    }
    call.extra.get_or_insert_default().again = Some(again);
}

fn again_of(extra: &mut Option<Box<Extra>>) -> Option<&mut Again> {
    extra.as_mut()?.again.as_mut()
}

/// A call has failed: hands it back if that is its end.
#[inline(always)]
pub(crate) fn failed(worker: &mut Worker, call: Call, error: &Error) -> Option<Call> {
    match call.extra {
        None => Some(call),
        Some(_) => after_failure(worker, call, error),
    }
}

fn after_failure(worker: &mut Worker, mut call: Call, error: &Error) -> Option<Call> {
    let Some(again) = again_of(&mut call.extra) else { return Some(call) };
    if let Some(race) = again.race.take() {
        let is_refused = error.kind == ErrorKind::Overloaded && race.call_off();
        if !is_refused && race.drop_out() {
            return None;
        }
    }
    let on = match error.kind {
        ErrorKind::ConnectionFailure | ErrorKind::NoHealthyUpstream => RetryOn::ConnectFailure,
        ErrorKind::UpstreamReset => RetryOn::Reset,
        ErrorKind::Timeout => RetryOn::Timeout,
        _ => return Some(call),
    };
    let wants = |retry: &Retry| retry.on.contains(&on);
    try_again(worker, call, error, wants)
}

/// A call was answered: hands it back if that is its end.
#[inline(always)]
pub(crate) fn answered(worker: &mut Worker, call: Call, status: Status) -> Option<Call> {
    match call.extra {
        None => Some(call),
        Some(_) => after_response(worker, call, status),
    }
}

fn after_response(worker: &mut Worker, mut call: Call, status: Status) -> Option<Call> {
    let Some(again) = again_of(&mut call.extra) else { return Some(call) };
    if let Some(race) = again.race.take() {
        if race.won.replace(true) {
            return None;
        }
        return Some(call);
    }
    let error = Error::new(ErrorKind::BadResponse, "the last response was not to be had");
    try_again(worker, call, &error, |retry| retry.wants(status))
}

impl Race {
    fn of_two() -> Self {
        Race { open: Cell::new(2), doubled: Cell::new(false), won: Cell::new(false) }
    }

    /// The first call was refused for want of room: the caller is told at once, and the second is not
    /// sent. `false` if it has been.
    fn call_off(&self) -> bool {
        !self.doubled.get() && !self.won.replace(true)
    }

    /// One of the calls has failed. Tells whether nobody is to hear of it.
    fn drop_out(&self) -> bool {
        self.open.set(self.open.get().saturating_sub(1));
        self.won.get() || self.open.get() > 0
    }
}

fn try_again(
    worker: &mut Worker,
    mut call: Call,
    error: &Error,
    wants: impl FnOnce(&Retry) -> bool,
) -> Option<Call> {
    let route = call.route.clone();
    let retry = route.as_ref().and_then(|route| route.model.retry.as_ref());
    let Some(retry) = retry.filter(|retry| wants(retry)) else { return Some(call) };
    let Some(again) = again_of(&mut call.extra).filter(|again| again.retries < retry.attempts)
    else {
        return Some(call);
    };
    let at = worker.now + backoff(retry, again.retries);
    let is_late = call.deadline.is_some_and(|deadline| deadline <= at);
    let Some(cluster) = worker.clusters.get_mut(again.to.cluster).filter(|_| !is_late) else {
        return Some(call);
    };
    again.slot = None;
    // What is to get by with less does not send anything twice.
    again.slot = if worker.load.sheds() { None } else { Slot::take(cluster) };
    if again.slot.is_none() {
        cluster.counters.retries_refused += 1;
        return Some(call);
    }
    cluster.counters.retries += 1;
    again.retries += 1;
    wait(worker, at, call, error.clone());
    None
}

/// The wait before a further try: at random, so that callers that failed together don't come back
/// together.
fn backoff(retry: &Retry, retries: u32) -> Duration {
    let most = retry.backoff.saturating_mul(1 << retries.min(16)).min(retry.max_backoff);
    most.mul_f64(fastrand::f64())
}

fn wait(worker: &mut Worker, at: Instant, call: Call, error: Error) {
    worker.later.0.push(Reverse(Waiting { at, call, error }));
    worker.clock.start();
}

/// Sends the calls whose time has come. Tells whether any wait.
pub(crate) fn send_due(worker: &mut Worker) -> bool {
    while let Some(Reverse(waiting)) = worker.later.0.peek() {
        if waiting.at > worker.now {
            break;
        }
        let Some(Reverse(Waiting { call, error, .. })) = worker.later.0.pop() else { break };
        send(worker, call, error);
    }
    !worker.later.is_empty()
}

fn send(worker: &mut Worker, mut call: Call, error: Error) {
    let Some(again) = again_of(&mut call.extra) else { return };
    if let Some(race) = &again.race {
        if race.won.get() {
            return;
        }
        race.doubled.set(true);
    }
    if !worker.downstreams.contains_key(call.from) {
        return end(worker, call, error);
    }
    let (to, last) = (again.to, again.last);
    let Some(endpoint) = exchange::endpoint(worker, to, call.from, Some(last)) else {
        return end(worker, call, error);
    };
    let route = call.route.as_ref();
    let per_try = route.and_then(|route| route.model.retry.as_ref()?.per_try_timeout);
    again.until = per_try.and_then(|time| worker.now.checked_add(time));
    again.last = endpoint;
    let message = again.message.outgoing().kept();
    upstream::dispatch(worker, endpoint, call, message.outgoing());
}

/// Ends the calls that wait, with `error`.
pub(crate) fn abort(worker: &mut Worker, error: &Error) {
    for Reverse(waiting) in std::mem::take(&mut worker.later.0) {
        end(worker, waiting.call, error.clone());
    }
}

/// Ends a call for good, unless another one for the same request is under way.
fn end(worker: &mut Worker, mut call: Call, error: Error) {
    let race = again_of(&mut call.extra).and_then(|again| again.race.take());
    if !race.is_some_and(|race| race.drop_out()) {
        exchange::give_up(worker, call, error);
    }
}
