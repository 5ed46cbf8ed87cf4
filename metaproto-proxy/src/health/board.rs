//! What all workers know of the health of endpoints.

use std::collections::{HashMap, HashSet};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::Target;

/// The unhealthy endpoints by cluster and protocol.
type Unhealthy = HashMap<(String, String), HashSet<SocketAddr>>;

/// The endpoints that have failed their checks. Written by one worker, read by all when something has
/// changed.
#[derive(Debug, Clone, Default)]
pub(super) struct Board(Arc<Mutex<Unhealthy>>);

impl Board {
    /// Puts an endpoint on the board, or takes it off.
    pub(super) fn set(&self, target: &Target, healthy: bool) {
        let mut all = self.lock();
        let cluster = (target.cluster.clone(), target.protocol.clone());
        let of_cluster = all.entry(cluster.clone()).or_default();
        match healthy {
            true => of_cluster.remove(&target.address),
            false => of_cluster.insert(target.address),
        };
        if of_cluster.is_empty() {
            all.remove(&cluster);
        }
    }

    /// Whether an endpoint is unhealthy.
    pub(super) fn has(&self, target: &Target) -> bool {
        let cluster = (target.cluster.clone(), target.protocol.clone());
        self.lock().get(&cluster).is_some_and(|all| all.contains(&target.address))
    }

    /// The unhealthy endpoints of a cluster, as the protocol that looks like this uses it.
    pub(super) fn of(&self, cluster: &str, protocol: &str) -> HashSet<SocketAddr> {
        let cluster = (cluster.to_owned(), protocol.to_owned());
        self.lock().get(&cluster).cloned().unwrap_or_default()
    }

    fn lock(&self) -> MutexGuard<'_, Unhealthy> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
