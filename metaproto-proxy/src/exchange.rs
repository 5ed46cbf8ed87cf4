//! The life of a request. Read this first.
//!
//! ```text
//!   request:   frame -> count -> filters -> route -> cluster -> endpoint -> upstream connection
//!   response:  frame -> call of that id -> filters -> the client's own id -> client
//!   failure:   error -> the protocol's words for it -> client
//! ```
//!
//! Every call that [`request`] opens is closed exactly once: by [`respond`], by [`give_up`], or, one-way,
//! by [`sent`]. A call that is to be [tried again](crate::retry) is not closed before its last try has ended. A [`Call`] is not `Clone`, and whoever holds it owes it an end.

use std::cell::RefCell;
use std::rc::Rc;

use metaproto_core::{
    EncodeError, Error, ErrorKind, MessageKind, Metadata, Mutation, RequestHead, Sharing, Status,
    StatusClass,
};
use tokio::time::Instant;

use crate::cluster::Slot;
use crate::counters::Outcome;
use crate::downstream::{Downstream, Listener};
use crate::message::{Outgoing, Rewritten, rewritten};
use crate::mirror::{self, Comparison};
use crate::retry::{self, Again};
use crate::route::{Destination, Route};
use crate::worker::{ClusterKey, DownstreamKey, EndpointKey, Worker};
use crate::{cluster, downstream, overload, upstream};

/// What is changed where no route says so.
static NO_CHANGES: Mutation = Mutation::new();

/// A request that is under way, and whom to answer.
#[derive(Debug)]
pub(crate) struct Call {
    /// The client's connection.
    pub(crate) from: DownstreamKey,
    /// Where the client came in, and where the call is counted, whatever becomes of the client.
    /// `None` if it is a [copy](crate::mirror) of a client's call.
    pub(crate) listener: Option<Rc<RefCell<Listener>>>,
    /// The place of the answer among those of the connection; see
    /// [`Order`](crate::downstream::Order).
    pub(crate) ticket: u32,
    /// When it was read, as [`Worker::micros`].
    pub(crate) opened: u32,
    /// When it was last given to an endpoint, as [`Worker::micros`].
    pub(crate) sent: u32,
    /// What an error reply needs to know.
    pub(crate) head: RequestHead,
    /// When the client is told that it took too long.
    pub(crate) deadline: Option<Instant>,
    /// The route that was found, for the response's sake.
    pub(crate) route: Option<Rc<Route>>,
    /// How many endpoints could not be connected to.
    pub(crate) failed_connects: u32,
    /// What only few calls have.
    pub(crate) extra: Option<Box<Extra>>,
    /// Where it has been sent, if the balancing asks how long answers take.
    pub(crate) timed: Option<EndpointKey>,
}

/// What only few calls have: calls are small.
#[derive(Debug, Default)]
pub(crate) struct Extra {
    /// What it takes to try again, if its route says so.
    pub(crate) again: Option<Again>,
    /// Its place among the calls of its operation, where these are limited.
    pub(crate) slot: Option<Rc<Slot>>,
    /// What its status is compared with.
    pub(crate) compared: Option<Rc<Comparison>>,
}

impl Call {
    /// When it is given up, or the try that is under way.
    pub(crate) fn due(&self) -> Option<Instant> {
        let until = self.extra.as_ref().and_then(|extra| extra.again.as_ref()?.until());
        [self.deadline, until].into_iter().flatten().min()
    }

    /// Another call for the same request. Only one of the two may be closed.
    pub(crate) fn twin(&self, again: Again) -> Self {
        let compared = self.compared().cloned();
        let slot = self.extra.as_ref().and_then(|extra| extra.slot.clone());
        Call {
            from: self.from,
            listener: self.listener.clone(),
            ticket: self.ticket,
            opened: self.opened,
            sent: self.sent,
            head: self.head.clone(),
            deadline: self.deadline,
            route: self.route.clone(),
            failed_connects: 0,
            timed: None,
            extra: Some(Box::new(Extra { again: Some(again), slot, compared })),
        }
    }

    /// What its status is compared with.
    pub(crate) fn compared(&self) -> Option<&Rc<Comparison>> {
        self.extra.as_ref()?.compared.as_ref()
    }

    /// Whether it is a copy, of which nobody is to hear.
    pub(crate) fn is_copy(&self) -> bool {
        self.listener.is_none()
    }

    /// Whether the caller waits for an answer.
    pub(crate) fn is_two_way(&self) -> bool {
        self.head.kind != MessageKind::Oneway
    }
}

/// Takes a request on: `metadata` has been filled by the codec of the client's connection.
pub(crate) fn request(worker: &mut Worker, metadata: &mut Metadata, from: DownstreamKey) {
    let Some(mut call) = downstream::open(worker, metadata, from) else { return };
    match choose(worker, metadata, &mut call) {
        Ok((endpoint, rewritten)) => {
            let message = Outgoing::new(metadata, rewritten.as_deref());
            upstream::dispatch(worker, endpoint, call, message);
        }
        Err(error) => fail(worker, call, *error),
    }
}

/// Where a request goes, and what it looks like there if that is not as it came.
type Destined = (EndpointKey, Option<Rewritten>);

/// Decides where a request goes and what it looks like there.
fn choose(
    worker: &mut Worker,
    metadata: &mut Metadata,
    call: &mut Call,
) -> Result<Destined, Box<Error>> {
    if worker.draining.is_some_and(|drain| drain.refuse_at <= worker.now) {
        return Err(Box::new(Error::new(ErrorKind::Draining, "the proxy is shutting down")));
    }
    if worker.load.sheds() {
        return Err(overload::shed(call));
    }
    // Asked here, too: with nothing to hand over, the common way moves nothing.
    let filtered =
        if worker.filters.is_empty() { None } else { worker.filters.request(metadata)? };

    let client = worker.downstreams.get(call.from).ok_or_else(|| Box::new(gone()))?;
    let route = client.route(metadata).ok_or_else(|| Box::new(no_route(metadata)))?;
    call.deadline = deadline(worker.now, &route, metadata);
    if call.deadline.is_some_and(|deadline| deadline <= worker.now) {
        let error = "no time is left for the request";
        return Err(Box::new(Error::new(ErrorKind::Timeout, error)));
    }

    let destination = route.destination(metadata, client.address);
    let cluster = destination.and_then(|to| worker.clusters.get_mut(to.cluster));
    if let Some(slot) = cluster.map_or(Ok(None), |cluster| cluster.operation_slot(metadata))? {
        call.extra.get_or_insert_default().slot = Some(Rc::new(slot));
    }
    let copies = mirror::wanted(&route, metadata, client.address);
    let changes = &route.model.request;
    let rewritten = rewritten(metadata, filtered, changes, &*client.codec)
        .map_err(|error| Box::new(unsupported(&error)))?;
    let message = Outgoing::new(metadata, rewritten.as_deref());

    let destination = destination.ok_or_else(|| Box::new(no_cluster(&route)))?;
    let endpoint = endpoint(worker, destination, call.from, None)
        .ok_or_else(|| Box::new(no_endpoint(worker, destination.cluster)))?;

    call.route = Some(route);
    if let Some(copies) = copies {
        mirror::send(worker, call, message, copies);
    }
    retry::prepare(worker, call, message, destination, endpoint);
    if is_stream(metadata.kind) && upstream::sharing(worker, endpoint) != Some(Sharing::Bound) {
        let error = "streams need upstream_mode: bound";
        return Err(Box::new(Error::new(ErrorKind::Unsupported, error)));
    }
    Ok((endpoint, rewritten))
}

/// Sends a call to another endpoint, because the first could not be connected to, or is configured no
/// longer: nothing of it has been sent, so this is safe for every call.
pub(crate) fn redispatch(
    worker: &mut Worker,
    mut call: Call,
    message: Outgoing<'_>,
    cluster: ClusterKey,
    failed: EndpointKey,
    error: Error,
) {
    if call.is_copy() {
        return fail(worker, call, error);
    }
    if worker.endpoints.get(failed).is_none_or(|endpoint| endpoint.removed) {
        // The endpoints are not those that it was tried with: each of them may be the one.
        call.failed_connects = 0;
    }
    call.failed_connects += 1;
    let others = worker.clusters.get_mut(cluster).is_some_and(|cluster| {
        let others = cluster.endpoints.iter().filter(|key| **key != failed).count();
        let left = others >= call.failed_connects as usize;
        cluster.counters.redispatched += u64::from(left);
        left
    });
    let anywhere = Destination { cluster, hash: None };
    let other = if others { endpoint(worker, anywhere, call.from, Some(failed)) } else { None };
    match other {
        Some(endpoint) => upstream::dispatch(worker, endpoint, call, message),
        None => fail(worker, call, error),
    }
}

/// The endpoint for a call: a client that has a connection of its own stays with that.
#[inline(always)]
pub(crate) fn endpoint(
    worker: &mut Worker,
    to: Destination,
    from: DownstreamKey,
    avoid: Option<EndpointKey>,
) -> Option<EndpointKey> {
    upstream::bound_endpoint(worker, to.cluster, from).or_else(|| cluster::pick(worker, to, avoid))
}

/// A one-way request has been handed to an upstream connection: that is its end. So it is with the
/// opening of a stream, which needs its place among the answers no more.
pub(crate) fn sent(worker: &mut Worker, call: &Call) {
    if call.is_two_way()
        && let Some(client) = worker.downstreams.get_mut(call.from)
    {
        client.answer(call.ticket, |_, _| Ok(())).ok();
    }
    downstream::close(worker, call, Outcome::Oneway);
}

/// Passes on a message of a stream to the upstream connection that belongs to its client. There is
/// none if the stream was never opened.
pub(crate) fn pass_up(worker: &mut Worker, metadata: &mut Metadata, from: DownstreamKey) {
    let client = worker.downstreams.get(from);
    match client.and_then(|client| client.bound.first()) {
        Some(&(_, upstream)) => upstream::pass(worker, metadata, upstream, from),
        None => downstream::dropped(worker, from),
    }
}

/// Passes a client's go-away on to the upstream connections that belong to it. Where there are none
/// it means nothing: answers go to the client all the same, and nothing else is sent to it.
pub(crate) fn pass_go_away(worker: &mut Worker, metadata: &Metadata, from: DownstreamKey) {
    let bound = worker.downstreams.get(from).map(|client| client.bound.clone());
    let mut passed = false;
    for (_, upstream) in bound.into_iter().flatten() {
        passed |= upstream::pass_copy(worker, metadata, upstream, from);
    }
    if !passed {
        downstream::dropped(worker, from);
    }
}

/// Hands a response to the caller; `metadata` has been filled by the codec of the upstream.
#[inline(always)]
pub(crate) fn respond(worker: &mut Worker, metadata: &mut Metadata, call: Call) {
    cluster::answered(worker, &call);
    let status = metadata.status.unwrap_or(Status::ok(0));
    if call.is_copy() {
        return mirror::ended(worker, &call, Some(status.class));
    }
    let Some(call) = retry::answered(worker, call, status) else { return };
    if status.class == StatusClass::ApplicationError {
        tell_of_error(&call, metadata, status);
    }
    let filtered = worker.filters.response(metadata);
    let changes = call.route.as_ref().map_or(&NO_CHANGES, |route| &route.model.response);
    let Some(client) = worker.downstreams.get_mut(call.from) else {
        return downstream::close(worker, &call, Outcome::Abandoned);
    };
    client.note_response(metadata.frame.len());
    let (id, translates) = (call.head.request_id, client.translates);
    let rewritten = match rewritten(metadata, filtered, changes, &*client.codec) {
        Ok(rewritten) => rewritten,
        Err(error) => unchanged(client, &error),
    };
    let message = Outgoing::new(metadata, rewritten.as_deref());
    let written = client.answer(call.ticket, |codec, out| match translates {
        false => message.write(out, codec, id),
        true => codec.translate_response(&message.whole(), &call.head, out),
    });
    match written {
        Ok(()) => downstream::close(worker, &call, Outcome::Response(status.class)),
        Err(error) => give_up(worker, call, unsupported(&error)),
    }
}

/// The server has answered with an error that its protocol declares.
#[cold]
fn tell_of_error(call: &Call, response: &Metadata, status: Status) {
    let route = call.route.as_ref().map(|route| route.model.name.as_str());
    let operation = response.operation().map(tracing::field::display);
    tracing::debug!(route, operation, code = status.code, "an application error");
}

/// A response that has no place for the changes of its route is passed on without them. The call has
/// been carried out: were the caller told of an error, it would perhaps call again.
#[cold]
fn unchanged(client: &mut Downstream, error: &EncodeError) -> Option<Rewritten> {
    tracing::debug!(%error, "a response is passed on without the changes of its route");
    client.listener.borrow_mut().counters.unchanged_responses += 1;
    None
}

/// A call has failed: it is tried again, or its caller told.
pub(crate) fn fail(worker: &mut Worker, call: Call, error: Error) {
    cluster::unanswered(worker, &call);
    if let Some(call) = retry::failed(worker, call, &error) {
        give_up(worker, call, error);
    }
}

/// Tells the caller why there will be no response.
pub(crate) fn give_up(worker: &mut Worker, call: Call, error: Error) {
    tracing::debug!(%error, "request failed");
    let Some(client) = worker.downstreams.get_mut(call.from) else {
        return downstream::close(worker, &call, Outcome::Abandoned);
    };
    if call.is_two_way() {
        let reply =
            client.answer(call.ticket, |codec, out| codec.on_error(&call.head, &error, out.tail()));
        if let Err(reason) = reply {
            // Without an answer the caller would wait for ever: it must see the connection end.
            tracing::debug!(%reason, "no error reply; closing the client's connection");
            client.give_up(call.ticket);
        }
    }
    downstream::close(worker, &call, Outcome::Error(error.kind));
}

fn deadline(now: Instant, route: &Route, metadata: &Metadata) -> Option<Instant> {
    let timeouts = [route.model.timeout, metadata.timeout];
    timeouts.into_iter().flatten().min().and_then(|timeout| now.checked_add(timeout))
}

fn is_stream(kind: MessageKind) -> bool {
    !matches!(kind, MessageKind::Request | MessageKind::Oneway)
}

fn gone() -> Error {
    Error::new(ErrorKind::Unspecified, "the client has gone")
}

fn no_route(metadata: &Metadata) -> Error {
    let facts: Vec<_> =
        metadata.properties().take(8).map(|(name, value)| format!("{name}={value}")).collect();
    let mut message = match (facts.as_slice(), metadata.operation()) {
        ([], None) => "no route matches".to_owned(),
        ([], Some(operation)) => format!("no route matches {operation}"),
        (facts, _) => format!("no route matches {}", facts.join(", ")),
    };
    if let Some(error) = metadata.unread {
        message += &format!(" (its body can't be read: {error})");
    }
    Error::new(ErrorKind::RouteNotFound, message)
}

fn no_cluster(route: &Route) -> Error {
    let message = format!("route {} leads to no cluster", route.model.name);
    Error::new(ErrorKind::ClusterNotFound, message)
}

fn no_endpoint(worker: &Worker, cluster: ClusterKey) -> Error {
    let message = worker.clusters.get(cluster).map(cluster::Cluster::why_no_endpoint);
    Error::new(ErrorKind::NoHealthyUpstream, message.unwrap_or_default())
}

fn unsupported(error: &EncodeError) -> Error {
    Error::new(ErrorKind::Unsupported, error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Calls are moved from hand to hand; beyond two cache lines a move is a call to `memcpy`.
    #[test]
    fn a_call_is_small() {
        assert!(size_of::<Call>() <= 128, "{}", size_of::<Call>());
    }
}
