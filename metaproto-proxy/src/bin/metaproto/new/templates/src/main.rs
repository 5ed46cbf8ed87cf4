//! The proxy: `cargo run -- proxy.yaml`.
//!
//! Nothing here has to change with the protocol. `.filter(..)` behind `Proxy::builder()` is the place
//! for code of yours that sees every request: see `metaproto_proxy::Filter`.

use std::error::Error;
use std::io::{IsTerminal, stderr};
use std::path::PathBuf;
use std::process::ExitCode;

use metaproto_proxy::config::{Config, Overrides, Protocols, Watched, follow};
use metaproto_proxy::telemetry::admin::Admin;
use metaproto_proxy::{Builder, Proxy, stop_signal};
use tracing_subscriber::EnvFilter;

use {{crate}}::{{type}};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let info = EnvFilter::new("info");
    let filter = EnvFilter::try_from_default_env().unwrap_or(info);
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(stderr)
        .with_ansi(stderr().is_terminal())
        .init();
    let file = std::env::args_os().nth(1);
    let file = file.map_or_else(|| PathBuf::from("proxy.yaml"), PathBuf::from);
    match run(file).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// Runs `file` until SIGTERM or Ctrl-C, then lets calls in flight end. Changes of the file are
/// applied while it runs.
async fn run(file: PathBuf) -> Result<(), Box<dyn Error>> {
    let protocols = Protocols::new().with({{type}}::protocol());
    let (watched, config) = Watched::open(file, protocols, Overrides::default())?;
    let timeout = config.drain_timeout;
    let mut builder = Proxy::builder().snapshot(config.snapshot.clone());
    if let Some(workers) = config.workers {
        builder = builder.workers(workers);
    }
    let proxy = builder.start()?;
    let handle = proxy.handle();
    for (name, address) in proxy.addresses() {
        println!("{name} listens on {address}");
    }
    if let Some(address) = config.admin {
        let admin = Admin::bind(address).await;
        let admin = admin.map_err(|error| format!("admin.address: {address}: {error}"))?;
        println!("metrics are at http://{}/metrics", admin.address()?);
        tokio::spawn(admin.serve(handle.clone()));
    }
    let apply = async |changed: Config| handle.apply(changed.snapshot).await;
    tokio::select! {
        stopped = stop_signal() => stopped?,
        ended = follow(watched, config, apply) => ended?,
    }
    println!("draining");
    tokio::select! {
        () = handle.drain(timeout.unwrap_or(Builder::DEFAULT_DRAIN_TIMEOUT)) => Ok(()),
        again = stop_signal() => Ok(again?),
    }
}
