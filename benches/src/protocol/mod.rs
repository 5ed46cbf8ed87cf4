//! The protocols of the load, as far as a load generator and a server need them.
//!
//! Written apart from the codecs on purpose: what judges the proxy must not share its code.

mod answer;
mod awesomerpc;
mod dubbo;
mod reader;
mod template;
mod thrift;

use std::fmt;
use std::ops::Range;

use clap::ValueEnum;

pub use self::answer::Answers;
pub use self::reader::{FrameReader, Received};
pub use self::template::Template;

/// Largest frame that is accepted, in bytes.
const MAX_FRAME: usize = 65 << 20;
/// Largest body that can be asked for, in bytes.
pub const MAX_BODY: usize = 64 << 20;

/// What goes over the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Protocol {
    /// The protocol of the tutorial: 13 bytes of header and any body.
    Awesomerpc,
    /// Dubbo 2 over TCP, bodies in Hessian 2.
    Dubbo,
    /// Apache Thrift: framed, binary protocol with a version.
    Thrift,
}

impl Protocol {
    /// How it looks on the wire.
    pub fn wire(self) -> &'static dyn Wire {
        match self {
            Protocol::Awesomerpc => &awesomerpc::Awesomerpc,
            Protocol::Dubbo => &dubbo::Dubbo,
            Protocol::Thrift => &thrift::Thrift,
        }
    }

    /// Its name as a flag and in configurations.
    pub fn name(self) -> &'static str {
        match self {
            Protocol::Awesomerpc => "awesomerpc",
            Protocol::Dubbo => "dubbo",
            Protocol::Thrift => "thrift",
        }
    }
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Protocol::Awesomerpc => "awesomerpc",
            Protocol::Dubbo => "Dubbo",
            Protocol::Thrift => "Thrift",
        })
    }
}

/// What stands around the body of every request, or of every response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Envelope {
    /// Everything before the body, its length fields not yet filled in.
    pub head: Vec<u8>,
    /// Where the id's last four bytes stand in `head`, big-endian.
    pub id_at: usize,
    /// Everything behind the body.
    pub tail: Vec<u8>,
    /// Where `tail` tells the time left in milliseconds, in digits: empty, or it may be less on
    /// arrival.
    pub left: Range<usize>,
}

impl Envelope {
    /// Where `frame`, which ends like these, tells the time left. None if it is none, or more than
    /// there was.
    pub fn left_in(&self, frame: &[u8]) -> Option<Range<usize>> {
        let front = frame.len().checked_sub(self.tail.len())?;
        let place = front + self.left.start..front + self.left.end;
        // An empty `Vec` has no address to compare at. glibc looks there all the same, with a masked
        // load that takes some processors longer than all else of a call.
        if self.left.is_empty() {
            return Some(place);
        }
        let (digits, whole) = (&frame[place.clone()], &self.tail[self.left.clone()]);
        let is_left = digits.iter().all(u8::is_ascii_digit) && digits <= whole;
        is_left.then_some(place)
    }
}

/// One protocol's frames: one kind of request, and the response to it.
///
/// A call brings a text, and its response brings the same text. So a server copies the body as it
/// is encoded, and needs to understand nothing else.
pub trait Wire: fmt::Debug + Sync {
    /// Bytes that it takes to know a frame's length.
    fn header(&self) -> usize;

    /// True if `header` may start a frame, whatever its length says.
    fn starts_frame(&self, header: &[u8]) -> bool;

    /// Where the length stands: a u32, big-endian.
    fn length_at(&self) -> usize;

    /// Bytes of a frame that its length does not count.
    fn uncounted(&self) -> usize;

    /// What stands around the body of a request.
    fn request(&self) -> Envelope;

    /// What stands around the body of a response.
    fn response(&self) -> Envelope;

    /// Appends `text`, which is ASCII, encoded as a body.
    fn append_body(&self, text: &[u8], out: &mut Vec<u8>);

    /// True if the response that starts with `prefix` tells of an error.
    fn is_error(&self, prefix: &[u8]) -> bool;

    /// Makes the response out of `frame`'s header that tells of an error.
    fn error(&self, frame: &[u8]) -> Vec<u8>;

    /// If `frame` is no call but a sign of life: appends the answer to it, if it wants one, and
    /// tells true.
    fn answer_ping(&self, _frame: &[u8], _out: &mut Vec<u8>) -> bool {
        false
    }
}

/// Copies `value` to `at` of `frame`, if it is that long.
pub fn put(frame: &mut [u8], at: usize, value: u32) {
    if let Some(field) = frame.get_mut(at..at + 4) {
        field.copy_from_slice(&value.to_be_bytes());
    }
}

/// The four bytes at `at`, big-endian. Zero if `frame` is shorter.
pub fn number_at(frame: &[u8], at: usize) -> u32 {
    let field = frame.get(at..).and_then(|rest| rest.first_chunk());
    field.map_or(0, |bytes| u32::from_be_bytes(*bytes))
}

/// Writes the length of `frame`, which is whole, into its header.
pub fn seal(wire: &dyn Wire, frame: &mut [u8]) {
    let counted = frame.len().saturating_sub(wire.uncounted());
    put(frame, wire.length_at(), u32::try_from(counted).unwrap_or(u32::MAX));
}

/// Total length of the frame that starts with `header`, in bytes. None if it can't be a frame.
pub fn length_of(wire: &dyn Wire, header: &[u8]) -> Option<usize> {
    let counted = usize::try_from(number_at(header, wire.length_at())).ok()?;
    let length = counted.checked_add(wire.uncounted())?;
    let possible = (wire.header()..=MAX_FRAME).contains(&length);
    (possible && wire.starts_frame(header)).then_some(length)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn impossible_lengths_are_refused() {
        for protocol in Protocol::value_variants() {
            assert_eq!(length_of(protocol.wire(), &[0xff; 64]), None, "{protocol}");
            assert_eq!(length_of(protocol.wire(), &[0; 64]), None, "{protocol}");
        }
    }

    #[test]
    fn errors_keep_the_id_and_are_known_as_errors() {
        for protocol in Protocol::value_variants() {
            let wire = protocol.wire();
            let mut request = Vec::new();
            Template::request(wire, 16).append(0x0102_0304, 9, &mut request);
            let error = wire.error(&request);
            assert_eq!(length_of(wire, &error), Some(error.len()), "{protocol}");
            let id_at = wire.response().id_at;
            assert_eq!(number_at(&error, id_at), 0x0102_0304, "{protocol}");
            assert!(wire.is_error(&error), "{protocol}");
        }
    }
}
