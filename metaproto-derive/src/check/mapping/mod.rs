//! What the fields mean, and whether they can.

mod id;
mod kind;
mod put;
mod recipe;
mod show;
mod status;
mod view;

use proc_macro2::Span;
use syn::{Expr, Ident, LitStr};

use self::view::{Found, View, What};
use super::value::fits_range;
use crate::meaning::{Kind, Mapping, Target, Timeout};
use crate::mistakes::{Mistakes, suggest};
use crate::model::Layout;
use crate::parse::{Choice, Declaration, Field, Int, literal};

/// The mapping. With mistakes it is `None`, or as near as one gets. `layout` is that of the same
/// struct, if it has one.
pub(crate) fn mapping(
    declaration: &Declaration,
    layout: Option<&Layout>,
    mistakes: &mut Mistakes,
) -> Option<Mapping> {
    let (meta, view) = (&declaration.meta, View::new(declaration));
    if meta.protocol.is_none() && !meta.unclear {
        mistakes.add(declaration.ident.span(), "name the protocol: `#[meta(protocol = \"name\")]`");
    }
    let aliases = meta.aliases.clone().unwrap_or_default();
    for name in meta.protocol.iter().chain(&aliases) {
        protocol_name(name, mistakes);
    }
    let request_id = id::request_id(&view, mistakes);
    let sharing = id::sharing(&view, request_id.is_some(), mistakes);
    if let (Some(id), Some(layout)) = (&request_id, layout) {
        id::can_be_patched(id, layout, sharing.as_ref(), mistakes);
    }
    let kind = kind::kind(&view, mistakes);
    let status = status::status(&view, kind.as_ref(), mistakes);
    if let Some(layout) = layout {
        made_here(layout, declaration, kind.as_ref(), mistakes);
    }
    let (mut properties, sections) = show::properties(&view, mistakes);
    let mut fixed = kind.as_ref().map_or_else(Vec::new, |kind| kind::tells(&view, kind));
    fixed.extend(request_id.as_ref().map(|id| Target::Head(id.field)));
    for property in &mut properties {
        property.settable &= !fixed.iter().any(|target| overlap(target, &property.target));
    }
    Some(Mapping {
        timeout: timeout(&view, mistakes),
        operation: show::operation(&view, mistakes),
        reply: status::reply(&view, mistakes),
        protocol: meta.protocol.clone()?,
        aliases,
        sharing,
        request_id,
        properties,
        sections,
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
    meta.sharing.as_ref().and_then(|word| id::variant(word, mistakes))
}

/// Reports parts that messages which the codec makes by itself have no value for.
fn made_here(
    layout: &Layout,
    declaration: &Declaration,
    kind: Option<&Kind>,
    mistakes: &mut Mistakes,
) {
    let makes =
        |kind: &Kind| kind.made.iter().any(|made| made.kind == "Ping" || made.kind == "GoAway");
    let what = match &declaration.meta.errors {
        Some(_) => "error replies",
        None if kind.is_some_and(makes) => "pings and go-aways",
        None => return,
    };
    for part in layout.never_empty() {
        let text = format_args!(
            "`{}` has no value in {what}, which are made here: say one with `#[frame(default = ..)]`",
            part.name
        );
        mistakes.at(&part.ident, text);
    }
}

/// Whether two places have bits in common. Bits of different names never do.
fn overlap(a: &Target, b: &Target) -> bool {
    match (a, b) {
        (Target::Bits(field, one), Target::Bits(other, two)) if field == other => one == two,
        (Target::Head(field) | Target::Bits(field, _), Target::Head(other))
        | (Target::Head(field), Target::Bits(other, _)) => field == other,
        _ => false,
    }
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
    view: &View<'a>,
    what: &str,
    said: impl Fn(&Field) -> Option<Span>,
    mistakes: &mut Mistakes,
) -> Option<Found<'a>> {
    let fields = &view.declaration.fields;
    let mut found = fields.iter().filter_map(|field| said(field).map(|span| (field, span)));
    let (field, _) = found.next()?;
    for (_, span) in found {
        let text = format_args!("a second {what}; `{}` is it already", field.name);
        mistakes.add(span, text);
    }
    view.field(field)
}

/// The place of an integer of the fixed part. `refuse` says what is wrong with an integer, if
/// anything is.
fn integer(
    found: &Found<'_>,
    what: &str,
    refuse: impl Fn(Int) -> Option<&'static str>,
    mistakes: &mut Mistakes,
) -> Option<(usize, Int)> {
    let wrong = match (found.what, &found.target) {
        (What::Int(int), Some(Target::Head(index))) => match refuse(int) {
            None => return Some((*index, int)),
            Some(wrong) => wrong,
        },
        (What::Unclear, _) => return None,
        (What::Auto, _) => "is a value of its own, not `Auto`",
        (What::PartInt(_), _) => {
            let text = format_args!(
                "{what} has a fixed place: put it in front of the first field of varying size"
            );
            mistakes.add(found.field.ident.span(), text);
            return None;
        }
        (What::Trailer, _) => "stands in front of the body",
        _ => "is an integer",
    };
    mistakes.at(&found.field.written, format_args!("{what} {wrong}"));
    None
}

/// Codes and kinds are numbers that `Status::code` can hold.
fn too_wide(int: Int) -> Option<&'static str> {
    matches!(int.name, "u64" | "u128" | "i128").then_some("is at most `u32` or `i64`")
}

/// Whether `value` can be one of what has been found, as far as can be told here.
fn fits(value: &Expr, what: What, mistakes: &mut Mistakes) -> bool {
    match what.range() {
        Some(range) => fits_range(value, &range.name, &range.value, mistakes),
        None => true,
    }
}

/// The name of a variant of `metaproto_core::MessageKind` that a derived codec can have: those of
/// streams need more than a kind.
fn message_kind(kind: &Ident, mistakes: &mut Mistakes) -> bool {
    const KINDS: [&str; 6] = ["Request", "Oneway", "Response", "Ping", "Pong", "GoAway"];
    let name = kind.to_string();
    if KINDS.contains(&name.as_str()) {
        return true;
    }
    let remedy = match name.starts_with("Stream") {
        true => "streams need a codec that is written by hand".to_owned(),
        false => suggest(&name, &KINDS),
    };
    mistakes.add(kind.span(), format_args!("unknown kind `{name}`; {remedy}"));
    false
}

fn timeout(view: &View<'_>, mistakes: &mut Mistakes) -> Option<Timeout> {
    let said = |field: &Field| field.meta.timeout.as_ref().map(|said| said.span);
    let found = single(view, "timeout", said, mistakes)?;
    let refuse = |int: Int| (int.size > 8).then_some("is at most `u64` or `i64`");
    let (field, _) = integer(&found, "a timeout", refuse, mistakes)?;
    let told = &found.field.meta.timeout.as_ref()?.value;
    if let Some(none) = &told.none {
        fits(none, found.what, mistakes);
    }
    // Zero and less mean none anyway.
    let none = told.none.clone().filter(|none| literal(none).is_none_or(|none| none > 0));
    Some(Timeout { field, unit: told.unit, none })
}
