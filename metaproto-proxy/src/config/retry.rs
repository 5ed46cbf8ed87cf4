//! The shape of retries in a configuration file.

use std::fmt;

use metaproto_core::StatusClass;
use serde::de::{self, Unexpected, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::schema::Period;
use crate::model;

/// When and how often a call is tried again.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Retry {
    /// How many more times; by default once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attempts: Option<u32>,
    /// What has to have happened.
    pub on: Vec<RetryOn>,
    /// See [`model::Retry::per_try_timeout`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub per_try_timeout: Option<Period>,
    /// See [`model::Retry::backoff`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backoff: Option<Period>,
    /// See [`model::Retry::max_backoff`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_backoff: Option<Period>,
}

/// A call that takes long is sent once more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Hedge {
    /// See [`model::Hedge::after`].
    pub after: Period,
}

/// How many calls may be further attempts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct RetryBudget {
    /// See [`model::RetryBudget::percent`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub percent: Option<u32>,
    /// See [`model::RetryBudget::min`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min: Option<u32>,
}

/// What has to have happened: a word, or a code of the protocol as a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryOn(pub model::RetryOn);

const FAILURES: [(&str, model::RetryOn); 3] = [
    ("connect_failure", model::RetryOn::ConnectFailure),
    ("reset", model::RetryOn::Reset),
    ("timeout", model::RetryOn::Timeout),
];

/// Every word, and what it stands for. `timeout` is that of a try; the class of that name goes by
/// `status_timeout`.
fn words() -> impl Iterator<Item = (&'static str, model::RetryOn)> {
    let classes = StatusClass::ALL.into_iter().filter(|class| *class != StatusClass::Ok);
    let classes = classes.map(|class| match class {
        StatusClass::Timeout => ("status_timeout", model::RetryOn::Class(class)),
        class => (class.as_str(), model::RetryOn::Class(class)),
    });
    FAILURES.into_iter().chain(classes)
}

impl<'de> Deserialize<'de> for RetryOn {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct WordOrCode;

        impl Visitor<'_> for WordOrCode {
            type Value = RetryOn;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let words: Vec<_> = words().map(|(word, _)| word).collect();
                write!(f, "one of {}, or a code of the protocol", words.join(", "))
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<RetryOn, E> {
                let found = words().find(|(word, _)| *word == text);
                let unknown = || E::invalid_value(Unexpected::Str(text), &self);
                found.map(|(_, on)| RetryOn(on)).ok_or_else(unknown)
            }

            fn visit_i64<E: de::Error>(self, code: i64) -> Result<RetryOn, E> {
                Ok(RetryOn(model::RetryOn::Code(code)))
            }

            fn visit_u64<E: de::Error>(self, code: u64) -> Result<RetryOn, E> {
                let too_large = |_| E::invalid_value(Unexpected::Unsigned(code), &self);
                i64::try_from(code).map_err(too_large).and_then(|code| self.visit_i64(code))
            }
        }

        deserializer.deserialize_any(WordOrCode)
    }
}

impl Serialize for RetryOn {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match (self.0, words().find(|(_, on)| *on == self.0)) {
            (model::RetryOn::Code(code), _) => serializer.serialize_i64(code),
            (_, Some((word, _))) => serializer.serialize_str(word),
            (_, None) => Err(serde::ser::Error::custom("a condition without a name")),
        }
    }
}

impl From<&Retry> for model::Retry {
    fn from(file: &Retry) -> Self {
        let mut retry = model::Retry::on(file.on.iter().map(|on| on.0));
        retry.attempts = file.attempts.unwrap_or(retry.attempts);
        retry.per_try_timeout = file.per_try_timeout.map(|Period(time)| time);
        retry.backoff = file.backoff.map_or(retry.backoff, |Period(time)| time);
        let max = file.max_backoff.map_or(retry.max_backoff, |Period(time)| time);
        // Whoever waits longer from the start means it.
        retry.max_backoff = if file.max_backoff.is_some() { max } else { max.max(retry.backoff) };
        retry
    }
}

impl From<RetryBudget> for model::RetryBudget {
    fn from(file: RetryBudget) -> Self {
        let default = model::RetryBudget::default();
        model::RetryBudget {
            percent: file.percent.unwrap_or(default.percent),
            min: file.min.unwrap_or(default.min),
        }
    }
}
