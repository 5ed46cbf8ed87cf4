//! Frames that were valid once: cut off, with lengths that lie, with flipped bits; and garbage.

use std::time::Duration;

use crate::conformance::Rig;
use crate::conformance::decoding::{decode_fresh, sane};
use crate::conformance::drive::{Chunks, Random};
use crate::conformance::examine::examine;
use crate::conformance::framing::{places, thinning};
use crate::conformance::report::{Journal, Law, Verdict};
use crate::conformance::samples::Sample;
use crate::{Error, ErrorKind, MessageKind, Metadata, Mutation, RequestHead, Side};

/// Places in a header at which lengths are written.
const LENGTHS_MAX: usize = 64;
/// Bytes of a frame of which every bit is flipped; behind them only a few.
const FLIPS_MAX: usize = 256;

pub(super) fn check(rig: &Rig<'_>, sample: &Sample, journal: &mut Journal) {
    let header = decode_fresh(rig, sample).map_or(sample.frame.len(), |m| m.header_size);
    for len in places(sample.frame.len()).chain([0]) {
        let verdict = truncated(rig, sample, len).map_err(|breach| breach.at(len));
        journal.case(Law::NoPanic, &sample.name, verdict);
    }
    let places = 0..header.min(sample.frame.len()).min(LENGTHS_MAX);
    let values = lengths(sample.frame.len());
    let lies = places.flat_map(|at| values.iter().map(move |value| (at, value.clone())));
    let flips = flips(sample.frame.len()).map(|(at, bit)| {
        let flipped = sample.frame.get(at).map_or(0, |byte| byte ^ (1 << bit));
        (at, vec![flipped])
    });
    for (at, bytes) in lies.chain(flips).step_by(thinning(sample.frame.len())) {
        let verdict = with_bytes(rig, sample, at, &bytes);
        let what = || format!("the sample with the bytes {bytes:02x?} at {at}");
        let verdict = verdict.map_err(|breach| breach.while_trying(&what()));
        journal.case(Law::NoPanic, &sample.name, verdict);
    }
}

/// A decode never gets a part of a frame from the engine. It must not panic on one either, as a
/// frame may well end inside a field.
fn truncated(rig: &Rig<'_>, sample: &Sample, len: usize) -> Verdict {
    let part = sample.frame.slice(..len);
    for asked in [true, false] {
        let mut subject = rig.subject(sample.side);
        if asked && len > 0 {
            let _ = subject.frame_length(&part)?;
        }
        let mut metadata = Metadata::new();
        if subject.decode(part.clone(), &mut metadata)?.is_ok() {
            sane(&metadata, &part)?;
        }
        let error = Error::new(ErrorKind::BadRequest, "cut off");
        let _ = subject.on_error(&RequestHead::of(&metadata), &error)?;
    }
    let mut subject = rig.subject(sample.side);
    let _ = subject.peek_request(&part)?;
    let _ = subject.patch_request_id(&mut part.to_vec(), 1)?;
    let _ = subject.set_deadline(&mut part.to_vec(), Duration::from_secs(1))?;
    for id in [Some(1), Some(u64::MAX), None] {
        let head = RequestHead::peeked(MessageKind::Request, id, &part);
        let _ = subject.on_error(&head, &Error::new(ErrorKind::FrameTooLarge, "large"))?;
    }
    Ok(())
}

/// What a hostile length field may hold, in all widths and both byte orders.
fn lengths(frame: usize) -> Vec<Vec<u8>> {
    let mut all = Vec::new();
    for width in [1_usize, 2, 3, 4, 8] {
        let max = u64::MAX >> (64 - 8 * width);
        let near = frame as u64;
        let values = [0, 1, max, max - 1, max / 2, max / 2 + 1, near - 1, near, near + 1];
        for value in values.into_iter().filter(|value| *value <= max) {
            let (be, le) = (value.to_be_bytes(), value.to_le_bytes());
            all.extend([be[8 - width..].to_vec(), le[..width].to_vec()]);
        }
    }
    all.sort();
    all.dedup();
    all
}

fn flips(len: usize) -> impl Iterator<Item = (usize, u8)> {
    let step = (len / 128).max(1);
    let all = (0..len.min(FLIPS_MAX)).flat_map(|at| (0..8).map(move |bit| (at, bit)));
    all.chain((FLIPS_MAX..len).step_by(step).map(|at| (at, (at % 8) as u8)))
}

/// The sample with other bytes at a place, and the sample as it is behind it: a codec that gets the
/// length wrong reads on in the middle of it.
fn with_bytes(rig: &Rig<'_>, sample: &Sample, at: usize, bytes: &[u8]) -> Verdict {
    let mut stream = sample.frame.to_vec();
    for (place, byte) in stream.iter_mut().skip(at).zip(bytes) {
        *place = *byte;
    }
    if stream == sample.frame {
        return Ok(());
    }
    stream.extend_from_slice(&sample.frame);
    examine(rig, sample.side, &stream, Chunks::Whole).map(drop)
}

/// Bytes that were never valid, and calls with nothing in them.
pub(super) fn check_garbage(rig: &Rig<'_>, journal: &mut Journal) {
    let mut random = Random::new(42);
    let printable = |bytes: Vec<u8>| bytes.into_iter().map(|byte| byte % 95 + 32).collect();
    let mut streams: Vec<Vec<u8>> = vec![vec![0; 512], vec![0xff; 512], vec![b'\n'; 512]];
    streams.extend((0..64).map(|_| random.bytes(256)));
    streams.extend((0..16).map(|_| printable(random.bytes(256))));
    for side in [Side::Downstream, Side::Upstream] {
        for stream in &streams {
            let verdict = examine(rig, side, stream, Chunks::Random(3)).map(drop);
            journal.case(Law::NoPanic, &format!("garbage on the {side:?} side"), verdict);
        }
        journal.case(Law::NoPanic, &format!("an empty metadata, {side:?} side"), empty(rig, side));
    }
}

fn empty(rig: &Rig<'_>, side: Side) -> Verdict {
    let mut subject = rig.subject(side);
    let metadata = Metadata::new();
    let mutation = Mutation::new().set("x-conformance", "1");
    let _ = subject.encode(&metadata, &mutation)?;
    let _ = subject.pong(&metadata)?;
    let _ = subject.ping(u64::MAX)?;
    let _ = subject.patch_request_id(&mut [], u64::MAX)?;
    let _ = subject.set_deadline(&mut [], Duration::MAX)?;
    for kind in ErrorKind::ALL {
        let _ = subject.on_error(&RequestHead::default(), &Error::new(kind, ""))?;
    }
    Ok(())
}
