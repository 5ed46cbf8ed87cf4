//! The length of a frame, as fields of the fixed part tell it, and those fields, as they follow from
//! what they measure.

use proc_macro2::{Literal, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::Expr;
use syn::spanned::Spanned;

use super::head::{check_constants, constants};
use super::tokens::{Block, number, signed};
use crate::model::{Cover, Field, Framing, Holder, Layout, Length, Total};
use crate::parse::Scalar;

/// How many bytes it takes to tell the length: up to the last byte of the fields that tell it, and
/// of the constants, so that what is not of this protocol is not believed.
pub(super) fn length_needs(layout: &Layout) -> usize {
    let constants = constants(layout).map(|constant| constant.end()).max().unwrap_or(0);
    match &layout.framing {
        Framing::Fixed => constants,
        Framing::Scanned(_) => layout.head_size,
        Framing::Head(total) => {
            let ends = places(total).into_iter().filter_map(|place| {
                let field = holder(layout, &layout.lengths[place])?;
                Some(field.offset + field.scalar.width())
            });
            ends.max().unwrap_or(0).max(constants)
        }
    }
}

fn places(total: &Total) -> Vec<usize> {
    match total {
        Total::Frame(place) | Total::Rest(place, _) => vec![*place],
        Total::Sum(places, _) => places.clone(),
    }
}

/// The field that holds a length, if its place is fixed.
pub(super) fn holder<'a>(layout: &'a Layout, length: &Length) -> Option<&'a Field> {
    match length.holder {
        Holder::Head(index) => layout.head.get(index),
        Holder::Part(_) => None,
    }
}

/// The most that fits the field.
pub(super) fn widest(field: &Field) -> u64 {
    match field.scalar.width() {
        width @ 0..8 => (1_u64 << (width * 8)) - 1,
        _ => u64::MAX,
    }
}

/// The lengths that the total is made of, and what is to be added to their sum in bytes.
fn terms<'a>(layout: &'a Layout, total: &Total) -> (Vec<&'a Length>, i64) {
    let fixed = match total {
        Total::Frame(_) => 0,
        Total::Rest(_, end) => *end,
        Total::Sum(_, fixed) => *fixed,
    };
    let lengths: Vec<_> = places(total).into_iter().map(|place| &layout.lengths[place]).collect();
    let plus: i64 = lengths.iter().map(|l| l.plus.saturating_mul(to_i64(l.unit))).sum();
    (lengths, to_i64(fixed as u64).saturating_sub(plus))
}

fn to_i64(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

pub(super) fn max_length(layout: &Layout) -> TokenStream {
    let widest = match &layout.framing {
        Framing::Fixed => layout.head_size as u64,
        Framing::Scanned(_) => u64::MAX,
        Framing::Head(total) => {
            let (lengths, net) = terms(layout, total);
            let sum = lengths.iter().fold(0_u64, |sum, length| {
                let most = holder(layout, length).map_or(0, widest);
                sum.saturating_add(most.saturating_mul(length.unit))
            });
            sum.saturating_add_signed(net)
        }
    };
    let widest = Literal::u64_unsuffixed(widest);
    match &layout.max_len {
        None => quote! { #widest },
        Some(max) => quote! {{
            let (__max, __widest): (::core::primitive::u64, ::core::primitive::u64) =
                (#max, #widest);
            if __max < __widest { __max } else { __widest }
        }},
    }
}

/// Checks that a frame can be as short as its header.
pub(super) fn max_len_check(max: &Expr, layout: &Layout) -> TokenStream {
    let size = number(layout.head_size + layout.trailer_size);
    quote_spanned! { max.span() =>
        const _: () = {
            let __max: ::core::primitive::u64 = #max;
            ::core::assert!(__max >= #size, "`max_len` is less than the header");
        };
    }
}

/// Checks the constants and computes the length. This is what runs for every frame.
pub(super) fn length(layout: &Layout) -> TokenStream {
    let block = Block::new(quote! { __prefix }, length_needs(layout));
    let checks = check_constants(layout, &block);
    let min = number(layout.head_size + layout.trailer_size);
    let total = match &layout.framing {
        Framing::Fixed => quote! {
            ::core::result::Result::Ok(::core::option::Option::Some(#min))
        },
        Framing::Scanned(_) => quote! { ::core::result::Result::Ok(::core::option::Option::None) },
        Framing::Head(total) => {
            let (lengths, net) = terms(layout, total);
            let name = lengths.first().map_or("frame", |length| &length.name);
            let values = lengths.iter().filter_map(|length| {
                let value = block.read(holder(layout, length)?);
                let unit = Literal::u64_unsuffixed(length.unit);
                Some(match length.unit {
                    1 => quote! { (#value as ::core::primitive::u64) },
                    _ => quote! { (#value as ::core::primitive::u64).saturating_mul(#unit) },
                })
            });
            let sum = values.reduce(|sum, value| quote! { #sum.saturating_add(#value) });
            let net = signed(net);
            quote! {
                ::metaproto_core::__private::total(#name, #sum, #net, #min, Self::MAX_LENGTH)
            }
        }
    };
    quote! {
        #[inline(always)]
        fn length(__prefix: &Self::Prefix) -> ::core::result::Result<
            ::core::option::Option<::core::primitive::usize>,
            ::metaproto_core::DecodeError,
        > {
            let _ = __prefix;
            #checks
            #total
        }
    }
}

/// Whether the length can be written without looking at anything but the size of the whole frame:
/// what is within its bounds fits the field then.
fn follows_from_total(layout: &Layout, length: &Length) -> bool {
    let least = match length.covers {
        Cover::Frame => layout.head_size + layout.trailer_size,
        _ => 0,
    };
    let alone = match &layout.framing {
        Framing::Head(total) => places(total).len() == 1,
        _ => false,
    };
    let whole = match length.covers {
        Cover::Frame | Cover::Rest => true,
        Cover::Body => layout.parts.is_empty(),
        _ => false,
    };
    alone && whole && length.unit == 1 && to_i64(least as u64).saturating_add(length.plus) >= 0
}

/// Makes the header tell the sizes of everything.
pub(super) fn set_lengths(layout: &Layout) -> TokenStream {
    let (parts, lengths) = (part_sizes(layout), told_lengths(layout));
    quote! {
        #[inline]
        fn set_lengths(
            __header: &mut Self::Header,
            __sizes: &Self::Sizes,
            __body: ::core::primitive::usize,
        ) -> ::core::result::Result<(), ::metaproto_core::EncodeError> {
            let _ = &__header;
            let [#(#parts),*] = *__sizes;
            #lengths
            ::core::result::Result::Ok(())
        }
    }
}

/// Puts the lengths into `__header`, as they follow from `__body` and the sizes of the parts.
fn told_lengths(layout: &Layout) -> TokenStream {
    let parts = part_sizes(layout);
    let whole = in_head(layout).find(|(length, _)| follows_from_total(layout, length));
    let fixed = layout.head_size + layout.trailer_size;
    let (name, ty, plus) = match &whole {
        Some((length, field)) => {
            (&*length.name, number_type(field), whole_plus(layout, length, field))
        }
        None => ("frame", super::tokens::primitive("u64"), 0),
    };
    let (plus, fixed) = (signed(plus), number(fixed));
    let value = super::tokens::tried(&quote! {
        ::metaproto_core::__private::wire_length::<#ty>(
            #name,
            __body #(.saturating_add(#parts))*,
            #plus,
            #fixed,
            <Self as ::metaproto_core::frame::Frame>::MAX_LENGTH,
        )
    });
    let puts = put_lengths(layout);
    quote! {
        let __whole = #value;
        let _ = __whole;
        #puts
    }
}

fn number_type(field: &Field) -> TokenStream {
    match field.scalar {
        Scalar::Int(int) => super::tokens::int_type(int),
        _ => super::tokens::primitive("u64"),
    }
}

/// What the length of the whole frame says besides the bytes that vary.
fn whole_plus(layout: &Layout, length: &Length, field: &Field) -> i64 {
    let all = layout.head_size + layout.trailer_size;
    let fixed = match length.covers {
        Cover::Frame => all,
        Cover::Rest => all - (field.offset + field.scalar.width()),
        _ => 0,
    };
    to_i64(fixed as u64).saturating_add(length.plus)
}

fn part_sizes(layout: &Layout) -> Vec<proc_macro2::Ident> {
    (0..layout.parts.len()).map(|index| format_ident!("__size_{index}")).collect()
}

/// The same for a struct inside of a frame.
pub(super) fn lengths_function(layout: &Layout) -> TokenStream {
    let (head, count) = (number(layout.head_size), number(layout.parts.len()));
    let (parts, puts) = (part_sizes(layout), put_lengths(layout));
    quote! {
        fn __set_lengths(
            __header: &mut [::core::primitive::u8; #head],
            __sizes: &[::core::primitive::usize; #count],
            __body: ::core::primitive::usize,
        ) -> ::core::result::Result<(), ::metaproto_core::EncodeError> {
            let [#(#parts),*] = *__sizes;
            let _ = (&__header, __body);
            #puts
            ::core::result::Result::Ok(())
        }
    }
}

fn in_head(layout: &Layout) -> impl Iterator<Item = (&Length, &Field)> {
    layout.lengths.iter().filter_map(|length| Some((length, holder(layout, length)?)))
}

fn put_lengths(layout: &Layout) -> TokenStream {
    let parts = part_sizes(layout);
    let block = Block::new(quote! { __header }, layout.head_size);
    let puts = in_head(layout).map(|(length, field)| {
        let ty = number_type(field);
        let value = match follows_from_total(layout, length) {
            true => quote! { __whole },
            false => {
                let bytes = covered(layout, length, field, &parts);
                let value = wire_value(length, widest(field), &bytes);
                quote! { (#value as #ty) }
            }
        };
        let bytes = super::tokens::bytes_of(field.scalar, field.order, &value);
        block.put(field.offset, field.scalar, &bytes)
    });
    quote! { #(#puts)* }
}

/// The bytes that a length covers, from the sizes of the body and the parts.
fn covered(
    layout: &Layout,
    length: &Length,
    field: &Field,
    parts: &[proc_macro2::Ident],
) -> TokenStream {
    let all = layout.head_size + layout.trailer_size;
    let behind = number(all - (field.offset + field.scalar.width()));
    let (all, head) = (number(all), number(layout.head_size));
    match &length.covers {
        Cover::Frame => quote! { (__body #(.saturating_add(#parts))*.saturating_add(#all)) },
        Cover::Rest => quote! { (__body #(.saturating_add(#parts))*.saturating_add(#behind)) },
        Cover::Body => quote! { __body },
        Cover::Header => quote! {
            ((#head as ::core::primitive::usize) #(.saturating_add(#parts))*)
        },
        Cover::Part(part) => {
            let part = &parts[*part];
            quote! { #part }
        }
        Cover::Window(window) => {
            let window = &parts[window.clone()];
            quote! { ((0 as ::core::primitive::usize) #(.saturating_add(#window))*) }
        }
    }
}

fn wire_value(length: &Length, max: u64, bytes: &TokenStream) -> TokenStream {
    let (name, plus) = (&length.name, signed(length.plus));
    let (unit, max) = (Literal::u64_unsuffixed(length.unit), Literal::u64_unsuffixed(max));
    super::tokens::tried(&quote! {
        ::metaproto_core::__private::wire_value(#name, #bytes, #unit, #plus, #max)
    })
}
