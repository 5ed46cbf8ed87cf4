//! Access to the bits that have names.

use proc_macro2::{Ident, Literal, TokenStream};
use quote::{format_ident, quote};

use super::tokens::{int_type, mask, number};
use crate::model::{Bit, Field, Layout};
use crate::parse::Scalar;

pub(super) fn accessors(layout: &Layout) -> TokenStream {
    let (ident, vis) = (&layout.ident, &layout.vis);
    let mut all = Vec::new();
    for field in layout.head.iter().chain(&layout.trailer) {
        all.extend(field.bits.iter().map(|bit| accessor(field, bit, vis)));
    }
    if all.is_empty() {
        return TokenStream::new();
    }
    quote! {
        #[automatically_derived]
        #[allow(dead_code)]
        impl #ident {
            #(#all)*
        }
    }
}

fn accessor(field: &Field, bit: &Bit, vis: &syn::Visibility) -> TokenStream {
    let Scalar::Int(int) = field.scalar else { return TokenStream::new() };
    let (ty, carrier, get) = (int_type(int), &field.ident, &bit.ident);
    let set = format_ident!("set_{}", bit.name);
    let constant = mask_name(field, bit);
    let bits = (u64::MAX >> (64 - bit.len)) << bit.low;
    let (bits, low) = (Literal::u64_unsuffixed(bits), number(bit.low));
    let place = match bit.len {
        1 => format!("bit {} of `{}`", bit.low, field.name),
        len => format!("the bits {} to {} of `{}`", bit.low, bit.low + len - 1, field.name),
    };
    let (mask_doc, get_doc) = (format!("The place of {place}."), format!("What {place} say."));
    let set_doc = format!("Sets {place}.");
    if bit.single {
        return quote! {
            #[doc = #mask_doc]
            #vis const #constant: #ty = #bits;
            #[doc = #get_doc]
            #[inline]
            #[must_use]
            #vis const fn #get(&self) -> ::core::primitive::bool {
                self.#carrier & Self::#constant != 0
            }
            #[doc = #set_doc]
            #[inline]
            #vis const fn #set(&mut self, __value: ::core::primitive::bool) {
                self.#carrier = match __value {
                    true => self.#carrier | Self::#constant,
                    false => self.#carrier & !Self::#constant,
                };
            }
        };
    }
    let (name, max) = (&bit.name, mask(bit));
    let set_doc = format!("{set_doc}\n\n# Errors\n`InvalidValue` if `value` has more bits.");
    quote! {
        #[doc = #mask_doc]
        #vis const #constant: #ty = #bits;
        #[doc = #get_doc]
        #[inline]
        #[must_use]
        #vis const fn #get(&self) -> #ty {
            (self.#carrier & Self::#constant) >> #low
        }
        #[doc = #set_doc]
        #[inline]
        #[allow(unused_comparisons)]
        #vis fn #set(
            &mut self,
            value: #ty,
        ) -> ::core::result::Result<(), ::metaproto_core::EncodeError> {
            if value > #max {
                return ::core::result::Result::Err(
                    ::metaproto_core::__private::too_wide(#name, value as ::core::primitive::u64, #max),
                );
            }
            self.#carrier = (self.#carrier & !Self::#constant) | (value << #low);
            ::core::result::Result::Ok(())
        }
    }
}

/// The bits as a `BitsInfo`.
pub(super) fn bits_info(bit: &Bit) -> TokenStream {
    let (name, low, len, single) = (&bit.name, number(bit.low), number(bit.len), bit.single);
    quote! {
        ::metaproto_core::frame::BitsInfo { name: #name, low: #low, len: #len, single: #single }
    }
}

fn mask_name(field: &Field, bit: &Bit) -> Ident {
    format_ident!("{}_{}", field.name.to_uppercase(), bit.name.to_uppercase())
}
