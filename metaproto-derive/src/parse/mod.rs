//! From tokens to attributes. Looks at one attribute at a time; whether they make sense together is
//! the next step's question.

mod choice;
mod entry;
mod frame;
mod keys;
mod meta;
mod ty;

use proc_macro2::Span;
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{
    Attribute, Data, DeriveInput, Expr, ExprLit, ExprUnary, Fields, Generics, Ident, Lit, UnOp,
    Visibility,
};

pub(crate) use self::choice::{By, Choice, Held, Variant, choice};
pub(crate) use self::frame::{
    BitOrder, Count, EntryKey, Form, FrameField, FrameStruct, Measure, SectionFormat, Target,
};
use self::frame::{endian, form};
pub(crate) use self::meta::{
    Assign, KindArm, MetaField, MetaStruct, Piece, Template, ToldProperty, ToldStatus, Unit,
};
pub(crate) use self::ty::{Inner, Int, Order, Scalar, Type};
use crate::mistakes::Mistakes;

/// A struct and what has been said about it.
pub(crate) struct Declaration {
    pub(crate) ident: Ident,
    pub(crate) vis: Visibility,
    /// Frames have none; those who try hear of that alone.
    pub(crate) generics: Generics,
    pub(crate) frame: FrameStruct,
    pub(crate) meta: MetaStruct,
    pub(crate) fields: Vec<Field>,
    /// The struct can't be looked at field by field; this has been reported.
    pub(crate) opaque: bool,
}

/// A field and what has been said about it.
pub(crate) struct Field {
    pub(crate) ident: Ident,
    /// The name without `r#`.
    pub(crate) name: String,
    /// The type as written.
    pub(crate) written: syn::Type,
    /// `None` if it is no type for a frame; this has been reported.
    pub(crate) ty: Option<Type>,
    pub(crate) frame: FrameField,
    pub(crate) meta: MetaField,
}

/// What a key says, and where the key stands.
#[derive(Clone)]
pub(crate) struct Said<T> {
    pub(crate) span: Span,
    pub(crate) value: T,
}

/// What comes out of this step.
pub(crate) struct Parsed {
    pub(crate) declaration: Declaration,
    pub(crate) layout_mistakes: Mistakes,
    pub(crate) mapping_mistakes: Mistakes,
}

pub(crate) fn input(input: &DeriveInput) -> Parsed {
    let (mut layout, mut mapping) = (Mistakes::default(), Mistakes::default());
    let frame = frame::container(attributes(&input.attrs, "frame"), &mut layout);
    let meta = meta::container(attributes(&input.attrs, "meta"), &mut mapping);
    let mut fields = Vec::new();
    let named = match input.generics.params.first() {
        None => named_fields(input, &mut layout),
        Some(parameter) => {
            let text = "a frame can't be generic: its layout is the same wherever it is used";
            layout.at(parameter, text);
            None
        }
    };
    for field in named.iter().flat_map(|named| &named.named) {
        let Some(ident) = field.ident.clone() else { continue };
        fields.push(Field {
            name: ident.unraw().to_string(),
            written: field.ty.clone(),
            ty: layout.ok(ty::parse(&field.ty)),
            frame: frame::field(attributes(&field.attrs, "frame"), &mut layout),
            meta: meta::field(attributes(&field.attrs, "meta"), &mut mapping),
            ident,
        });
    }
    let declaration = Declaration {
        ident: input.ident.clone(),
        vis: input.vis.clone(),
        generics: input.generics.clone(),
        frame,
        meta,
        opaque: named.is_none(),
        fields,
    };
    Parsed { declaration, layout_mistakes: layout, mapping_mistakes: mapping }
}

fn named_fields<'a>(
    input: &'a DeriveInput,
    mistakes: &mut Mistakes,
) -> Option<&'a syn::FieldsNamed> {
    let (span, what) = match &input.data {
        Data::Struct(data) => match &data.fields {
            Fields::Named(named) => return Some(named),
            Fields::Unnamed(fields) => (fields.span(), "the fields of a frame need names"),
            Fields::Unit => (input.ident.span(), "a frame needs fields"),
        },
        Data::Enum(data) => {
            (data.enum_token.span, "the fields of an enum are those of its variants")
        }
        Data::Union(data) => (data.union_token.span, "a frame is a struct, not a union"),
    };
    mistakes.add(span, format_args!("{what}: `struct {} {{ id: u32, .. }}`", input.ident));
    None
}

fn attributes<'a>(all: &'a [Attribute], name: &'a str) -> impl Iterator<Item = &'a Attribute> {
    all.iter().filter(move |attribute| attribute.path().is_ident(name))
}

/// The number that `value` is, if it is written out.
pub(crate) fn literal(value: &Expr) -> Option<i128> {
    match value {
        Expr::Lit(ExprLit { lit: Lit::Int(int), .. }) => int.base10_parse().ok(),
        Expr::Lit(ExprLit { lit: Lit::Byte(byte), .. }) => Some(i128::from(byte.value())),
        Expr::Unary(ExprUnary { op: UnOp::Neg(_), expr, .. }) => literal(expr).map(|n| -n),
        Expr::Group(group) => literal(&group.expr),
        Expr::Paren(paren) => literal(&paren.expr),
        _ => None,
    }
}
