//! What connections cost a process on which nothing happens.

use std::fs;
use std::io::{self, ErrorKind};
use std::thread;
use std::time::Duration;

use super::Load;
use crate::Failure;
use crate::cell::Cell;
use crate::cli::TargetArguments;

/// How long the process may take to put its memory in order.
const SETTLE: Duration = Duration::from_millis(300);

/// Connects, makes one call on each connection, and tells how many bytes of memory each costs the
/// watched process while it is idle: resident memory after, less that before.
///
/// One connection comes before, so that what is made once is not counted.
///
/// # Errors
/// When the target can't be connected to or does not answer, or no process is watched.
pub(crate) fn run(arguments: &TargetArguments) -> Result<f64, Failure> {
    let pid = arguments.watch.ok_or("--watch is needed: whose memory?")?;
    let once = Cell { connections: 1, in_flight: 1, body: arguments.cell.body };
    call_once(&TargetArguments { cell: once, ..*arguments })?;
    thread::sleep(SETTLE);
    let before = resident(pid)?;
    let shape = Cell { in_flight: 1, ..arguments.cell };
    let idle = call_once(&TargetArguments { cell: shape, ..*arguments })?;
    thread::sleep(SETTLE);
    let after = resident(pid)?;
    drop(idle);
    Ok((after as f64 - before as f64) / shape.connections as f64)
}

/// Opens the connections and makes one call on each.
fn call_once(arguments: &TargetArguments) -> Result<Load, Failure> {
    let mut load = Load::connect(arguments)?;
    load.fill();
    load.warm_up(Duration::from_millis(1))?;
    match load.tally.faults.total() {
        0 => Ok(load),
        _ => Err(load.tally.faults.to_string().into()),
    }
}

/// Resident memory of process `pid`, in bytes.
fn resident(pid: u32) -> io::Result<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    kib_in(&status).map(|kib| kib * 1024).ok_or_else(|| ErrorKind::InvalidData.into())
}

/// The resident memory that a /proc status tells, in KiB.
fn kib_in(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resident_memory_is_found_among_the_others() {
        let status = "Name:\tx\nVmHWM:\t  9 kB\nVmRSS:\t    1234 kB\nRssAnon:\t 5 kB\n";
        assert_eq!(kib_in(status), Some(1234));
        assert_eq!(kib_in("Name:\tx\n"), None);
    }
}
