//! Frames must come out the same however the bytes come in.

use crate::conformance::Rig;
use crate::conformance::decoding::decode_fresh;
use crate::conformance::drive::{
    Chunks, Cut, Drive, Next, Outcome, Random, cut, no_progress, zero,
};
use crate::conformance::facts::Facts;
use crate::conformance::report::{Breach, Journal, Law, Verdict};
use crate::conformance::samples::Sample;
use crate::conformance::subject::Subject;
use crate::{FrameLength, Side};

/// Frames up to this size are split at every pair of places.
const PAIRS_MAX: usize = 96;

pub(super) fn check(rig: &Rig<'_>, sample: &Sample, journal: &mut Journal) {
    let frame = &sample.frame;
    for split in places(frame.len()) {
        journal.case(Law::Length, &sample.name, split_in_two(rig, sample, split));
    }
    if frame.len() <= PAIRS_MAX {
        for second in 1..frame.len() {
            for first in 1..second {
                let verdict = feed(&mut rig.subject(sample.side), frame, &[first, second]);
                journal.case(Law::Length, &sample.name, verdict);
            }
        }
    }
    let every_byte: Vec<_> = (1..=frame.len()).collect();
    let verdict = feed(&mut rig.subject(sample.side), frame, &every_byte);
    journal.case(Law::Length, &sample.name, verdict);
    for tail in tails(frame) {
        journal.case(Law::Length, &sample.name, followed_by(rig, sample, &tail));
    }
    journal.case(Law::Chunking, &sample.name, byte_by_byte(rig, sample));
}

/// All places in a short frame; in a long one the start, the end and a spread between.
pub(super) fn places(len: usize) -> impl Iterator<Item = usize> {
    let spread = (512 / thinning(len)).max(16);
    let step = (len / spread).max(1);
    (1..=len).filter(move |at| *at <= 512 || len - at < 16 || at % step == 0)
}

/// One in how many cases a long frame is tried with, so that all frames take about as long. Odd, so
/// that no case of a table is left out on every line.
pub(super) fn thinning(len: usize) -> usize {
    (len / (8 << 10)) | 1
}

/// Whether a verdict on the first `there` bytes of a frame of `total` bytes is right. Yields
/// whether the length is known.
fn judge(verdict: FrameLength, there: usize, total: usize) -> Verdict<bool> {
    let found = format!("{verdict:?} after {there} bytes");
    match verdict {
        FrameLength::Known(0) => Err(zero().at(there)),
        FrameLength::Known(length) if length == total => Ok(true),
        FrameLength::Known(_) => {
            Err(Breach::new(Law::Length, format!("Known({total}), or Need"), found).at(there))
        }
        FrameLength::Need(need) if need <= there => Err(no_progress(need, there).at(there)),
        FrameLength::Need(need) if need <= total => Ok(false),
        FrameLength::Need(_) => {
            let expected = format!("no more asked for than the {total} bytes of the frame");
            Err(Breach::new(Law::Length, expected, found).at(there))
        }
    }
}

/// Asks for the length as soon as the bytes up to each of `places` have come, and then of the whole.
fn feed(subject: &mut Subject, frame: &[u8], places: &[usize]) -> Verdict {
    for there in places.iter().copied().chain([frame.len()]) {
        let head = frame.get(..there).unwrap_or(frame);
        match subject.frame_length(head)? {
            Ok(length) if judge(length, there, frame.len())? => return Ok(()),
            Ok(_) => {}
            Err(error) => {
                let found = format!("after {there} bytes: {error}");
                return Err(
                    Breach::new(Law::Length, "no error: the frame is valid", found).at(there)
                );
            }
        }
    }
    Ok(())
}

fn split_in_two(rig: &Rig<'_>, sample: &Sample, split: usize) -> Verdict {
    feed(&mut rig.subject(sample.side), &sample.frame, &[split])
}

/// What may stand behind a frame without making a difference.
fn tails(frame: &[u8]) -> [Vec<u8>; 4] {
    [frame.to_vec(), vec![0; 64], vec![0xff; 64], Random::new(1).bytes(64)]
}

fn followed_by(rig: &Rig<'_>, sample: &Sample, tail: &[u8]) -> Verdict {
    let total = sample.frame.len();
    let both = [&sample.frame[..], tail].concat();
    match rig.subject(sample.side).frame_length(&both)? {
        Ok(FrameLength::Known(length)) if length == total => Ok(()),
        other => {
            let expected = format!("Known({total}), whatever follows the frame");
            Err(Breach::new(Law::Length, expected, format!("{other:?}")).at(total))
        }
    }
}

/// The engine's loop with one byte in every read must give the frame at its last byte, not before.
fn byte_by_byte(rig: &Rig<'_>, sample: &Sample) -> Verdict {
    let mut subject = rig.subject(sample.side);
    let mut drive = Drive::new(usize::MAX);
    for (at, byte) in sample.frame.iter().enumerate() {
        drive.push(std::slice::from_ref(byte));
        let last = at + 1 == sample.frame.len();
        match drive.next(&mut subject)? {
            Next::Starved if !last => {}
            Next::Frame(frame) if last && frame == sample.frame => return Ok(()),
            other => {
                let expected = "the frame with its last byte, and nothing before";
                return Err(Breach::new(Law::Chunking, expected, format!("{other:?}")).at(at));
            }
        }
    }
    Ok(())
}

/// Many frames on one connection: cut and read the same whatever the chunks, and as if each had
/// come alone.
pub(super) fn check_streams(rig: &Rig<'_>, journal: &mut Journal) {
    for side in [Side::Downstream, Side::Upstream] {
        let of_side = || rig.samples.list.iter().filter(|sample| sample.side == side);
        let order: Vec<_> = of_side().chain(of_side().rev()).chain(of_side()).collect();
        let alone: Option<Vec<_>> = order.iter().map(|sample| alone(rig, sample)).collect();
        // A sample that can't be read alone has been reported already.
        let Some(alone) = alone.filter(|alone| !alone.is_empty()) else { continue };
        let stream: Vec<u8> = order.iter().flat_map(|s| s.frame.iter().copied()).collect();
        let name = format!("all samples of the {side:?} side in one stream");
        for chunks in chunkings(stream.len()) {
            let verdict = same_as_alone(rig, side, &stream, chunks, &alone);
            let verdict = verdict.map_err(|b| b.while_trying(&format!("chunks: {chunks:?}")));
            journal.case(Law::Chunking, &name, verdict);
        }
    }
}

fn alone(rig: &Rig<'_>, sample: &Sample) -> Option<Cut> {
    let metadata = decode_fresh(rig, sample).ok()?;
    Some((sample.frame.clone(), Ok(Facts::of(&metadata))))
}

fn chunkings(len: usize) -> impl Iterator<Item = Chunks> {
    let smallest = if len > 256 << 10 { 64 } else { 1 };
    let sizes = [1, 2, 3, 5, 7, 13, 64, 1000, 4096].into_iter().filter(move |s| *s >= smallest);
    let random = (1..=4).map(Chunks::Random);
    [Chunks::Whole].into_iter().chain(sizes.map(Chunks::Of)).chain(random)
}

fn same_as_alone(
    rig: &Rig<'_>,
    side: Side,
    stream: &[u8],
    chunks: Chunks,
    alone: &[Cut],
) -> Verdict {
    let Outcome { frames, end } = cut(&mut rig.subject(side), stream, chunks, usize::MAX)?;
    let mut position = 0;
    for ((frame, facts), (expected_frame, expected_facts)) in frames.iter().zip(alone) {
        if frame != expected_frame {
            let expected = format!("a frame of {} bytes", expected_frame.len());
            let found = format!("one of {} bytes, or other bytes", frame.len());
            return Err(Breach::new(Law::Chunking, expected, found).at(position));
        }
        match (facts, expected_facts) {
            (Ok(facts), Ok(expected)) => {
                let same = facts.expect(expected, Law::Independence);
                same.map_err(|breach| breach.at(position))?;
            }
            (other, _) => {
                let found = format!("{other:?}");
                let expected = "the message reads as it does alone";
                return Err(Breach::new(Law::Independence, expected, found).at(position));
            }
        }
        position += frame.len();
    }
    if frames.len() == alone.len() && end == Next::Starved {
        return Ok(());
    }
    let expected = format!("{} frames and nothing left", alone.len());
    let found = format!("{} frames, then {end:?}", frames.len());
    Err(Breach::new(Law::Chunking, expected, found).at(position))
}
