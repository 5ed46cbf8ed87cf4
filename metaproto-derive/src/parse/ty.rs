//! The types that fields may have.

use std::ops::RangeInclusive;

use syn::{Expr, ExprLit, GenericArgument, Lit, PathArguments, PathSegment};

/// What a field is made of.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Type {
    /// A value that the struct holds.
    Value(Scalar),
    /// `Auto<..>`: a value that follows from the rest.
    Auto(Scalar),
    /// `Bytes`, which only a body can be.
    Bytes,
}

/// Something that takes a fixed number of bytes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scalar {
    Int(Int),
    Bytes(usize),
}

/// An integer type.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Int {
    pub(crate) name: &'static str,
    pub(crate) width: usize,
    pub(crate) signed: bool,
}

/// The order of an integer's bytes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    Big,
    Little,
}

const INTS: [Int; 8] = [
    Int { name: "u8", width: 1, signed: false },
    Int { name: "u16", width: 2, signed: false },
    Int { name: "u32", width: 4, signed: false },
    Int { name: "u64", width: 8, signed: false },
    Int { name: "i8", width: 1, signed: true },
    Int { name: "i16", width: 2, signed: true },
    Int { name: "i32", width: 4, signed: true },
    Int { name: "i64", width: 8, signed: true },
];

impl Int {
    pub(crate) fn named(name: &str) -> Option<Self> {
        INTS.into_iter().find(|int| int.name == name)
    }

    /// The values of this type.
    pub(crate) fn range(self) -> RangeInclusive<i128> {
        let bits = self.width * 8;
        match self.signed {
            true => -(1_i128 << (bits - 1))..=(1_i128 << (bits - 1)) - 1,
            false => 0..=(1_i128 << bits) - 1,
        }
    }
}

impl Scalar {
    pub(crate) fn width(self) -> usize {
        match self {
            Scalar::Int(int) => int.width,
            Scalar::Bytes(len) => len,
        }
    }

    /// The type as the user writes it.
    pub(crate) fn to_text(self) -> String {
        match self {
            Scalar::Int(int) => int.name.to_owned(),
            Scalar::Bytes(len) => format!("[u8; {len}]"),
        }
    }
}

pub(super) fn parse(ty: &syn::Type) -> syn::Result<Type> {
    let ty = strip(ty);
    if let Some(segment) = last_segment(ty) {
        if segment.ident == "Bytes" && segment.arguments.is_none() {
            return Ok(Type::Bytes);
        }
        if segment.ident == "Auto" {
            return match argument(segment) {
                Some(inner) => scalar(inner).map(Type::Auto),
                None => Err(syn::Error::new_spanned(ty, "say how wide it is: `Auto<u32>`")),
            };
        }
    }
    scalar(ty).map(Type::Value)
}

fn scalar(ty: &syn::Type) -> syn::Result<Scalar> {
    let ty = strip(ty);
    if let syn::Type::Array(array) = ty {
        return array_len(array).map(Scalar::Bytes);
    }
    let name = last_segment(ty).map(|segment| segment.ident.to_string()).unwrap_or_default();
    Int::named(&name).map(Scalar::Int).ok_or_else(|| unsupported(ty, &name))
}

fn array_len(array: &syn::TypeArray) -> syn::Result<usize> {
    let element = last_segment(strip(&array.elem)).filter(|element| element.ident == "u8");
    if element.is_none() {
        return Err(syn::Error::new_spanned(&array.elem, "only arrays of bytes: `[u8; 4]`"));
    }
    match &array.len {
        Expr::Lit(ExprLit { lit: Lit::Int(len), .. }) => match len.base10_parse()? {
            0 => Err(syn::Error::new(len.span(), "a field takes at least one byte")),
            len => Ok(len),
        },
        other => Err(syn::Error::new_spanned(
            other,
            "the length must be written out, as in `[u8; 4]`: the offsets of the fields behind it \
             depend on it",
        )),
    }
}

fn unsupported(ty: &syn::Type, name: &str) -> syn::Error {
    let remedy = match name {
        "usize" => "its width differs between machines; use `u32` or `u64`",
        "isize" => "its width differs between machines; use `i32` or `i64`",
        "bool" | "char" => "use an integer, such as `u8`",
        "String" | "Vec" | "BytesMut" | "str" => {
            "use `[u8; N]` for bytes of fixed length, `Bytes` for the body"
        }
        _ => {
            "use an integer from `u8` to `u64` or `i8` to `i64`, `[u8; N]`, or `Bytes` for the body"
        }
    };
    let name = if name.is_empty() { "this type".to_owned() } else { format!("`{name}`") };
    syn::Error::new_spanned(ty, format_args!("{name} can't be a field of a frame: {remedy}"))
}

/// A type that comes out of a `macro_rules!` macro is wrapped.
fn strip(ty: &syn::Type) -> &syn::Type {
    match ty {
        syn::Type::Group(group) => strip(&group.elem),
        syn::Type::Paren(paren) => strip(&paren.elem),
        other => other,
    }
}

fn last_segment(ty: &syn::Type) -> Option<&PathSegment> {
    match ty {
        syn::Type::Path(path) if path.qself.is_none() => path.path.segments.last(),
        syn::Type::Reference(reference) => last_segment(strip(&reference.elem)),
        _ => None,
    }
}

fn argument(segment: &PathSegment) -> Option<&syn::Type> {
    match &segment.arguments {
        PathArguments::AngleBracketed(list) => match list.args.first() {
            Some(GenericArgument::Type(ty)) if list.args.len() == 1 => Some(ty),
            _ => None,
        },
        _ => None,
    }
}
