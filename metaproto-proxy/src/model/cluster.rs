//! Sets of endpoints that serve the same calls.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use super::RetryBudget;
use metaproto_core::{OptionError, Options, Protocol, Sharing};

use super::{
    AdaptiveConcurrency, Balance, CircuitBreakers, HashKey, HealthCheck, Labels, Name,
    OutlierDetection,
};

/// A set of endpoints that serve the same calls.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Cluster {
    /// The name that routes use.
    pub name: String,
    /// The endpoints; may be empty, calls are then answered with an error.
    pub endpoints: Vec<Endpoint>,
    /// Names in the DNS that stand for further endpoints. The proxy looks them up, again and again;
    /// see [`dns`](crate::dns).
    pub names: Vec<Name>,
    /// Options of the protocol for connections to this cluster, on top of the listener's: the dialect
    /// of its endpoints. Only for protocols whose codecs
    /// [translate](metaproto_core::Capabilities::translates).
    pub options: Options,
    /// How an endpoint is chosen for a call.
    pub balance: Balance,
    /// What [`Balance::RingHash`] and [`Balance::Maglev`] hash: the first key that a request has. A
    /// route may have keys of its own. A call without a key goes to any endpoint.
    pub hash: Vec<HashKey>,
    /// Percent: if fewer of the endpoints are usable, calls go to all of them. 0 uses none that is not
    /// usable; at most 100. With several priorities it counts only when they all together can't carry
    /// the calls.
    pub panic_threshold: u8,
    /// How long an endpoint that has become usable takes to get its full share; `None` is no time.
    /// Does not hold for the choice by hash.
    pub slow_start: Option<Duration>,
    /// What is done for routes to a subset that no endpoint is in.
    pub subset_fallback: SubsetFallback,
    /// How connections are used; `None` is the protocol's default.
    pub sharing: Option<Sharing>,
    /// Shared connections to each endpoint from each worker; at least 1.
    pub connections: usize,
    /// The most exclusive or bound connections to each endpoint from each worker. Calls wait for an
    /// exclusive one within their timeout; where there can be no further bound one they are answered
    /// with [`ErrorKind::Overloaded`](metaproto_core::ErrorKind).
    pub max_connections: usize,
    /// How many copies of calls may be under way to it from each worker, of all routes that
    /// [mirror](super::Mirror) to it as one protocol; at least 1. Further ones are dropped.
    pub max_mirrored: usize,
    /// What may be in use of it at once.
    pub circuit_breakers: CircuitBreakers,
    /// Whether the calls in flight are bounded by how long answers take; `None` is not.
    pub adaptive_concurrency: Option<AdaptiveConcurrency>,
    /// How long making a connection may take.
    pub connect_timeout: Duration,
    /// How long an upstream connection without a request in flight is kept; `None` is for ever. Pings
    /// of either side don't prolong it.
    pub idle_timeout: Option<Duration>,
    /// Whether endpoints are checked; `None` is never.
    pub health_check: Option<HealthCheck>,
    /// When endpoints are left out because their calls fail; `None` is never.
    pub outlier_detection: Option<OutlierDetection>,
    /// How long an upstream connection is used before it ends with its last call, so that calls spread
    /// over endpoints that have come since; `None` is for ever. Up to a tenth less.
    pub max_connection_age: Option<Duration>,
    /// How many of its calls may be further attempts.
    pub retry_budget: RetryBudget,
    /// Whether silent connections are asked for a sign of life.
    pub keepalive: Keepalive,
}

impl Cluster {
    /// The default of [`max_connections`](Cluster::max_connections).
    pub const DEFAULT_MAX_CONNECTIONS: usize = 1024;
    /// The default of [`max_mirrored`](Cluster::max_mirrored).
    pub const DEFAULT_MAX_MIRRORED: usize = 1024;
    /// The default of [`connect_timeout`](Cluster::connect_timeout): one second.
    pub const DEFAULT_CONNECT_TIMEOUT: Duration = Duration::from_secs(1);
    /// The default of [`idle_timeout`](Cluster::idle_timeout): one minute.
    pub const DEFAULT_IDLE_TIMEOUT: Duration = Duration::from_secs(60);
    /// The default of [`panic_threshold`](Cluster::panic_threshold): of up to a hundred endpoints none
    /// is usable. What makes an endpoint not usable is mostly that it can't be connected to, and then
    /// sending more calls there helps nobody.
    pub const DEFAULT_PANIC_THRESHOLD: u8 = 1;

    /// A cluster of these endpoints with the defaults.
    pub fn new(name: impl Into<String>, endpoints: impl IntoIterator<Item = SocketAddr>) -> Self {
        Cluster {
            name: name.into(),
            endpoints: endpoints.into_iter().map(Endpoint::new).collect(),
            names: Vec::new(),
            options: Options::new(),
            balance: Balance::RoundRobin,
            hash: Vec::new(),
            panic_threshold: Self::DEFAULT_PANIC_THRESHOLD,
            slow_start: None,
            subset_fallback: SubsetFallback::None,
            sharing: None,
            connections: 1,
            max_connections: Self::DEFAULT_MAX_CONNECTIONS,
            max_mirrored: Self::DEFAULT_MAX_MIRRORED,
            circuit_breakers: CircuitBreakers::default(),
            adaptive_concurrency: None,
            connect_timeout: Self::DEFAULT_CONNECT_TIMEOUT,
            idle_timeout: Some(Self::DEFAULT_IDLE_TIMEOUT),
            health_check: None,
            outlier_detection: None,
            max_connection_age: None,
            retry_budget: RetryBudget::default(),
            keepalive: Keepalive::IfPossible,
        }
    }

    /// The protocol of connections to this cluster, for calls that come in as `listener`.
    pub(crate) fn protocol(
        &self,
        listener: &Arc<dyn Protocol>,
    ) -> Result<Arc<dyn Protocol>, OptionError> {
        match self.options.keys().next() {
            None => Ok(listener.clone()),
            Some(option) if !listener.capabilities().translates => Err(OptionError {
                option: option.clone(),
                reason: format!("{} has no options for clusters", listener.name()),
            }),
            Some(_) => listener.configure(&self.options),
        }
    }

    /// The endpoints: those with an address, then those that have been found for the names.
    pub fn all_endpoints(&self) -> impl Iterator<Item = &Endpoint> {
        self.endpoints.iter().chain(self.names.iter().flat_map(Name::endpoints))
    }

    /// The same with a further name.
    #[must_use]
    pub fn name(mut self, name: Name) -> Self {
        self.names.push(name);
        self
    }

    /// The same with another use of connections.
    #[must_use]
    pub fn sharing(mut self, sharing: Sharing) -> Self {
        self.sharing = Some(sharing);
        self
    }
}

/// What is done for routes to a subset that no endpoint is in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum SubsetFallback {
    /// Calls are answered with an error.
    #[default]
    None,
    /// Calls go to the whole cluster.
    Any,
}

/// One server.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Endpoint {
    /// Where it listens.
    pub address: SocketAddr,
    /// Its share of the calls, relative to the others'; at least 1.
    pub weight: u32,
    /// Its level: calls go to the endpoints of the lowest number, and spill over to the next as
    /// fewer of them are usable.
    pub priority: u32,
    /// What a route may ask for.
    pub labels: Labels,
}

impl Endpoint {
    /// An endpoint of weight 1 and priority 0, without labels.
    #[must_use]
    pub const fn new(address: SocketAddr) -> Self {
        Endpoint { address, weight: 1, priority: 0, labels: Labels::new() }
    }

    /// The same with another weight.
    #[must_use]
    pub const fn weight(mut self, weight: u32) -> Self {
        self.weight = weight;
        self
    }

    /// The same with another priority.
    #[must_use]
    pub const fn priority(mut self, priority: u32) -> Self {
        self.priority = priority;
        self
    }

    /// The same with a further label.
    #[must_use]
    pub fn label(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.labels.insert(name.into(), value.into());
        self
    }

    /// Whether it has all of `labels`.
    pub(crate) fn has(&self, labels: &Labels) -> bool {
        labels.iter().all(|(name, value)| self.labels.get(name) == Some(value))
    }
}

/// Whether upstream connections on which nothing comes are pinged, to keep them open and to notice
/// those that are half open: gone, though nobody has closed them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Keepalive {
    /// With the default times, where the protocol has pings.
    #[default]
    IfPossible,
    /// With these times; the protocol must have pings.
    On(KeepaliveTimes),
    /// Never.
    Off,
}

impl Keepalive {
    /// The times that hold for a protocol that has pings, or, if `ping` is false, has none.
    pub(crate) fn times(self, ping: bool) -> Option<KeepaliveTimes> {
        match self {
            Keepalive::IfPossible => ping.then(KeepaliveTimes::default),
            Keepalive::On(times) => ping.then_some(times),
            Keepalive::Off => None,
        }
    }
}

/// When silent upstream connections are pinged, and given up. Met to about a second, or to an eighth
/// of the time if that is less.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeepaliveTimes {
    /// How long nothing may come before there is a ping; more than zero.
    pub interval: Duration,
    /// How long nothing may come after the ping before the connection is closed; more than zero.
    pub timeout: Duration,
}

impl Default for KeepaliveTimes {
    /// A ping after half a minute, the end ten seconds later: what is half open is found before the
    /// default of [`idle_timeout`](Cluster::idle_timeout) closes what is only idle. Peers that close what
    /// is silent commonly wait for one minute at least.
    fn default() -> Self {
        KeepaliveTimes { interval: Duration::from_secs(30), timeout: Duration::from_secs(10) }
    }
}
