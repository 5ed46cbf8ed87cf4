//! Changes to the properties of a message.

use bytes::Bytes;

use super::spec::Home;
use super::{Header, Message, Place, Property, support};
use crate::{Change, EncodeError, Mutation, Output, Section};

/// Changes a message that has more than a header of fixed size: reads it, changes its fields, and
/// writes all but its body anew.
pub(super) fn encode_whole<M: Message>(
    frame: &Bytes,
    header: &mut M::Header,
    mutation: &Mutation,
    out: &mut Output,
) -> Result<(), EncodeError> {
    let mut message = read_again::<M>(frame)?;
    for change in mutation.changes() {
        change_message(&mut message, header, change)?;
    }
    let before = out.len();
    message.rewrite(*header, trailer::<M>(frame), out)?;
    let body = message.body().len().saturating_add(M::TRAILER_SIZE);
    let header_size = out.len().saturating_sub(before).saturating_sub(body);
    if M::IS_SCANNED && header_size > M::MAX_HEADER {
        // Who has to go through the header would refuse it.
        out.truncate(before);
        return Err(support::does_not_fit("header", "would be longer than is ever read"));
    }
    Ok(())
}

pub(super) fn read_again<M: Message>(frame: &Bytes) -> Result<M, EncodeError> {
    M::read(frame.clone()).map_err(|error| EncodeError::InvalidValue {
        field: error.field,
        reason: error.fault.to_string().into(),
    })
}

pub(super) fn trailer<M: Message>(frame: &[u8]) -> &[u8] {
    frame.get(frame.len().saturating_sub(M::TRAILER_SIZE)..).unwrap_or_default()
}

/// Changes a property of a message that has nothing but a header of fixed size.
pub(super) fn change_header<M: Message>(
    header: &mut M::Header,
    change: &Change,
) -> Result<(), EncodeError> {
    match (change, M::SPEC.home(change.name())) {
        (Change::Set { value, .. }, Some(Home::Property(_, property))) if property.settable => {
            set_field::<M>(header, property, value)
        }
        _ => Err(unsupported(change)),
    }
}

fn set_field<M: Message>(
    header: &mut M::Header,
    property: &Property,
    value: &str,
) -> Result<(), EncodeError> {
    match property.number(value) {
        Some(number) => property.place.write_int(header.as_mut_slice(), number),
        None => property.place.write_text(header.as_mut_slice(), value),
    }
}

fn change_message<M: Message>(
    message: &mut M,
    header: &mut M::Header,
    change: &Change,
) -> Result<(), EncodeError> {
    match M::SPEC.home(change.name()) {
        Some(Home::Property(place, property)) => match (change, property.place) {
            (Change::Set { value, .. }, Place::Part(_)) if property.settable => {
                match property.number(value) {
                    Some(number) => message.set_part(place, &number.to_string()),
                    None => message.set_part(place, value),
                }
            }
            _ => change_header::<M>(header, change),
        },
        Some(Home::Section(index, name)) => {
            change_entry(message, index, name).and_then(|section| match change {
                Change::Set { value, .. } => section.set(name, value),
                Change::Append { value, .. } => section.append(name, value),
                Change::Remove { .. } => {
                    section.remove(name);
                    Ok(())
                }
            })
        }
        None => Err(unsupported(change)),
    }
}

/// The section that an entry is in, or would be.
fn change_entry<'a, M: Message>(
    message: &'a mut M,
    index: usize,
    name: &str,
) -> Result<&'a mut Section, EncodeError> {
    let Some(spec) = M::SPEC.sections.get(index) else { return Err(no_header()) };
    let is_tag = |tags: &[(u64, &str)]| tags.iter().any(|(_, tag)| tag.eq_ignore_ascii_case(name));
    if !spec.tags.is_none_or(is_tag) {
        let reason = format!("{name:?} is no tag that has a name").into();
        return Err(EncodeError::InvalidValue { field: spec.field, reason });
    }
    message.section(index).ok_or_else(|| support::part_error(spec.field, None))
}

/// A change that can't be made.
#[cold]
pub(super) fn unsupported(change: &Change) -> EncodeError {
    EncodeError::UnsupportedChange { verb: change.verb(), name: change.name().to_owned() }
}

/// A message that is too short to have been read.
#[cold]
pub(super) fn no_header() -> EncodeError {
    EncodeError::InvalidValue { field: "frame", reason: "ends inside the header".into() }
}
