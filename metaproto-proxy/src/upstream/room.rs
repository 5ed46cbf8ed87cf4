//! Whether a call can be sent without having to wait.

use metaproto_core::Sharing;

use super::Upstream;
use super::exclusive::MAX_CONNECTING;
use crate::worker::{EndpointKey, UpstreamKey, Worker};

/// Whether a call that belongs to no client would be sent to a usable endpoint at once, or with the
/// next connection to be made, and would not fill a buffer that is full already.
pub(crate) fn takes_at_once(worker: &Worker, key: EndpointKey) -> bool {
    let Some(endpoint) = worker.endpoints.get(key) else { return false };
    let Some(cluster) = worker.clusters.get(endpoint.cluster) else { return false };
    if !endpoint.is_usable(worker.now) {
        return false;
    }
    match cluster.sharing {
        Sharing::Shared => {
            let find = |key: &UpstreamKey| worker.upstreams.get(*key);
            endpoint.shared.iter().filter_map(find).all(Upstream::takes_more)
        }
        Sharing::Exclusive => {
            let further = cluster.model.max_connections.saturating_sub(endpoint.connections);
            let served = endpoint.connecting.saturating_add(further).min(MAX_CONNECTING);
            let full = endpoint.waiting.bytes() > cluster.buffer;
            !endpoint.idle.is_empty() || endpoint.waiting.len() < served && !full
        }
        // There is no client whose connection it could be.
        Sharing::Bound => false,
    }
}
