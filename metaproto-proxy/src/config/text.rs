//! Values that are written as short texts: durations and sizes.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A duration, written like `250ms`, `1s` or `1m30s`; `0` is no time at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Period(
    /// The duration.
    pub Duration,
);

/// A duration that may be endless: written like a [`Period`], or `none` or `0`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeout(
    /// The duration; `None` is for ever.
    pub Option<Duration>,
);

/// A number of bytes, written like `64KiB`, `4MiB` or `4194304`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size(
    /// The bytes.
    pub usize,
);

/// Why a text is not the value that it should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct TextError(String);

impl TextError {
    pub(super) fn new(reason: String) -> Self {
        TextError(reason)
    }
}

/// Clocks must not overflow when a timeout is added to them, so there is a bound.
const LONGEST: Duration = Duration::from_secs(365 * 24 * 3600);

impl FromStr for Period {
    type Err = TextError;

    fn from_str(text: &str) -> Result<Self, TextError> {
        if text.trim() == "0" {
            return Ok(Period(Duration::ZERO));
        }
        let period = humantime::parse_duration(text).map_err(|_| {
            TextError(format!("{text:?} is not a duration; write it like 250ms, 1s or 1m30s"))
        })?;
        if period > LONGEST {
            return Err(TextError(format!("{text:?} is longer than a year")));
        }
        Ok(Period(period))
    }
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_zero() {
            return f.write_str("0");
        }
        f.write_str(&humantime::format_duration(self.0).to_string().replace(' ', ""))
    }
}

impl FromStr for Timeout {
    type Err = TextError;

    fn from_str(text: &str) -> Result<Self, TextError> {
        if text.trim() == "none" {
            return Ok(Timeout(None));
        }
        let Period(period) = text.parse()?;
        Ok(Timeout((!period.is_zero()).then_some(period)))
    }
}

impl fmt::Display for Timeout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            None => f.write_str("none"),
            Some(period) => Period(period).fmt(f),
        }
    }
}

/// The units of a size with their shifts, largest first.
const UNITS: [(&str, u32); 3] = [("GiB", 30), ("MiB", 20), ("KiB", 10)];

impl FromStr for Size {
    type Err = TextError;

    fn from_str(text: &str) -> Result<Self, TextError> {
        let digits = text.trim();
        let unit = UNITS.iter().find_map(|(unit, shift)| Some((digits.strip_suffix(unit)?, shift)));
        let (digits, shift) = unit.unwrap_or((digits, &0));
        let number = digits.trim_end().parse::<usize>().ok();
        number.and_then(|number| number.checked_mul(1 << shift)).map(Size).ok_or_else(|| {
            TextError(format!(
                "{text:?} is not a size; write it in bytes or like 64KiB, 4MiB, 1GiB"
            ))
        })
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fits = |shift: &u32| self.0 != 0 && self.0.is_multiple_of(1 << shift);
        match UNITS.iter().find(|(_, shift)| fits(shift)) {
            Some((unit, shift)) => write!(f, "{}{unit}", self.0 >> shift),
            None => write!(f, "{}", self.0),
        }
    }
}

macro_rules! as_text {
    ($($type:ty)*) => { $(
        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
            }
        }

        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }
    )* };
}

as_text!(Period Timeout Size);

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn durations_need_a_unit_and_may_have_several() {
        let ms = |text: &str| text.parse::<Period>().map(|p| p.0.as_millis());
        assert_eq!(ms("250ms"), Ok(250));
        assert_eq!(ms("1m30s"), Ok(90_000));
        assert_eq!(ms("1m 30s"), Ok(90_000));
        assert_eq!(ms("1.5s"), Ok(1500));
        assert_eq!(ms("0"), Ok(0));
        for bad in ["", "5", "-1s", "1 fortnight", "none"] {
            let error = ms(bad).unwrap_err().to_string();
            assert!(error.contains("write it like 250ms"), "{bad}: {error}");
        }
        let endless = ms("500days").unwrap_err().to_string();
        assert_eq!(endless, r#""500days" is longer than a year"#);
    }

    #[test]
    fn a_timeout_can_be_switched_off() {
        for off in ["none", "0", "0s"] {
            assert_eq!(off.parse(), Ok(Timeout(None)), "{off}");
        }
        assert_eq!(Timeout(None).to_string(), "none");
        assert_eq!("1s".parse(), Ok(Timeout(Some(Duration::from_secs(1)))));
    }

    #[test]
    fn sizes_count_in_1024s() {
        let bytes = |text: &str| text.parse::<Size>().map(|s| s.0);
        assert_eq!(bytes("17"), Ok(17));
        assert_eq!(bytes("64KiB"), Ok(65_536));
        assert_eq!(bytes("4 MiB"), Ok(4 << 20));
        assert_eq!(bytes("1GiB"), Ok(1 << 30));
        for bad in ["", "MiB", "4MB", "-1", "1.5MiB", "99999999999GiB"] {
            let error = bytes(bad).unwrap_err().to_string();
            assert!(error.ends_with("is not a size; write it in bytes or like 64KiB, 4MiB, 1GiB"));
        }
    }

    proptest! {
        #[test]
        fn what_is_printed_reads_the_same(size in any::<u32>(), ms in 0_u64..LONGEST.as_millis() as u64) {
            let size = Size(size as usize);
            prop_assert_eq!(size.to_string().parse(), Ok(size));
            let period = Period(Duration::from_millis(ms));
            prop_assert_eq!(period.to_string().parse(), Ok(period));
        }
    }
}
