//! One client connection.

use std::collections::VecDeque;
use std::io::{self, ErrorKind};
use std::time::Instant;

use mio::event::Event;
use mio::net::TcpStream;
use mio::{Registry, Token};

use super::outstanding::Outstanding;
use super::report::Tally;
use crate::protocol::{FrameReader, Received, Template, Wire};
use crate::stream::{Flow, Stream};

/// What is said on every connection of a load.
#[derive(Debug)]
pub(crate) struct Script {
    /// How frames look.
    pub(crate) wire: &'static dyn Wire,
    /// What to send.
    pub(crate) request: Template,
    /// What should come back.
    pub(crate) response: Template,
}

/// What a connection needs of the load it is part of.
#[derive(Debug)]
pub(crate) struct Exchange<'a> {
    /// What is said.
    pub(crate) script: &'a Script,
    /// Where to count what comes back.
    pub(crate) tally: &'a mut Tally,
    /// True if each response brings the next request at once.
    pub(crate) closed_loop: bool,
}

/// A connection and its calls in flight.
#[derive(Debug)]
pub(crate) struct Connection {
    stream: Stream,
    caller: Caller,
}

/// Everything but the socket, so that the two can be borrowed apart.
#[derive(Debug)]
struct Caller {
    index: u32,
    outstanding: Outstanding,
    /// When calls were to be made for which there was no room.
    due: VecDeque<Instant>,
    reader: FrameReader,
    answered: bool,
}

impl Connection {
    /// A connection that has sent nothing yet; `index` is its token and marks its bodies.
    pub(crate) fn new(
        socket: TcpStream,
        registry: &Registry,
        index: usize,
        in_flight: usize,
        script: &Script,
    ) -> io::Result<Self> {
        let stream = Stream::register(socket, registry, Token(index))?;
        Ok(Connection { stream, caller: Caller::new(index as u32, in_flight, script) })
    }

    /// Sends as many requests as may be in flight, all in one write.
    pub(crate) fn fill(&mut self, script: &Script) -> io::Result<()> {
        let now = Instant::now();
        while self.caller.send(now, script, self.stream.output()) {}
        self.stream.flush()
    }

    /// Makes a call that was to be made at `since`, as soon as there is room for it.
    pub(crate) fn call(&mut self, since: Instant, script: &Script) -> io::Result<()> {
        if !self.caller.send(since, script, self.stream.output()) {
            self.caller.due.push_back(since);
        }
        self.stream.flush()
    }

    /// Reads what `event` brought and sends what it made possible, all in one write.
    pub(crate) fn serve(
        &mut self,
        event: &Event,
        buffer: &mut [u8],
        exchange: &mut Exchange<'_>,
    ) -> io::Result<Flow> {
        let caller = &mut self.caller;
        let flow = self.stream.read(event, buffer, |stream, bytes| {
            caller.receive(bytes, exchange, stream.output())
        })?;
        if flow == Flow::Open {
            self.stream.flush()?;
        }
        Ok(flow)
    }

    /// Forgets the calls for which there was no room yet.
    pub(crate) fn give_up_due(&mut self) {
        self.caller.due.clear();
    }

    /// True once a response has come.
    pub(crate) fn has_been_answered(&self) -> bool {
        self.caller.answered
    }

    /// Calls that wait for their response.
    pub(crate) fn outstanding(&self) -> u64 {
        self.caller.outstanding.waiting()
    }
}

impl Caller {
    fn new(index: u32, in_flight: usize, script: &Script) -> Self {
        Caller {
            index,
            outstanding: Outstanding::new(in_flight),
            due: VecDeque::new(),
            reader: FrameReader::new(script.wire, &script.response),
            answered: false,
        }
    }

    /// Appends a request to `out` if there is room for it, and tells whether there was.
    fn send(&mut self, since: Instant, script: &Script, out: &mut Vec<u8>) -> bool {
        let Some(id) = self.outstanding.send(since) else { return false };
        script.request.append(id, stamp(self.index, id), out);
        true
    }

    fn receive(
        &mut self,
        mut bytes: &[u8],
        exchange: &mut Exchange<'_>,
        out: &mut Vec<u8>,
    ) -> io::Result<()> {
        let now = Instant::now();
        loop {
            match self.reader.next(&mut bytes) {
                Ok(None) => return Ok(()),
                Ok(Some(frame)) => {
                    let known = self.outstanding.answer(frame.id);
                    self.answered |= known.is_some();
                    let call = Answered { index: self.index, since: known, now };
                    call.judge(&frame, exchange.script, exchange.tally);
                    self.reader.advance();
                    let next = if exchange.closed_loop { Some(now) } else { self.due.pop_front() };
                    if let (Some(since), Some(_)) = (next, known) {
                        self.send(since, exchange.script, out);
                    }
                }
                Err(_) => {
                    exchange.tally.faults.malformed += 1;
                    return Err(ErrorKind::InvalidData.into());
                }
            }
        }
    }
}

/// What the body of call `id` starts with. The connection's index in it shows responses that went
/// to the wrong connection even when the id fits.
fn stamp(index: u32, id: u32) -> u64 {
    u64::from(index) << 32 | u64::from(id)
}

/// A response that came.
struct Answered {
    index: u32,
    /// Since when its call waited; None if no call with its id did.
    since: Option<Instant>,
    now: Instant,
}

impl Answered {
    fn judge(&self, frame: &Received<'_>, script: &Script, tally: &mut Tally) {
        let expected = &script.response;
        let Some(since) = self.since else {
            tally.faults.unknown_id += 1;
            return;
        };
        if script.wire.is_error(frame.prefix) {
            tally.faults.error_code += 1;
        } else if frame.length != expected.size() {
            tally.faults.wrong_length += 1;
        } else if !expected.matches(frame.prefix, stamp(self.index, frame.id)) {
            tally.faults.wrong_body += 1;
        } else {
            tally.complete(self.now.saturating_duration_since(since));
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::ValueEnum;

    use super::*;
    use crate::load::report::Faults;
    use crate::protocol::Protocol;

    fn script(protocol: Protocol) -> Script {
        let wire = protocol.wire();
        let (request, response) = (Template::request(wire, 16), Template::response(wire, 16));
        Script { wire, request, response }
    }

    /// Makes one call and feeds back what `answer` makes of its response.
    fn after(script: &Script, answer: impl FnOnce(&mut Vec<u8>)) -> (Tally, Vec<u8>) {
        let (mut tally, mut out) = (Tally::new().unwrap(), Vec::new());
        let mut caller = Caller::new(3, 1, script);
        assert!(caller.send(Instant::now(), script, &mut Vec::new()));
        let mut wire = Vec::new();
        script.response.append(1, stamp(3, 1), &mut wire);
        answer(&mut wire);
        let mut exchange = Exchange { script, tally: &mut tally, closed_loop: true };
        let _ = caller.receive(&wire, &mut exchange, &mut out);
        (tally, out)
    }

    #[test]
    fn a_right_response_completes_and_brings_the_next_request() {
        for protocol in Protocol::value_variants() {
            let script = script(*protocol);
            let (tally, next) = after(&script, |_| {});
            assert_eq!(tally.completed, 1, "{protocol}");
            assert_eq!(tally.faults, Faults::default(), "{protocol}");
            assert_eq!(next.len(), script.request.size(), "{protocol}");
        }
    }

    #[test]
    fn every_kind_of_wrong_response_is_counted_as_such() {
        let script = script(Protocol::Awesomerpc);
        let faults = |answer: fn(&mut Vec<u8>)| {
            let (tally, _) = after(&script, answer);
            assert_eq!(tally.completed, 0);
            tally.faults
        };
        let none = Faults::default();
        assert_eq!(faults(|wire| wire[4] ^= 1), Faults { unknown_id: 1, ..none });
        assert_eq!(faults(|wire| wire[12] = 5), Faults { error_code: 1, ..none });
        assert_eq!(faults(|wire| wire[16] ^= 1), Faults { wrong_body: 1, ..none });
        assert_eq!(faults(|wire| wire[8] = 2), Faults { malformed: 1, ..none });
        let shorter = |wire: &mut Vec<u8>| {
            wire.pop();
            wire[8] -= 1;
        };
        assert_eq!(faults(shorter), Faults { wrong_length: 1, ..none });
    }

    #[test]
    fn a_second_response_to_the_same_call_is_unknown() {
        for protocol in Protocol::value_variants() {
            let (tally, _) = after(&script(*protocol), |wire| wire.extend_from_within(..));
            assert_eq!(tally.completed, 1);
            assert_eq!(tally.faults, Faults { unknown_id: 1, ..Faults::default() });
        }
    }

    #[test]
    fn without_room_a_call_waits_and_counts_from_when_it_was_to_be_made() {
        let script = script(Protocol::Awesomerpc);
        let mut tally = Tally::new().unwrap();
        let mut caller = Caller::new(0, 1, &script);
        let start = Instant::now();
        assert!(caller.send(start, &script, &mut Vec::new()));
        assert!(!caller.send(start, &script, &mut Vec::new()));
        caller.due.push_back(start);
        let (mut wire, mut out) = (Vec::new(), Vec::new());
        script.response.append(1, stamp(0, 1), &mut wire);
        let mut exchange = Exchange { script: &script, tally: &mut tally, closed_loop: false };
        caller.receive(&wire, &mut exchange, &mut out).unwrap();
        assert_eq!(out.len(), script.request.size(), "the one that waited was sent");
        assert_eq!(caller.outstanding.answer(2), Some(start));
    }
}
