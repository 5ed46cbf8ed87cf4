//! Frames told to a person.

mod debug;
mod message;
mod value;

pub(super) use self::debug::{WithOffsets, type_name};
pub(super) use self::message::message;
use self::value::{bits, value};
use super::parts::{Cursor, Stop};
use super::{FieldInfo, Frame, Header, OVERLONG, whole};
use crate::explain::{content, count, measure};
use crate::{DecodeError, Explanation, FrameLength};

/// Explains the frame at the front of the bytes of `notes`.
pub(super) fn frame<F: Frame>(notes: &mut Explanation) {
    let bytes = notes.bytes().clone();
    // Fields first: an error is told with the place of its field.
    fields(0, F::FIELDS, notes);
    constants::<F>(notes);
    let told = F::frame_length(&bytes);
    let known = match told {
        Ok(FrameLength::Known(total)) => {
            notes.length(total);
            Some(total)
        }
        _ => None,
    };
    let parts = parts::<F>(known, notes);
    if let (Ok(_), Err(Stop::Bad(error))) = (&told, &parts) {
        notes.stop_at(error);
    }
    measure(told, notes);
    let read = read::<F>(notes);
    if let Some(total) = known {
        let end = total.saturating_sub(F::TRAILER_SIZE);
        let has_body = !matches!(&read, Some(Err(error)) if error.fault == OVERLONG);
        match parts {
            Ok(start) if start <= end && has_body => body(start, end, notes),
            _ => {}
        }
        fields(end, F::TRAILER, notes);
    }
    if let Some(read) = read {
        checksums::<F>(notes);
        if let Err(error) = read {
            notes.stop_at(&error);
        }
    }
}

/// Notes every field of which anything is there; they are counted from `start`.
pub fn fields(start: usize, fields: &[FieldInfo], notes: &mut Explanation) {
    let (bytes, brief) = (notes.bytes().clone(), notes.is_brief());
    for field in fields {
        let range = field.range();
        let range = start.saturating_add(range.start)..start.saturating_add(range.end);
        if range.start >= bytes.len() {
            return;
        }
        let Some(found) = bytes.get(range.clone()) else {
            notes.note(range, field.name, "cut off");
            return;
        };
        notes.note(range, field.name, value(field, found, brief));
        notes.nested(|notes| {
            for named in field.bits {
                notes.fact(named.name, bits(field, named, found, brief));
            }
        });
    }
}

/// Tells what constants must be that are something else.
fn constants<F: Frame>(notes: &mut Explanation) {
    let bytes = notes.bytes().clone();
    for constant in F::CONSTANTS {
        let field = F::FIELDS.iter().find(|field| field.offset == constant.offset);
        let Some(field) = field else { continue };
        let found = bytes.get(field.range());
        if found.is_some_and(|found| found != constant.bytes) {
            let right = format!("must be {}", value(field, constant.bytes, notes.is_brief()));
            notes.annotate(&field.range(), field.name, &right);
        }
    }
}

/// Notes the parts, and tells where the body starts.
///
/// # Errors
/// As [`Frame::explain_parts`]; and if nothing tells how far the frame goes.
fn parts<F: Frame>(total: Option<usize>, notes: &mut Explanation) -> Result<usize, Stop> {
    let bytes = notes.bytes().clone();
    let needed = Stop::Need(bytes.len().saturating_add(1));
    // What begins with a wrong constant is of another protocol.
    let prefix = F::Prefix::first(&bytes).ok_or(needed)?;
    F::length(prefix)?;
    let mut cursor = match total {
        Some(total) => Cursor::front(&bytes, total),
        None => Cursor::open(&bytes).max(F::MAX_HEADER),
    };
    if F::PARTS.is_empty() {
        return Ok(F::HEADER_SIZE);
    }
    F::explain_parts(&mut cursor, notes)?;
    Ok(cursor.position())
}

fn body(start: usize, end: usize, notes: &mut Explanation) {
    let there = end.min(notes.bytes().len());
    if start >= there {
        return;
    }
    let value = match notes.is_brief() {
        true => content(notes.bytes().get(start..there).unwrap_or_default()),
        false => count(end.saturating_sub(start)),
    };
    notes.note(start..end, "body", value);
}

/// Reads the frame, if it is whole and nothing is wrong so far: there may be mistakes that show only
/// then.
fn read<F: Frame>(notes: &Explanation) -> Option<Result<(), DecodeError>> {
    let frame = notes.frame().filter(|_| notes.error().is_none())?;
    Some(F::read(frame).map(|_| ()))
}

/// Tells whether checksums match what they cover.
fn checksums<F: Frame>(notes: &mut Explanation) {
    let frame = notes.frame().unwrap_or_default();
    let Ok(located) = whole::locate::<F>(&frame) else { return };
    let is_brief = notes.is_brief();
    let told = F::checksums(&frame, located.starts(), |name, place, right| {
        let field = F::FIELDS.iter().chain(F::TRAILER).find(|field| field.name == name);
        let matches = frame.get(place.clone()) == Some(right);
        match (matches, field) {
            (false, Some(field)) => {
                let right = format!("must be {}", value(field, right, is_brief));
                notes.annotate(&place, name, &right);
            }
            (true, _) if !is_brief => notes.annotate(&place, name, "matches"),
            _ => {}
        }
        Ok::<(), DecodeError>(())
    });
    // Nothing in it can fail.
    let _ = told;
}
