//! `impl Message`, and the way to the protocol.

use proc_macro2::{Literal, TokenStream};
use quote::{quote, quote_spanned};
use syn::Expr;
use syn::spanned::Spanned;

use super::tokens::{Block, bytes_of, field_info, int_type, number, option};
use crate::model::{ErrorTable, Field, Kind, Layout, Mapping, Status};
use crate::parse::{Int, Scalar};

pub(crate) fn codec(layout: &Layout, mapping: &Mapping) -> TokenStream {
    let ident = &layout.ident;
    let spec = spec(layout, mapping);
    let describe = describe(layout, mapping);
    let set_request_id =
        mapping.request_id.map(|index| set_request_id(&layout.head[index], layout));
    let codes_differ = mapping.status.as_ref().map(|status| codes_differ(status, layout));
    let protocol = protocol(ident, &layout.vis);
    quote! {
        #[automatically_derived]
        impl ::metaproto_core::frame::Message for #ident {
            const SPEC: &'static ::metaproto_core::frame::Spec = &#spec;
            #describe
            #set_request_id
        }
        #protocol
        #codes_differ
    }
}

/// `protocol()`, which is all that most users need.
pub(super) fn protocol(ident: &syn::Ident, vis: &syn::Visibility) -> TokenStream {
    let derived = quote! { ::metaproto_core::frame::Derived::<#ident>::new() };
    protocol_function(ident, vis, &derived)
}

/// The same, of what it returns.
pub(super) fn protocol_function(
    ident: &syn::Ident,
    vis: &syn::Visibility,
    made: &TokenStream,
) -> TokenStream {
    quote! {
        #[automatically_derived]
        #[allow(dead_code)]
        impl #ident {
            /// The protocol whose messages these are.
            #[must_use]
            #vis fn protocol() -> ::std::sync::Arc<dyn ::metaproto_core::Protocol> {
                ::std::sync::Arc::new(#made)
            }
        }
    }
}

fn info(field: &Field) -> TokenStream {
    field_info(field)
}

fn spec(layout: &Layout, mapping: &Mapping) -> TokenStream {
    let (name, aliases) = (&mapping.protocol, &mapping.aliases);
    let sharing = mapping.sharing.as_ref();
    let sharing = option(sharing.map(|sharing| quote! { ::metaproto_core::Sharing::#sharing }));
    let bits = mapping.request_id.map(|index| number(layout.head[index].scalar.width() * 8));
    let bits = option(bits.map(|bits| quote! { #bits }));
    let properties = mapping.properties.iter().map(|(name, index)| {
        let field = info(&layout.head[*index]);
        quote! { ::metaproto_core::frame::Property { name: #name, field: #field } }
    });
    let status = option(mapping.status.as_ref().map(|status| status_field(status, layout)));
    let errors = mapping.status.as_ref().and_then(|status| error_table(status, layout));
    let errors = option(errors);
    let kind = option(mapping.kind.as_ref().map(|kind| kind_field(kind, layout)));
    quote! {
        ::metaproto_core::frame::Spec {
            protocol: #name,
            aliases: &[#(#aliases),*],
            sharing: #sharing,
            request_id_bits: #bits,
            properties: &[#(#properties),*],
            status: #status,
            errors: #errors,
            kind: #kind,
        }
    }
}

/// The fixed part of the header.
fn header(layout: &Layout) -> Block {
    Block::new(quote! { __header }, layout.head_size)
}

fn int_of(field: &Field) -> Option<Int> {
    match field.scalar {
        Scalar::Int(int) => Some(int),
        _ => None,
    }
}

/// A value of the field's type, as `i64`.
fn wide(value: &Expr, field: &Field) -> TokenStream {
    let ty = int_of(field).map(int_type);
    quote! {{ let __value: #ty = #value; __value as ::core::primitive::i64 }}
}

fn status_field(status: &Status, layout: &Layout) -> TokenStream {
    let field = &layout.head[status.field];
    let (info, ok) = (info(field), wide(&status.ok, field));
    quote! { ::metaproto_core::frame::StatusField { field: #info, ok: #ok } }
}

fn error_table(status: &Status, layout: &Layout) -> Option<TokenStream> {
    let ErrorTable { codes, other, text } = status.errors.as_ref()?;
    let field = &layout.head[status.field];
    let codes = codes.iter().map(|(kind, code)| {
        let code = wide(code, field);
        quote! { (::metaproto_core::ErrorKind::#kind, #code) }
    });
    let other = wide(other, field);
    Some(quote! {
        ::metaproto_core::frame::ErrorTable { codes: &[#(#codes),*], other: #other, text: #text }
    })
}

/// Checks that no code means success. Numbers have been compared; what a named constant is, only the
/// compiler knows.
fn codes_differ(status: &Status, layout: &Layout) -> TokenStream {
    let field = &layout.head[status.field];
    let ok = wide(&status.ok, field);
    let codes = status
        .errors
        .iter()
        .flat_map(|errors| errors.codes.iter().map(|(_, code)| code).chain([&errors.other]));
    let checks = codes.map(|code| {
        let value = wide(code, field);
        quote_spanned! { code.span() =>
            const _: () = ::core::assert!(
                #value != #ok, "this is the ok value; an error needs another code",
            );
        }
    });
    quote! { #(#checks)* }
}

fn kind_field(kind: &Kind, layout: &Layout) -> TokenStream {
    let field = &layout.head[kind.field];
    let info = info(field);
    let values = kind.values.iter().map(|(value, kind)| {
        let value = wide(value, field);
        quote! { (#value, ::metaproto_core::MessageKind::#kind) }
    });
    quote! { ::metaproto_core::frame::KindField { field: #info, values: &[#(#values),*] } }
}

fn describe(layout: &Layout, mapping: &Mapping) -> TokenStream {
    let request_id = mapping.request_id.map(|index| {
        let value = header(layout).read(&layout.head[index]);
        quote! {
            __metadata.request_id =
                ::core::option::Option::Some(#value as ::core::primitive::u64);
        }
    });
    let operation = mapping.operation.map(|index| {
        let field = &layout.head[index];
        match field.scalar {
            Scalar::Int(_) => {
                let value = header(layout).read(field);
                quote! { __metadata.set_operation_int(#value); }
            }
            _ => {
                let range = header(layout).text(field);
                quote! { __metadata.set_operation_in_frame(#range); }
            }
        }
    });
    let properties = mapping
        .properties
        .iter()
        .enumerate()
        .map(|(place, (name, index))| property(place, name, &layout.head[*index], layout));
    let by_side = quote! {
        __metadata.kind = match __asked.side {
            ::metaproto_core::Side::Downstream => ::metaproto_core::MessageKind::Request,
            ::metaproto_core::Side::Upstream => ::metaproto_core::MessageKind::Response,
        };
    };
    let kind = mapping.kind.as_ref().map(|kind| by_value(kind, layout));
    let status = mapping.status.as_ref().map(|status| {
        let value = header(layout).read(&layout.head[status.field]);
        quote! {
            if let ::metaproto_core::MessageKind::Response = __metadata.kind {
                __metadata.status = ::core::option::Option::Some(
                    Self::SPEC.status(#value as ::core::primitive::i64),
                );
            }
        }
    });
    quote! {
        #[inline(always)]
        fn describe(
            __header: &Self::Header,
            __asked: &::metaproto_core::frame::Asked,
            __metadata: &mut ::metaproto_core::Metadata,
        ) -> ::core::result::Result<(), ::metaproto_core::DecodeError> {
            let _ = (__header, __asked);
            #request_id
            #operation
            #(#properties)*
            #by_side
            #kind
            #status
            ::core::result::Result::Ok(())
        }
    }
}

fn property(place: usize, name: &str, field: &Field, layout: &Layout) -> TokenStream {
    let push = match field.scalar {
        Scalar::Int(_) => {
            let value = header(layout).read(field);
            quote! { __metadata.push_int(#name, #value); }
        }
        _ => {
            let range = header(layout).text(field);
            quote! { __metadata.push_in_frame(#name, #range); }
        }
    };
    let place = Literal::usize_unsuffixed(place);
    quote! {
        if __asked.wanted.has(#place) {
            #push
        }
    }
}

/// An unknown value leaves the kind that the side suggests, so that a request can be answered.
fn by_value(kind: &Kind, layout: &Layout) -> TokenStream {
    let field = &layout.head[kind.field];
    let (name, value) = (&field.name, header(layout).read(field));
    let arms = kind.values.iter().map(|(value, kind)| {
        quote! { #value => ::metaproto_core::MessageKind::#kind, }
    });
    // When every value has a kind there is no unknown one.
    quote! {
        #[allow(unreachable_patterns)]
        {
            __metadata.kind = match #value {
                #(#arms)*
                __unknown => {
                    return ::core::result::Result::Err(
                        ::metaproto_core::__private::unknown_kind(
                            #name, __unknown as ::core::primitive::i64,
                        ),
                    );
                }
            };
        }
    }
}

fn set_request_id(field: &Field, layout: &Layout) -> TokenStream {
    let (name, ty) = (&field.name, int_of(field).map(int_type));
    let value = bytes_of(field.scalar, field.order, &quote! { __value });
    let put = header(layout).put(field.offset, field.scalar, &value);
    quote! {
        #[inline]
        fn set_request_id(
            __header: &mut Self::Header,
            __id: ::core::primitive::u64,
        ) -> ::core::result::Result<(), ::metaproto_core::EncodeError> {
            match ::metaproto_core::__private::request_id::<#ty>(#name, __id) {
                ::core::result::Result::Ok(__value) => {
                    #put
                    ::core::result::Result::Ok(())
                }
                ::core::result::Result::Err(__error) => ::core::result::Result::Err(__error),
            }
        }
    }
}
