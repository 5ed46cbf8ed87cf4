//! Which calls are copied.

use std::cell::Cell;

use super::{Destination, Target};
use crate::model;
use crate::worker::ClusterKey;

/// A cluster that gets copies of a route's calls.
#[derive(Debug)]
pub(crate) struct Mirror {
    /// The cluster's name.
    pub(crate) name: String,
    pub(super) target: Target,
    /// In millionths.
    share: u32,
    pub(crate) compare: bool,
    /// The share of the calls since the last copy, and what was left over then; below
    /// [`model::Mirror::ALL`].
    credit: Cell<u32>,
}

/// A copy that is to be made.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Copied {
    /// The place of the mirror among those of the route.
    pub(crate) place: usize,
    pub(crate) to: Destination,
}

impl Mirror {
    pub(super) fn new(model: &model::Mirror, target: Target) -> Self {
        let share = model.share.min(model::Mirror::ALL);
        let (name, compare) = (model.cluster.clone(), model.compare);
        Mirror { name, target, share, compare, credit: Cell::new(0) }
    }

    /// The cluster.
    pub(crate) fn cluster(&self) -> ClusterKey {
        self.target.key
    }

    /// Goes on where `before` is, if that is the same: a small share would get nothing if each change
    /// of configuration began anew.
    pub(super) fn resume(&self, before: &Mirror) {
        if self.share == before.share && self.target == before.target {
            self.credit.set(before.credit.get());
        }
    }

    /// Whether the next call is copied. No chance is involved, so the share is exact: over any calls
    /// it is missed by less than one.
    pub(super) fn takes_next(&self) -> bool {
        let credit = self.credit.get() + self.share;
        let takes = credit >= model::Mirror::ALL;
        self.credit.set(if takes { credit - model::Mirror::ALL } else { credit });
        takes
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn mirror(share: u32) -> Mirror {
        let target = Target { key: ClusterKey::default(), hash: Vec::new() };
        Mirror::new(&model::Mirror::to("m").share(share), target)
    }

    proptest! {
        #[test]
        fn every_run_of_calls_has_the_share_but_for_less_than_one(
            share in 0..=model::Mirror::ALL,
            skipped in 0_u32..1000,
            calls in 0_u32..5000,
        ) {
            let mirror = mirror(share);
            (0..skipped).for_each(|_| { mirror.takes_next(); });
            let copied = (0..calls).filter(|_| mirror.takes_next()).count() as u64;
            let exact = u64::from(calls) * u64::from(share);
            prop_assert!((copied * 1_000_000).abs_diff(exact) < 1_000_000);
        }
    }

    #[test]
    fn of_a_thousand_calls_exactly_the_share_is_copied() {
        for (share, copied) in
            [(0, 0), (1000, 1), (100_000, 100), (333_000, 333), (1_000_000, 1000)]
        {
            let mirror = mirror(share);
            for _ in 0..3 {
                assert_eq!((0..1000).filter(|_| mirror.takes_next()).count(), copied);
            }
        }
    }

    #[test]
    fn a_mirror_that_stays_goes_on() {
        let mut now = mirror(1000);
        let mut copied = 0;
        for _ in 0..300 {
            let next = mirror(1000);
            next.resume(&now);
            now = next;
            copied += (0..10).filter(|_| now.takes_next()).count();
        }
        assert_eq!(copied, 3);
        let other = mirror(2000);
        now.takes_next();
        other.resume(&now);
        assert_eq!(other.credit.get(), 0);
    }
}
