//! The time that is left, written into requests.

use std::ops::Range;
use std::time::Duration;

use crate::conformance::Rig;
use crate::conformance::drive::read_one;
use crate::conformance::facts::Facts;
use crate::conformance::report::{Breach, Law, Verdict};
use crate::conformance::samples::Sample;
use crate::conformance::subject::Subject;
use crate::{Bytes, Metadata, Mutation, PropertyValue};

/// What most fields can hold.
const MODERATE: Duration = Duration::from_secs(2);

/// The time reads back, and nothing else has changed; in requests that were changed, too.
pub(super) fn check(
    rig: &Rig<'_>,
    subject: &mut Subject,
    sample: &Sample,
    metadata: &Metadata,
) -> Verdict {
    let Some(place) = metadata.timeout_place.clone() else { return Ok(()) };
    for remaining in moderate(metadata).into_iter().chain([Duration::ZERO, Duration::MAX]) {
        let patched = patch(subject, &metadata.frame, &place, remaining)?;
        let read = read_one(&mut rig.subject(sample.side), &patched, Law::Deadline)?;
        let expected = match moderate(metadata).contains(&remaining) {
            true => Some(remaining),
            // Fields have units and ends.
            false => read.timeout,
        };
        if expected.is_none() {
            let expected = format!("some limit after {remaining:?}");
            return Err(Breach::new(Law::Deadline, expected, "timeout = None"));
        }
        let before = Facts { timeout: expected, ..but_for(metadata, &place) };
        but_for(&read, &place).expect(&before, Law::Deadline)?;
    }
    let known = rig.capabilities.properties.known.iter().filter(|info| info.mutation.set);
    let open = rig.capabilities.properties.open.filter(|open| open.set).map(|_| "x-conformance");
    for name in known.map(|info| info.name.as_str()).chain(open) {
        for value in ["7", "conformance"] {
            let mutation = Mutation::new().set(name, value);
            let verdict = changed(rig, (subject, sample), metadata, &mutation);
            verdict.map_err(|b| b.while_trying(&format!("{name:?} set to {value:?}")))?;
        }
    }
    Ok(())
}

/// Times that must come back as they are: the engine writes none that is longer than the client's own.
pub(super) fn moderate(metadata: &Metadata) -> Vec<Duration> {
    match metadata.timeout {
        Some(own) if !own.is_zero() => vec![own, own.min(MODERATE)],
        _ => vec![MODERATE],
    }
}

/// A request that was changed tells the time where `encode_timed` says.
fn changed(
    rig: &Rig<'_>,
    (subject, sample): (&mut Subject, &Sample),
    metadata: &Metadata,
    mutation: &Mutation,
) -> Verdict {
    // Properties are changed by the codec of the client's connection.
    let mut own = rig.subject(sample.side);
    let Ok(plain) = own.encode(metadata, mutation)? else { return Ok(()) };
    let refused = |error: crate::EncodeError| {
        Breach::new(Law::Deadline, "encode_timed as encode", error.to_string())
    };
    let (bytes, place) = own.encode_timed(metadata, mutation)?.map_err(refused)?;
    if bytes != plain {
        let expected = "encode_timed to append what encode does";
        return Err(Breach::new(Law::Deadline, expected, "other bytes"));
    }
    let Some(place) = place else { return Ok(()) };
    // What can't be read is a breach of another law.
    let before = read_one(&mut rig.subject(sample.side), &bytes, Law::Deadline);
    let Ok(before) = before else { return Ok(()) };
    let remaining = moderate(metadata).pop().unwrap_or(MODERATE);
    let patched = patch(subject, &bytes, &place, remaining)?;
    let read = read_one(&mut rig.subject(sample.side), &patched, Law::Deadline)?;
    let before = Facts { timeout: Some(remaining), ..but_for(&before, &place) };
    but_for(&read, &place).expect(&before, Law::Deadline)
}

/// The frame with another time.
fn patch(
    subject: &mut Subject,
    frame: &Bytes,
    place: &Range<usize>,
    remaining: Duration,
) -> Verdict<Bytes> {
    let mut patched = frame.to_vec();
    let Some(stretch) = patched.get_mut(place.clone()) else {
        let expected = format!("a place within the {} bytes of the message", frame.len());
        return Err(Breach::new(Law::Deadline, expected, format!("{place:?}")));
    };
    match subject.set_deadline(stretch, remaining)? {
        Ok(()) => Ok(patched.into()),
        Err(error) => {
            let expected = format!("Ok for {remaining:?} at {place:?}");
            Err(Breach::new(Law::Deadline, expected, format!("set_deadline: {error}")))
        }
    }
}

/// What a message says, but for what the stretch at `place` may tell: what stands there, and numbers
/// that stand nowhere.
fn but_for(metadata: &Metadata, place: &Range<usize>) -> Facts {
    let mut facts = Facts::of(metadata);
    let values = metadata.properties().zip(metadata.places());
    for (told, ((_, value), (_, at))) in facts.properties.iter_mut().zip(values) {
        let is_number = matches!(value, PropertyValue::Int(_)) && at.is_none();
        let overlaps = at.is_some_and(|at| at.start < place.end && place.start < at.end);
        if is_number || overlaps {
            told.1.clear();
        }
    }
    let mut body = facts.body.to_vec();
    let place = [place.start, place.end].map(|at| at.saturating_sub(metadata.header_size));
    let end = place[1].min(body.len());
    if let Some(stretch) = body.get_mut(place[0].min(end)..end) {
        stretch.fill(0);
    }
    facts.body = body.into();
    facts
}
