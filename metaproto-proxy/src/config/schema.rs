//! The shape of a configuration file. `docs/configuration.md` describes it for its users; keep the
//! two the same.
//!
//! Everything that may be left out is an `Option`: the defaults belong to the
//! [`model`], and what is printed is what was written.

use std::collections::BTreeMap;

use metaproto_core::{Options, Sharing};
use serde::de::{self, IntoDeserializer};
use serde::{Deserialize, Serialize};

use crate::model;

pub use super::balance::{Balance, Endpoint, HashKey, HashKeys, Policy, SubsetFallback};
pub use super::circuit::{AdaptiveConcurrency, CircuitBreakers};
pub use super::dns::Dns;
pub use super::forms::Pairs;
pub use super::health::{HealthCheck, HealthCheckType};
pub use super::keepalive::{Keepalive, KeepaliveTimes};
pub use super::mirror::{Mirror, Mirrors, Percent};
pub use super::outlier::{Class, OutlierDetection};
pub use super::overload::Overload;
pub use super::retry::{Hedge, Retry, RetryBudget, RetryOn};
pub use super::text::{Period, Size, TextError, Timeout};

/// A whole file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct File {
    /// Worker threads; by default one for each processor.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workers: Option<usize>,
    /// How long requests in flight may take after the proxy was asked to stop.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub drain_timeout: Option<Period>,
    /// The admin endpoint; by default there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub admin: Option<Admin>,
    /// How the names of endpoints are looked up; by default as the system does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dns: Option<Dns>,
    /// Bounds of the process; by default there are none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub overload: Option<Overload>,
    /// The listeners; at least one.
    pub listeners: Vec<Listener>,
    /// The clusters by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub clusters: BTreeMap<String, Cluster>,
}

/// Where metrics and the state of the proxy are served.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Admin {
    /// `host:port` to listen on.
    pub address: String,
}

/// An address that clients connect to.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Listener {
    /// The name in metrics and logs; by default the protocol's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// `host:port` to listen on; port 0 takes a free one.
    pub address: String,
    /// The protocol of the clients and of the upstreams.
    pub protocol: Protocol,
    /// The only cluster of this listener: stands for one route to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upstream: Option<Cluster>,
    /// The routes; the first that matches decides.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub routes: Vec<Route>,
    /// See [`Limits::max_frame`](metaproto_core::Limits::max_frame).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_frame: Option<Size>,
    /// See [`model::Listener::idle_timeout`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idle_timeout: Option<Timeout>,
    /// See [`model::Listener::frame_timeout`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub frame_timeout: Option<Timeout>,
    /// See [`model::Listener::max_connection_age`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_connection_age: Option<Timeout>,
    /// See [`model::Listener::max_connections`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_connections: Option<usize>,
    /// See [`model::Listener::max_in_flight`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_in_flight: Option<usize>,
    /// See [`model::Listener::buffer`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub buffer: Option<Size>,
    /// See [`model::Listener::max_buffer`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_buffer: Option<Size>,
}

/// A protocol: its name, or its name and options.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, remote = "Self")]
pub struct Protocol {
    /// A name or alias of the protocol.
    pub name: String,
    /// What the protocol is to be told.
    #[serde(default, skip_serializing_if = "Options::is_empty")]
    pub options: Options,
}

/// Which calls go where.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Route {
    /// The name in metrics and logs; by default made of the names of the clusters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What must hold of a request; by default nothing.
    #[serde(default, rename = "match", skip_serializing_if = "Match::is_empty")]
    pub matches: Match,
    /// The cluster that the calls go to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cluster: Option<String>,
    /// What the endpoints of that cluster must have; by default nothing.
    #[serde(default, skip_serializing_if = "model::Labels::is_empty")]
    pub subset: model::Labels,
    /// Several clusters that share the calls, instead of one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub clusters: Vec<Target>,
    /// See [`model::Route::sticky`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sticky: Option<HashKeys>,
    /// See [`model::Route::hash`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hash: Option<HashKeys>,
    /// See [`model::Route::timeout`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout: Option<Timeout>,
    /// When calls are tried again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry: Option<Retry>,
    /// When calls are sent twice.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hedge: Option<Hedge>,
    /// See [`model::Route::mirrors`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mirror: Option<Mirrors>,
    /// Changes to requests.
    #[serde(default, skip_serializing_if = "Changes::is_empty")]
    pub request: Changes,
    /// Changes to responses.
    #[serde(default, skip_serializing_if = "Changes::is_empty")]
    pub response: Changes,
}

/// One of several clusters of a route.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Target {
    /// The cluster's name.
    pub cluster: String,
    /// Its share; by default 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weight: Option<u32>,
    /// What its endpoints must have; by default nothing.
    #[serde(default, skip_serializing_if = "model::Labels::is_empty")]
    pub subset: model::Labels,
}

/// What must hold of a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Match {
    /// Conditions, in full.
    All(Vec<Matcher>),
    /// Properties and the exact values that they must have.
    Exact(Pairs),
}

/// One condition: exactly one of the predicates is given.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Matcher {
    /// The property's name.
    pub property: String,
    /// See [`model::Predicate::Exact`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exact: Option<String>,
    /// See [`model::Predicate::Prefix`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prefix: Option<String>,
    /// See [`model::Predicate::Suffix`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suffix: Option<String>,
    /// See [`model::Predicate::Contains`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contains: Option<String>,
    /// See [`model::Predicate::regex`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub regex: Option<String>,
    /// See [`model::Predicate::Range`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub range: Option<Range>,
    /// See [`model::Predicate::Present`]; only `true` makes sense.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub present: Option<bool>,
    /// Whether the request matches when the predicate does not hold.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub invert: bool,
}

/// Numbers from `start`, and below `end`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Range {
    /// The least number in the range.
    pub start: i64,
    /// The least number above the range.
    pub end: i64,
}

/// Changes to the properties of a message; removals come first, then `set`, then `append`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Changes {
    /// Properties to take out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub remove: Vec<String>,
    /// Properties and the values that they get.
    #[serde(default, skip_serializing_if = "Pairs::is_empty")]
    pub set: Pairs,
    /// Properties and their further values.
    #[serde(default, skip_serializing_if = "Pairs::is_empty")]
    pub append: Pairs,
}

/// Servers that serve the same calls: a list of endpoints, or a map.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, remote = "Self")]
pub struct Cluster {
    /// The servers.
    pub endpoints: Vec<Endpoint>,
    /// See [`model::Cluster::options`].
    #[serde(default, skip_serializing_if = "Options::is_empty")]
    pub options: Options,
    /// How a server is chosen for a call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub balance: Option<Balance>,
    /// See [`model::Cluster::hash`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hash: Option<HashKeys>,
    /// See [`model::Cluster::panic_threshold`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub panic_threshold: Option<u8>,
    /// See [`model::Cluster::slow_start`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slow_start: Option<Timeout>,
    /// See [`model::Cluster::subset_fallback`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subset_fallback: Option<SubsetFallback>,
    /// How connections are used; by default as the protocol prefers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upstream_mode: Option<UpstreamMode>,
    /// See [`model::Cluster::connections`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connections: Option<usize>,
    /// See [`model::Cluster::max_connections`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_connections: Option<usize>,
    /// See [`model::Cluster::max_mirrored`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_mirrored: Option<usize>,
    /// See [`model::Cluster::connect_timeout`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connect_timeout: Option<Period>,
    /// See [`model::Cluster::idle_timeout`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idle_timeout: Option<Timeout>,
    /// When servers are left out because their calls fail.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outlier_detection: Option<OutlierDetection>,
    /// See [`model::Cluster::max_connection_age`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_connection_age: Option<Timeout>,
    /// See [`model::Cluster::retry_budget`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_budget: Option<RetryBudget>,
    /// See [`model::Cluster::health_check`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub health_check: Option<HealthCheck>,
    /// See [`model::Cluster::circuit_breakers`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub circuit_breakers: Option<CircuitBreakers>,
    /// See [`model::Cluster::adaptive_concurrency`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub adaptive_concurrency: Option<AdaptiveConcurrency>,
    /// See [`model::Cluster::keepalive`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keepalive: Option<Keepalive>,
}

/// The words for [`Sharing`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum UpstreamMode {
    /// See [`Sharing::Shared`].
    Shared,
    /// See [`Sharing::Exclusive`].
    Exclusive,
    /// See [`Sharing::Bound`].
    Bound,
}

impl From<UpstreamMode> for Sharing {
    fn from(mode: UpstreamMode) -> Self {
        match mode {
            UpstreamMode::Shared => Sharing::Shared,
            UpstreamMode::Exclusive => Sharing::Exclusive,
            UpstreamMode::Bound => Sharing::Bound,
        }
    }
}

macro_rules! words {
    ($($type:ty)*) => { $(
        impl std::str::FromStr for $type {
            type Err = de::value::Error;

            fn from_str(word: &str) -> Result<Self, Self::Err> {
                Self::deserialize(word.into_deserializer())
            }
        }
    )* };
}

words!(UpstreamMode);

impl Default for Match {
    fn default() -> Self {
        Match::All(Vec::new())
    }
}

impl Match {
    /// Whether every request matches.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        match self {
            Match::All(matchers) => matchers.is_empty(),
            Match::Exact(pairs) => pairs.is_empty(),
        }
    }
}

impl Changes {
    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.remove.is_empty() && self.set.is_empty() && self.append.is_empty()
    }
}

impl Listener {
    /// A listener with the defaults, which still needs routes or an upstream.
    pub fn new(address: impl Into<String>, protocol: Protocol) -> Self {
        Listener {
            name: None,
            address: address.into(),
            protocol,
            upstream: None,
            routes: Vec::new(),
            frame_timeout: None,
            max_connection_age: None,
            max_frame: None,
            idle_timeout: None,
            max_connections: None,
            max_in_flight: None,
            buffer: None,
            max_buffer: None,
        }
    }
}

impl Protocol {
    /// A protocol without options.
    pub fn named(name: impl Into<String>) -> Self {
        Protocol { name: name.into(), options: Options::new() }
    }
}
