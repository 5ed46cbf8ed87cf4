//! The fixed part of a header: its fields, its constants, and what it is before it is filled in.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::Expr;

use super::tokens::{Block, bytes_of_expr, field_info, info, number};
use crate::model::{Field, Layout, Role};
use crate::parse::{Order, Scalar};

/// A part of the header that the user has written a value for.
pub(super) struct Written<'a> {
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

    pub(super) fn end(&self) -> usize {
        self.offset + self.scalar.width()
    }
}

fn written<'a>(field: &'a Field, value: &'a Expr) -> Written<'a> {
    let Field { name, offset, scalar, order, .. } = field;
    Written { name, offset: *offset, scalar: *scalar, order: *order, value }
}

fn field_constants(fields: &[Field]) -> impl Iterator<Item = Written<'_>> {
    fields.iter().filter_map(|field| match &field.role {
        Role::Constant(value) => Some(written(field, value)),
        _ => None,
    })
}

/// The parts of the header that never change.
pub(super) fn constants(layout: &Layout) -> impl Iterator<Item = Written<'_>> {
    let magic = layout.magic.iter().map(|magic| Written {
        name: "magic",
        offset: 0,
        scalar: magic.scalar,
        order: magic.order,
        value: &magic.value,
    });
    magic.chain(field_constants(&layout.head))
}

pub(super) fn field_infos(layout: &Layout) -> Vec<TokenStream> {
    let no_bits = quote! { &[] };
    let magic = layout.magic.iter().map(|m| info("magic", 0, m.scalar, m.order, &no_bits));
    magic.chain(layout.head.iter().map(field_info)).collect()
}

/// `const TRAILER`, unless it would be empty.
pub(super) fn trailer_infos(layout: &Layout) -> Option<TokenStream> {
    let fields = layout.trailer.iter().map(field_info);
    (!layout.trailer.is_empty()).then(|| {
        quote! {
            const TRAILER: &'static [::metaproto_core::frame::FieldInfo] = &[#(#fields),*];
        }
    })
}

pub(super) fn constant_infos(layout: &Layout) -> Vec<TokenStream> {
    let one = |constant: Written<'_>| {
        let (name, offset, bytes) = (constant.name, number(constant.offset), constant.bytes());
        quote! {
            ::metaproto_core::frame::Constant { name: #name, offset: #offset, bytes: &#bytes }
        }
    };
    constants(layout).map(one).collect()
}

/// The header that nobody has filled in.
pub(super) fn template(layout: &Layout) -> TokenStream {
    filled(constants(layout), &layout.head, layout.head_size)
}

/// The same for what follows the body.
pub(super) fn trailer_template(layout: &Layout) -> TokenStream {
    filled(field_constants(&layout.trailer), &layout.trailer, layout.trailer_size)
}

fn filled<'a>(
    constants: impl Iterator<Item = Written<'a>>,
    fields: &'a [Field],
    size: usize,
) -> TokenStream {
    let defaults = fields.iter().filter_map(|field| match &field.role {
        Role::Value { default: Some(value) } if !matches!(field.scalar, Scalar::Custom(_)) => {
            Some(written(field, value))
        }
        _ => None,
    });
    let block = Block::new(quote! { &mut __header }, size);
    let puts: Vec<_> = constants
        .chain(defaults)
        .map(|part| block.put(part.offset, part.scalar, &part.bytes()))
        .collect();
    let size = number(size);
    match puts.is_empty() {
        true => quote! { [0; #size] },
        false => quote! {{
            let mut __header = [0_u8; #size];
            #(#puts)*
            __header
        }},
    }
}

/// Returns an error if a constant is wrong; `block` is what has been read.
pub(super) fn check_constants(layout: &Layout, block: &Block) -> TokenStream {
    check(constants(layout), block)
}

pub(super) fn check_trailer(layout: &Layout, block: &Block) -> TokenStream {
    check(field_constants(&layout.trailer), block)
}

fn check<'a>(constants: impl Iterator<Item = Written<'a>>, block: &Block) -> TokenStream {
    let checks = constants.map(|constant| {
        let found = block.take(constant.offset, constant.scalar);
        let (name, bytes) = (constant.name, constant.bytes());
        let len = number(constant.scalar.width());
        quote! {
            let __found = #found;
            if __found != const { let __bytes: [::core::primitive::u8; #len] = #bytes; __bytes } {
                return ::core::result::Result::Err(::core::convert::From::from(
                    ::metaproto_core::__private::bad_constant(#name, &__found),
                ));
            }
        }
    });
    quote! { #(#checks)* }
}

/// `OFFSET_..`: for those who want to look into a frame themselves.
pub(super) fn offsets(layout: &Layout) -> TokenStream {
    let (ident, vis) = (&layout.ident, &layout.vis);
    let offsets = layout.head.iter().map(|field| {
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
