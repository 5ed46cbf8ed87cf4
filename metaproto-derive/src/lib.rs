//! Derive macros of metaproto. Use them through `metaproto_core`, which documents every attribute.
//!
//! Three steps, each of which knows only the one before: `parse` turns tokens into attributes,
//! `check` turns attributes into a `model` that makes sense, `generate` turns the model into
//! code. Mistakes are collected on the way and reported together; with mistakes a stub is generated,
//! so that the users of the struct do not fail as well.

use proc_macro2::TokenStream;
use syn::{DeriveInput, parse_macro_input};

mod check;
mod generate;
mod meaning;
mod mistakes;
mod model;
mod parse;

use self::check::Purpose;

/// The layout of a frame.
#[proc_macro_derive(Frame, attributes(frame))]
pub fn frame(input: proc_macro::TokenStream) -> proc_macro::TokenStream {
    expand_frame(&parse_macro_input!(input as DeriveInput)).into()
}

/// The meaning of a frame's fields, which makes a codec of it.
#[proc_macro_derive(Codec, attributes(frame, meta))]
pub fn codec(input: proc_macro::TokenStream) -> proc_macro::TokenStream {
    expand_codec(&parse_macro_input!(input as DeriveInput)).into()
}

fn expand_frame(input: &DeriveInput) -> TokenStream {
    let mut parsed = parse::input(input);
    let layout = check::layout(&parsed.declaration, Purpose::Frame, &mut parsed.layout_mistakes);
    match (layout, parsed.layout_mistakes.report()) {
        (Some(layout), None) => generate::frame(&layout),
        (_, report) => {
            let stub = generate::frame_stub(&parsed.declaration);
            quote::quote! { #report #stub }
        }
    }
}

fn expand_codec(input: &DeriveInput) -> TokenStream {
    let mut parsed = parse::input(input);
    // Mistakes in the layout are what `Frame` reports.
    let layout = check::layout(&parsed.declaration, Purpose::Frame, &mut parsed.layout_mistakes);
    let mapping =
        check::mapping(&parsed.declaration, layout.as_ref(), &mut parsed.mapping_mistakes);
    let layout = layout.filter(|_| parsed.layout_mistakes.is_empty());
    match (layout, mapping, parsed.mapping_mistakes.report()) {
        (Some(layout), Some(mapping), None) => generate::codec(&layout, &mapping),
        (_, _, report) => {
            let stub = generate::codec_stub(&parsed.declaration);
            quote::quote! { #report #stub }
        }
    }
}

#[cfg(test)]
mod tests;
