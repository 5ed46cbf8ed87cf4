//! Texts that are made of values.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::LitStr;

use super::{head_of, header, value_of};
use crate::meaning::{Piece, Target};
use crate::model::{Layout, Part};

/// Names the operation by a text made of values; `frame` is an expression for the bytes that texts
/// are in. Values of parts are in `__shown_..`.
pub(super) fn composed(pieces: &[Piece], layout: &Layout, frame: &TokenStream) -> TokenStream {
    let (mut format, mut values) = (String::new(), Vec::new());
    for piece in pieces {
        match piece {
            Piece::Text(text) => format.push_str(&text.replace('{', "{{").replace('}', "}}")),
            Piece::Value(target, shown) => {
                let colon = if shown.is_empty() { "" } else { ":" };
                format.push_str(&format!("{{{colon}{shown}}}"));
                values.push(value(target, layout, frame));
            }
        }
    }
    let format = LitStr::new(&format, proc_macro2::Span::call_site());
    quote! { __metadata.compose_operation(::core::format_args!(#format, #(#values),*)); }
}

fn value(target: &Target, layout: &Layout, frame: &TokenStream) -> TokenStream {
    if let Target::Part(name) = target {
        let shown = shown(name);
        return quote! { #shown };
    }
    match head_of(target, layout) {
        Some((field, None)) if super::int_of(field).is_none() => {
            let range = header(layout).text(field);
            quote! { ::metaproto_core::__private::Shown::text(#frame, #range) }
        }
        _ => value_of(target, layout).unwrap_or_default(),
    }
}

/// The variable that holds what a part says.
pub(super) fn shown(part: &str) -> proc_macro2::Ident {
    format_ident!("__shown_{}", part)
}

/// Whether the part is a number.
pub(super) fn is_number(part: &Part) -> bool {
    matches!(part.shape, crate::model::Shape::Number { .. })
}
