//! Writing a frame: values, then parts, then the lengths that follow from them.

use proc_macro2::{Literal, TokenStream};
use quote::{format_ident, quote};

use super::bindings::{is_named, named, nothing_told};
use super::lengths::widest;
use super::shape::{borrowed, with_module};
use super::sizes::{Sizes, automatic};
use super::tokens::{Block, bytes_of, int_type, number, signed, tried};
use super::walk::variable;
use crate::model::{Field, Holder, Layout, Part, Role, Shape};
use crate::parse::Scalar;

/// The values of `self`, put into `array`.
pub(super) fn put_values(fields: &[Field], block: &Block) -> TokenStream {
    let is_value = |field: &&Field| matches!(field.role, Role::Value { .. });
    // There is nothing in them to read, but the compiler should not say so to the user.
    let autos = fields.iter().filter(|field| !is_value(field)).map(|field| &field.ident);
    let puts = fields.iter().filter(is_value).map(|field| {
        let ident = &field.ident;
        let bytes = match field.scalar {
            Scalar::Custom(_) => custom_bytes(field),
            scalar => bytes_of(scalar, field.order, &quote! { self.#ident }),
        };
        let fits = fits(field);
        let put = block.put(field.offset, field.scalar, &bytes);
        quote! { #fits #put }
    });
    quote! { #(let _ = &self.#autos;)* #(#puts)* }
}

/// Refuses a number that is wider than its place.
fn fits(field: &Field) -> Option<TokenStream> {
    let Scalar::Int(int) = field.scalar else { return None };
    if !int.is_narrow() {
        return None;
    }
    let (ident, name, shift) = (&field.ident, &field.name, number((int.size - int.width) * 8));
    let width = number(int.width);
    Some(quote! {
        if (self.#ident << #shift) >> #shift != self.#ident {
            return ::core::result::Result::Err(
                ::metaproto_core::__private::wider_than(#name, #width),
            );
        }
    })
}

fn custom_bytes(field: &Field) -> TokenStream {
    let (ident, name, len) = (&field.ident, &field.name, number(field.scalar.width()));
    let (with, shape) = custom_shape(field);
    tried(&quote! {{
        #with
        ::metaproto_core::__private::write_fixed::<_, #len>(#name, &#shape, &self.#ident)
    }})
}

/// The shape of a type of the user's own that has a fixed place.
pub(super) fn custom_shape(field: &Field) -> (Option<TokenStream>, TokenStream) {
    let ty = &field.ty;
    match &field.with {
        Some(module) => (Some(super::shape::with_type(module, ty)), quote! { __With }),
        None => (None, quote! { ::metaproto_core::frame::parts::Nested::<#ty>::new() }),
    }
}

/// The expressions that shapes need when something is written.
pub(super) fn context(layout: &Layout) -> TokenStream {
    let block = Block::new(quote! { __header }, layout.head_size);
    let (named, nothing_told) = (named(layout, &block), nothing_told(layout));
    let parts = layout.parts.iter().filter(|part| is_named(layout, part)).map(|part| {
        let (ident, variable) = (&part.ident, variable(part));
        quote! { let #ident = *#variable; }
    });
    quote! { let __header = &__header; #named #nothing_told #(#parts)* let _ = __header; }
}

/// Counts of lists that stand in the fixed part.
pub(super) fn put_counts(layout: &Layout) -> TokenStream {
    let block = Block::new(quote! { &mut __header }, layout.head_size);
    let puts = layout.counts.iter().filter_map(|count| {
        let Holder::Head(index) = count.holder else { return None };
        let field = &layout.head[index];
        let Scalar::Int(int) = field.scalar else { return None };
        let (name, ty, plus) = (&count.name, int_type(int), signed(count.plus));
        let max = Literal::u64_unsuffixed(widest(field));
        let of = variable(&layout.parts[count.part]);
        let value = tried(&quote! {
            ::metaproto_core::__private::wire_value(
                #name, ::metaproto_core::__private::count_of(#of), 1, #plus, #max,
            )
        });
        let bytes = bytes_of(field.scalar, field.order, &quote! { (#value as #ty) });
        Some(block.put(field.offset, field.scalar, &bytes))
    });
    quote! { #(#puts)* }
}

/// Writes all parts to `__out`, where `__start` is the start of the frame.
fn write_parts(layout: &Layout) -> TokenStream {
    let steps = layout.parts.iter().enumerate().map(|(index, part)| {
        let (shape, with, variable) = (borrowed(part), with_module(part), variable(part));
        let (place, name) = (number(index), &part.name);
        let write = match part.shape {
            Shape::Padding { .. } => quote! {
                (#shape).fill(__out.len().saturating_sub(__start), __out);
            },
            _ => {
                let write = tried(&quote! {{
                    #with
                    ::metaproto_core::__private::write(#name, #shape, #variable, __out)
                }});
                quote! { #write; }
            }
        };
        quote! {
            let __before = __out.len();
            #write
            __sizes[#place] = __out.len().saturating_sub(__before);
        }
    });
    quote! { #(#steps)* }
}

/// The parts that a function takes: those that hold values.
pub(super) fn held(layout: &Layout) -> impl Iterator<Item = &Part> {
    let is_held = |part: &&Part| part.ident.is_some() && matches!(part.role, Role::Value { .. });
    layout.parts.iter().filter(is_held)
}

/// The type that a part has in the struct.
fn held_type(part: &Part) -> TokenStream {
    let ty = &part.ty;
    match part.when {
        Some(_) => quote! { ::core::option::Option<#ty> },
        None => quote! { #ty },
    }
}

pub(super) fn parameters(layout: &Layout) -> TokenStream {
    let parameters = held(layout).map(|part| {
        let (variable, ty) = (variable(part), held_type(part));
        quote! { #variable: &#ty, }
    });
    quote! { #(#parameters)* }
}

/// `fn __write`: everything behind the values of the fixed part.
pub(super) fn write_function(layout: &Layout, is_frame: bool) -> TokenStream {
    let parameters = parameters(layout);
    let (head, count) = (number(layout.head_size), number(layout.parts.len()));
    let trailer = number(layout.trailer_size);
    let (put_counts, context) = (put_counts(layout), context(layout));
    // A frame may be written without its body, which the caller puts in its place.
    let (name, body_len) = match is_frame {
        true => (format_ident!("__write_around"), quote! { __body_len }),
        false => (format_ident!("__write"), quote! { __body.len() }),
    };
    let len_parameter = is_frame.then(|| quote! { __body_len: ::core::primitive::usize, });
    let entry = is_frame.then(|| write_entry(layout));
    let automatic = automatic(layout, &body_len, Sizes::Told);
    let write_parts = write_parts(layout);
    let checksums = super::checksum::fill(layout);
    let set_lengths = match is_frame {
        true => quote! {
            <Self as ::metaproto_core::frame::Frame>::set_lengths(
                &mut __header, &__sizes, __body_len,
            )
        },
        false => quote! { Self::__set_lengths(&mut __header, &__sizes, __body.len()) },
    };
    let set_lengths = tried(&set_lengths);
    quote! {
        #entry

        #[allow(clippy::too_many_arguments)]
        fn #name(
            mut __header: [::core::primitive::u8; #head],
            #parameters
            __body: &[::core::primitive::u8],
            #len_parameter
            __trailer: [::core::primitive::u8; #trailer],
            __out: &mut ::metaproto_core::BytesMut,
        ) -> ::core::result::Result<(), ::metaproto_core::EncodeError> {
            let __start = __out.len();
            let mut __sizes = [0 as ::core::primitive::usize; #count];
            #put_counts
            __out.extend_from_slice(&__header);
            {
                #context
                #automatic
                #write_parts
            }
            #set_lengths;
            ::metaproto_core::__private::overwrite(__out, __start, &__header);
            __out.extend_from_slice(__body);
            __out.extend_from_slice(&__trailer);
            let _ = (__start, &__sizes);
            #checksums
            ::core::result::Result::Ok(())
        }
    }
}

/// `fn __write` of a frame: all of it.
fn write_entry(layout: &Layout) -> TokenStream {
    let parameters = parameters(layout);
    let arguments = held(layout).map(variable);
    let (head, trailer) = (number(layout.head_size), number(layout.trailer_size));
    quote! {
        #[allow(clippy::too_many_arguments)]
        #[inline]
        fn __write(
            __header: [::core::primitive::u8; #head],
            #parameters
            __body: &[::core::primitive::u8],
            __trailer: [::core::primitive::u8; #trailer],
            __out: &mut ::metaproto_core::BytesMut,
        ) -> ::core::result::Result<(), ::metaproto_core::EncodeError> {
            Self::__write_around(
                __header, #(#arguments,)* __body, __body.len(), __trailer, __out,
            )
        }
    }
}

/// The size of `self` on the wire.
pub(super) fn size(layout: &Layout) -> TokenStream {
    let body = match &layout.body {
        Some(body) => quote! { self.#body.len() },
        None => quote! { 0 },
    };
    let fixed = number(layout.head_size + layout.trailer_size);
    if layout.parts.is_empty() {
        return quote! {
            fn size(&self) -> ::core::primitive::usize {
                let __size: ::core::primitive::usize = #fixed;
                __size.saturating_add(#body)
            }
        };
    }
    quote! {
        fn size(&self) -> ::core::primitive::usize {
            ::metaproto_core::__private::measured(|__out| {
                ::metaproto_core::frame::Frame::write(self, __out)
            })
        }
    }
}

/// The arguments that stand for the parts of `self`.
pub(super) fn own_parts(layout: &Layout) -> TokenStream {
    let idents = held(layout).map(|part| &part.ident);
    quote! { #(&self.#idents,)* }
}

/// The value of a part that nobody has filled in.
fn empty(part: &Part) -> TokenStream {
    let ty = &part.ty;
    match part.shape {
        Shape::Array { .. } => quote! {
            ::core::array::from_fn(|_| ::core::default::Default::default())
        },
        _ => quote! { <#ty as ::core::default::Default>::default() },
    }
}

/// The arguments for parts that nobody has filled in, and the code that makes them.
pub(super) fn default_parts(layout: &Layout) -> (TokenStream, TokenStream) {
    let block = Block::new(quote! { &__header }, layout.head_size);
    let named = named(layout, &block);
    let lets = held(layout).map(|part| {
        let (variable, ty) = (variable(part), &part.ty);
        let value = match &part.role {
            Role::Value { default: Some(value) } => quote! { #value },
            _ => empty(part),
        };
        let name = is_named(layout, part).then(|| {
            let ident = &part.ident;
            quote! { let #ident = #variable; }
        });
        match &part.when {
            None => quote! { let #variable: #ty = #value; #name },
            Some(when) => quote! {
                let #variable: ::core::option::Option<#ty> = match #when {
                    true => ::core::option::Option::Some(#value),
                    false => ::core::option::Option::None,
                };
            },
        }
    });
    let arguments = held(layout).map(variable);
    let lets = quote! { #named #(#lets)* };
    (lets, quote! { #(&#arguments,)* })
}
