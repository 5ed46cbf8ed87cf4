//! `impl Frame`.

use proc_macro2::TokenStream;
use quote::quote;

use super::head::{
    constant_infos, field_infos, offsets, template, trailer_infos, trailer_template,
};
use super::lengths::{length, length_needs, max_len_check, max_length, set_lengths};
use super::tokens::{Block, number, tried};
use super::walk::{Pass, locate, parts, variable};
use super::write::{custom_shape, default_parts, own_parts, put_values, size, write_function};
use super::{bits, checksum};
use crate::model::{Field, Framing, Layout, Role};
use crate::parse::Scalar;

pub(crate) fn frame(layout: &Layout) -> TokenStream {
    let ident = &layout.ident;
    let (head, trailer) = (number(layout.head_size), number(layout.trailer_size));
    let prefix = number(length_needs(layout));
    let (count, starts) = (number(layout.parts.len()), number(layout.parts.len() + 1));
    let (fields, constants) = (field_infos(layout), constant_infos(layout));
    let parts = layout.parts.iter().map(|part| &part.name);
    let (template, max_length) = (template(layout), max_length(layout));
    let scanned = matches!(layout.framing, Framing::Scanned(_));
    let max_header = match &layout.max_header {
        Some(max) => quote! { const MAX_HEADER: ::core::primitive::usize = #max; },
        None => TokenStream::new(),
    };
    let (length, set_lengths) = (length(layout), set_lengths(layout));
    let trailer_infos = trailer_infos(layout);
    let (locate, verify) = (locate(layout), checksum::verify(layout));
    let (body, size) = (body(layout), size(layout));
    let (reading, explain) = (reading(layout), explain(layout));
    let (writing, function) = writing(layout);
    let plain = plain(layout);
    let (offsets, accessors) = (offsets(layout), bits::accessors(layout));
    let max_len_check = layout.max_len.as_ref().map(|max| max_len_check(max, layout));
    let widths = widths(layout);
    quote! {
        #[automatically_derived]
        impl ::metaproto_core::frame::Frame for #ident {
            type Header = [::core::primitive::u8; #head];
            type Prefix = [::core::primitive::u8; #prefix];
            type Sizes = [::core::primitive::usize; #count];
            type Starts = [::core::primitive::usize; #starts];
            const TRAILER_SIZE: ::core::primitive::usize = #trailer;
            const MAX_LENGTH: ::core::primitive::u64 = #max_length;
            const IS_SCANNED: ::core::primitive::bool = #scanned;
            const FIELDS: &'static [::metaproto_core::frame::FieldInfo] = &[#(#fields),*];
            const PARTS: &'static [&'static ::core::primitive::str] = &[#(#parts),*];
            const CONSTANTS: &'static [::metaproto_core::frame::Constant] = &[#(#constants),*];
            const TEMPLATE: Self::Header = #template;
            #max_header
            #trailer_infos
            #length
            #set_lengths
            #locate
            #verify
            #reading
            #writing
            #body
            #size
            #explain
        }
        #plain
        #function
        #offsets
        #accessors
        #max_len_check
        #widths
    }
}

/// Whether there is nothing but a header of fixed size and a body: no part, no trailer, nothing that
/// could be refused when it is read.
pub(super) fn is_plain(layout: &Layout) -> bool {
    layout.parts.is_empty()
        && layout.trailer.is_empty()
        && layout.checksums.is_empty()
        && !layout.head.iter().any(|field| matches!(field.scalar, Scalar::Custom(_)))
}

fn body(layout: &Layout) -> TokenStream {
    let body = match &layout.body {
        Some(ident) => quote! { &self.#ident },
        None => quote! { &[] },
    };
    quote! {
        #[inline]
        fn body(&self) -> &[::core::primitive::u8] {
            #body
        }
    }
}

/// `field: value` for the fields of a block.
pub(super) fn values(fields: &[Field], block: &Block) -> TokenStream {
    let values = fields.iter().map(|field| {
        let ident = &field.ident;
        let value = match (&field.role, field.scalar) {
            (Role::Value { .. }, Scalar::Custom(_)) => custom_value(field, block),
            (Role::Value { .. }, _) => block.read(field),
            _ => quote! { ::metaproto_core::Auto::new() },
        };
        quote! { #ident: #value, }
    });
    quote! { #(#values)* }
}

fn custom_value(field: &Field, block: &Block) -> TokenStream {
    let (name, bytes) = (&field.name, block.read(field));
    let (with, shape) = custom_shape(field);
    tried(&quote! {{
        #with
        ::metaproto_core::__private::read_fixed(#name, &#shape, &#bytes)
    }})
}

/// `field: value` for the parts, from the variables that hold them.
pub(super) fn part_values(layout: &Layout) -> TokenStream {
    let values = layout.parts.iter().filter(|part| part.ident.is_some()).map(|part| {
        let (ident, variable) = (&part.ident, variable(part));
        match part.role {
            Role::Value { .. } => quote! { #ident: #variable, },
            _ => quote! { #ident: ::metaproto_core::Auto::new(), },
        }
    });
    quote! { #(#values)* }
}

fn reading(layout: &Layout) -> TokenStream {
    if is_plain(layout) {
        return quote! {
            #[inline]
            fn read(
                __frame: ::metaproto_core::Bytes,
            ) -> ::core::result::Result<Self, ::metaproto_core::DecodeError> {
                ::metaproto_core::__private::read_plain(__frame)
            }
        };
    }
    let (head, trailer) = (number(layout.head_size), number(layout.trailer_size));
    let block = Block::new(quote! { __header }, layout.head_size);
    let end = Block::new(quote! { &__trailer }, layout.trailer_size);
    let parts = parts(layout, Pass::Read);
    let values = values(&layout.head, &block);
    let trailer_values = self::values(&layout.trailer, &end);
    let part_values = part_values(layout);
    let body = layout.body.as_ref().map(|ident| quote! { #ident: __body, });
    let header = tried(&quote! { __cursor.array::<#head>() });
    let has_body = layout.body.is_some();
    let close = tried(&quote! {
        ::metaproto_core::__private::close::<#trailer>(__cursor, #has_body)
    });
    quote! {
        fn read(
            __frame: ::metaproto_core::Bytes,
        ) -> ::core::result::Result<Self, ::metaproto_core::DecodeError> {
            ::metaproto_core::__private::read_frame(&__frame)
        }

        fn read_from(
            __cursor: &mut ::metaproto_core::frame::parts::Cursor<'_>,
        ) -> ::core::result::Result<Self, ::metaproto_core::frame::parts::Stop> {
            __cursor.enter("header");
            let __header = &#header;
            #parts
            let (__body, __trailer) = #close;
            let __trailer = &__trailer;
            let _ = (__header, &__body, __trailer);
            ::core::result::Result::Ok(Self { #values #part_values #body #trailer_values })
        }
    }
}

/// The methods of the trait, and the function that does the work.
fn writing(layout: &Layout) -> (TokenStream, TokenStream) {
    let ident = &layout.ident;
    let block = Block::new(quote! { &mut __header }, layout.head_size);
    let end = Block::new(quote! { &mut __trailer }, layout.trailer_size);
    let puts = put_values(&layout.head, &block);
    let trailer_template = trailer_template(layout);
    let trailer_puts = put_values(&layout.trailer, &end);
    let own = own_parts(layout);
    let body = match &layout.body {
        Some(ident) => quote! { &self.#ident },
        None => quote! { &[] },
    };
    let write = match is_plain(layout) {
        true => quote! { ::metaproto_core::__private::write_plain(self, __out) },
        false => quote! {
            let mut __header = Self::TEMPLATE;
            #puts
            let mut __trailer = #trailer_template;
            let _ = &mut __trailer;
            #trailer_puts
            ::metaproto_core::__private::all_or_nothing(__out, |__out| {
                <#ident>::__write(__header, #own #body, __trailer, __out)
            })
        },
    };
    let write = quote! {
        fn write(
            &self,
            __out: &mut ::metaproto_core::BytesMut,
        ) -> ::core::result::Result<(), ::metaproto_core::EncodeError> {
            #write
        }
    };
    if is_plain(layout) {
        return (write, TokenStream::new());
    }
    let (filled, function) = (filled(layout), write_function(layout, true));
    let inherent = quote! {
        #[automatically_derived]
        #[doc(hidden)]
        impl #ident {
            #function
        }
    };
    (quote! { #write #filled }, inherent)
}

/// `fn write_filled`: with parts that nobody has filled in.
fn filled(layout: &Layout) -> TokenStream {
    let ident = &layout.ident;
    let (defaults, default_arguments) = default_parts(layout);
    let trailer_template = trailer_template(layout);
    let fill = match layout.never_empty().next().is_some() {
        true => quote! {
            let _ = (__header, __body, __out);
            ::core::result::Result::Err(
                ::metaproto_core::EncodeError::Unsupported("messages of its own"),
            )
        },
        false => quote! {
            #defaults
            ::metaproto_core::__private::all_or_nothing(__out, |__out| {
                <#ident>::__write(__header, #default_arguments __body, #trailer_template, __out)
            })
        },
    };
    quote! {
        fn write_filled(
            __header: Self::Header,
            __body: &[::core::primitive::u8],
            __out: &mut ::metaproto_core::BytesMut,
        ) -> ::core::result::Result<(), ::metaproto_core::EncodeError> {
            #fill
        }
    }
}

/// What frames of the simple kind have in addition: no way to fail, and nothing to pay for it.
fn plain(layout: &Layout) -> TokenStream {
    if !is_plain(layout) {
        return TokenStream::new();
    }
    let ident = &layout.ident;
    let block = Block::new(quote! { __header }, layout.head_size);
    let put = Block::new(quote! { &mut __header }, layout.head_size);
    let (values, puts) = (values(&layout.head, &block), put_values(&layout.head, &put));
    let body = layout.body.as_ref().map(|ident| quote! { #ident: __body, });
    let body_len = match &layout.body {
        Some(ident) => quote! { self.#ident.len() },
        None => quote! { (0 as ::core::primitive::usize) },
    };
    // By a call: with the check written out here, the compiler keeps the header in the memory of the
    // error, and copies it from there.
    let set_lengths = tried(&quote! {
        <Self as ::metaproto_core::frame::Frame>::set_lengths(&mut __header, &[], #body_len)
    });
    // The compiler should not tell the user of what a layout leaves unused.
    let has_values = layout.head.iter().any(|field| matches!(field.role, Role::Value { .. }));
    let unused = (!has_values).then(|| quote! { let _ = __header; });
    let body_name = layout.body.as_ref().map_or(quote! { _ }, |_| quote! { __body });
    quote! {
        #[automatically_derived]
        impl ::metaproto_core::frame::Plain for #ident {
            #[inline]
            fn from_parts(__header: &Self::Header, #body_name: ::metaproto_core::Bytes) -> Self {
                #unused
                Self { #values #body }
            }

            #[inline]
            fn to_header(
                &self,
            ) -> ::core::result::Result<Self::Header, ::metaproto_core::EncodeError> {
                let mut __header = <Self as ::metaproto_core::frame::Frame>::TEMPLATE;
                // The lengths first: what is next to them is then copied together with them.
                #set_lengths
                #puts
                ::core::result::Result::Ok(__header)
            }
        }
    }
}

fn explain(layout: &Layout) -> TokenStream {
    if layout.parts.is_empty() {
        return TokenStream::new();
    }
    let head = number(layout.head_size);
    let header = tried(&quote! { __cursor.array::<#head>() });
    let parts = parts(layout, Pass::Explain);
    quote! {
        fn explain_parts(
            __cursor: &mut ::metaproto_core::frame::parts::Cursor<'_>,
            __notes: &mut ::metaproto_core::Explanation,
        ) -> ::core::result::Result<(), ::metaproto_core::frame::parts::Stop> {
            __cursor.enter("header");
            let __header = &#header;
            #parts
            ::core::result::Result::Ok(())
        }
    }
}

/// Checks that types of the user's own take as many bytes as has been said.
pub(super) fn widths(layout: &Layout) -> TokenStream {
    let is_custom =
        |field: &&Field| matches!(field.scalar, Scalar::Custom(_)) && field.with.is_none();
    let checks = layout.head.iter().chain(&layout.trailer).filter(is_custom).map(|field| {
        let (ty, len) = (&field.ty, number(field.scalar.width()));
        let text = format!("`{}` does not take {} bytes", field.name, field.scalar.width());
        quote::quote_spanned! { syn::spanned::Spanned::span(ty) =>
            const _: () = ::core::assert!(
                ::core::matches!(
                    <#ty as ::metaproto_core::frame::parts::Wire>::SIZE,
                    ::core::option::Option::Some(#len)
                ),
                #text,
            );
        }
    });
    quote! { #(#checks)* }
}
