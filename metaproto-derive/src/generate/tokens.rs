//! Pieces of code that several generators need.

use proc_macro2::{Ident, Literal, TokenStream};
use quote::{format_ident, quote};
use syn::Expr;

use crate::model::{Field, Layout};
use crate::parse::{Int, Order, Scalar};

/// A number without a suffix.
pub(super) fn number(value: usize) -> Literal {
    Literal::usize_unsuffixed(value)
}

/// The primitive type, whatever its name has been made to mean.
pub(super) fn int_type(int: Int) -> TokenStream {
    let name = format_ident!("{}", int.name);
    quote! { ::core::primitive::#name }
}

fn from_bytes(order: Order) -> Ident {
    match order {
        Order::Big => format_ident!("from_be_bytes"),
        Order::Little => format_ident!("from_le_bytes"),
    }
}

fn to_bytes(order: Order) -> Ident {
    match order {
        Order::Big => format_ident!("to_be_bytes"),
        Order::Little => format_ident!("to_le_bytes"),
    }
}

/// The bytes of `value`, an expression of the field's type.
pub(super) fn bytes_of(scalar: Scalar, order: Order, value: &TokenStream) -> TokenStream {
    match scalar {
        Scalar::Bytes(_) => value.clone(),
        Scalar::Int(int) => {
            let (ty, to_bytes) = (int_type(int), to_bytes(order));
            quote! { <#ty>::#to_bytes(#value) }
        }
    }
}

/// The bytes of a value that the user has written; can be a constant.
pub(super) fn bytes_of_expr(scalar: Scalar, order: Order, value: &Expr) -> TokenStream {
    match (scalar, value) {
        // A byte string is a reference.
        (Scalar::Bytes(_), Expr::Lit(_)) => quote! { *#value },
        _ => bytes_of(scalar, order, &quote! { #value }),
    }
}

/// `<AT, LEN, N>`: a field's place in the header.
fn place(offset: usize, scalar: Scalar, layout: &Layout) -> TokenStream {
    let (at, len, n) = (number(offset), number(scalar.width()), number(layout.header_size));
    quote! { #at, #len, #n }
}

/// Reads a field from `__header`.
pub(super) fn read(field: &Field, layout: &Layout) -> TokenStream {
    let bytes = take(field.offset, field.scalar, layout);
    match field.scalar {
        Scalar::Bytes(_) => bytes,
        Scalar::Int(int) => {
            let (ty, from_bytes) = (int_type(int), from_bytes(field.order));
            quote! { <#ty>::#from_bytes(#bytes) }
        }
    }
}

/// The bytes of `__header` at a place.
pub(super) fn take(offset: usize, scalar: Scalar, layout: &Layout) -> TokenStream {
    let place = place(offset, scalar, layout);
    quote! { ::metaproto_core::__private::take::<#place>(__header) }
}

/// Where the text of a field of bytes lies in the frame.
pub(super) fn text(field: &Field, layout: &Layout) -> TokenStream {
    let place = place(field.offset, field.scalar, layout);
    quote! { ::metaproto_core::__private::text::<#place>(__header) }
}

/// Writes bytes to `header`, an expression of type `&mut [u8; N]`.
pub(super) fn put(
    header: &TokenStream,
    offset: usize,
    scalar: Scalar,
    layout: &Layout,
    bytes: &TokenStream,
) -> TokenStream {
    let place = place(offset, scalar, layout);
    quote! { ::metaproto_core::__private::put::<#place>(#header, #bytes); }
}

/// The field as a `FieldInfo`.
pub(super) fn field_info(name: &str, offset: usize, scalar: Scalar, order: Order) -> TokenStream {
    let (offset, width) = (number(offset), number(scalar.width()));
    let order = match order {
        Order::Big => quote! { ::metaproto_core::frame::ByteOrder::Big },
        Order::Little => quote! { ::metaproto_core::frame::ByteOrder::Little },
    };
    let format = match scalar {
        Scalar::Bytes(_) => quote! { Bytes },
        Scalar::Int(int) if int.signed => quote! { Signed(#order) },
        Scalar::Int(_) => quote! { Unsigned(#order) },
    };
    quote! {
        ::metaproto_core::frame::FieldInfo {
            name: #name,
            offset: #offset,
            width: #width,
            format: ::metaproto_core::frame::Format::#format,
        }
    }
}
