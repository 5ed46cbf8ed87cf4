//! The contenders of one protocol, all running, and how they take turns.

use std::process::Stdio;
use std::time::Duration;

use tokio::process::Command;
use tokio::time::timeout;

use super::contender::{Contender, Program};
use super::process::Server;
use super::stage::Stage;
use crate::Failure;
use crate::cell::Cell;
use crate::cli::CompareArguments;
use crate::load::{Faults, Report};
use crate::protocol::Protocol;
use crate::report::{Rounds, cpu_per_request};

/// What a load may take beyond its warm-up and measurement.
const GRACE: Duration = Duration::from_secs(60);

/// The most characters of a problem that are shown at the end.
const MOST_KEPT: usize = 200;

/// One measurement, of whomever it is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Job {
    /// What is spoken.
    pub(crate) protocol: Protocol,
    /// The load.
    pub(crate) cell: Cell,
    /// Calls a second in an open loop; None in a closed one.
    pub(super) rate: Option<u32>,
    /// Measured seconds.
    pub(super) seconds: f64,
    /// How often everybody has a turn.
    pub(super) rounds: u32,
}

/// What every measurement needs.
#[derive(Debug)]
pub(super) struct Bench<'a> {
    /// What was asked for.
    pub(super) arguments: &'a CompareArguments,
    /// How servers are started.
    pub(super) stage: &'a Stage<'a>,
}

/// Servers that were started, by name.
#[derive(Debug)]
pub(super) struct Lineup {
    backend: Server,
    servers: Vec<(Contender, Server)>,
}

impl Bench<'_> {
    /// A measurement of `cell` in a closed loop.
    pub(super) fn job(&self, protocol: Protocol, cell: Cell) -> Job {
        let (seconds, rounds) = (self.arguments.seconds(), self.arguments.rounds());
        Job { protocol, cell, rate: None, seconds, rounds }
    }

    /// Those of `contenders` who can forward `protocol` and do start. Who does not is a problem,
    /// not an error.
    pub(super) async fn who_starts(
        &self,
        protocol: Protocol,
        contenders: &[Contender],
        problems: &mut Vec<String>,
    ) -> Result<Vec<Contender>, Failure> {
        let job = self.job(protocol, Cell { connections: 1, in_flight: 1, body: 128 });
        let backend = self.stage.backend(protocol).await?;
        let mut all = Vec::new();
        for &contender in contenders.iter().filter(|contender| contender.forwards(protocol)) {
            match self.stage.start(contender, job, backend.address()).await {
                Ok(server) => {
                    server.stop().await?;
                    all.push(contender);
                }
                Err(error) => {
                    let title = contender.title(protocol);
                    problems.push(told(format!("{title}, {protocol}: does not start: {error}")));
                }
            }
        }
        backend.stop().await?;
        Ok(all)
    }

    /// Starts everybody, in new processes, for `job`.
    pub(super) async fn line_up(
        &self,
        job: Job,
        contenders: &[Contender],
    ) -> Result<Lineup, Failure> {
        let backend = self.stage.backend(job.protocol).await?;
        let mut servers = Vec::new();
        for &contender in contenders {
            servers.push((contender, self.stage.start(contender, job, backend.address()).await?));
        }
        Ok(Lineup { backend, servers })
    }

    /// Measures `job` of everybody in `contenders`, who take turns in each round.
    pub(super) async fn compare(
        &self,
        job: Job,
        contenders: &[Contender],
        problems: &mut Vec<String>,
    ) -> Result<Vec<Rounds>, Failure> {
        let lineup = self.line_up(job, contenders).await?;
        let rounds = self.take_turns(job, &lineup.named(job.protocol), problems).await;
        lineup.stop(job.protocol, problems).await;
        Ok(rounds)
    }

    /// Measures `job` of each of `servers`, which take turns in each round. The outer list has one
    /// entry for each of them.
    pub(super) async fn take_turns(
        &self,
        job: Job,
        servers: &[(String, &Server)],
        problems: &mut Vec<String>,
    ) -> Vec<Rounds> {
        let mut all = vec![Vec::new(); servers.len()];
        let mut wrong = vec![Wrong::default(); servers.len()];
        for round in 1..=job.rounds {
            for (((name, server), rounds), wrong) in servers.iter().zip(&mut all).zip(&mut wrong) {
                let outcome = self.measure(job, server, None).await;
                let place = format!("{}, {}, round {round}, {name}", job.protocol, job.cell);
                eprintln!(
                    "{place}: {}",
                    outcome.as_ref().map_or_else(Failure::to_string, progress)
                );
                match &outcome {
                    Ok(report) => wrong.faults.add(&report.faults),
                    Err(error) => wrong.failures.push(error.to_string()),
                }
                rounds.push(outcome.ok());
            }
        }
        for ((name, _), wrong) in servers.iter().zip(&wrong) {
            let place = format!("{}, {}, {name}", job.protocol, job.cell);
            problems.extend(wrong.text(job.rounds).map(|text| told(format!("{place}: {text}"))));
        }
        all
    }

    /// Lets this program's load generator measure `server` once. `around` is a command that runs
    /// the one that it is given, such as perf.
    pub(super) async fn measure(
        &self,
        job: Job,
        server: &Server,
        around: Option<Command>,
    ) -> Result<Report, Failure> {
        let warmup = self.arguments.warmup();
        let mut load = self.load("load", job, server);
        load.args(["--seconds", &job.seconds.to_string(), "--warmup", &warmup.to_string()]);
        if let Some(rate) = job.rate {
            load.args(["--rate", &rate.to_string()]);
        }
        let command = match around {
            None => load,
            Some(mut around) => {
                let load = load.as_std();
                around.arg(load.get_program()).args(load.get_args());
                around
            }
        };
        let line = output_of(command, job.seconds + 2.0 * warmup).await?;
        let report: Report = line.trim().parse()?;
        if report.completed == 0 && report.faults.total() == 0 {
            return Err("no call completed within the measured time".into());
        }
        Ok(report)
    }

    /// Bytes of memory that each of the job's connections costs `server` while idle.
    pub(super) async fn measure_idle(&self, job: Job, server: &Server) -> Result<f64, Failure> {
        Ok(output_of(self.load("idle", job, server), 0.0).await?.trim().parse()?)
    }

    /// This program as the load, told whom to call and how.
    fn load(&self, kind: &str, job: Job, server: &Server) -> Command {
        let own = self.stage.programs.path(Program::Own);
        let mut command = self.stage.pinning.beside_load(own);
        command.args([kind, "--target", &server.address().to_string()]);
        command.args(["--protocol", job.protocol.name(), "--cell", &job.cell.to_string()]);
        command.args(["--watch", &server.pid().to_string()]);
        command
    }
}

impl Lineup {
    /// The servers and their names in tables of `protocol`.
    pub(super) fn named(&self, protocol: Protocol) -> Vec<(String, &Server)> {
        let name = |contender: &Contender| contender.title(protocol).to_owned();
        self.servers.iter().map(|(contender, server)| (name(contender), server)).collect()
    }

    /// Ends everybody. Who ended before is a problem.
    pub(super) async fn stop(self, protocol: Protocol, problems: &mut Vec<String>) {
        for (contender, server) in self.servers {
            if let Err(error) = server.stop().await {
                problems.push(told(format!("{}: {error}", contender.title(protocol))));
            }
        }
        if let Err(error) = self.backend.stop().await {
            problems.push(told(format!("backend: {error}")));
        }
    }
}

/// What went wrong with one server, over all rounds.
#[derive(Clone, Debug, Default)]
struct Wrong {
    faults: Faults,
    failures: Vec<String>,
}

impl Wrong {
    /// In words; None if nothing did.
    fn text(&self, rounds: u32) -> Option<String> {
        let faults = (self.faults.total() > 0).then(|| self.faults.to_string());
        let failed = self
            .failures
            .first()
            .map(|first| format!("failed in {} of {rounds} rounds: {first}", self.failures.len()));
        let texts: Vec<String> = faults.into_iter().chain(failed).collect();
        (!texts.is_empty()).then(|| texts.join("; "))
    }
}

/// What `command` prints, if it ends `seconds` and some grace from now.
async fn output_of(mut command: Command, seconds: f64) -> Result<String, Failure> {
    command.stdin(Stdio::null()).kill_on_drop(true);
    let patience = Duration::from_secs_f64(seconds) + GRACE;
    let output = timeout(patience, command.output())
        .await
        .map_err(|_| format!("the load did not end within {patience:?}"))??;
    let text = String::from_utf8_lossy(&output.stdout);
    if text.trim().is_empty() {
        return Err(String::from_utf8_lossy(&output.stderr).trim().into());
    }
    Ok(text.into_owned())
}

fn progress(report: &Report) -> String {
    let rate = report.completed as f64 / report.elapsed.as_secs_f64();
    let cpu = cpu_per_request(report)
        .map_or("nothing completed".to_owned(), |cpu| format!("{cpu:.2} µs"));
    match report.faults.total() {
        0 => format!("{cpu}, {rate:.0}/s, p99 {:?}", report.p99),
        _ => format!("{cpu}, {rate:.0}/s, WRONG: {}", report.faults),
    }
}

/// Tells the user of `problem` at once; what is kept of it fits on one line.
pub(super) fn told(problem: String) -> String {
    eprintln!("PROBLEM: {problem}");
    let line = problem.lines().next().unwrap_or_default();
    line.chars().take(MOST_KEPT).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_failed_in_every_round_is_told_once() {
        let mut wrong = Wrong::default();
        assert_eq!(wrong.text(3), None);
        wrong.failures = vec!["closed".to_owned(); 3];
        assert_eq!(wrong.text(3).unwrap(), "failed in 3 of 3 rounds: closed");
        wrong.faults.lost = 2;
        assert_eq!(wrong.text(3).unwrap(), "lost=2; failed in 3 of 3 rounds: closed");
    }
}
