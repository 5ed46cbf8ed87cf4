//! What a decoded sample must say.

use std::sync::Arc;

use crate::conformance::Rig;
use crate::conformance::facts::Facts;
use crate::conformance::report::{Breach, Journal, Law, Verdict};
use crate::conformance::samples::Sample;
use crate::conformance::subject::Subject;
use crate::{
    Bytes, CodecContext, Correlation, Interest, MessageKind, Metadata, PropertySchema, RequestHead,
};

/// Decodes a sample with a codec that has seen nothing before.
pub(super) fn decode_fresh(rig: &Rig<'_>, sample: &Sample) -> Verdict<Metadata> {
    decode_with(&mut rig.subject(sample.side), &sample.frame)
}

fn decode_with(subject: &mut Subject, frame: &Bytes) -> Verdict<Metadata> {
    let length = subject.frame_length(frame)?;
    if let Err(error) = length {
        let found = format!("frame_length refuses it: {error}");
        return Err(Breach::new(Law::Decodes, "a whole frame", found));
    }
    let mut metadata = Metadata::new();
    match subject.decode(frame.clone(), &mut metadata)? {
        Ok(()) => Ok(metadata),
        Err(error) => Err(Breach::new(Law::Decodes, "Ok", format!("decode: {error}"))),
    }
}

pub(super) fn check(rig: &Rig<'_>, sample: &Sample, journal: &mut Journal) {
    let name = &sample.name;
    let metadata = match decode_fresh(rig, sample) {
        Ok(metadata) => metadata,
        Err(breach) => return journal.case(Law::Decodes, name, Err(breach)),
    };
    let facts = Facts::of(&metadata);
    journal.case(Law::Decodes, name, Ok(()));
    journal.case(Law::StoresFrame, name, stored(&metadata, &sample.frame));
    journal.case(Law::Layout, name, layout(&metadata));
    journal.case(Law::Correlation, name, correlation(rig.capabilities.correlation, &facts));
    journal.case(Law::Schema, name, schema(&rig.capabilities.properties, &facts));
    journal.case(Law::Declaration, name, declared_kind(rig, facts.kind));
    journal.case(Law::Interest, name, interest(rig, sample, &facts));
}

/// What must hold of any frame that decodes, valid sample or not.
pub(super) fn sane(metadata: &Metadata, frame: &Bytes) -> Verdict {
    stored(metadata, frame)?;
    layout(metadata)?;
    // Reading everything must do no harm either.
    let _ = (Facts::of(metadata), RequestHead::of(metadata));
    Ok(())
}

fn stored(metadata: &Metadata, frame: &Bytes) -> Verdict {
    if metadata.frame == *frame {
        return Ok(());
    }
    let found = format!("metadata.frame of {} bytes, or other ones", metadata.frame.len());
    Err(Breach::new(Law::StoresFrame, format!("the frame of {} bytes", frame.len()), found))
}

fn layout(metadata: &Metadata) -> Verdict {
    let len = metadata.frame.len();
    let breach = |found: String| {
        Err(Breach::new(Law::Layout, format!("within the {len} bytes of the frame"), found))
    };
    if metadata.header_size > len {
        return breach(format!("header_size = {}", metadata.header_size));
    }
    if metadata.context_size > len {
        return breach(format!("context_size = {}", metadata.context_size));
    }
    if let Some(place) = metadata.timeout_place.clone().filter(|place| place.end > len) {
        return breach(format!("timeout_place = {place:?}"));
    }
    match metadata.stray_range() {
        Some(range) => breach(format!("a name or value at {range:?}")),
        None => Ok(()),
    }
}

fn correlation(correlation: Correlation, facts: &Facts) -> Verdict {
    let Correlation::Id { bits } = correlation else { return Ok(()) };
    let paired = matches!(facts.kind, MessageKind::Request | MessageKind::Response);
    let max = max_id(bits);
    match facts.request_id {
        Some(id) if id <= max => Ok(()),
        None if !paired => Ok(()),
        other => {
            let expected = format!("a request id of {bits} bits");
            Err(Breach::new(Law::Correlation, expected, format!("{:?}: {other:?}", facts.kind)))
        }
    }
}

/// The largest id of this many bits.
pub(super) fn max_id(bits: u8) -> u64 {
    1_u64.checked_shl(u32::from(bits)).map_or(u64::MAX, |over| over.wrapping_sub(1))
}

fn schema(schema: &PropertySchema, facts: &Facts) -> Verdict {
    match facts.properties.iter().find(|(name, _)| schema.support(name).is_none()) {
        None => Ok(()),
        Some((name, _)) => {
            let known: Vec<_> = schema.known.iter().map(|info| info.name.as_str()).collect();
            let expected = format!("one of {known:?}, or an open schema");
            Err(Breach::new(Law::Schema, expected, format!("a property {name:?}")))
        }
    }
}

fn declared_kind(rig: &Rig<'_>, kind: MessageKind) -> Verdict {
    let capabilities = &rig.capabilities;
    let declared = match kind {
        MessageKind::Oneway => capabilities.oneway,
        MessageKind::StreamOpen
        | MessageKind::StreamData
        | MessageKind::StreamHalfClose
        | MessageKind::StreamClose => capabilities.streaming,
        _ => true,
    };
    if declared {
        return Ok(());
    }
    let found = format!("a message of kind {kind:?}");
    Err(Breach::new(Law::Declaration, "only kinds that the capabilities declare", found))
}

/// Decodes with less interest: nothing but unasked properties may be missing.
fn interest(rig: &Rig<'_>, sample: &Sample, all: &Facts) -> Verdict {
    let names = all.properties.iter().map(|(name, _)| vec![name.to_ascii_lowercase()]);
    for asked in names.chain([vec![]]) {
        let interest = Arc::new(Interest::Only(asked.clone()));
        let context = CodecContext::new(sample.side, rig.samples.limits).with_interest(interest);
        let metadata = decode_with(&mut rig.subject_with(&context), &sample.frame)?;
        let mut facts = Facts::of(&metadata);
        for name in &asked {
            let (expected, found) = (all.values(name), facts.values(name));
            if expected != found {
                let expected = format!("{name:?} = {expected:?} when it is asked for");
                return Err(Breach::new(Law::Interest, expected, format!("{found:?}")));
            }
        }
        facts.properties.clone_from(&all.properties);
        facts.expect(all, Law::Interest)?;
    }
    Ok(())
}
