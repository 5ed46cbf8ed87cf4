//! `impl Frame`.

use proc_macro2::TokenStream;
use quote::{format_ident, quote, quote_spanned};
use syn::Expr;
use syn::spanned::Spanned;

use super::tokens::{bytes_of, bytes_of_expr, field_info, int_type, number, put, read, take};
use crate::model::{Body, Field, Layout, Role};
use crate::parse::{Order, Scalar};

pub(crate) fn frame(layout: &Layout) -> TokenStream {
    let (ident, size) = (&layout.ident, number(layout.header_size));
    let fields = field_infos(layout);
    let constants = constants(layout);
    let template = template(layout);
    let max_length = max_length(layout);
    let length = length(layout);
    let set_length = set_length(layout);
    let from_parts = from_parts(layout);
    let to_header = to_header(layout);
    let body = match &layout.body {
        Some(Body { ident, .. }) => quote! { &self.#ident },
        None => quote! { &[] },
    };
    let offsets = offsets(layout);
    let max_len_check = layout.max_len.as_ref().map(|max| max_len_check(max, layout));
    quote! {
        #[automatically_derived]
        impl ::metaproto_core::frame::Frame for #ident {
            type Header = [::core::primitive::u8; #size];
            const MAX_LENGTH: ::core::primitive::u64 = #max_length;
            const FIELDS: &'static [::metaproto_core::frame::FieldInfo] = &[#(#fields),*];
            const CONSTANTS: &'static [::metaproto_core::frame::Constant] = &[#(#constants),*];
            const TEMPLATE: Self::Header = #template;
            #length
            #set_length
            #from_parts
            #to_header
            #[inline]
            fn body(&self) -> &[::core::primitive::u8] {
                #body
            }
        }
        #offsets
        #max_len_check
    }
}

/// A part of the header that the user has written a value for.
struct Written<'a> {
    name: &'a str,
    offset: usize,
    scalar: Scalar,
    order: Order,
    value: &'a Expr,
}

impl Written<'_> {
    fn bytes(&self) -> TokenStream {
        bytes_of_expr(self.scalar, self.order, self.value)
    }
}

fn written<'a>(field: &'a Field, value: &'a Expr) -> Written<'a> {
    let Field { name, offset, scalar, order, .. } = field;
    Written { name, offset: *offset, scalar: *scalar, order: *order, value }
}

fn all_constants(layout: &Layout) -> impl Iterator<Item = Written<'_>> {
    let magic = layout.magic.iter().map(|magic| Written {
        name: "magic",
        offset: 0,
        scalar: magic.scalar,
        order: magic.order,
        value: &magic.value,
    });
    let fields = layout.fields.iter().filter_map(|field| match &field.role {
        Role::Constant(value) => Some(written(field, value)),
        _ => None,
    });
    magic.chain(fields)
}

fn field_infos(layout: &Layout) -> Vec<TokenStream> {
    let magic = layout.magic.iter().map(|m| field_info("magic", 0, m.scalar, m.order));
    let fields = layout.fields.iter().map(|f| field_info(&f.name, f.offset, f.scalar, f.order));
    magic.chain(fields).collect()
}

fn constants(layout: &Layout) -> Vec<TokenStream> {
    let one = |constant: Written<'_>| {
        let (name, offset, bytes) = (constant.name, number(constant.offset), constant.bytes());
        quote! {
            ::metaproto_core::frame::Constant { name: #name, offset: #offset, bytes: &#bytes }
        }
    };
    all_constants(layout).map(one).collect()
}

fn template(layout: &Layout) -> TokenStream {
    let size = number(layout.header_size);
    let defaults = layout.fields.iter().filter_map(|field| match &field.role {
        Role::Value { default: Some(value) } => Some(written(field, value)),
        _ => None,
    });
    let target = quote! { &mut __header };
    let puts: Vec<_> = all_constants(layout)
        .chain(defaults)
        .map(|part| put(&target, part.offset, part.scalar, layout, &part.bytes()))
        .collect();
    match puts.is_empty() {
        true => quote! { [0; #size] },
        false => quote! {{
            let mut __header: Self::Header = [0; #size];
            #(#puts)*
            __header
        }},
    }
}

/// The field that tells the length.
struct LengthField<'a> {
    field: &'a Field,
    ty: TokenStream,
    counts_header: bool,
}

/// `None` if there is no body.
fn length_field(layout: &Layout) -> Option<LengthField<'_>> {
    let body = layout.body.as_ref()?;
    let field = layout.fields.get(body.length)?;
    match field.scalar {
        Scalar::Int(int) => {
            Some(LengthField { field, ty: int_type(int), counts_header: body.counts_header })
        }
        Scalar::Bytes(_) => None,
    }
}

fn max_length(layout: &Layout) -> TokenStream {
    let size = number(layout.header_size);
    let widest = match length_field(layout) {
        None => quote! { #size },
        Some(LengthField { ty, counts_header: true, .. }) => {
            quote! { <#ty>::MAX as ::core::primitive::u64 }
        }
        Some(LengthField { ty, .. }) => quote! {
            (<#ty>::MAX as ::core::primitive::u64).saturating_add(#size)
        },
    };
    match &layout.max_len {
        None => widest,
        Some(max) => quote! {{
            let (__max, __widest): (::core::primitive::u64, ::core::primitive::u64) =
                (#max, #widest);
            if __max < __widest { __max } else { __widest }
        }},
    }
}

/// Checks that a frame can be as short as its header.
fn max_len_check(max: &Expr, layout: &Layout) -> TokenStream {
    let size = number(layout.header_size);
    quote_spanned! { max.span() =>
        const _: () = {
            let __max: ::core::primitive::u64 = #max;
            ::core::assert!(__max >= #size, "`max_len` is less than the header");
        };
    }
}

/// Checks the constants and computes the length. This is what runs for every frame.
fn length(layout: &Layout) -> TokenStream {
    let size = number(layout.header_size);
    let checks = all_constants(layout).map(|constant| {
        let found = take(constant.offset, constant.scalar, layout);
        let (name, bytes) = (constant.name, constant.bytes());
        let len = number(constant.scalar.width());
        quote! {
            let __found = #found;
            if __found != const { let __bytes: [::core::primitive::u8; #len] = #bytes; __bytes } {
                return ::core::result::Result::Err(
                    ::metaproto_core::__private::bad_constant(#name, &__found),
                );
            }
        }
    });
    let total = match length_field(layout) {
        None => quote! { ::core::result::Result::Ok(#size) },
        Some(LengthField { field, counts_header, .. }) => {
            let (name, value) = (&field.name, read(field, layout));
            let plus = if counts_header { number(0) } else { size.clone() };
            quote! {
                ::metaproto_core::__private::total(
                    #name, #value as ::core::primitive::u64, #plus, #size, Self::MAX_LENGTH,
                )
            }
        }
    };
    quote! {
        #[inline(always)]
        fn length(__header: &Self::Header) -> ::core::result::Result<
            ::core::primitive::usize,
            ::metaproto_core::DecodeError,
        > {
            #(#checks)*
            #total
        }
    }
}

fn set_length(layout: &Layout) -> TokenStream {
    let write = length_field(layout).map(|LengthField { field, ty, counts_header }| {
        let (name, size) = (&field.name, number(layout.header_size));
        let plus = if counts_header { size.clone() } else { number(0) };
        let value = bytes_of(field.scalar, field.order, &quote! { __value });
        let put = put(&quote! { __header }, field.offset, field.scalar, layout, &value);
        quote! {
            let __value = match ::metaproto_core::__private::wire_length::<#ty>(
                #name, __body_len, #plus, #size, Self::MAX_LENGTH,
            ) {
                ::core::result::Result::Ok(__value) => __value,
                ::core::result::Result::Err(__error) => {
                    return ::core::result::Result::Err(__error);
                }
            };
            #put
        }
    });
    let unused = write.is_none().then(|| quote! { let _ = (__header, __body_len); });
    quote! {
        #[inline]
        fn set_length(
            __header: &mut Self::Header,
            __body_len: ::core::primitive::usize,
        ) -> ::core::result::Result<(), ::metaproto_core::EncodeError> {
            #unused
            #write
            ::core::result::Result::Ok(())
        }
    }
}

fn from_parts(layout: &Layout) -> TokenStream {
    let fields = layout.fields.iter().map(|field| {
        let ident = &field.ident;
        let value = match field.role {
            Role::Value { .. } => read(field, layout),
            Role::Constant(_) | Role::Length => quote! { ::metaproto_core::Auto::new() },
        };
        quote! { #ident: #value, }
    });
    let body = layout.body.as_ref().map(|Body { ident, .. }| quote! { #ident: __body, });
    quote! {
        #[inline]
        fn from_parts(__header: &Self::Header, __body: ::metaproto_core::Bytes) -> Self {
            let _ = (__header, &__body);
            Self { #(#fields)* #body }
        }
    }
}

fn to_header(layout: &Layout) -> TokenStream {
    let target = quote! { &mut __header };
    let is_value = |field: &&Field| matches!(field.role, Role::Value { .. });
    // There is nothing in them to read, but the compiler should not say so to the user.
    let autos = layout.fields.iter().filter(|field| !is_value(field)).map(|field| &field.ident);
    let puts = layout.fields.iter().filter(is_value);
    let puts = puts.map(|field| {
        let ident = &field.ident;
        let bytes = bytes_of(field.scalar, field.order, &quote! { self.#ident });
        put(&target, field.offset, field.scalar, layout, &bytes)
    });
    // Before the values: with a check between reading and writing them, neighbours would be copied one
    // by one.
    let set_length = layout.body.as_ref().map(|Body { ident, .. }| {
        quote! {
            if let ::core::result::Result::Err(__error) =
                <Self as ::metaproto_core::frame::Frame>::set_length(
                    &mut __header, self.#ident.len(),
                )
            {
                return ::core::result::Result::Err(__error);
            }
        }
    });
    quote! {
        #[inline]
        fn to_header(
            &self,
        ) -> ::core::result::Result<Self::Header, ::metaproto_core::EncodeError> {
            let mut __header = <Self as ::metaproto_core::frame::Frame>::TEMPLATE;
            #(let _ = &self.#autos;)*
            #set_length
            #(#puts)*
            ::core::result::Result::Ok(__header)
        }
    }
}

/// `OFFSET_..`: for those who want to look into a frame themselves.
fn offsets(layout: &Layout) -> TokenStream {
    let (ident, vis) = (&layout.ident, &layout.vis);
    let offsets = layout.fields.iter().map(|field| {
        let name = format_ident!("OFFSET_{}", field.name.to_uppercase());
        let (offset, name_text) = (number(field.offset), &field.name);
        let doc = format!("Where `{name_text}` starts, in bytes from the start of the frame.");
        quote! {
            #[doc = #doc]
            #vis const #name: ::core::primitive::usize = #offset;
        }
    });
    quote! {
        #[automatically_derived]
        #[allow(dead_code)]
        impl #ident {
            #(#offsets)*
        }
    }
}
