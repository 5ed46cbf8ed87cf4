//! Latencies, counted in buckets whose width grows with the value.

use std::time::Duration;

const SUB_BITS: u32 = 6;
const SUB: u64 = 1 << SUB_BITS;
const BUCKETS: usize = (65 - SUB_BITS as usize) << SUB_BITS;

/// Counts durations with a relative error below 1/64, in constant memory.
#[derive(Debug)]
pub(crate) struct Histogram {
    counts: Vec<u64>,
    total: u64,
}

impl Histogram {
    /// An empty histogram.
    pub(crate) fn new() -> Self {
        Histogram { counts: vec![0; BUCKETS], total: 0 }
    }

    /// Counts one duration.
    pub(crate) fn record(&mut self, duration: Duration) {
        let nanos = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
        self.counts[bucket(nanos)] += 1;
        self.total += 1;
    }

    /// The duration that `share` (0 to 1) of all recorded ones do not exceed, rounded up to its
    /// bucket's end. Zero when nothing was recorded.
    pub(crate) fn quantile(&self, share: f64) -> Duration {
        let rank = (share * self.total as f64).ceil().max(1.0) as u64;
        let mut seen = 0;
        for (at, count) in self.counts.iter().enumerate() {
            seen += count;
            if seen >= rank {
                return Duration::from_nanos(upper_end(at));
            }
        }
        Duration::ZERO
    }
}

/// The bucket that counts `value`: exact below 64, then 64 buckets for each power of two.
fn bucket(value: u64) -> usize {
    if value < SUB {
        return value as usize;
    }
    let shift = value.ilog2() - SUB_BITS;
    let sub = (value >> shift) - SUB;
    (((u64::from(shift) + 1) << SUB_BITS) + sub) as usize
}

/// The largest value that bucket `at` counts.
fn upper_end(at: usize) -> u64 {
    let at = at as u64;
    let Some(shift) = (at >> SUB_BITS).checked_sub(1) else { return at };
    let start = (SUB + (at & (SUB - 1))) << shift;
    start + ((1 << shift) - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_lies_in_its_bucket() {
        for value in (0..5000).chain([1 << 20, (1 << 20) - 1, 123_456_789, u64::MAX - 1, u64::MAX])
        {
            let at = bucket(value);
            assert!(value <= upper_end(at), "{value}");
            assert!(at == 0 || value > upper_end(at - 1), "{value}");
        }
        assert_eq!(bucket(u64::MAX), BUCKETS - 1);
    }

    #[test]
    fn quantiles_are_within_the_promised_error() {
        let mut histogram = Histogram::new();
        for micros in 1..=1000 {
            histogram.record(Duration::from_micros(micros));
        }
        for (share, exact) in [(0.5, 500.0), (0.99, 990.0), (1.0, 1000.0)] {
            let found = histogram.quantile(share).as_nanos() as f64 / 1000.0;
            assert!(found >= exact && found < exact * (1.0 + 1.0 / 64.0), "{share}: {found}");
        }
    }

    #[test]
    fn nothing_recorded_is_zero() {
        assert_eq!(Histogram::new().quantile(0.99), Duration::ZERO);
    }
}
