//! Values that may be written in a short form or in full.
//!
//! Serde's untagged enums would do, but forget where in the file they were and answer every mistake
//! with "did not match any variant".

use std::fmt;
use std::marker::PhantomData;

use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{self, Deserialize, Deserializer, MapAccess, SeqAccess, Unexpected, Visitor};
use serde::ser::{Serialize, Serializer};

use super::schema::{Cluster, Endpoint, Keepalive, KeepaliveTimes, Match, Protocol};

/// A value with up to three forms. Forms that are not given are refused.
pub(super) trait Forms<'de>: Sized {
    /// What is expected, to follow "expected" in an error.
    const EXPECTED: &'static str;

    /// Reads a single text.
    fn text<E: de::Error>(text: &str) -> Result<Self, E> {
        Err(E::invalid_type(Unexpected::Str(text), &Self::EXPECTED))
    }

    /// Reads a list.
    fn list<D: Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
        Err(de::Error::invalid_type(Unexpected::Seq, &Self::EXPECTED))
    }

    /// Reads a map.
    fn map<D: Deserializer<'de>>(map: D) -> Result<Self, D::Error>;
}

/// Reads whichever form is there.
pub(super) fn any<'de, T: Forms<'de>, D: Deserializer<'de>>(from: D) -> Result<T, D::Error> {
    from.deserialize_any(AnyForm(PhantomData))
}

struct AnyForm<T>(PhantomData<T>);

impl<'de, T: Forms<'de>> Visitor<'de> for AnyForm<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(T::EXPECTED)
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<T, E> {
        T::text(text)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<T, A::Error> {
        T::list(SeqAccessDeserializer::new(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
        T::map(MapAccessDeserializer::new(map))
    }
}

impl<'de> Forms<'de> for Match {
    const EXPECTED: &'static str = "a map of properties to values, or a list of conditions";

    fn list<D: Deserializer<'de>>(list: D) -> Result<Self, D::Error> {
        Vec::deserialize(list).map(Match::All)
    }

    fn map<D: Deserializer<'de>>(map: D) -> Result<Self, D::Error> {
        Pairs::deserialize(map).map(Match::Exact)
    }
}

impl<'de> Forms<'de> for Protocol {
    const EXPECTED: &'static str = "the name of a protocol, or a map with its name and options";

    fn text<E: de::Error>(text: &str) -> Result<Self, E> {
        Ok(Protocol::named(text))
    }

    fn map<D: Deserializer<'de>>(map: D) -> Result<Self, D::Error> {
        Protocol::deserialize(map)
    }
}

impl<'de> Forms<'de> for Cluster {
    const EXPECTED: &'static str = "a list of endpoints, or a map with endpoints";

    fn list<D: Deserializer<'de>>(list: D) -> Result<Self, D::Error> {
        Ok(Cluster { endpoints: Vec::deserialize(list)?, ..Cluster::default() })
    }

    fn map<D: Deserializer<'de>>(map: D) -> Result<Self, D::Error> {
        Cluster::deserialize(map)
    }
}

impl<'de> Forms<'de> for Endpoint {
    const EXPECTED: &'static str = "\"host:port\", or a map with an address or srv";

    fn text<E: de::Error>(text: &str) -> Result<Self, E> {
        Ok(Endpoint::at(text))
    }

    fn map<D: Deserializer<'de>>(map: D) -> Result<Self, D::Error> {
        Endpoint::deserialize(map)
    }
}

impl<'de> Forms<'de> for Keepalive {
    const EXPECTED: &'static str = "off, or a map with an interval and a timeout";

    fn text<E: de::Error>(text: &str) -> Result<Self, E> {
        match text {
            "off" => Ok(Keepalive::Off),
            other => Err(E::invalid_value(Unexpected::Str(other), &Self::EXPECTED)),
        }
    }

    fn map<D: Deserializer<'de>>(map: D) -> Result<Self, D::Error> {
        KeepaliveTimes::deserialize(map).map(Keepalive::On)
    }
}

macro_rules! any_form {
    ($($type:ty)*) => { $(
        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                any(deserializer)
            }
        }
    )* };
}

any_form!(Match Protocol Cluster Endpoint Keepalive);

impl Serialize for Protocol {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.options.is_empty() {
            true => serializer.serialize_str(&self.name),
            false => Protocol::serialize(self, serializer),
        }
    }
}

impl Serialize for Cluster {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Cluster::serialize(self, serializer)
    }
}

impl Serialize for Endpoint {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.is_plain() {
            true => serializer.serialize_str(&self.address),
            false => Endpoint::serialize(self, serializer),
        }
    }
}

impl Serialize for Keepalive {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Keepalive::Off => serializer.serialize_str("off"),
            Keepalive::On(times) => times.serialize(serializer),
        }
    }
}

/// A map from texts to texts that keeps the order of the file. Numbers count as they are written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pairs(
    /// The keys with their values.
    pub Vec<(String, String)>,
);

impl Pairs {
    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<'de> Deserialize<'de> for Pairs {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder;

        impl<'de> Visitor<'de> for InOrder {
            type Value = Pairs;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a map of names to values")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Pairs, A::Error> {
                let mut pairs = Vec::new();
                while let Some(pair) = map.next_entry()? {
                    pairs.push(pair);
                }
                Ok(Pairs(pairs))
            }
        }

        deserializer.deserialize_map(InOrder)
    }
}

impl Serialize for Pairs {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, value)))
    }
}
