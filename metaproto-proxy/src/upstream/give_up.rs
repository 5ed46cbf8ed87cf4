//! Calls that nobody waits for any longer, and calls that are not waited for.

use metaproto_core::{Error, ErrorKind};

use super::{count, exclusive, pool};
use crate::worker::{DownstreamKey, UpstreamKey, Worker};
use crate::{exchange, retry};

/// A client has gone. Its own connections, `bound`, end with its last call, and so do the exclusive ones
/// that carry its calls if these do not end soon: they would only be kept from others. What is on a
/// shared connection can't be called back; its response is dropped when it comes. `in_flight` is how
/// many calls the client had.
pub(crate) fn client_gone(
    worker: &mut Worker,
    client: DownstreamKey,
    bound: Vec<UpstreamKey>,
    in_flight: usize,
) {
    if in_flight > 0 {
        let now = worker.now;
        for upstream in worker.upstreams.values_mut() {
            if upstream.carries == Some(client) || upstream.bound_to == Some(client) {
                upstream.orphaned_since = Some(now);
            }
        }
        worker.clock.start();
    }
    for key in bound {
        pool::retire(worker, key);
    }
}

/// Ends the calls on a connection whose only client has gone, and the connection.
pub(super) fn abandon(worker: &mut Worker, key: UpstreamKey) {
    let Some(upstream) = worker.upstreams.get_mut(key) else { return };
    let endpoint = upstream.endpoint;
    let gone = Error::new(ErrorKind::Unspecified, "the client has gone");
    let mut calls = upstream.in_flight.abandon(|_| true);
    calls.extend(upstream.waiting.abandon(|_| true));
    for call in calls {
        count::uncount_endpoint(worker, endpoint);
        exchange::fail(worker, call, gone.clone());
    }
    pool::close(worker, key, &gone);
}

/// Ends every call with `error`.
pub(crate) fn abort(worker: &mut Worker, error: &Error) {
    retry::abort(worker, error);
    let endpoints: Vec<_> = worker.endpoints.keys().collect();
    for key in endpoints {
        let line = worker.endpoints.get_mut(key).map(|e| std::mem::take(&mut e.waiting));
        for waiting in line.unwrap_or_default() {
            count::uncount_endpoint(worker, key);
            exchange::fail(worker, waiting.call, error.clone());
        }
        exclusive::line_moved(worker, key);
    }
    let connections: Vec<_> = worker.upstreams.keys().collect();
    for key in connections {
        pool::close(worker, key, error);
    }
}
