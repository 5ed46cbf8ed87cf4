//! awesomerpc frames, as far as a load generator and an echo server need them.
//!
//! Written apart from the awesomerpc codec on purpose: what judges the proxy must not share its
//! code.

use std::fmt;

/// Bytes of the header: version i8, id u32, total length u32, command i16, code i16; big-endian.
pub(crate) const HEADER: usize = 13;
/// Largest body that is accepted, in bytes.
pub(crate) const MAX_BODY: usize = 64 << 20;

const STAMP: usize = 8;
const PREFIX: usize = HEADER + STAMP;
const COMMAND: i16 = 1;

/// A length field that can't be a frame's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct BadLength(u32);

impl fmt::Display for BadLength {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a frame says it is {} bytes long", self.0)
    }
}

/// Total length of the frame that starts with `header`, in bytes, header included.
pub(crate) fn length_of(header: &[u8; HEADER]) -> Result<usize, BadLength> {
    let [_, _, _, _, _, a, b, c, d, ..] = *header;
    let length = u32::from_be_bytes([a, b, c, d]);
    match usize::try_from(length) {
        Ok(total) if (HEADER..=HEADER + MAX_BODY).contains(&total) => Ok(total),
        _ => Err(BadLength(length)),
    }
}

/// Length of the whole frames at the front of `bytes`; what follows is the start of another one.
pub(crate) fn whole_frames(bytes: &[u8]) -> Result<usize, BadLength> {
    let mut end = 0;
    while let Some(header) = bytes[end..].first_chunk() {
        let length = length_of(header)?;
        if bytes.len() - end < length {
            break;
        }
        end += length;
    }
    Ok(end)
}

/// A request that is sent again and again, with another id each time.
#[derive(Debug)]
pub(crate) struct RequestTemplate {
    bytes: Vec<u8>,
}

impl RequestTemplate {
    /// A request with a body of `body` bytes, at most [`MAX_BODY`].
    pub(crate) fn new(body: usize) -> Self {
        let length = u32::try_from(HEADER + body.min(MAX_BODY)).unwrap_or(u32::MAX);
        let mut bytes = vec![0; HEADER];
        bytes[5..9].copy_from_slice(&length.to_be_bytes());
        bytes[9..11].copy_from_slice(&COMMAND.to_be_bytes());
        bytes.extend((0..body.min(MAX_BODY)).map(|at| b'a' + (at % 26) as u8));
        RequestTemplate { bytes }
    }

    /// Total length of the request, in bytes.
    pub(crate) fn len(&self) -> usize {
        self.bytes.len()
    }

    /// True if bodies are long enough to carry a stamp.
    pub(crate) fn is_stamped(&self) -> bool {
        self.bytes.len() >= PREFIX
    }

    /// Appends the request with `id` to `out`. The body starts with `stamp` if it has room.
    pub(crate) fn append(&self, id: u32, stamp: u64, out: &mut Vec<u8>) {
        let start = out.len();
        out.extend_from_slice(&self.bytes);
        out[start + 1..start + 5].copy_from_slice(&id.to_be_bytes());
        if self.is_stamped() {
            out[start + HEADER..start + PREFIX].copy_from_slice(&stamp.to_be_bytes());
        }
    }
}

/// What is kept of a frame that went by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Received {
    /// The correlation id.
    pub(crate) id: u32,
    /// Total length in bytes.
    pub(crate) length: usize,
    /// The result code; 0 is success.
    pub(crate) code: i16,
    /// The first eight bytes of the body; zero when it is shorter.
    pub(crate) stamp: u64,
}

/// Finds the frames in a stream without keeping their bodies.
#[derive(Debug)]
pub(crate) struct FrameReader {
    prefix: [u8; PREFIX],
    filled: usize,
    skipped: usize,
}

impl FrameReader {
    /// A reader at the start of a frame.
    pub(crate) fn new() -> Self {
        FrameReader { prefix: [0; PREFIX], filled: 0, skipped: 0 }
    }

    /// Takes the next whole frame off `input`, or all of `input` if the frame goes on.
    ///
    /// After an error the stream has no meaning any more.
    pub(crate) fn next(&mut self, input: &mut &[u8]) -> Result<Option<Received>, BadLength> {
        if !self.fill(HEADER, input) {
            return Ok(None);
        }
        let Some(header) = self.prefix.first_chunk::<HEADER>() else { return Ok(None) };
        let length = length_of(header)?;
        let kept = length.min(PREFIX);
        if !self.fill(kept, input) {
            return Ok(None);
        }
        let rest = length - kept - self.skipped;
        let here = rest.min(input.len());
        *input = &input[here..];
        if here < rest {
            self.skipped += here;
            return Ok(None);
        }
        let frame = self.received(length);
        self.filled = 0;
        self.skipped = 0;
        Ok(Some(frame))
    }

    /// Copies from `input` until `wanted` bytes of the prefix are there. True when they are.
    fn fill(&mut self, wanted: usize, input: &mut &[u8]) -> bool {
        let count = wanted.saturating_sub(self.filled).min(input.len());
        let (now, later) = input.split_at(count);
        self.prefix[self.filled..self.filled + count].copy_from_slice(now);
        self.filled += count;
        *input = later;
        self.filled >= wanted
    }

    fn received(&self, length: usize) -> Received {
        let p = &self.prefix;
        let stamp = if length < PREFIX {
            0
        } else {
            u64::from_be_bytes([p[13], p[14], p[15], p[16], p[17], p[18], p[19], p[20]])
        };
        Received {
            id: u32::from_be_bytes([p[1], p[2], p[3], p[4]]),
            length,
            code: i16::from_be_bytes([p[11], p[12]]),
            stamp,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stream(bodies: &[usize]) -> Vec<u8> {
        let mut bytes = Vec::new();
        for (at, body) in bodies.iter().enumerate() {
            RequestTemplate::new(*body).append(at as u32 + 7, at as u64 + 100, &mut bytes);
        }
        bytes
    }

    #[test]
    fn a_request_has_the_documented_layout() {
        let mut bytes = Vec::new();
        RequestTemplate::new(2).append(0x0102_0304, 9, &mut bytes);
        assert_eq!(bytes, [0, 1, 2, 3, 4, 0, 0, 0, 15, 0, 1, 0, 0, b'a', b'b']);
    }

    #[test]
    fn frames_are_found_at_every_split_point() {
        let bytes = stream(&[0, 7, 8, 128]);
        for split in 0..=bytes.len() {
            let mut reader = FrameReader::new();
            let mut found = Vec::new();
            for mut part in [&bytes[..split], &bytes[split..]] {
                while let Some(frame) = reader.next(&mut part).unwrap() {
                    found.push(frame);
                }
                assert!(part.is_empty());
            }
            let expect = |id, length, stamp| Received { id, length, code: 0, stamp };
            let all =
                [expect(7, 13, 0), expect(8, 20, 0), expect(9, 21, 102), expect(10, 141, 103)];
            assert_eq!(found, all, "split at {split}");
        }
    }

    #[test]
    fn one_byte_at_a_time_finds_the_same_frames() {
        let bytes = stream(&[40, 0, 300]);
        let mut reader = FrameReader::new();
        let mut ids = Vec::new();
        for byte in &bytes {
            let mut input = std::slice::from_ref(byte);
            ids.extend(reader.next(&mut input).unwrap().map(|frame| frame.id));
        }
        assert_eq!(ids, [7, 8, 9]);
    }

    #[test]
    fn impossible_lengths_are_refused() {
        for length in [0, 12, u32::MAX] {
            let mut bytes = stream(&[0]);
            bytes[5..9].copy_from_slice(&length.to_be_bytes());
            assert_eq!(FrameReader::new().next(&mut &bytes[..]), Err(BadLength(length)));
            assert_eq!(whole_frames(&bytes), Err(BadLength(length)));
        }
    }

    #[test]
    fn whole_frames_stop_before_a_partial_one() {
        let bytes = stream(&[5, 128]);
        assert_eq!(whole_frames(&bytes), Ok(18 + 141));
        assert_eq!(whole_frames(&bytes[..bytes.len() - 1]), Ok(18));
        assert_eq!(whole_frames(&bytes[..20]), Ok(18));
        assert_eq!(whole_frames(&bytes[..17]), Ok(0));
        assert_eq!(whole_frames(&[]), Ok(0));
    }
}
