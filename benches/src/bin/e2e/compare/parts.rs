//! What is measured besides cost and latency.

use tokio::process::Command;

use super::contender::{Contender, Program};
use super::lineup::{Bench, Job, told};
use super::process::Server;
use crate::Failure;
use crate::cell::Cell;
use crate::protocol::Protocol;
use crate::report::{PerCell, Results, Section};

/// Idle connections whose memory is measured.
const IDLE: usize = 1000;
/// Numbers of routes whose cost is measured.
const ROUTES: [usize; 4] = [10, 100, 1000, 10_000];
/// Seconds of the shorter and the longer run under valgrind.
const UNDER_VALGRIND: [f64; 2] = [0.3, 1.5];

impl Bench<'_> {
    /// Bytes for each idle connection of everybody in `section`, in fresh processes.
    pub(super) async fn memory(&self, section: &mut Section, problems: &mut Vec<String>) {
        let protocol = section.protocol;
        section.memory = vec![Vec::new(); section.contenders.len()];
        let cell = Cell { connections: IDLE, in_flight: 1, body: 128 };
        for _ in 0..self.arguments.rounds() {
            for (contender, values) in section.contenders.iter().zip(&mut section.memory) {
                match self.memory_of(*contender, self.job(protocol, cell)).await {
                    Ok(bytes) => values.push(bytes),
                    Err(error) => {
                        let title = contender.title(protocol);
                        problems.push(told(format!("{title}, idle connections: {error}")));
                    }
                }
            }
        }
    }

    async fn memory_of(&self, contender: Contender, job: Job) -> Result<f64, Failure> {
        let backend = self.stage.backend(job.protocol).await?;
        let server = self.stage.start(contender, job, backend.address()).await?;
        let bytes = self.measure_idle(job, &server).await?;
        server.stop().await?;
        backend.stop().await?;
        Ok(bytes)
    }

    /// System calls per request of each of `servers`, counted by perf in the kernel.
    pub(super) async fn system_calls(
        &self,
        job: Job,
        servers: &[(String, &Server)],
        problems: &mut Vec<String>,
    ) -> Vec<Option<f64>> {
        let mut all = Vec::new();
        for (name, server) in servers {
            let outcome = self.system_calls_of(job, server).await;
            if let Err(error) = &outcome {
                problems.push(told(format!("{name}, system calls: {error}")));
            }
            all.push(outcome.ok());
        }
        all
    }

    async fn system_calls_of(&self, job: Job, server: &Server) -> Result<f64, Failure> {
        let counted = self.stage.folder.join("perf");
        let mut perf = Command::new("perf");
        perf.args(["stat", "-x", ",", "-e", "raw_syscalls:sys_enter"]);
        perf.args(["-p", &server.pid().to_string(), "-o"]).arg(&counted).arg("--");
        let report = self.measure(job, server, Some(perf)).await?;
        let text = std::fs::read_to_string(&counted)?;
        let calls = counted_by_perf(&text).ok_or("perf counted nothing")?;
        Ok(calls / report.answered as f64)
    }

    /// Allocations per request of ours, counted by valgrind: what a longer run has beyond a
    /// shorter one, over the calls that it answered beyond it.
    pub(super) async fn allocations(&self, section: &mut Section, problems: &mut Vec<String>) {
        let protocol = section.protocol;
        for contender in section.contenders.clone() {
            if contender.program() != Program::Metaproto {
                section.allocations.push(None);
                continue;
            }
            let outcome = self.allocations_of(contender, protocol).await;
            if let Err(error) = &outcome {
                let title = contender.title(protocol);
                problems.push(told(format!("{title}, {protocol}, allocations: {error}")));
            }
            section.allocations.push(outcome.ok());
        }
    }

    async fn allocations_of(
        &self,
        contender: Contender,
        protocol: Protocol,
    ) -> Result<f64, Failure> {
        let cell = Cell { connections: 16, in_flight: 4, body: 128 };
        let mut points = Vec::new();
        for seconds in UNDER_VALGRIND {
            let mut valgrind = Command::new("valgrind");
            valgrind.args(["--leak-check=no", "--undef-value-errors=no"]);
            valgrind.arg(self.stage.programs.path(Program::Metaproto));
            let backend = self.stage.backend(protocol).await?;
            let job = Job { seconds, ..self.job(protocol, cell) };
            let upstream = backend.address();
            let server = self.stage.start_under(valgrind, contender, job, upstream).await?;
            let answered = self.measure(job, &server, None).await?.answered as f64;
            let text = server.finish().await?;
            backend.stop().await?;
            points.push((answered, counted_by_valgrind(&text).ok_or("valgrind counted nothing")?));
        }
        match points[..] {
            [(few, less), (many, more)] if many > few => Ok((more - less) / (many - few)),
            _ => Err("the longer run answered no more calls than the shorter one".into()),
        }
    }

    /// CPU per request by number of routes.
    pub(super) async fn routes(&self, results: &mut Results) -> Result<(), Failure> {
        let protocol = Protocol::Awesomerpc;
        let backend = self.stage.backend(protocol).await?;
        results.route_counts = ROUTES.to_vec();
        let most = Cell { connections: 64, in_flight: 4, body: 128 };
        let mut servers = Vec::new();
        for count in ROUTES {
            servers.push((count, self.stage.start_routes(count, most, backend.address()).await?));
        }
        for (connections, in_flight) in [(64, 1), (4, 64)] {
            let cell = Cell { connections, in_flight, body: 128 };
            let named: Vec<(String, &Server)> =
                servers.iter().map(|(count, server)| (format!("{count} routes"), server)).collect();
            let job = self.job(protocol, cell);
            let rounds = self.take_turns(job, &named, &mut results.problems).await;
            results.routes.push(PerCell { cell, all: rounds });
        }
        for (_, server) in servers {
            server.stop().await?;
        }
        backend.stop().await
    }
}

/// The count in perf's output with commas between fields.
fn counted_by_perf(text: &str) -> Option<f64> {
    let line = text.lines().find(|line| line.contains("raw_syscalls"))?;
    line.split(',').next()?.parse().ok()
}

/// The allocations that valgrind tells at the end.
fn counted_by_valgrind(text: &str) -> Option<f64> {
    let (_, rest) = text.split_once("total heap usage:")?;
    rest.split_whitespace().next()?.replace(',', "").parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_found_in_what_the_tools_print() {
        let perf = "# started on Mon\n\n12345,,raw_syscalls:sys_enter,1000,100.00,,\n";
        assert_eq!(counted_by_perf(perf), Some(12_345.0));
        assert_eq!(counted_by_perf("<not counted>,,raw_syscalls:sys_enter,0"), None);
        let valgrind = "==1==   total heap usage: 1,234 allocs, 1,200 frees, 5 bytes allocated\n";
        assert_eq!(counted_by_valgrind(valgrind), Some(1234.0));
        assert_eq!(counted_by_valgrind(""), None);
    }
}
