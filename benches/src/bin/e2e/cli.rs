//! The command line.

use std::net::SocketAddr;
use std::num::NonZero;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::cell::Cell;
use crate::compare::Contender;
use crate::protocol::Protocol;

/// Compares what a call costs in RPC proxies, side by side on this machine.
#[derive(Debug, Parser)]
#[command(name = "e2e", args_conflicts_with_subcommands = true)]
pub(crate) struct Arguments {
    /// One half alone; the comparison when absent.
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
    #[command(flatten)]
    pub(crate) compare: CompareArguments,
}

/// The halves of the comparison.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Runs a server that answers each call with the text that it brought.
    Backend(BackendArguments),
    /// Loads one address and reports what came back, as one line.
    Load(LoadArguments),
    /// Makes one call on each connection, keeps them open, and reports the bytes of memory that
    /// each cost the watched process.
    Idle(TargetArguments),
}

/// Flags of the comparison.
#[derive(Debug, Args)]
pub(crate) struct CompareArguments {
    /// The metaproto binary [default: `metaproto` next to this program; left out when absent].
    #[arg(long, value_name = "PATH")]
    pub(crate) metaproto: Option<PathBuf>,
    /// The Envoy binary [default: $ENVOY, or `envoy` on the PATH; left out when absent].
    #[arg(long, value_name = "PATH")]
    pub(crate) envoy: Option<PathBuf>,
    /// Contenders to run [default: all but metaproto-bound].
    #[arg(long, value_enum, value_delimiter = ',', value_name = "NAME,..")]
    pub(crate) only: Vec<Contender>,
    /// Protocols to run.
    #[arg(
        long,
        value_enum,
        value_delimiter = ',',
        value_name = "NAME,..",
        default_value = "awesomerpc,dubbo,thrift"
    )]
    pub(crate) protocols: Vec<Protocol>,
    /// What to measure.
    #[arg(
        long,
        value_enum,
        value_delimiter = ',',
        value_name = "PART,..",
        default_value = "cost,latency,memory,system-calls,allocations,routes,workers"
    )]
    pub(crate) parts: Vec<Part>,
    /// Loads to measure the cost of, each CONNECTIONSxIN_FLIGHT or
    /// CONNECTIONSxIN_FLIGHTxBODY_BYTES [default: 1, 64 and 1000 connections; 1 and 64 calls in
    /// flight; 128 bytes, 1 KiB and 64 KiB; without those of more than 64 MiB in flight].
    #[arg(long, value_delimiter = ',', value_name = "CELL,..")]
    cells: Vec<Cell>,
    /// Calls a second for the latency.
    #[arg(long, default_value_t = 5000, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(crate) rate: u32,
    /// Rounds of each cell, the contenders taking turns in each [default: 3, or 1 with --quick].
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: Option<u32>,
    /// Measured seconds of one contender in one round [default: 1, or 0.2 with --quick].
    #[arg(long, value_parser = positive_seconds)]
    seconds: Option<f64>,
    /// A short run to see that everything works; too short to quote.
    #[arg(long)]
    pub(crate) quick: bool,
    /// Where to write the tables (`NAME.md`) and the plot (`NAME.svg`) as well.
    #[arg(long, value_name = "FOLDER/NAME")]
    pub(crate) write: Option<PathBuf>,
    /// The CPU the measured server runs on.
    #[arg(long, value_name = "CPU", default_value_t = 0)]
    pub(crate) proxy_cpu: usize,
    /// The CPU that the load generator and the backend share.
    #[arg(long, value_name = "CPU", default_value_t = 1)]
    pub(crate) load_cpu: usize,
    /// The CPUs of a second worker, and of the backend behind two [default: 2,3 where there are
    /// four].
    #[arg(long, value_name = "CPU,CPU", value_delimiter = ',')]
    worker_cpus: Vec<usize>,
}

/// One thing that is measured of all contenders.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Part {
    /// CPU time per request, and requests per second, in a closed loop.
    Cost,
    /// Latency at a fixed rate, in an open loop.
    Latency,
    /// Memory per idle connection.
    Memory,
    /// System calls per request; needs perf.
    SystemCalls,
    /// Allocations per request of metaproto; needs valgrind.
    Allocations,
    /// CPU time per request by the number of routes of metaproto.
    Routes,
    /// Requests per second of two workers of metaproto against one; takes four CPUs.
    Workers,
}

impl CompareArguments {
    /// The loads to measure the cost of.
    pub(crate) fn cells(&self) -> Vec<Cell> {
        match (self.cells.is_empty(), self.quick) {
            (false, _) => self.cells.clone(),
            (true, false) => Cell::grid(),
            (true, true) => Cell::corners(),
        }
    }

    /// Rounds of each cell.
    pub(crate) fn rounds(&self) -> u32 {
        self.rounds.unwrap_or(if self.quick { 1 } else { 3 })
    }

    /// Length of one measurement, in seconds.
    pub(crate) fn seconds(&self) -> f64 {
        self.seconds.unwrap_or(if self.quick { 0.2 } else { 1.0 })
    }

    /// The CPUs of a second worker, and of the backend behind two workers. None if there are too
    /// few.
    pub(crate) fn worker_cpus(&self) -> Option<(usize, usize)> {
        let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
        match self.worker_cpus[..] {
            [second, backend] => Some((second, backend)),
            _ => (cores >= 4).then_some((2, 3)),
        }
    }

    /// Seconds of load before each measurement.
    pub(crate) fn warmup(&self) -> f64 {
        if self.quick { 0.1 } else { 0.3 }
    }
}

/// Flags of the backend.
#[derive(Debug, Args)]
pub(crate) struct BackendArguments {
    /// What it speaks.
    #[arg(long, value_enum, default_value = "awesomerpc")]
    pub(crate) protocol: Protocol,
    /// Where to listen; port 0 takes a free one. The address is printed.
    #[arg(long, default_value = "127.0.0.1:0")]
    pub(crate) listen: SocketAddr,
    /// Ends when standard input is closed, that is, with the program that started it.
    #[arg(long)]
    pub(crate) until_stdin_closes: bool,
}

/// Flags of the load generator.
#[derive(Debug, Args)]
pub(crate) struct LoadArguments {
    #[command(flatten)]
    pub(crate) target: TargetArguments,
    /// Measured seconds.
    #[arg(long, default_value = "3", value_parser = positive_seconds)]
    pub(crate) seconds: f64,
    /// Seconds of load before the measurement.
    #[arg(long, default_value = "0.3", value_parser = positive_seconds)]
    pub(crate) warmup: f64,
    /// Calls a second, at fixed times [default: the next one when a response is there].
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(crate) rate: Option<u32>,
}

/// Whom to call, and how.
#[derive(Debug, Args)]
pub(crate) struct TargetArguments {
    /// The address to call.
    #[arg(long)]
    pub(crate) target: SocketAddr,
    /// What it speaks.
    #[arg(long, value_enum, default_value = "awesomerpc")]
    pub(crate) protocol: Protocol,
    /// The shape of the load, CONNECTIONSxIN_FLIGHT or CONNECTIONSxIN_FLIGHTxBODY_BYTES.
    #[arg(long, default_value = "64x1")]
    pub(crate) cell: Cell,
    /// A process whose CPU time and memory are read.
    #[arg(long, value_name = "PID")]
    pub(crate) watch: Option<u32>,
}

/// Reads a positive number of seconds, at most an hour.
fn positive_seconds(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(seconds) if seconds > 0.0 && seconds <= 3600.0 => Ok(seconds),
        _ => Err("expected a number of seconds above 0 and up to 3600".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn quick_shortens_only_what_was_not_given() {
        let arguments = Arguments::parse_from(["e2e", "--quick", "--rounds", "7"]);
        assert_eq!(arguments.compare.rounds(), 7);
        assert_eq!(arguments.compare.seconds(), 0.2);
        assert_eq!(arguments.compare.cells(), Cell::corners());
    }

    #[test]
    fn lists_are_separated_by_commas() {
        let arguments =
            Arguments::parse_from(["e2e", "--only", "direct,haproxy", "--cells", "8x2"]);
        assert_eq!(arguments.compare.only, [Contender::Direct, Contender::Haproxy]);
        assert_eq!(arguments.compare.cells(), [Cell { connections: 8, in_flight: 2, body: 128 }]);
    }

    #[test]
    fn seconds_that_measure_nothing_are_refused() {
        assert!(positive_seconds("0").is_err());
        assert!(positive_seconds("-1").is_err());
        assert!(positive_seconds("NaN").is_err());
        assert_eq!(positive_seconds("0.25"), Ok(0.25));
    }
}
