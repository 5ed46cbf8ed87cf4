//! Enums, and whether their variants can be told apart.

use syn::{Expr, ExprLit, Lit};

use super::layout::{UNKNOWN, part};
use super::value::fits;
use crate::mistakes::Mistakes;
use crate::model::{Alternative, By, Choice, Extent, Shape};
use crate::parse::{
    By as SaidBy, Choice as Declared, Form, Held, Int, Order, Scalar, Variant, literal,
};

/// What the enum is for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Use {
    /// Each variant is a frame.
    Frame,
    /// Each variant is a part of a frame.
    Wire,
}

/// The choice; `None` with mistakes.
pub(crate) fn choice(declared: &Declared, usage: Use, mistakes: &mut Mistakes) -> Option<Choice> {
    let before = mistakes.count();
    let order = declared.order.unwrap_or(Order::Big);
    let by = by(declared, usage, order, mistakes)?;
    let mut alternatives = Vec::new();
    for variant in &declared.variants {
        alternatives.extend(alternative(variant, &by, usage, order, mistakes));
    }
    distinct(&declared.variants, &by, mistakes);
    if mistakes.count() > before {
        return None;
    }
    Some(Choice { ident: declared.ident.clone(), by, alternatives })
}

fn by(declared: &Declared, usage: Use, order: Order, mistakes: &mut Mistakes) -> Option<By> {
    let Some(said) = &declared.by else {
        if declared.variants.iter().any(|variant| variant.magic.is_some()) {
            return Some(By::Magic(order));
        }
        if declared.unclear {
            return None;
        }
        if usage == Use::Wire {
            return Some(By::GivenTag);
        }
        let text = "what tells the variants apart? Add `#[frame(tag(u8, at = 1))]` for a number \
                    in the frame, `#[frame(choose = magic)]` for the constants that they start \
                    with, or `#[frame(choose = side)]` for who has sent it";
        mistakes.add(declared.ident.span(), text);
        return None;
    };
    match (&said.value, usage) {
        (SaidBy::Tag(tag), Use::Wire) => {
            if let Some(at) = &tag.at {
                let text = "the tag stands in front; for one elsewhere drop it here, and write \
                            `#[frame(tag = field)]` on the field of this type";
                mistakes.add(at.span, text);
            }
            Some(By::OwnTag(tag.form.value, order))
        }
        (SaidBy::Tag(tag), Use::Frame) => {
            let Form::Fixed(int) = tag.form.value else {
                let text = "its place must be known: use `u8`, `u16` or `u32`";
                mistakes.add(tag.form.span, text);
                return None;
            };
            let at = tag.at.as_ref().map_or(0, |at| at.value);
            let (low, high) = tag.bits.unwrap_or((0, int.width * 8 - 1));
            let mask = u64::MAX >> (63 - (high - low));
            Some(By::TagAt { form: tag.form.value, order, at, low, mask })
        }
        (SaidBy::Magic, _) => Some(By::Magic(order)),
        (SaidBy::Side, Use::Frame) => Some(By::Side),
        (SaidBy::Side, Use::Wire) => {
            mistakes.add(said.span, "only frames are chosen by who has sent them");
            None
        }
    }
}

fn alternative(
    variant: &Variant,
    by: &By,
    usage: Use,
    order: Order,
    mistakes: &mut Mistakes,
) -> Option<Alternative> {
    told(variant, by, usage, mistakes);
    let magic = match (&variant.magic, by) {
        (Some(value), By::Magic(_)) if usage == Use::Wire => {
            Some((value.clone(), magic(value, mistakes)?))
        }
        _ => None,
    };
    let (ty, part) = match &variant.fields {
        Held::Wrong => return None,
        Held::Nothing if usage == Use::Frame => {
            let text = "a variant holds the frame that it stands for: `Request(Request)`";
            mistakes.add(variant.ident.span(), text);
            return None;
        }
        Held::Nothing => (None, None),
        Held::One(field) if usage == Use::Frame => (Some(field.written.clone()), None),
        Held::One(field) if variant.other.is_some() && matches!(by, By::OwnTag(..)) => {
            (Some(field.written.clone()), None)
        }
        Held::One(field) => {
            let part = part(order, field, mistakes)?;
            let open = matches!(&part.shape, Shape::Block(Extent::Length(at))
                if matches!(UNKNOWN, Extent::Length(unknown) if *at == unknown));
            let unbounded = matches!(
                &part.shape,
                Shape::List { count: None, bytes: None, .. }
                    | Shape::Section { count: None, bytes: None, .. }
            );
            if open || unbounded {
                let text = "nothing tells how long this is: say `#[frame(prefix = u16)]`, or \
                            `#[frame(rest)]` for all that is left";
                mistakes.at(&field.written, text);
            }
            (Some(field.written.clone()), Some(part))
        }
    };
    Some(Alternative {
        ident: variant.ident.clone(),
        tag: variant.tag.clone(),
        magic,
        from_client: variant.from.as_ref().is_some_and(|from| from == "client"),
        other: variant.other.is_some(),
        ty,
        part,
    })
}

/// Whether the variant says what tells it, and nothing else.
fn told(variant: &Variant, by: &By, usage: Use, mistakes: &mut Mistakes) {
    let name = &variant.ident;
    match by {
        By::OwnTag(..) | By::GivenTag | By::TagAt { .. } => {
            if variant.tag.is_none() && variant.other.is_none() {
                let text = format_args!(
                    "which tag means `{name}`? Add `#[frame(tag = 1)]`, or `#[frame(other)]` for \
                     all that no other variant has"
                );
                mistakes.add(name.span(), text);
            }
            if let (By::OwnTag(form, _), Some(tag)) = (by, &variant.tag) {
                one_tag(*form, tag, mistakes);
            }
        }
        By::Magic(_) if usage == Use::Wire && variant.magic.is_none() => {
            let text =
                format_args!("what does `{name}` start with? Add `#[frame(magic = b\"XY\")]`");
            mistakes.add(name.span(), text);
        }
        By::Magic(_) => {}
        By::Side => {
            if variant.from.is_none() {
                let text = format_args!(
                    "who sends `{name}`? Add `#[frame(from = client)]` or `#[frame(from = server)]`"
                );
                mistakes.add(name.span(), text);
            }
        }
    }
}

/// The tag is written too: it must be one value.
fn one_tag(form: Form, tag: &Expr, mistakes: &mut Mistakes) {
    let int = match form {
        Form::Fixed(int) => Some(int),
        _ => Int::named("u64"),
    };
    match tag {
        Expr::Lit(ExprLit { lit: Lit::Int(_) | Lit::Byte(_), .. }) | Expr::Path(_) => {
            if let (Some(int), Some(number)) = (int, literal(tag))
                && !int.range().contains(&number)
            {
                let (min, max) = (*int.range().start(), *int.range().end());
                mistakes.at(tag, format_args!("does not fit the tag, which is {min} to {max}"));
            }
        }
        _ => mistakes.at(tag, "this is written as well as read: give it one value, `tag = 1`"),
    }
}

fn magic(value: &Expr, mistakes: &mut Mistakes) -> Option<Scalar> {
    let scalar = match value {
        Expr::Lit(ExprLit { lit: Lit::ByteStr(bytes), .. }) if !bytes.value().is_empty() => {
            Some(Scalar::Bytes(bytes.value().len()))
        }
        Expr::Lit(ExprLit { lit: Lit::Int(int), .. }) => Int::named(int.suffix()).map(Scalar::Int),
        _ => None,
    };
    let Some(scalar) = scalar else {
        let text = "say how wide the magic is: `magic = 0xdabb_u16` or `magic = b\"XY\"`";
        mistakes.at(value, text);
        return None;
    };
    fits(value, scalar, mistakes).then_some(scalar)
}

/// Reports two variants that nothing tells apart.
fn distinct(variants: &[Variant], by: &By, mistakes: &mut Mistakes) {
    let mut seen: Vec<(i128, &Variant)> = Vec::new();
    for variant in variants {
        let Some(number) = variant.tag.as_ref().and_then(literal) else { continue };
        if let Some((_, first)) = seen.iter().find(|(earlier, _)| *earlier == number) {
            let text = format_args!("the tag {number} means `{}` already", first.ident);
            mistakes.at(&variant.tag, text);
        }
        seen.push((number, variant));
    }
    let mut others = variants.iter().filter_map(|variant| Some((variant, variant.other?)));
    if let (Some((first, _)), Some((_, second))) = (others.next(), others.next()) {
        let text = format_args!("`{}` takes all other tags already", first.ident);
        mistakes.add(second, text);
    }
    if matches!(by, By::Side) {
        for side in ["client", "server"] {
            let mut from = variants.iter().filter_map(|v| v.from.as_ref().filter(|f| *f == side));
            if let (Some(_), Some(second)) = (from.next(), from.next()) {
                mistakes.add(second.span(), format_args!("a second variant from the {side}"));
            }
        }
    }
}
