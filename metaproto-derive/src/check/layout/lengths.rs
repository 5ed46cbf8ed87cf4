//! What the lengths and counts measure.

use proc_macro2::Span;
use syn::Ident;

use super::Walk;
use crate::mistakes::{Mistakes, suggest};
use crate::model::{Count, Cover, Edge, Extent, Holder, Length, Role, Shape};
use crate::parse::{Count as SaidCount, Field as Declared, Target};

/// The fields that measure, by their place in the struct, in order.
#[derive(Default)]
pub(super) struct Measures {
    lengths: Vec<usize>,
    counts: Vec<usize>,
    checksums: Vec<usize>,
}

impl Measures {
    /// Gives a role that has a place in a table its place.
    pub(super) fn note(
        &mut self,
        index: usize,
        field: &Declared,
        role: Option<Role>,
    ) -> Option<Role> {
        let place = |table: &mut Vec<usize>| {
            table.push(index);
            table.len() - 1
        };
        match role {
            // One that is wrong in itself is a length still: nothing else is to be missed.
            None if field.frame.length.is_some() => {
                place(&mut self.lengths);
                None
            }
            Some(Role::Length(_)) => Some(Role::Length(place(&mut self.lengths))),
            Some(Role::Count(_)) => Some(Role::Count(place(&mut self.counts))),
            Some(Role::Checksum) => {
                place(&mut self.checksums);
                Some(Role::Checksum)
            }
            other => other,
        }
    }

    pub(super) fn has_length(&self) -> bool {
        !self.lengths.is_empty()
    }

    pub(super) fn checksums(&self) -> &[usize] {
        &self.checksums
    }
}

/// What they measure.
#[derive(Default)]
pub(super) struct Measured {
    pub(super) lengths: Vec<Length>,
    pub(super) counts: Vec<Count>,
    /// Something could not be found out; this has been reported.
    pub(super) unclear: bool,
}

/// Looks up what every length and count measures, and tells the parts that are measured so.
pub(super) fn resolve(walk: &mut Walk<'_>, mistakes: &mut Mistakes) -> Measured {
    let before = mistakes.count();
    let mut measured = Measured::default();
    for place in 0..walk.measures.lengths.len() {
        let field = &walk.declaration.fields[walk.measures.lengths[place]];
        let covers = cover(walk, field, mistakes);
        let holder = holder(walk, &field.name);
        let (Some(said), Some(covers), Some(holder)) = (&field.frame.length, covers, holder) else {
            measured.unclear = true;
            continue;
        };
        let covers = in_order(field, holder, covers, mistakes);
        not_aligned(walk, field, holder, &covers, mistakes);
        if let Cover::Part(part) = covers {
            given(walk, part, Extent::Length(place), said.span, mistakes);
        }
        let (unit, plus) = (said.value.unit, said.value.plus);
        let (name, span) = (field.name.clone(), said.span);
        measured.lengths.push(Length { holder, name, covers, unit, plus, span });
    }
    for place in 0..walk.measures.counts.len() {
        let field = &walk.declaration.fields[walk.measures.counts[place]];
        if let Some(count) = count(walk, field, place, mistakes) {
            measured.counts.push(count);
        }
    }
    unmeasured(walk, &measured, mistakes);
    measured.unclear |= mistakes.count() > before;
    measured
}

fn holder(walk: &Walk<'_>, name: &str) -> Option<Holder> {
    match walk.edge(name)? {
        Edge::Head(index) => Some(Holder::Head(index)),
        Edge::Part(index) => Some(Holder::Part(index)),
        _ => None,
    }
}

impl Walk<'_> {
    /// The field of this name.
    pub(super) fn edge(&self, name: &str) -> Option<Edge> {
        let head = self.head.iter().position(|field| field.name == name).map(Edge::Head);
        let named = |part: &crate::model::Part| part.ident.is_some() && part.name == name;
        let part = || self.parts.iter().position(named).map(Edge::Part);
        let body = || self.body.filter(|body| body.name == name).map(|_| Edge::Body);
        let trailer = || self.trailer.iter().position(|field| field.name == name);
        head.or_else(part).or_else(body).or_else(|| trailer().map(Edge::Trailer))
    }
}

fn cover(walk: &Walk<'_>, field: &Declared, mistakes: &mut Mistakes) -> Option<Cover> {
    let (first, last) = match &field.frame.length.as_ref()?.value.of {
        Target::Frame => return Some(Cover::Frame),
        Target::Body => return Some(Cover::Body),
        Target::Header => return Some(Cover::Header),
        Target::Rest => return Some(Cover::Rest),
        Target::Fields(first, last) => (first, last),
        Target::Unknown => return None,
    };
    let one = first == last;
    let edges = (measurable(walk, first, one, mistakes)?, measurable(walk, last, one, mistakes)?);
    match edges {
        (Edge::Body, Edge::Body) => Some(Cover::Body),
        (Edge::Part(part), Edge::Part(_)) if one && is_open(&walk.parts[part].shape) => {
            Some(Cover::Part(part))
        }
        (Edge::Part(first), Edge::Part(last)) if first <= last => Some(Cover::Window(first..=last)),
        (Edge::Part(_), Edge::Body) => {
            mistakes.add(last.span(), "for everything up to the end write `of = rest`");
            None
        }
        _ => {
            mistakes.add(first.span(), "write the field that comes first in front: `a..=b`");
            None
        }
    }
}

/// Whether the part asks somebody else how long it is.
fn is_open(shape: &Shape) -> bool {
    match shape {
        Shape::Block(extent) => matches!(extent, Extent::Length(_)),
        Shape::List { bytes, count: None, .. } | Shape::Section { bytes, count: None, .. } => {
            bytes.is_none()
        }
        _ => false,
    }
}

fn measurable(walk: &Walk<'_>, ident: &Ident, one: bool, mistakes: &mut Mistakes) -> Option<Edge> {
    use syn::ext::IdentExt;
    let name = ident.unraw().to_string();
    match walk.edge(&name) {
        Some(edge @ (Edge::Part(_) | Edge::Body)) => Some(edge),
        Some(_) => {
            let text = format_args!(
                "`{name}` always takes the same number of bytes; a length tells of fields that vary"
            );
            mistakes.add(ident.span(), text);
            None
        }
        None => {
            let parts = walk.parts.iter().filter(|part| part.ident.is_some());
            let body = walk.body.map(|body| body.name.as_str());
            let mut known: Vec<&str> =
                if one { vec!["frame", "body", "header", "rest"] } else { vec![] };
            known.extend(parts.map(|part| part.name.as_str()).chain(body.filter(|_| !one)));
            let declared = walk.declaration.fields.iter().find(|field| field.name == name);
            // What is wrong with the field itself has been reported.
            if declared.is_none() {
                let text = format_args!(
                    "`{name}` is nothing that has a length here; {}",
                    suggest(&name, &known)
                );
                mistakes.add(ident.span(), text);
            }
            None
        }
    }
}

fn in_order(field: &Declared, holder: Holder, covers: Cover, mistakes: &mut Mistakes) -> Cover {
    let Holder::Part(at) = holder else { return covers };
    let first = match &covers {
        Cover::Part(part) => *part,
        Cover::Window(parts) => *parts.start(),
        Cover::Frame | Cover::Header => {
            let text = "this counts bytes in front of it, too; where it stands itself must be \
                        known for that: count what follows, `length(of = rest)`";
            mistakes.add(field.ident.span(), text);
            return covers;
        }
        Cover::Body | Cover::Rest => return covers,
    };
    if first <= at {
        let text = "a length must stand in front of what it measures";
        mistakes.add(field.ident.span(), text);
    }
    covers
}

/// A length behind the fixed part is written before it is known where the parts behind it start.
fn not_aligned(
    walk: &Walk<'_>,
    field: &Declared,
    holder: Holder,
    covers: &Cover,
    mistakes: &mut Mistakes,
) {
    let parts = match (holder, covers) {
        (Holder::Part(_), Cover::Window(parts)) => parts.clone(),
        (Holder::Part(at), Cover::Rest) => at..=walk.parts.len().saturating_sub(1),
        _ => return,
    };
    let is_aligned =
        |part: &crate::model::Part| matches!(part.shape, Shape::Padding { align, .. } if align > 1);
    if walk.parts.get(parts).is_some_and(|parts| parts.iter().any(is_aligned)) {
        let text = "this counts bytes whose number depends on where they start: put the length in \
                    front of the first field of varying size, or use `pad_before` instead of `align_before`";
        mistakes.add(field.ident.span(), text);
    }
}

fn given(walk: &mut Walk<'_>, part: usize, extent: Extent, span: Span, mistakes: &mut Mistakes) {
    let slot = match &mut walk.parts[part].shape {
        Shape::Block(slot) => slot,
        Shape::List { count, bytes, .. } | Shape::Section { count, bytes, .. } => {
            let slot = if matches!(extent, Extent::Count(_)) { count } else { bytes };
            if slot.is_some() {
                mistakes.add(span, "this is told already; keep one of them");
            }
            *slot = Some(extent);
            return;
        }
        _ => return,
    };
    if !matches!(slot, Extent::Length(usize::MAX)) {
        mistakes.add(span, "this is told already; keep one of them");
    }
    *slot = extent;
}

fn count(
    walk: &mut Walk<'_>,
    field: &Declared,
    place: usize,
    mistakes: &mut Mistakes,
) -> Option<Count> {
    let said = field.frame.count.as_ref()?;
    let SaidCount::Of { field: of, plus } = &said.value else { return None };
    let holder = holder(walk, &field.name)?;
    let Some(Edge::Part(part)) = walk.edge(&of.to_string()) else {
        let lists = walk.parts.iter().filter(|part| is_counted(&part.shape));
        let lists: Vec<_> = lists.map(|part| part.name.as_str()).collect();
        let name = of.to_string();
        let remedy = match lists.is_empty() {
            true => "lists and sections do: `items: Vec<u32>`".to_owned(),
            false => suggest(&name, &lists),
        };
        mistakes.add(of.span(), format_args!("`{name}` is nothing that has items; {remedy}"));
        return None;
    };
    if !is_counted(&walk.parts[part].shape) {
        mistakes.add(of.span(), format_args!("`{of}` is not a list; use `length(of = {of})`"));
        return None;
    }
    if matches!(holder, Holder::Part(at) if at >= part) {
        mistakes.add(field.ident.span(), "a count must stand in front of what it counts");
    }
    given(walk, part, Extent::Count(place), said.span, mistakes);
    Some(Count { holder, name: field.name.clone(), part, plus: *plus })
}

fn is_counted(shape: &Shape) -> bool {
    matches!(shape, Shape::List { .. } | Shape::Section { .. })
}

/// Reports parts of which nothing tells how long they are.
fn unmeasured(walk: &Walk<'_>, measured: &Measured, mistakes: &mut Mistakes) {
    if measured.unclear {
        return;
    }
    for part in &walk.parts {
        let Some(ident) = &part.ident else { continue };
        let name = &part.name;
        match &part.shape {
            Shape::Block(Extent::Length(usize::MAX)) => {
                let text = format_args!(
                    "nothing tells how long `{name}` is: give it a `prefix = u16`, a terminator \
                     `until = b\"\\0\"`, an integer in front of it with `length(of = {name})`, or \
                     mark it `body`"
                );
                mistakes.add(ident.span(), text);
            }
            Shape::List { count: None, bytes: None, .. }
            | Shape::Section { count: None, bytes: None, .. } => {
                let text = format_args!(
                    "nothing tells where `{name}` ends: give it a `count = u16`, a `prefix = u16` \
                     in bytes, an integer in front of it with `count(of = {name})` or \
                     `length(of = {name})`, or `rest`"
                );
                mistakes.add(ident.span(), text);
            }
            _ => {}
        }
    }
}
