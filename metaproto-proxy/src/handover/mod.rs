//! A restart without a refused connection: a new process takes the listening sockets of the old one.
//!
//! The old process waits at a unix socket. A new one connects, is sent duplicates of the listening
//! sockets, and serves; it then tells the old one, which drains. As both have the same sockets, there is
//! no moment without a listener, and no connection in a queue is lost.
//!
//! ```no_run
//! use std::path::Path;
//! use std::time::Duration;
//!
//! use metaproto_proxy::handover::{Predecessor, Succession};
//! use metaproto_proxy::{OpenSockets, Proxy, model::Snapshot, stop_signal};
//!
//! # async fn run(snapshot: Snapshot, replaces: bool) -> Result<(), Box<dyn std::error::Error>> {
//! let path = Path::new("/run/proxy/handover.sock");
//! let (sockets, predecessor) = if replaces {
//!     let (sockets, predecessor) = Predecessor::take_over(path)?;
//!     (sockets, Some(predecessor))
//! } else {
//!     (OpenSockets::new(), None)
//! };
//! let proxy = Proxy::builder().snapshot(snapshot).sockets(sockets).start()?;
//! let handle = proxy.handle();
//! let succession = Succession::open(path, predecessor)?;
//! tokio::select! {
//!     _ = succession.done(|| handle.sockets()) => {}
//!     stop = stop_signal() => stop?,
//! }
//! handle.drain(Duration::from_secs(30)).await;
//! # Ok(())
//! # }
//! ```

mod predecessor;
mod succession;
#[cfg(test)]
mod tests;
mod wire;

use std::io;
use std::path::PathBuf;
use std::time::Duration;

pub use self::predecessor::Predecessor;
pub use self::succession::{Succession, Successor};

/// How long either process waits for a word of the other that needs no work.
const PATIENCE: Duration = Duration::from_secs(5);

/// Why the sockets can't be handed over.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HandoverError {
    /// There is no process to take the sockets from.
    #[error(
        "nobody hands over sockets at {path}: {source}; is the old process running, with --handover?"
    )]
    Nobody {
        /// Where one was looked for.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// There is a process, and it does not do its part.
    #[error("the process at {path} does not hand over its sockets: {source}")]
    Refused {
        /// Where it is.
        path: PathBuf,
        /// What it did, or did not do in time.
        source: io::Error,
    },
    /// There is a process already where this one is to hand over its sockets some time.
    #[error("another process serves {path}; to replace it, take its sockets over: --takeover")]
    Taken {
        /// Where it is.
        path: PathBuf,
    },
    /// The unix socket can't be made.
    #[error("can't wait for a successor at {path}: {source}")]
    Path {
        /// Where it should be.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
}
