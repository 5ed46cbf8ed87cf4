//! How long things took, as a histogram of fixed buckets.

/// The bounds of the buckets in microseconds: one, two and five of every power of ten, from 10 µs to
/// 100 s. What is exactly a bound belongs to the bucket below it.
const BOUNDS: [u32; 22] = [
    10,
    20,
    50,
    100,
    200,
    500,
    1_000,
    2_000,
    5_000,
    10_000,
    20_000,
    50_000,
    100_000,
    200_000,
    500_000,
    1_000_000,
    2_000_000,
    5_000_000,
    10_000_000,
    20_000_000,
    50_000_000,
    100_000_000,
];

/// Room for one bucket for each bound and one for what is above the last, and a power of two, so that
/// no index has to be looked at.
const ROOM: usize = 32;

/// By the place of the highest bit of a duration, the bucket of the shortest with that bit. Two bounds
/// differ by a factor of two at the least, so that the longest is in the same bucket or the next.
const FIRST: [Candidate; 32] = first();

/// A bucket, and what belongs to the next.
#[derive(Clone, Copy)]
struct Candidate {
    bucket: u32,
    bound: u32,
}

const fn first() -> [Candidate; 32] {
    let mut first = [Candidate { bucket: 0, bound: BOUNDS[0] }; 32];
    let mut bit = 1;
    while bit < 32 {
        let mut bucket = 0;
        while bucket < BOUNDS.len() && BOUNDS[bucket] < 1 << bit {
            bucket += 1;
        }
        let bound = if bucket < BOUNDS.len() { BOUNDS[bucket] } else { u32::MAX };
        first[bit] = Candidate { bucket: bucket as u32, bound };
        bit += 1;
    }
    first
}

/// Durations, counted in buckets that get wider with what they hold.
///
/// To count one costs a few instructions and no memory. A worker reads the clock once for everything
/// that is ready at the same time, so that durations are as exact as such a turn is short: most take
/// microseconds, a busy one perhaps a millisecond.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Histogram {
    buckets: [u64; ROOM],
    micros: u64,
}

impl Default for Histogram {
    fn default() -> Self {
        Histogram { buckets: [0; ROOM], micros: 0 }
    }
}

impl Histogram {
    /// Counts a duration of so many microseconds.
    #[inline(always)]
    pub(crate) fn add(&mut self, micros: u32) {
        let Candidate { bucket, bound } = FIRST[(micros | 1).ilog2() as usize % FIRST.len()];
        let bucket = bucket as usize + usize::from(micros > bound);
        self.buckets[bucket % ROOM] += 1;
        self.micros += u64::from(micros);
    }

    /// Adds another's durations.
    pub fn merge(&mut self, other: &Histogram) {
        for (mine, theirs) in self.buckets.iter_mut().zip(other.buckets) {
            *mine += theirs;
        }
        self.micros += other.micros;
    }

    /// How many have been counted.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.buckets.iter().sum()
    }

    /// How long they were together, in microseconds.
    #[must_use]
    pub fn micros(&self) -> u64 {
        self.micros
    }

    /// For each bound in microseconds, from the lowest to the highest, how many were not longer.
    pub fn cumulative(&self) -> impl Iterator<Item = (u32, u64)> + '_ {
        let counts = self.buckets.iter().scan(0, |sum, count| {
            *sum += count;
            Some(*sum)
        });
        BOUNDS.into_iter().zip(counts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bucket(micros: u32) -> usize {
        let mut histogram = Histogram::default();
        histogram.add(micros);
        assert_eq!((histogram.count(), histogram.micros()), (1, micros.into()));
        histogram.buckets.iter().position(|count| *count == 1).unwrap()
    }

    #[test]
    fn each_duration_is_in_the_first_bucket_whose_bound_it_does_not_exceed() {
        let around = |at: u32| [at.saturating_sub(1), at, at.saturating_add(1)];
        let powers = (0..32).map(|shift| 1_u32 << shift);
        let all = powers.chain(BOUNDS).chain([0, 7, 12_345, u32::MAX]).flat_map(around);
        for micros in all {
            let expected = BOUNDS.iter().position(|bound| micros <= *bound);
            assert_eq!(bucket(micros), expected.unwrap_or(BOUNDS.len()), "{micros}");
        }
    }

    #[test]
    fn a_bucket_counts_what_those_below_it_do() {
        let mut histogram = Histogram::default();
        for micros in [0, 10, 11, 5_000, 200_000_000] {
            histogram.add(micros);
        }
        let cumulative: Vec<_> = histogram.cumulative().collect();
        assert_eq!(cumulative.len(), BOUNDS.len());
        assert!(cumulative.is_sorted());
        assert_eq!(cumulative[..2], [(10, 2), (20, 3)]);
        assert_eq!(cumulative.last(), Some(&(100_000_000, 4)));
        assert_eq!((histogram.count(), histogram.micros()), (5, 200_005_021));
    }

    #[test]
    fn merged_histograms_count_what_both_did() {
        let mut one = Histogram::default();
        let mut other = Histogram::default();
        one.add(15);
        other.add(15);
        other.add(70_000);
        one.merge(&other);
        assert_eq!((one.count(), one.micros()), (3, 70_030));
        assert_eq!(one.buckets[1], 2);
    }
}
