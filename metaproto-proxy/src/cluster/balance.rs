//! The choice of an endpoint for a call.
//!
//! An endpoint that could not be connected to, or that said go-away, is left out for a while, unless all
//! are in that state: then none is left out, so that a cluster that comes back is found at once.

use crate::model::Balance;
use crate::upstream::Endpoint;
use crate::worker::{ClusterKey, EndpointKey, Worker};

/// The endpoint for the next call to `cluster`; not `avoid`, if there is another.
#[inline]
pub(crate) fn pick(
    worker: &mut Worker,
    cluster: ClusterKey,
    avoid: Option<EndpointKey>,
) -> Option<EndpointKey> {
    match (worker.clusters.get(cluster)?.endpoints.as_slice(), avoid) {
        ([only], None) => Some(*only),
        _ => pick_one_of_many(worker, cluster, avoid),
    }
}

fn pick_one_of_many(
    worker: &mut Worker,
    cluster: ClusterKey,
    avoid: Option<EndpointKey>,
) -> Option<EndpointKey> {
    let now = worker.now;
    let cluster = worker.clusters.get_mut(cluster)?;
    let endpoints = &mut worker.endpoints;
    let usable =
        |key: &EndpointKey, endpoint: &Endpoint| Some(*key) != avoid && !endpoint.is_down(now);
    let mut candidates = Candidates { endpoints, next: &mut cluster.next };
    let balance = cluster.model.balance;
    candidates
        .choose(balance, &cluster.endpoints, usable)
        .or_else(|| candidates.choose(balance, &cluster.endpoints, |key, _| Some(*key) != avoid))
        .or_else(|| candidates.choose(balance, &cluster.endpoints, |_, _| true))
}

struct Candidates<'a> {
    endpoints: &'a mut slotmap::SlotMap<EndpointKey, Endpoint>,
    next: &'a mut usize,
}

impl Candidates<'_> {
    fn choose(
        &mut self,
        balance: Balance,
        keys: &[EndpointKey],
        usable: impl Fn(&EndpointKey, &Endpoint) -> bool,
    ) -> Option<EndpointKey> {
        let is_usable = |endpoints: &slotmap::SlotMap<EndpointKey, Endpoint>, key: &EndpointKey| {
            endpoints.get(*key).is_some_and(|endpoint| usable(key, endpoint))
        };
        match balance {
            Balance::LeastRequest => self.least_loaded(keys, is_usable),
            Balance::RoundRobin if self.equal_weights(keys) => {
                let count = keys.len();
                let start = *self.next;
                let found = (0..count)
                    .map(|i| (start + i) % count)
                    .find(|i| keys.get(*i).is_some_and(|key| is_usable(self.endpoints, key)))?;
                *self.next = (found + 1) % count;
                keys.get(found).copied()
            }
            Balance::RoundRobin => self.richest(keys, is_usable),
        }
    }

    fn equal_weights(&self, keys: &[EndpointKey]) -> bool {
        let mut weights = keys.iter().filter_map(|key| self.endpoints.get(*key)).map(|e| e.weight);
        let first = weights.next();
        weights.all(|weight| Some(weight) == first)
    }

    /// Smooth weighted round robin over the usable endpoints.
    fn richest(
        &mut self,
        keys: &[EndpointKey],
        usable: impl Fn(&slotmap::SlotMap<EndpointKey, Endpoint>, &EndpointKey) -> bool,
    ) -> Option<EndpointKey> {
        let mut total = 0;
        let mut best: Option<(i64, EndpointKey)> = None;
        for key in keys {
            if !usable(self.endpoints, key) {
                continue;
            }
            let Some(endpoint) = self.endpoints.get_mut(*key) else { continue };
            total += i64::from(endpoint.weight);
            endpoint.credit += i64::from(endpoint.weight);
            if best.is_none_or(|(credit, _)| endpoint.credit > credit) {
                best = Some((endpoint.credit, *key));
            }
        }
        let (_, key) = best?;
        self.endpoints.get_mut(key)?.credit -= total;
        Some(key)
    }

    /// The less loaded of two chosen at random; of all, if neither of the two is usable.
    fn least_loaded(
        &self,
        keys: &[EndpointKey],
        usable: impl Fn(&slotmap::SlotMap<EndpointKey, Endpoint>, &EndpointKey) -> bool,
    ) -> Option<EndpointKey> {
        let lighter = |keys: &mut dyn Iterator<Item = &EndpointKey>| {
            keys.filter(|key| usable(self.endpoints, key))
                .filter_map(|key| Some((key, self.endpoints.get(*key)?)))
                .min_by(|(_, a), (_, b)| a.compare_load(b))
                .map(|(key, _)| *key)
        };
        let count = keys.len();
        let first = fastrand::usize(..count.max(1));
        let second = (first + 1 + fastrand::usize(..count.saturating_sub(1).max(1))) % count.max(1);
        let mut two = [keys.get(first), keys.get(second)].into_iter().flatten();
        lighter(&mut two).or_else(|| lighter(&mut keys.iter()))
    }
}
