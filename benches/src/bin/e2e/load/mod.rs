//! The load generator: a closed loop on one thread.
//!
//! Every connection keeps a fixed number of calls in flight and sends the next one as soon as a
//! response is there. All requests that one read makes possible leave in one write.

mod connection;
mod outstanding;
mod report;

use std::io::{self, ErrorKind};
use std::time::{Duration, Instant};

use mio::event::Event;
use mio::net::TcpStream;
use mio::{Events, Poll, Token};

use self::connection::{Connection, Exchange};
use self::report::Tally;
pub(crate) use self::report::{Faults, Report};
use crate::Failure;
use crate::cli::LoadArguments;
use crate::cpu::CpuReading;
use crate::frame::RequestTemplate;
use crate::stream::{Flow, READ_SIZE};

/// How long the slowest connection may take to its first response.
const FIRST_RESPONSES: Duration = Duration::from_secs(10);
/// How long the last responses may take once no more is sent.
const LAST_RESPONSES: Duration = Duration::from_secs(2);

/// Loads the target and tells what came back.
///
/// # Errors
/// When the target can't be connected to, does not answer every connection within ten seconds,
/// or when the watched process can't be read. Wrong responses are no error but counted.
pub(crate) fn run(arguments: &LoadArguments) -> Result<Report, Failure> {
    let mut load = Load::connect(arguments)?;
    load.start();
    load.warm_up(Duration::from_secs_f64(arguments.warmup))?;

    let watched = || arguments.watch.map(CpuReading::take).transpose();
    load.tally.restart();
    let (cpu_before, start) = (watched()?, Instant::now());
    load.turns_until(start + Duration::from_secs_f64(arguments.seconds))?;
    let (cpu_after, elapsed) = (watched()?, start.elapsed());
    let cpu = cpu_before.zip(cpu_after).map(|(before, after)| after.since(&before));
    let mut report = Report::new(&load.tally, elapsed, cpu);

    load.drain()?;
    report.faults = load.tally.faults;
    Ok(report)
}

struct Load {
    poll: Poll,
    connections: Vec<Option<Connection>>,
    request: RequestTemplate,
    tally: Tally,
    buffer: Vec<u8>,
    events: Option<Events>,
    sending: bool,
}

impl Load {
    fn connect(arguments: &LoadArguments) -> Result<Self, Failure> {
        let poll = Poll::new()?;
        let connections = (0..arguments.cell.connections)
            .map(|at| {
                // Connecting may block: it is over before the first request leaves.
                let socket = std::net::TcpStream::connect(arguments.target)?;
                socket.set_nonblocking(true)?;
                let socket = TcpStream::from_std(socket);
                Connection::new(socket, poll.registry(), at, arguments.cell.in_flight).map(Some)
            })
            .collect::<io::Result<_>>()
            .map_err(|error| format!("cannot connect to {}: {error}", arguments.target))?;
        Ok(Load {
            poll,
            connections,
            request: RequestTemplate::new(arguments.cell.body),
            tally: Tally::new(),
            buffer: vec![0; READ_SIZE],
            events: Some(Events::with_capacity(1024)),
            sending: true,
        })
    }

    /// Sends the first requests of every connection.
    fn start(&mut self) {
        for slot in &mut self.connections {
            if slot.as_mut().is_some_and(|connection| connection.start(&self.request).is_err()) {
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
        self.sending = false;
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
            self.serve(event);
        }
        self.events = Some(events);
        Ok(())
    }

    fn serve(&mut self, event: &Event) {
        let Token(at) = event.token();
        let Some(slot) = self.connections.get_mut(at) else { return };
        let Some(connection) = slot else { return };
        let mut exchange =
            Exchange { request: &self.request, tally: &mut self.tally, sending: self.sending };
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
