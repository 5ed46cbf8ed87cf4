//! How requests end, and how errors are told.

use syn::{Expr, Ident};

use super::put::put;
use super::view::{Found, View, What};
use super::{fits, integer, single, too_wide};
use crate::meaning::{ErrorTable, Kind, Put, Status, Target};
use crate::mistakes::{Mistakes, suggest};
use crate::parse::{Field, ToldStatus, literal};

/// The variants of `metaproto_core::ErrorKind`.
const ERROR_KINDS: [&str; 16] = [
    "RouteNotFound",
    "ClusterNotFound",
    "NoHealthyUpstream",
    "ConnectionFailure",
    "UpstreamReset",
    "Timeout",
    "BadRequest",
    "BadResponse",
    "FrameTooLarge",
    "OverLimit",
    "Overloaded",
    "Denied",
    "Aborted",
    "Draining",
    "Unsupported",
    "Unspecified",
];

/// The variants of `metaproto_core::StatusClass` that an error can have.
const CLASSES: [&str; 8] = [
    "ApplicationError",
    "BadRequest",
    "NotFound",
    "Denied",
    "Overloaded",
    "Timeout",
    "Unavailable",
    "Internal",
];

pub(super) fn status(
    view: &View<'_>,
    kind: Option<&Kind>,
    mistakes: &mut Mistakes,
) -> Option<Status> {
    let meta = &view.declaration.meta;
    if let (Some(switch), None, false) = (&meta.error_text, &meta.errors, meta.unclear) {
        mistakes.add(switch.span(), "there are no error replies without `errors(..)`");
    }
    let said = |field: &Field| field.meta.status.as_ref().map(|said| said.span);
    let own = single(view, "status", said, mistakes);
    let (found, told) = match (&meta.status, own) {
        (Some(said), Some(found)) => {
            let text = format_args!("a second status; `{}` is it already", found.field.name);
            mistakes.add(said.span, text);
            return None;
        }
        (Some(said), None) => {
            let (name, told) = said.value.as_ref()?;
            (view.lookup(name, mistakes)?, Some(told))
        }
        (None, Some(found)) => {
            let told = found.field.meta.status.as_ref()?.value.as_ref();
            (found, told)
        }
        (None, None) => {
            let unclear = view.unclear() || meta.unclear;
            if let (Some(errors), false) = (&meta.errors, unclear) {
                let text = "where does the code go? Mark a field `#[meta(status(ok = 0))]`";
                mistakes.add(errors.span, text);
            }
            return None;
        }
    };
    let target = target(&found, mistakes);
    if let Some(told) = told {
        fits(&told.ok, found.what, mistakes);
    }
    let errors = error_table(view, &found, told, mistakes);
    if let (Some(kind), Some(errors)) = (kind, &meta.errors)
        && kind.kinds().iter().all(|kind| **kind != "Response")
    {
        let text = "an error reply is a response, but no value of the kind means `Response`";
        mistakes.add(errors.span, text);
    }
    let told = told?;
    let classes = classes(told, &found, errors.as_ref(), mistakes);
    Some(Status { target: target?, ok: told.ok.clone(), classes, errors })
}

fn target(found: &Found<'_>, mistakes: &mut Mistakes) -> Option<Target> {
    match found.what {
        What::Bits(..) => found.target.clone(),
        What::Flag => {
            let text = "a status is a number, not one bit: name a range of them, \
                        `bits(result = 4..=7)`";
            mistakes.add(found.field.ident.span(), text);
            None
        }
        _ => integer(found, "a status", too_wide, mistakes).map(|(field, _)| Target::Head(field)),
    }
}

fn classes(
    told: &ToldStatus,
    found: &Found<'_>,
    errors: Option<&ErrorTable>,
    mistakes: &mut Mistakes,
) -> Vec<(Expr, Ident)> {
    for (index, (code, class)) in told.classes.iter().enumerate() {
        let name = class.to_string();
        if !CLASSES.contains(&name.as_str()) {
            let suggestion = suggest(&name, &CLASSES);
            mistakes.add(class.span(), format_args!("unknown class `{name}`; {suggestion}"));
        }
        fits(code, found.what, mistakes);
        let Some(number) = literal(code) else { continue };
        let is = |other: &Expr| literal(other) == Some(number);
        let in_errors =
            errors.is_some_and(|e| e.codes.iter().any(|(_, code)| is(code)) || is(&e.other));
        if is(&told.ok) {
            mistakes.at(code, "this is the ok value; an error has another code");
        } else if told.classes[..index].iter().any(|(earlier, _)| is(earlier)) {
            mistakes.at(code, "this code has a class already");
        } else if in_errors {
            mistakes.at(code, "`errors(..)` says already what this code means");
        }
    }
    told.classes.clone()
}

fn error_table(
    view: &View<'_>,
    found: &Found<'_>,
    told: Option<&ToldStatus>,
    mistakes: &mut Mistakes,
) -> Option<ErrorTable> {
    let (declaration, ok) = (view.declaration, told.map(|told| &told.ok));
    let said = declaration.meta.errors.as_ref()?;
    let mut other = None;
    let mut codes: Vec<(Ident, Expr)> = Vec::new();
    for (kind, code) in &said.value {
        let name = kind.to_string();
        fits(code, found.what, mistakes);
        if literal(code).is_some() && literal(code) == ok.and_then(literal) {
            mistakes.at(code, "this is the ok value; an error needs another code");
        }
        if codes.iter().any(|(earlier, _)| earlier == kind) || (name == "_" && other.is_some()) {
            mistakes.add(kind.span(), format_args!("`{name}` has a code already"));
        } else if name == "_" {
            other = Some(code.clone());
        } else if ERROR_KINDS.contains(&name.as_str()) {
            codes.push((kind.clone(), code.clone()));
        } else {
            let suggestion = suggest(&name, &ERROR_KINDS);
            mistakes.add(kind.span(), format_args!("unknown error kind `{name}`; {suggestion}"));
        }
    }
    if other.is_none() && !said.value.is_empty() {
        let text = "further kinds of error may come: add a code for them, `_ => -1`";
        mistakes.add(said.span, text);
    }
    let has_body = declaration.fields.iter().any(|field| field.frame.body.is_some());
    let text = has_body && declaration.meta.error_text.as_ref().is_none_or(|switch| switch.value);
    Some(ErrorTable { codes, other: other?, text })
}

/// What error replies say besides.
pub(super) fn reply(view: &View<'_>, mistakes: &mut Mistakes) -> Vec<Put> {
    let meta = &view.declaration.meta;
    let Some(said) = &meta.reply else { return Vec::new() };
    if meta.errors.is_none() && !meta.unclear {
        mistakes.add(said.span, "there are no error replies without `errors(..)`");
    }
    said.value.iter().filter_map(|assign| put(view, assign, mistakes)).collect()
}
