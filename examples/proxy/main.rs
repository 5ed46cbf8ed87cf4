//! A proxy to watch at work.
//!
//! ```text
//! cargo run --release --example proxy              # two backends and a proxy, and what happens
//! cargo run --release --example proxy -- -c FILE   # a proxy for real backends
//! ```

mod backend;
mod file;
mod report;
mod tour;

use std::path::PathBuf;

use clap::Parser;
use tracing_subscriber::EnvFilter;

/// Without a file: two backends and a proxy before them, a few calls, and what became of them.
#[derive(Debug, Parser)]
#[command(name = "proxy")]
struct Arguments {
    /// Be a proxy for real backends: docs/configuration.md tells what the file may say
    #[arg(short, long, value_name = "FILE")]
    config: Option<PathBuf>,
}

/// What goes wrong is printed and ends the program with 1.
type Outcome = Result<(), Box<dyn std::error::Error>>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> std::process::ExitCode {
    let config = Arguments::parse().config;
    // On the tour the errors are part of the show, and are told there.
    let level = if config.is_some() { tracing_level("info") } else { tracing_level("off") };
    tracing_subscriber::fmt().with_env_filter(level).with_writer(std::io::stderr).init();
    let outcome = match config {
        Some(path) => file::run(path).await,
        None => tour::run().await,
    };
    match outcome {
        Ok(()) => std::process::ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("proxy: {error}");
            std::process::ExitCode::FAILURE
        }
    }
}

/// What the environment says (RUST_LOG), or this.
fn tracing_level(default: &str) -> EnvFilter {
    EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(default))
}
