//! One client connection.

use std::io::{self, ErrorKind};
use std::time::Instant;

use mio::event::Event;
use mio::net::TcpStream;
use mio::{Registry, Token};

use super::outstanding::Outstanding;
use super::report::Tally;
use crate::frame::{FrameReader, Received, RequestTemplate};
use crate::stream::{Flow, Stream};

/// What a connection needs of the load it is part of.
#[derive(Debug)]
pub(crate) struct Exchange<'a> {
    /// What to send.
    pub(crate) request: &'a RequestTemplate,
    /// Where to count what comes back.
    pub(crate) tally: &'a mut Tally,
    /// False while the last responses are awaited.
    pub(crate) sending: bool,
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
    in_flight: usize,
    outstanding: Outstanding,
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
    ) -> io::Result<Self> {
        let stream = Stream::register(socket, registry, Token(index))?;
        Ok(Connection { stream, caller: Caller::new(index as u32, in_flight) })
    }

    /// Sends the first requests, all in one write.
    pub(crate) fn start(&mut self, request: &RequestTemplate) -> io::Result<()> {
        let now = Instant::now();
        for at in 0..self.caller.in_flight {
            self.caller.send(at, now, request, self.stream.output());
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
    fn new(index: u32, in_flight: usize) -> Self {
        Caller {
            index,
            in_flight,
            outstanding: Outstanding::new(in_flight),
            reader: FrameReader::new(),
            answered: false,
        }
    }

    fn send(&mut self, at: usize, now: Instant, request: &RequestTemplate, out: &mut Vec<u8>) {
        let id = self.outstanding.send(at, now);
        request.append(id, self.stamp(id), out);
    }

    /// What the body of call `id` starts with. The index in it shows responses that went to the
    /// wrong connection even when the id fits.
    fn stamp(&self, id: u32) -> u64 {
        u64::from(self.index) << 32 | u64::from(id)
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
                    let free = self.check(frame, now, exchange.request, exchange.tally);
                    if let (Some(at), true) = (free, exchange.sending) {
                        self.send(at, now, exchange.request, out);
                    }
                }
                Err(length) => {
                    exchange.tally.faults.malformed += 1;
                    return Err(io::Error::new(ErrorKind::InvalidData, length.to_string()));
                }
            }
        }
    }

    /// Judges one response. Tells the place it freed, if any call waited for it.
    fn check(
        &mut self,
        frame: Received,
        now: Instant,
        request: &RequestTemplate,
        tally: &mut Tally,
    ) -> Option<usize> {
        let Some((at, sent)) = self.outstanding.answer(frame.id) else {
            tally.faults.unknown_id += 1;
            return None;
        };
        self.answered = true;
        if frame.code != 0 {
            tally.faults.error_code += 1;
        } else if frame.length != request.len() {
            tally.faults.wrong_length += 1;
        } else if request.is_stamped() && frame.stamp != self.stamp(frame.id) {
            tally.faults.wrong_body += 1;
        } else {
            tally.complete(now.saturating_duration_since(sent));
        }
        Some(at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load::report::Faults;

    /// Sends one request and feeds back what `answer` makes of it.
    fn after(index: u32, answer: impl FnOnce(&mut Vec<u8>)) -> (Tally, Vec<u8>) {
        let request = RequestTemplate::new(16);
        let (mut tally, mut wire, mut out) = (Tally::new(), Vec::new(), Vec::new());
        let mut caller = Caller::new(index, 1);
        caller.send(0, Instant::now(), &request, &mut wire);
        answer(&mut wire);
        let mut exchange = Exchange { request: &request, tally: &mut tally, sending: true };
        let _ = caller.receive(&wire, &mut exchange, &mut out);
        (tally, out)
    }

    #[test]
    fn a_right_response_completes_and_brings_the_next_request() {
        let (tally, next) = after(3, |_| {});
        assert_eq!(tally.completed, 1);
        assert_eq!(tally.faults, Faults::default());
        assert_eq!(next.len(), RequestTemplate::new(16).len());
    }

    #[test]
    fn every_kind_of_wrong_response_is_counted_as_such() {
        let faults = |answer: fn(&mut Vec<u8>)| {
            let (tally, _) = after(3, answer);
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
        let (tally, _) = after(0, |wire| wire.extend_from_within(..));
        assert_eq!(tally.completed, 1);
        assert_eq!(tally.faults, Faults { unknown_id: 1, ..Faults::default() });
    }
}
