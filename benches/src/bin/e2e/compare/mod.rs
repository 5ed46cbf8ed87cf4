//! The comparison: starts everybody, lets them take turns, and shows what came out.

mod config;
mod contender;
mod lineup;
mod parts;
mod process;
mod programs;
mod stage;
mod workers;

use std::fs;
use std::path::Path;

use tokio::process::Command;
use tokio::signal::unix::{SignalKind, signal};

use self::config::UPSTREAM_CONNECTIONS;
pub(crate) use self::contender::Contender;
use self::contender::Program;
use self::lineup::{Bench, Job};
use self::process::{Pinning, check_open_files};
use self::programs::Programs;
use self::stage::Stage;
use crate::Failure;
use crate::cell::Cell;
use crate::cli::{CompareArguments, Part};
use crate::protocol::Protocol;
use crate::report::{self, PerCell, Results, Section};

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
    let cells = arguments.cells();
    let connections = cells.iter().map(|cell| cell.connections).max().unwrap_or(0).max(1000);
    check_open_files(2 * connections + UPSTREAM_CONNECTIONS + 256)?;
    let programs = Programs::find(arguments)?;
    let (contenders, mut notes) = programs.present(&arguments.only).await?;
    let (pinning, pinning_note) = Pinning::new(arguments.proxy_cpu, arguments.load_cpu).await;
    notes.push(pinning_note);
    notes.extend(more_notes(arguments));
    let parts = possible(arguments, &contenders, &mut notes).await;
    notes.iter().for_each(|note| eprintln!("{note}"));

    let folder = tempfile::tempdir()?;
    let started = std::cell::Cell::new(0);
    let folder = folder.path();
    let stage = Stage { programs: &programs, pinning: &pinning, folder, started };
    let bench = Bench { arguments, stage: &stage };
    let mut results = Results { notes, rate: arguments.rate, ..Results::default() };
    for &protocol in &arguments.protocols {
        let section = bench.protocol(protocol, &contenders, &parts, &mut results.problems).await?;
        results.sections.push(section);
    }
    if parts.contains(&Part::Routes) {
        bench.routes(&mut results).await?;
    }
    if parts.contains(&Part::Workers)
        && let Some(cpus) = arguments.worker_cpus()
    {
        bench.workers(cpus, &mut results).await?;
    }
    show(&results, arguments.write.as_deref())?;
    Ok(results.problems.is_empty())
}

impl Bench<'_> {
    /// Measures everything that is asked for of one protocol.
    async fn protocol(
        &self,
        protocol: Protocol,
        contenders: &[Contender],
        parts: &[Part],
        problems: &mut Vec<String>,
    ) -> Result<Section, Failure> {
        let everybody = self.who_starts(protocol, contenders, problems).await?;
        let mut section = Section::new(protocol, everybody.clone());
        if parts.contains(&Part::Cost) {
            for cell in self.arguments.cells() {
                let all = self.compare(self.job(protocol, cell), &everybody, problems).await?;
                section.cost.push(PerCell { cell, all });
            }
        }
        let cell = |connections, in_flight| Cell { connections, in_flight, body: 128 };
        if parts.contains(&Part::Latency) {
            // What disturbs the machine only ever makes a tail longer: many short rounds, of which
            // some are not disturbed.
            let job = Job {
                rate: Some(self.arguments.rate),
                seconds: 0.4 * self.arguments.seconds(),
                rounds: 5 * self.arguments.rounds(),
                ..self.job(protocol, cell(64, 16))
            };
            section.latency = self.compare(job, &everybody, problems).await?;
        }
        if parts.contains(&Part::SystemCalls) {
            for cell in [cell(64, 1), cell(64, 64)] {
                let job = self.job(protocol, cell);
                let lineup = self.line_up(job, &everybody).await?;
                let all = self.system_calls(job, &lineup.named(protocol), problems).await;
                lineup.stop(protocol, problems).await;
                section.system_calls.push(PerCell { cell, all });
            }
        }
        if parts.contains(&Part::Memory) {
            self.memory(&mut section, problems).await;
        }
        if parts.contains(&Part::Allocations) {
            self.allocations(&mut section, problems).await;
        }
        Ok(section)
    }
}

/// The parts that are asked for and can be measured here; says why the others can't.
async fn possible(
    arguments: &CompareArguments,
    contenders: &[Contender],
    notes: &mut Vec<String>,
) -> Vec<Part> {
    let ours = contenders.iter().any(|contender| contender.program() == Program::Metaproto);
    let mut parts = Vec::new();
    for &part in &arguments.parts {
        let tool = match part {
            Part::SystemCalls => {
                &["perf", "stat", "-e", "raw_syscalls:sys_enter", "--", "true"][..]
            }
            Part::Allocations => &["valgrind", "--version"][..],
            Part::Workers if arguments.worker_cpus().is_none() => {
                notes.push("not measured: two workers against one (it takes four CPUs)".to_owned());
                continue;
            }
            _ => &[][..],
        };
        let needs_ours = matches!(part, Part::Allocations | Part::Routes | Part::Workers);
        if needs_ours && !ours {
            continue;
        }
        match missing(tool).await {
            None => parts.push(part),
            Some(reason) => notes.push(format!("not measured: {part:?} ({reason})")),
        }
    }
    parts
}

/// Why `command` can't be run; None if it can, or if there is none.
async fn missing(command: &[&str]) -> Option<String> {
    let (program, flags) = command.split_first()?;
    match Command::new(program).args(flags).output().await {
        Ok(output) if output.status.success() => None,
        Ok(output) => Some(format!("{program}: {}", output.status)),
        Err(error) => Some(format!("{program}: {error}")),
    }
}

/// What else must be known to read the numbers.
fn more_notes(arguments: &CompareArguments) -> Vec<String> {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let mut notes = vec![
        format!("{}, {cores} cores, loopback", std::env::consts::ARCH),
        format!("{} rounds of {} s each", arguments.rounds(), arguments.seconds()),
    ];
    if cfg!(debug_assertions) {
        notes.push("this program is a debug build: numbers mean nothing".to_owned());
    }
    notes
}

/// Prints the tables, and writes them and the plot where that is asked for.
fn show(results: &Results, write: Option<&Path>) -> Result<(), Failure> {
    let tables = report::markdown(results);
    println!("\n{tables}");
    if let Some(path) = write {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        let plot = path.with_extension("svg");
        let name = plot.file_name().unwrap_or_default().to_string_lossy();
        let costs = results.sections.iter().any(|section| !section.cost.is_empty());
        let name = costs.then_some(&*name);
        fs::write(path.with_extension("md"), report::document(results, name))?;
        if costs {
            fs::write(&plot, report::svg(results))?;
        }
    }
    Ok(())
}
