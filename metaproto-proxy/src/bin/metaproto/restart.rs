//! Whose sockets the process serves, and who may have them next: a restart without a refused connection.

use std::io;
use std::net::TcpListener;
use std::path::PathBuf;

use metaproto_proxy::handover::{HandoverError, Predecessor, Succession, Successor};
use metaproto_proxy::{Handle, OpenSockets};
use sd_notify::NotifyState;

/// The name of the admin endpoint's socket among the others.
const ADMIN: &str = "admin";

/// What the flags say.
#[derive(Debug, Default)]
pub(crate) struct Restart {
    /// Where this process waits for the next.
    pub(crate) handover: Option<PathBuf>,
    /// Whether it replaces the one that waits there now.
    pub(crate) takeover: bool,
}

/// Sockets that are open already, and the process that they are from, if this one replaces it.
pub(crate) type Inherited = (OpenSockets, Option<Predecessor>);

impl Restart {
    /// The sockets of systemd and of the process that this one replaces.
    pub(crate) fn inherit(&self) -> Result<Inherited, HandoverError> {
        match &self.handover {
            Some(path) if self.takeover => {
                let (sockets, predecessor) = Predecessor::take_over(path)?;
                tracing::info!("took the sockets over at {}", path.display());
                Ok((sockets, Some(predecessor)))
            }
            _ => Ok((OpenSockets::new(), None)),
        }
    }

    /// Tells the predecessor that this process serves, and waits in its place.
    pub(crate) fn succeed(
        &self,
        predecessor: Option<Predecessor>,
    ) -> Result<Option<Succession>, HandoverError> {
        let open = |path: &PathBuf| Succession::open(path, predecessor);
        self.handover.as_ref().map(open).transpose()
    }
}

/// The socket of the admin endpoint among those that are open already.
pub(crate) fn admin_socket(
    sockets: &mut OpenSockets,
    address: std::net::SocketAddr,
) -> Option<TcpListener> {
    sockets.take(ADMIN, address)
}

/// Waits until another process serves; for ever, if none may take over.
pub(crate) async fn replaced(
    succession: Option<&Succession>,
    handle: &Handle,
    admin: Option<&TcpListener>,
) -> Successor {
    let sockets = || {
        let mut sockets = handle.sockets()?;
        if let Some(admin) = admin {
            sockets.add_own(ADMIN, admin.local_addr()?, admin.try_clone()?)?;
        }
        Ok::<_, io::Error>(sockets)
    };
    match succession {
        Some(succession) => succession.done(sockets).await,
        None => std::future::pending().await,
    }
}

/// Tells systemd that this process serves; nothing happens without it.
pub(crate) fn tell_ready() {
    tell(&[NotifyState::Ready, NotifyState::MainPid(std::process::id())]);
}

/// Tells systemd that this process ends; not if another one has taken its place.
pub(crate) fn tell_stopping() {
    tell(&[NotifyState::Stopping]);
}

fn tell(state: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(state) {
        tracing::debug!(%error, "the service manager can't be told");
    }
}
