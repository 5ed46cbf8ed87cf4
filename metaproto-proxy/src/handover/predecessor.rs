//! The new process's side.

use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

use super::{HandoverError, PATIENCE, wire};
use crate::sockets::OpenSockets;

/// The process that this one replaces. It goes on as if nothing had happened if this is dropped.
#[derive(Debug)]
pub struct Predecessor {
    stream: UnixStream,
    path: PathBuf,
}

impl Predecessor {
    /// Asks the process that waits at `path` for its listening sockets. Both processes accept clients
    /// from when this one serves until [`Succession::open`](super::Succession::open).
    ///
    /// # Errors
    /// Nobody waits there, or does not answer within five seconds.
    pub fn take_over(path: &Path) -> Result<(OpenSockets, Self), HandoverError> {
        let stream = UnixStream::connect(path)
            .map_err(|source| HandoverError::Nobody { path: path.to_owned(), source })?;
        let predecessor = Predecessor { stream, path: path.to_owned() };
        let sockets = predecessor.sockets().map_err(|error| predecessor.refused(error))?;
        Ok((sockets, predecessor))
    }

    fn sockets(&self) -> std::io::Result<OpenSockets> {
        self.stream.set_read_timeout(Some(PATIENCE))?;
        self.stream.set_write_timeout(Some(PATIENCE))?;
        wire::receive(&self.stream)
    }

    /// Has it drain: this process serves.
    pub(super) fn retire(self) -> Result<(), HandoverError> {
        wire::say_serving(&self.stream).map_err(|error| self.refused(error))
    }

    fn refused(&self, error: std::io::Error) -> HandoverError {
        HandoverError::Refused { path: self.path.clone(), source: wire::told(error) }
    }
}
