//! How much of a cluster may be in use at once.

use std::collections::BTreeMap;
use std::time::Duration;

use super::{Cluster, Invalid};

/// What may be in use of a cluster at once, counted by all workers together. What would go beyond is
/// refused at once, with [`ErrorKind::Overloaded`](metaproto_core::ErrorKind): a cluster that is too
/// slow then does not take the proxy and its clients with it. `None` is no bound. Copies of
/// [mirrored](super::Mirror) calls don't count.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct CircuitBreakers {
    /// Connections to all endpoints, of every kind; at least 1. Without one that it could use or wait
    /// for, a call is refused.
    pub max_connections: Option<usize>,
    /// Calls that wait for a connection; at least 1.
    pub max_pending: Option<usize>,
    /// Calls sent, or waiting for a connection, whose response has not come; at least 1.
    pub max_requests: Option<usize>,
    /// Calls that are being tried again, on top of the [budget](Cluster::retry_budget) of each worker;
    /// 0 is none at all.
    pub max_retries: Option<usize>,
    /// Calls in flight by the name of their operation; at least 1 for each. Operations that are not
    /// named have no bound of their own. The names match to the letter.
    pub operations: BTreeMap<String, usize>,
}

/// A bound on the calls in flight that is found by how long answers take: if they take longer than they
/// need, calls are waiting somewhere, and fewer are let through. Each worker finds its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct AdaptiveConcurrency {
    /// So many calls are always let through; at least 1.
    pub min: usize,
    /// More are never.
    pub max: usize,
    /// Percent by which answers may take longer than they need.
    pub tolerance: u32,
    /// How often the bound is adjusted; more than zero.
    pub interval: Duration,
}

impl Default for AdaptiveConcurrency {
    /// From 3 to 1000, half as long again, ten times a second.
    fn default() -> Self {
        AdaptiveConcurrency {
            min: 3,
            max: 1000,
            tolerance: 50,
            interval: Duration::from_millis(100),
        }
    }
}

/// Looks for bounds that let nothing through; `path` is that of the cluster.
pub(super) fn validate(cluster: &Cluster, path: &str) -> Result<(), Invalid> {
    let breakers = &cluster.circuit_breakers;
    let path_of = |key: &str| format!("{path}.circuit_breakers.{key}");
    let bounds = [
        ("max_connections", breakers.max_connections),
        ("max_pending", breakers.max_pending),
        ("max_requests", breakers.max_requests),
    ];
    if let Some((key, _)) = bounds.iter().find(|(_, max)| *max == Some(0)) {
        return Err(Invalid::new(path_of(key), "must be at least 1"));
    }
    if let Some((name, _)) = breakers.operations.iter().find(|(_, max)| **max == 0) {
        return Err(Invalid::new(path_of(&format!("operations.{name}")), "must be at least 1"));
    }
    let Some(adaptive) = cluster.adaptive_concurrency else { return Ok(()) };
    let fault = |key: &str, reason: &str| {
        Err(Invalid::new(format!("{path}.adaptive_concurrency.{key}"), reason.to_owned()))
    };
    match adaptive {
        AdaptiveConcurrency { min: 0, .. } => fault("min", "must be at least 1"),
        AdaptiveConcurrency { min, max, .. } if max < min => {
            fault("max", "must be at least as much as min")
        }
        AdaptiveConcurrency { interval: Duration::ZERO, .. } => {
            fault("interval", "must be more than zero")
        }
        _ => Ok(()),
    }
}
