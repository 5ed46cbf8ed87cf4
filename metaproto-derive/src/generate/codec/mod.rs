//! `impl Message`, and the way to the protocol.

mod change;
mod describe;
mod kind;
mod parts;
mod show;
mod spec;

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::Expr;
use syn::spanned::Spanned;

use super::is_plain;
use super::tokens::{Block, bits_of, int_type};
use crate::meaning::{Kind, Mapping, Put, Status, Target};
use crate::model::{Bit, Field, Layout, Part};
use crate::parse::{Int, Scalar};

pub(crate) fn codec(layout: &Layout, mapping: &Mapping) -> TokenStream {
    let ident = &layout.ident;
    let spec = spec::spec(layout, mapping);
    let is_plain = is_plain(layout);
    let describe = describe::describe(layout, mapping);
    let describe_parts = parts::describe_parts(layout, mapping);
    let kind = mapping.kind.as_ref().map(|kind| kind::set_kind(kind, layout));
    let request_id = mapping.request_id.as_ref().map(|id| change::set_request_id(id, layout));
    let deadline = change::set_deadline(layout, mapping);
    let reseal = change::reseal(layout, mapping);
    let reply = change::fill_reply(layout, mapping);
    let parts = (!is_plain).then(|| change::parts(layout, mapping));
    let codes = mapping.status.as_ref().map(|status| codes_differ(status, layout));
    let kinds = mapping.kind.as_ref().map(kinds_differ);
    let protocol = protocol(ident, &layout.vis);
    quote! {
        #[automatically_derived]
        impl ::metaproto_core::frame::Message for #ident {
            const SPEC: &'static ::metaproto_core::frame::Spec = &#spec;
            const IS_PLAIN: ::core::primitive::bool = #is_plain;
            #describe
            #describe_parts
            #kind
            #request_id
            #deadline
            #reseal
            #reply
            #parts
        }
        #protocol
        #codes
        #kinds
    }
}

/// `protocol()`, which is all that most users need.
pub(super) fn protocol(ident: &syn::Ident, vis: &syn::Visibility) -> TokenStream {
    let derived = quote! { ::metaproto_core::frame::Derived::<#ident>::new() };
    protocol_function(ident, vis, &derived)
}

/// The same, of what it returns.
pub(super) fn protocol_function(
    ident: &syn::Ident,
    vis: &syn::Visibility,
    made: &TokenStream,
) -> TokenStream {
    quote! {
        #[automatically_derived]
        #[allow(dead_code)]
        impl #ident {
            /// The protocol whose messages these are.
            #[must_use]
            #vis fn protocol() -> ::std::sync::Arc<dyn ::metaproto_core::Protocol> {
                ::std::sync::Arc::new(#made)
            }
        }
    }
}

/// The fixed part of the header.
fn header(layout: &Layout) -> Block {
    Block::new(quote! { __header }, layout.head_size)
}

fn int_of(field: &Field) -> Option<Int> {
    match field.scalar {
        Scalar::Int(int) => Some(int),
        _ => None,
    }
}

/// A field of the fixed part, and perhaps some bits of it.
type Spot<'a> = (&'a Field, Option<&'a Bit>);

/// The field of the fixed part that a target is in, and its bits.
fn head_of<'a>(target: &Target, layout: &'a Layout) -> Option<Spot<'a>> {
    match target {
        Target::Head(field) => Some((layout.head.get(*field)?, None)),
        Target::Bits(field, bit) => {
            let field = layout.head.get(*field)?;
            Some((field, Some(field.bits.get(*bit)?)))
        }
        Target::Part(_) => None,
    }
}

/// The part of this name, and its place.
fn part_of<'a>(name: &str, layout: &'a Layout) -> Option<(usize, &'a Part)> {
    let named = |part: &Part| part.ident.is_some() && part.name == name;
    layout.parts.iter().enumerate().find(|(_, part)| named(part))
}

/// The value of a number, a flag or bytes of the fixed part.
fn value_of(target: &Target, layout: &Layout) -> Option<TokenStream> {
    let (field, bit) = head_of(target, layout)?;
    let value = header(layout).read(field);
    Some(match bit {
        Some(bit) => bits_of(bit, &value),
        None => value,
    })
}

/// A value of the target's type, as `i64`: of the field that it is in.
fn wide(value: &Expr, target: &Target, layout: &Layout) -> TokenStream {
    let ty = head_of(target, layout).and_then(|(field, _)| int_of(field)).map(int_type);
    quote! {{ let __value: #ty = #value; __value as ::core::primitive::i64 }}
}

/// Checks that no code means success. Numbers have been compared; what a named constant is, only the
/// compiler knows.
fn codes_differ(status: &Status, layout: &Layout) -> TokenStream {
    let ok = wide(&status.ok, &status.target, layout);
    let errors = status.errors.iter();
    let codes =
        errors.flat_map(|errors| errors.codes.iter().map(|(_, code)| code).chain([&errors.other]));
    let checks = codes.chain(status.classes.iter().map(|(code, _)| code)).map(|code| {
        let value = wide(code, &status.target, layout);
        quote_spanned! { code.span() =>
            const _: () = ::core::assert!(
                #value != #ok, "this is the ok value; an error needs another code",
            );
        }
    });
    quote! { #(#checks)* }
}

/// Checks that constants differ by which kinds are told apart.
fn kinds_differ(kind: &Kind) -> TokenStream {
    let checks = kind.differ.iter().map(|(a, b)| {
        quote_spanned! { a.span() =>
            const _: () = ::core::assert!(
                { let __value = #a; __value != #b },
                "two kinds have the same value here",
            );
        }
    });
    quote! { #(#checks)* }
}

/// Puts values into the fixed part; `array` is an expression of type `&mut [u8; N]`.
fn puts(all: &[Put], layout: &Layout) -> TokenStream {
    let puts = all.iter().filter_map(|put| {
        let (field, bit) = head_of(&put.target, layout)?;
        let (value, block) = (&put.value, header(layout));
        let Some(bit) = bit else {
            let ty = int_of(field).map(int_type);
            let bytes = match ty {
                Some(ty) => {
                    let value = quote! {{ let __value: #ty = #value; __value }};
                    super::tokens::bytes_of(field.scalar, field.order, &value)
                }
                None => super::tokens::bytes_of_expr(field.scalar, field.order, value),
            };
            return Some(block.put(field.offset, field.scalar, &bytes));
        };
        let ty = int_type(int_of(field)?);
        let (low, mask) = (super::tokens::number(bit.low), super::tokens::mask(bit));
        let bits = match bit.single {
            true => quote! {{ let __flag: ::core::primitive::bool = #value; __flag as #ty }},
            false => quote! {{ let __value: #ty = #value; __value }},
        };
        let old = block.read(field);
        let carrier = quote! { __carrier };
        let bytes = super::tokens::bytes_of(field.scalar, field.order, &carrier);
        let put = block.put(field.offset, field.scalar, &bytes);
        Some(quote! {
            let __mask: #ty = #mask;
            let __bits: #ty = #bits;
            let __carrier: #ty = (#old & !(__mask << #low)) | ((__bits & __mask) << #low);
            #put
        })
    });
    quote! { #(#puts)* }
}
