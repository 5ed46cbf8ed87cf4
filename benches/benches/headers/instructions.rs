//! Instructions of an operation, without those of the loop around it.

use metaproto_benches::callgrind;

use super::cases::{self, Case, Operation};
use super::samples::COUNT;

/// Rounds of a run.
const ROUNDS: u64 = 40;

/// Counts by running this program in valgrind.
pub(crate) struct Counter {
    /// What the loops alone take, for one operation.
    loops: Vec<(Operation, f64)>,
}

impl Counter {
    /// `None` without a valgrind to count with.
    pub(crate) fn new() -> Option<Self> {
        if !callgrind::is_installed() {
            return None;
        }
        let loops = cases::loops();
        Some(Counter { loops: loops.iter().map(|it| (it.operation, with_loop(it))).collect() })
    }

    /// The instructions of one operation of `case`.
    pub(crate) fn count(&self, case: &Case) -> f64 {
        let around = self.loops.iter().find(|(operation, _)| *operation == case.operation);
        with_loop(case) - around.map_or(0.0, |(_, count)| *count)
    }
}

/// The instructions of one operation of `case` and of its turn of the loop.
fn with_loop(case: &Case) -> f64 {
    callgrind::per_round(&[case.operation.name, case.who], ROUNDS) / COUNT as f64
}

/// What the child does.
pub(crate) fn run(arguments: &[String]) {
    let [operation, who, rounds] = arguments else {
        panic!("an operation, a contender and a number of rounds are wanted");
    };
    let mut cases = cases::all();
    cases.extend(cases::loops());
    let named = |case: &&mut Case| case.operation.name == operation && case.who == who;
    let case = cases.iter_mut().find(named).expect("there is such a case");
    (case.run)(rounds.parse().expect("a number of rounds"));
}
