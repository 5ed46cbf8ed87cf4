//! End-to-end comparison: what one call costs in metaproto, HAProxy and Envoy.
//!
//! Without a subcommand it starts everything it needs, measures, and prints Markdown tables.
//! `backend` and `load` are the two halves it starts; both can be used alone.

mod backend;
mod cell;
mod cli;
mod compare;
mod cpu;
mod load;
mod report;
mod stream;

use std::error::Error;
use std::process::ExitCode;

use clap::Parser;

use metaproto_benches::protocol;

use crate::cli::{Arguments, Command, LoadArguments, TargetArguments};

/// Any failure that ends the program, or one measurement of it. Shown to the user as it is.
type Failure = Box<dyn Error + Send + Sync>;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let outcome = match arguments.command {
        None => compare::run_until_signal(&arguments.compare),
        Some(Command::Backend(backend)) => backend::run(&backend).map(|()| true),
        Some(Command::Load(load)) => run_load(&load),
        Some(Command::Idle(target)) => run_idle(&target),
    };
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(failure) => {
            eprintln!("e2e: {failure}");
            ExitCode::FAILURE
        }
    }
}

/// Runs one load and prints its report as one line. True if every response was right.
fn run_load(arguments: &LoadArguments) -> Result<bool, Failure> {
    let report = load::run(arguments)?;
    println!("{report}");
    Ok(report.faults.total() == 0)
}

/// Holds idle connections and prints what they cost the watched process.
fn run_idle(arguments: &TargetArguments) -> Result<bool, Failure> {
    println!("{}", load::run_idle(arguments)?);
    Ok(true)
}
