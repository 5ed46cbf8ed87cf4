//! Copies of calls, sent to another cluster to see how it fares.
//!
//! A copy is a [`Call`] that belongs to no client and no listener. It shares the body of the message,
//! and it goes to a cluster of its own ([`Traffic::Copies`](crate::cluster::Traffic)), so that no call
//! ever waits for a connection, an id or room in a buffer because of it. It is sent at once or dropped,
//! and never tried again. Whatever ends it ends at [`ended`]: nobody is told, but for what is counted.

use std::cell::Cell;
use std::net::IpAddr;
use std::rc::Rc;

use metaproto_core::{MessageKind, Metadata, RequestHead, StatusClass};

use crate::counters::{ClusterCounters, Outcome};
use crate::exchange::Call;
use crate::message::Outgoing;
use crate::model;
use crate::route::{Copied, Destination, Mirror, Route};
use crate::worker::{DownstreamKey, EndpointKey, Worker};
use crate::{cluster, upstream};

/// How a call or its copy was answered: with a status of this class, or not at all.
type Answer = Option<StatusClass>;

/// A call and a copy of it, of which the statuses are compared when both have ended.
#[derive(Debug)]
pub(crate) struct Comparison {
    route: Rc<Route>,
    /// The place of the mirror among those of the route.
    place: usize,
    original: Cell<Option<Answer>>,
    copy: Cell<Option<Answer>>,
    /// The same call and a further copy.
    next: Option<Rc<Comparison>>,
}

/// The copies that are to be made of a request, if its route has any made. Looks at the keys that a
/// choice by hash needs, so the message must not have been taken yet.
#[inline(always)]
pub(crate) fn wanted(route: &Route, request: &Metadata, client: IpAddr) -> Option<Vec<Copied>> {
    let is_call = matches!(request.kind, MessageKind::Request | MessageKind::Oneway);
    (!route.mirrors.is_empty() && is_call).then(|| route.copies(request, client))
}

/// Sends copies of a call that is about to be sent itself.
#[cold]
pub(crate) fn send(
    worker: &mut Worker,
    call: &mut Call,
    message: Outgoing<'_>,
    copies: Vec<Copied>,
) {
    let Some(route) = call.route.clone() else { return };
    for Copied { place, to } in copies {
        let Some(mirror) = route.mirrors.get(place) else { continue };
        let endpoint = endpoint(worker, to);
        let counters = counters(worker, mirror);
        let Some(endpoint) = endpoint else {
            counters.mirror_dropped += 1;
            continue;
        };
        counters.mirrored += 1;
        let mut copy = call.copy(worker);
        if mirror.compare && call.is_two_way() {
            let comparison = Rc::new(Comparison {
                route: route.clone(),
                place,
                original: Cell::new(None),
                copy: Cell::new(None),
                next: call.compared().cloned(),
            });
            copy.extra.get_or_insert_default().compared = Some(comparison.clone());
            call.extra.get_or_insert_default().compared = Some(comparison);
        }
        upstream::dispatch(worker, endpoint, copy, message.kept().outgoing());
    }
}

impl Call {
    /// A call of nobody, for the same request.
    fn copy(&self, worker: &Worker) -> Call {
        // Without an end it would keep its place among the copies under way for ever.
        let latest = || worker.now.checked_add(model::Route::DEFAULT_TIMEOUT);
        Call {
            from: DownstreamKey::default(),
            listener: None,
            ticket: 0,
            opened: worker.micros,
            sent: 0,
            head: RequestHead::peeked(self.head.kind, self.head.request_id, &[]),
            deadline: self.deadline.or_else(latest),
            route: None,
            failed_connects: 0,
            extra: None,
            timed: None,
        }
    }
}

/// Where a copy can be sent at once.
fn endpoint(worker: &mut Worker, to: Destination) -> Option<EndpointKey> {
    let cluster = worker.clusters.get(to.cluster)?;
    // All calls of this cluster are copies.
    if cluster.counters.active >= cluster.model.max_mirrored as u64 {
        return None;
    }
    let endpoint = cluster::pick(worker, to, None)?;
    upstream::takes_at_once(worker, endpoint).then_some(endpoint)
}

/// A copy has ended, with this answer.
pub(crate) fn ended(worker: &mut Worker, copy: &Call, answer: Answer) {
    if let Some(comparison) = copy.compared() {
        comparison.copy.set(Some(answer));
        comparison.settle(worker);
    }
}

/// A call has ended that the copies from `first` on are compared with.
#[cold]
pub(crate) fn original_ended(worker: &mut Worker, first: &Rc<Comparison>, outcome: Outcome) {
    let answer = match outcome {
        Outcome::Response(class) => Some(class),
        _ => None,
    };
    let mut next = Some(first);
    while let Some(comparison) = next {
        comparison.original.set(Some(answer));
        comparison.settle(worker);
        next = comparison.next.as_ref();
    }
}

impl Comparison {
    /// Compares, if both have ended.
    fn settle(&self, worker: &mut Worker) {
        let (Some(original), Some(copy)) = (self.original.get(), self.copy.get()) else { return };
        let Some(mirror) = self.route.mirrors.get(self.place) else { return };
        let counters = counters(worker, mirror);
        match (original, copy) {
            (Some(original), Some(copy)) if original == copy => counters.mirror_equal += 1,
            (Some(original), Some(copy)) => {
                counters.mirror_different += 1;
                let (original, copy) = (original.as_str(), copy.as_str());
                let route = &self.route.model.name;
                tracing::debug!(route, mirror = mirror.name, original, copy, "a copy differs");
            }
            _ => counters.mirror_unanswered += 1,
        }
    }
}

/// The counters of a mirror's cluster, also when configuration has dropped it.
fn counters<'a>(worker: &'a mut Worker, mirror: &Mirror) -> &'a mut ClusterCounters {
    match worker.clusters.get_mut(mirror.cluster()) {
        Some(cluster) => &mut cluster.counters,
        None => worker.counters.clusters.entry(mirror.name.clone()).or_default(),
    }
}
