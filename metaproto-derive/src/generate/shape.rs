//! Shapes of parts, as expressions: the runtime does the rest.

use proc_macro2::{Group, Literal, Span, TokenStream, TokenTree};
use quote::{format_ident, quote};
use syn::spanned::Spanned;
use syn::{Expr, LitStr, Type};

use super::tokens::{byte_order, number, option, primitive, signed};
use crate::model::{Extent, NumberForm, Part, Prefix, Shape};
use crate::parse::{EntryKey, Form, Order, Scalar, SectionFormat};

/// The shape of a part, without what may make it missing.
pub(super) fn shape(part: &Part) -> TokenStream {
    match &part.ty {
        Some(ty) => of(&part.shape, ty),
        None => of(&part.shape, &syn::parse_quote!(())),
    }
}

/// A reference to the shape of a part, with what may make it missing. A type without a layout is
/// told of where it stands, and not once for each use.
pub(super) fn borrowed(part: &Part) -> TokenStream {
    let whole = whole(part);
    let borrowed = quote! { &#whole };
    match (&part.shape, &part.ty, &part.when) {
        (Shape::Nested | Shape::List { .. }, Some(ty), None) => located(borrowed, ty.span()),
        _ => borrowed,
    }
}

/// The same tokens, as if they stood there.
fn located(tokens: TokenStream, span: Span) -> TokenStream {
    let one = |mut tree: TokenTree| {
        if let TokenTree::Group(group) = &tree {
            let inner = located(group.stream(), span);
            tree = TokenTree::Group(Group::new(group.delimiter(), inner));
        }
        tree.set_span(tree.span().located_at(span));
        tree
    };
    tokens.into_iter().map(one).collect()
}

/// The shape of a part, with what may make it missing.
pub(super) fn whole(part: &Part) -> TokenStream {
    let inner = shape(part);
    match &part.when {
        None => inner,
        Some(when) => {
            let when = bool_of(when);
            quote! { ::metaproto_core::frame::parts::Optional::new(#when, #inner) }
        }
    }
}

/// An expression of the user's, which must be a bool: its own block, so that mistakes are told there.
fn bool_of(expr: &Expr) -> TokenStream {
    quote! {{ let __when: ::core::primitive::bool = #expr; __when }}
}

fn of(shape: &Shape, ty: &Type) -> TokenStream {
    let parts = quote! { ::metaproto_core::frame::parts };
    match shape {
        Shape::Number { scalar, form } => {
            let (form, ty) = (number_form(*scalar, *form), number_type(*scalar));
            quote! { #parts::Number::<#ty>::new(#form) }
        }
        Shape::Array { scalar, order } => array(*scalar, *order),
        Shape::Block(extent) => {
            let extent = self::extent(extent);
            quote! { #parts::Block::<#ty>::new(#extent) }
        }
        Shape::Nullable { prefix, inner } => {
            let prefix = self::prefix(prefix);
            quote! { #parts::Nullable::<#inner>::new(#prefix) }
        }
        Shape::Terminated { end, max } => {
            let max = match max {
                Some(max) => quote! { #max },
                None => quote! { ::core::primitive::usize::MAX },
            };
            quote! { #parts::Terminated::<#ty>::new(#end, #max) }
        }
        Shape::List { item, item_ty, count, bytes } => {
            let item = of(item, item_ty);
            let (count, bytes) = (optional_extent(count), optional_extent(bytes));
            quote! { #parts::List::new(#item, #count, #bytes) }
        }
        Shape::Section { format, order, count, bytes } => {
            let format = section_format(format, *order);
            let (count, bytes) = (optional_extent(count), optional_extent(bytes));
            quote! { #parts::Pairs::new(#format, #count, #bytes) }
        }
        Shape::Nested => quote! { #parts::Nested::<#ty>::new() },
        Shape::Tagged(tag) => {
            quote! { #parts::ByTag::<#ty>::new((#tag) as ::core::primitive::u64) }
        }
        Shape::With(_) => quote! { __With },
        Shape::Padding { skip, align } => {
            let (skip, align) = (number(*skip), number(*align));
            quote! { #parts::Padding::new(#skip, #align) }
        }
    }
}

/// The type of a number, which may be that of an `Auto`.
fn number_type(scalar: Scalar) -> TokenStream {
    match scalar {
        Scalar::Float(float) => primitive(float.name),
        Scalar::Int(int) => primitive(int.name),
        _ => primitive("u8"),
    }
}

fn number_form(scalar: Scalar, form: NumberForm) -> TokenStream {
    let order = match form {
        NumberForm::Fixed(order) => order,
        NumberForm::Varint => return quote! { ::metaproto_core::frame::parts::IntForm::Varint },
        NumberForm::ZigZag => return quote! { ::metaproto_core::frame::parts::IntForm::ZigZag },
    };
    let is_signed = matches!(scalar, Scalar::Int(int) if int.signed);
    fixed(scalar.width(), order, is_signed)
}

fn fixed(width: usize, order: Order, is_signed: bool) -> TokenStream {
    let (width, order) = (number(width), byte_order(order));
    quote! {
        ::metaproto_core::frame::parts::IntForm::Fixed {
            width: #width, order: #order, signed: #is_signed,
        }
    }
}

pub(super) fn int_form(form: Form, order: Order) -> TokenStream {
    match form {
        Form::Fixed(int) => fixed(int.width, order, int.signed),
        Form::Varint => quote! { ::metaproto_core::frame::parts::IntForm::Varint },
        Form::ZigZag => quote! { ::metaproto_core::frame::parts::IntForm::ZigZag },
    }
}

fn array(scalar: Scalar, order: Order) -> TokenStream {
    let (name, len) = match scalar {
        Scalar::Array(of, len) => (of.name, len),
        other => ("u8", other.width()),
    };
    let (ty, len, order) = (primitive(name), number(len), byte_order(order));
    quote! { ::metaproto_core::frame::parts::Array::<#ty, #len>::new(#order) }
}

fn prefix(prefix: &Prefix) -> TokenStream {
    let form = int_form(prefix.form, prefix.order);
    let (unit, plus) = (Literal::u64_unsuffixed(prefix.unit), signed(prefix.plus));
    quote! {
        ::metaproto_core::frame::parts::Prefix { form: #form, unit: #unit, plus: #plus }
    }
}

/// The value of a length that a field elsewhere tells, as it is named in generated code.
pub(super) fn told(extent: &Extent) -> Option<proc_macro2::Ident> {
    match extent {
        Extent::Length(place) => Some(format_ident!("__length_{place}")),
        Extent::Count(place) => Some(format_ident!("__count_{place}")),
        Extent::Prefix(_) | Extent::Rest => None,
    }
}

fn extent(extent: &Extent) -> TokenStream {
    match extent {
        Extent::Prefix(prefix) => {
            let prefix = self::prefix(prefix);
            quote! { ::metaproto_core::frame::parts::Extent::Prefix(#prefix) }
        }
        Extent::Rest => quote! { ::metaproto_core::frame::parts::Extent::Rest },
        told => {
            let told = self::told(told);
            quote! { ::metaproto_core::frame::parts::Extent::Given(#told) }
        }
    }
}

fn optional_extent(extent: &Option<Extent>) -> TokenStream {
    option(extent.as_ref().map(self::extent))
}

/// How the entries of a section are written, as a constant.
pub(super) fn section_format(format: &SectionFormat, order: Order) -> TokenStream {
    let key = match &format.key {
        EntryKey::Text(form) => {
            let form = int_form(form.value, order);
            quote! { ::metaproto_core::frame::parts::EntryKey::Text(#form) }
        }
        EntryKey::Number(form, names) => {
            let form = int_form(form.value, order);
            let names = tag_names(names);
            quote! {
                ::metaproto_core::frame::parts::EntryKey::Number { form: #form, names: #names }
            }
        }
    };
    let value = int_form(format.value.value, order);
    quote! {
        const { &::metaproto_core::frame::parts::EntryFormat { key: #key, value: #value } }
    }
}

/// A tag, and the name that it has.
type TagName = (Expr, LitStr);

/// The names that the tags of a section have, if it has tags.
pub(super) fn section_names(format: &SectionFormat) -> Option<&[TagName]> {
    match &format.key {
        EntryKey::Text(_) => None,
        EntryKey::Number(_, names) => Some(names),
    }
}

/// The names of tags, as a constant.
pub(super) fn tag_names(names: &[TagName]) -> TokenStream {
    let names = names.iter().map(|(value, name)| {
        quote! { (#value as ::core::primitive::u64, #name) }
    });
    quote! { &[#(#names),*] }
}

/// The shape that a module of the user's makes, of the part or of the items in it, as a type of its
/// own.
pub(super) fn with_module(part: &Part) -> Option<TokenStream> {
    let (mut shape, mut ty) = (&part.shape, part.ty.as_ref()?);
    while let Shape::List { item, item_ty, .. } = shape {
        (shape, ty) = (item, item_ty);
    }
    match shape {
        Shape::With(module) => Some(with_type(module, ty)),
        _ => None,
    }
}

pub(super) fn with_type(module: &syn::Path, ty: &Type) -> TokenStream {
    quote! {
        struct __With;
        impl ::metaproto_core::frame::parts::Part for __With {
            type Value = #ty;
            const MIN_SIZE: ::core::primitive::usize = 0;
            fn skip(
                &self,
                __cursor: &mut ::metaproto_core::frame::parts::Cursor<'_>,
                __progress: &mut ::metaproto_core::frame::parts::Progress,
            ) -> ::core::result::Result<(), ::metaproto_core::frame::parts::Stop> {
                #module::skip(__cursor, __progress)
            }
            fn read(
                &self,
                __cursor: &mut ::metaproto_core::frame::parts::Cursor<'_>,
            ) -> ::core::result::Result<#ty, ::metaproto_core::frame::parts::Stop> {
                #module::read(__cursor)
            }
            fn size(&self, __value: &#ty) -> ::core::primitive::usize {
                #module::size(__value)
            }
            fn write(
                &self,
                __value: &#ty,
                __out: &mut ::metaproto_core::BytesMut,
            ) -> ::core::result::Result<(), ::metaproto_core::EncodeError> {
                #module::write(__value, __out)
            }
        }
    }
}

/// What tells how long a shape is, and how many there are.
pub(super) fn extents(shape: &Shape) -> Vec<&Extent> {
    match shape {
        Shape::Block(extent) => vec![extent],
        Shape::List { count, bytes, item, .. } => {
            let mut all = extents(item);
            all.extend(count.iter().chain(bytes));
            all
        }
        Shape::Section { count, bytes, .. } => count.iter().chain(bytes).collect(),
        _ => Vec::new(),
    }
}
