//! The shape of signs of life in a configuration file.

use serde::{Deserialize, Serialize};

use super::schema::Period;
use crate::model;

/// Whether silent upstream connections are pinged: `off`, or when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keepalive {
    /// See [`model::Keepalive::Off`].
    Off,
    /// See [`model::Keepalive::On`].
    On(KeepaliveTimes),
}

/// When silent upstream connections are pinged, and given up.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct KeepaliveTimes {
    /// See [`model::KeepaliveTimes::interval`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interval: Option<Period>,
    /// See [`model::KeepaliveTimes::timeout`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout: Option<Period>,
}

impl From<Keepalive> for model::Keepalive {
    fn from(keepalive: Keepalive) -> Self {
        let Keepalive::On(given) = keepalive else { return model::Keepalive::Off };
        let default = model::KeepaliveTimes::default();
        let or = |given: Option<Period>, default| given.map_or(default, |Period(time)| time);
        model::Keepalive::On(model::KeepaliveTimes {
            interval: or(given.interval, default.interval),
            timeout: or(given.timeout, default.timeout),
        })
    }
}
