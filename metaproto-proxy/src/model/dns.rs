//! Endpoints that are known by name.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;

use super::{Endpoint, Invalid, Labels};

/// How names are looked up.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Dns {
    /// The name servers to ask, by UDP, and by TCP where an answer is cut off. If there are none, names
    /// are looked up as the system does: in `/etc/hosts`, then by `/etc/resolv.conf`.
    pub servers: Vec<SocketAddr>,
    /// The longest time between two look-ups of a name; more than zero. An answer that lives less long
    /// is looked up when it ends, though not before [`Dns::MIN_REFRESH`] has passed.
    pub refresh: Duration,
}

impl Dns {
    /// The default of [`refresh`](Dns::refresh): half a minute.
    pub const DEFAULT_REFRESH: Duration = Duration::from_secs(30);
    /// The shortest time between two look-ups of a name, unless [`refresh`](Dns::refresh) is shorter
    /// still: one second.
    pub const MIN_REFRESH: Duration = Duration::from_secs(1);

    /// These name servers instead of the system's, with the default refresh.
    pub fn servers(servers: impl IntoIterator<Item = SocketAddr>) -> Self {
        Dns { servers: servers.into_iter().collect(), ..Dns::default() }
    }

    /// When to look up again what has just been found, and lives for `ttl`.
    pub(crate) fn next(&self, ttl: Duration) -> Duration {
        ttl.clamp(self.shortest(), self.refresh)
    }

    /// When to look up again what could not be found `failures` times in a row.
    pub(crate) fn retry(&self, failures: u32) -> Duration {
        let growing = self.shortest().saturating_mul(1 << failures.saturating_sub(1).min(16));
        growing.min(self.refresh)
    }

    fn shortest(&self) -> Duration {
        Self::MIN_REFRESH.min(self.refresh)
    }
}

impl Default for Dns {
    fn default() -> Self {
        Dns { servers: Vec::new(), refresh: Self::DEFAULT_REFRESH }
    }
}

/// The longest label of a name, and the longest name, in bytes (RFC 1035, 2.3.4).
const LONGEST: (usize, usize) = (63, 253);

/// Looks for names that no name server could know, and that would add up to nothing.
pub(super) fn validate_names(names: &[Name], path: &str) -> Result<(), Invalid> {
    for (i, name) in names.iter().enumerate() {
        let (Target::Host { host: text, .. } | Target::Service(text)) = &name.target;
        let bare = text.strip_suffix('.').unwrap_or(text);
        let is_label = |label: &str| (1..=LONGEST.0).contains(&label.len());
        if bare.len() > LONGEST.1
            || !bare.split('.').all(is_label)
            || bare.contains(|c: char| c.is_whitespace() || c.is_control())
        {
            let reason = format!("{text:?} is no name that the DNS could know");
            return Err(Invalid::new(format!("{path}.names[{i}].target"), reason));
        }
        if name.weight == 0 {
            let reason = "must be at least 1; leave the endpoint out instead";
            return Err(Invalid::new(format!("{path}.names[{i}].weight"), reason));
        }
    }
    Ok(())
}

/// Looks for what can't work.
pub(super) fn validate(dns: &Dns) -> Result<(), Invalid> {
    if dns.refresh.is_zero() {
        return Err(Invalid::new("dns.refresh", "must be more than zero"));
    }
    Ok(())
}

/// What is looked up.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Target {
    /// The A records of a host; if it has none, the AAAA records.
    Host {
        /// The host's name.
        host: String,
        /// The port of each of its addresses.
        port: u16,
    },
    /// The SRV records of a service, like `_rpc._tcp.users.example`, and the addresses of the hosts
    /// that they name.
    Service(String),
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Target::Host { host, port } => write!(f, "{host}:{port}"),
            Target::Service(name) => f.write_str(name),
        }
    }
}

/// One address that a name stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Found {
    /// Its level among the addresses of the name: 0 is the first. Those of a host are all 0.
    pub priority: u32,
    /// The address, with its port.
    pub address: SocketAddr,
    /// Its weight; those of a host are 1.
    pub weight: u32,
}

/// A name that stands for endpoints of a cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Name {
    /// What is looked up.
    pub target: Target,
    /// Multiplies the weight of each endpoint; at least 1.
    pub weight: u32,
    /// Is added to the priority of each endpoint.
    pub priority: u32,
    /// The labels of each endpoint.
    pub labels: Labels,
    found: Vec<Endpoint>,
}

impl Name {
    /// The addresses of a host, with this port.
    pub fn host(host: impl Into<String>, port: u16) -> Self {
        Name::of(Target::Host { host: host.into(), port })
    }

    /// The servers of a service, as SRV records tell them (RFC 2782): their priorities count from 0 on,
    /// and a weight of 0 counts as 1.
    pub fn service(name: impl Into<String>) -> Self {
        Name::of(Target::Service(name.into()))
    }

    fn of(target: Target) -> Self {
        Name { target, weight: 1, priority: 0, labels: Labels::new(), found: Vec::new() }
    }

    /// The endpoints that it stands for, as far as it has been looked up.
    #[must_use]
    pub fn endpoints(&self) -> &[Endpoint] {
        &self.found
    }

    /// Has it stand for these addresses.
    fn find(&mut self, found: &[Found]) {
        let endpoint = |found: &Found| {
            let mut endpoint = Endpoint::new(found.address)
                .weight(found.weight.saturating_mul(self.weight))
                .priority(found.priority.saturating_add(self.priority));
            endpoint.labels.clone_from(&self.labels);
            endpoint
        };
        self.found = found.iter().map(endpoint).collect();
    }
}

impl super::Snapshot {
    /// What has to be looked up, and the clusters that it is for.
    pub(crate) fn targets(&self) -> BTreeMap<Target, BTreeSet<String>> {
        let mut targets: BTreeMap<Target, BTreeSet<String>> = BTreeMap::new();
        for cluster in self.clusters.values() {
            for name in &cluster.names {
                targets.entry(name.target.clone()).or_default().insert(cluster.name.clone());
            }
        }
        targets
    }

    /// Whether `target` has to be looked up.
    pub(crate) fn has(&self, target: &Target) -> bool {
        let mut names = self.clusters.values().flat_map(|cluster| &cluster.names);
        names.any(|name| name.target == *target)
    }

    /// The same with what has been found; names that nothing is known of stay as they are. `None` if it
    /// would be the same. Clusters that stay the same are shared.
    pub(crate) fn found<'a>(
        &self,
        known: impl Fn(&Target) -> Option<&'a [Found]>,
    ) -> Option<super::Snapshot> {
        let mut changed = Vec::new();
        for (key, cluster) in &self.clusters {
            let mut names = cluster.names.clone();
            for name in &mut names {
                if let Some(found) = known(&name.target) {
                    name.find(found);
                }
            }
            if names != cluster.names {
                let cluster = super::Cluster { names, ..(**cluster).clone() };
                changed.push((key.clone(), std::sync::Arc::new(cluster)));
            }
        }
        if changed.is_empty() {
            return None;
        }
        let mut snapshot = self.clone();
        snapshot.clusters.extend(changed);
        Some(snapshot)
    }
}
