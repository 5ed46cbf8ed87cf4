//! The load generator, on one thread: a closed loop, or an open one at a fixed rate.
//!
//! Closed: every connection keeps a fixed number of calls in flight and sends the next one as soon
//! as a response is there. All requests that one read makes possible leave in one write.
//! Open: calls are made at fixed times, the connections taking turns, and latency counts from the
//! time at which a call was to be made, also when the connection has no room for it yet. So a
//! server that stalls can't hide it by slowing down the load.

mod connection;
mod idle;
mod outstanding;
mod pace;
mod report;

use std::io::{self, ErrorKind};
use std::time::{Duration, Instant};

use mio::event::Event;
use mio::net::TcpStream;
use mio::{Events, Poll, Token};

use self::connection::{Connection, Exchange, Script};
pub(crate) use self::idle::run as run_idle;
use self::pace::Pace;
use self::report::Tally;
pub(crate) use self::report::{Faults, Report};
use crate::Failure;
use crate::cli::{LoadArguments, TargetArguments};
use crate::cpu::CpuReading;
use crate::protocol::Template;
use crate::stream::{Flow, READ_SIZE};

/// How long the slowest connection may take to its first response.
const FIRST_RESPONSES: Duration = Duration::from_secs(20);
/// How long the last responses may take once no more is sent.
const LAST_RESPONSES: Duration = Duration::from_secs(30);
/// The event of the timer of an open loop.
const PACE: Token = Token(usize::MAX >> 1);

/// Loads the target and tells what came back.
///
/// # Errors
/// When the target can't be connected to, does not answer every connection in time, or when the
/// watched process can't be read. Wrong responses are no error but counted.
pub(crate) fn run(arguments: &LoadArguments) -> Result<Report, Failure> {
    let mut load = Load::connect(&arguments.target)?;
    load.closed_loop = arguments.rate.is_none();
    load.fill();
    load.warm_up(Duration::from_secs_f64(arguments.warmup))?;
    if let Some(rate) = arguments.rate {
        load.pace = Some(Pace::start(rate, load.poll.registry(), PACE)?);
        load.turns_until(Instant::now() + Duration::from_secs_f64(arguments.warmup))?;
    }

    let watched = || arguments.target.watch.map(CpuReading::take).transpose();
    load.tally.restart();
    let (cpu_before, start) = (watched()?, Instant::now());
    load.turns_until(start + Duration::from_secs_f64(arguments.seconds))?;
    let (cpu_after, elapsed) = (watched()?, start.elapsed());
    let cpu = cpu_before.zip(cpu_after).map(|(before, after)| after.since(&before));
    let mut report = Report::new(&load.tally, elapsed, cpu);

    load.drain()?;
    report.faults = load.tally.faults;
    report.answered = load.tally.answered;
    Ok(report)
}

struct Load {
    poll: Poll,
    connections: Vec<Option<Connection>>,
    script: Script,
    tally: Tally,
    buffer: Vec<u8>,
    events: Option<Events>,
    closed_loop: bool,
    pace: Option<Pace>,
}

impl Load {
    fn connect(arguments: &TargetArguments) -> Result<Self, Failure> {
        let poll = Poll::new()?;
        let (wire, body) = (arguments.protocol.wire(), arguments.cell.body);
        let (request, response) = (Template::request(wire, body), Template::response(wire, body));
        let script = Script { wire, request, response };
        let in_flight = arguments.cell.in_flight;
        let connections = (0..arguments.cell.connections)
            .map(|at| {
                // Connecting may block: it is over before the first request leaves.
                let socket = std::net::TcpStream::connect(arguments.target)?;
                socket.set_nonblocking(true)?;
                let socket = TcpStream::from_std(socket);
                Connection::new(socket, poll.registry(), at, in_flight, &script).map(Some)
            })
            .collect::<io::Result<_>>()
            .map_err(|error| format!("cannot connect to {}: {error}", arguments.target))?;
        Ok(Load {
            poll,
            connections,
            script,
            tally: Tally::new()?,
            buffer: vec![0; READ_SIZE],
            events: Some(Events::with_capacity(1024)),
            closed_loop: false,
            pace: None,
        })
    }

    /// Sends as many requests on each connection as may be in flight.
    fn fill(&mut self) {
        for slot in &mut self.connections {
            if slot.as_mut().is_some_and(|connection| connection.fill(&self.script).is_err()) {
                abandon(slot, &mut self.tally);
            }
        }
    }

    /// Runs for `length`, and on until every connection has had a response.
    fn warm_up(&mut self, length: Duration) -> Result<(), Failure> {
        let start = Instant::now();
        self.turns_until(start + length)?;
        loop {
            let mut open = self.connections.iter().flatten();
            let silent = open.clone().filter(|connection| !connection.has_been_answered()).count();
            if open.next().is_none() {
                return Err("the target closed every connection".into());
            }
            if silent == 0 {
                return Ok(());
            }
            if start.elapsed() > FIRST_RESPONSES {
                return Err(format!("{silent} connections got no response at all").into());
            }
            self.turns_until(Instant::now() + Duration::from_millis(10))?;
        }
    }

    /// Stops sending and waits for the responses that are due. What does not come is lost.
    fn drain(&mut self) -> Result<(), Failure> {
        self.closed_loop = false;
        self.pace = None;
        self.connections.iter_mut().flatten().for_each(Connection::give_up_due);
        let deadline = Instant::now() + LAST_RESPONSES;
        while self.outstanding() > 0 && Instant::now() < deadline {
            self.turns_until(Instant::now() + Duration::from_millis(10))?;
        }
        self.tally.faults.lost += self.outstanding();
        Ok(())
    }

    fn outstanding(&self) -> u64 {
        self.connections.iter().flatten().map(Connection::outstanding).sum()
    }

    fn turns_until(&mut self, end: Instant) -> io::Result<()> {
        loop {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(());
            }
            self.turn(left)?;
        }
    }

    fn turn(&mut self, timeout: Duration) -> io::Result<()> {
        let Some(mut events) = self.events.take() else { return Ok(()) };
        match self.poll.poll(&mut events, Some(timeout)) {
            Err(error) if error.kind() != ErrorKind::Interrupted => return Err(error),
            _ => {}
        }
        for event in &events {
            match event.token() {
                PACE => self.call_what_is_due()?,
                Token(at) => self.serve(at, event),
            }
        }
        self.events = Some(events);
        Ok(())
    }

    /// Makes the calls whose time has come, the connections taking turns.
    fn call_what_is_due(&mut self) -> io::Result<()> {
        let Some(pace) = &mut self.pace else { return Ok(()) };
        pace.rearm()?;
        while let Some((number, since)) = pace.due(Instant::now()) {
            let at = (number % self.connections.len() as u64) as usize;
            let slot = &mut self.connections[at];
            if slot.as_mut().is_some_and(|open| open.call(since, &self.script).is_err()) {
                abandon(slot, &mut self.tally);
            }
        }
        Ok(())
    }

    fn serve(&mut self, at: usize, event: &Event) {
        let Some(slot) = self.connections.get_mut(at) else { return };
        let Some(connection) = slot else { return };
        let (script, closed_loop) = (&self.script, self.closed_loop);
        let mut exchange = Exchange { script, tally: &mut self.tally, closed_loop };
        match connection.serve(event, &mut self.buffer, &mut exchange) {
            Ok(Flow::Open) => {}
            Ok(Flow::Ended) | Err(_) => abandon(slot, &mut self.tally),
        }
    }
}

/// Gives up a connection that broke. Its calls will not be answered.
fn abandon(slot: &mut Option<Connection>, tally: &mut Tally) {
    if let Some(connection) = slot.take() {
        tally.faults.closed += 1;
        tally.faults.lost += connection.outstanding();
    }
}
