//! The parts of a frame, one after the other: to pass over them, to read them, to explain them.

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};

use super::bindings::{
    count_ident, given, given_length, is_named, length_ident, measures, measures_parts, named,
};
use super::shape::{borrowed, with_module};
use super::tokens::{Block, number, tried};
use crate::model::{Cover, Framing, Layout, Part, Role, Shape};

/// What is done with each part.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Pass {
    /// Remembers where it is; can be resumed.
    Locate,
    /// Makes a local variable of it.
    Read,
    /// Notes what it says.
    Explain,
}

/// The name of the variable that holds a part.
pub(super) fn variable(part: &Part) -> Ident {
    match &part.ident {
        Some(ident) => format_ident!("__part_{}", ident),
        None => format_ident!("__padding"),
    }
}

/// The code for all parts. `__header` is the fixed part, `__cursor` stands behind it.
pub(super) fn parts(layout: &Layout, pass: Pass) -> TokenStream {
    let block = Block::new(quote! { __header }, layout.head_size);
    let (names, measures) = (named(layout, &block), measures(layout, &block));
    let steps = layout.parts.iter().enumerate().map(|(index, part)| {
        let (open, close) = (windows_from(layout, index, pass), windows_to(layout, index));
        let step = step(part, index, pass);
        let told = told(layout, part, index, pass);
        quote! { #open #step #told #close }
    });
    let size = number(layout.head_size);
    let is_padding = |part: &Part| matches!(part.shape, Shape::Padding { .. });
    let origin = layout.parts.iter().any(is_padding).then(|| {
        quote! { let __origin = __cursor.position().saturating_sub(#size); }
    });
    quote! { #origin #names #measures #(#steps)* }
}

fn step(part: &Part, index: usize, pass: Pass) -> TokenStream {
    let (name, shape, place) = (&part.name, borrowed(part), number(index));
    let shape = match part.shape {
        Shape::Padding { .. } => quote! { &(#shape).from(__origin) },
        _ => shape,
    };
    let with = with_module(part);
    let variable = variable(part);
    let tried = |call: TokenStream| tried(&quote! {{ #with #call }});
    match pass {
        Pass::Locate => {
            let passed = tried(quote! { __located.pass(#place, __cursor, #name, #shape) });
            quote! { #passed; }
        }
        Pass::Read => {
            let read = tried(quote! {
                ::metaproto_core::__private::read(__cursor, #name, #shape)
            });
            quote! { let #variable = #read; }
        }
        Pass::Explain => {
            let explained = tried(quote! {
                ::metaproto_core::__private::explain(__cursor, #name, #shape, __notes)
            });
            quote! { #explained; }
        }
    }
}

/// The value of a part, for those behind it that need it.
fn told(layout: &Layout, part: &Part, index: usize, pass: Pass) -> TokenStream {
    let needed = match part.role {
        Role::Length(_) | Role::Count(_) => true,
        _ => is_named(layout, part),
    };
    if !needed {
        return TokenStream::new();
    }
    let (shape, variable, place) = (borrowed(part), variable(part), number(index));
    let value = match pass {
        Pass::Read => quote! { #variable },
        Pass::Locate => tried(&quote! { __located.again(#place, __cursor, #shape) }),
        Pass::Explain => {
            tried(&quote! { ::metaproto_core::__private::again(__cursor, __begin, #shape) })
        }
    };
    match part.role {
        Role::Length(place) => {
            let length = &layout.lengths[place];
            let (ident, value) = (length_ident(place), given_length(length, &value));
            let settles = (pass == Pass::Locate && length.covers == Cover::Rest).then(|| {
                quote! {
                    if __located.settle(__cursor, #ident, 0) {
                        return ::core::result::Result::Ok(());
                    }
                }
            });
            quote! { let #ident = #value; let _ = #ident; #settles }
        }
        Role::Count(place) => {
            let count = &layout.counts[place];
            let (ident, value) = (count_ident(place), given(&count.name, &value, 1, count.plus));
            quote! { let #ident = #value; }
        }
        _ => {
            let ident = &part.ident;
            quote! { let #ident = #value; }
        }
    }
}

fn window(place: usize) -> Ident {
    format_ident!("__window_{place}")
}

/// The windows that begin with this part.
fn windows_from(layout: &Layout, index: usize, pass: Pass) -> TokenStream {
    let windows = layout.lengths.iter().enumerate().filter_map(|(place, length)| {
        let from_start = match &length.covers {
            Cover::Window(parts) => *parts.start() == index,
            Cover::Header => index == 0,
            _ => false,
        };
        if !from_start || !measures_parts(length) {
            return None;
        }
        let (ident, bytes) = (window(place), length_ident(place));
        let start = match (length.covers == Cover::Header, pass) {
            (true, _) => quote! { 0_u64 },
            (false, Pass::Locate) => {
                let index = number(index);
                quote! { __located.start(#index) as ::core::primitive::u64 }
            }
            (false, _) => quote! { __cursor.position() as ::core::primitive::u64 },
        };
        let limited = tried(&quote! { __cursor.limit((#start).saturating_add(#bytes)) });
        let name = &length.name;
        Some(quote! { __cursor.enter(#name); let #ident = #limited; })
    });
    // What is read again to know its value starts here.
    let part = &layout.parts[index];
    let again = pass == Pass::Explain
        && (matches!(part.role, Role::Length(_) | Role::Count(_)) || is_named(layout, part));
    let begin = again.then(|| quote! { let __begin = __cursor.position(); });
    quote! { #(#windows)* #begin }
}

/// The windows that end with this part.
fn windows_to(layout: &Layout, index: usize) -> TokenStream {
    let windows = layout.lengths.iter().enumerate().rev().filter_map(|(place, length)| {
        let to_end = match &length.covers {
            Cover::Window(parts) => *parts.end() == index,
            Cover::Header => index + 1 == layout.parts.len(),
            _ => false,
        };
        let (name, ident) = (&length.name, window(place));
        to_end.then(|| {
            let left = tried(&quote! { __cursor.leave(#ident) });
            quote! { __cursor.enter(#name); #left; }
        })
    });
    quote! { #(#windows)* }
}

/// `fn locate`, for frames that have parts.
pub(super) fn locate(layout: &Layout) -> Option<TokenStream> {
    let scanned = matches!(layout.framing, Framing::Scanned(_));
    if layout.parts.is_empty() && !scanned {
        return None;
    }
    let (size, parts) = (number(layout.head_size), parts(layout, Pass::Locate));
    let header = tried(&quote! { __cursor.array::<#size>() });
    let settles = matches!(layout.framing, Framing::Scanned(None)).then(|| {
        let body = layout.lengths.iter().position(|length| length.covers == Cover::Body);
        let body = body.map(length_ident).map_or(quote! { 0_u64 }, |ident| quote! { #ident });
        let trailer = number(layout.trailer_size);
        quote! { __located.settle(__cursor, #body, #trailer); }
    });
    Some(quote! {
        fn locate(
            __cursor: &mut ::metaproto_core::frame::parts::Cursor<'_>,
            __located: &mut ::metaproto_core::frame::Located<Self::Starts>,
        ) -> ::core::result::Result<(), ::metaproto_core::frame::parts::Stop> {
            __cursor.seek(0);
            __cursor.enter("header");
            let __header = &#header;
            __located.begin(#size);
            #parts
            #settles
            ::core::result::Result::Ok(())
        }
    })
}
