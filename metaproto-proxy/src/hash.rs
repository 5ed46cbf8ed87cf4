//! A hash that is the same in every worker, on every machine, and in every version: XXH3 with 64 bits.
//!
//! Those who share a key's calls out by hash must agree, also across restarts and upgrades.

use twox_hash::XxHash3_64;

/// What a hash is for. Choices that build on each other need hashes that have nothing in common: were
/// the clusters of a split chosen by the same hash as their endpoints, each cluster would only see
/// the keys of a few.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    Endpoint = 0,
    Split = 1,
    Priority = 2,
    /// The second hash of an endpoint, where it needs two.
    Step = 3,
}

/// The hash of `bytes`.
pub(crate) fn of(bytes: &[u8], purpose: Purpose) -> u64 {
    XxHash3_64::oneshot_with_seed(purpose as u64, bytes)
}

/// A hash made of another, for another purpose.
pub(crate) fn derived(hash: u64, purpose: Purpose) -> u64 {
    of(&hash.to_le_bytes(), purpose)
}

/// Maps a hash to a number below `end`, evenly; in order, so that ranges stay ranges.
pub(crate) fn below(end: u64, hash: u64) -> u64 {
    ((u128::from(hash) * u128::from(end)) >> 64) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_never_change() {
        // Values of the reference implementation of XXH3.
        assert_eq!(of(b"", Purpose::Endpoint), 0x2d06_8005_38d3_94c2);
        assert_ne!(of(b"key", Purpose::Endpoint), of(b"key", Purpose::Split));
        assert_ne!(derived(7, Purpose::Priority), derived(8, Purpose::Priority));
    }

    #[test]
    fn a_hash_is_mapped_into_its_range() {
        for end in [1, 3, 10_000, u64::MAX] {
            assert_eq!(below(end, 0), 0);
            assert_eq!(below(end, u64::MAX), end - 1);
        }
        assert_eq!(below(2, u64::MAX / 2), 0);
        assert_eq!(below(2, u64::MAX / 2 + 1), 1);
    }
}
