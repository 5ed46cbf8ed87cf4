//! Shares calls out among clusters in proportion to their weights.

use std::cell::Cell;

use crate::worker::ClusterKey;

/// A smooth weighted round robin: of any run of calls as long as the sum of the weights, each cluster
/// gets exactly its share, and the shares are spread evenly over the run. No chance is involved, so a
/// split of 90 to 10 is that over every ten calls.
#[derive(Debug)]
pub(crate) struct Split {
    targets: Vec<Target>,
    total: i64,
}

#[derive(Debug)]
struct Target {
    cluster: ClusterKey,
    weight: i64,
    credit: Cell<i64>,
}

impl Split {
    /// Shares out among these; those of weight zero get nothing.
    pub(crate) fn new(targets: impl IntoIterator<Item = (ClusterKey, u32)>) -> Self {
        let targets: Vec<_> = targets
            .into_iter()
            .filter(|(_, weight)| *weight > 0)
            .map(|(cluster, weight)| Target {
                cluster,
                weight: i64::from(weight),
                credit: Cell::new(0),
            })
            .collect();
        let total = targets.iter().map(|t| t.weight).sum();
        Split { targets, total }
    }

    /// The cluster of the next call.
    pub(crate) fn next(&self) -> Option<ClusterKey> {
        if let [only] = self.targets.as_slice() {
            return Some(only.cluster);
        }
        for target in &self.targets {
            target.credit.set(target.credit.get() + target.weight);
        }
        // The first of the richest, so that the order of configuration decides among equals.
        let richest = self.targets.iter().rev().max_by_key(|t| t.credit.get())?;
        richest.credit.set(richest.credit.get() - self.total);
        Some(richest.cluster)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use slotmap::SlotMap;

    use super::*;

    proptest! {
        #[test]
        fn every_run_of_the_total_weight_has_the_exact_shares(
            weights in proptest::collection::vec(0_u32..40, 1..6),
            runs in 1_usize..4,
        ) {
            let mut map: SlotMap<ClusterKey, ()> = SlotMap::with_key();
            let targets: Vec<_> = weights.iter().map(|w| (map.insert(()), *w)).collect();
            let split = Split::new(targets.clone());
            let total: u32 = weights.iter().sum();
            prop_assert_eq!(split.next().is_some(), total > 0);
            let split = Split::new(targets.clone());
            for _ in 0..runs {
                let picks: Vec<_> = (0..total).filter_map(|_| split.next()).collect();
                for (key, weight) in &targets {
                    let got = picks.iter().filter(|pick| *pick == key).count();
                    prop_assert_eq!(got, *weight as usize);
                }
            }
        }
    }
}
