//! Everything that the engine runs on at one time.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::Arc;

use metaproto_core::{Change, Correlation, Mutation, Protocol, Sharing};

use super::{Cluster, Listener, Route};

/// All listeners and clusters of a proxy at one time. Applied whole.
#[derive(Debug, Clone, Default)]
pub struct Snapshot {
    /// The listeners, in the order of their configuration.
    pub listeners: Vec<Arc<Listener>>,
    /// The clusters by name.
    pub clusters: BTreeMap<String, Arc<Cluster>>,
}

/// Why a snapshot can't be run, and where, in the form `listeners[0].routes[2].clusters[1].cluster`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{path}: {reason}")]
pub struct Invalid {
    /// The path of the key that is wrong.
    pub path: String,
    /// What is wrong with it, and what would be right.
    pub reason: String,
}

impl Invalid {
    /// A fault at `path`.
    pub fn new(path: impl Into<String>, reason: impl Into<String>) -> Self {
        Invalid { path: path.into(), reason: reason.into() }
    }
}

impl Snapshot {
    /// An empty snapshot.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The simple case: one listener whose calls all go to these endpoints.
    pub fn forward(
        address: SocketAddr,
        protocol: Arc<dyn Protocol>,
        endpoints: impl IntoIterator<Item = SocketAddr>,
    ) -> Self {
        let name = protocol.name().to_owned();
        Snapshot::new()
            .listener(Listener::new(name, address, protocol).route(Route::to("upstream")))
            .cluster(Cluster::new("upstream", endpoints))
    }

    /// The same with a further listener.
    #[must_use]
    pub fn listener(mut self, listener: Listener) -> Self {
        self.listeners.push(Arc::new(listener));
        self
    }

    /// The same with a further cluster; replaces one of the same name.
    #[must_use]
    pub fn cluster(mut self, cluster: Cluster) -> Self {
        self.clusters.insert(cluster.name.clone(), Arc::new(cluster));
        self
    }

    /// Looks for what can't work: dangling names, properties that the protocol does not have,
    /// combinations that it can't do.
    ///
    /// # Errors
    /// The first fault, with the path of the key that is wrong.
    pub fn validate(&self) -> Result<(), Invalid> {
        let mut names = BTreeSet::new();
        for (i, listener) in self.listeners.iter().enumerate() {
            let path = format!("listeners[{i}]");
            if !names.insert(&listener.name) {
                let reason = format!("there is another listener named {:?}", listener.name);
                return Err(Invalid::new(format!("{path}.name"), reason));
            }
            self.validate_listener(listener, &path)?;
        }
        for (name, cluster) in &self.clusters {
            if let Some(i) = cluster.endpoints.iter().position(|e| e.weight == 0) {
                let path = format!("clusters.{name}.endpoints[{i}].weight");
                return Err(Invalid::new(
                    path,
                    "must be at least 1; leave the endpoint out instead",
                ));
            }
        }
        Ok(())
    }

    fn validate_listener(&self, listener: &Listener, path: &str) -> Result<(), Invalid> {
        for (i, route) in listener.routes.iter().enumerate() {
            let path = format!("{path}.routes[{i}]");
            let protocol = listener.protocol.as_ref();
            for (j, matcher) in route.matchers.iter().enumerate() {
                let known = protocol.capabilities().properties.support(&matcher.property).is_some();
                if !known && !matcher.property.eq_ignore_ascii_case("operation") {
                    let reason = no_property(protocol, &matcher.property);
                    return Err(Invalid::new(format!("{path}.match[{j}].property"), reason));
                }
            }
            for (key, mutation) in [("request", &route.request), ("response", &route.response)] {
                validate_mutation(protocol, mutation, &format!("{path}.{key}"))?;
            }
            self.validate_targets(protocol, route, &path)?;
        }
        Ok(())
    }

    fn validate_targets(
        &self,
        protocol: &dyn Protocol,
        route: &Route,
        path: &str,
    ) -> Result<(), Invalid> {
        if route.clusters.iter().all(|target| target.weight == 0) {
            return Err(Invalid::new(path, "no cluster has a weight above zero"));
        }
        for (j, target) in route.clusters.iter().enumerate() {
            let Some(cluster) = self.clusters.get(&target.cluster) else {
                let path = format!("{path}.clusters[{j}].cluster");
                return Err(Invalid::new(path, self.no_cluster(&target.cluster)));
            };
            validate_sharing(protocol, cluster)?;
        }
        Ok(())
    }

    fn no_cluster(&self, name: &str) -> String {
        let known: Vec<_> = self.clusters.keys().map(String::as_str).collect();
        match known.as_slice() {
            [] => format!("no cluster named {name:?}; there are no clusters"),
            known => format!("no cluster named {name:?}; there are: {}", known.join(", ")),
        }
    }
}

fn validate_sharing(protocol: &dyn Protocol, cluster: &Cluster) -> Result<(), Invalid> {
    let by_order = protocol.capabilities().correlation == Correlation::Order;
    if cluster.sharing == Some(Sharing::Shared) && by_order {
        let reason = format!(
            "{} has no request ids, so clients can't share a connection; \
             use exclusive or bound",
            protocol.name()
        );
        return Err(Invalid::new(format!("clusters.{}.upstream_mode", cluster.name), reason));
    }
    Ok(())
}

fn validate_mutation(
    protocol: &dyn Protocol,
    mutation: &Mutation,
    path: &str,
) -> Result<(), Invalid> {
    for change in mutation.changes() {
        let (name, verb) = (change.name(), change.verb());
        let path = format!("{path}.{verb}.{name}");
        let Some(support) = protocol.capabilities().properties.support(name) else {
            return Err(Invalid::new(path, no_property(protocol, name)));
        };
        let possible = match change {
            Change::Set { .. } => support.set,
            Change::Append { .. } => support.append,
            Change::Remove { .. } => support.remove,
            _ => false,
        };
        if !possible {
            let reason = format!("{} can't {verb} the property {name:?}", protocol.name());
            return Err(Invalid::new(path, reason));
        }
    }
    Ok(())
}

fn no_property(protocol: &dyn Protocol, name: &str) -> String {
    let schema = protocol.capabilities().properties;
    let known: Vec<_> = schema.known.iter().map(|p| p.name.as_str()).collect();
    let name = format!("{} has no property {name:?}", protocol.name());
    if known.is_empty() { name } else { format!("{name}; it has: {}", known.join(", ")) }
}
