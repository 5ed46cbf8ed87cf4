//! Running the proxy, with the admin endpoint and the configuration file beside it.

use std::io;
use std::net::{SocketAddr, TcpListener};

use metaproto_proxy::config::{Config, Watched, follow};
use metaproto_proxy::counters::Counters;
use metaproto_proxy::handover::HandoverError;
use metaproto_proxy::telemetry::admin::{Admin, Observed};
use metaproto_proxy::{Builder, Handle, OpenSockets, Proxy, StartError};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;

use crate::restart::{self, Restart};

/// Why the proxy does not run.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    #[error(transparent)]
    Start(#[from] StartError),
    #[error("can't listen on {0} for admin: {1}")]
    Admin(SocketAddr, io::Error),
    #[error(transparent)]
    Handover(#[from] HandoverError),
    #[error("asked to stop again before all requests had ended")]
    Impatience,
    #[error(transparent)]
    System(#[from] io::Error),
}

/// Serves until the process is asked to stop; then lets requests in flight end. A second signal ends
/// it at once.
pub(crate) fn run(
    config: Config,
    watched: Option<Watched>,
    restart: Restart,
) -> Result<(), Failure> {
    // Before there are other threads: it changes the environment.
    let sockets = OpenSockets::from_systemd()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let served = runtime.block_on(serve(config, watched, &restart, sockets));
    // A look at a file system that hangs must not keep the process.
    runtime.shutdown_background();
    served
}

async fn serve(
    config: Config,
    watched: Option<Watched>,
    restart: &Restart,
    mut sockets: OpenSockets,
) -> Result<(), Failure> {
    // Before the first client, so that no signal is missed.
    let mut stop = Stop::new()?;
    raise_descriptor_limit(&config);
    let (taken, predecessor) = restart.inherit()?;
    sockets.extend(taken);
    let admin = admin_socket(&config, &mut sockets)?;
    let drain_timeout = config.drain_timeout.unwrap_or(Builder::DEFAULT_DRAIN_TIMEOUT);
    let mut builder = Proxy::builder().snapshot(config.snapshot.clone()).sockets(sockets);
    if let Some(workers) = config.workers {
        builder = builder.workers(workers);
    }
    let proxy = builder.start()?;
    let handle = proxy.handle();
    announce(&handle);
    let (shown, running) = watch::channel(config.to_yaml());
    let mut serving = None;
    if let Some(socket) = &admin {
        tracing::info!("listening on {} (admin)", socket.local_addr()?);
        let running = Running { handle: handle.clone(), config: running };
        serving = Some(tokio::spawn(Admin::on(socket.try_clone()?)?.serve(running)));
    }
    let succession = restart.succeed(predecessor)?;
    restart::tell_ready();
    let following = async {
        if let Some(watched) = watched {
            reload(watched, config, &handle, &shown).await;
        }
        std::future::pending().await
    };
    // Nothing is applied once the proxy drains.
    tokio::select! {
        () = stop.asked() => restart::tell_stopping(),
        () = following => {}
        successor = restart::replaced(succession.as_ref(), &handle, admin.as_ref()) => {
            let process = successor.process.unwrap_or_default();
            tracing::info!(process, "another process has taken over");
            // Its numbers are asked for now.
            if let Some(serving) = &serving {
                serving.abort();
            }
        }
    }
    drop((succession, admin));
    tracing::info!("draining, for up to {drain_timeout:?}");
    tokio::select! {
        () = handle.drain(drain_timeout) => tracing::info!("drained"),
        () = stop.asked() => return Err(Failure::Impatience),
    }
    Ok(())
}

/// The socket of the admin endpoint: one that is open already, or a new one.
fn admin_socket(
    config: &Config,
    sockets: &mut OpenSockets,
) -> Result<Option<TcpListener>, Failure> {
    let Some(address) = config.admin else { return Ok(None) };
    let taken = restart::admin_socket(sockets, address).map(Ok);
    let socket = taken.unwrap_or_else(|| TcpListener::bind(address));
    socket.map(Some).map_err(|error| Failure::Admin(address, error))
}

/// As many descriptors as may be; says so if they may be too few.
fn raise_descriptor_limit(config: &Config) {
    if let Err(error) = metaproto_proxy::raise_descriptor_limit() {
        tracing::warn!(%error, "can't raise the limit of open descriptors");
    }
    if let Some(connections) = metaproto_proxy::excessive_connections(&config.snapshot) {
        tracing::warn!(
            "the listeners allow {connections} connections, and the process may not have as many \
             descriptors: raise its limit (ulimit -n, LimitNOFILE) or lower max_connections"
        );
    }
}

/// One line for each listener, with the port that it really has.
fn announce(handle: &Handle) {
    let snapshot = handle.snapshot();
    for (name, address) in handle.addresses() {
        let listener = snapshot.listeners.iter().find(|l| l.name == name);
        let protocol = listener.map_or("?", |l| l.protocol.name());
        tracing::info!("listening on {address} ({protocol})");
    }
}

async fn reload(watched: Watched, config: Config, handle: &Handle, shown: &watch::Sender<String>) {
    let apply = async |config: Config| {
        let before = handle.addresses();
        handle.apply(config.snapshot.clone()).await?;
        shown.send_replace(config.to_yaml());
        if handle.addresses() != before {
            announce(handle);
        }
        Ok::<_, StartError>(())
    };
    if let Err(error) = follow(watched, config, apply).await {
        tracing::error!("the configuration file is not watched: {error}");
    }
}

/// What the admin endpoint shows.
struct Running {
    handle: Handle,
    config: watch::Receiver<String>,
}

impl Observed for Running {
    async fn counters(&self) -> Counters {
        self.handle.counters().await
    }

    async fn ready(&self) -> bool {
        self.handle.ready().await
    }

    fn config(&self) -> Option<String> {
        Some(self.config.borrow().clone())
    }
}

/// The signals that ask a process to stop.
struct Stop {
    terminate: Signal,
    interrupt: Signal,
}

impl Stop {
    fn new() -> io::Result<Self> {
        Ok(Stop {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    async fn asked(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}
