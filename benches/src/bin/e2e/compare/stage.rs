//! What it takes to start a contender.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use tokio::process::Command;

use super::config::{Place, envoy, haproxy, metaproto};
use super::contender::{Contender, Program};
use super::lineup::Job;
use super::process::{Pinning, Server, free_address};
use super::programs::Programs;
use crate::Failure;
use crate::cell::Cell;
use crate::protocol::Protocol;

/// What every start needs.
#[derive(Debug)]
pub(crate) struct Stage<'a> {
    /// Where the programs are.
    pub(crate) programs: &'a Programs,
    /// Which CPU is whose.
    pub(crate) pinning: &'a Pinning,
    /// Where configuration and logs are written.
    pub(crate) folder: &'a Path,
    /// Files written so far, for their names.
    pub(crate) started: std::cell::Cell<usize>,
}

impl Stage<'_> {
    /// Starts a backend on the load's CPU.
    pub(crate) async fn backend(&self, protocol: Protocol) -> Result<Server, Failure> {
        let command = self.pinning.beside_load(self.programs.path(Program::Own));
        Server::start_backend(command, protocol, &self.file("log")).await
    }

    /// Starts `contender` before `upstream`, and waits until it accepts connections.
    pub(crate) async fn start(
        &self,
        contender: Contender,
        job: Job,
        upstream: SocketAddr,
    ) -> Result<Server, Failure> {
        let command = self.pinning.measured(self.programs.path(contender.program()));
        if contender == Contender::Direct {
            return Server::start_backend(command, job.protocol, &self.file("log")).await;
        }
        let place = self.place(job.protocol, job.cell, upstream)?;
        let config = match contender.program() {
            Program::Haproxy => haproxy::config(place),
            Program::Envoy => envoy::config(contender, place),
            _ => metaproto::config(contender, place, free_address()?, 1),
        };
        self.start_with(contender.program(), command, place, &config).await
    }

    /// Starts metaproto with that many routes, before a backend of awesomerpc.
    pub(crate) async fn start_routes(
        &self,
        count: usize,
        cell: Cell,
        upstream: SocketAddr,
    ) -> Result<Server, Failure> {
        let command = self.pinning.measured(self.programs.path(Program::Metaproto));
        let place = self.place(Protocol::Awesomerpc, cell, upstream)?;
        let config = metaproto::with_routes(place, free_address()?, count);
        self.start_with(Program::Metaproto, command, place, &config).await
    }

    /// Starts `command`, which becomes metaproto, as the contender that it is.
    pub(crate) async fn start_under(
        &self,
        command: Command,
        contender: Contender,
        job: Job,
        upstream: SocketAddr,
    ) -> Result<Server, Failure> {
        let place = self.place(job.protocol, job.cell, upstream)?;
        let config = metaproto::config(contender, place, free_address()?, 1);
        self.start_with(Program::Metaproto, command, place, &config).await
    }

    /// Starts `command`, which becomes `program`, with `config`.
    pub(crate) async fn start_with(
        &self,
        program: Program,
        mut command: Command,
        place: Place,
        config: &str,
    ) -> Result<Server, Failure> {
        // Envoy tells the format of its configuration by the name of the file.
        let file = self.file("yaml");
        fs::write(&file, config)?;
        match program {
            Program::Haproxy => command.args(["-q", "-db", "-f"]).arg(&file),
            Program::Envoy => command
                .args(["--concurrency", "1", "--disable-hot-restart", "--use-dynamic-base-id"])
                .args(["--log-level", "error", "--config-path"])
                .arg(&file),
            _ => command.args(["proxy", "-c"]).arg(&file),
        };
        Server::start(command, place.listen, &self.file("log")).await
    }

    /// A free place before `upstream`.
    pub(crate) fn place(
        &self,
        protocol: Protocol,
        cell: Cell,
        upstream: SocketAddr,
    ) -> Result<Place, Failure> {
        let (listen, connections) = (free_address()?, cell.connections);
        let in_flight = connections * cell.in_flight;
        Ok(Place { protocol, listen, upstream, connections, in_flight })
    }

    /// A file that is not there yet.
    pub(crate) fn file(&self, kind: &str) -> PathBuf {
        self.started.set(self.started.get() + 1);
        self.folder.join(format!("{}.{kind}", self.started.get()))
    }
}
