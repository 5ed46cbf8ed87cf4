//! What a snapshot wants to be checked.

use std::collections::{BTreeSet, HashMap};
use std::net::SocketAddr;
use std::sync::Arc;

use metaproto_core::Protocol;

use crate::model::{HealthCheck, Snapshot};
use crate::reload::{self, identity};

/// An endpoint of a cluster, as one protocol uses it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Target {
    /// The name of its cluster.
    pub(crate) cluster: String,
    /// What its protocol looks like.
    pub(crate) protocol: String,
    pub(crate) address: SocketAddr,
}

/// How an endpoint is to be checked.
#[derive(Debug, Clone)]
pub(super) struct Plan {
    pub(super) policy: HealthCheck,
    pub(super) protocol: Arc<dyn Protocol>,
    /// The largest frame that it may send, in bytes.
    pub(super) max_frame: usize,
}

impl PartialEq for Plan {
    /// The protocol is part of what is checked, so it is always the same.
    fn eq(&self, other: &Self) -> bool {
        (self.policy, self.max_frame) == (other.policy, other.max_frame)
    }
}

/// What is to be checked: the endpoints of all clusters that routes lead to. Where listeners differ in
/// their limits the first counts.
pub(super) fn plans(snapshot: &Snapshot) -> HashMap<Arc<Target>, Plan> {
    let mut plans = HashMap::new();
    for listener in &snapshot.listeners {
        let targets = listener.routes.iter().flat_map(|route| reload::targets(route));
        let names: BTreeSet<_> = targets.map(|(name, ..)| name).collect();
        for cluster in names.into_iter().filter_map(|name| snapshot.clusters.get(name)) {
            let Some(policy) = cluster.health_check else { continue };
            // A protocol that refuses the options was refused with the configuration.
            let Ok(protocol) = cluster.protocol(&listener.protocol) else { continue };
            let looks = identity(&*protocol);
            let plan = Plan { policy, protocol, max_frame: listener.limits.max_frame };
            for endpoint in cluster.all_endpoints() {
                let target = Target {
                    cluster: cluster.name.clone(),
                    protocol: looks.clone(),
                    address: endpoint.address,
                };
                plans.entry(Arc::new(target)).or_insert_with(|| plan.clone());
            }
        }
    }
    plans
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Check, Cluster, Listener, Route};
    use crate::tests::toy::Toy;

    #[test]
    fn a_cluster_is_checked_once_in_its_own_dialect_whoever_leads_to_it() {
        let (front, back) = (([127, 0, 0, 1], 1).into(), ([127, 0, 0, 1], 2).into());
        let toy = Arc::new(Toy { translates: true, ..Toy::default() });
        let listener = |name: &str| {
            let listener = Listener::new(name, front, toy.clone());
            listener.route(Route::to("c")).route(Route::split([("c", 1), ("unchecked", 1)]))
        };
        let mut cluster = Cluster::new("c", [back]);
        cluster.health_check = Some(HealthCheck::new(Check::Ping));
        cluster.options.insert("reversed".to_owned(), String::new());
        let mut unused = cluster.clone();
        unused.name = "unused".to_owned();
        let snapshot = Snapshot::new().listener(listener("a")).listener(listener("b"));
        let snapshot =
            snapshot.cluster(cluster).cluster(unused).cluster(Cluster::new("unchecked", [back]));
        let plans: Vec<_> = plans(&snapshot).into_iter().collect();
        let [(target, plan)] = plans.as_slice() else { panic!("{plans:?}") };
        assert_eq!((target.cluster.as_str(), target.address), ("c", back));
        assert!(target.protocol.contains("reversed: true"), "{}", target.protocol);
        assert_eq!(identity(&*plan.protocol), target.protocol);
    }
}
