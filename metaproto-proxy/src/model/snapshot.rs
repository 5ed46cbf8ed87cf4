//! Everything that the engine runs on at one time.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::Arc;

use metaproto_core::{Change, Correlation, Mutation, Protocol, Sharing};

use super::{
    Cluster, Dns, HashKey, Keepalive, Listener, Matcher, OutlierDetection, Overload, Predicate,
    Route,
};

/// All listeners and clusters of a proxy at one time. Applied whole.
#[derive(Debug, Clone, Default)]
pub struct Snapshot {
    /// The listeners, in the order of their configuration.
    pub listeners: Vec<Arc<Listener>>,
    /// The clusters by name.
    pub clusters: BTreeMap<String, Arc<Cluster>>,
    /// How the names of clusters are looked up.
    pub dns: Dns,
    /// Bounds of the whole process.
    pub overload: Overload,
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

    /// The same with other bounds of the process.
    #[must_use]
    pub fn overload(mut self, overload: Overload) -> Self {
        self.overload = overload;
        self
    }

    /// Looks for what can't work: dangling names, properties that the protocol does not have,
    /// combinations that it can't do.
    ///
    /// # Errors
    /// The first fault, with the path of the key that is wrong.
    pub fn validate(&self) -> Result<(), Invalid> {
        let Overload { max_memory, max_connections } = self.overload;
        let bounds = [
            ("max_memory", max_memory.unwrap_or(1)),
            ("max_connections", max_connections.unwrap_or(1)),
        ];
        validate_bounds(&bounds, "overload")?;
        let mut names = BTreeSet::new();
        let mut addresses: BTreeMap<SocketAddr, usize> = BTreeMap::new();
        for (i, listener) in self.listeners.iter().enumerate() {
            let path = format!("listeners[{i}]");
            if !names.insert(&listener.name) {
                let reason = format!("there is another listener named {:?}", listener.name);
                return Err(Invalid::new(format!("{path}.name"), reason));
            }
            let earlier = addresses.insert(listener.address, i);
            if let Some(earlier) = earlier.filter(|_| listener.address.port() != 0) {
                let reason = format!("listeners[{earlier}] has {} already", listener.address);
                return Err(Invalid::new(format!("{path}.address"), reason));
            }
            self.validate_listener(listener, &path)?;
        }
        for (name, cluster) in &self.clusters {
            validate_cluster(cluster, &format!("clusters.{name}"))?;
        }
        super::dns::validate(&self.dns)
    }

    fn validate_listener(&self, listener: &Listener, path: &str) -> Result<(), Invalid> {
        let bounds = [
            ("max_frame", listener.limits.max_frame),
            ("max_connections", listener.max_connections),
            ("max_in_flight", listener.max_in_flight),
            ("buffer", listener.buffer),
            ("max_buffer", listener.max_buffer),
        ];
        validate_bounds(&bounds, path)?;
        if listener.buffer > listener.max_buffer {
            let reason = format!(
                "{} bytes are more than max_buffer, which is {}",
                listener.buffer, listener.max_buffer
            );
            return Err(Invalid::new(format!("{path}.buffer"), reason));
        }
        for (i, route) in listener.routes.iter().enumerate() {
            let path = format!("{path}.routes[{i}]");
            let protocol = &listener.protocol;
            for (j, matcher) in route.matchers.iter().enumerate() {
                validate_matcher(&**protocol, matcher, &format!("{path}.match[{j}]"))?;
            }
            for (key, mutation) in [("request", &route.request), ("response", &route.response)] {
                validate_mutation(&**protocol, mutation, &format!("{path}.{key}"))?;
            }
            validate_retry(route, &path)?;
            self.validate_targets(protocol, route, &path)?;
        }
        Ok(())
    }

    fn validate_targets(
        &self,
        listener: &Arc<dyn Protocol>,
        route: &Route,
        path: &str,
    ) -> Result<(), Invalid> {
        if route.clusters.iter().all(|target| target.weight == 0) {
            return Err(Invalid::new(path, "no cluster has a weight above zero"));
        }
        let mut any_by_hash = false;
        for (j, target) in route.clusters.iter().enumerate() {
            let path = format!("{path}.clusters[{j}]");
            let (cluster, _) = self.validate_target(listener, route, &target.cluster, &path)?;
            any_by_hash |= cluster.balance.is_by_hash();
        }
        for (j, mirror) in route.mirrors.iter().enumerate() {
            let path = format!("{path}.mirror[{j}]");
            let (cluster, protocol) =
                self.validate_target(listener, route, &mirror.cluster, &path)?;
            super::mirror::validate(mirror, cluster, &*protocol, &path)?;
            any_by_hash |= cluster.balance.is_by_hash();
        }
        validate_keys(&**listener, &route.hash, &format!("{path}.hash"))?;
        validate_keys(&**listener, &route.sticky, &format!("{path}.sticky"))?;
        if !route.hash.is_empty() && !any_by_hash {
            let reason = "no cluster of the route chooses by hash; leave it out";
            return Err(Invalid::new(format!("{path}.hash"), reason));
        }
        if !route.sticky.is_empty() && route.clusters.len() == 1 {
            let reason = "there is one cluster only, so nothing to decide; leave it out";
            return Err(Invalid::new(format!("{path}.sticky"), reason));
        }
        Ok(())
    }

    /// Looks at a cluster that a route leads to, by the name at `path`. Hands it back.
    fn validate_target(
        &self,
        listener: &Arc<dyn Protocol>,
        route: &Route,
        name: &str,
        path: &str,
    ) -> Result<Target<'_>, Invalid> {
        let Some(cluster) = self.clusters.get(name) else {
            return Err(Invalid::new(format!("{path}.cluster"), self.no_cluster(name)));
        };
        let protocol = cluster.protocol(listener).map_err(|error| {
            let path = format!("clusters.{}.options.{}", cluster.name, error.option);
            Invalid::new(path, error.reason)
        })?;
        validate_sharing(&*protocol, cluster)?;
        validate_keepalive(&*protocol, cluster)?;
        super::health::validate_protocol(&*protocol, cluster)?;
        let keys = format!("clusters.{}.hash", cluster.name);
        validate_keys(&**listener, &cluster.hash, &keys)?;
        if cluster.balance.is_by_hash() && cluster.hash.is_empty() && route.hash.is_empty() {
            let reason = "chooses by hash and has no key; give it one, as `hash`";
            return Err(Invalid::new(format!("clusters.{}", cluster.name), reason));
        }
        Ok((cluster, protocol))
    }

    fn no_cluster(&self, name: &str) -> String {
        let known: Vec<_> = self.clusters.keys().map(String::as_str).collect();
        match known.as_slice() {
            [] => format!("no cluster named {name:?}; there are no clusters"),
            known => format!("no cluster named {name:?}; there are: {}", known.join(", ")),
        }
    }
}

/// A cluster that a route leads to, and the protocol of its connections.
type Target<'a> = (&'a Cluster, Arc<dyn Protocol>);

/// None of these may be zero: nothing would get through.
fn validate_bounds(bounds: &[(&str, usize)], path: &str) -> Result<(), Invalid> {
    match bounds.iter().find(|(_, value)| *value == 0) {
        Some((key, _)) => Err(Invalid::new(format!("{path}.{key}"), "must be at least 1")),
        None => Ok(()),
    }
}

fn validate_cluster(cluster: &Cluster, path: &str) -> Result<(), Invalid> {
    if let Some(i) = cluster.endpoints.iter().position(|e| e.weight == 0) {
        let path = format!("{path}.endpoints[{i}].weight");
        return Err(Invalid::new(path, "must be at least 1; leave the endpoint out instead"));
    }
    super::dns::validate_names(&cluster.names, path)?;
    super::balance::validate(cluster, path)?;
    if cluster.connect_timeout.is_zero() {
        return Err(Invalid::new(format!("{path}.connect_timeout"), "must be more than zero"));
    }
    if let Keepalive::On(times) = cluster.keepalive {
        let zero = [("interval", times.interval), ("timeout", times.timeout)];
        if let Some((key, _)) = zero.iter().find(|(_, time)| time.is_zero()) {
            let reason = "must be more than zero; `keepalive: off` sends no pings";
            return Err(Invalid::new(format!("{path}.keepalive.{key}"), reason));
        }
    }
    super::health::validate(cluster, path)?;
    super::circuit::validate(cluster, path)?;
    if let Some(policy) = &cluster.outlier_detection {
        validate_outliers(policy, &format!("{path}.outlier_detection"))?;
    }
    let bounds = [
        ("connections", cluster.connections),
        ("max_connections", cluster.max_connections),
        ("max_mirrored", cluster.max_mirrored),
    ];
    validate_bounds(&bounds, path)
}

fn validate_matcher(protocol: &dyn Protocol, matcher: &Matcher, path: &str) -> Result<(), Invalid> {
    validate_property(protocol, &matcher.property, path)?;
    match matcher.predicate {
        Predicate::Range { start, end } if start >= end => {
            let reason = format!("no number is at least {start} and less than {end}");
            Err(Invalid::new(format!("{path}.range"), reason))
        }
        _ => Ok(()),
    }
}

fn validate_retry(route: &Route, path: &str) -> Result<(), Invalid> {
    if let Some(retry) = &route.retry {
        if retry.on.is_empty() {
            let reason = "needs at least one reason to try again";
            return Err(Invalid::new(format!("{path}.retry.on"), reason));
        }
        if retry.attempts == 0 {
            let reason = "must be at least 1; leave retry out instead";
            return Err(Invalid::new(format!("{path}.retry.attempts"), reason));
        }
        if retry.per_try_timeout.is_some_and(|time| time.is_zero()) {
            let reason = "must be more than zero";
            return Err(Invalid::new(format!("{path}.retry.per_try_timeout"), reason));
        }
    }
    match route.hedge {
        Some(hedge) if hedge.after.is_zero() => {
            Err(Invalid::new(format!("{path}.hedge.after"), "must be more than zero"))
        }
        _ => Ok(()),
    }
}

fn validate_property(protocol: &dyn Protocol, name: &str, path: &str) -> Result<(), Invalid> {
    let known = protocol.capabilities().properties.support(name).is_some();
    if known || name.eq_ignore_ascii_case("operation") {
        return Ok(());
    }
    Err(Invalid::new(format!("{path}.property"), no_property(protocol, name)))
}

fn validate_keys(protocol: &dyn Protocol, keys: &[HashKey], path: &str) -> Result<(), Invalid> {
    for (i, key) in keys.iter().enumerate() {
        if let HashKey::Property(name) = key {
            validate_property(protocol, name, &format!("{path}[{i}]"))?;
        }
    }
    Ok(())
}

fn validate_outliers(policy: &OutlierDetection, path: &str) -> Result<(), Invalid> {
    let times = [("interval", policy.interval), ("ejection_time", policy.ejection_time)];
    if let Some((key, _)) = times.iter().find(|(_, time)| time.is_zero()) {
        return Err(Invalid::new(format!("{path}.{key}"), "must be more than zero"));
    }
    if policy.max_ejection_time < policy.ejection_time {
        let reason = "must not be less than ejection_time";
        return Err(Invalid::new(format!("{path}.max_ejection_time"), reason));
    }
    let shares = [("failure_rate", policy.failure_rate), ("max_ejected", Some(policy.max_ejected))];
    match shares.iter().find(|(_, percent)| percent.is_some_and(|percent| percent > 100)) {
        Some((key, _)) => {
            Err(Invalid::new(format!("{path}.{key}"), "is a share in percent: at most 100"))
        }
        None => Ok(()),
    }
}

fn validate_sharing(protocol: &dyn Protocol, cluster: &Cluster) -> Result<(), Invalid> {
    let capabilities = protocol.capabilities();
    let by_order = capabilities.correlation == Correlation::Order;
    if cluster.sharing == Some(Sharing::Shared) && by_order {
        // A dialect that could be any may be one without ids.
        let remedy = match capabilities.translates {
            true => "use exclusive or bound, or fix a dialect that has ids with `options`",
            false => "use exclusive or bound",
        };
        let reason = format!(
            "{} has no request ids, so clients can't share a connection; {remedy}",
            protocol.name()
        );
        return Err(Invalid::new(format!("clusters.{}.upstream_mode", cluster.name), reason));
    }
    Ok(())
}

fn validate_keepalive(protocol: &dyn Protocol, cluster: &Cluster) -> Result<(), Invalid> {
    if matches!(cluster.keepalive, Keepalive::On(_)) && !protocol.capabilities().ping {
        let reason = format!("{} has no pings; leave it out", protocol.name());
        return Err(Invalid::new(format!("clusters.{}.keepalive", cluster.name), reason));
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
