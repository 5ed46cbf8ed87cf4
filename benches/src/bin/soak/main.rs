//! Soak: minutes of chaos over real sockets, and every call accounted for.
//!
//! It starts the proxy, servers that misbehave in every way, and clients of every manner; rewrites the
//! configuration several times a second; and at the end has the proxy stop under load. What it holds
//! the proxy to is in `benches/README.md`.

mod backend;
mod client;
mod config;
mod ledger;
mod proxy;
mod speech;
mod stage;

use std::error::Error;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use metaproto_benches::protocol::Protocol;

use crate::backend::Fault;
use crate::client::Manner;

/// Whatever keeps the soak from running. Shown to the user as it is.
type Failure = Box<dyn Error>;

/// Minutes of chaos before a proxy, and every call accounted for.
#[derive(Clone, Debug, Parser)]
struct Arguments {
    /// How long the chaos lasts
    #[arg(long, default_value_t = 60)]
    seconds: u64,

    /// What all choices follow from [default: another one each time]
    #[arg(long)]
    seed: Option<u64>,

    /// What clients and backends speak
    #[arg(long, value_enum, default_value_t = Protocol::Awesomerpc, ignore_case = true)]
    protocol: Protocol,

    /// The proxy's worker threads
    #[arg(long, default_value_t = 3)]
    workers: usize,

    /// Client connections at a time
    #[arg(long, default_value_t = 40)]
    clients: usize,

    /// Servers
    #[arg(long, default_value_t = 6)]
    backends: usize,

    /// Only these ways for backends to misbehave
    #[arg(long, value_enum, value_delimiter = ',')]
    faults: Vec<Fault>,

    /// Only these ways to be a client
    #[arg(long, value_enum, value_delimiter = ',')]
    manners: Vec<Manner>,

    /// Milliseconds between changes of configuration, more or less; 0 for no changes
    #[arg(long, default_value_t = 250)]
    reload: u64,

    /// The proxy's binary [default: metaproto next to this program]
    #[arg(long)]
    metaproto: Option<PathBuf>,

    /// Print the proxy's metrics after the chaos
    #[arg(long)]
    metrics: bool,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match run(&arguments) {
        Ok(0) => ExitCode::SUCCESS,
        Ok(violations) => {
            eprintln!("soak: FAILED, {violations} violations");
            ExitCode::FAILURE
        }
        Err(failure) => {
            eprintln!("soak: {failure}");
            ExitCode::FAILURE
        }
    }
}

/// All of it on one thread. Tells how many violations there were.
fn run(arguments: &Arguments) -> Result<usize, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let tasks = tokio::task::LocalSet::new();
    tasks.block_on(&runtime, stage::run(arguments))
}
