//! Messages written anew for the connection that they leave on.

use crate::conformance::Rig;
use crate::conformance::deadline;
use crate::conformance::decoding::{decode_fresh, max_id};
use crate::conformance::drive::read_one;
use crate::conformance::examine::opposite;
use crate::conformance::facts::Facts;
use crate::conformance::identity::{first_difference, only_the_id};
use crate::conformance::report::{Breach, Journal, Law, Verdict};
use crate::conformance::samples::Sample;
use crate::conformance::subject::Subject;
use crate::{Bytes, Correlation, MessageKind, Metadata, RequestHead, Side};

pub(super) fn check(rig: &Rig<'_>, sample: &Sample, journal: &mut Journal) {
    let Ok(metadata) = decode_fresh(rig, sample) else { return };
    let verdict = match (sample.side, metadata.kind) {
        (Side::Downstream, MessageKind::Request | MessageKind::Oneway) => {
            requests(rig, sample, &metadata)
        }
        (Side::Upstream, MessageKind::Response) => responses(rig, sample, &metadata),
        _ => return,
    };
    journal.case(Law::Translation, &sample.name, verdict);
}

/// A request without another id stays as it is; with one it says what it said before, but for the id.
fn requests(rig: &Rig<'_>, sample: &Sample, metadata: &Metadata) -> Verdict {
    let mut subject = rig.subject(opposite(sample.side));
    let same = written(subject.translate_request(&sample.frame, (None, None))?)?;
    if let Some(at) = first_difference(&same, &sample.frame) {
        let expected = "the same bytes, in the same dialect and without another id";
        return Err(Breach::new(Law::Translation, expected, "other bytes").at(at));
    }
    if metadata.timeout_place.is_some() {
        timed(rig, &mut subject, metadata)?;
    }
    let Correlation::Id { bits } = rig.capabilities.correlation else { return Ok(()) };
    for id in [0, 1, max_id(bits), max_id(bits) / 3] {
        with_id(rig, &mut subject, metadata, id)?;
    }
    Ok(())
}

/// A request tells the time that is left, in the same dialect and without another id.
fn timed(rig: &Rig<'_>, subject: &mut Subject, metadata: &Metadata) -> Verdict {
    for remaining in deadline::moderate(metadata) {
        let bytes = written(subject.translate_request(&metadata.frame, (None, Some(remaining)))?)?;
        let read = read_one(&mut rig.subject(Side::Downstream), &bytes, Law::Translation)?;
        if read.timeout != Some(remaining) {
            let found = format!("{:?}", read.timeout);
            return Err(Breach::new(Law::Translation, format!("timeout = {remaining:?}"), found));
        }
    }
    Ok(())
}

/// One request with another id.
pub(super) fn with_id(
    rig: &Rig<'_>,
    subject: &mut Subject,
    metadata: &Metadata,
    id: u64,
) -> Verdict {
    let other = written(subject.translate_request(&metadata.frame, (Some(id), None))?)?;
    let read = read_one(&mut rig.subject(Side::Downstream), &other, Law::Translation)?;
    // A number may take fewer bytes than another.
    let sizes = Facts::of(metadata);
    let (header_size, context_size) = (sizes.header_size, sizes.context_size);
    only_the_id(
        metadata,
        &Facts { header_size, context_size, ..Facts::of(&read) },
        id,
        Law::Translation,
    )
}

/// A response gets the id of the request, whichever of the samples that is, and says what it said
/// before.
fn responses(rig: &Rig<'_>, sample: &Sample, metadata: &Metadata) -> Verdict {
    for request in rig.samples.list.iter().filter(|other| other.side == Side::Downstream) {
        let Ok(request) = decode_fresh(rig, request) else { continue };
        if request.kind != MessageKind::Request {
            continue;
        }
        let head = RequestHead::of(&request);
        let mut subject = rig.subject(Side::Downstream);
        let bytes = written(subject.translate_response(&sample.frame, &head)?)?;
        let read = read_one(&mut rig.subject(Side::Upstream), &bytes, Law::Translation)?;
        if read.kind != MessageKind::Response || read.status != metadata.status {
            let expected = format!("a response with the status {:?}", metadata.status);
            let found = format!("{:?}, {:?}", read.kind, read.status);
            return Err(Breach::new(Law::Translation, expected, found));
        }
        if read.request_id != head.request_id {
            let expected = format!("the id of the request, {:?}", head.request_id);
            let found = format!("{:?}", read.request_id);
            return Err(Breach::new(Law::Translation, expected, found));
        }
    }
    Ok(())
}

fn written(result: Result<Bytes, crate::EncodeError>) -> Verdict<Bytes> {
    result.map_err(|error| Breach::new(Law::Translation, "Ok", error.to_string()))
}
