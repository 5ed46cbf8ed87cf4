//! Values on their way to a text.

use std::fmt;
use std::ops::Range;
use std::time::Duration;

use super::parts::Content;
use crate::Metadata;

/// What a part says, for `format_args!`: bytes that are not UTF-8 are replaced, what is missing is
/// empty.
#[derive(Debug)]
pub struct Shown<'a> {
    frame: &'a [u8],
    content: Content,
}

impl<'a> Shown<'a> {
    /// What `content` says of `frame`.
    #[must_use]
    pub fn new(frame: &'a [u8], content: Content) -> Self {
        Shown { frame, content }
    }

    /// A text of the frame.
    #[must_use]
    pub fn text(frame: &'a [u8], range: Range<usize>) -> Self {
        Shown::new(frame, Content::Text(range))
    }
}

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.content {
            Content::Int(number) => number.fmt(f),
            Content::Text(range) => lossy(self.frame.get(range.clone()).unwrap_or_default(), f),
            Content::Absent => Ok(()),
        }
    }
}

/// Writes text; bytes that are not UTF-8 are replaced. Allocates nothing.
pub(crate) fn lossy(bytes: &[u8], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    for chunk in bytes.utf8_chunks() {
        f.write_str(chunk.valid())?;
        if !chunk.invalid().is_empty() {
            f.write_str("\u{fffd}")?;
        }
    }
    Ok(())
}

/// Adds a property that a part says, unless it says nothing.
pub fn push(metadata: &mut Metadata, name: &'static str, content: Content) {
    match content {
        Content::Int(number) => metadata.push_int(name, number),
        Content::Text(range) => metadata.push_in_frame(name, range),
        Content::Absent => {}
    }
}

/// Adds a property whose values have names.
pub fn push_named(
    metadata: &mut Metadata,
    name: &'static str,
    names: &[(i128, &'static str)],
    content: Content,
) {
    let found = match content {
        Content::Int(number) => names.iter().find(|(value, _)| *value == number),
        _ => None,
    };
    match found {
        Some((_, value)) => metadata.push_static(name, value),
        None => push(metadata, name, content),
    }
}

/// Names the operation that a part says, unless it says nothing.
pub fn operation(metadata: &mut Metadata, content: Content) {
    match content {
        Content::Int(number) => metadata.set_operation_int(number),
        Content::Text(range) => metadata.set_operation_in_frame(range),
        Content::Absent => {}
    }
}

/// The time that a field tells in units of so many nanoseconds; none if it is 0 or less, or `none`.
#[must_use]
pub fn timeout(value: i128, none: i128, unit: u32) -> Option<Duration> {
    if value <= 0 || value == none {
        return None;
    }
    let nanos = (value as u128).saturating_mul(u128::from(unit));
    let seconds = nanos.checked_div(1_000_000_000).unwrap_or_default();
    let rest = nanos.checked_rem(1_000_000_000).unwrap_or_default();
    Some(Duration::new(u64::try_from(seconds).unwrap_or(u64::MAX), rest as u32))
}

/// What a field says of a time, in units of so many nanoseconds: at least 1, so that no time left is
/// not taken for no deadline, at most `max`, and never `none`.
#[must_use]
pub fn time_left(remaining: Duration, none: i128, unit: u32, max: i128) -> i128 {
    let units = remaining.as_nanos().checked_div(u128::from(unit.max(1))).unwrap_or_default();
    let units = i128::try_from(units).unwrap_or(i128::MAX).clamp(1, max.max(1));
    match units == none {
        true if units > 1 => units.saturating_sub(1),
        true => units.saturating_add(1),
        false => units,
    }
}
