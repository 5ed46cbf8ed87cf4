//! The shape of outlier detection in a configuration file.

use metaproto_core::StatusClass;
use serde::de::{self, Unexpected};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::schema::Period;
use crate::model;

/// When endpoints are left out because their calls fail. A count of 0 stands for never.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct OutlierDetection {
    /// See [`model::OutlierDetection::consecutive_failures`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub consecutive_failures: Option<u32>,
    /// See [`model::OutlierDetection::consecutive_local`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub consecutive_local: Option<u32>,
    /// See [`model::OutlierDetection::failure_rate`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure_rate: Option<u32>,
    /// See [`model::OutlierDetection::min_requests`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_requests: Option<u32>,
    /// See [`model::OutlierDetection::interval`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interval: Option<Period>,
    /// See [`model::OutlierDetection::classes`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub statuses: Option<Vec<Class>>,
    /// See [`model::OutlierDetection::ejection_time`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ejection_time: Option<Period>,
    /// See [`model::OutlierDetection::max_ejection_time`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_ejection_time: Option<Period>,
    /// See [`model::OutlierDetection::max_ejected`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_ejected: Option<u32>,
}

/// A class of statuses, by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Class(pub StatusClass);

impl<'de> Deserialize<'de> for Class {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let word = String::deserialize(deserializer)?;
        let classes = || StatusClass::ALL.into_iter().filter(|class| *class != StatusClass::Ok);
        let found = classes().find(|class| class.as_str() == word);
        found.map(Class).ok_or_else(|| {
            let known: Vec<_> = classes().map(StatusClass::as_str).collect();
            let expected = format!("one of {}", known.join(", "));
            de::Error::invalid_value(Unexpected::Str(&word), &expected.as_str())
        })
    }
}

impl Serialize for Class {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0.as_str())
    }
}

impl From<&OutlierDetection> for model::OutlierDetection {
    fn from(file: &OutlierDetection) -> Self {
        let default = model::OutlierDetection::default();
        let count = |given: Option<u32>, default: Option<u32>| match given {
            Some(0) => None,
            given => given.or(default),
        };
        let time = |given: Option<Period>, default| given.map_or(default, |Period(time)| time);
        let ejection_time = time(file.ejection_time, default.ejection_time);
        let longest = default.max_ejection_time.max(ejection_time);
        let classes = file.statuses.as_ref();
        model::OutlierDetection {
            consecutive_failures: count(file.consecutive_failures, default.consecutive_failures),
            consecutive_local: count(file.consecutive_local, default.consecutive_local),
            failure_rate: count(file.failure_rate, default.failure_rate),
            min_requests: file.min_requests.unwrap_or(default.min_requests),
            interval: time(file.interval, default.interval),
            classes: classes.map_or(default.classes, |all| all.iter().map(|one| one.0).collect()),
            ejection_time,
            max_ejection_time: time(file.max_ejection_time, longest),
            max_ejected: file.max_ejected.unwrap_or(default.max_ejected),
        }
    }
}
