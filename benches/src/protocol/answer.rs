//! The server's half: makes responses out of requests.

use super::{Envelope, Wire, length_of, number_at, put, seal};

/// Answers calls with the text that they bring.
#[derive(Debug)]
pub struct Answers {
    wire: &'static dyn Wire,
    request: Envelope,
    response: Envelope,
}

impl Answers {
    /// Answers in one protocol.
    pub fn new(wire: &'static dyn Wire) -> Self {
        Answers { wire, request: wire.request(), response: wire.response() }
    }

    /// Appends to `out` the answers to the whole requests at the front of `bytes`, and tells how
    /// long these are together. None if something stands there that can't be a request.
    pub fn append(&self, bytes: &[u8], out: &mut Vec<u8>) -> Option<usize> {
        let mut taken = 0;
        while let Some(header) = bytes[taken..].get(..self.wire.header()) {
            let length = length_of(self.wire, header)?;
            let Some(frame) = bytes[taken..].get(..length) else { break };
            self.answer(frame, out);
            taken += length;
        }
        Some(taken)
    }

    fn answer(&self, frame: &[u8], out: &mut Vec<u8>) {
        if self.wire.answer_ping(frame, out) {
            return;
        }
        let Some(body) = self.body_of(frame) else {
            return out.extend_from_slice(&self.wire.error(frame));
        };
        let start = out.len();
        out.extend_from_slice(&self.response.head);
        out.extend_from_slice(body);
        out.extend_from_slice(&self.response.tail);
        put(&mut out[start..], self.response.id_at, number_at(frame, self.request.id_at));
        seal(self.wire, &mut out[start..]);
    }

    /// The encoded text of `frame`, if the rest of it is that of the expected call. So a proxy
    /// that changes requests on their way is found out.
    fn body_of<'a>(&self, frame: &'a [u8]) -> Option<&'a [u8]> {
        let Envelope { head, id_at, tail, left } = &self.request;
        let front = frame.get(..head.len())?;
        let place = self.request.left_in(frame)?;
        let (body, end) = frame.split_at(frame.len() - tail.len());
        let body = body.get(head.len()..)?;
        let same =
            || end[..left.start] == tail[..left.start] && frame[place.end..] == tail[left.end..];
        if !(tail.is_empty() || same()) {
            return None;
        }
        let mut gaps = [*id_at, self.wire.length_at()];
        gaps.sort_unstable();
        let mut at = 0;
        for gap in gaps {
            if front.get(at..gap) != head.get(at..gap) {
                return None;
            }
            at = gap + 4;
        }
        (front.get(at..) == head.get(at..)).then_some(body)
    }
}

#[cfg(test)]
mod tests {
    use clap::ValueEnum;

    use super::super::{Protocol, Template};
    use super::*;

    #[test]
    fn the_answer_to_a_call_is_the_response_that_the_load_expects() {
        for protocol in Protocol::value_variants() {
            let wire = protocol.wire();
            for body in [0, 16, 128, 1024, 65_536] {
                let (mut request, mut expected, mut answer) = (Vec::new(), Vec::new(), Vec::new());
                Template::request(wire, body).append(0x0102_0304, 77, &mut request);
                Template::response(wire, body).append(0x0102_0304, 77, &mut expected);
                let whole = request.len();
                request.extend_from_slice(&[0; 3]);
                let taken = Answers::new(wire).append(&request, &mut answer);
                assert_eq!(taken, Some(whole), "{protocol} {body}");
                assert!(answer == expected, "{protocol} {body}");
            }
        }
    }

    #[test]
    fn a_call_that_was_changed_on_its_way_is_answered_with_an_error() {
        for protocol in Protocol::value_variants() {
            let wire = protocol.wire();
            let (mut request, mut answer) = (Vec::new(), Vec::new());
            Template::request(wire, 40).append(3, 4, &mut request);
            // The byte before the text: a length, or the command's neighbour.
            let head = wire.request().head.len();
            request[head - 1] ^= 1;
            Answers::new(wire).append(&request, &mut answer);
            assert!(wire.is_error(&answer), "{protocol}");
        }
    }

    #[test]
    fn less_time_may_be_left_when_a_call_arrives_but_not_more() {
        let wire = Protocol::Dubbo.wire();
        for (digits, expected) in
            [(b"29999", true), (b"00001", true), (b"60001", false), (b"  999", false)]
        {
            let (mut request, mut answer) = (Vec::new(), Vec::new());
            Template::request(wire, 40).append(3, 4, &mut request);
            let end = request.len() - 1;
            request[end - digits.len()..end].copy_from_slice(digits);
            Answers::new(wire).append(&request, &mut answer);
            assert_eq!(!wire.is_error(&answer), expected, "{digits:?}");
        }
    }
}
