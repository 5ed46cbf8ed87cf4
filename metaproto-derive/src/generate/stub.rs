//! What is generated when there are mistakes: enough for the users of the struct to compile, so
//! that the mistakes are all that the compiler talks about. It never runs.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};

use super::codec::protocol;
use crate::parse::Declaration;

pub(crate) fn frame_stub(declaration: &Declaration) -> TokenStream {
    let (ident, vis) = (&declaration.ident, &declaration.vis);
    let offsets = declaration.fields.iter().map(|field| {
        let name = format_ident!("OFFSET_{}", field.name.to_uppercase());
        quote! { #vis const #name: ::core::primitive::usize = 0; }
    });
    let (generics, arguments, bounds) = declaration.generics.split_for_impl();
    quote! {
        #[automatically_derived]
        impl #generics ::metaproto_core::frame::Frame for #ident #arguments #bounds {
            type Header = [::core::primitive::u8; 0];
            const MAX_LENGTH: ::core::primitive::u64 = 0;
            const FIELDS: &'static [::metaproto_core::frame::FieldInfo] = &[];
            const CONSTANTS: &'static [::metaproto_core::frame::Constant] = &[];
            const TEMPLATE: Self::Header = [];
            fn length(
                _: &Self::Header,
            ) -> ::core::result::Result<::core::primitive::usize, ::metaproto_core::DecodeError> {
                loop {}
            }
            fn set_length(
                _: &mut Self::Header,
                _: ::core::primitive::usize,
            ) -> ::core::result::Result<(), ::metaproto_core::EncodeError> {
                loop {}
            }
            fn from_parts(_: &Self::Header, _: ::metaproto_core::Bytes) -> Self {
                loop {}
            }
            fn to_header(
                &self,
            ) -> ::core::result::Result<Self::Header, ::metaproto_core::EncodeError> {
                loop {}
            }
            fn body(&self) -> &[::core::primitive::u8] {
                loop {}
            }
        }
        #[automatically_derived]
        #[allow(dead_code)]
        impl #generics #ident #arguments #bounds {
            #(#offsets)*
        }
    }
}

pub(crate) fn codec_stub(declaration: &Declaration) -> TokenStream {
    // Its parameters would have to be `Send` and more.
    if !declaration.generics.params.is_empty() {
        return TokenStream::new();
    }
    let ident = &declaration.ident;
    let protocol = protocol(ident, &declaration.vis);
    quote! {
        #[automatically_derived]
        impl ::metaproto_core::frame::Message for #ident {
            const SPEC: &'static ::metaproto_core::frame::Spec = &::metaproto_core::frame::Spec {
                protocol: "",
                aliases: &[],
                sharing: ::core::option::Option::None,
                request_id_bits: ::core::option::Option::None,
                properties: &[],
                status: ::core::option::Option::None,
                errors: ::core::option::Option::None,
                kind: ::core::option::Option::None,
            };
            fn describe(
                _: &Self::Header,
                _: ::metaproto_core::Side,
                _: ::metaproto_core::frame::Wanted,
                _: &mut ::metaproto_core::Metadata,
            ) -> ::core::result::Result<(), ::metaproto_core::DecodeError> {
                loop {}
            }
        }
        #protocol
    }
}
