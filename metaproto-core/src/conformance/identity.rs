//! Facts that the engine overwrites in place: the request id and the deadline.

use crate::conformance::Rig;
use crate::conformance::deadline;
use crate::conformance::decoding::{decode_fresh, max_id};
use crate::conformance::drive::read_one;
use crate::conformance::examine::opposite;
use crate::conformance::facts::Facts;
use crate::conformance::report::{Breach, Journal, Law, Verdict};
use crate::conformance::samples::Sample;
use crate::conformance::subject::Subject;
use crate::{Bytes, Correlation, MessageKind, Metadata};

pub(super) fn check(rig: &Rig<'_>, sample: &Sample, journal: &mut Journal) {
    let Ok(metadata) = decode_fresh(rig, sample) else { return };
    // A message is patched by the codec of the connection that it leaves on.
    let mut subject = rig.subject(opposite(sample.side));
    if !rig.capabilities.translates {
        let patched = patch(rig, &mut subject, sample, &metadata);
        journal.case(Law::IdPatch, &sample.name, patched);
    }
    if matches!(metadata.kind, MessageKind::Request | MessageKind::Oneway) {
        let verdict = deadline::check(rig, &mut subject, sample, &metadata);
        journal.case(Law::Deadline, &sample.name, verdict);
    }
}

fn patch(rig: &Rig<'_>, subject: &mut Subject, sample: &Sample, metadata: &Metadata) -> Verdict {
    let bits = match rig.capabilities.correlation {
        Correlation::Id { bits } => bits,
        Correlation::Order => return refuses(subject, metadata),
    };
    let connection =
        matches!(metadata.kind, MessageKind::Ping | MessageKind::Pong | MessageKind::GoAway);
    let Some(own) = metadata.request_id.filter(|_| !connection) else { return Ok(()) };
    let max = max_id(bits);
    let few = [0, 1, max, max - 1, max / 2, 0x0102_0304_0506_0708 & max, own ^ 1, own];
    for id in few.into_iter().filter(|id| *id <= max) {
        let patched = patch_frame(subject, metadata, id)?;
        let read = read_one(&mut rig.subject(sample.side), &patched, Law::IdPatch)?;
        only_the_id(metadata, &Facts::of(&read), id, Law::IdPatch)?;
        let back = patch_frame(subject, &read, own)?;
        if let Some(at) = first_difference(&back, &sample.frame) {
            let expected = format!("the sample again after {id} and then {own}");
            return Err(Breach::new(Law::IdPatch, expected, "other bytes").at(at));
        }
    }
    if bits < 64 {
        for id in [max + 1, u64::MAX] {
            too_wide(subject, metadata, id)?;
        }
    }
    Ok(())
}

/// A patched message says what it said before, but for the id. A property may show the id too.
pub(super) fn only_the_id(before: &Metadata, patched: &Facts, id: u64, law: Law) -> Verdict {
    let mut expected = Facts { request_id: Some(id), ..Facts::of(before) };
    let old = shown(before.request_id.unwrap_or_default());
    let new = shown(id);
    for ((_, value), (_, patched)) in expected.properties.iter_mut().zip(&patched.properties) {
        if old.contains(value) && new.contains(patched) {
            value.clone_from(patched);
        }
    }
    patched.expect(&expected, law)
}

/// An id as a property may show it: without a sign, or as a number of 32 bits with one.
fn shown(id: u64) -> [Vec<u8>; 2] {
    let signed = (id as u32).cast_signed();
    [id.to_string().into_bytes(), signed.to_string().into_bytes()]
}

fn refuses(subject: &mut Subject, metadata: &Metadata) -> Verdict {
    // Where a checksum seals the ids, each message may keep its own.
    let other = metadata.request_id.map_or(1, |own| own ^ 1);
    match subject.patch_request_id(&mut metadata.header().to_vec(), other)? {
        Err(_) => Ok(()),
        Ok(()) => {
            let expected = "an error: responses are matched by order";
            Err(Breach::new(Law::IdPatch, expected, "patch_request_id returns Ok"))
        }
    }
}

fn too_wide(subject: &mut Subject, metadata: &Metadata, id: u64) -> Verdict {
    match subject.patch_request_id(&mut metadata.header().to_vec(), id)? {
        Err(_) => Ok(()),
        Ok(()) => {
            let expected = format!("an error for the id {id:#x}, which is too wide");
            Err(Breach::new(Law::IdPatch, expected, "patch_request_id returns Ok"))
        }
    }
}

/// The frame with another id: only the header is handed to the codec, as the contract says.
fn patch_frame(subject: &mut Subject, metadata: &Metadata, id: u64) -> Verdict<Bytes> {
    let mut header = metadata.header().to_vec();
    if let Err(error) = subject.patch_request_id(&mut header, id)? {
        let found = format!("patch_request_id: {error}");
        return Err(Breach::new(Law::IdPatch, format!("Ok for the id {id:#x}"), found));
    }
    let patched: Bytes = [&header[..], &metadata.rest()].concat().into();
    // With the rest of the frame behind it the header is patched just the same.
    let mut whole = metadata.frame.to_vec();
    let same = subject.patch_request_id(&mut whole, id)?.is_ok();
    match first_difference(&whole, &patched) {
        None if same => Ok(patched),
        at => {
            let expected = "the same patch with and without the body behind the header";
            let breach = Breach::new(Law::IdPatch, expected, "other bytes, or an error");
            Err(breach.at(at.unwrap_or_default()))
        }
    }
}

/// The first place where two byte strings differ.
pub(super) fn first_difference(a: &[u8], b: &[u8]) -> Option<usize> {
    let differ = a.iter().zip(b).position(|(a, b)| a != b);
    differ.or_else(|| (a.len() != b.len()).then(|| a.len().min(b.len())))
}
