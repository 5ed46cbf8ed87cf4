//! Pieces of code that several generators need.

use proc_macro2::{Ident, Literal, TokenStream};
use quote::{format_ident, quote};
use syn::Expr;

use crate::model::{Bit, Field};
use crate::parse::{Int, Order, Scalar};

/// A number without a suffix.
pub(super) fn number(value: usize) -> Literal {
    Literal::usize_unsuffixed(value)
}

/// A number that may be negative.
pub(super) fn signed(value: i64) -> TokenStream {
    let digits = Literal::u64_unsuffixed(value.unsigned_abs());
    if value < 0 {
        quote! { -#digits }
    } else {
        quote! { #digits }
    }
}

/// The primitive type of this name, whatever the name has been made to mean.
pub(super) fn primitive(name: &str) -> TokenStream {
    let name = format_ident!("{name}");
    quote! { ::core::primitive::#name }
}

pub(super) fn int_type(int: Int) -> TokenStream {
    primitive(int.name)
}

/// The type that a scalar has in the struct.
pub(super) fn scalar_type(field: &Field) -> TokenStream {
    match field.scalar {
        Scalar::Int(int) => int_type(int),
        _ => {
            let ty = &field.ty;
            quote! { #ty }
        }
    }
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

pub(super) fn byte_order(order: Order) -> TokenStream {
    match order {
        Order::Big => quote! { ::metaproto_core::frame::ByteOrder::Big },
        Order::Little => quote! { ::metaproto_core::frame::ByteOrder::Little },
    }
}

fn support(order: Order, what: &str) -> TokenStream {
    let suffix = if order == Order::Big { "be" } else { "le" };
    let name = format_ident!("{what}_{suffix}");
    quote! { ::metaproto_core::__private::#name }
}

/// The bytes of `value`, an expression of the field's type.
pub(super) fn bytes_of(scalar: Scalar, order: Order, value: &TokenStream) -> TokenStream {
    let to_bytes = to_bytes(order);
    match scalar {
        Scalar::Bytes(_) | Scalar::Custom(_) => value.clone(),
        Scalar::Int(int) => {
            let ty = int_type(int);
            let bytes = quote! { <#ty>::#to_bytes(#value) };
            if !int.is_narrow() {
                return bytes;
            }
            let (narrow, len, size) =
                (support(order, "narrow"), number(int.width), number(int.size));
            quote! { #narrow::<#len, #size>(#bytes) }
        }
        Scalar::Float(float) => {
            let ty = primitive(float.name);
            quote! { <#ty>::#to_bytes(#value) }
        }
        Scalar::Array(of, len) => {
            let ty = primitive(of.name);
            let (len, all) = (number(len), number(of.width * len));
            quote! {{
                let __items: [#ty; #len] = #value;
                ::metaproto_core::__private::join::<_, #len, #all>(__items.map(<#ty>::#to_bytes))
            }}
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

/// Where a field stands: in `array`, which has `size` bytes.
#[derive(Clone)]
pub(super) struct Block {
    pub(super) array: TokenStream,
    pub(super) size: usize,
}

impl Block {
    pub(super) fn new(array: TokenStream, size: usize) -> Self {
        Block { array, size }
    }

    /// `<AT, LEN, N>`: a field's place.
    fn place(&self, offset: usize, scalar: Scalar) -> TokenStream {
        let (at, len, n) = (number(offset), number(scalar.width()), number(self.size));
        quote! { #at, #len, #n }
    }

    /// The bytes at a place.
    pub(super) fn take(&self, offset: usize, scalar: Scalar) -> TokenStream {
        let (place, array) = (self.place(offset, scalar), &self.array);
        quote! { ::metaproto_core::__private::take::<#place>(#array) }
    }

    /// The value of a field; of the bytes of a type of the user's own, which have to be read.
    pub(super) fn read(&self, field: &Field) -> TokenStream {
        let bytes = self.take(field.offset, field.scalar);
        let from = from_bytes(field.order);
        match field.scalar {
            Scalar::Bytes(_) | Scalar::Custom(_) => bytes,
            Scalar::Int(int) => {
                let ty = int_type(int);
                if !int.is_narrow() {
                    return quote! { <#ty>::#from(#bytes) };
                }
                let widen = support(field.order, "widen");
                let (len, size) = (number(int.width), number(int.size));
                let shift = number((int.size - int.width) * 8);
                quote! { (<#ty>::#from(#widen::<#len, #size>(#bytes)) >> #shift) }
            }
            Scalar::Float(float) => {
                let ty = primitive(float.name);
                quote! { <#ty>::#from(#bytes) }
            }
            Scalar::Array(of, len) => {
                let ty = primitive(of.name);
                let (len, width, all) = (number(len), number(of.width), number(of.width * len));
                quote! {
                    ::metaproto_core::__private::split::<#width, #len, #all>(#bytes)
                        .map(<#ty>::#from)
                }
            }
        }
    }

    /// Where the text of a field of bytes lies in the frame.
    pub(super) fn text(&self, field: &Field) -> TokenStream {
        let (place, array) = (self.place(field.offset, field.scalar), &self.array);
        quote! { ::metaproto_core::__private::text::<#place>(#array) }
    }

    /// Writes bytes to a place; the array is an expression of type `&mut [u8; N]`.
    pub(super) fn put(&self, offset: usize, scalar: Scalar, bytes: &TokenStream) -> TokenStream {
        let (place, array) = (self.place(offset, scalar), &self.array);
        quote! { ::metaproto_core::__private::put::<#place>(#array, #bytes); }
    }
}

/// The value of some bits of `carrier`, an expression of the field's type.
pub(super) fn bits_of(bit: &Bit, carrier: &TokenStream) -> TokenStream {
    let (low, mask) = (number(bit.low), mask(bit));
    match bit.single {
        true => quote! { ((#carrier >> #low) & 1 == 1) },
        false => quote! { ((#carrier >> #low) & #mask) },
    }
}

/// As many ones as there are bits.
pub(super) fn mask(bit: &Bit) -> Literal {
    Literal::u64_unsuffixed(u64::MAX >> (64 - bit.len))
}

/// The field as a `FieldInfo`.
pub(super) fn field_info(field: &Field) -> TokenStream {
    let bits = field.bits.iter().map(super::bits::bits_info);
    let bits = quote! { &[#(#bits),*] };
    info(&field.name, field.offset, field.scalar, field.order, &bits)
}

pub(super) fn info(
    name: &str,
    offset: usize,
    scalar: Scalar,
    order: Order,
    bits: &TokenStream,
) -> TokenStream {
    let (offset, width) = (number(offset), number(scalar.width()));
    let format = match scalar {
        Scalar::Bytes(_) | Scalar::Array(..) | Scalar::Custom(_) => quote! { bytes },
        Scalar::Int(int) if int.signed => quote! { signed },
        Scalar::Int(_) => quote! { unsigned },
        Scalar::Float(_) => quote! { float },
    };
    let order = match (scalar, order) {
        (Scalar::Int(_) | Scalar::Float(_), Order::Little) => quote! { .little_endian() },
        _ => quote! {},
    };
    quote! {
        ::metaproto_core::frame::FieldInfo::#format(#name, #offset, #width, #bits) #order
    }
}

/// `Some(..)` or `None`.
pub(super) fn option(value: Option<TokenStream>) -> TokenStream {
    match value {
        Some(value) => quote! { ::core::option::Option::Some(#value) },
        None => quote! { ::core::option::Option::None },
    }
}

/// Goes on with what is in `Ok`, or returns the error: `?` would convert it.
pub(super) fn tried(value: &TokenStream) -> TokenStream {
    quote! {
        match #value {
            ::core::result::Result::Ok(__value) => __value,
            ::core::result::Result::Err(__error) => {
                return ::core::result::Result::Err(__error);
            }
        }
    }
}
