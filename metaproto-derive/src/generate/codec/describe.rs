//! What the fixed part tells.

use proc_macro2::{Literal, TokenStream};
use quote::quote;

use super::show;
use super::{head_of, header, int_of, kind, value_of};
use crate::generate::tokens::int_type;
use crate::meaning::{Mapping, Operation, Piece, Property, Show, Target, Timeout};
use crate::model::Layout;
use crate::parse::{Scalar, Unit};

pub(super) fn describe(layout: &Layout, mapping: &Mapping) -> TokenStream {
    let request_id = mapping.request_id.as_ref().map(|id| {
        let value = header(layout).read(&layout.head[id.field]);
        quote! {
            __metadata.request_id =
                ::core::option::Option::Some(#value as ::core::primitive::u64);
        }
    });
    let operation = mapping.operation.as_ref().and_then(|operation| match operation {
        Operation::Of(target) => of(target, layout),
        Operation::Composed(pieces) => {
            in_head(pieces).then(|| show::composed(pieces, layout, &quote! { &__header[..] }))
        }
    });
    let properties = mapping.properties.iter().enumerate();
    let properties = properties.filter_map(|(place, one)| property(place, one, layout));
    let by_side = quote! {
        __metadata.kind = match __asked.side {
            ::metaproto_core::Side::Downstream => ::metaproto_core::MessageKind::Request,
            ::metaproto_core::Side::Upstream => ::metaproto_core::MessageKind::Response,
        };
    };
    let kind = mapping.kind.as_ref().map(|kind| kind::tell(kind, layout));
    let timeout = mapping.timeout.as_ref().map(|timeout| self::timeout(timeout, layout));
    let status = mapping.status.as_ref().and_then(|status| {
        let value = value_of(&status.target, layout)?;
        Some(quote! {
            if let ::metaproto_core::MessageKind::Response = __metadata.kind {
                __metadata.status = ::core::option::Option::Some(
                    Self::SPEC.status(#value as ::core::primitive::i64),
                );
            }
        })
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
            #timeout
            ::core::result::Result::Ok(())
        }
    }
}

/// Whether all values are in the fixed part.
pub(super) fn in_head(pieces: &[Piece]) -> bool {
    !pieces.iter().any(|piece| matches!(piece, Piece::Value(Target::Part(_), _)))
}

/// The operation is a value of the fixed part.
fn of(target: &Target, layout: &Layout) -> Option<TokenStream> {
    let (field, bit) = head_of(target, layout)?;
    Some(match (field.scalar, bit) {
        (_, Some(bit)) if bit.single => {
            let range = value_of(target, layout)?;
            quote! {
                __metadata.set_operation_int(
                    <::core::primitive::i128 as ::core::convert::From<_>>::from(#range),
                );
            }
        }
        (Scalar::Int(_), _) => {
            let value = value_of(target, layout)?;
            quote! {
                __metadata.set_operation_int(#value as ::core::primitive::i128);
            }
        }
        _ => {
            let range = header(layout).text(field);
            quote! { __metadata.set_operation_in_frame(#range); }
        }
    })
}

fn property(place: usize, property: &Property, layout: &Layout) -> Option<TokenStream> {
    let (field, bit) = head_of(&property.target, layout)?;
    let (name, value) = (&property.name, value_of(&property.target, layout)?);
    let push = match (&property.show, field.scalar, bit) {
        (Show::Format(format), _, _) => quote! {
            __metadata.push_composed(#name, ::core::format_args!(#format, #value));
        },
        (Show::Names(_), _, _) => {
            let names = super::spec::names(property);
            quote! {
                ::metaproto_core::__private::push_named(
                    __metadata,
                    #name,
                    #names,
                    ::metaproto_core::frame::parts::Content::Int(
                        #value as ::core::primitive::i128,
                    ),
                );
            }
        }
        (Show::Plain, _, Some(bit)) if bit.single => quote! {
            __metadata.push_static(#name, if #value { "true" } else { "false" });
        },
        (Show::Plain, Scalar::Int(_), _) => quote! {
            __metadata.push_int(#name, #value as ::core::primitive::i128);
        },
        (Show::Plain, _, _) => {
            let range = header(layout).text(field);
            quote! { __metadata.push_in_frame(#name, #range); }
        }
    };
    let place = Literal::usize_unsuffixed(place);
    Some(quote! {
        if __asked.wanted.has(#place) {
            #push
        }
    })
}

/// Only requests tell how long they may take.
fn timeout(timeout: &Timeout, layout: &Layout) -> TokenStream {
    let field = &layout.head[timeout.field];
    let (value, unit) = (header(layout).read(field), nanoseconds(timeout.unit));
    let none = none(timeout, layout);
    // Where it can be changed: the fixed part, in which the checksums are that cover it.
    let place = layout.sealed_by(timeout.field).is_none().then(|| {
        quote! {
            __metadata.timeout_place = ::core::option::Option::Some(
                0..<Self as ::metaproto_core::Frame>::HEADER_SIZE,
            );
        }
    });
    quote! {
        if let ::metaproto_core::MessageKind::Request | ::metaproto_core::MessageKind::Oneway =
            __metadata.kind
        {
            __metadata.timeout = ::metaproto_core::__private::timeout(
                #value as ::core::primitive::i128, #none, #unit,
            );
            #place
        }
    }
}

/// The value that means no deadline.
pub(super) fn none(timeout: &Timeout, layout: &Layout) -> TokenStream {
    let ty = int_of(&layout.head[timeout.field]).map(int_type);
    match &timeout.none {
        Some(none) => quote! {{ let __none: #ty = #none; __none as ::core::primitive::i128 }},
        None => quote! { 0 },
    }
}

pub(super) fn nanoseconds(unit: Unit) -> Literal {
    Literal::u32_unsuffixed(match unit {
        Unit::Seconds => 1_000_000_000,
        Unit::Milliseconds => 1_000_000,
        Unit::Microseconds => 1_000,
        Unit::Nanoseconds => 1,
    })
}
