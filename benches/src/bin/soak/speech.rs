//! Calls that can be told apart: every text names its caller, and no two are alike.

use std::fmt;

use metaproto_benches::protocol::{Envelope, Protocol, Wire, length_of, put, seal};

/// What a call asks for. The configuration has other rules for each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Operation {
    /// Never to be carried out twice.
    Once,
    /// May be tried again.
    Retried,
    /// May be sent twice at the same time.
    Hedged,
    /// Has a route at times only.
    Lost,
    /// Wants no answer; never to be carried out twice.
    Oneway,
}

impl Operation {
    /// All of them, by their numbers.
    pub(crate) const ALL: [Operation; 5] = [
        Operation::Once,
        Operation::Retried,
        Operation::Hedged,
        Operation::Lost,
        Operation::Oneway,
    ];

    /// The letter that is behind `ech` in the names of methods.
    fn letter(self) -> u8 {
        b'a' + self as u8
    }

    /// True if backends may see one call of it more than once.
    pub(crate) fn may_repeat(self) -> bool {
        matches!(self, Operation::Retried | Operation::Hedged)
    }

    /// The condition of a route that matches it.
    pub(crate) fn condition(self, protocol: Protocol) -> String {
        match protocol {
            Protocol::Awesomerpc => format!("{{cmd: {}}}", self.letter()),
            _ => format!("{{method: ech{}}}", char::from(self.letter())),
        }
    }
}

/// What one call is known by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Token {
    /// Whose call it is: the number of a client connection.
    pub(crate) client: u32,
    /// Which of the client's calls.
    pub(crate) number: u32,
    /// Bytes of the text that carries it, at least [`Token::SIZE`].
    pub(crate) size: u32,
    /// What it asks for.
    pub(crate) operation: Operation,
}

impl Token {
    /// Bytes of a token as text.
    pub(crate) const SIZE: u32 = 27;

    /// The text that carries it: the token, and filler that follows from it.
    fn text(self) -> Vec<u8> {
        let mut text = self.to_string().into_bytes();
        let filler = (self.number..).map(|at| b'a' + (at % 26) as u8);
        let missing = (self.size as usize).saturating_sub(text.len());
        text.extend(filler.take(missing));
        text
    }

    /// The first token in `bytes`.
    fn find(bytes: &[u8]) -> Option<Token> {
        let starts = bytes.iter().enumerate().filter(|(_, byte)| **byte == b'<');
        starts.filter_map(|(at, _)| Token::parse(bytes.get(at..at + Self::SIZE as usize)?)).next()
    }

    fn parse(bytes: &[u8]) -> Option<Token> {
        let text = std::str::from_utf8(bytes).ok()?;
        let mut parts = text.strip_prefix('<')?.strip_suffix('>')?.split('-');
        let mut number = || u32::from_str_radix(parts.next()?, 16).ok();
        let (client, count, size, operation) = (number()?, number()?, number()?, number()?);
        let operation = *Operation::ALL.get(operation as usize)?;
        Some(Token { client, number: count, size, operation })
    }
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Token { client, number, size, operation } = *self;
        write!(f, "<{client:08x}-{number:08x}-{size:05x}-{:x}>", operation as u8)
    }
}

/// Writes and reads the frames of one protocol.
#[derive(Debug)]
pub(crate) struct Speech {
    /// Which one.
    pub(crate) protocol: Protocol,
    wire: &'static dyn Wire,
    request: Envelope,
    response: Envelope,
    /// The bytes of a frame's id.
    id: std::ops::Range<usize>,
}

/// Where Dubbo's flags are, and that of them which asks for an answer.
const DUBBO_TWO_WAY: (usize, u8) = (2, 0x40);
/// The flags of an event in Hessian 2 that is no answer and wants none.
const DUBBO_READONLY: u8 = 0xa2;
/// Where Thrift's kind of message is, and the one of calls without an answer.
const THRIFT_ONEWAY: (usize, u8) = (7, 4);

impl Speech {
    /// Speaks `protocol`.
    pub(crate) fn new(protocol: Protocol) -> Self {
        let wire = protocol.wire();
        let (request, response) = (wire.request(), wire.response());
        let id = match protocol {
            Protocol::Dubbo => request.id_at - 4..request.id_at + 4,
            _ => request.id_at..request.id_at + 4,
        };
        Speech { protocol, wire, request, response, id }
    }

    /// True if answers come in the order of their requests.
    pub(crate) fn in_order(&self) -> bool {
        self.protocol == Protocol::Thrift
    }

    /// The operations that there are.
    pub(crate) fn operations(&self) -> &'static [Operation] {
        let count = Operation::ALL.len() - usize::from(self.protocol == Protocol::Awesomerpc);
        &Operation::ALL[..count]
    }

    /// Total length of the frame at the front of `bytes`, `None` while too little is there.
    ///
    /// # Errors
    /// It can't be a frame.
    pub(crate) fn length(&self, bytes: &[u8]) -> Result<Option<usize>, NoFrame> {
        let Some(header) = bytes.get(..self.wire.header()) else { return Ok(None) };
        length_of(self.wire, header).map(Some).ok_or(NoFrame)
    }

    /// The request that carries `token`.
    pub(crate) fn request(&self, id: u32, token: Token) -> Vec<u8> {
        let mut frame = self.frame(&self.request, token);
        put(&mut frame, self.request.id_at, id);
        if token.operation == Operation::Oneway {
            match self.protocol {
                Protocol::Dubbo => frame[DUBBO_TWO_WAY.0] &= !DUBBO_TWO_WAY.1,
                Protocol::Thrift => frame[THRIFT_ONEWAY.0] = THRIFT_ONEWAY.1,
                Protocol::Awesomerpc => {}
            }
        }
        frame
    }

    /// The only right response to that request, for a caller that sent it with `id`.
    pub(crate) fn expected(&self, id: u32, token: Token) -> Vec<u8> {
        let mut frame = self.frame(&self.response, token);
        put(&mut frame, self.response.id_at, id);
        frame
    }

    /// The response of a server to `request`, which carries `token`.
    pub(crate) fn respond(&self, request: &[u8], token: Token) -> Vec<u8> {
        let mut frame = self.frame(&self.response, token);
        frame[self.id.clone()].copy_from_slice(&request[self.id.clone()]);
        frame
    }

    /// The error of a server in answer to `request`.
    pub(crate) fn refuse(&self, request: &[u8]) -> Vec<u8> {
        let mut frame = self.wire.error(request);
        frame[self.id.clone()].copy_from_slice(&request[self.id.clone()]);
        frame
    }

    /// `response` with an id that nobody has asked with.
    pub(crate) fn misaddress(&self, response: &mut [u8]) {
        response[self.id.start] ^= 0x40;
    }

    /// The answer to `frame`, maybe an empty one, if it is a sign of life or another event.
    pub(crate) fn pong(&self, frame: &[u8]) -> Option<Vec<u8>> {
        let mut out = Vec::new();
        self.wire.answer_ping(frame, &mut out).then_some(out)
    }

    /// What a server says that wants no further requests, if it can.
    pub(crate) fn go_away(&self) -> Option<Vec<u8>> {
        if self.protocol != Protocol::Dubbo {
            return None;
        }
        let mut frame = self.request.head[..self.wire.header()].to_vec();
        frame[DUBBO_TWO_WAY.0] = DUBBO_READONLY;
        frame.extend_from_slice(b"\x01R");
        seal(self.wire, &mut frame);
        Some(frame)
    }

    /// What `frame` carries. None for errors and for what we never sent.
    pub(crate) fn token(&self, frame: &[u8]) -> Option<Token> {
        Token::find(frame)
    }

    /// True if `request` is what a client sent, whatever its id, with no more time left.
    pub(crate) fn is_request(&self, request: &[u8], token: Token) -> bool {
        let mut sent = self.request(0, token);
        let Some(left) = self.request.left_in(request) else { return false };
        if sent.len() == request.len() {
            for field in [self.id.clone(), left] {
                sent[field.clone()].copy_from_slice(&request[field]);
            }
        }
        sent == request
    }

    /// The id of a response.
    pub(crate) fn id(&self, frame: &[u8]) -> u32 {
        metaproto_benches::protocol::number_at(frame, self.response.id_at)
    }

    /// Which error `response` tells of, in the protocol's own numbers. None if of none.
    pub(crate) fn error(&self, response: &[u8]) -> Option<i32> {
        if !self.wire.is_error(response) {
            return None;
        }
        Some(match self.protocol {
            Protocol::Awesomerpc => {
                i32::from(response.get(11..13).map_or(0, |b| i16::from_be_bytes([b[0], b[1]])))
            }
            Protocol::Dubbo => i32::from(response.get(3).copied().unwrap_or(0)),
            Protocol::Thrift => 3,
        })
    }

    /// True if there is a reason for this error in answer to a call of this operation. "No such route"
    /// has one only where there may be no route, and "no such cluster" never. While servers are `fair`,
    /// there are only limits and timeouts. Errors of Thrift don't tell what they are.
    pub(crate) fn may_fail(&self, error: i32, operation: Operation, fair: bool) -> bool {
        let (route, timeout, overloaded) = match self.protocol {
            Protocol::Awesomerpc => (-1, -6, -11),
            Protocol::Dubbo => (60, 31, 100),
            Protocol::Thrift => return true,
        };
        let no_cluster = self.protocol == Protocol::Awesomerpc && error == -2;
        match error {
            _ if error == route => operation == Operation::Lost,
            _ if error == timeout || error == overloaded => true,
            _ => !fair && !no_cluster,
        }
    }

    /// Bytes at which no frame starts.
    pub(crate) fn garbage(&self, rng: &mut fastrand::Rng) -> Vec<u8> {
        let mut bytes: Vec<u8> = (0..rng.usize(20..400)).map(|_| rng.u8(..)).collect();
        let length: u32 = if rng.bool() { rng.u32(..10) } else { rng.u32(0x7000_0000..) };
        match self.protocol {
            Protocol::Awesomerpc => put(&mut bytes, self.wire.length_at(), length),
            Protocol::Dubbo => bytes[0] = 0x11,
            Protocol::Thrift => {
                put(&mut bytes, 0, length);
                put(&mut bytes, 4, 0x1111_1111);
            }
        }
        bytes
    }

    fn frame(&self, envelope: &Envelope, token: Token) -> Vec<u8> {
        let mut frame = envelope.head.clone();
        let letter = token.operation.letter();
        match frame.windows(4).position(|part| part == b"echo") {
            Some(at) => frame[at + 3] = letter,
            None if self.protocol == Protocol::Awesomerpc => frame[10] = letter,
            None => {}
        }
        self.wire.append_body(&token.text(), &mut frame);
        frame.extend_from_slice(&envelope.tail);
        seal(self.wire, &mut frame);
        frame
    }
}

/// Bytes that can't be a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NoFrame;

#[cfg(test)]
mod tests {
    use super::*;

    const PROTOCOLS: [Protocol; 3] = [Protocol::Awesomerpc, Protocol::Dubbo, Protocol::Thrift];

    fn token(operation: Operation, size: u32) -> Token {
        Token { client: 0xabcd, number: 77, size, operation }
    }

    #[test]
    fn a_request_carries_its_token_and_its_response_brings_it_back() {
        for protocol in PROTOCOLS {
            let speech = Speech::new(protocol);
            for (&operation, size) in speech.operations().iter().zip([27, 31, 60, 1500, 70_000]) {
                let token = token(operation, size);
                let request = speech.request(9, token);
                assert_eq!(speech.length(&request), Ok(Some(request.len())), "{protocol}");
                assert_eq!(speech.token(&request), Some(token), "{protocol}");
                assert!(speech.is_request(&request, token), "{protocol}");
                let response = speech.respond(&request, token);
                assert!(response == speech.expected(9, token), "{protocol}");
                assert_eq!((speech.error(&response), speech.id(&response)), (None, 9));
            }
        }
    }

    #[test]
    fn what_was_changed_on_its_way_is_no_request_of_ours() {
        let speech = Speech::new(Protocol::Awesomerpc);
        let token = token(Operation::Once, 40);
        let mut request = speech.request(9, token);
        *request.last_mut().unwrap() ^= 1;
        assert!(!speech.is_request(&request, token));
    }

    #[test]
    fn a_request_may_have_less_time_left_but_not_more() {
        let speech = Speech::new(Protocol::Dubbo);
        let token = token(Operation::Once, 40);
        for (digits, expected) in [(b"00001", true), (b"60001", false), (b"5999x", false)] {
            let mut request = speech.request(9, token);
            let end = request.len() - 1;
            request[end - 5..end].copy_from_slice(digits);
            assert_eq!(speech.is_request(&request, token), expected, "{digits:?}");
        }
    }

    #[test]
    fn errors_name_the_call_and_garbage_is_no_frame() {
        let mut rng = fastrand::Rng::with_seed(1);
        for protocol in PROTOCOLS {
            let speech = Speech::new(protocol);
            let error = speech.refuse(&speech.request(5, token(Operation::Once, 40)));
            assert!(speech.error(&error).is_some(), "{protocol}");
            assert_eq!(speech.id(&error), 5, "{protocol}");
            for _ in 0..1000 {
                assert_eq!(speech.length(&speech.garbage(&mut rng)), Err(NoFrame), "{protocol}");
            }
        }
    }
}
