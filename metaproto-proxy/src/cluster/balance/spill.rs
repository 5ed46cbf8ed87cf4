//! How many calls each priority gets.

/// A level is taken to carry its calls with a little less than all of its endpoints: 140 percent of
/// what is usable counts. Below 1 in 1.4 usable endpoints the rest of the calls spills over.
const OVERPROVISIONED: u64 = 140;

/// The whole of the calls.
pub(super) const WHOLE: u64 = 1 << 20;

/// How many endpoints a level has.
#[derive(Debug, Clone, Copy)]
pub(super) struct Health {
    pub(super) usable: usize,
    /// At least one.
    pub(super) all: usize,
}

/// What a level gets.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Share {
    /// Its part of [`WHOLE`].
    pub(super) part: u64,
    /// So few of its endpoints are usable that all are used.
    pub(super) panics: bool,
}

impl Health {
    /// The part of all calls that the level could carry.
    fn capacity(self) -> u64 {
        let (usable, all) = (self.usable as u64, self.all.max(1) as u64);
        (usable * OVERPROVISIONED * WHOLE / (all * 100)).min(WHOLE)
    }

    /// Whether less than this percentage is usable.
    fn is_below(self, percent: u8) -> bool {
        (self.usable as u64) * 100 < (self.all as u64) * u64::from(percent)
    }
}

/// The shares of the levels, in their order. Nobody gets anything if nothing is usable and the
/// threshold is 0.
pub(super) fn shares(levels: &[Health], panic_threshold: u8) -> Vec<Share> {
    let total: u64 = levels.iter().map(|level| level.capacity()).sum();
    // While other levels can take over, one that has few usable endpoints is just left out.
    let overwhelmed = levels.len() == 1 || total < WHOLE;
    let panics = |level: &Health| overwhelmed && level.is_below(panic_threshold);
    if levels.iter().all(panics) {
        // What is known of the endpoints is worth nothing: to each what it would carry.
        let all = levels.iter().map(|level| level.all as u64).sum::<u64>().max(1);
        let part = |level: &Health| WHOLE * (level.all as u64) / all;
        let shares = levels.iter().map(|level| Share { part: part(level), panics: true });
        return rounded(shares.collect());
    }
    let mut left = WHOLE;
    let share = |level: &Health| {
        // Together they carry less than the whole: all get more than they should, in proportion.
        let scale = total.clamp(1, WHOLE);
        let part = (level.capacity() * WHOLE / scale).min(left);
        left -= part;
        Share { part, panics: panics(level) }
    };
    rounded(levels.iter().map(share).collect())
}

/// Gives what rounding has left over to the first that gets anything.
fn rounded(mut shares: Vec<Share>) -> Vec<Share> {
    let given: u64 = shares.iter().map(|share| share.part).sum();
    if let Some(share) = shares.iter_mut().find(|share| share.part > 0) {
        share.part += WHOLE - given;
    }
    shares
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The percentage for each level, and whether it panics.
    fn percent(levels: &[(usize, usize)], threshold: u8) -> Vec<(u64, bool)> {
        let levels: Vec<_> = levels.iter().map(|&(usable, all)| Health { usable, all }).collect();
        let percent = |share: Share| ((share.part * 100 + WHOLE / 2) / WHOLE, share.panics);
        shares(&levels, threshold).into_iter().map(percent).collect()
    }

    #[test]
    fn calls_spill_over_as_the_usable_share_falls() {
        for (usable, first) in [(100, 100), (72, 100), (71, 99), (50, 70), (25, 35), (0, 0)] {
            let expected = [(first, false), (100 - first, false)];
            assert_eq!(percent(&[(usable, 100), (100, 100)], 50), expected, "{usable}");
        }
        let three = percent(&[(50, 100), (10, 100), (100, 100)], 50);
        assert_eq!(three, [(70, false), (14, false), (16, false)]);
    }

    #[test]
    fn levels_that_can_not_carry_all_share_it_in_proportion() {
        assert_eq!(percent(&[(2, 10), (2, 10)], 0), [(50, false), (50, false)]);
        assert_eq!(percent(&[(1, 10), (5, 10)], 50), [(17, true), (83, false)]);
    }

    #[test]
    fn too_few_usable_endpoints_are_a_panic() {
        assert_eq!(percent(&[(49, 100)], 50), [(100, true)]);
        assert_eq!(percent(&[(50, 100)], 50), [(100, false)]);
        assert_eq!(percent(&[(1, 100)], 0), [(100, false)]);
        assert_eq!(percent(&[(0, 3), (0, 1)], 50), [(75, true), (25, true)]);
        assert_eq!(percent(&[(0, 3), (0, 1)], 0), [(0, false), (0, false)]);
    }

    proptest! {
        #[test]
        fn the_shares_are_the_whole_and_lie_where_calls_can_go(
            levels in proptest::collection::vec((0_usize..20, 1_usize..20), 1..5),
            threshold in 0_u8..=100,
        ) {
            let levels: Vec<_> =
                levels.into_iter().map(|(usable, all)| Health { usable: usable.min(all), all }).collect();
            let shares = shares(&levels, threshold);
            let nobody = threshold == 0 && levels.iter().all(|level| level.usable == 0);
            let sum: u64 = shares.iter().map(|share| share.part).sum();
            prop_assert_eq!(sum, if nobody { 0 } else { WHOLE });
            for (level, share) in levels.iter().zip(shares) {
                prop_assert!(share.part == 0 || share.panics || level.usable > 0);
            }
        }
    }
}
