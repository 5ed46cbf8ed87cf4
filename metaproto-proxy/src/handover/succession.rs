//! The old process's side, which every process that can be replaced has.

use std::fs::{self, Permissions};
use std::io;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::net::UnixListener;
use tokio::sync::oneshot;

use super::{HandoverError, PATIENCE, Predecessor, wire};
use crate::sockets::OpenSockets;

/// How long a successor may take until it serves, with the sockets in its hands.
const START: Duration = Duration::from_secs(60);
/// How long to wait when nobody can be accepted.
const PAUSE: Duration = Duration::from_secs(1);

/// Where a successor can take the listening sockets. Dropping it takes the unix socket away, unless a
/// successor has put its own there.
#[derive(Debug)]
pub struct Succession {
    listener: UnixListener,
    path: PathBuf,
    /// The device and the inode of the unix socket.
    made: (u64, u64),
}

/// The process that has taken over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Successor {
    /// Its id, if the system tells.
    pub process: Option<u32>,
}

impl Succession {
    /// Waits at `path` from now on, in the place of `predecessor`, which is told to drain. Only the
    /// user of this process can connect. Call it when the proxy serves; needs a tokio runtime, which it
    /// blocks until the predecessor has answered, five seconds at the most.
    ///
    /// # Errors
    /// A path that can't be had, or that another process serves; a predecessor that does not answer.
    pub fn open(path: &Path, predecessor: Option<Predecessor>) -> Result<Self, HandoverError> {
        let fail = |source| HandoverError::Path { path: path.to_owned(), source };
        if predecessor.is_none() && UnixStream::connect(path).is_ok() {
            return Err(HandoverError::Taken { path: path.to_owned() });
        }
        let succession = Self::listen(path).map_err(fail)?;
        predecessor.map_or(Ok(()), Predecessor::retire)?;
        Ok(succession)
    }

    /// Puts a unix socket where there may be another; whoever connects meets one of both.
    fn listen(path: &Path) -> io::Result<Self> {
        if fs::symlink_metadata(path).is_ok_and(|there| !is_socket(&there)) {
            return Err(io::Error::new(io::ErrorKind::AlreadyExists, "there is another file"));
        }
        let mut beside = path.as_os_str().as_bytes().to_vec();
        beside.extend(format!(".{}", std::process::id()).bytes());
        let beside = PathBuf::from(std::ffi::OsString::from_vec(beside));
        fs::remove_file(&beside).ok();
        let listener = UnixListener::bind(&beside)?;
        let placed = fs::set_permissions(&beside, Permissions::from_mode(0o600))
            .and_then(|()| fs::rename(&beside, path))
            .and_then(|()| fs::symlink_metadata(path));
        let there = placed.inspect_err(|_| fs::remove_file(&beside).unwrap_or_default())?;
        Ok(Succession { listener, path: path.to_owned(), made: (there.dev(), there.ino()) })
    }

    /// Returns when a successor has taken the `sockets` and serves: it is time to drain. A successor
    /// that fails changes nothing.
    pub async fn done(&self, mut sockets: impl FnMut() -> io::Result<OpenSockets>) -> Successor {
        loop {
            match self.hand_over(&mut sockets).await {
                Ok(successor) => return successor,
                Err(error) => {
                    let error = wire::told(error);
                    tracing::warn!(%error, "a successor does not take over; this process goes on");
                }
            }
        }
    }

    async fn hand_over(
        &self,
        sockets: &mut impl FnMut() -> io::Result<OpenSockets>,
    ) -> io::Result<Successor> {
        let stream = match self.listener.accept().await {
            Ok((stream, _)) => stream,
            Err(error) => {
                tokio::time::sleep(PAUSE).await;
                return Err(error);
            }
        };
        let process = stream.peer_cred()?.pid().and_then(|id| u32::try_from(id).ok());
        let sockets = sockets()?;
        let stream = stream.into_std()?;
        stream.set_nonblocking(false)?;
        let (told, serves) = oneshot::channel();
        // Not on the runtime: that would not end before the conversation does.
        std::thread::Builder::new().name("handover".to_owned()).spawn(move || {
            // Nobody listens any more if the process has been asked to stop.
            told.send(converse(stream, &sockets)).ok();
        })?;
        let stream = serves.await.map_err(io::Error::other)??;
        // Outside of the conversation: only now is it sure that this process drains.
        wire::say_draining(&stream)?;
        Ok(Successor { process })
    }
}

/// Gives away the sockets, and waits until the successor serves.
fn converse(stream: UnixStream, sockets: &OpenSockets) -> io::Result<UnixStream> {
    stream.set_write_timeout(Some(PATIENCE))?;
    wire::send(&stream, sockets)?;
    stream.set_read_timeout(Some(START))?;
    wire::await_serving(&stream)?;
    Ok(stream)
}

fn is_socket(there: &fs::Metadata) -> bool {
    std::os::unix::fs::FileTypeExt::is_socket(&there.file_type())
}

impl Drop for Succession {
    fn drop(&mut self) {
        let ours = |there: &fs::Metadata| (there.dev(), there.ino()) == self.made;
        if fs::symlink_metadata(&self.path).is_ok_and(|there| ours(&there)) {
            fs::remove_file(&self.path).ok();
        }
    }
}
