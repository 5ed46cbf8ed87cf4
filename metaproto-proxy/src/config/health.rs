//! The shape of health checks in a configuration file.

use serde::{Deserialize, Serialize};

use super::schema::Period;
use crate::model;

/// When endpoints are checked, and what is asked of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct HealthCheck {
    /// What is asked of an endpoint.
    #[serde(rename = "type")]
    pub kind: HealthCheckType,
    /// The port to connect to, if it is not that of the endpoint; only with `tcp`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
    /// See [`model::HealthCheck::interval`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interval: Option<Period>,
    /// See [`model::HealthCheck::timeout`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout: Option<Period>,
    /// See [`model::HealthCheck::healthy_after`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub healthy_after: Option<u32>,
    /// See [`model::HealthCheck::unhealthy_after`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unhealthy_after: Option<u32>,
}

/// The words for what is asked of an endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum HealthCheckType {
    /// See [`model::Check::Tcp`].
    Tcp,
    /// See [`model::Check::Ping`].
    Ping,
}

impl HealthCheck {
    /// The check in the model.
    ///
    /// # Errors
    /// The key that does not fit the others, and why.
    pub(super) fn model(self) -> Result<model::HealthCheck, (&'static str, &'static str)> {
        let check = match (self.kind, self.port) {
            (HealthCheckType::Tcp, port) => model::Check::Tcp { port },
            (HealthCheckType::Ping, None) => model::Check::Ping,
            (HealthCheckType::Ping, Some(_)) => {
                return Err(("port", "pings go to the port of the endpoint; leave it out"));
            }
        };
        let default = model::HealthCheck::new(check);
        let time = |given: Option<Period>, default| given.map_or(default, |Period(time)| time);
        Ok(model::HealthCheck {
            interval: time(self.interval, default.interval),
            timeout: time(self.timeout, default.timeout),
            healthy_after: self.healthy_after.unwrap_or(default.healthy_after),
            unhealthy_after: self.unhealthy_after.unwrap_or(default.unhealthy_after),
            ..default
        })
    }
}
