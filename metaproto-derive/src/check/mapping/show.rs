//! What is shown of a message: properties and the operation.

use proc_macro2::Span;
use syn::LitStr;
use syn::ext::IdentExt;

use super::view::{Found, View, What};
use super::{fits, single};
use crate::meaning::{Operation, Piece, Property, Section, Show};
use crate::mistakes::Mistakes;
use crate::parse::{Field, Piece as Told, Said, Template, ToldProperty, literal};

pub(super) fn properties(
    view: &View<'_>,
    mistakes: &mut Mistakes,
) -> (Vec<Property>, Vec<Section>) {
    let (mut all, mut sections) = (Vec::new(), Vec::new());
    for field in &view.declaration.fields {
        let Some(found) = view.field(field) else { continue };
        if let Some(said) = &field.meta.property {
            property(&found, &field.name, said, &mut all, mistakes);
        }
        if let Some(said) = &field.meta.properties {
            section(&found, said.span, said.value.prefix.as_ref(), &mut sections, mistakes);
        }
    }
    for (ident, said) in &view.declaration.meta.properties {
        if let Some(found) = view.lookup(ident, mistakes) {
            property(&found, &ident.unraw().to_string(), said, &mut all, mistakes);
        }
    }
    (all, sections)
}

fn property(
    found: &Found<'_>,
    own_name: &str,
    said: &Said<ToldProperty>,
    all: &mut Vec<Property>,
    mistakes: &mut Mistakes,
) {
    let told = &said.value;
    let name = told.name.as_ref().map_or_else(|| own_name.to_owned(), LitStr::value);
    let place = told.name.as_ref().map_or(said.span, LitStr::span);
    if name.is_empty() {
        mistakes.add(place, "a property needs a name");
    }
    if let Some(first) = all.iter().find(|first| first.name.eq_ignore_ascii_case(&name)) {
        let text = format_args!("a second property `{}`; case makes no difference", first.name);
        mistakes.add(place, text);
    }
    if found.what == What::Section {
        mistakes.add(said.span, "a section is many properties: `#[meta(properties)]`");
    } else if !shown(found, said.span, "a property", mistakes) {
        return;
    }
    if let (Some(format), false) = (&told.format, found.what.is_number()) {
        mistakes.add(format.span(), "a format is for numbers; this is shown as it is");
    }
    if let (Some((value, _)), false) = (told.names.first(), found.what.is_number()) {
        mistakes.at(value, "names are for the values of numbers");
    }
    names(told, found, mistakes);
    let show = match (&told.format, told.names.is_empty()) {
        (Some(format), _) => Show::Format(format.clone()),
        (None, true) => Show::Plain,
        (None, false) => Show::Names(told.names.clone()),
    };
    if let Some(target) = found.target.clone() {
        let settable = !matches!(show, Show::Format(_));
        all.push(Property { name, target, show, settable });
    }
}

fn names(told: &ToldProperty, found: &Found<'_>, mistakes: &mut Mistakes) {
    for (index, (value, name)) in told.names.iter().enumerate() {
        fits(value, found.what, mistakes);
        let earlier = &told.names[..index];
        let number = literal(value);
        if number.is_some() && earlier.iter().any(|(other, _)| literal(other) == number) {
            mistakes.at(value, "this value has a name already");
        }
        let same = |other: &LitStr| other.value().eq_ignore_ascii_case(&name.value());
        if earlier.iter().any(|(_, other)| same(other)) {
            mistakes.at(name, "another value has this name; case makes no difference");
        }
        if name.value().parse::<i128>().is_ok() {
            mistakes.at(name, "a name that is a number would be taken for the number");
        }
    }
}

/// Whether the value of a field can be shown; reports if not.
fn shown(found: &Found<'_>, span: Span, what: &str, mistakes: &mut Mistakes) -> bool {
    if !found.what.can_be_shown() {
        let text = format_args!("only an integer, bits or text in front of the body can be {what}");
        mistakes.add(span, text);
    }
    found.what.can_be_shown() && found.target.is_some()
}

fn section(
    found: &Found<'_>,
    span: Span,
    prefix: Option<&LitStr>,
    all: &mut Vec<Section>,
    mistakes: &mut Mistakes,
) {
    if found.what == What::Unclear {
        return;
    }
    if found.what != What::Section {
        let text = "only a `Section` is made of properties; for a single value write `property`";
        return mistakes.add(span, text);
    }
    let (place, prefix) =
        prefix.map_or((span, String::new()), |prefix| (prefix.span(), prefix.value()));
    if let Some(other) = all.iter().find(|other| other.prefix.eq_ignore_ascii_case(&prefix)) {
        let text = format_args!(
            "`{}` has the same prefix, so nothing tells which of the two a property is in: \
             `properties(prefix = \"{}.\")`",
            other.part, found.field.name
        );
        mistakes.add(place, text);
    }
    all.push(Section { part: found.field.name.clone(), prefix });
}

pub(super) fn operation(view: &View<'_>, mistakes: &mut Mistakes) -> Option<Operation> {
    let found = single(view, "operation", |field: &Field| field.meta.operation, mistakes);
    match (&view.declaration.meta.operation, found) {
        (Some(said), Some(found)) => {
            let text = format_args!("a second operation; `{}` is it already", found.field.name);
            mistakes.add(said.span, text);
            None
        }
        (Some(said), None) => composed(view, &said.value, mistakes),
        (None, found) => {
            let found = found?;
            let span = found.field.meta.operation?;
            let can = shown(&found, span, "the operation", mistakes);
            can.then_some(Operation::Of(found.target?))
        }
    }
}

fn composed(view: &View<'_>, template: &Template, mistakes: &mut Mistakes) -> Option<Operation> {
    let (before, span) = (mistakes.count(), template.text.span());
    let mut pieces = Vec::new();
    for piece in &template.pieces {
        let (name, format) = match piece {
            Told::Text(text) => {
                pieces.push(Piece::Text(text.clone()));
                continue;
            }
            Told::Field(name, format) => (name, format),
        };
        let name = name.trim_start_matches("r#");
        let Some(found) = view.lookup_text(name, span, mistakes) else { continue };
        if !found.what.can_be_shown() {
            let text = format_args!(
                "`{name}` can't be shown: only an integer, bits or text in front of the body can"
            );
            mistakes.add(span, text);
        }
        if !format.is_empty() && !found.what.is_number() {
            let text = format_args!("`{name}` is no number; write `{{{name}}}`");
            mistakes.add(span, text);
        }
        pieces.extend(found.target.map(|target| Piece::Value(target, format.clone())));
    }
    if mistakes.count() > before {
        return None;
    }
    Some(match &pieces[..] {
        [Piece::Value(target, format)] if format.is_empty() => Operation::Of(target.clone()),
        _ => Operation::Composed(pieces),
    })
}
