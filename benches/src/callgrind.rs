//! Instructions, counted by valgrind: unlike times, they are the same in every run.

use std::io::ErrorKind;
use std::process::Command;

/// The first argument that makes a benchmark run one case and nothing else.
pub const CHILD: &str = "run-one-case";

/// Whether there is a valgrind to count with.
///
/// # Panics
/// There is one that does not work.
#[must_use]
pub fn is_installed() -> bool {
    match Command::new("valgrind").arg("--version").output() {
        Ok(output) if output.status.success() => true,
        Err(error) if error.kind() == ErrorKind::NotFound => false,
        other => panic!("valgrind can't be run: {other:?}"),
    }
}

/// The instructions of one round of a case. This program is run with [`CHILD`], the arguments, and a
/// number of rounds; and again with twice as many: the difference has no start-up in it.
///
/// # Panics
/// A run fails.
#[must_use]
pub fn per_round(arguments: &[&str], rounds: u64) -> f64 {
    let [once, twice] = [rounds, 2 * rounds].map(|rounds| collected(arguments, rounds));
    (twice - once) as f64 / rounds as f64
}

/// The instructions of a whole run of this program.
fn collected(arguments: &[&str], rounds: u64) -> u64 {
    let program = std::env::current_exe().expect("this program has a path");
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(program)
        .arg(CHILD)
        .args(arguments)
        .arg(rounds.to_string())
        .output()
        .expect("valgrind was there before");
    let told = String::from_utf8_lossy(&output.stderr);
    let count = told.lines().find_map(|line| line.split_once("Collected :"));
    match count.and_then(|(_, count)| count.trim().parse().ok()) {
        Some(count) if output.status.success() => count,
        _ => panic!("valgrind has failed:\n{told}"),
    }
}
