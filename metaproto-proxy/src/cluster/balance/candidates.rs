//! The endpoints that calls may go to now, drawn at random in proportion to their weights.

/// The members of a level that calls may go to now.
#[derive(Debug, Default)]
pub(super) struct Candidates {
    /// Their places among the members, in order.
    members: Vec<u32>,
    /// Their weights, in the same order.
    weights: Vec<u64>,
    /// Which members are among them.
    chosen: Vec<bool>,
    /// The sum of the weights.
    total: u64,
    /// Nothing if the weights are equal.
    columns: Vec<Column>,
}

/// Two candidates that differ, or one if there is no other.
pub(super) type Two = (usize, Option<usize>);

/// One of as many columns as there are candidates, all as high as the sum of the weights: the lower
/// part is the candidate's own, the rest belongs to another. To draw is to pick a column and a height, however
/// many there are. (The alias method of A. J. Walker, as set up by M. D. Vose.)
#[derive(Debug, Clone, Copy)]
struct Column {
    own: u64,
    other: u32,
}

impl Candidates {
    /// Those of `count` members that `weight` gives a weight.
    pub(super) fn new(count: usize, weight: impl Fn(usize) -> Option<u64>) -> Self {
        let mut candidates = Candidates { chosen: vec![false; count], ..Candidates::default() };
        for (member, chosen) in candidates.chosen.iter_mut().enumerate() {
            if let Some(weight) = weight(member) {
                *chosen = true;
                candidates.members.push(member as u32);
                candidates.weights.push(weight.max(1));
            }
        }
        candidates.total = candidates.weights.iter().sum();
        if candidates.weights.windows(2).any(|pair| pair.first() != pair.last()) {
            candidates.columns = columns(&candidates.weights, candidates.total);
        }
        candidates
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.members.len()
    }

    /// The sum of their weights.
    pub(super) fn total(&self) -> u64 {
        self.total
    }

    /// Whether their weights are equal.
    pub(super) fn is_even(&self) -> bool {
        self.columns.is_empty()
    }

    /// The place of the n-th among the members.
    pub(super) fn member(&self, n: usize) -> Option<usize> {
        self.members.get(n).map(|member| *member as usize)
    }

    /// Whether a member is among them.
    pub(super) fn contains(&self, member: usize) -> bool {
        self.chosen.get(member).copied().unwrap_or_default()
    }

    /// The members with their weights.
    pub(super) fn iter(&self) -> impl Iterator<Item = (usize, u64)> {
        self.members.iter().map(|member| *member as usize).zip(self.weights.iter().copied())
    }

    /// The weight of the n-th.
    pub(super) fn weight(&self, n: usize) -> u64 {
        self.weights.get(n).copied().unwrap_or(1)
    }

    /// Draws one in proportion to the weights: tells which of them, if there are any.
    pub(super) fn draw(&self) -> Option<usize> {
        let count = self.members.len();
        if count == 0 {
            return None;
        }
        let n = fastrand::usize(..count);
        let Some(column) = self.columns.get(n) else { return Some(n) };
        let own = fastrand::u64(..self.total) < column.own;
        Some(if own { n } else { column.other as usize })
    }

    /// Draws two.
    pub(super) fn draw_two(&self) -> Option<Two> {
        let first = self.draw()?;
        let count = self.members.len();
        if count == 1 {
            return Some((first, None));
        }
        // One may have nearly all the weight, so not for ever.
        let second = (0..4).filter_map(|_| self.draw()).find(|n| *n != first);
        let any = || (first + 1 + fastrand::usize(..count - 1)) % count;
        Some((first, Some(second.unwrap_or_else(any))))
    }
}

/// The columns for these weights, whose sum is `total`.
fn columns(weights: &[u64], total: u64) -> Vec<Column> {
    // Every candidate brings its weight as often as there are columns, which fills them exactly.
    let count = weights.len() as u128;
    let mut left: Vec<u128> = weights.iter().map(|weight| u128::from(*weight) * count).collect();
    let full = u128::from(total);
    let mut columns: Vec<_> =
        (0..).map(|n| Column { own: total, other: n }).take(weights.len()).collect();
    let (mut poor, mut rich): (Vec<usize>, Vec<usize>) =
        (0..weights.len()).partition(|n| left.get(*n).is_some_and(|left| *left < full));
    while let (Some(n), Some(&donor)) = (poor.pop(), rich.last()) {
        let own = left.get(n).copied().unwrap_or_default();
        if let Some(column) = columns.get_mut(n) {
            *column = Column { own: own as u64, other: donor as u32 };
        }
        let Some(rest) = left.get_mut(donor) else { break };
        *rest -= full - own;
        if *rest < full {
            rich.pop();
            poor.push(donor);
        }
    }
    columns
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What each would get of as many draws as there are columns times the sum of the weights.
    fn shares(candidates: &Candidates) -> Vec<u128> {
        let mut shares = vec![0; candidates.len()];
        for (n, column) in candidates.columns.iter().enumerate() {
            shares[n] += u128::from(column.own);
            shares[column.other as usize] += u128::from(candidates.total - column.own);
        }
        shares
    }

    proptest! {
        #[test]
        fn the_columns_hold_exactly_the_weights(
            weights in proptest::collection::vec(1_u64..1 << 40, 2..40),
        ) {
            let candidates = Candidates::new(weights.len(), |n| weights.get(n).copied());
            prop_assume!(!candidates.is_even());
            let count = weights.len() as u128;
            let expected: Vec<_> = weights.iter().map(|w| u128::from(*w) * count).collect();
            prop_assert_eq!(shares(&candidates), expected);
        }

        #[test]
        fn two_that_are_drawn_differ(weights in proptest::collection::vec(1_u64..1000, 2..9)) {
            let candidates = Candidates::new(weights.len(), |n| weights.get(n).copied());
            for _ in 0..100 {
                let (first, second) = candidates.draw_two().unwrap();
                prop_assert!(first < weights.len());
                prop_assert!(second.is_some_and(|second| second != first && second < weights.len()));
            }
        }
    }

    #[test]
    fn those_without_a_weight_are_not_drawn() {
        let candidates = Candidates::new(4, |n| (n % 2 == 1).then_some(5));
        assert_eq!(candidates.iter().collect::<Vec<_>>(), [(1, 5), (3, 5)]);
        assert!(candidates.contains(3) && !candidates.contains(2) && !candidates.contains(9));
        assert!((0..100).all(|_| candidates.draw().is_some_and(|n| n < 2)));
        let none = Candidates::new(4, |_| None);
        assert_eq!((none.draw(), none.draw_two()), (None, None));
        let one = Candidates::new(4, |n| (n == 2).then_some(1));
        assert_eq!((one.draw_two(), one.member(0)), (Some((0, None)), Some(2)));
    }
}
