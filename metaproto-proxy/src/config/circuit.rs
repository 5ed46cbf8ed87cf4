//! The shape of circuit breakers and adaptive concurrency in a configuration file.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::schema::Period;
use crate::model;

/// What may be in use of a cluster at once.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct CircuitBreakers {
    /// See [`model::CircuitBreakers::max_connections`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_connections: Option<usize>,
    /// See [`model::CircuitBreakers::max_pending`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_pending: Option<usize>,
    /// See [`model::CircuitBreakers::max_requests`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_requests: Option<usize>,
    /// See [`model::CircuitBreakers::max_retries`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_retries: Option<usize>,
    /// See [`model::CircuitBreakers::operations`].
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub operations: BTreeMap<String, usize>,
}

impl From<&CircuitBreakers> for model::CircuitBreakers {
    fn from(file: &CircuitBreakers) -> Self {
        model::CircuitBreakers {
            max_connections: file.max_connections,
            max_pending: file.max_pending,
            max_requests: file.max_requests,
            max_retries: file.max_retries,
            operations: file.operations.clone(),
        }
    }
}

/// A bound on the calls in flight that is found by how long answers take.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct AdaptiveConcurrency {
    /// See [`model::AdaptiveConcurrency::min`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min: Option<usize>,
    /// See [`model::AdaptiveConcurrency::max`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<usize>,
    /// See [`model::AdaptiveConcurrency::tolerance`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tolerance: Option<u32>,
    /// See [`model::AdaptiveConcurrency::interval`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interval: Option<Period>,
}

impl From<AdaptiveConcurrency> for model::AdaptiveConcurrency {
    fn from(file: AdaptiveConcurrency) -> Self {
        let default = model::AdaptiveConcurrency::default();
        model::AdaptiveConcurrency {
            min: file.min.unwrap_or(default.min),
            max: file.max.unwrap_or(default.max),
            tolerance: file.tolerance.unwrap_or(default.tolerance),
            interval: file.interval.map_or(default.interval, |Period(time)| time),
        }
    }
}
