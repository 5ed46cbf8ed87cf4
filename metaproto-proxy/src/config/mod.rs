//! Configuration files: text to [`model`](crate::model).
//!
//! [`Config::load`] reads a file, [`Watched`] follows it. The engine does not know this module.

pub mod schema;

mod balance;
mod circuit;
mod convert;
mod dns;
mod error;
mod forms;
mod health;
mod keepalive;
mod mirror;
mod outlier;
mod overload;
mod protocols;
mod read;
mod retry;
mod text;
mod watch;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use self::schema::{File, Period};
use crate::model::{Snapshot, Target};

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
    names: Vec<NamePlace>,
}

/// Where the file has a name of a cluster.
#[derive(Debug, Clone)]
struct NamePlace {
    target: Target,
    /// An error that lacks its reason.
    error: Error,
}

impl Config {
    /// Reads and checks YAML. The names of endpoints are not looked up; those of listeners and of the
    /// admin endpoint are, which may block.
    ///
    /// # Errors
    /// The first fault, with the path of its key and its place in the text.
    pub fn parse(text: &str, protocols: &Protocols) -> Result<Self, Error> {
        let file = File::parse(text)?;
        let placed = |error: Error| {
            let place = read::place(text, &error.path);
            error.at(place)
        };
        let config = Config::new(file, protocols).map_err(placed)?;
        Ok(config.names_at(placed))
    }

    /// Reads and checks a file of YAML, as [`parse`](Config::parse).
    ///
    /// # Errors
    /// That the file can't be read, or the first fault in it.
    pub fn load(path: &Path, protocols: &Protocols) -> Result<Self, Error> {
        Config::read(std::fs::read(path), path, protocols)
    }

    /// Reads and checks the content of the file at `path`.
    fn read(
        content: std::io::Result<Vec<u8>>,
        path: &Path,
        protocols: &Protocols,
    ) -> Result<Self, Error> {
        let config = Config::decode(content, protocols).map_err(|error| error.of(path))?;
        Ok(config.names_at(|error| error.of(path)))
    }

    fn names_at(mut self, place: impl Fn(Error) -> Error) -> Self {
        for name in &mut self.names {
            name.error = place(name.error.clone());
        }
        self
    }

    /// Says where the file has a name that could not be looked up: what [`dns::look_up`] has found
    /// about the [`snapshot`](Config::snapshot). A proxy starts without such names; a check of its
    /// configuration may want to know.
    ///
    /// [`dns::look_up`]: crate::dns::look_up
    ///
    /// # Errors
    /// The first name that is among `failures`, with its place and the reason.
    pub fn check_names(&self, failures: &BTreeMap<Target, String>) -> Result<(), Error> {
        let failed = self.names.iter().find_map(|name| Some((name, failures.get(&name.target)?)));
        let Some((NamePlace { target, error }, why)) = failed else { return Ok(()) };
        let reason = format!("can't look up \"{target}\": {why}");
        Err(Error { reason, ..error.clone() })
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
        let admin = file.admin.as_ref().map(|a| dns::address(&a.address, "admin.address"));
        let (snapshot, names) = convert::snapshot(&file, protocols)?;
        Ok(Config {
            snapshot,
            names,
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
