//! The shape of mirrors in a configuration file.

use std::fmt;
use std::str::FromStr;

use serde::de::{self, Deserializer};
use serde::ser::Serializer;
use serde::{Deserialize, Serialize};

use super::forms::{Forms, any};
use super::text::TextError;
use crate::model::{self, Labels};

/// Who gets copies of a route's calls: one mirror, or a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mirrors {
    /// Only this.
    One(Mirror),
    /// Each of these.
    Each(Vec<Mirror>),
}

/// A cluster that gets copies of a route's calls.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Mirror {
    /// The cluster's name.
    pub cluster: String,
    /// What its endpoints must have; by default nothing.
    #[serde(default, skip_serializing_if = "Labels::is_empty")]
    pub subset: Labels,
    /// See [`model::Mirror::share`]; by default all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub percent: Option<Percent>,
    /// See [`model::Mirror::compare`].
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub compare: bool,
}

/// A share from 0 to 100, written like `10` or `0.1`, with up to four decimals.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Percent {
    /// The share in millionths, at most a million.
    pub millionths: u32,
}

/// Millionths in a percent, and the decimals that they are.
const IN_ONE: u32 = 10_000;
const DECIMALS: usize = 4;

impl FromStr for Percent {
    type Err = TextError;

    fn from_str(text: &str) -> Result<Self, TextError> {
        let reason = || {
            TextError::new(format!(
                "{text:?} is not a percentage; write it like 10 or 0.1, at most 100, with up to {DECIMALS} decimals"
            ))
        };
        let (whole, part) = text.trim().split_once('.').unwrap_or((text.trim(), "0"));
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        if !digits(whole) || !digits(part) || part.len() > DECIMALS {
            return Err(reason());
        }
        let part = format!("{part:0<DECIMALS$}").parse::<u32>().ok();
        let whole = whole.parse::<u32>().ok().and_then(|whole| whole.checked_mul(IN_ONE));
        let sum = whole.zip(part).and_then(|(whole, part)| whole.checked_add(part));
        let millionths = sum.filter(|sum| *sum <= model::Mirror::ALL).ok_or_else(reason)?;
        Ok(Percent { millionths })
    }
}

impl fmt::Display for Percent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, part) = (self.millionths / IN_ONE, self.millionths % IN_ONE);
        if part == 0 {
            return write!(f, "{whole}");
        }
        let part = format!("{part:0DECIMALS$}");
        write!(f, "{whole}.{}", part.trim_end_matches('0'))
    }
}

impl<'de> Deserialize<'de> for Percent {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

impl Serialize for Percent {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl Mirrors {
    /// The mirrors, in order.
    pub(super) fn model(&self) -> Vec<model::Mirror> {
        let mirrors = match self {
            Mirrors::One(mirror) => std::slice::from_ref(mirror),
            Mirrors::Each(mirrors) => mirrors,
        };
        mirrors.iter().map(Into::into).collect()
    }
}

impl From<&Mirror> for model::Mirror {
    fn from(file: &Mirror) -> Self {
        let mut mirror = model::Mirror::to(&file.cluster);
        mirror.subset.clone_from(&file.subset);
        mirror.share = file.percent.map_or(mirror.share, |percent| percent.millionths);
        mirror.compare = file.compare;
        mirror
    }
}

impl<'de> Forms<'de> for Mirrors {
    const EXPECTED: &'static str = "a map with a cluster, or a list of these";

    fn list<D: Deserializer<'de>>(list: D) -> Result<Self, D::Error> {
        Vec::deserialize(list).map(Mirrors::Each)
    }

    fn map<D: Deserializer<'de>>(map: D) -> Result<Self, D::Error> {
        Mirror::deserialize(map).map(Mirrors::One)
    }
}

impl<'de> Deserialize<'de> for Mirrors {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        any(deserializer)
    }
}

impl Serialize for Mirrors {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Mirrors::One(mirror) => mirror.serialize(serializer),
            Mirrors::Each(mirrors) => mirrors.serialize(serializer),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn percentages_have_up_to_four_decimals() {
        let of = |text: &str| text.parse().ok().map(|percent: Percent| percent.millionths);
        for (text, millionths) in [
            ("0", 0),
            ("0.1", 1000),
            ("10", 100_000),
            ("33.3", 333_000),
            ("0.0001", 1),
            ("100", 1_000_000),
        ] {
            assert_eq!(of(text), Some(millionths), "{text}");
        }
        for text in ["", ".5", "5.", "-1", "+1", "1e1", "100.1", "0.00001", "1%", "99999999999"] {
            assert_eq!(of(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn a_percentage_reads_as_it_is_written(millionths in 0..=model::Mirror::ALL) {
            let percent = Percent { millionths };
            prop_assert_eq!(percent.to_string().parse::<Percent>().unwrap(), percent);
        }
    }
}
