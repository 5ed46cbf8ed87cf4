//! Another snapshot, taken on whole while requests are in flight.
//!
//! What stays keeps its connections: listeners by name, address and protocol; clusters by name,
//! subset and protocol; endpoints by address. What goes is let go: its sockets are closed, its connections end
//! when they have nothing in flight.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;

use metaproto_core::{Interest, Protocol};
use tokio::time::Instant;

use crate::cluster::{Cluster, Latency, Traffic};
use crate::downstream::{self, Listener};
use crate::health;
use crate::model::{self, Balance, Labels, Snapshot};
use crate::route::RouteTable;
use crate::sockets::Sockets;
use crate::upstream::{self, Endpoint};
use crate::worker::{ClusterKey, SharedWorker, Worker};

/// Names a cluster, or a subset of it, as one protocol uses it, with one set of options. A subset is a
/// cluster of its own: it has its own connections, and is balanced for itself. So is what gets copies.
type ClusterName = (String, Labels, Traffic, String);

/// What the calls of `listener` to a subset of the cluster `model` use, or the copies of them.
fn cluster_name(
    model: &model::Cluster,
    subset: &Labels,
    traffic: Traffic,
    listener: &model::Listener,
) -> ClusterName {
    let protocol = model.protocol(&listener.protocol);
    let protocol = protocol.unwrap_or_else(|_| listener.protocol.clone());
    (model.name.clone(), subset.clone(), traffic, identity(&*protocol))
}

/// What a protocol and its options look like: protocols that differ must not share connections.
pub(crate) fn identity(protocol: &dyn Protocol) -> String {
    format!("{} {protocol:?}", protocol.name())
}

/// Has the worker run on `snapshot` from now on; `sockets` are those of listeners that are new.
pub(crate) fn apply(worker: &SharedWorker, snapshot: Arc<Snapshot>, sockets: Sockets) {
    {
        let worker = &mut *worker.borrow_mut();
        worker.read_clock();
        retire_listeners(worker, &snapshot);
        let clusters = apply_clusters(worker, &snapshot);
        for listener in &snapshot.listeners {
            apply_listener(worker, listener, (&snapshot, &clusters));
        }
        retire_clusters(worker, &clusters);
        health::apply(worker, &snapshot);
        worker.snapshot = snapshot;
    }
    for socket in sockets {
        let listener = worker.borrow().listeners.get(&socket.name).cloned();
        if let Some(listener) = listener {
            downstream::accept(worker, &listener, socket);
        }
    }
}

/// Lets those listeners go that are not in the snapshot, or not as they were.
fn retire_listeners(worker: &mut Worker, snapshot: &Snapshot) {
    let stays = |listener: &Listener| {
        snapshot.listeners.iter().any(|new| {
            let old = &listener.model;
            new.name == old.name
                && new.address == old.address
                && new.protocol.name() == old.protocol.name()
        })
    };
    let gone: Vec<_> = worker
        .listeners
        .iter()
        .filter(|(_, listener)| !stays(&listener.borrow()))
        .map(|(name, _)| name.clone())
        .collect();
    for name in gone {
        if let Some(listener) = worker.listeners.remove(&name) {
            downstream::drain_listener(worker, &listener);
            worker.retired.push(listener);
        }
    }
}

fn apply_listener(
    worker: &mut Worker,
    model: &Arc<model::Listener>,
    (snapshot, clusters): (&Snapshot, &HashMap<ClusterName, ClusterKey>),
) {
    let name = model.name.clone();
    let listener = worker
        .listeners
        .entry(name)
        .or_insert_with(|| Rc::new(RefCell::new(Listener::new(model.clone()))))
        .clone();
    let before = listener.borrow().routes.clone();
    let routes = RouteTable::new(&model.routes, &before, |cluster, subset, traffic| {
        let cluster = snapshot.clusters.get(cluster)?;
        let key = *clusters.get(&cluster_name(cluster, subset, traffic, model))?;
        Some((key, worker.clusters.get(key)?.model.clone()))
    });
    // A filter may ask for anything.
    let interest = if worker.filters.is_empty() { routes.interest() } else { Interest::All };
    let interest = Arc::new(interest);
    {
        let mut listener = listener.borrow_mut();
        listener.model = model.clone();
        listener.routes = Rc::new(routes);
        listener.interest = interest.clone();
    }
    for client in worker.downstreams.values_mut() {
        if Rc::ptr_eq(&client.listener, &listener) {
            client.codec.set_interest(&interest);
        }
    }
}

/// Everything that a route leads to.
pub(crate) fn targets(route: &model::Route) -> impl Iterator<Item = (&str, &Labels, Traffic)> {
    let calls = route.clusters.iter().map(|t| (t.cluster.as_str(), &t.subset, Traffic::Calls));
    calls.chain(route.mirrors.iter().map(|m| (m.cluster.as_str(), &m.subset, Traffic::Copies)))
}

/// Takes on the clusters that listeners lead to.
fn apply_clusters(worker: &mut Worker, snapshot: &Snapshot) -> HashMap<ClusterName, ClusterKey> {
    let mut known: HashMap<ClusterName, ClusterKey> = worker
        .clusters
        .iter()
        .map(|(key, c)| {
            let (name, subset) = (c.model.name.clone(), c.subset.clone());
            ((name, subset, c.traffic, identity(&*c.protocol)), key)
        })
        .collect();
    let mut used = HashMap::new();
    for listener in &snapshot.listeners {
        let targets = listener.routes.iter().flat_map(|route| targets(route));
        for (cluster, subset, traffic) in targets {
            let Some(model) = snapshot.clusters.get(cluster) else { continue };
            let name = cluster_name(model, subset, traffic, listener);
            if used.contains_key(&name) {
                continue;
            }
            let key = match known.remove(&name) {
                Some(key) => {
                    // Nothing to do for a cluster that stays as it is, as most do when names move.
                    let is_same = |c: &Cluster| c.is_up_to_date(model, listener);
                    if worker.clusters.get(key).is_some_and(is_same) {
                        used.insert(name, key);
                        continue;
                    }
                    key
                }
                None => {
                    let new = Cluster::new(model.clone(), subset.clone(), traffic, listener);
                    worker.clusters.insert(new)
                }
            };
            if let Some(cluster) = worker.clusters.get_mut(key) {
                let before = cluster.sharing;
                cluster.update(model.clone(), listener);
                cluster.limit(&worker.load.process.usages);
                let changed = cluster.sharing != before;
                apply_endpoints(worker, key, changed);
            }
            used.insert(name, key);
        }
    }
    used
}

/// Gives a cluster the endpoints of its configuration. Endpoints that stay keep their connections,
/// unless these are now used in another way.
fn apply_endpoints(worker: &mut Worker, key: ClusterKey, sharing_changed: bool) {
    let Some(cluster) = worker.clusters.get_mut(key) else { return };
    let mut old = std::mem::take(&mut cluster.endpoints);
    let (wanted, changed, balance) =
        (cluster.wanted(), cluster.changed.clone(), cluster.model.balance);
    let mut endpoints = Vec::with_capacity(wanted.len());
    for model in wanted {
        let kept = old.iter().position(|k| {
            worker.endpoints.get(*k).is_some_and(|endpoint| endpoint.address == model.address)
        });
        let endpoint = match kept.map(|position| old.swap_remove(position)) {
            Some(endpoint) => endpoint,
            None => worker.endpoints.insert(Endpoint::new(key, model.address, changed.clone())),
        };
        if let Some(endpoint) = worker.endpoints.get_mut(endpoint) {
            endpoint.latency = latency(endpoint.latency, balance, worker.now);
        }
        if sharing_changed {
            upstream::retire_all(worker, endpoint);
        }
        upstream::connect_more(worker, endpoint);
        endpoints.push((endpoint, model));
    }
    if let Some(cluster) = worker.clusters.get_mut(key) {
        cluster.set_endpoints(&endpoints, &mut worker.endpoints, worker.now);
    }
    for endpoint in old {
        upstream::remove_endpoint(worker, endpoint);
    }
}

/// What is known of an endpoint's latency, if the balancing asks for it.
fn latency(known: Option<Latency>, balance: Balance, now: Instant) -> Option<Latency> {
    let Balance::PeakEwma { decay } = balance else { return None };
    Some(known.map_or_else(|| Latency::new(decay, now), |known| known.with_decay(decay)))
}

/// Lets the clusters go that no listener leads to. Clients of a retired listener may still need
/// theirs, and so may calls, so the clusters go when these have gone: see [`collect`].
fn retire_clusters(worker: &mut Worker, used: &HashMap<ClusterName, ClusterKey>) {
    let keep: Vec<_> = used.values().copied().collect();
    worker.unused_clusters = worker.clusters.keys().filter(|key| !keep.contains(key)).collect();
    collect(worker);
}

/// Whether there are calls to a cluster: they may wait for a connection to it, or be tried again.
fn has_calls(worker: &Worker, key: ClusterKey) -> bool {
    let active = worker.clusters.get(key).is_some_and(|cluster| cluster.counters.active > 0);
    active || worker.later.leads_to(key)
}

/// Forgets retired listeners without clients, and then the clusters that nobody uses. What they have
/// counted is kept.
pub(crate) fn collect(worker: &mut Worker) {
    let counters = &mut worker.counters;
    worker.retired.retain(|listener| {
        let in_use = Rc::strong_count(listener) > 1;
        if !in_use {
            let mut listener = listener.borrow_mut();
            // As it was last measured.
            listener.counters.buffered = 0;
            let sum = counters.listeners.entry(listener.model.name.clone()).or_default();
            sum.merge(&listener.counters);
        }
        in_use
    });
    if !worker.retired.is_empty() {
        return;
    }
    for key in std::mem::take(&mut worker.unused_clusters) {
        if has_calls(worker, key) {
            worker.unused_clusters.push(key);
            continue;
        }
        let endpoints = worker.clusters.get_mut(key).map(|c| std::mem::take(&mut c.endpoints));
        for endpoint in endpoints.unwrap_or_default() {
            upstream::remove_endpoint(worker, endpoint);
        }
        let busy = worker.endpoints.values().any(|endpoint| endpoint.cluster == key);
        if busy {
            worker.unused_clusters.push(key);
        } else if let Some(mut cluster) = worker.clusters.remove(key) {
            cluster.counters.buffered = 0;
            let sum = worker.counters.clusters.entry(cluster.model.name.clone()).or_default();
            sum.merge(&cluster.counters);
        }
    }
}
