//! Reading and writing the headers of Dubbo (16 bytes) and awesomerpc (13 bytes): with our derive, by
//! hand, and with zerocopy, binrw, deku and nom. Prints one table of instructions, times and
//! allocations, and fails if the derive costs more than it may.

mod by_hand;
mod cases;
mod derived;
mod hand_codec;
mod instructions;
mod samples;
mod with_binrw;
mod with_deku;
mod with_nom;
mod with_zerocopy;

use std::cell::RefCell;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use criterion::{Criterion, Throughput};
use metaproto_benches::{callgrind, table};

use self::cases::{BY_HAND, Case, DERIVED};
use self::instructions::Counter;

/// How often each case has its turn. Times are compared within a pass.
const PASSES: usize = 7;
/// Times that criterion takes of a case in its turn.
const SAMPLES: usize = 20;

/// What was found out about a case. What was not asked for, or could not be had, is `None`.
struct Row<'a> {
    case: &'a Case,
    instructions: Option<f64>,
    /// Nanoseconds in each pass.
    times: Vec<f64>,
    allocations: f64,
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [first, rest @ ..] = &arguments[..]
        && first == callgrind::CHILD
    {
        instructions::run(rest);
        return ExitCode::SUCCESS;
    }
    let mut cases = cases::all();
    check_outcomes(&mut cases);
    let given = |argument: &str| arguments.iter().any(|given| given == argument);
    if !given("--bench") {
        return ExitCode::SUCCESS; // `cargo test`: they run, and tell the same
    }
    let allocations: Vec<f64> = cases.iter_mut().map(allocations).collect();
    let only_instructions = given("instructions");
    let times = match only_instructions {
        true => vec![Vec::new(); cases.len()],
        false => times(&mut cases),
    };
    let counter = Counter::new();
    if counter.is_none() {
        println!("valgrind is not installed: no instructions are counted");
    }
    let row = |((case, times), allocations)| Row {
        case,
        instructions: counter.as_ref().map(|counter| counter.count(case)),
        times,
        allocations,
    };
    let measured = cases.iter().zip(times).zip(allocations);
    let measured = measured.filter(|((_, times), _)| only_instructions || !times.is_empty());
    let rows: Vec<Row<'_>> = measured.map(row).collect();
    print!("{}", markdown(&rows));
    verdict(&rows)
}

/// All contenders must tell the same, or the comparison means nothing.
fn check_outcomes(cases: &mut [Case]) {
    for group in cases.chunk_by_mut(|one, other| one.operation == other.operation) {
        let outcomes: Vec<_> = group.iter_mut().map(|case| (case.who, (case.outcome)())).collect();
        for (who, outcome) in &outcomes {
            let operation = group[0].operation.name;
            assert_eq!(
                *outcome, outcomes[0].1,
                "{operation}: {who} differs from {}",
                outcomes[0].0
            );
        }
    }
}

/// Allocations of one operation, apart from what only the first ones need.
fn allocations(case: &mut Case) -> f64 {
    let mut of = |rounds| allocation_counter::measure(|| (case.run)(rounds)).count_total;
    of(1);
    of(1) as f64 / samples::COUNT as f64
}

/// Nanoseconds of one operation of each case in each pass, as criterion takes them. None of those that
/// the command line leaves out.
fn times(cases: &mut [Case]) -> Vec<Vec<f64>> {
    let mut criterion = Criterion::default()
        .warm_up_time(Duration::from_millis(100))
        .measurement_time(Duration::from_millis(200))
        .sample_size(SAMPLES)
        .nresamples(1000)
        .configure_from_args();
    let mut times = vec![Vec::new(); cases.len()];
    for _ in 0..PASSES {
        for (case, times) in cases.iter_mut().zip(&mut times) {
            times.extend(time(&mut criterion, case));
        }
    }
    criterion.final_summary();
    times
}

fn time(criterion: &mut Criterion, case: &mut Case) -> Option<f64> {
    let samples = RefCell::new(Vec::new());
    let mut group = criterion.benchmark_group(case.operation.name);
    group.throughput(Throughput::Elements(samples::COUNT as u64));
    group.bench_function(case.who, |bencher| {
        bencher.iter_custom(|rounds| {
            let start = Instant::now();
            (case.run)(rounds);
            let elapsed = start.elapsed();
            let operations = rounds as f64 * samples::COUNT as f64;
            samples.borrow_mut().push(elapsed.as_nanos() as f64 / operations);
            elapsed
        });
    });
    group.finish();
    fastest(&samples.into_inner())
}

/// The fastest of the last samples; those before are the warm-up. Other load on the machine only makes a
/// sample slower.
fn fastest(samples: &[f64]) -> Option<f64> {
    samples.iter().rev().take(SAMPLES).copied().min_by(f64::total_cmp)
}

fn markdown(rows: &[Row<'_>]) -> String {
    let heading = ["", "instructions", "÷ by hand", "time ÷ by hand", "allocations"];
    let cells = rows.iter().map(|row| {
        let text = |value: Option<f64>, digits| {
            value.map_or_else(String::new, |value| format!("{value:.digits$}"))
        };
        vec![
            format!("{}: {}", row.case.operation.name, row.case.who),
            text(row.instructions, 1),
            text(ratio(rows, row), 2),
            text(time_ratio(rows, row), 2),
            text(Some(row.allocations), 0),
        ]
    });
    table::markdown(&heading.map(str::to_owned), &cells.collect::<Vec<_>>())
}

fn by_hand<'a>(rows: &'a [Row<'a>], row: &Row<'_>) -> Option<&'a Row<'a>> {
    rows.iter().find(|r| r.case.operation == row.case.operation && r.case.who == BY_HAND)
}

/// The instructions of `row` relative to the same by hand.
fn ratio(rows: &[Row<'_>], row: &Row<'_>) -> Option<f64> {
    Some(row.instructions? / by_hand(rows, row)?.instructions?)
}

/// The time of `row` relative to the same by hand: within each pass, and then the median.
fn time_ratio(rows: &[Row<'_>], row: &Row<'_>) -> Option<f64> {
    let by_hand = &by_hand(rows, row)?.times;
    let mut ratios: Vec<f64> = row.times.iter().zip(by_hand).map(|(it, hand)| it / hand).collect();
    ratios.sort_by(f64::total_cmp);
    ratios.get(ratios.len() / 2).copied()
}

/// Whether ours keeps its bars.
fn verdict(rows: &[Row<'_>]) -> ExitCode {
    let mut kept = true;
    for row in rows.iter().filter(|row| row.case.who == DERIVED) {
        let (name, bar) = (row.case.operation.name, row.case.operation.bar);
        if let Some(ratio) = ratio(rows, row).filter(|it| *it > bar) {
            println!("MISSED: {name}: {ratio:.3} times the instructions of by hand, over {bar:.2}");
            kept = false;
        }
        if row.allocations > 0.0 && !row.case.operation.allocates {
            println!("MISSED: {name}: it allocates");
            kept = false;
        }
    }
    if kept { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
