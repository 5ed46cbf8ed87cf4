//! What is wrong with a configuration, and where.

use std::fmt;
use std::path::{Path, PathBuf};

use crate::model::Invalid;

/// Why a configuration is refused.
///
/// It prints as one line: `proxy.yaml:7:14: listeners[0].routes[2].cluster: no cluster named "v3";
/// there are: v1, v2`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Error {
    /// The file that it is about, if it came from one.
    pub file: Option<PathBuf>,
    /// The line and column, counted from 1, if it was read from a text.
    pub place: Option<(u64, u64)>,
    /// The path of the key that is wrong, like `listeners[0].address`; empty if it is the whole.
    pub path: String,
    /// What is wrong, and what would be right.
    pub reason: String,
}

impl Error {
    pub(super) fn new(path: impl Into<String>, reason: impl Into<String>) -> Self {
        Error { file: None, place: None, path: path.into(), reason: reason.into() }
    }

    pub(super) fn at(mut self, place: Option<(u64, u64)>) -> Self {
        self.place = place;
        self
    }

    pub(super) fn of(mut self, file: &Path) -> Self {
        self.file = Some(file.to_owned());
        self
    }
}

impl From<Invalid> for Error {
    fn from(invalid: Invalid) -> Self {
        Error::new(invalid.path, invalid.reason)
    }
}

impl std::error::Error for Error {}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.file, self.place) {
            (Some(file), Some((line, column))) => {
                write!(f, "{}:{line}:{column}: ", file.display())?;
            }
            (Some(file), None) => write!(f, "{}: ", file.display())?,
            (None, Some((line, column))) => write!(f, "line {line}, column {column}: ")?,
            (None, None) => {}
        }
        if !self.path.is_empty() {
            write!(f, "{}: ", self.path)?;
        }
        f.write_str(&self.reason)
    }
}
