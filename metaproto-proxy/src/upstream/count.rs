//! The calls of endpoints and clusters, counted: how many are in flight, and how they ended.

use metaproto_core::Error;

use super::Endpoint;
use crate::cluster::{Cluster, Slot};
use crate::counters::ClusterCounters;
use crate::exchange::Call;
use crate::worker::{EndpointKey, UpstreamKey, Worker};

/// An endpoint and its cluster.
pub(super) fn endpoint_and_cluster(
    worker: &mut Worker,
    key: EndpointKey,
) -> Option<(&mut Endpoint, &mut Cluster)> {
    let endpoint = worker.endpoints.get_mut(key)?;
    let cluster = worker.clusters.get_mut(endpoint.cluster)?;
    Some((endpoint, cluster))
}

/// A call on a connection has ended.
pub(super) fn uncount(worker: &mut Worker, key: UpstreamKey) {
    if let Some(endpoint) = worker.upstreams.get(key).map(|upstream| upstream.endpoint) {
        uncount_endpoint(worker, endpoint);
    }
}

/// A call to an endpoint has ended, or goes elsewhere.
pub(super) fn uncount_endpoint(worker: &mut Worker, key: EndpointKey) {
    if let Some((endpoint, cluster)) = endpoint_and_cluster(worker, key) {
        endpoint.active -= 1;
        cluster.end_call();
    }
}

/// A call to an endpoint has been answered.
#[inline(always)]
pub(super) fn count_response(worker: &mut Worker, key: EndpointKey, call: &Call) {
    let (took, now) = (worker.micros.wrapping_sub(call.sent), worker.now);
    if let Some((endpoint, cluster)) = endpoint_and_cluster(worker, key) {
        endpoint.active -= 1;
        cluster.end_call();
        cluster.note_time(took, now);
        cluster.counters.duration.add(took);
    }
}

/// A place among the calls that wait for a connection, if these are limited.
pub(super) fn pending_slot(
    worker: &mut Worker,
    key: UpstreamKey,
) -> Result<Option<Slot>, Box<Error>> {
    let endpoint = worker.upstreams.get(key).map(|upstream| upstream.endpoint);
    match endpoint.and_then(|endpoint| endpoint_and_cluster(worker, endpoint)) {
        Some((_, cluster)) => cluster.pending_slot(),
        None => Ok(None),
    }
}

/// A call to an endpoint was not answered in time.
pub(super) fn count_timeout(worker: &mut Worker, key: EndpointKey, call: &Call) {
    let (took, now) = (worker.micros.wrapping_sub(call.sent), worker.now);
    if let Some((endpoint, cluster)) = endpoint_and_cluster(worker, key) {
        endpoint.active -= 1;
        cluster.end_call();
        cluster.note_time(took, now);
        cluster.counters.timeouts += 1;
    }
}

/// The counters of an endpoint's cluster.
pub(super) fn counters(worker: &mut Worker, key: EndpointKey) -> Option<&mut ClusterCounters> {
    let cluster = worker.endpoints.get(key)?.cluster;
    Some(&mut worker.clusters.get_mut(cluster)?.counters)
}
