//! Instructions of an operation, counted by valgrind: unlike times, they are the same in every run.

use std::io::ErrorKind;
use std::process::Command;

use super::cases::{self, Case, Operation};
use super::samples::COUNT;

/// The first argument that makes this program run one case and nothing else.
pub(crate) const CHILD: &str = "run-one-case";

/// Rounds of a run. Twice as many are run as well: the difference has no start-up in it.
const ROUNDS: u64 = 40;

/// Counts by running this program in valgrind.
pub(crate) struct Counter {
    /// What the loops alone take, for one operation.
    loops: Vec<(Operation, f64)>,
}

impl Counter {
    /// `None` without a valgrind to count with.
    pub(crate) fn new() -> Option<Self> {
        match Command::new("valgrind").arg("--version").output() {
            Ok(output) if output.status.success() => {}
            Err(error) if error.kind() == ErrorKind::NotFound => return None,
            other => panic!("valgrind can't be run: {other:?}"),
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
    let [once, twice] = [ROUNDS, 2 * ROUNDS].map(|rounds| collected(case, rounds));
    (twice - once) as f64 / (ROUNDS * COUNT as u64) as f64
}

/// The instructions of a whole run of this program.
fn collected(case: &Case, rounds: u64) -> u64 {
    let program = std::env::current_exe().expect("this program has a path");
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(program)
        .args([CHILD, case.operation.name, case.who, &rounds.to_string()])
        .output()
        .expect("valgrind was there before");
    let told = String::from_utf8_lossy(&output.stderr);
    let count = told.lines().find_map(|line| line.split_once("Collected :"));
    match count.and_then(|(_, count)| count.trim().parse().ok()) {
        Some(count) if output.status.success() => count,
        _ => panic!("valgrind has failed:\n{told}"),
    }
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
