//! The types that fields may have.

use std::ops::RangeInclusive;

use syn::{Expr, ExprLit, GenericArgument, Lit, PathArguments, PathSegment};

/// What a field is made of.
#[derive(Clone)]
pub(crate) enum Type {
    /// A value of fixed width that the struct holds.
    Value(Scalar),
    /// `Auto<..>`: a value that follows from the rest.
    Auto(Scalar),
    /// `Bytes`: the body, or a block of bytes.
    Bytes,
    /// `String`.
    Text,
    /// `Section`: names and values.
    Section,
    /// `Vec<..>`.
    List(Inner),
    /// `Option<..>`.
    Optional(Inner),
    /// Anything else: a type with a layout of its own.
    Custom,
}

/// The type between the angle brackets.
#[derive(Clone)]
pub(crate) struct Inner {
    pub(crate) written: syn::Type,
    pub(crate) ty: Box<Type>,
}

/// Something that takes a fixed number of bytes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scalar {
    Int(Int),
    Float(Number),
    Bytes(usize),
    /// `[u16; 4]`
    Array(Number, usize),
    /// A type with a layout of its own, of which the user says how many bytes it takes.
    Custom(usize),
}

/// An integer type.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Int {
    pub(crate) name: &'static str,
    /// In memory, in bytes.
    pub(crate) size: usize,
    /// On the wire, in bytes; at most the size.
    pub(crate) width: usize,
    pub(crate) signed: bool,
}

/// A type that is made from bytes: an integer or a float.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Number {
    pub(crate) name: &'static str,
    pub(crate) width: usize,
}

/// The order of an integer's bytes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    Big,
    Little,
}

const INTS: [(&str, usize); 10] = [
    ("u8", 1),
    ("u16", 2),
    ("u32", 4),
    ("u64", 8),
    ("u128", 16),
    ("i8", 1),
    ("i16", 2),
    ("i32", 4),
    ("i64", 8),
    ("i128", 16),
];

const FLOATS: [Number; 2] = [Number { name: "f32", width: 4 }, Number { name: "f64", width: 8 }];

impl Int {
    pub(crate) fn named(name: &str) -> Option<Self> {
        let (name, size) = INTS.into_iter().find(|(known, _)| *known == name)?;
        Some(Int { name, size, width: size, signed: name.starts_with('i') })
    }

    /// The values that fit on the wire; those of 16 bytes are cut to what can be told here.
    pub(crate) fn range(self) -> RangeInclusive<i128> {
        let bits = self.width * 8;
        match (self.signed, bits) {
            (true, _) => i128::MIN >> (128 - bits)..=i128::MAX >> (128 - bits),
            (false, 128) => 0..=i128::MAX,
            (false, _) => 0..=(1_i128 << bits) - 1,
        }
    }

    /// Whether it takes fewer bytes on the wire than in memory.
    pub(crate) fn is_narrow(self) -> bool {
        self.width < self.size
    }
}

impl Scalar {
    pub(crate) fn width(self) -> usize {
        match self {
            Scalar::Int(int) => int.width,
            Scalar::Float(number) => number.width,
            Scalar::Bytes(len) | Scalar::Custom(len) => len,
            Scalar::Array(number, len) => number.width * len,
        }
    }

    /// The type as the user writes it.
    pub(crate) fn to_text(self) -> String {
        match self {
            Scalar::Int(int) => int.name.to_owned(),
            Scalar::Float(number) => number.name.to_owned(),
            Scalar::Bytes(len) => format!("[u8; {len}]"),
            Scalar::Array(number, len) => format!("[{}; {len}]", number.name),
            Scalar::Custom(_) => "a type of your own".to_owned(),
        }
    }
}

impl Type {
    /// What takes a fixed number of bytes, held or not.
    pub(crate) fn scalar(&self) -> Option<Scalar> {
        match self {
            Type::Value(scalar) | Type::Auto(scalar) => Some(*scalar),
            _ => None,
        }
    }

    pub(crate) fn is_auto(&self) -> bool {
        matches!(self, Type::Auto(_))
    }
}

pub(super) fn parse(ty: &syn::Type) -> syn::Result<Type> {
    let ty = strip(ty);
    let Some(segment) = last_segment(ty) else { return scalar(ty).map(Type::Value) };
    let inner = |segment: &PathSegment, example: &str| match argument(segment) {
        Some(inner) => Ok(Inner { written: inner.clone(), ty: Box::new(parse(inner)?) }),
        None => Err(syn::Error::new_spanned(ty, format_args!("say of what: `{example}`"))),
    };
    match segment.ident.to_string().as_str() {
        "Bytes" if segment.arguments.is_none() => Ok(Type::Bytes),
        "String" => Ok(Type::Text),
        "Section" if segment.arguments.is_none() => Ok(Type::Section),
        "Vec" => inner(segment, "Vec<u32>").map(Type::List),
        "Option" => inner(segment, "Option<u32>").map(Type::Optional),
        "Auto" => match argument(segment) {
            Some(inner) => automatic(inner),
            None => Err(syn::Error::new_spanned(ty, "say how wide it is: `Auto<u32>`")),
        },
        name if Int::named(name).is_some() || float(name).is_some() => scalar(ty).map(Type::Value),
        name => match never(name) {
            Some(remedy) => Err(unsupported(ty, name, remedy)),
            None => Ok(Type::Custom),
        },
    }
}

fn automatic(inner: &syn::Type) -> syn::Result<Type> {
    match scalar(inner)? {
        scalar @ (Scalar::Int(_) | Scalar::Bytes(_)) => Ok(Type::Auto(scalar)),
        _ => Err(syn::Error::new_spanned(inner, "only integers and `[u8; N]` can be `Auto`")),
    }
}

fn float(name: &str) -> Option<Number> {
    FLOATS.into_iter().find(|float| float.name == name)
}

fn number(name: &str) -> Option<Number> {
    let int = Int::named(name).map(|int| Number { name: int.name, width: int.size });
    int.or_else(|| float(name))
}

fn scalar(ty: &syn::Type) -> syn::Result<Scalar> {
    let ty = strip(ty);
    if let syn::Type::Array(array) = ty {
        return array_of(array);
    }
    let name = last_segment(ty).map(|segment| segment.ident.to_string()).unwrap_or_default();
    if let Some(int) = Int::named(&name) {
        return Ok(Scalar::Int(int));
    }
    let remedy = never(&name).unwrap_or("use an integer, a float, or an array of them");
    float(&name).map(Scalar::Float).ok_or_else(|| unsupported(ty, &name, remedy))
}

fn array_of(array: &syn::TypeArray) -> syn::Result<Scalar> {
    let element = last_segment(strip(&array.elem)).map(|element| element.ident.to_string());
    let Some(element) = element.as_deref().and_then(number) else {
        let text = "only arrays of integers and floats have a fixed size: `[u8; 4]`, `[u16; 2]`; \
                    for other lists use `Vec<..>`";
        return Err(syn::Error::new_spanned(&array.elem, text));
    };
    let len = match &array.len {
        Expr::Lit(ExprLit { lit: Lit::Int(len), .. }) => match len.base10_parse()? {
            0 => return Err(syn::Error::new(len.span(), "a field takes at least one byte")),
            len => len,
        },
        other => {
            let text = "the length must be written out, as in `[u8; 4]`: the offsets of the \
                        fields behind it depend on it";
            return Err(syn::Error::new_spanned(other, text));
        }
    };
    match element.name {
        "u8" => Ok(Scalar::Bytes(len)),
        _ => Ok(Scalar::Array(element, len)),
    }
}

/// What to use instead of a type that can't be a field.
fn never(name: &str) -> Option<&'static str> {
    match name {
        "usize" => Some("its width differs between machines; use `u32` or `u64`"),
        "isize" => Some("its width differs between machines; use `i32` or `i64`"),
        "bool" | "char" => Some("use an integer, such as `u8`; for flags see `bits(..)`"),
        "str" => Some("it is borrowed; use `String`, or `[u8; N]` for bytes of fixed length"),
        "BytesMut" => Some("use `Bytes`"),
        "" => Some("use an integer, a float, `[u8; N]`, `Bytes`, `String`, `Vec<..>`"),
        _ => None,
    }
}

fn unsupported(ty: &syn::Type, name: &str, remedy: &str) -> syn::Error {
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
