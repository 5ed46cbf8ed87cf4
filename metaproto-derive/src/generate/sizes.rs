//! Sizes of parts, and the parts that tell them.

use std::collections::BTreeSet;

use proc_macro2::{Ident, Literal, TokenStream};
use quote::{format_ident, quote};

use super::shape::{borrowed, with_module};
use super::tokens::{int_type, number, primitive, signed, tried};
use super::walk::variable;
use super::write::{context, parameters, put_counts};
use crate::model::{Cover, Layout, Length, NumberForm, Part, Role, Shape};
use crate::parse::Scalar;

/// The size of everything behind the fixed part, as a sum of expressions.
fn size_of_part(part: &Part, value: &TokenStream) -> TokenStream {
    let (shape, with) = (borrowed(part), with_module(part));
    quote! {{ #with ::metaproto_core::frame::parts::Part::size(#shape, #value) }}
}

/// The number type of a part that tells a length or a count.
fn told_type(part: &Part) -> TokenStream {
    match part.shape {
        Shape::Number { scalar: Scalar::Int(int), .. } => int_type(int),
        _ => primitive("u64"),
    }
}

/// The most that fits such a part.
fn told_max(part: &Part) -> Literal {
    let bits = match part.shape {
        Shape::Number { scalar: Scalar::Int(int), form: NumberForm::Fixed(_) } => int.width * 8,
        Shape::Number { scalar: Scalar::Int(int), .. } => int.size * 8,
        _ => 64,
    };
    Literal::u64_unsuffixed(u64::MAX >> (64 - bits.clamp(1, 64)))
}

/// Which sizes of parts have to be known.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Sizes {
    All,
    /// Those that some part tells.
    Told,
}

/// `let part = ..;` for the parts that follow from others, and `let size = ..;`: last first, so that
/// each finds the sizes of those behind it. No size is found out twice, else values nested in each
/// other would cost twice as much with each level.
pub(super) fn automatic(layout: &Layout, body: &TokenStream, sizes: Sizes) -> TokenStream {
    let told: BTreeSet<usize> = layout
        .parts
        .iter()
        .enumerate()
        .flat_map(|(index, part)| match part.role {
            Role::Length(place) => covered_parts(layout, &layout.lengths[place], index),
            _ => Vec::new(),
        })
        .collect();
    let all = layout.parts.iter().enumerate().rev().map(|(index, part)| {
        let value = automatic_value(layout, index, part, body);
        let is_needed = sizes == Sizes::All || told.contains(&index);
        let size = (is_needed && !is_padding(part)).then(|| {
            let (ident, variable) = (size_ident(index), variable(part));
            let size = size_of_part(part, &quote! { #variable });
            quote! { let #ident: ::core::primitive::usize = #size; }
        });
        quote! { #value #size }
    });
    quote! { #(#all)* }
}

/// `let part = ..;` if it follows from others.
fn automatic_value(
    layout: &Layout,
    index: usize,
    part: &Part,
    body: &TokenStream,
) -> Option<TokenStream> {
    let (variable, ty, name, max) = (variable(part), told_type(part), &part.name, told_max(part));
    let (amount, unit, plus) = match part.role {
        Role::Length(place) => {
            let length = &layout.lengths[place];
            (covered(layout, length, index, body), length.unit, length.plus)
        }
        Role::Count(place) => {
            let count = &layout.counts[place];
            let of = self::variable(&layout.parts[count.part]);
            (quote! { ::metaproto_core::__private::count_of(#of) }, 1, count.plus)
        }
        _ => return None,
    };
    let (unit, plus) = (Literal::u64_unsuffixed(unit), signed(plus));
    let value = tried(&quote! {
        ::metaproto_core::__private::wire_value(#name, #amount, #unit, #plus, #max)
    });
    Some(quote! { let #variable = &(#value as #ty); })
}

fn is_padding(part: &Part) -> bool {
    matches!(part.shape, Shape::Padding { .. })
}

fn size_ident(index: usize) -> Ident {
    format_ident!("__size_{index}")
}

/// The parts that the length in the part at `index` covers.
fn covered_parts(layout: &Layout, length: &Length, index: usize) -> Vec<usize> {
    match &length.covers {
        Cover::Part(part) => vec![*part],
        Cover::Window(parts) => parts.clone().collect(),
        Cover::Body => Vec::new(),
        // Padding by alignment is not known yet; a length like this one has none behind it.
        _ => (index + 1..layout.parts.len()).collect(),
    }
}

/// The bytes that the length in the part at `index` covers.
fn covered(layout: &Layout, length: &Length, index: usize, body: &TokenStream) -> TokenStream {
    if length.covers == Cover::Body {
        return quote! { #body };
    }
    let sizes = covered_parts(layout, length, index).into_iter();
    let sizes = sizes.map(|index| match layout.parts[index].shape {
        Shape::Padding { skip, .. } => {
            let skip = number(skip);
            quote! { #skip }
        }
        _ => {
            let ident = size_ident(index);
            quote! { #ident }
        }
    });
    let all = quote! { (0 as ::core::primitive::usize) #(.saturating_add(#sizes))* };
    match length.covers {
        Cover::Rest => {
            let trailer = number(layout.trailer_size);
            quote! { #all.saturating_add(#body).saturating_add(#trailer) }
        }
        _ => all,
    }
}

/// `fn __size`: the size of a struct inside of a frame.
pub(super) fn size_function(layout: &Layout) -> TokenStream {
    let parameters = parameters(layout);
    let head = number(layout.head_size);
    let (put_counts, context) = (put_counts(layout), context(layout));
    let automatic = automatic(layout, &quote! { 0 }, Sizes::All);
    let steps = layout.parts.iter().enumerate().map(|(index, part)| {
        let (shape, size) = (borrowed(part), size_ident(index));
        match is_padding(part) {
            true => quote! { __end = __end.saturating_add((#shape).len(__end)); },
            false => quote! { __end = __end.saturating_add(#size); },
        }
    });
    quote! {
        #[allow(clippy::too_many_arguments)]
        fn __size(
            mut __header: [::core::primitive::u8; #head],
            #parameters
        ) -> ::core::result::Result<::core::primitive::usize, ::metaproto_core::EncodeError> {
            let mut __end: ::core::primitive::usize = #head;
            let _ = &mut __header;
            #put_counts
            #context
            #automatic
            #(#steps)*
            ::core::result::Result::Ok(__end)
        }
    }
}
