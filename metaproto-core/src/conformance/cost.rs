//! Bytes that trickle in must cost as much as bytes that come at once.
//!
//! Time is no proof in a test, so work is judged by what the codec can and does look at. The sum of
//! the lengths of all heads that `frame_length` is handed while bytes come one by one bounds what it
//! can have read: if that sum is linear in the stream, so is the work, and nothing more is to prove.
//! A codec that asks for one byte after the other (a scan for a terminator) exceeds the sum, and must
//! show that it keeps the state of its scan: some of its calls are repeated with bytes changed that
//! it has seen in earlier calls. A codec that remembers gives the same verdict; one that starts from
//! the front again sees the changed bytes and stumbles. A few calls may look back (a header that is
//! complete is read once as a whole); if it is many, the cost is quadratic.
//!
//! Reads that never influence a verdict are not noticed.

use crate::conformance::Rig;
use crate::conformance::report::{Breach, Journal, Law, Verdict};
use crate::conformance::samples::Sample;
use crate::conformance::subject::Subject;
use crate::{FrameLength, Side};

/// How often one byte of a sample is repeated, so that short samples tell of long frames too.
const STRETCH: usize = 1024;
/// The first and last bytes of what was seen that a codec may look at again: a fixed header, the
/// start of a terminator.
const MARGIN: usize = 64;
/// How many calls are repeated with changed bytes.
const PROBES: usize = 16;
/// The most bytes of a stream that are fed one by one.
const TRICKLE_MAX: usize = 8 << 10;

pub(super) fn check(rig: &Rig<'_>, sample: &Sample, journal: &mut Journal) {
    let frame = &sample.frame[..];
    let mut streams = vec![frame.to_vec()];
    for quarter in 1..=4 {
        let at = (frame.len().saturating_sub(1)) * quarter / 4;
        let repeated = frame.get(at.saturating_sub(1)).copied().unwrap_or_default();
        let mut stream = frame.get(..at).unwrap_or_default().to_vec();
        stream.resize(stream.len() + STRETCH, repeated);
        streams.push(stream);
    }
    for mut stream in streams {
        stream.truncate(TRICKLE_MAX);
        let verdict = linear(rig, sample.side, &stream, frame);
        let broken = verdict.is_err();
        journal.case(Law::LinearCost, &sample.name, verdict);
        if broken {
            break;
        }
    }
}

/// One call of `frame_length`: how many bytes it was handed, and what it said.
type Call = (usize, FrameLength);

/// Feeds byte by byte, calling as the engine does, until the length is known or the bytes are not a
/// frame (as stretched ones may well be).
fn trickle(subject: &mut Subject, stream: &[u8]) -> Verdict<Vec<Call>> {
    let mut calls = Vec::new();
    let mut need = 1;
    while let Some(head) = stream.get(..need).filter(|head| !head.is_empty()) {
        let Ok(verdict) = subject.frame_length(head)? else { break };
        calls.push((need, verdict));
        match verdict {
            FrameLength::Need(next) if next > need => need = next,
            _ => break,
        }
    }
    Ok(calls)
}

fn linear(rig: &Rig<'_>, side: Side, stream: &[u8], frame: &[u8]) -> Verdict {
    let calls = trickle(&mut rig.subject(side), stream)?;
    let handed: usize = calls.iter().map(|(there, _)| there).sum();
    if handed <= stream.len() * 4 + (8 << 10) {
        return Ok(());
    }
    let late: Vec<_> = (1..calls.len())
        .filter(|i| calls.get(i - 1).is_some_and(|(seen, _)| *seen > 4 * MARGIN))
        .collect();
    let probed = late.iter().copied().step_by((late.len() / PROBES).max(1));
    let mut looked_back = Vec::new();
    let mut tried = 0;
    for index in probed {
        tried += 1;
        let verdict = looks_back(rig, side, stream, frame, calls.get(..=index).unwrap_or(&calls))?;
        looked_back.extend(verdict.map(|found| (index, found)));
    }
    match looked_back.first() {
        Some((index, found)) if looked_back.len() > tried / 4 + 1 => {
            let at = calls.get(*index).map_or(0, |(there, _)| *there);
            let found = format!("{} of {tried} calls depend on them: {found}", looked_back.len());
            let expected = "verdicts that do not depend on bytes seen in earlier calls";
            Err(Breach::new(Law::LinearCost, expected, found).at(at))
        }
        _ => Ok(()),
    }
}

/// Repeats `calls`, the last one with bytes changed that the calls before have seen. Yields what the
/// codec then says, if it is something else.
fn looks_back(
    rig: &Rig<'_>,
    side: Side,
    stream: &[u8],
    frame: &[u8],
    calls: &[Call],
) -> Verdict<Option<String>> {
    let [before @ .., (there, said)] = calls else { return Ok(None) };
    let seen = before.last().map_or(0, |(seen, _)| *seen);
    let old = MARGIN..seen.saturating_sub(MARGIN);
    for pattern in patterns(frame) {
        let mut subject = rig.subject(side);
        for (there, _) in before {
            let _ = subject.frame_length(stream.get(..*there).unwrap_or(stream))?;
        }
        let mut head = stream.get(..*there).unwrap_or(stream).to_vec();
        let seen_bytes = head.get_mut(old.clone()).unwrap_or_default();
        for (byte, other) in seen_bytes.iter_mut().zip(pattern.iter().cycle()) {
            *byte = *other;
        }
        let says = subject.frame_length(&head)?;
        if says.as_ref() != Ok(said) {
            return Ok(Some(format!("{says:?} instead of {said:?}")));
        }
    }
    Ok(None)
}

/// What a scan from the front would stumble over: the ends of the frame, which terminators are, and
/// extremes, which lengths are.
fn patterns(frame: &[u8]) -> impl Iterator<Item = Vec<u8>> {
    let ends = [1, 2, 3, 4, 8].map(|n| frame.get(frame.len().saturating_sub(n)..));
    let ends = ends.into_iter().flatten().map(<[u8]>::to_vec);
    ends.chain([vec![0xff], vec![0]])
}
