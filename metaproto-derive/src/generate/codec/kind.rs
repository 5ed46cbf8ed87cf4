//! Kinds: told by a value or by conditions, and made.

use std::collections::BTreeSet;

use proc_macro2::TokenStream;
use quote::quote;
use syn::ext::IdentExt;
use syn::{Expr, Ident};

use super::header;
use crate::check::names;
use crate::generate::tokens::{bits_of, scalar_type};
use crate::meaning::{Kind, Made, Rule};
use crate::model::Layout;
use crate::parse::Scalar;

/// Finds out the kind. An unknown value leaves the one that the side suggests, so that a request can
/// be answered.
pub(super) fn tell(kind: &Kind, layout: &Layout) -> TokenStream {
    match &kind.rule {
        Rule::Values { field, values } => by_value(*field, values, layout),
        Rule::Conditions { arms, other, field } => {
            by_condition(arms, other.as_ref(), *field, layout)
        }
    }
}

fn by_value(field: usize, values: &[(Expr, Ident)], layout: &Layout) -> TokenStream {
    let field = &layout.head[field];
    let value = header(layout).read(field);
    let unknown = unknown(&field.name, &quote! { __unknown as ::core::primitive::i64 });
    let arms = values.iter().map(|(value, kind)| {
        quote! { #value => ::metaproto_core::MessageKind::#kind, }
    });
    // When every value has a kind there is no unknown one.
    quote! {
        #[allow(unreachable_patterns)]
        {
            __metadata.kind = match #value {
                #(#arms)*
                __unknown => #unknown,
            };
        }
    }
}

fn unknown(name: &str, value: &TokenStream) -> TokenStream {
    quote! {
        return ::core::result::Result::Err(::metaproto_core::__private::unknown_kind(#name, #value))
    }
}

fn by_condition(
    arms: &[(Expr, Ident)],
    other: Option<&Ident>,
    field: Option<usize>,
    layout: &Layout,
) -> TokenStream {
    let asked = arms.iter().flat_map(|(condition, _)| names(condition));
    let asked: BTreeSet<String> = asked.map(|name| name.unraw().to_string()).collect();
    let bindings = bindings(&asked, layout);
    let other = match (other, field) {
        (Some(kind), _) => quote! { ::metaproto_core::MessageKind::#kind },
        (None, Some(field)) => {
            let field = &layout.head[field];
            let value = header(layout).read(field);
            unknown(&field.name, &quote! { #value as ::core::primitive::i64 })
        }
        (None, None) => unknown("kind", &quote! { 0 }),
    };
    let arms = arms.iter().map(|(condition, kind)| {
        quote! {
            if { let __holds: ::core::primitive::bool = #condition; __holds } {
                ::metaproto_core::MessageKind::#kind
            } else
        }
    });
    quote! {
        __metadata.kind = {
            #bindings
            #(#arms)* { #other }
        };
    }
}

/// `let name = ..;` for fields and bits of the fixed part.
pub(super) fn bindings(asked: &BTreeSet<String>, layout: &Layout) -> TokenStream {
    let mut all = Vec::new();
    for field in &layout.head {
        let value = header(layout).read(field);
        if asked.contains(&field.name) && matches!(field.scalar, Scalar::Int(_)) {
            let (ident, ty) = (&field.ident, scalar_type(field));
            all.push(quote! { let #ident: #ty = #value; });
        }
        for bit in field.bits.iter().filter(|bit| asked.contains(&bit.name)) {
            let (ident, value) = (&bit.ident, bits_of(bit, &value));
            all.push(quote! { let #ident = #value; });
        }
    }
    quote! { #(#all)* }
}

/// `fn set_kind`.
pub(super) fn set_kind(kind: &Kind, layout: &Layout) -> TokenStream {
    let arms = kind.made.iter().map(|Made { kind, puts }| {
        let puts = super::puts(puts, layout);
        quote! { ::metaproto_core::MessageKind::#kind => {
            #puts
            ::core::result::Result::Ok(())
        } }
    });
    quote! {
        fn set_kind(
            __header: &mut Self::Header,
            __kind: ::metaproto_core::MessageKind,
        ) -> ::core::result::Result<(), ::metaproto_core::EncodeError> {
            match __kind {
                #(#arms)*
                _ => ::core::result::Result::Err(
                    ::metaproto_core::EncodeError::Unsupported("messages of this kind"),
                ),
            }
        }
    }
}
