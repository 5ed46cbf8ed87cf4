//! How requests end: codes, errors, deadlines.

use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream};
use syn::{Expr, Ident, Token};

use super::KindArm;
use super::kind;
use crate::mistakes::suggest;
use crate::parse::entry::Entry;

/// `Timeout => -6`, or `_ => -1`.
pub(crate) type ErrorArm = (Ident, Expr);

/// `status(ok = 20, classes(31 => Timeout))`.
pub(crate) struct ToldStatus {
    pub(crate) ok: Expr,
    pub(crate) classes: Vec<KindArm>,
}

/// `timeout(unit = ms, none = -1)`.
pub(crate) struct ToldTimeout {
    pub(crate) unit: Unit,
    /// A value that means that there is no deadline, besides 0 and less.
    pub(crate) none: Option<Expr>,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Unit {
    Seconds,
    #[default]
    Milliseconds,
    Microseconds,
    Nanoseconds,
}

const STATUS: &str = "status(ok = 0)";

pub(super) fn errors(entry: &Entry) -> syn::Result<Vec<ErrorArm>> {
    entry.list(error_arm, "errors(RouteNotFound => -1, Timeout => -2, _ => -3)")
}

fn error_arm(input: ParseStream<'_>) -> syn::Result<ErrorArm> {
    let kind = match input.peek(Token![_]) {
        true => Ident::from(input.parse::<Token![_]>()?),
        false => input.call(Ident::parse_any)?,
    };
    input.parse::<Token![=>]>()?;
    Ok((kind, input.parse()?))
}

/// What is said about the field that it stands on.
pub(super) fn own(entry: &Entry) -> syn::Result<ToldStatus> {
    if entry.is_flag() {
        let text = format_args!("say which value means success: `{STATUS}`");
        return Err(syn::Error::new(entry.key.span(), text));
    }
    details(entry, &entry.list(Entry::parse, STATUS)?, STATUS)
}

/// What is said about a field or bits that are named.
pub(super) fn named(entry: &Entry) -> syn::Result<(Ident, ToldStatus)> {
    const EXAMPLE: &str = "status(result, ok = 0)";
    let all = entry.list(Entry::parse, EXAMPLE)?;
    match all.split_first() {
        Some((first, rest)) if first.is_flag() => {
            Ok((first.key.clone(), details(entry, rest, EXAMPLE)?))
        }
        _ => {
            let text = format_args!("name the field or the bits first: `{EXAMPLE}`");
            Err(syn::Error::new(entry.key.span(), text))
        }
    }
}

fn details(entry: &Entry, entries: &[Entry], example: &str) -> syn::Result<ToldStatus> {
    let (mut ok, mut classes) = (None, None);
    for inner in entries {
        let twice = match inner.key.to_string().as_str() {
            "ok" => ok.replace(inner.expr("ok = 0")?.clone()).is_some(),
            "classes" => {
                let example = "classes(31 => Timeout, 40 => NotFound)";
                classes.replace(inner.list(kind::arm, example)?).is_some()
            }
            other => {
                let suggestion = suggest(other, &["ok", "classes"]);
                let text = format_args!("unknown key `{other}` in `status(..)`; {suggestion}");
                return Err(syn::Error::new(inner.key.span(), text));
            }
        };
        if twice {
            let text = format_args!("`{}` is given twice; once is enough", inner.key);
            return Err(syn::Error::new(inner.key.span(), text));
        }
    }
    let missing = || syn::Error::new(entry.key.span(), format_args!("write `{example}`"));
    Ok(ToldStatus { ok: ok.ok_or_else(missing)?, classes: classes.unwrap_or_default() })
}

pub(super) fn timeout(entry: &Entry) -> syn::Result<ToldTimeout> {
    const EXAMPLE: &str = "timeout(unit = ms, none = -1)";
    let mut said = ToldTimeout { unit: Unit::default(), none: None };
    if entry.is_flag() {
        return Ok(said);
    }
    for inner in entry.list(Entry::parse, EXAMPLE)? {
        match inner.key.to_string().as_str() {
            "unit" => said.unit = unit(&inner)?,
            "none" => said.none = Some(inner.expr("none = -1")?.clone()),
            other => {
                let suggestion = suggest(other, &["unit", "none"]);
                let text = format_args!("unknown key `{other}` in `timeout(..)`; {suggestion}");
                return Err(syn::Error::new(inner.key.span(), text));
            }
        }
    }
    Ok(said)
}

fn unit(entry: &Entry) -> syn::Result<Unit> {
    let word = entry.word("unit = ms")?;
    match word.to_string().as_str() {
        "s" => Ok(Unit::Seconds),
        "ms" => Ok(Unit::Milliseconds),
        "us" => Ok(Unit::Microseconds),
        "ns" => Ok(Unit::Nanoseconds),
        other => {
            let text = format_args!("unknown unit `{other}`; expected `s`, `ms`, `us` or `ns`");
            Err(syn::Error::new(word.span(), text))
        }
    }
}
