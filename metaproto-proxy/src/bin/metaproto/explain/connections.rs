//! The TCP connections of a capture: packets in, frames out.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::io::Write;
use std::net::SocketAddr;

use metaproto_core::Side;

use super::capture::{Packet, Time};
use super::packet::{Foreign, Segment, segment};
use super::reassembly::{Piece, Reassembly};
use super::report::{Origin, Report, Stop};
use super::splitter::Splitter;

/// The connections that a capture has shown so far.
pub(super) struct Connections {
    /// Only connections to this port.
    port: Option<u16>,
    /// Only what this side sends.
    only: Option<Side>,
    list: Vec<Connection>,
    /// Where in the list the connection between two addresses, in order, is.
    places: HashMap<[SocketAddr; 2], usize>,
    counts: Counts,
}

#[derive(Debug, Default)]
struct Counts {
    packets: usize,
    connections: usize,
    other_ports: u64,
    cut: u64,
    repeated: u64,
    foreign: BTreeMap<Foreign, u64>,
}

/// One connection, with its directions by who sends.
struct Connection {
    client: SocketAddr,
    server: SocketAddr,
    up: Direction,
    down: Direction,
}

#[derive(Default)]
struct Direction {
    reassembly: Reassembly,
    /// Made with the first bytes: connections without any cost little.
    splitter: Option<Splitter>,
    last: Option<Time>,
}

impl Connections {
    /// Explains connections to `port`, or all; what the side `only` sends, or both.
    pub(super) fn new(port: Option<u16>, only: Option<Side>) -> Self {
        Connections {
            port,
            only,
            list: Vec::new(),
            places: HashMap::new(),
            counts: Counts::default(),
        }
    }

    /// Takes the next packet; prints the frames that it completes.
    pub(super) fn push<W: Write>(
        &mut self,
        packet: &Packet<'_>,
        report: &mut Report<W>,
    ) -> Result<(), Stop> {
        self.counts.packets += 1;
        let segment = match segment(packet.link, packet.data) {
            Ok(segment) => segment,
            Err(foreign) => {
                *self.counts.foreign.entry(foreign).or_default() += 1;
                return Ok(());
            }
        };
        self.counts.cut += u64::from(segment.cut);
        let Some(place) = self.place(&segment, report)? else {
            self.counts.other_ports += 1;
            return Ok(());
        };
        let only = self.only;
        match self.list.get_mut(place) {
            Some(connection) => connection.take(&segment, packet.time, only, report),
            None => Ok(()),
        }
    }

    /// Prints what has not been completed, and sums up.
    pub(super) fn finish<W: Write>(&mut self, report: &mut Report<W>) -> Result<(), Stop> {
        for connection in &mut self.list {
            self.counts.repeated += connection.finish(report)?;
        }
        report.remark(&self.counts.to_string())
    }

    /// Where in the list the segment's connection is; `None` if it is not to be explained.
    fn place<W: Write>(
        &mut self,
        segment: &Segment<'_>,
        report: &mut Report<W>,
    ) -> Result<Option<usize>, Stop> {
        let mut key = [segment.from, segment.to];
        key.sort_unstable();
        let known = self.places.get(&key).copied();
        if let Some(place) = known {
            let connection = self.list.get_mut(place).filter(|c| c.is_followed_by(segment));
            if let Some(connection) = connection {
                self.counts.repeated += connection.finish(report)?;
                *connection = Connection::new(segment, self.port);
                self.counts.connections += 1;
            }
            return Ok(Some(place));
        }
        let is = |port| segment.from.port() == port || segment.to.port() == port;
        if !self.port.is_none_or(is) {
            return Ok(None);
        }
        let place = self.list.len();
        self.list.push(Connection::new(segment, self.port));
        self.counts.connections += 1;
        self.places.insert(key, place);
        Ok(Some(place))
    }
}

impl Connection {
    /// The connection of a segment, the first that was captured of it.
    fn new(segment: &Segment<'_>, port: Option<u16>) -> Self {
        let Segment { from, to, syn, ack, .. } = *segment;
        let [from_server, to_server] = [from, to].map(|end| Some(end.port()) == port);
        let sent_by_server = match (from_server != to_server, syn) {
            (true, _) => from_server,
            // The answer to a SYN, or the SYN itself.
            (false, true) => ack,
            (false, false) => from.port() < to.port(),
        };
        let (client, server) = if sent_by_server { (to, from) } else { (from, to) };
        Connection { client, server, up: Direction::default(), down: Direction::default() }
    }

    fn sender(&self, segment: &Segment<'_>) -> Side {
        if segment.from == self.client { Side::Downstream } else { Side::Upstream }
    }

    fn direction(&mut self, side: Side) -> &mut Direction {
        match side {
            Side::Downstream => &mut self.up,
            Side::Upstream => &mut self.down,
        }
    }

    /// Whether the segment begins another connection between the same addresses.
    fn is_followed_by(&self, segment: &Segment<'_>) -> bool {
        let began = match self.sender(segment) {
            Side::Downstream => self.up.reassembly.began(),
            Side::Upstream => self.down.reassembly.began(),
        };
        let begins = segment.sequence.wrapping_add(1);
        segment.syn && !segment.ack && began.is_some_and(|began| began != begins)
    }

    fn take<W: Write>(
        &mut self,
        segment: &Segment<'_>,
        time: Option<Time>,
        only: Option<Side>,
        report: &mut Report<W>,
    ) -> Result<(), Stop> {
        let side = self.sender(segment);
        if only.is_some_and(|only| only != side) {
            return Ok(());
        }
        let (from, to) = (segment.from, segment.to);
        let direction = self.direction(side);
        // A SYN takes a number of its own, before the first byte.
        let first = segment.sequence.wrapping_add(u32::from(segment.syn));
        if segment.syn {
            direction.reassembly.begin(first);
        }
        direction.last = time;
        if segment.bytes.is_empty() {
            return Ok(());
        }
        let about = About { time, from, to };
        let Direction { reassembly, splitter, .. } = direction;
        let splitter = splitter.get_or_insert_with(|| Splitter::new(report.protocol(), side));
        let origin = Origin { side, about: &about };
        reassembly.push(first, segment.bytes, |piece| splitter.piece(piece, origin, report))
    }

    /// Prints what is left; tells how many bytes came more than once.
    fn finish<W: Write>(&mut self, report: &mut Report<W>) -> Result<u64, Stop> {
        let (client, server) = (self.client, self.server);
        let ends = [(Side::Downstream, client, server), (Side::Upstream, server, client)];
        let mut repeated = 0;
        for (side, from, to) in ends {
            let Direction { reassembly, splitter, last } = self.direction(side);
            repeated += reassembly.repeated();
            let about = About { time: *last, from, to };
            let origin = Origin { side, about: &about };
            if let Some(splitter) = splitter {
                reassembly.finish(|piece| splitter.piece(piece, origin, report))?;
                splitter.finish(origin, report)?;
            }
        }
        Ok(repeated)
    }
}

impl Splitter {
    fn piece<W: Write>(
        &mut self,
        piece: Piece<'_>,
        origin: Origin<'_>,
        report: &mut Report<W>,
    ) -> Result<(), Stop> {
        match piece {
            Piece::Data(bytes) => self.push(bytes, origin, report),
            Piece::Gap(missing) => self.gap(missing, origin, report),
        }
    }
}

/// When and between whom.
struct About {
    time: Option<Time>,
    from: SocketAddr,
    to: SocketAddr,
}

impl fmt::Display for About {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, ", {} > {}", self.from, self.to)?;
        match self.time {
            Some(time) => write!(f, ", {time}"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let packets = crate::count(self.packets, "packet");
        write!(f, "{packets}, {}", crate::count(self.connections, "connection"))?;
        let parts = [
            (self.repeated, "bytes came more than once"),
            (self.cut, "packets are cut short (tcpdump -s 0 takes them whole)"),
            (self.other_ports, "packets were of other ports"),
        ];
        for (number, what) in parts.iter().filter(|(number, _)| *number > 0) {
            write!(f, "; {number} {what}")?;
        }
        self.foreign.iter().try_for_each(|(why, number)| write!(f, "; {number} packets were {why}"))
    }
}
