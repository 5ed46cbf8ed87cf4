//! When endpoints are checked, and what is asked of them.

use std::time::Duration;

use metaproto_core::Protocol;

use super::{Cluster, Invalid};

/// Whether the endpoints of a cluster are alive is checked, call or no call. One that fails is left out
/// until it passes again. Each endpoint is checked once for the whole proxy, not by each worker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct HealthCheck {
    /// What is asked of an endpoint.
    pub check: Check,
    /// From the beginning of a check to that of the next; more than zero. The first comes at a random
    /// time within it.
    pub interval: Duration,
    /// How long a check may take, with connecting; more than zero.
    pub timeout: Duration,
    /// So many checks in a row that pass make an endpoint healthy that was not; at least 1.
    pub healthy_after: u32,
    /// So many checks in a row that fail make an endpoint unhealthy; at least 1.
    pub unhealthy_after: u32,
}

/// What is asked of an endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Check {
    /// That it can be connected to.
    Tcp {
        /// The port, if it is not that of the endpoint; not 0.
        port: Option<u16>,
    },
    /// That it answers the protocol's ping, on a connection that is kept for this.
    Ping,
}

impl HealthCheck {
    /// The default of [`interval`](HealthCheck::interval): five seconds.
    pub const DEFAULT_INTERVAL: Duration = Duration::from_secs(5);
    /// The default of [`timeout`](HealthCheck::timeout): one second.
    pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(1);

    /// A check with the defaults: every five seconds, one second for each; two that pass, three that
    /// fail.
    #[must_use]
    pub const fn new(check: Check) -> Self {
        HealthCheck {
            check,
            interval: Self::DEFAULT_INTERVAL,
            timeout: Self::DEFAULT_TIMEOUT,
            healthy_after: 2,
            unhealthy_after: 3,
        }
    }
}

/// Looks for what can't work with any protocol; `path` is that of the cluster.
pub(super) fn validate(cluster: &Cluster, path: &str) -> Result<(), Invalid> {
    let Some(check) = cluster.health_check else { return Ok(()) };
    let fault = |key: &str, reason| Err(Invalid::new(format!("{path}.health_check.{key}"), reason));
    let times = [("interval", check.interval), ("timeout", check.timeout)];
    if let Some((key, _)) = times.iter().find(|(_, time)| time.is_zero()) {
        return fault(key, "must be more than zero");
    }
    let counts =
        [("healthy_after", check.healthy_after), ("unhealthy_after", check.unhealthy_after)];
    if let Some((key, _)) = counts.iter().find(|(_, count)| *count == 0) {
        return fault(key, "must be at least 1");
    }
    match check.check {
        Check::Tcp { port: Some(0) } => fault("port", "must be at least 1"),
        _ => Ok(()),
    }
}

/// Looks for what can't work with `protocol`, in which the cluster is spoken to.
pub(super) fn validate_protocol(protocol: &dyn Protocol, cluster: &Cluster) -> Result<(), Invalid> {
    match cluster.health_check {
        Some(HealthCheck { check: Check::Ping, .. }) if !protocol.capabilities().ping => {
            let reason = format!("{} has no pings; use tcp", protocol.name());
            Err(Invalid::new(format!("clusters.{}.health_check.type", cluster.name), reason))
        }
        _ => Ok(()),
    }
}
