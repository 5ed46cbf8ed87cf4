//! The processes that are started: where they run, how they get ready, how they end.
//!
//! Each is ended by its own handle, also when the comparison fails or is interrupted: dropping
//! the handle kills it.

use std::fs::{self, File};
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use tokio::time::{Instant, sleep, timeout};

use crate::Failure;
use crate::backend::LISTENING;
use crate::protocol::Protocol;

/// How long a server may take until it accepts connections.
const READY: Duration = Duration::from_secs(20);

/// Which CPU the measured server has, and which the load and the backend share.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pinning {
    cpus: Option<(usize, usize)>,
}

impl Pinning {
    /// Tries whether `taskset` can pin to both CPUs, and says so if it can't.
    pub(crate) async fn new(measured: usize, load: usize) -> (Self, String) {
        for cpu in [measured, load] {
            let trial = Command::new("taskset").args(["-c", &cpu.to_string(), "true"]).output();
            let problem = match trial.await {
                Ok(output) if output.status.success() => continue,
                Ok(output) => String::from_utf8_lossy(&output.stderr).trim().to_owned(),
                Err(error) => format!("taskset: {error}"),
            };
            return (Pinning { cpus: None }, format!("nothing is pinned to a CPU ({problem})"));
        }
        let note = format!("measured server on CPU {measured}, load and backend on CPU {load}");
        (Pinning { cpus: Some((measured, load)) }, note)
    }

    /// A command on the CPU of the measured server.
    pub(crate) fn measured(&self, program: &Path) -> Command {
        self.pinned(|(measured, _)| measured.to_string(), program)
    }

    /// A command on the CPU of the load.
    pub(crate) fn beside_load(&self, program: &Path) -> Command {
        self.pinned(|(_, load)| load.to_string(), program)
    }

    /// A command on `cpus`, a list as taskset reads it.
    pub(crate) fn on(&self, cpus: &str, program: &Path) -> Command {
        self.pinned(|_| cpus.to_owned(), program)
    }

    /// taskset replaces itself by the program, so the process id stays the program's.
    fn pinned(&self, cpus: impl Fn((usize, usize)) -> String, program: &Path) -> Command {
        let Some(both) = self.cpus else { return Command::new(program) };
        let mut command = Command::new("taskset");
        command.args(["-c", &cpus(both)]).arg(program);
        command
    }
}

/// A running server.
#[derive(Debug)]
pub(crate) struct Server {
    child: Child,
    pid: u32,
    address: SocketAddr,
    log: PathBuf,
}

impl Server {
    /// Starts `command`, which is told elsewhere to listen on `address`, and waits until it does.
    pub(crate) async fn start(
        mut command: Command,
        address: SocketAddr,
        log: &Path,
    ) -> Result<Self, Failure> {
        let output = File::create(log)?;
        command.stdout(output.try_clone()?).stderr(output).stdin(Stdio::null());
        let child = command.kill_on_drop(true).spawn()?;
        let pid = child.id().ok_or("the server ended at once")?;
        let mut server = Server { child, pid, address, log: log.to_owned() };
        let deadline = Instant::now() + READY;
        while TcpStream::connect(address).await.is_err() {
            if let Some(status) = server.child.try_wait()? {
                return Err(format!("ended with {status}: {}", server.last_words()).into());
            }
            if Instant::now() > deadline {
                return Err(format!("not ready after {READY:?}: {}", server.last_words()).into());
            }
            sleep(Duration::from_millis(20)).await;
        }
        Ok(server)
    }

    /// Starts this program's backend by `command`, and waits until it says where it listens.
    pub(crate) async fn start_backend(
        mut command: Command,
        protocol: Protocol,
        log: &Path,
    ) -> Result<Self, Failure> {
        command.args(["backend", "--until-stdin-closes", "--protocol", protocol.name()]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(File::create(log)?);
        let mut child = command.kill_on_drop(true).spawn()?;
        let pid = child.id().ok_or("the backend ended at once")?;
        let output = child.stdout.take().ok_or("the backend has no output")?;
        let line = timeout(READY, BufReader::new(output).lines().next_line()).await??;
        let address = line.as_deref().and_then(|line| line.strip_prefix(LISTENING));
        let address = address.ok_or("the backend does not say where it listens")?.parse()?;
        Ok(Server { child, pid, address, log: log.to_owned() })
    }

    /// Its process id.
    pub(crate) fn pid(&self) -> u32 {
        self.pid
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Kills it and waits until it is gone. One that ended by itself is an error.
    pub(crate) async fn stop(mut self) -> Result<(), Failure> {
        if let Some(status) = self.child.try_wait()? {
            return Err(format!("ended early with {status}: {}", self.last_words()).into());
        }
        Ok(self.child.kill().await?)
    }

    /// Asks it to end, waits until it has, and tells all that it printed.
    pub(crate) async fn finish(mut self) -> Result<String, Failure> {
        let pid = i32::try_from(self.pid).ok().and_then(Pid::from_raw).ok_or("no process id")?;
        kill_process(pid, Signal::TERM)?;
        timeout(READY, self.child.wait()).await??;
        Ok(String::from_utf8_lossy(&fs::read(&self.log)?).into_owned())
    }

    /// The end of what it printed.
    fn last_words(&self) -> String {
        let text = fs::read(&self.log).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let lines: Vec<&str> = text.lines().rev().take(20).collect();
        lines.into_iter().rev().collect::<Vec<_>>().join("\n")
    }
}

/// A loopback address whose port is free now.
pub(crate) fn free_address() -> io::Result<SocketAddr> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()
}

/// Checks that this process, and so each one it starts, may open `needed` files.
pub(crate) fn check_open_files(needed: usize) -> Result<(), Failure> {
    let limits = fs::read_to_string("/proc/self/limits").unwrap_or_default();
    match open_files_in(&limits) {
        Some(limit) if limit < needed => Err(format!(
            "only {limit} files may be open, {needed} are needed: run `ulimit -n {needed}` in \
             this shell first, or measure cells with fewer connections (--cells)"
        )
        .into()),
        _ => Ok(()),
    }
}

/// The soft limit of open files in the text of /proc/PID/limits. None if unlimited or unknown.
fn open_files_in(limits: &str) -> Option<usize> {
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"))?;
    line.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_soft_limit_of_open_files_is_found() {
        let limits = "Limit            Soft Limit  Hard Limit  Units\n\
                      Max open files   1024        524288      files\n";
        assert_eq!(open_files_in(limits), Some(1024));
        assert_eq!(open_files_in("Max open files  unlimited unlimited files"), None);
        assert_eq!(open_files_in(""), None);
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_limit_that_is_too_low_names_the_remedy() {
        let refusal = check_open_files(usize::MAX).map_err(|error| error.to_string());
        let message = refusal.expect_err("no limit is that high");
        assert!(message.contains("ulimit -n"), "{message}");
    }
}
