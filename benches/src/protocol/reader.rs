//! Finds frames in a stream.

use super::{Template, Wire, length_of, number_at};

/// What is kept of a frame that went by.
#[derive(Debug, PartialEq, Eq)]
pub struct Received<'a> {
    /// The correlation id's last four bytes.
    pub id: u32,
    /// Total length in bytes.
    pub length: usize,
    /// The front of the frame, as long as the expected frame's [`Template::prefix`] if it is not
    /// shorter itself.
    pub prefix: &'a [u8],
}

/// Bytes that can't be a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoFrame;

/// Finds the frames in a stream without keeping their bodies.
#[derive(Debug)]
pub struct FrameReader {
    wire: &'static dyn Wire,
    id_at: usize,
    kept: usize,
    prefix: Vec<u8>,
    skipped: usize,
}

impl FrameReader {
    /// A reader at the start of a frame, where frames like `expected` should come.
    pub fn new(wire: &'static dyn Wire, expected: &Template) -> Self {
        let kept = expected.prefix().max(wire.header());
        FrameReader { wire, id_at: expected.id_at(), kept, prefix: Vec::new(), skipped: 0 }
    }

    /// Takes the next whole frame off `input`, or all of `input` if the frame goes on.
    ///
    /// After an error the stream has no meaning any more.
    pub fn next(&mut self, input: &mut &[u8]) -> Result<Option<Received<'_>>, NoFrame> {
        if !self.fill(self.wire.header(), input) {
            return Ok(None);
        }
        let header = self.prefix.get(..self.wire.header()).ok_or(NoFrame)?;
        let length = length_of(self.wire, header).ok_or(NoFrame)?;
        let kept = length.min(self.kept);
        if !self.fill(kept, input) {
            return Ok(None);
        }
        let rest = length - kept - self.skipped;
        let here = rest.min(input.len());
        *input = &input[here..];
        self.skipped += here;
        if here < rest {
            return Ok(None);
        }
        Ok(Some(Received { id: number_at(&self.prefix, self.id_at), length, prefix: &self.prefix }))
    }

    /// Forgets the frame that [`next`](Self::next) gave.
    pub fn advance(&mut self) {
        self.prefix.clear();
        self.skipped = 0;
    }

    /// Copies from `input` until `wanted` bytes of the prefix are there. True when they are.
    fn fill(&mut self, wanted: usize, input: &mut &[u8]) -> bool {
        let count = wanted.saturating_sub(self.prefix.len()).min(input.len());
        let (now, later) = input.split_at(count);
        self.prefix.extend_from_slice(now);
        *input = later;
        self.prefix.len() >= wanted
    }
}

#[cfg(test)]
mod tests {
    use clap::ValueEnum;

    use super::super::Protocol;
    use super::*;

    const BODIES: [usize; 4] = [0, 7, 40, 70_000];

    /// Ids and lengths.
    type Frames = Vec<(u32, usize)>;

    fn stream(wire: &dyn Wire) -> (Vec<u8>, Frames) {
        let (mut bytes, mut frames) = (Vec::new(), Vec::new());
        for (id, body) in (7..).zip(BODIES) {
            let template = Template::response(wire, body);
            template.append(id, 1, &mut bytes);
            frames.push((id, template.size()));
        }
        (bytes, frames)
    }

    fn read(reader: &mut FrameReader, mut part: &[u8], found: &mut Frames) {
        while let Some(frame) = reader.next(&mut part).unwrap() {
            found.push((frame.id, frame.length));
            reader.advance();
        }
        assert!(part.is_empty());
    }

    #[test]
    fn frames_are_found_at_every_split_point() {
        for protocol in Protocol::value_variants() {
            let wire = protocol.wire();
            let expected = Template::response(wire, 40);
            let (bytes, frames) = stream(wire);
            for split in (0..600).chain([bytes.len() - 1, bytes.len()]) {
                let mut reader = FrameReader::new(wire, &expected);
                let mut found = Vec::new();
                read(&mut reader, &bytes[..split], &mut found);
                read(&mut reader, &bytes[split..], &mut found);
                assert_eq!(found, frames, "{protocol}, split at {split}");
            }
        }
    }

    #[test]
    fn one_byte_at_a_time_finds_the_same_frames() {
        for protocol in Protocol::value_variants() {
            let wire = protocol.wire();
            let (bytes, frames) = stream(wire);
            let mut reader = FrameReader::new(wire, &Template::response(wire, 40));
            let mut found = Vec::new();
            bytes.chunks(1).for_each(|byte| read(&mut reader, byte, &mut found));
            assert_eq!(found, frames, "{protocol}");
        }
    }

    #[test]
    fn what_is_no_frame_is_an_error() {
        for protocol in Protocol::value_variants() {
            let wire = protocol.wire();
            let mut reader = FrameReader::new(wire, &Template::response(wire, 40));
            assert_eq!(reader.next(&mut &[0xff; 64][..]), Err(NoFrame), "{protocol}");
        }
    }
}
