//! Two workers against one.

use super::config::metaproto;
use super::contender::{Contender, Program};
use super::lineup::{Bench, Job};
use super::process::{Server, free_address};
use crate::Failure;
use crate::cell::Cell;
use crate::protocol::Protocol;
use crate::report::{PerCell, Results};

/// The protocol whose calls cost most, so that the load can keep two workers busy.
const PROTOCOL: Protocol = Protocol::Thrift;

impl Bench<'_> {
    /// Requests per second of one worker on one CPU, and of two on two.
    ///
    /// The second worker and the backend have CPUs of their own here, `second` and `backend`.
    pub(super) async fn workers(
        &self,
        (second, backend): (usize, usize),
        results: &mut Results,
    ) -> Result<(), Failure> {
        let own = self.stage.programs.path(Program::Own);
        let command = self.stage.pinning.on(&backend.to_string(), own);
        let backend = Server::start_backend(command, PROTOCOL, &self.stage.file("log")).await?;
        let cell = Cell { connections: 64, in_flight: 1, body: 128 };
        let first = self.arguments.proxy_cpu;
        let mut servers = Vec::new();
        for (workers, cpus) in [(1, first.to_string()), (2, format!("{first},{second}"))] {
            let place = self.stage.place(PROTOCOL, cell, backend.address())?;
            let admin = free_address()?;
            let mode = Contender::MetaprotoExclusive;
            let config = metaproto::config(mode, place, admin, workers);
            let command =
                self.stage.pinning.on(&cpus, self.stage.programs.path(Program::Metaproto));
            let started = self.stage.start_with(Program::Metaproto, command, place, &config);
            servers.push((format!("{workers} workers"), started.await?));
        }
        let named: Vec<(String, &Server)> =
            servers.iter().map(|(name, server)| (name.clone(), server)).collect();
        let job: Job = self.job(PROTOCOL, cell);
        let all = self.take_turns(job, &named, &mut results.problems).await;
        results.workers = Some(PerCell { cell, all });
        for (_, server) in servers {
            server.stop().await?;
        }
        backend.stop().await
    }
}
