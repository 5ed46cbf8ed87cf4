//! One endpoint after the other.

use super::candidates::Candidates;

/// A smooth weighted round robin: of as many calls as the sum of the weights each candidate gets
/// exactly its share, and the shares are spread evenly.
#[derive(Debug, Default)]
pub(super) struct RoundRobin {
    /// Where it goes on while the weights are equal.
    next: usize,
    /// What each member is owed, if they are not.
    credits: Vec<i64>,
}

impl RoundRobin {
    /// Goes on with other candidates. Those who stay are owed what they were owed.
    pub(super) fn change(&mut self, candidates: &Candidates, members: usize) {
        self.credits.resize(members, 0);
        for (member, credit) in self.credits.iter_mut().enumerate() {
            if !candidates.contains(member) {
                *credit = 0;
            }
        }
    }

    /// The member for the next call.
    pub(super) fn pick(&mut self, candidates: &Candidates) -> Option<usize> {
        if candidates.is_even() {
            let n = if self.next < candidates.len() { self.next } else { 0 };
            self.next = n + 1;
            return candidates.member(n);
        }
        self.richest(candidates)
    }

    fn richest(&mut self, candidates: &Candidates) -> Option<usize> {
        let mut best: Option<(i64, usize)> = None;
        for (member, weight) in candidates.iter() {
            let credit = self.credits.get_mut(member)?;
            *credit = credit.saturating_add_unsigned(weight);
            // The first of the richest, so that the order of configuration decides among equals.
            if best.is_none_or(|(most, _)| *credit > most) {
                best = Some((*credit, member));
            }
        }
        let (_, member) = best?;
        let credit = self.credits.get_mut(member)?;
        *credit = credit.saturating_sub_unsigned(candidates.total());
        Some(member)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn picks(robin: &mut RoundRobin, candidates: &Candidates, count: usize) -> Vec<usize> {
        (0..count).filter_map(|_| robin.pick(candidates)).collect()
    }

    proptest! {
        #[test]
        fn every_run_of_the_total_weight_has_the_exact_shares(
            weights in proptest::collection::vec(1_u64..40, 1..9),
        ) {
            let candidates = Candidates::new(weights.len(), |n| weights.get(n).copied());
            let mut robin = RoundRobin::default();
            robin.change(&candidates, weights.len());
            // Equal weights take turns, whatever their size.
            let even = weights.iter().all(|w| *w == weights[0]);
            let run = if even { weights.len() } else { weights.iter().sum::<u64>() as usize };
            for _ in 0..3 {
                let picks = picks(&mut robin, &candidates, run);
                for (member, weight) in weights.iter().enumerate() {
                    let got = picks.iter().filter(|pick| **pick == member).count();
                    prop_assert_eq!(got, if even { 1 } else { *weight as usize });
                }
            }
        }
    }

    #[test]
    fn the_shares_are_spread_evenly() {
        let candidates = Candidates::new(2, |n| [3, 1].get(n).copied());
        let mut robin = RoundRobin::default();
        robin.change(&candidates, 2);
        assert_eq!(picks(&mut robin, &candidates, 8), [0, 0, 1, 0, 0, 0, 1, 0]);
    }

    #[test]
    fn changes_between_calls_starve_nobody() {
        let mut robin = RoundRobin::default();
        let mut counts = [0; 3];
        for n in 0..100 {
            let candidates = Candidates::new(3, |member| Some([n, 100, 300][member]));
            robin.change(&candidates, 3);
            counts[robin.pick(&candidates).unwrap()] += 1;
        }
        let [grows, one, three] = counts;
        assert!((9..=13).contains(&grows) && one + grows + three == 100, "{counts:?}");
        assert!((20..=24).contains(&one), "{counts:?}");
    }

    #[test]
    fn one_that_comes_back_is_owed_nothing() {
        let all = Candidates::new(3, |n| Some([1, 1, 2][n]));
        let some = Candidates::new(3, |n| [Some(1), None, Some(2)][n]);
        let mut robin = RoundRobin::default();
        robin.change(&all, 3);
        picks(&mut robin, &all, 2);
        robin.change(&some, 3);
        assert!(!picks(&mut robin, &some, 30).contains(&1));
        robin.change(&all, 3);
        let back = picks(&mut robin, &all, 8);
        assert!((1..=3).contains(&back.iter().filter(|pick| **pick == 1).count()), "{back:?}");
    }
}
