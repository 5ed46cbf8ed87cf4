//! The values that shapes depend on: lengths and counts told elsewhere, and what expressions name.

use std::collections::BTreeSet;

use proc_macro2::{Ident, Literal, TokenStream};
use quote::{format_ident, quote};
use syn::ext::IdentExt;

use super::tokens::{Block, bits_of, scalar_type, signed, tried};
use crate::check::names;
use crate::model::{Cover, Holder, Layout, Length, Part, Role, Shape};

/// The names that expressions of this layout mention.
fn mentioned(layout: &Layout) -> BTreeSet<String> {
    let mut all = BTreeSet::new();
    for part in &layout.parts {
        let tag = match &part.shape {
            Shape::Tagged(tag) => Some(tag),
            _ => None,
        };
        for expr in part.when.iter().chain(tag) {
            all.extend(names(expr).iter().map(|name| name.unraw().to_string()));
        }
    }
    all
}

/// `let name = ..;` for the fields and bits of the fixed part that expressions mention.
pub(super) fn named(layout: &Layout, block: &Block) -> TokenStream {
    let mentioned = mentioned(layout);
    let mut all = Vec::new();
    for field in &layout.head {
        let value = block.read(field);
        if mentioned.contains(&field.name) {
            let (ident, ty) = (&field.ident, scalar_type(field));
            all.push(quote! { let #ident: #ty = #value; });
        }
        for bit in field.bits.iter().filter(|bit| mentioned.contains(&bit.name)) {
            let (ident, value) = (&bit.ident, bits_of(bit, &value));
            all.push(quote! { let #ident = #value; });
        }
    }
    quote! { #(#all)* }
}

/// Whether later expressions mention the value of a part.
pub(super) fn is_named(layout: &Layout, part: &Part) -> bool {
    part.ident.is_some()
        && matches!(part.shape, Shape::Number { .. })
        && matches!(part.role, Role::Value { .. })
        && mentioned(layout).contains(&part.name)
}

/// Whether a length says how far parts go, rather than how far the frame does.
pub(super) fn measures_parts(length: &Length) -> bool {
    matches!(length.covers, Cover::Part(_) | Cover::Window(_) | Cover::Header)
}

pub(super) fn length_ident(place: usize) -> Ident {
    format_ident!("__length_{place}")
}

pub(super) fn count_ident(place: usize) -> Ident {
    format_ident!("__count_{place}")
}

/// `let __length_0 = ..;` for the lengths and counts in the fixed part.
pub(super) fn measures(layout: &Layout, block: &Block) -> TokenStream {
    let mut all = Vec::new();
    for (place, length) in layout.lengths.iter().enumerate() {
        let Some(field) = super::lengths::holder(layout, length) else { continue };
        let needed = measures_parts(length)
            || (length.covers == Cover::Body
                && matches!(layout.framing, crate::model::Framing::Scanned(_)));
        if needed {
            let value = given_length(length, &block.read(field));
            let ident = length_ident(place);
            all.push(quote! { let #ident = #value; });
        }
    }
    for (place, count) in layout.counts.iter().enumerate() {
        let Holder::Head(index) = count.holder else { continue };
        let value = block.read(&layout.head[index]);
        let value = given(&count.name, &value, 1, count.plus);
        let ident = count_ident(place);
        all.push(quote! { let #ident = #value; });
    }
    quote! { #(#all)* }
}

/// The bytes that a length tells, from what stands on the wire.
pub(super) fn given_length(length: &Length, value: &TokenStream) -> TokenStream {
    given(&length.name, value, length.unit, length.plus)
}

pub(super) fn given(name: &str, value: &TokenStream, unit: u64, plus: i64) -> TokenStream {
    let (unit, plus) = (Literal::u64_unsuffixed(unit), signed(plus));
    tried(&quote! {
        ::metaproto_core::__private::given(
            #name, #value as ::core::primitive::u64, #unit, #plus, __cursor,
        )
    })
}

/// When something is written, nobody has to tell how long it is.
pub(super) fn nothing_told(layout: &Layout) -> TokenStream {
    let extents = layout.parts.iter().flat_map(|part| super::shape::extents(&part.shape));
    let idents: BTreeSet<_> = extents.filter_map(super::shape::told).collect();
    let idents = idents.iter();
    quote! { #(let #idents = 0_u64;)* }
}
