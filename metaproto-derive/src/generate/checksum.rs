//! Checksums: filled in when a frame is written, proved when it is read.

use proc_macro2::TokenStream;
use quote::quote;

use super::tokens::{bytes_of, int_type, number, tried};
use crate::model::{Checksum, Edge, Field, Layout};
use crate::parse::Scalar;

/// Where a field starts or ends, counted from the start of the frame; `starts` tells where parts do
/// (and, last, where the body does), `end` where the body ends.
struct Places {
    starts: fn(usize) -> TokenStream,
    end: TokenStream,
}

impl Places {
    fn start(&self, layout: &Layout, edge: Edge) -> TokenStream {
        match edge {
            Edge::Magic => quote! { 0 },
            Edge::Head(index) => {
                let offset = number(layout.head[index].offset);
                quote! { #offset }
            }
            Edge::Part(index) => (self.starts)(index),
            Edge::Body => (self.starts)(layout.parts.len()),
            Edge::Trailer(index) => {
                let (end, offset) = (&self.end, number(layout.trailer[index].offset));
                quote! { #end.saturating_add(#offset) }
            }
        }
    }

    fn stop(&self, layout: &Layout, edge: Edge) -> TokenStream {
        let after = |field: &Field| number(field.offset + field.scalar.width());
        match edge {
            Edge::Magic => {
                let width = layout.magic.as_ref().map_or(0, |magic| magic.scalar.width());
                let width = number(width);
                quote! { #width }
            }
            Edge::Head(index) => {
                let end = after(&layout.head[index]);
                quote! { #end }
            }
            Edge::Part(index) => (self.starts)(index + 1),
            Edge::Body => self.end.clone(),
            Edge::Trailer(index) => {
                let (end, after) = (&self.end, after(&layout.trailer[index]));
                quote! { #end.saturating_add(#after) }
            }
        }
    }
}

fn field<'a>(layout: &'a Layout, checksum: &Checksum) -> Option<&'a Field> {
    match checksum.holder {
        Edge::Head(index) => layout.head.get(index),
        Edge::Trailer(index) => layout.trailer.get(index),
        _ => None,
    }
}

/// Fills them in: the frame is in `__out`, from `__start` on.
pub(super) fn fill(layout: &Layout) -> TokenStream {
    if layout.checksums.is_empty() {
        return TokenStream::new();
    }
    let head = number(layout.head_size);
    let starts = |index: usize| {
        let index = number(index);
        quote! { __starts[#index] }
    };
    let trailer = number(layout.trailer_size);
    let end = quote! { __length.saturating_sub(#trailer) };
    let places = Places { starts, end };
    let count = number(layout.parts.len() + 1);
    let fills = layout.checksums.iter().filter_map(|checksum| {
        let field = field(layout, checksum)?;
        let Scalar::Int(int) = field.scalar else { return None };
        let (with, ty) = (&checksum.with, int_type(int));
        let from = places.start(layout, checksum.first);
        let to = places.stop(layout, checksum.last);
        let at = places.start(layout, checksum.holder);
        let bytes = bytes_of(field.scalar, field.order, &quote! { __sum });
        let fill = quote! {
            let __sum: #ty = #with(::metaproto_core::__private::part(__out, __start, #from, #to));
            ::metaproto_core::__private::overwrite(
                __out, __start.saturating_add(#at), &#bytes,
            );
        };
        // Without the body the frame keeps the checksum of it.
        Some(match checksum.is_of_body() {
            true => quote! { if __body.len() == __body_len { #fill } },
            false => fill,
        })
    });
    quote! {
        let __length = __out.len().saturating_sub(__start);
        let __starts: [::core::primitive::usize; #count] =
            ::metaproto_core::__private::starts(#head, &__sizes);
        let _ = __starts;
        #(#fills)*
    }
}

/// `fn verify`, and `fn checksums`, which tells what they must be; the frame is whole, and its parts
/// have been located.
pub(super) fn verify(layout: &Layout) -> Option<TokenStream> {
    let trailer = super::tokens::Block::new(quote! { __trailer }, layout.trailer_size);
    let constants = super::head::check_trailer(layout, &trailer);
    if layout.checksums.is_empty() && constants.is_empty() {
        return None;
    }
    let size = number(layout.trailer_size);
    let constants = (!constants.is_empty()).then(|| {
        quote! {
            if let ::core::option::Option::Some(__trailer) = __frame.last_chunk::<#size>() {
                #constants
            }
        }
    });
    let (checksums, prove) = match layout.checksums.is_empty() {
        true => (None, quote! { ::core::result::Result::Ok(()) }),
        false => (Some(checksums(layout)), prove()),
    };
    Some(quote! {
        fn verify(
            __frame: &[::core::primitive::u8],
            __starts: &Self::Starts,
        ) -> ::core::result::Result<(), ::metaproto_core::DecodeError> {
            let _ = __starts;
            #constants
            #prove
        }
        #checksums
    })
}

fn prove() -> TokenStream {
    quote! {
        <Self as ::metaproto_core::frame::Frame>::checksums(
            __frame,
            __starts,
            |__name, __place, __right| {
                ::metaproto_core::__private::prove(__frame, __name, __place, __right)
            },
        )
    }
}

fn checksums(layout: &Layout) -> TokenStream {
    let size = number(layout.trailer_size);
    let starts = |index: usize| {
        let index = number(index);
        quote! { __starts[#index] }
    };
    let places = Places { starts, end: quote! { __frame.len().saturating_sub(#size) } };
    let each = layout.checksums.iter().filter_map(|checksum| {
        let field = field(layout, checksum)?;
        let Scalar::Int(int) = field.scalar else { return None };
        let (with, ty, name) = (&checksum.with, int_type(int), &checksum.name);
        let (from, to) = (places.start(layout, checksum.first), places.stop(layout, checksum.last));
        let at = places.start(layout, checksum.holder);
        let end = places.stop(layout, checksum.holder);
        let bytes = bytes_of(field.scalar, field.order, &quote! { __sum });
        let told = tried(&quote! { __each(#name, #at..#end, &#bytes) });
        Some(quote! {
            let __sum: #ty = #with(::metaproto_core::__private::part(__frame, 0, #from, #to));
            #told;
        })
    });
    quote! {
        #[inline]
        fn checksums<__E>(
            __frame: &[::core::primitive::u8],
            __starts: &Self::Starts,
            mut __each: impl ::core::ops::FnMut(
                &'static ::core::primitive::str,
                ::core::ops::Range<::core::primitive::usize>,
                &[::core::primitive::u8],
            ) -> ::core::result::Result<(), __E>,
        ) -> ::core::result::Result<(), __E> {
            let _ = __starts;
            #(#each)*
            ::core::result::Result::Ok(())
        }
    }
}
