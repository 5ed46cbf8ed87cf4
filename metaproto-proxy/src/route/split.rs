//! Shares calls out among clusters in proportion to their weights.

use std::cell::Cell;

use crate::hash;

/// A smooth weighted round robin: of any run of calls as long as the sum of the weights, each cluster
/// gets exactly its share, and the shares are spread evenly over the run. No chance is involved, so a
/// split of 90 to 10 is that over every ten calls.
///
/// Calls that have a hash stay out of that: each target has a part of the hashes as large as its share,
/// and keeps most of it when the weights change.
#[derive(Debug)]
pub(crate) struct Split<T> {
    targets: Vec<Share<T>>,
    total: i64,
}

#[derive(Debug)]
struct Share<T> {
    target: T,
    weight: i64,
    credit: Cell<i64>,
}

impl<T> Split<T> {
    /// Shares out among these; those of weight zero get nothing.
    pub(crate) fn new(targets: impl IntoIterator<Item = (T, u32)>) -> Self {
        let targets: Vec<_> = targets
            .into_iter()
            .filter(|(_, weight)| *weight > 0)
            .map(|(target, weight)| Share {
                target,
                weight: i64::from(weight),
                credit: Cell::new(0),
            })
            .collect();
        let total = targets.iter().map(|t| t.weight).sum();
        Split { targets, total }
    }

    /// Goes on where `before` is, if that shares out among the same: whoever has a small share would
    /// get nothing if each change of configuration began with the large ones.
    pub(crate) fn resume(&self, before: &Split<T>)
    where
        T: PartialEq,
    {
        let pairs = || self.targets.iter().zip(&before.targets);
        let same = self.targets.len() == before.targets.len()
            && pairs().all(|(a, b)| a.weight == b.weight && a.target == b.target);
        if same {
            pairs().for_each(|(now, before)| now.credit.set(before.credit.get()));
        }
    }

    /// Those that get something.
    pub(crate) fn targets(&self) -> impl Iterator<Item = &T> {
        self.targets.iter().map(|share| &share.target)
    }

    /// The target of the next call, which has this hash if it is to stay with its like.
    pub(crate) fn next(&self, hash: Option<u64>) -> Option<&T> {
        if let [only] = self.targets.as_slice() {
            return Some(&only.target);
        }
        if let Some(hash) = hash {
            return self.of_hash(hash);
        }
        for target in &self.targets {
            target.credit.set(target.credit.get() + target.weight);
        }
        // The first of the richest, so that the order of configuration decides among equals.
        let richest = self.targets.iter().rev().max_by_key(|t| t.credit.get())?;
        richest.credit.set(richest.credit.get() - self.total);
        Some(&richest.target)
    }

    fn of_hash(&self, hash: u64) -> Option<&T> {
        let mut left = hash::below(self.total.unsigned_abs(), hash);
        let found = self.targets.iter().find(|share| {
            let weight = share.weight.unsigned_abs();
            let found = left < weight;
            left = left.saturating_sub(weight);
            found
        });
        found.map(|share| &share.target)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::hash::Purpose;

    proptest! {
        #[test]
        fn every_run_of_the_total_weight_has_the_exact_shares(
            weights in proptest::collection::vec(0_u32..40, 1..6),
            runs in 1_usize..4,
        ) {
            let targets: Vec<_> = weights.iter().copied().enumerate().collect();
            let split = Split::new(targets.clone());
            let total: u32 = weights.iter().sum();
            prop_assert_eq!(split.next(None).is_some(), total > 0);
            let split = Split::new(targets.clone());
            for _ in 0..runs {
                let picks: Vec<_> = (0..total).filter_map(|_| split.next(None).copied()).collect();
                for (target, weight) in &targets {
                    let got = picks.iter().filter(|pick| *pick == target).count();
                    prop_assert_eq!(got, *weight as usize);
                }
            }
        }
    }

    #[test]
    fn of_a_thousand_calls_each_gets_exactly_its_share() {
        let split = Split::new([("a", 10), ("b", 90)]);
        let a = (0..1000).filter(|_| split.next(None) == Some(&"a")).count();
        assert_eq!(a, 100);
    }

    #[test]
    fn who_shares_out_among_the_same_goes_on() {
        let canary = || Split::new([("v1", 99), ("v2", 1)]);
        let mut split = canary();
        let mut calls = Vec::new();
        for _ in 0..20 {
            let next = canary();
            next.resume(&split);
            split = next;
            calls.extend((0..10).filter_map(|_| split.next(None).copied()));
        }
        assert_eq!(calls.iter().filter(|call| **call == "v2").count(), 2);
        for other in [[("v1", 98), ("v2", 2)], [("v1", 99), ("v3", 1)]] {
            let other = Split::new(other);
            other.resume(&split);
            assert!(other.targets.iter().all(|share| share.credit.get() == 0));
        }
    }

    #[test]
    fn a_hash_stays_with_its_target_and_few_move_when_weights_change() {
        let before = Split::new([("v1", 90), ("none", 0), ("v2", 10)]);
        let after = Split::new([("v1", 80), ("v2", 20)]);
        let hashes: Vec<_> =
            (0..10_000_u32).map(|n| hash::of(&n.to_le_bytes(), Purpose::Split)).collect();
        let of = |split: &Split<_>, hash| split.next(Some(hash)).copied().unwrap_or("nobody");
        let (mut canary, mut moved) = (0, 0);
        for hash in hashes {
            let target = of(&before, hash);
            before.next(None);
            assert_eq!(of(&before, hash), target);
            canary += i32::from(target == "v2");
            moved += i32::from(of(&after, hash) != target);
            assert!(target == "v1" || of(&after, hash) == "v2", "nobody leaves the one that grows");
        }
        assert!((900..1100).contains(&canary) && (900..1100).contains(&moved), "{canary} {moved}");
    }
}
