//! A proxy that a file describes, in a program with a `main` of its own.

use std::path::PathBuf;

use metaproto_awesomerpc::AwesomeRpc;
use metaproto_proxy::config::{Config, Overrides, Protocols, Watched, follow};
use metaproto_proxy::telemetry::admin::Admin;
use metaproto_proxy::{Builder, Proxy, stop_signal};

use crate::Outcome;

/// Runs the file until the process is asked to stop; changes of the file are applied.
pub(crate) async fn run(path: PathBuf) -> Outcome {
    let protocols = Protocols::new().with(AwesomeRpc::protocol());
    let (watched, config) = Watched::open(path, protocols, Overrides::default())?;
    let drain_timeout = config.drain_timeout.unwrap_or(Builder::DEFAULT_DRAIN_TIMEOUT);
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
        let admin = Admin::bind(address).await.map_err(|e| format!("admin.address: {e}"))?;
        println!("metrics are at http://{}/metrics", admin.address()?);
        tokio::spawn(admin.serve(handle.clone()));
    }
    let apply = async |changed: Config| handle.apply(changed.snapshot).await;
    tokio::select! {
        stopped = stop_signal() => stopped?,
        ended = follow(watched, config, apply) => ended?,
    }
    println!("draining: calls in flight have {drain_timeout:?} to end");
    handle.drain(drain_timeout).await;
    Ok(())
}
