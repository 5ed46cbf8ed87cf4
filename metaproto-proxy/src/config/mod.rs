//! Configuration files: text to [`model`](crate::model).
//!
//! [`Config::load`] reads a file, [`Watched`] follows it. The engine does not know this module.

pub mod schema;

mod balance;
mod convert;
mod error;
mod forms;
mod keepalive;
mod outlier;
mod overload;
mod protocols;
mod read;
mod retry;
mod text;
mod watch;

#[cfg(test)]
mod tests;

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use self::schema::{File, Period};
use crate::model::Snapshot;

pub use self::error::Error;
pub use self::protocols::Protocols;
pub use self::watch::{Overrides, Watched, follow};

/// All that a configuration file says.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Config {
    /// What the engine runs on.
    pub snapshot: Snapshot,
    /// Worker threads; `None` is one for each processor.
    pub workers: Option<usize>,
    /// How long requests in flight may take after the proxy was asked to stop; `None` is the
    /// engine's default.
    pub drain_timeout: Option<Duration>,
    /// Where the admin endpoint listens; `None` is nowhere.
    pub admin: Option<SocketAddr>,
    file: File,
}

impl Config {
    /// Reads and checks YAML. Host names are looked up, which may block.
    ///
    /// # Errors
    /// The first fault, with the path of its key and its place in the text.
    pub fn parse(text: &str, protocols: &Protocols) -> Result<Self, Error> {
        let file = File::parse(text)?;
        Config::new(file, protocols).map_err(|error| {
            let place = read::place(text, &error.path);
            error.at(place)
        })
    }

    /// Reads and checks a file of YAML, as [`parse`](Config::parse).
    ///
    /// # Errors
    /// That the file can't be read, or the first fault in it.
    pub fn load(path: &Path, protocols: &Protocols) -> Result<Self, Error> {
        Config::decode(std::fs::read(path), protocols).map_err(|error| error.of(path))
    }

    fn decode(content: std::io::Result<Vec<u8>>, protocols: &Protocols) -> Result<Self, Error> {
        let content = content.map_err(|e| Error::new("", format!("can't be read: {e}")))?;
        let text = String::from_utf8(content).map_err(|_| Error::new("", "is not UTF-8"))?;
        Config::parse(&text, protocols)
    }

    /// Checks a configuration that was not read from a text.
    ///
    /// # Errors
    /// The first fault, with the path of its key.
    pub fn new(file: File, protocols: &Protocols) -> Result<Self, Error> {
        if file.workers == Some(0) {
            return Err(Error::new("workers", "must be at least 1"));
        }
        let admin = file.admin.as_ref().map(|a| convert::address(&a.address, "admin.address"));
        Ok(Config {
            snapshot: convert::snapshot(&file, protocols)?,
            workers: file.workers,
            drain_timeout: file.drain_timeout.map(|Period(timeout)| timeout),
            admin: admin.transpose()?,
            file,
        })
    }

    /// The configuration as YAML that reads as the same: what was written, without what was left to
    /// the defaults.
    #[must_use]
    pub fn to_yaml(&self) -> String {
        let mut file = self.file.clone();
        file.workers = self.workers;
        file.drain_timeout = self.drain_timeout.map(Period);
        let address = self.admin.map(|address| address.to_string());
        file.admin = address.map(|address| schema::Admin { address });
        file.to_yaml()
    }
}
