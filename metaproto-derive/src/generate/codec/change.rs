//! What is changed in a message, in place or when it is written anew.

use std::collections::BTreeSet;

use proc_macro2::TokenStream;
use quote::quote;

use super::describe::{nanoseconds, none};
use super::{header, int_of, part_of, puts};
use crate::generate::bindings::nothing_told;
use crate::generate::head::trailer_template;
use crate::generate::shape::shape;
use crate::generate::tokens::{bytes_of, int_type, number};
use crate::generate::write::own_parts;
use crate::meaning::{Mapping, Property, RequestId, Target};
use crate::model::{Checksum, Edge, Field, Layout};

pub(super) fn set_request_id(id: &RequestId, layout: &Layout) -> TokenStream {
    let field = &layout.head[id.field];
    let (name, ty) = (&field.name, int_of(field).map(int_type));
    let width = number(field.scalar.width());
    let put = put_value(field, layout);
    quote! {
        #[inline]
        fn set_request_id(
            __header: &mut Self::Header,
            __id: ::core::primitive::u64,
        ) -> ::core::result::Result<(), ::metaproto_core::EncodeError> {
            match ::metaproto_core::__private::request_id::<#ty>(#name, __id, #width) {
                ::core::result::Result::Ok(__value) => {
                    #put
                    ::core::result::Result::Ok(())
                }
                ::core::result::Result::Err(__error) => ::core::result::Result::Err(__error),
            }
        }
    }
}

/// Puts `__value` into a field.
fn put_value(field: &Field, layout: &Layout) -> TokenStream {
    let value = bytes_of(field.scalar, field.order, &quote! { __value });
    header(layout).put(field.offset, field.scalar, &value)
}

/// `fn set_deadline`, if the deadline can be changed in place.
pub(super) fn set_deadline(layout: &Layout, mapping: &Mapping) -> Option<TokenStream> {
    let timeout = mapping.timeout.as_ref()?;
    if layout.sealed_by(timeout.field).is_some() {
        return None;
    }
    let field = &layout.head[timeout.field];
    let int = int_of(field)?;
    let (ty, none, unit) = (int_type(int), none(timeout, layout), nanoseconds(timeout.unit));
    let max = proc_macro2::Literal::i128_unsuffixed(*int.range().end());
    let put = put_value(field, layout);
    Some(quote! {
        fn set_deadline(
            __header: &mut Self::Header,
            __remaining: ::core::time::Duration,
        ) -> ::core::result::Result<(), ::metaproto_core::EncodeError> {
            let __value =
                ::metaproto_core::__private::time_left(__remaining, #none, #unit, #max) as #ty;
            #put
            ::core::result::Result::Ok(())
        }
    })
}

/// `fn reseal`, if there are checksums that change with what is changed in place.
pub(super) fn reseal(layout: &Layout, mapping: &Mapping) -> Option<TokenStream> {
    let id = mapping.request_id.as_ref().map(|id| id.field);
    let changed = id.into_iter().chain(mapping.timeout.as_ref().map(|timeout| timeout.field));
    let names: BTreeSet<&str> = changed
        .flat_map(|field| layout.proofs(field))
        .filter(|checksum| checksum.is_in_head())
        .map(|checksum| checksum.name.as_str())
        .collect();
    let checksums = layout.checksums.iter().filter(|c| names.contains(c.name.as_str()));
    let fills: Vec<_> = checksums.filter_map(|checksum| fill(checksum, layout)).collect();
    if fills.is_empty() {
        return None;
    }
    Some(quote! {
        fn reseal(__header: &mut Self::Header) {
            #(#fills)*
        }
    })
}

fn fill(checksum: &Checksum, layout: &Layout) -> Option<TokenStream> {
    let Edge::Head(holder) = checksum.holder else { return None };
    let field = &layout.head[holder];
    let (with, ty) = (&checksum.with, int_type(int_of(field)?));
    let from = match checksum.first {
        Edge::Head(index) => layout.head[index].offset,
        _ => 0,
    };
    let to = match checksum.last {
        Edge::Head(index) => layout.head[index].offset + layout.head[index].scalar.width(),
        _ => layout.magic.as_ref().map_or(0, |magic| magic.scalar.width()),
    };
    let (from, to) = (number(from), number(to));
    let bytes = bytes_of(field.scalar, field.order, &quote! { __sum });
    let put = header(layout).put(field.offset, field.scalar, &bytes);
    Some(quote! {
        let __sum: #ty = #with(::metaproto_core::__private::part(&__header[..], 0, #from, #to));
        #put
    })
}

/// `fn fill_reply`.
pub(super) fn fill_reply(layout: &Layout, mapping: &Mapping) -> Option<TokenStream> {
    if mapping.reply.is_empty() {
        return None;
    }
    let puts = puts(&mapping.reply, layout);
    Some(quote! {
        fn fill_reply(__header: &mut Self::Header) {
            #puts
        }
    })
}

/// What is needed to change more than the fixed part.
pub(super) fn parts(layout: &Layout, mapping: &Mapping) -> TokenStream {
    let set_part = set_part(layout, mapping);
    let section = section(layout, mapping);
    let rewrite = rewrite(layout);
    quote! { #set_part #section #rewrite }
}

fn set_part(layout: &Layout, mapping: &Mapping) -> Option<TokenStream> {
    let properties = mapping.properties.iter().enumerate();
    let arms: Vec<_> = properties.filter_map(|(place, one)| set_one(place, one, layout)).collect();
    if arms.is_empty() {
        return None;
    }
    let nothing_told = nothing_told(layout);
    Some(quote! {
        fn set_part(
            &mut self,
            __property: ::core::primitive::usize,
            __text: &::core::primitive::str,
        ) -> ::core::result::Result<(), ::metaproto_core::EncodeError> {
            #nothing_told
            match __property {
                #(#arms)*
                _ => {
                    return ::core::result::Result::Err(
                        ::metaproto_core::EncodeError::Unsupported("setting this property"),
                    );
                }
            }
            ::core::result::Result::Ok(())
        }
    })
}

fn set_one(place: usize, property: &Property, layout: &Layout) -> Option<TokenStream> {
    let Target::Part(name) = &property.target else { return None };
    let (_, part) = part_of(name, layout)?;
    let (ident, shape, place) = (part.ident.as_ref()?, shape(part), number(place));
    let parsed = quote! {
        match ::metaproto_core::frame::parts::Part::parse(&#shape, __text) {
            ::core::result::Result::Ok(__value) => __value,
            ::core::result::Result::Err(__error) => {
                return ::core::result::Result::Err(::metaproto_core::__private::part_error(
                    #name, ::core::option::Option::Some(__error),
                ));
            }
        }
    };
    let set = match part.when {
        None => quote! { self.#ident = #parsed; },
        Some(_) => quote! {
            match &mut self.#ident {
                ::core::option::Option::Some(__place) => *__place = #parsed,
                ::core::option::Option::None => {
                    return ::core::result::Result::Err(::metaproto_core::__private::part_error(
                        #name, ::core::option::Option::None,
                    ));
                }
            }
        },
    };
    Some(quote! { #place => { #set } })
}

fn section(layout: &Layout, mapping: &Mapping) -> Option<TokenStream> {
    let arms = mapping.sections.iter().enumerate().filter_map(|(place, section)| {
        let (_, part) = part_of(&section.part, layout)?;
        let (ident, place) = (part.ident.as_ref()?, number(place));
        let section = match part.when {
            None => quote! { ::core::option::Option::Some(&mut self.#ident) },
            Some(_) => quote! { self.#ident.as_mut() },
        };
        Some(quote! { #place => #section, })
    });
    let arms: Vec<_> = arms.collect();
    if arms.is_empty() {
        return None;
    }
    Some(quote! {
        fn section(
            &mut self,
            __index: ::core::primitive::usize,
        ) -> ::core::option::Option<&mut ::metaproto_core::Section> {
            match __index {
                #(#arms)*
                _ => ::core::option::Option::None,
            }
        }
    })
}

fn rewrite(layout: &Layout) -> TokenStream {
    let (ident, size) = (&layout.ident, number(layout.trailer_size));
    let (own, template) = (own_parts(layout), trailer_template(layout));
    let copies = layout.checksums.iter().any(Checksum::spans_body);
    let body = match &layout.body {
        Some(ident) => quote! { &self.#ident },
        None => quote! { &::metaproto_core::Bytes::new() },
    };
    quote! {
        fn rewrite(
            &self,
            __header: Self::Header,
            __trailer: &[::core::primitive::u8],
            __out: &mut ::metaproto_core::Output,
        ) -> ::core::result::Result<(), ::metaproto_core::EncodeError> {
            let __trailer = match __trailer.first_chunk::<#size>() {
                ::core::option::Option::Some(__trailer) => *__trailer,
                ::core::option::Option::None => #template,
            };
            let __body = #body;
            ::metaproto_core::__private::write_around(
                __out, __body, #size, #copies,
                |__copied, __out| <#ident>::__write_around(
                    __header, #own __copied, __body.len(), __trailer, __out,
                ),
            )
        }
    }
}
