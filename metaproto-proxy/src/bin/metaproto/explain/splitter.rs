//! The bytes of one direction of a connection, cut into frames.

use std::io::Write;

use bytes::BytesMut;
use metaproto_core::{Codec, CodecContext, FrameLength, Limits, Metadata, Protocol, Side};

use super::report::{Origin, Report, Stop};

/// The longest frame that is put together, in bytes.
const LONGEST: usize = 64 << 20;

/// Cuts a direction into frames, as its codec says.
pub(super) struct Splitter {
    codec: Box<dyn Codec>,
    side: Side,
    metadata: Metadata,
    /// What has arrived of the frame that is being collected.
    pending: BytesMut,
    /// Before so many bytes are pending there is nothing new to be told.
    need: usize,
    /// The length of that frame, once it is known.
    length: Option<usize>,
    /// Bytes to come that belong to a frame with a gap.
    skip: u64,
    /// Where the pending bytes begin in the direction.
    at: u64,
    /// Bytes after the point where frames could not be told apart any longer.
    lost: Option<u64>,
}

impl Splitter {
    pub(super) fn new(protocol: &dyn Protocol, side: Side) -> Self {
        Splitter {
            codec: codec(protocol, side),
            side,
            metadata: Metadata::new(),
            pending: BytesMut::new(),
            need: 1,
            length: None,
            skip: 0,
            at: 0,
            lost: None,
        }
    }

    /// Takes the next bytes of the direction; prints the frames that they complete.
    pub(super) fn push<W: Write>(
        &mut self,
        bytes: &[u8],
        origin: Origin<'_>,
        report: &mut Report<W>,
    ) -> Result<(), Stop> {
        if let Some(lost) = &mut self.lost {
            *lost = lost.saturating_add(bytes.len() as u64);
            return Ok(());
        }
        let skipped = usize::try_from(self.skip).unwrap_or(usize::MAX).min(bytes.len());
        self.skip -= skipped as u64;
        self.at += skipped as u64;
        self.pending.extend_from_slice(bytes.get(skipped..).unwrap_or_default());
        while self.lost.is_none() && !self.pending.is_empty() && self.pending.len() >= self.need {
            self.step(origin, report)?;
        }
        Ok(())
    }

    /// Prints a frame, or learns what it takes to.
    fn step<W: Write>(&mut self, origin: Origin<'_>, report: &mut Report<W>) -> Result<(), Stop> {
        if let Some(length) = self.length {
            let frame = self.pending.split_to(length.min(self.pending.len())).freeze();
            (self.length, self.need) = (None, 1);
            // For what the codec remembers of it; what is wrong with the frame is explained.
            self.metadata.clear();
            let _ = self.codec.decode(frame.clone(), &mut self.metadata);
            let at = self.at;
            self.at += frame.len() as u64;
            return report.frame(origin, at, &frame);
        }
        match self.codec.frame_length(&self.pending) {
            Ok(FrameLength::Known(length)) if (1..=LONGEST).contains(&length) => {
                (self.length, self.need) = (Some(length), length);
                Ok(())
            }
            Ok(FrameLength::Need(need)) if need > self.pending.len() && need <= LONGEST => {
                self.need = need;
                Ok(())
            }
            Ok(FrameLength::Known(length) | FrameLength::Need(length)) => {
                let why = format!("a length of {length} bytes can't be right or is over {LONGEST}");
                self.lose(&why, origin, report)
            }
            // The explanation of the frame says why.
            Err(_) => self.lose("these bytes do not begin a frame", origin, report),
        }
    }

    /// So many bytes are missing before the next ones.
    pub(super) fn gap<W: Write>(
        &mut self,
        missing: u64,
        origin: Origin<'_>,
        report: &mut Report<W>,
    ) -> Result<(), Stop> {
        let left = match self.length {
            Some(length) => length.saturating_sub(self.pending.len()) as u64,
            None => self.skip,
        };
        let begun = self.length.is_some() || self.skip > 0;
        self.incomplete(origin, report)?;
        let at = self.at;
        self.at = at.saturating_add(missing);
        if self.lost.is_some() {
            return Ok(());
        }
        self.skip = left.saturating_sub(missing);
        let then = match begun && left >= missing {
            true => "in a frame whose length is known: the next one can be found",
            false => "the next frame is taken to begin behind them, which is a guess",
        };
        let about = origin.about;
        report.remark(&format!("{missing} bytes at {at} are missing, {then}{about}"))
    }

    /// No more bytes will come.
    pub(super) fn finish<W: Write>(
        &mut self,
        origin: Origin<'_>,
        report: &mut Report<W>,
    ) -> Result<(), Stop> {
        self.incomplete(origin, report)?;
        match self.lost {
            Some(lost) if lost > 0 => {
                let about = origin.about;
                report.remark(&format!("{lost} bytes behind a lost frame are left out{about}"))
            }
            _ => Ok(()),
        }
    }

    /// Prints what there is of a frame, and forgets it.
    fn incomplete<W: Write>(
        &mut self,
        origin: Origin<'_>,
        report: &mut Report<W>,
    ) -> Result<(), Stop> {
        if self.pending.is_empty() {
            return Ok(());
        }
        let begun = self.pending.split();
        let at = self.at;
        self.at += begun.len() as u64;
        (self.length, self.need) = (None, 1);
        // The old one may be in the middle of a scan.
        self.codec = codec(report.protocol(), self.side);
        report.part(origin, at, &begun)
    }

    fn lose<W: Write>(
        &mut self,
        why: &str,
        origin: Origin<'_>,
        report: &mut Report<W>,
    ) -> Result<(), Stop> {
        let at = self.at;
        self.lost = Some(0);
        self.incomplete(origin, report)?;
        let about = origin.about;
        report.remark(&format!("frames can't be told apart from byte {at} on: {why}{about}"))
    }
}

fn codec(protocol: &dyn Protocol, side: Side) -> Box<dyn Codec> {
    protocol.codec(&CodecContext::new(side, Limits::max_frame(LONGEST)))
}
