//! What the checksums prove.

use syn::Ident;
use syn::ext::IdentExt;

use super::Walk;
use crate::mistakes::{Mistakes, suggest};
use crate::model::{Checksum, Edge};

pub(super) fn resolve(walk: &Walk<'_>, mistakes: &mut Mistakes) -> Vec<Checksum> {
    let fields = walk.measures.checksums().iter().map(|index| &walk.declaration.fields[*index]);
    let mut all = Vec::new();
    for field in fields {
        let (Some(said), Some(holder)) = (&field.frame.checksum, walk.edge(&field.name)) else {
            continue;
        };
        let start = match (&walk.declaration.frame.magic, walk.head.is_empty()) {
            (Some(_), _) => Edge::Magic,
            (None, false) => Edge::Head(0),
            (None, true) => Edge::Part(0),
        };
        let (first, last) = match &said.value.over {
            None => (Some(start), before(walk, holder)),
            Some((first, last)) => (edge(walk, first, mistakes), edge(walk, last, mistakes)),
        };
        let (Some(first), Some(last)) = (first, last) else {
            if said.value.over.is_none() {
                let text = "there is nothing in front of it; say what it covers: `over = a..=b`";
                mistakes.add(said.span, text);
            }
            continue;
        };
        if first > last {
            mistakes.add(said.span, "name the field that comes first in front: `over = a..=b`");
        } else if (first..=last).contains(&holder) {
            let text = "a checksum can't cover itself; name fields in front of it or behind it: \
                        `over = a..=b`";
            mistakes.add(said.span, text);
        }
        let (with, name) = (said.value.with.clone(), field.name.clone());
        all.push(Checksum { with, name, first, last, holder });
    }
    all
}

/// The field in front.
fn before(walk: &Walk<'_>, holder: Edge) -> Option<Edge> {
    let last_head = match walk.head.len() {
        0 => walk.declaration.frame.magic.as_ref().map(|_| Edge::Magic),
        len => Some(Edge::Head(len - 1)),
    };
    let last_part = walk.parts.len().checked_sub(1).map(Edge::Part).or(last_head);
    match holder {
        Edge::Head(0) => walk.declaration.frame.magic.as_ref().map(|_| Edge::Magic),
        Edge::Head(index) => Some(Edge::Head(index - 1)),
        Edge::Trailer(0) => walk.body.map(|_| Edge::Body).or(last_part),
        Edge::Trailer(index) => Some(Edge::Trailer(index - 1)),
        _ => None,
    }
}

fn edge(walk: &Walk<'_>, ident: &Ident, mistakes: &mut Mistakes) -> Option<Edge> {
    let name = ident.unraw().to_string();
    let found = walk.edge(&name);
    if found.is_none() {
        let known: Vec<_> = walk.declaration.fields.iter().map(|f| f.name.as_str()).collect();
        let text = format_args!("no field is named `{name}`; {}", suggest(&name, &known));
        mistakes.add(ident.span(), text);
    }
    found
}
