//! The comparison: starts everybody, lets them take turns, prints the tables.

mod contender;
mod process;

use std::process::Stdio;
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};
use tokio::time::timeout;

pub(crate) use self::contender::Contender;
use self::contender::{Programs, Stage};
use self::process::{Pinning, Server, check_open_files};
use crate::Failure;
use crate::cell::Cell;
use crate::cli::CompareArguments;
use crate::load::{Faults, Report};
use crate::summary::{Rounds, Summary, cpu_per_request};
use metaproto_benches::table;

/// Seconds of load before each measurement.
const WARMUP: f64 = 0.3;
/// What a load may take beyond its warm-up and measurement.
const GRACE: Duration = Duration::from_secs(20);

/// Runs the comparison. True if every contender that ran answered every call rightly.
///
/// # Errors
/// When it can't start, or is interrupted. Whatever it started is ended in every case.
pub(crate) fn run_until_signal(arguments: &CompareArguments) -> Result<bool, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut terminate = signal(SignalKind::terminate())?;
        tokio::select! {
            outcome = run(arguments) => outcome,
            _ = interrupt.recv() => Err("interrupted; all servers are ended".into()),
            _ = terminate.recv() => Err("terminated; all servers are ended".into()),
        }
    })
}

async fn run(arguments: &CompareArguments) -> Result<bool, Failure> {
    let connections = arguments.cells.iter().map(|cell| cell.connections).max().unwrap_or(0);
    check_open_files(2 * connections + 256)?;
    let programs = Programs::find(arguments)?;
    let (contenders, mut notes) = programs.present(&arguments.only).await?;
    let (pinning, pinning_note) = Pinning::new(arguments.proxy_cpu, arguments.load_cpu).await;
    notes.push(pinning_note);
    notes.push(format!("rounds x seconds: {} x {}", arguments.rounds(), arguments.seconds()));
    if cfg!(debug_assertions) {
        notes.push("this program is a debug build: numbers mean nothing".to_owned());
    }
    notes.iter().for_each(|note| eprintln!("{note}"));

    let folder = tempfile::tempdir()?;
    let stage =
        Stage { programs: &programs, pinning: &pinning, folder: folder.path(), connections };
    let backend = stage.backend().await?;
    let (mut entries, mut problems) = (Vec::new(), Vec::new());
    for contender in contenders {
        match stage.start(contender, backend.address()).await {
            Ok(server) => {
                entries.push(Entry { contender, server, cells: Vec::new(), problems: Vec::new() });
            }
            Err(error) => {
                eprintln!("{contender}: DOES NOT START: {error}");
                problems.push(format!("{contender} does not start: {error}"));
            }
        }
    }
    for cell in &arguments.cells {
        run_cell(arguments, &stage, *cell, &mut entries).await?;
    }
    println!("{}", tables(&arguments.cells, &entries, &notes));

    for entry in entries {
        problems.extend(entry.problems);
        if let Err(error) = entry.server.stop().await {
            problems.push(format!("{}: {error}", entry.contender));
        }
    }
    backend.stop().await?;
    print!("{}", verdict(&problems));
    Ok(problems.is_empty())
}

/// A contender that takes part.
struct Entry {
    contender: Contender,
    server: Server,
    /// For each cell, the reports of its rounds.
    cells: Vec<Vec<Option<Report>>>,
    /// What went wrong, for the user.
    problems: Vec<String>,
}

/// Measures one cell, the contenders taking turns in each round.
async fn run_cell(
    arguments: &CompareArguments,
    stage: &Stage<'_>,
    cell: Cell,
    entries: &mut [Entry],
) -> Result<(), Failure> {
    entries.iter_mut().for_each(|entry| entry.cells.push(Vec::new()));
    let mut faults = vec![Faults::default(); entries.len()];
    for round in 1..=arguments.rounds() {
        for (entry, faults) in entries.iter_mut().zip(&mut faults) {
            let outcome = measure(arguments, stage, cell, &entry.server).await;
            let place = format!("{}, round {round}, {}", cell.title(), entry.contender);
            match &outcome {
                Ok(report) => {
                    faults.add(&report.faults);
                    eprintln!("{place}: {}", progress(report));
                }
                Err(error) => {
                    eprintln!("{place}: FAILED: {error}");
                    entry.problems.push(format!("{place}: {error}"));
                }
            }
            entry.cells.last_mut().ok_or("no cell")?.push(outcome.ok());
        }
    }
    for (entry, faults) in entries.iter_mut().zip(&faults).filter(|(_, all)| all.total() > 0) {
        entry.problems.push(format!("{}, {}: {faults}", entry.contender, cell.title()));
    }
    Ok(())
}

/// Lets this program's load generator measure one server once.
async fn measure(
    arguments: &CompareArguments,
    stage: &Stage<'_>,
    cell: Cell,
    server: &Server,
) -> Result<Report, Failure> {
    let seconds = arguments.seconds();
    let mut command = stage.pinning.beside_load(stage.programs.own());
    command.args(["load", "--target", &server.address().to_string()]);
    command.args(["--cell", &cell.to_string(), "--watch", &server.pid().to_string()]);
    command.args(["--seconds", &seconds.to_string(), "--warmup", &WARMUP.to_string()]);
    command.stdin(Stdio::null()).kill_on_drop(true);
    let patience = Duration::from_secs_f64(seconds + WARMUP) + GRACE;
    let output = timeout(patience, command.output())
        .await
        .map_err(|_| format!("the load did not end within {patience:?}"))??;
    let line = String::from_utf8_lossy(&output.stdout);
    if line.trim().is_empty() {
        return Err(String::from_utf8_lossy(&output.stderr).trim().into());
    }
    let report: Report = line.trim().parse()?;
    if report.completed == 0 && report.faults.total() == 0 {
        return Err("no call completed within the measured time".into());
    }
    Ok(report)
}

fn progress(report: &Report) -> String {
    let rate = report.completed as f64 / report.elapsed.as_secs_f64();
    let cpu = cpu_per_request(report)
        .map_or("nothing completed".to_owned(), |cpu| format!("{cpu:.2} µs"));
    match report.faults.total() {
        0 => format!("{cpu}, {rate:.0}/s"),
        _ => format!("{cpu}, {rate:.0}/s, WRONG: {}", report.faults),
    }
}

/// All tables and what must be known to read them.
fn tables(cells: &[Cell], entries: &[Entry], notes: &[String]) -> String {
    let baseline = entries.iter().find(|entry| entry.contender == Contender::Haproxy);
    let render = |title: &str, text: fn(&Summary) -> String| {
        let mut heading = vec![title.to_owned()];
        heading.extend(cells.iter().map(Cell::title));
        let rows: Vec<Vec<String>> = entries
            .iter()
            .map(|entry| {
                let texts = entry.cells.iter().enumerate().map(|(at, rounds)| {
                    let base = baseline.and_then(|base| base.cells.get(at));
                    let base: Option<&Rounds> = base.map(Vec::as_slice);
                    Summary::of(rounds, base).map_or("failed".to_owned(), |all| text(&all))
                });
                [entry.contender.to_string()].into_iter().chain(texts).collect()
            })
            .collect();
        table::markdown(&heading, &rows)
    };
    format!(
        "\n{}\n{}\n{}\n{}",
        render("CPU µs per request (ratio to HAProxy)", Summary::cost_text),
        render("Requests per second (CPU use)", Summary::rate_text),
        render("Latency p50 / p99, µs", Summary::latency_text),
        notes.iter().map(|note| format!("- {note}\n")).collect::<String>(),
    )
}

/// What went wrong, in words that can't be overlooked; or that nothing did.
fn verdict(problems: &[String]) -> String {
    if problems.is_empty() {
        return "Every response had the id, the length and the body of its request.\n".to_owned();
    }
    let lines: String = problems.iter().map(|problem| format!("- {problem}\n")).collect();
    format!("**ERRORS: the numbers above are not to be trusted.**\n\n{lines}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_reported_loudly() {
        let text = verdict(&["metaproto, shared, 4 conns x 64: wrong_body=2".to_owned()]);
        assert!(text.starts_with("**ERRORS"), "{text}");
        assert!(text.contains("wrong_body=2"), "{text}");
        assert!(!verdict(&[]).contains("ERRORS"));
    }
}
