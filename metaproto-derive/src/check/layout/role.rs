//! What a field of fixed size is for.

use super::super::value::fits;
use crate::mistakes::Mistakes;
use crate::model::Role;
use crate::parse::{Count, Field as Declared, Said, Scalar};

/// The role; places in tables are filled in later. `None` if it can't be told; this has been
/// reported.
pub(super) fn of(field: &Declared, scalar: Scalar, mistakes: &mut Mistakes) -> Option<Role> {
    let auto = field.ty.as_ref()?.is_auto();
    let said = &field.frame;
    let count = match &said.count {
        Some(Said { value: Count::Of { .. }, span }) => Some(*span),
        Some(Said { value: Count::Own(_), span }) => {
            let text = "a number counts the items of a list: `count(of = items)`";
            mistakes.add(*span, text);
            return None;
        }
        None => None,
    };
    let roles = [
        said.length.as_ref().map(|said| said.span),
        count,
        said.checksum.as_ref().map(|said| said.span),
        said.constant.as_ref().map(|said| said.span),
        said.reserved,
        said.default.as_ref().map(|said| said.span),
    ];
    let mut roles = roles.into_iter().flatten();
    let first = roles.next();
    if let Some(second) = roles.next() {
        // The one that is not a length is the more likely mistake.
        let span = said.constant.as_ref().map_or(second, |said| said.span);
        let text = "a field is a length, a count, a checksum, a constant, or has a default: keep \
                    one of them";
        mistakes.add(span, text);
        return None;
    }
    match first {
        None => plain(field, auto, mistakes),
        Some(_) if said.length.is_some() || count.is_some() => {
            let what = if count.is_some() { "a count" } else { "a length" };
            told_role(field, auto, what, scalar, mistakes)
        }
        Some(_) => valued(field, auto, scalar, mistakes),
    }
}

fn plain(field: &Declared, auto: bool, mistakes: &mut Mistakes) -> Option<Role> {
    if !auto {
        return Some(Role::Value { default: None });
    }
    // What could not be understood was the answer.
    if !field.frame.unclear {
        let text = "what is its value? Add `#[frame(length(of = frame))]`, \
                    `#[frame(length(of = body))]`, `#[frame(constant = ..)]` or \
                    `#[frame(reserved)]`";
        mistakes.at(&field.written, text);
    }
    None
}

/// A constant, a default, a checksum, or nothing at all.
fn valued(field: &Declared, auto: bool, scalar: Scalar, mistakes: &mut Mistakes) -> Option<Role> {
    let (said, text) = (&field.frame, scalar.to_text());
    let not_held = |what: &str, mistakes: &mut Mistakes| {
        let text = format_args!("{what} is not held in the struct: use `Auto<{text}>`");
        mistakes.at(&field.written, text);
        None
    };
    if let Some(constant) = &said.constant {
        return match auto {
            true => fits(&constant.value, scalar, mistakes)
                .then(|| Role::Constant(constant.value.clone())),
            false => not_held("a constant", mistakes),
        };
    }
    if said.checksum.is_some() {
        return match (auto, scalar) {
            (true, Scalar::Int(int)) if !int.signed && !int.is_narrow() => Some(Role::Checksum),
            (true, _) => {
                mistakes.at(&field.written, "a checksum is an unsigned integer: `Auto<u32>`");
                None
            }
            (false, _) => not_held("a checksum", mistakes),
        };
    }
    if said.reserved.is_some() {
        return match auto {
            true => Some(Role::Reserved),
            false => not_held("what is reserved", mistakes),
        };
    }
    let default = said.default.as_ref()?;
    if auto {
        return plain(field, auto, mistakes);
    }
    fits(&default.value, scalar, mistakes)
        .then(|| Role::Value { default: Some(default.value.clone()) })
}

fn told_role(
    field: &Declared,
    auto: bool,
    what: &str,
    scalar: Scalar,
    mistakes: &mut Mistakes,
) -> Option<Role> {
    let text = match scalar {
        Scalar::Int(int) if !int.signed && int.size <= 8 && auto => {
            return Some(match what {
                "a count" => Role::Count(0),
                _ => Role::Length(0),
            });
        }
        Scalar::Int(int) if int.size > 8 => format!("{what} is at most 8 bytes wide"),
        Scalar::Int(int) if !int.signed => format!(
            "{what} is not held in the struct, it is told by what it measures: use `Auto<{}>`",
            int.name
        ),
        Scalar::Int(int) => format!("{what} is never negative: use `Auto<u{}>`", int.size * 8),
        _ => format!("{what} is an unsigned integer, such as `Auto<u32>`"),
    };
    mistakes.at(&field.written, text);
    None
}
