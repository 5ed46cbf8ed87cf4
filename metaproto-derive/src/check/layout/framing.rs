//! How the length of the frame is found.

use super::lengths::Measured;
use super::{Purpose, Walk};
use crate::mistakes::Mistakes;
use crate::model::{Cover, Extent, Framing, Holder, Length, NumberForm, Shape, Total};

/// `None` with mistakes.
pub(super) fn framing(
    walk: &Walk<'_>,
    measured: &Measured,
    purpose: Purpose,
    mistakes: &mut Mistakes,
) -> Option<Framing> {
    if purpose == Purpose::Wire {
        return part_of_a_frame(walk, measured, mistakes);
    }
    let before = mistakes.count();
    let whole = |length: &Length| matches!(length.covers, Cover::Frame | Cover::Rest | Cover::Body);
    let mut whole = measured.lengths.iter().enumerate().filter(|(_, length)| whole(length));
    let first = whole.next();
    for ((_, second), (_, first)) in whole.zip(first) {
        let text =
            format_args!("a second length; `{}` tells the length of the frame already", first.name);
        mistakes.add(second.span, text);
    }
    let unclear = measured.unclear
        || walk.unclear
        || walk.declaration.frame.unclear
        || walk.declaration.fields.iter().any(|field| field.frame.unclear || field.ty.is_none());
    let end = end(walk, first.map(|(_, length)| length), unclear, mistakes);
    if unclear || mistakes.count() > before {
        return None;
    }
    if end == End::Fixed {
        return Some(Framing::Fixed);
    }
    let framing = match first {
        Some((place, Length { covers: Cover::Frame, .. })) => Framing::Head(Total::Frame(place)),
        Some((place, Length { covers: Cover::Rest, holder: Holder::Head(at), .. })) => {
            let field = &walk.head[*at];
            Framing::Head(Total::Rest(place, field.offset + field.scalar.width()))
        }
        Some((_, Length { covers: Cover::Rest, holder: Holder::Part(at), .. })) => {
            Framing::Scanned(Some(*at))
        }
        _ => match sum(walk, measured) {
            Some(total) => Framing::Head(total),
            None => Framing::Scanned(None),
        },
    };
    rests(walk, measured, &framing, mistakes);
    Some(framing)
}

#[derive(PartialEq, Eq)]
enum End {
    Fixed,
    Open,
}

/// Looks at how the frame ends: fixed, or with parts or a body whose length is told.
fn end(walk: &Walk<'_>, length: Option<&Length>, unclear: bool, mistakes: &mut Mistakes) -> End {
    let (declaration, fixed) = (walk.declaration, walk.declaration.frame.fixed);
    let has_length = length.is_some() || (unclear && walk.measures.has_length());
    match (walk.body, fixed) {
        (Some(_), Some(span)) => {
            mistakes.add(span, "a frame with a body is not `fixed`; drop one of the two");
        }
        (None, Some(span)) if !walk.parts.is_empty() => {
            let text = "a frame with fields of varying size is not `fixed`; drop it";
            mistakes.add(span, text);
        }
        (None, Some(span)) => {
            if let Some(length) = length {
                let text = "a frame that is `fixed` has no length to tell; for a constant one \
                            write `constant = N`";
                mistakes.add(length.span, text);
            }
            if walk.offset == Some(0) {
                mistakes.add(span, "a frame takes at least one byte; this one has no fields");
            }
            return End::Fixed;
        }
        // What could not be understood may be what is missing.
        _ if unclear => {}
        (None, None) if walk.parts.is_empty() => {
            let text = "how does this frame end? Add `#[frame(body)] body: Bytes` as its last \
                        field, or mark the struct `#[frame(fixed)]` if it has no body";
            mistakes.add(declaration.ident.span(), text);
        }
        (Some(body), None) if !has_length => {
            let text = format_args!(
                "nothing tells how long `{}` is: mark an integer before it \
                 `#[frame(length(of = body))]`, or `#[frame(length(of = frame))]` if it counts the \
                 header too",
                body.name
            );
            mistakes.add(body.ident.span(), text);
        }
        _ => {}
    }
    End::Open
}

/// The lengths that, taken together, are that of the frame; `None` if the parts must be walked
/// through.
fn sum(walk: &Walk<'_>, measured: &Measured) -> Option<Total> {
    let trailer: usize = walk.trailer.iter().map(|field| field.scalar.width()).sum();
    let mut fixed = walk.offset? + trailer;
    let mut lengths = Vec::new();
    let in_head = |length: &Length| matches!(length.holder, Holder::Head(_));
    for (place, length) in measured.lengths.iter().enumerate() {
        if length.covers == Cover::Body && in_head(length) {
            lengths.push(place);
        }
    }
    if lengths.is_empty() && walk.body.is_some() {
        return None;
    }
    let header = measured.lengths.iter().position(|l| l.covers == Cover::Header && in_head(l));
    if let Some(header) = header {
        lengths.push(header);
        return Some(Total::Sum(lengths, trailer));
    }
    let mut index = 0;
    while index < walk.parts.len() {
        let window = measured.lengths.iter().position(|length| match &length.covers {
            Cover::Window(parts) => *parts.start() == index && in_head(length),
            Cover::Part(part) => *part == index && in_head(length),
            _ => false,
        });
        match (window, constant(walk, index)) {
            (Some(place), _) => {
                if let Cover::Window(parts) = &measured.lengths[place].covers {
                    index = *parts.end();
                }
                lengths.push(place);
            }
            (None, Some(size)) => fixed += size,
            (None, None) => return None,
        }
        index += 1;
    }
    Some(Total::Sum(lengths, fixed))
}

/// The size of a part that always takes the same number of bytes.
fn constant(walk: &Walk<'_>, index: usize) -> Option<usize> {
    let part = &walk.parts[index];
    match &part.shape {
        _ if part.when.is_some() => None,
        Shape::Number { scalar, form: NumberForm::Fixed(_) } | Shape::Array { scalar, .. } => {
            Some(scalar.width())
        }
        Shape::Padding { skip, align: 1 } => Some(*skip),
        _ => None,
    }
}

/// Reports parts that go on to the end of something that has no end.
fn rests(walk: &Walk<'_>, measured: &Measured, framing: &Framing, mistakes: &mut Mistakes) {
    let is_rest = |extent: &Option<Extent>| matches!(extent, Some(Extent::Rest));
    for (index, part) in walk.parts.iter().enumerate() {
        let rest = match &part.shape {
            Shape::Block(extent) => matches!(extent, Extent::Rest),
            Shape::List { bytes, count, .. } | Shape::Section { bytes, count, .. } => {
                is_rest(bytes) || is_rest(count)
            }
            _ => false,
        };
        let (true, Some(ident)) = (rest, &part.ident) else { continue };
        // Of windows in windows the inner one ends first.
        let window = measured.lengths.iter().filter_map(|length| match &length.covers {
            Cover::Window(parts) if parts.contains(&index) => Some(*parts.end()),
            Cover::Header => Some(walk.parts.len().saturating_sub(1)),
            _ => None,
        });
        let window = window.min().map(|end| end == index);
        let last = index + 1 == walk.parts.len();
        let told = !matches!(framing, Framing::Scanned(None));
        let text = match window {
            Some(true) => continue,
            Some(false) => {
                "`rest` takes all that the length in front of it covers; it must be \
                            the last field there"
            }
            None if walk.body.is_some() => {
                "what is left is the body; give this field a length of its own"
            }
            None if !told => {
                "the rest of what? Nothing tells how long the frame is: add an \
                              integer with `length(of = frame)` or `length(of = rest)`"
            }
            None if !last => "`rest` takes all there is; it must be the last field",
            None => continue,
        };
        mistakes.add(ident.span(), text);
    }
}

/// A struct inside of a frame: it needs no length, but nothing of a frame either.
fn part_of_a_frame(
    walk: &Walk<'_>,
    measured: &Measured,
    mistakes: &mut Mistakes,
) -> Option<Framing> {
    let said = &walk.declaration.frame;
    if let Some(span) = said.fixed {
        mistakes.add(span, "only a frame is `fixed`; drop it");
    }
    if let Some(body) = walk.body {
        let text = "only a frame has a body; use `prefix = u32`, or `rest` for all that is left";
        mistakes.add(body.ident.span(), text);
    }
    for index in walk.measures.checksums() {
        let text = "only a frame has a checksum; cover this part by one of the frame";
        mistakes.add(walk.declaration.fields[*index].ident.span(), text);
    }
    for length in &measured.lengths {
        if let Cover::Frame | Cover::Body | Cover::Header | Cover::Rest = length.covers {
            let text = "here a length counts fields: `length(of = items)`, `length(of = a..=b)`";
            mistakes.add(length.span, text);
        }
    }
    for (said, key) in [(&said.max_len, "max_len"), (&said.max_header, "max_header")] {
        if let Some(value) = said {
            mistakes.at(value, format_args!("only a frame has a `{key}`"));
        }
    }
    let empty = walk.parts.is_empty() && walk.offset == Some(0);
    if empty && walk.declaration.fields.is_empty() {
        mistakes.add(walk.declaration.ident.span(), "there are no fields here");
    }
    (!measured.unclear).then_some(Framing::Fixed)
}
