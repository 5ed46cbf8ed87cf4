//! The engine's loop without the engine: the one place that turns bytes into frames.

use crate::conformance::facts::Facts;
use crate::conformance::report::{Breach, Law, Verdict};
use crate::conformance::subject::Subject;
use crate::{Bytes, BytesMut, DecodeError, FrameLength, Metadata};

/// What the bytes so far amount to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Next {
    /// No whole frame; more bytes are needed.
    Starved,
    /// A whole frame.
    Frame(Bytes),
    /// The frame is longer than allowed; the engine ends the connection.
    TooLarge,
    /// Framing is lost; the engine ends the connection.
    Lost(DecodeError),
}

/// Collects bytes of one direction and cuts frames from them.
#[derive(Debug)]
pub(super) struct Drive {
    buffer: BytesMut,
    /// No verdict is to be expected before so many bytes.
    need: usize,
    known: Option<usize>,
    max_frame: usize,
    /// Where the frame at the front starts in the stream.
    pub(super) position: usize,
}

impl Drive {
    pub(super) fn new(max_frame: usize) -> Self {
        Drive { buffer: BytesMut::new(), need: 1, known: None, max_frame, position: 0 }
    }

    pub(super) fn push(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// The bytes that the frame at the front still lacks, if its length is known.
    pub(super) fn lacks(&self) -> Option<usize> {
        self.known.map(|total| total.saturating_sub(self.buffer.len()))
    }

    /// Asks the codec for the length of the frame at the front, if need be, and cuts the frame off
    /// if it is whole. Every frame has a byte, so calling it until it starves comes to an end.
    pub(super) fn next(&mut self, subject: &mut Subject) -> Verdict<Next> {
        let there = self.buffer.len();
        if self.known.is_none() && there >= self.need {
            match subject.frame_length(&self.buffer).map_err(|b| self.located(b))? {
                Err(error) => return Ok(Next::Lost(error)),
                Ok(FrameLength::Known(0)) => return Err(self.located(zero())),
                Ok(FrameLength::Need(need)) if need <= there => {
                    return Err(self.located(no_progress(need, there)));
                }
                Ok(FrameLength::Known(n) | FrameLength::Need(n)) if n > self.max_frame => {
                    return Ok(Next::TooLarge);
                }
                Ok(FrameLength::Need(need)) => self.need = need,
                Ok(FrameLength::Known(total)) => self.known = Some(total),
            }
        }
        match self.known {
            Some(total) if total <= there => {
                self.known = None;
                self.need = 1;
                self.position = self.position.saturating_add(total);
                Ok(Next::Frame(self.buffer.split_to(total).freeze()))
            }
            _ => Ok(Next::Starved),
        }
    }

    fn located(&self, breach: Breach) -> Breach {
        let in_frame = breach.offset.unwrap_or(self.buffer.len());
        Breach { offset: Some(self.position.saturating_add(in_frame)), ..breach }
    }
}

pub(super) fn zero() -> Breach {
    Breach::new(Law::ZeroLength, "Known of one byte or more, or an error", "Known(0)")
}

pub(super) fn no_progress(need: usize, there: usize) -> Breach {
    let expected = format!("Need of more than the {there} bytes that are there");
    Breach::new(Law::Progress, expected, format!("Need({need})"))
}

/// The sizes of chunks that a stream comes in.
#[derive(Debug, Clone, Copy)]
pub(super) enum Chunks {
    Whole,
    Of(usize),
    /// Sizes of 1 to 97, different for each seed.
    Random(u64),
}

impl Chunks {
    pub(super) fn cut(self, mut stream: &[u8]) -> impl Iterator<Item = &[u8]> {
        let mut random = Random::new(match self {
            Chunks::Random(seed) => seed,
            Chunks::Whole | Chunks::Of(_) => 0,
        });
        std::iter::from_fn(move || {
            let size = match self {
                Chunks::Whole => usize::MAX,
                Chunks::Of(size) => size,
                Chunks::Random(_) => random.below(97).saturating_add(1),
            };
            let (chunk, rest) = stream.split_at_checked(size).unwrap_or((stream, &[]));
            stream = rest;
            (!chunk.is_empty()).then_some(chunk)
        })
    }
}

/// What became of one frame.
pub(super) type Cut = (Bytes, Result<Facts, DecodeError>);

/// What became of a stream.
pub(super) struct Outcome {
    pub(super) frames: Vec<Cut>,
    pub(super) end: Next,
}

/// Drives a whole stream through a codec as the engine does, with one metadata reused, and tells
/// the frames and how it ended.
pub(super) fn cut(
    subject: &mut Subject,
    stream: &[u8],
    chunks: Chunks,
    max_frame: usize,
) -> Verdict<Outcome> {
    let mut drive = Drive::new(max_frame);
    let mut frames = Vec::new();
    let mut metadata = Metadata::new();
    for chunk in chunks.cut(stream) {
        drive.push(chunk);
        loop {
            let position = drive.position;
            let frame = match drive.next(subject)? {
                Next::Frame(frame) => frame,
                Next::Starved => break,
                end => return Ok(Outcome { frames, end }),
            };
            metadata.clear();
            let decoded = subject.decode(frame.clone(), &mut metadata);
            let decoded = decoded.map_err(|breach| breach.at(position))?;
            frames.push((frame, decoded.map(|()| Facts::of(&metadata))));
        }
    }
    Ok(Outcome { frames, end: Next::Starved })
}

/// Reads exactly one frame that a codec has written.
pub(super) fn read_one(subject: &mut Subject, bytes: &Bytes, law: Law) -> Verdict<Metadata> {
    let wrong = |found: String| Breach::new(law, "exactly one frame that can be read", found);
    match subject.frame_length(bytes)? {
        Ok(FrameLength::Known(total)) if total == bytes.len() => {}
        other => {
            let found = format!("{} bytes written, whose length reads as {other:?}", bytes.len());
            return Err(wrong(found));
        }
    }
    let mut metadata = Metadata::new();
    match subject.decode(bytes.clone(), &mut metadata)? {
        Ok(()) => Ok(metadata),
        Err(error) => Err(wrong(format!("what was written does not decode: {error}"))),
    }
}

/// Numbers that look random and are the same on every run (xorshift).
#[derive(Debug, Clone)]
pub(super) struct Random(u64);

impl Random {
    pub(super) fn new(seed: u64) -> Self {
        Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub(super) fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    pub(super) fn below(&mut self, bound: usize) -> usize {
        (self.next() % (bound.max(1) as u64)) as usize
    }

    pub(super) fn bytes(&mut self, len: usize) -> Vec<u8> {
        (0..len).map(|_| self.next() as u8).collect()
    }
}
