//! What the fields mean, and whether they can.

use proc_macro2::Span;
use syn::{Expr, Ident, LitStr};

use super::value::fits_int;
use crate::mistakes::{Mistakes, suggest};
use crate::model::{ErrorTable, Kind, Mapping, Status};
use crate::parse::{Choice, Declaration, Field, Int, Said, Scalar, Type, literal};

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

/// The variants of `metaproto_core::MessageKind` that a derived codec can have: those of streams
/// need more than a kind.
const MESSAGE_KINDS: [&str; 6] = ["Request", "Oneway", "Response", "Ping", "Pong", "GoAway"];

/// The mapping. With mistakes it is `None`, or as near as one gets.
pub(crate) fn mapping(declaration: &Declaration, mistakes: &mut Mistakes) -> Option<Mapping> {
    let meta = &declaration.meta;
    if meta.protocol.is_none() && !meta.unclear {
        mistakes.add(declaration.ident.span(), "name the protocol: `#[meta(protocol = \"name\")]`");
    }
    let aliases = meta.aliases.clone().unwrap_or_default();
    for name in meta.protocol.iter().chain(&aliases) {
        protocol_name(name, mistakes);
    }
    let request_id = request_id(declaration, mistakes);
    let kind = kind(declaration, mistakes);
    let status = status(declaration, kind.as_ref(), mistakes);
    Some(Mapping {
        sharing: sharing(declaration, request_id.is_some(), mistakes),
        properties: properties(declaration, mistakes),
        operation: operation(declaration, mistakes),
        protocol: meta.protocol.clone()?,
        aliases,
        request_id,
        status,
        kind,
    })
}

/// What an enum of messages says of its protocol; returns the sharing.
pub(crate) fn variants_protocol(choice: &Choice, mistakes: &mut Mistakes) -> Option<Ident> {
    let meta = &choice.meta;
    if meta.protocol.is_none() && !meta.unclear {
        mistakes.add(choice.ident.span(), "name the protocol: `#[meta(protocol = \"name\")]`");
    }
    for name in meta.protocol.iter().chain(meta.aliases.iter().flatten()) {
        protocol_name(name, mistakes);
    }
    let of_variants = "this belongs on the structs that the variants hold: what a field means, only \
                       they can say";
    if let Some(errors) = &meta.errors {
        mistakes.add(errors.span, of_variants);
    }
    if let Some(switch) = &meta.error_text {
        mistakes.add(switch.span(), of_variants);
    }
    meta.sharing.as_ref().and_then(|word| sharing_variant(word, mistakes))
}

fn protocol_name(name: &LitStr, mistakes: &mut Mistakes) {
    let text = name.value();
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-_.".contains(c);
    if text.is_empty() || !text.chars().all(plain) {
        let text = "a name is made of lower-case letters, digits, `-`, `_` and `.`";
        mistakes.add(name.span(), text);
    }
}

/// The field about which something is said, if it is said about one only.
fn single<'a>(
    declaration: &'a Declaration,
    what: &str,
    said: impl Fn(&Field) -> Option<Span>,
    mistakes: &mut Mistakes,
) -> Option<(usize, &'a Field)> {
    let mut found = declaration
        .fields
        .iter()
        .enumerate()
        .filter_map(|(index, field)| said(field).map(|span| (index, field, span)));
    let (index, field, _) = found.next()?;
    for (_, _, span) in found {
        let text = format_args!("a second {what}; `{}` is it already", field.name);
        mistakes.add(span, text);
    }
    Some((index, field))
}

/// The integer that the field is. `refuse` says what is wrong with an integer, if anything is.
fn integer(
    field: &Field,
    what: &str,
    refuse: impl Fn(Int) -> Option<&'static str>,
    mistakes: &mut Mistakes,
) -> Option<Int> {
    let wrong = match *field.ty.as_ref()? {
        Type::Value(Scalar::Int(int)) => match refuse(int) {
            None => return Some(int),
            Some(wrong) => wrong,
        },
        Type::Auto(_) => "is a value of its own, not `Auto`",
        _ => "is an integer",
    };
    mistakes.at(&field.written, format_args!("{what} {wrong}"));
    None
}

/// Codes and kinds are numbers that `Status::code` can hold.
fn too_wide(int: Int) -> Option<&'static str> {
    matches!(int.name, "u64" | "u128" | "i128").then_some("is at most `u32` or `i64`")
}

fn request_id(declaration: &Declaration, mistakes: &mut Mistakes) -> Option<usize> {
    let said = |field: &Field| field.meta.request_id;
    let (index, field) = single(declaration, "request id", said, mistakes)?;
    let refuse = |int: Int| {
        (int.signed || int.size > 8).then_some("is unsigned: `u8`, `u16`, `u32` or `u64`")
    };
    integer(field, "a request id", refuse, mistakes).map(|_| index)
}

fn sharing(declaration: &Declaration, has_id: bool, mistakes: &mut Mistakes) -> Option<Ident> {
    let word = declaration.meta.sharing.as_ref()?;
    let variant = sharing_variant(word, mistakes)?;
    let unclear = declaration.fields.iter().any(|field| field.meta.unclear);
    if variant == "Shared" && !has_id && !unclear {
        let text = "only messages with a request id can share a connection; use `exclusive` or \
                    `bound`";
        mistakes.add(word.span(), text);
    }
    Some(variant)
}

fn sharing_variant(word: &Ident, mistakes: &mut Mistakes) -> Option<Ident> {
    let variant = match word.to_string().as_str() {
        "shared" => "Shared",
        "exclusive" => "Exclusive",
        "bound" => "Bound",
        other => {
            let suggestion = suggest(other, &["shared", "exclusive", "bound"]);
            mistakes.add(word.span(), format_args!("unknown sharing `{other}`; {suggestion}"));
            return None;
        }
    };
    Some(Ident::new(variant, word.span()))
}

fn properties(declaration: &Declaration, mistakes: &mut Mistakes) -> Vec<(String, usize)> {
    let mut all: Vec<(String, usize)> = Vec::new();
    for (index, field) in declaration.fields.iter().enumerate() {
        let Some(Said { span, value: name }) = &field.meta.property else { continue };
        value_only(field, *span, "a property", mistakes);
        let text = name.as_ref().map_or_else(|| field.name.clone(), LitStr::value);
        let place = name.as_ref().map_or(*span, LitStr::span);
        if text.is_empty() {
            mistakes.add(place, "a property needs a name");
        }
        if let Some((first, _)) = all.iter().find(|(n, _)| n.eq_ignore_ascii_case(&text)) {
            let text = format_args!("a second property `{first}`; case makes no difference");
            mistakes.add(place, text);
        }
        all.push((text, index));
    }
    all
}

fn operation(declaration: &Declaration, mistakes: &mut Mistakes) -> Option<usize> {
    let said = |field: &Field| field.meta.operation;
    let (index, field) = single(declaration, "operation", said, mistakes)?;
    value_only(field, field.meta.operation?, "the operation", mistakes);
    Some(index)
}

fn value_only(field: &Field, span: Span, what: &str, mistakes: &mut Mistakes) {
    if matches!(field.ty, Some(Type::Auto(_) | Type::Bytes)) {
        let text = format_args!("only an integer or `[u8; N]` can be {what}");
        mistakes.add(span, text);
    }
}

fn kind(declaration: &Declaration, mistakes: &mut Mistakes) -> Option<Kind> {
    let said = |field: &Field| field.meta.kind.as_ref().map(|said| said.span);
    let (field, declared) = single(declaration, "kind", said, mistakes)?;
    let int = integer(declared, "a kind", too_wide, mistakes);
    let mut values: Vec<(Expr, Ident)> = Vec::new();
    for (value, kind) in &declared.meta.kind.as_ref()?.value {
        let name = kind.to_string();
        if !MESSAGE_KINDS.contains(&name.as_str()) {
            let remedy = match name.starts_with("Stream") {
                true => "streams need a codec that is written by hand".to_owned(),
                false => suggest(&name, &MESSAGE_KINDS),
            };
            mistakes.add(kind.span(), format_args!("unknown kind `{name}`; {remedy}"));
        }
        let pattern = literal(value).is_some() || matches!(*value, Expr::Path(_));
        if !pattern {
            mistakes.at(value, "a value is a number or the name of a constant");
        } else if let Some(int) = int {
            fits_int(value, int, mistakes);
        }
        let number = literal(value);
        if number.is_some() && values.iter().any(|(earlier, _)| literal(earlier) == number) {
            mistakes.at(value, "this value has a kind already");
        }
        values.push((value.clone(), kind.clone()));
    }
    Some(Kind { field, values })
}

fn status(
    declaration: &Declaration,
    kind: Option<&Kind>,
    mistakes: &mut Mistakes,
) -> Option<Status> {
    let meta = &declaration.meta;
    if let (Some(switch), None, false) = (&meta.error_text, &meta.errors, meta.unclear) {
        mistakes.add(switch.span(), "there are no error replies without `errors(..)`");
    }
    let said = |field: &Field| field.meta.status.as_ref().map(|said| said.span);
    let Some((field, declared)) = single(declaration, "status", said, mistakes) else {
        let unclear = declaration.fields.iter().any(|field| field.meta.unclear);
        if let (Some(errors), false) = (&meta.errors, unclear) {
            let text = "where does the code go? Mark a field `#[meta(status(ok = 0))]`";
            mistakes.add(errors.span, text);
        }
        return None;
    };
    let int = integer(declared, "a status", too_wide, mistakes);
    let ok = declared.meta.status.as_ref()?.value.as_ref();
    if let (Some(ok), Some(int)) = (ok, int) {
        fits_int(ok, int, mistakes);
    }
    let errors = error_table(declaration, int, ok, mistakes);
    if let (Some(kind), Some(errors)) = (kind, &meta.errors)
        && kind.values.iter().all(|(_, kind)| kind != "Response")
    {
        let text = "an error reply is a response, but no value of the kind means `Response`";
        mistakes.add(errors.span, text);
    }
    Some(Status { field, ok: ok?.clone(), errors })
}

fn error_table(
    declaration: &Declaration,
    int: Option<Int>,
    ok: Option<&Expr>,
    mistakes: &mut Mistakes,
) -> Option<ErrorTable> {
    let said = declaration.meta.errors.as_ref()?;
    let mut other = None;
    let mut codes: Vec<(Ident, Expr)> = Vec::new();
    for (kind, code) in &said.value {
        let name = kind.to_string();
        if let Some(int) = int {
            fits_int(code, int, mistakes);
        }
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
