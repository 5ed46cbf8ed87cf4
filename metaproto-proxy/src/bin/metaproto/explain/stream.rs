//! Bytes without a capture around them: of one direction, or of two.

use std::io::Write;

use metaproto_core::Side;

use super::report::{Origin, Report, Stop};
use super::splitter::Splitter;

/// So many bytes are looked at to tell who sent them.
const TELLING: usize = 64 << 10;

/// One direction of a connection, whose side may have to be found out.
pub(super) struct Stream {
    side: Option<Side>,
    /// Bytes that wait for the side to be known.
    begun: Vec<u8>,
    splitter: Option<Splitter>,
}

impl Stream {
    /// A direction of which `side` is the sender, or nobody has said who.
    pub(super) fn new(side: Option<Side>) -> Self {
        Stream { side, begun: Vec::new(), splitter: None }
    }

    pub(super) fn push<W: Write>(
        &mut self,
        bytes: &[u8],
        report: &mut Report<W>,
    ) -> Result<(), Stop> {
        match (self.side, self.splitter.is_some()) {
            (Some(side), true) => self.take(side, bytes, report),
            (Some(side), false) => {
                self.splitter = Some(Splitter::new(report.protocol(), side));
                self.take(side, bytes, report)
            }
            (None, _) => {
                self.begun.extend_from_slice(bytes);
                if self.begun.len() < TELLING { Ok(()) } else { self.decide(report) }
            }
        }
    }

    pub(super) fn finish<W: Write>(&mut self, report: &mut Report<W>) -> Result<(), Stop> {
        if self.side.is_none() && !self.begun.is_empty() {
            self.decide(report)?;
        }
        match (&mut self.splitter, self.side) {
            (Some(splitter), Some(side)) => splitter.finish(Origin { side, about: &"" }, report),
            _ => Ok(()),
        }
    }

    /// A client, unless the bytes make sense as a server's only.
    fn decide<W: Write>(&mut self, report: &mut Report<W>) -> Result<(), Stop> {
        let begun = std::mem::take(&mut self.begun);
        let fits = |side| report.protocol().explain(side, &begun).error().is_none();
        let server = !fits(Side::Downstream) && fits(Side::Upstream);
        let side = if server { Side::Upstream } else { Side::Downstream };
        self.side = Some(side);
        self.push(&begun, report)
    }

    fn take<W: Write>(
        &mut self,
        side: Side,
        bytes: &[u8],
        report: &mut Report<W>,
    ) -> Result<(), Stop> {
        match &mut self.splitter {
            Some(splitter) => splitter.push(bytes, Origin { side, about: &"" }, report),
            None => Ok(()),
        }
    }
}

/// The directions of one connection, as text tells them apart.
pub(super) struct Directions {
    /// Only this side is explained.
    only: Option<Side>,
    unmarked: Stream,
    client: Stream,
    server: Stream,
}

impl Directions {
    pub(super) fn new(only: Option<Side>) -> Self {
        let [client, server] = [Side::Downstream, Side::Upstream].map(|s| Stream::new(Some(s)));
        Directions { only, unmarked: Stream::new(only), client, server }
    }

    /// Takes the next bytes of `sender`, or of nobody in particular.
    pub(super) fn push<W: Write>(
        &mut self,
        sender: Option<Side>,
        bytes: &[u8],
        report: &mut Report<W>,
    ) -> Result<(), Stop> {
        match sender {
            Some(side) if self.only.is_some_and(|only| only != side) => Ok(()),
            Some(Side::Downstream) => self.client.push(bytes, report),
            Some(Side::Upstream) => self.server.push(bytes, report),
            None => self.unmarked.push(bytes, report),
        }
    }

    pub(super) fn finish<W: Write>(&mut self, report: &mut Report<W>) -> Result<(), Stop> {
        self.unmarked.finish(report)?;
        self.client.finish(report)?;
        self.server.finish(report)
    }
}
