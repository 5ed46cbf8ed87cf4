//! Calls that nobody waits for any longer, and calls that are not waited for.

use metaproto_core::{Error, ErrorKind};

use super::pool;
use crate::exchange;
use crate::worker::{DownstreamKey, UpstreamKey, Worker};

/// A client has gone. Its own connections, `bound`, end with it, and so do the exclusive ones that
/// carry its calls: they would only be kept from others. What is on a shared connection can't be called
/// back; its response is dropped when it comes. `in_flight` is how many calls the client had.
pub(crate) fn client_gone(
    worker: &mut Worker,
    client: DownstreamKey,
    bound: Vec<UpstreamKey>,
    in_flight: usize,
) {
    if in_flight > 0 {
        let carries = |(_, upstream): &(_, &super::Upstream)| upstream.carries == Some(client);
        let exclusive: Vec<_> =
            worker.upstreams.iter().filter(carries).map(|(key, _)| key).collect();
        for key in exclusive.into_iter().chain(bound.iter().copied()) {
            abandon(worker, key);
        }
    }
    for key in bound {
        pool::retire(worker, key);
    }
}

/// Closes a connection whose only client has gone, unless requests have yet to leave on it: what a
/// client has sent is forwarded, even if it does not wait for the answer.
fn abandon(worker: &mut Worker, key: UpstreamKey) {
    let Some(upstream) = worker.upstreams.get_mut(key) else { return };
    if !upstream.outbox.is_empty() || !upstream.waiting.is_empty() {
        return;
    }
    let endpoint = upstream.endpoint;
    let gone = Error::new(ErrorKind::Unspecified, "the client has gone");
    for call in upstream.in_flight.abandon(|_| true) {
        pool::uncount_endpoint(worker, endpoint);
        exchange::fail(worker, call, gone.clone());
    }
    pool::close(worker, key, &gone);
}

/// Ends every call with `error`.
pub(crate) fn abort(worker: &mut Worker, error: &Error) {
    let endpoints: Vec<_> = worker.endpoints.keys().collect();
    for key in endpoints {
        let line = worker.endpoints.get_mut(key).map(|e| std::mem::take(&mut e.waiting));
        for waiting in line.unwrap_or_default() {
            pool::uncount_endpoint(worker, key);
            exchange::fail(worker, waiting.call, error.clone());
        }
    }
    let connections: Vec<_> = worker.upstreams.keys().collect();
    for key in connections {
        pool::close(worker, key, error);
    }
}
