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

use self::check::{Purpose, Use};
use self::generate::ProtocolOf;

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

/// The layout of a part of a frame.
#[proc_macro_derive(Wire, attributes(frame))]
pub fn wire(input: proc_macro::TokenStream) -> proc_macro::TokenStream {
    expand_wire(&parse_macro_input!(input as DeriveInput)).into()
}

fn expand_wire(input: &DeriveInput) -> TokenStream {
    let (code, report) = match input.data {
        syn::Data::Enum(_) => {
            let mut parsed = parse::choice(input);
            let choice = check::choice(&parsed.choice, Use::Wire, &mut parsed.mistakes);
            (choice.map(|choice| generate::wire_choice(&choice)), parsed.mistakes.report())
        }
        _ => {
            let mut parsed = parse::input(input);
            let mistakes = &mut parsed.layout_mistakes;
            let layout = check::layout(&parsed.declaration, Purpose::Wire, mistakes);
            (layout.map(|layout| generate::wire(&layout)), parsed.layout_mistakes.report())
        }
    };
    match (code, report) {
        (Some(code), None) => code,
        (_, report) => {
            let stub = generate::wire_stub(&input.ident, &input.generics);
            quote::quote! { #report #stub }
        }
    }
}

fn expand_frame(input: &DeriveInput) -> TokenStream {
    if matches!(input.data, syn::Data::Enum(_)) {
        return expand_frames(input);
    }
    let mut parsed = parse::input(input);
    let mistakes = &mut parsed.layout_mistakes;
    let layout = check::layout(&parsed.declaration, Purpose::Frame, mistakes);
    match (layout, parsed.layout_mistakes.report()) {
        (Some(layout), None) => generate::frame(&layout),
        (_, report) => {
            let stub = generate::frame_stub(&parsed.declaration);
            quote::quote! { #report #stub }
        }
    }
}

fn expand_frames(input: &DeriveInput) -> TokenStream {
    let mut parsed = parse::choice(input);
    let choice = check::choice(&parsed.choice, Use::Frame, &mut parsed.mistakes);
    match (choice, parsed.mistakes.report()) {
        (Some(choice), None) => generate::frames(&choice),
        (_, report) => {
            let stub = generate::frames_stub(&input.ident, &input.generics);
            quote::quote! { #report #stub }
        }
    }
}

fn expand_codec(input: &DeriveInput) -> TokenStream {
    if matches!(input.data, syn::Data::Enum(_)) {
        return expand_messages(input);
    }
    let mut parsed = parse::input(input);
    // Mistakes in the layout are what `Frame` reports.
    let mistakes = &mut parsed.layout_mistakes;
    let layout = check::layout(&parsed.declaration, Purpose::Frame, mistakes);
    let mistakes = &mut parsed.mapping_mistakes;
    let mapping = check::mapping(&parsed.declaration, layout.as_ref(), mistakes);
    let layout = layout.filter(|_| parsed.layout_mistakes.is_empty());
    match (layout, mapping, parsed.mapping_mistakes.report()) {
        (Some(layout), Some(mapping), None) => generate::codec(&layout, &mapping),
        (_, _, report) => {
            let stub = generate::codec_stub(&parsed.declaration);
            quote::quote! { #report #stub }
        }
    }
}

fn expand_messages(input: &DeriveInput) -> TokenStream {
    let mut parsed = parse::choice(input);
    // Mistakes in the variants are what `Frame` reports.
    let choice = check::choice(&parsed.choice, Use::Frame, &mut parsed.mistakes);
    let declared = &parsed.choice;
    let sharing = check::variants_protocol(declared, &mut parsed.mapping_mistakes);
    let none = syn::LitStr::new("", input.ident.span());
    let protocol = ProtocolOf {
        name: declared.meta.protocol.as_ref().unwrap_or(&none),
        aliases: declared.meta.aliases.as_deref().unwrap_or_default(),
        sharing: sharing.as_ref(),
    };
    let code = generate::messages(&declared.ident, &declared.vis, choice.as_ref(), &protocol);
    match parsed.mapping_mistakes.report() {
        None => code,
        Some(report) => quote::quote! { #report #code },
    }
}

#[cfg(test)]
mod tests;
