//! The shape of balancing in a configuration file: endpoints, and how they share calls.

use std::str::FromStr;

use serde::de::{self, Deserializer, IntoDeserializer};
use serde::ser::Serializer;
use serde::{Deserialize, Serialize};

use super::forms::{Forms, any};
use super::schema::Period;
use crate::model::{self, Labels};

/// A server, or the servers that a name stands for: the address, or a map.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, remote = "Self")]
pub struct Endpoint {
    /// `host:port`; empty if there is `srv`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub address: String,
    /// Instead of an address: the name of a service. See [`model::Name::service`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub srv: Option<String>,
    /// Its share of the calls; by default 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weight: Option<u32>,
    /// See [`model::Endpoint::priority`]; by default 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priority: Option<u32>,
    /// What routes may ask for.
    #[serde(default, skip_serializing_if = "Labels::is_empty")]
    pub labels: Labels,
}

impl Endpoint {
    /// An endpoint that is nothing but an address.
    pub fn at(address: impl Into<String>) -> Self {
        Endpoint {
            address: address.into(),
            srv: None,
            weight: None,
            priority: None,
            labels: Labels::new(),
        }
    }

    /// Whether nothing is said of it but its address.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        self.srv.is_none()
            && self.weight.is_none()
            && self.priority.is_none()
            && self.labels.is_empty()
    }
}

/// How a server is chosen for a call: a word, or a map with that word and options.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, remote = "Self")]
pub struct Balance {
    /// The word.
    pub policy: Policy,
    /// Of `peak_ewma`; see [`model::Balance::PeakEwma`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decay: Option<Period>,
    /// Of `ring_hash`; see [`model::Balance::RingHash`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ring_size: Option<usize>,
    /// Of `maglev`; see [`model::Balance::Maglev`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub table_size: Option<usize>,
}

/// The words for [`model::Balance`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Policy {
    /// See [`model::Balance::RoundRobin`].
    RoundRobin,
    /// See [`model::Balance::Random`].
    Random,
    /// See [`model::Balance::LeastRequest`].
    LeastRequest,
    /// See [`model::Balance::PeakEwma`].
    PeakEwma,
    /// See [`model::Balance::RingHash`].
    RingHash,
    /// See [`model::Balance::Maglev`].
    Maglev,
}

impl Balance {
    /// A policy with its defaults.
    #[must_use]
    pub const fn by(policy: Policy) -> Self {
        Balance { policy, decay: None, ring_size: None, table_size: None }
    }

    /// The model of it.
    ///
    /// # Errors
    /// The first option that belongs to another policy, and a reason.
    pub(super) fn model(self) -> Result<model::Balance, (&'static str, String)> {
        let options = [
            ("decay", Policy::PeakEwma, self.decay.is_some()),
            ("ring_size", Policy::RingHash, self.ring_size.is_some()),
            ("table_size", Policy::Maglev, self.table_size.is_some()),
        ];
        let foreign = |(_, policy, given): &&(_, Policy, bool)| *given && *policy != self.policy;
        if let Some((option, _, _)) = options.iter().find(foreign) {
            return Err((option, "is an option of another policy; leave it out".to_owned()));
        }
        let decay = self.decay.map_or(model::Balance::DEFAULT_DECAY, |Period(time)| time);
        let ring_size = self.ring_size.unwrap_or(model::Balance::DEFAULT_RING_SIZE);
        let table_size = self.table_size.unwrap_or(model::Balance::DEFAULT_TABLE_SIZE);
        Ok(match self.policy {
            Policy::RoundRobin => model::Balance::RoundRobin,
            Policy::Random => model::Balance::Random,
            Policy::LeastRequest => model::Balance::LeastRequest,
            Policy::PeakEwma => model::Balance::PeakEwma { decay },
            Policy::RingHash => model::Balance::RingHash { ring_size },
            Policy::Maglev => model::Balance::Maglev { table_size },
        })
    }
}

impl FromStr for Balance {
    type Err = de::value::Error;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        Policy::deserialize(word.into_deserializer()).map(Balance::by)
    }
}

impl<'de> Forms<'de> for Balance {
    const EXPECTED: &'static str = "the name of a policy, or a map with a policy and its options";

    fn text<E: de::Error>(text: &str) -> Result<Self, E> {
        Policy::deserialize(text.into_deserializer()).map(Balance::by)
    }

    fn map<D: Deserializer<'de>>(map: D) -> Result<Self, D::Error> {
        Balance::deserialize(map)
    }
}

impl<'de> Deserialize<'de> for Balance {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        any(deserializer)
    }
}

impl Serialize for Balance {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match *self == Balance::by(self.policy) {
            true => self.policy.serialize(serializer),
            false => Balance::serialize(self, serializer),
        }
    }
}

/// What of a request is hashed: one key, or a list of which the first that is there counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HashKeys {
    /// Only this.
    One(HashKey),
    /// The first that is there.
    First(Vec<HashKey>),
}

/// One thing to hash: `client_address`, or a map with a property.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HashKey {
    /// See [`model::HashKey::ClientAddress`].
    ClientAddress,
    /// See [`model::HashKey::Property`].
    Property(Property),
}

/// A property by its name.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Property {
    /// The name, or `operation`.
    pub property: String,
}

impl HashKeys {
    /// The keys, in order.
    pub(super) fn model(&self) -> Vec<model::HashKey> {
        let keys = match self {
            HashKeys::One(key) => std::slice::from_ref(key),
            HashKeys::First(keys) => keys,
        };
        let model = |key: &HashKey| match key {
            HashKey::ClientAddress => model::HashKey::ClientAddress,
            HashKey::Property(key) => model::HashKey::Property(key.property.clone()),
        };
        keys.iter().map(model).collect()
    }
}

impl<'de> Forms<'de> for HashKey {
    const EXPECTED: &'static str = "client_address, or a map with a property";

    fn text<E: de::Error>(text: &str) -> Result<Self, E> {
        match text {
            "client_address" => Ok(HashKey::ClientAddress),
            other => Err(E::invalid_value(de::Unexpected::Str(other), &Self::EXPECTED)),
        }
    }

    fn map<D: Deserializer<'de>>(map: D) -> Result<Self, D::Error> {
        Property::deserialize(map).map(HashKey::Property)
    }
}

impl<'de> Forms<'de> for HashKeys {
    const EXPECTED: &'static str = "client_address, a map with a property, or a list of these";

    fn text<E: de::Error>(text: &str) -> Result<Self, E> {
        HashKey::text(text).map(HashKeys::One)
    }

    fn list<D: Deserializer<'de>>(list: D) -> Result<Self, D::Error> {
        Vec::deserialize(list).map(HashKeys::First)
    }

    fn map<D: Deserializer<'de>>(map: D) -> Result<Self, D::Error> {
        HashKey::map(map).map(HashKeys::One)
    }
}

impl<'de> Deserialize<'de> for HashKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        any(deserializer)
    }
}

impl<'de> Deserialize<'de> for HashKeys {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        any(deserializer)
    }
}

impl Serialize for HashKey {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            HashKey::ClientAddress => serializer.serialize_str("client_address"),
            HashKey::Property(key) => key.serialize(serializer),
        }
    }
}

impl Serialize for HashKeys {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            HashKeys::One(key) => key.serialize(serializer),
            HashKeys::First(keys) => keys.serialize(serializer),
        }
    }
}

/// The words for [`model::SubsetFallback`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SubsetFallback {
    /// See [`model::SubsetFallback::None`].
    None,
    /// See [`model::SubsetFallback::Any`].
    Any,
}

impl From<SubsetFallback> for model::SubsetFallback {
    fn from(word: SubsetFallback) -> Self {
        match word {
            SubsetFallback::None => model::SubsetFallback::None,
            SubsetFallback::Any => model::SubsetFallback::Any,
        }
    }
}
