//! What is printed: frames, and remarks on what stands between them.

use std::fmt;
use std::io::{self, Write};
use std::sync::Arc;

use metaproto_core::{Protocol, Side};

/// Why reading ends before the input does.
#[derive(Debug, thiserror::Error)]
pub(super) enum Stop {
    /// As many frames as were asked for have been printed.
    #[error("that is enough")]
    Enough,
    /// The output can't be written.
    #[error(transparent)]
    Write(io::Error),
    /// The input can't be read, or is not what it should be.
    #[error("{0}")]
    Input(String),
}

/// Errors of the input only: those of the output are told apart where they occur.
impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Self {
        Stop::Input(error.to_string())
    }
}

/// Where a frame comes from.
#[derive(Clone, Copy)]
pub(super) struct Origin<'a> {
    /// Who sent it.
    pub(super) side: Side,
    /// When and between whom; empty where the input does not tell.
    pub(super) about: &'a dyn fmt::Display,
}

/// Prints frames until there are enough of them.
pub(super) struct Report<W> {
    protocol: Arc<dyn Protocol>,
    out: W,
    frames: u64,
    limit: Option<u64>,
    full: bool,
    empty: bool,
}

impl<W: Write> Report<W> {
    /// A report to `out` of at most `limit` frames, with every byte of long fields if `full`.
    pub(super) fn new(protocol: Arc<dyn Protocol>, out: W, limit: Option<u64>, full: bool) -> Self {
        Report { protocol, out, frames: 0, limit, full, empty: true }
    }

    pub(super) fn protocol(&self) -> &dyn Protocol {
        self.protocol.as_ref()
    }

    /// Prints a frame, which begins at the byte `at` of its direction.
    pub(super) fn frame(&mut self, origin: Origin<'_>, at: u64, frame: &[u8]) -> Result<(), Stop> {
        self.frames += 1;
        let number = self.frames;
        self.explain(&format!("frame {number}"), origin, at, frame)?;
        match self.limit {
            Some(limit) if self.frames >= limit => Err(Stop::Enough),
            _ => Ok(()),
        }
    }

    /// Prints bytes that are no whole frame, and are not counted as one.
    pub(super) fn part(&mut self, origin: Origin<'_>, at: u64, bytes: &[u8]) -> Result<(), Stop> {
        self.explain("not a whole frame", origin, at, bytes)
    }

    fn explain(
        &mut self,
        what: &str,
        origin: Origin<'_>,
        at: u64,
        bytes: &[u8],
    ) -> Result<(), Stop> {
        let explanation = self.protocol.explain(origin.side, bytes);
        let text = match self.full {
            true => format!("{explanation:#}"),
            false => explanation.to_string(),
        };
        let (who, size) = (sender(origin.side), crate::count(bytes.len(), "byte"));
        self.print(&format!("{what}: {who}, {size} at {at}{}\n{text}", origin.about))
    }

    /// Prints a sentence about the input.
    pub(super) fn remark(&mut self, text: &str) -> Result<(), Stop> {
        self.print(&format!("! {text}\n"))
    }

    /// Writes what is left.
    ///
    /// # Errors
    /// There was no whole frame.
    pub(super) fn finish(&mut self) -> Result<(), Stop> {
        self.flush()?;
        match self.frames {
            0 => Err(Stop::Input(format!(
                "there is no whole frame of {} in it",
                self.protocol.name()
            ))),
            _ => Ok(()),
        }
    }

    /// Writes out what is printed so far.
    pub(super) fn flush(&mut self) -> Result<(), Stop> {
        self.out.flush().map_err(Stop::Write)
    }

    fn print(&mut self, text: &str) -> Result<(), Stop> {
        let separator = if self.empty { "" } else { "\n" };
        self.empty = false;
        self.out.write_all(separator.as_bytes()).map_err(Stop::Write)?;
        self.out.write_all(text.as_bytes()).map_err(Stop::Write)?;
        // The input may be a capture that goes on.
        self.flush()
    }
}

fn sender(side: Side) -> &'static str {
    match side {
        Side::Downstream => "client",
        Side::Upstream => "server",
    }
}
