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
            type Prefix = [::core::primitive::u8; 0];
            type Sizes = [::core::primitive::usize; 0];
            type Starts = [::core::primitive::usize; 1];
            const TRAILER_SIZE: ::core::primitive::usize = 0;
            const MAX_LENGTH: ::core::primitive::u64 = 0;
            const IS_SCANNED: ::core::primitive::bool = false;
            const FIELDS: &'static [::metaproto_core::frame::FieldInfo] = &[];
            const PARTS: &'static [&'static ::core::primitive::str] = &[];
            const CONSTANTS: &'static [::metaproto_core::frame::Constant] = &[];
            const TEMPLATE: Self::Header = [];
            fn length(
                _: &Self::Prefix,
            ) -> ::core::result::Result<
                ::core::option::Option<::core::primitive::usize>,
                ::metaproto_core::DecodeError,
            > {
                loop {}
            }
            fn set_lengths(
                _: &mut Self::Header,
                _: &Self::Sizes,
                _: ::core::primitive::usize,
            ) -> ::core::result::Result<(), ::metaproto_core::EncodeError> {
                loop {}
            }
            fn read(
                _: ::metaproto_core::Bytes,
            ) -> ::core::result::Result<Self, ::metaproto_core::DecodeError> {
                loop {}
            }
            fn write(
                &self,
                _: &mut ::metaproto_core::BytesMut,
            ) -> ::core::result::Result<(), ::metaproto_core::EncodeError> {
                loop {}
            }
            fn body(&self) -> &[::core::primitive::u8] {
                loop {}
            }
            fn size(&self) -> ::core::primitive::usize {
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

pub(crate) fn frames_stub(ident: &syn::Ident, generics: &syn::Generics) -> TokenStream {
    let (generics, arguments, bounds) = generics.split_for_impl();
    quote! {
        #[automatically_derived]
        impl #generics ::metaproto_core::frame::Frames for #ident #arguments #bounds {
            fn choose(
                _: ::metaproto_core::Side,
                _: &[::core::primitive::u8],
            ) -> ::core::result::Result<
                ::metaproto_core::frame::Chosen,
                ::metaproto_core::DecodeError,
            > {
                loop {}
            }
            fn frame_length(
                _: ::metaproto_core::Side,
                _: &[::core::primitive::u8],
            ) -> ::core::result::Result<
                ::metaproto_core::FrameLength,
                ::metaproto_core::DecodeError,
            > {
                loop {}
            }
            fn read(
                _: ::metaproto_core::Side,
                _: ::metaproto_core::Bytes,
            ) -> ::core::result::Result<Self, ::metaproto_core::DecodeError> {
                loop {}
            }
            fn write(
                &self,
                _: &mut ::metaproto_core::BytesMut,
            ) -> ::core::result::Result<(), ::metaproto_core::EncodeError> {
                loop {}
            }
            fn size(&self) -> ::core::primitive::usize {
                loop {}
            }
            fn explain(
                _: ::metaproto_core::Side,
                _: &[::core::primitive::u8],
            ) -> ::metaproto_core::Explanation {
                loop {}
            }
        }
    }
}

pub(crate) fn wire_stub(ident: &syn::Ident, generics: &syn::Generics) -> TokenStream {
    let (generics, arguments, bounds) = generics.split_for_impl();
    quote! {
        #[automatically_derived]
        impl #generics ::metaproto_core::frame::parts::Wire for #ident #arguments #bounds {
            const MIN_SIZE: ::core::primitive::usize = 0;
            const SIZE: ::core::option::Option<::core::primitive::usize> =
                ::core::option::Option::None;
            fn skip(
                _: &mut ::metaproto_core::frame::parts::Cursor<'_>,
                _: &mut ::metaproto_core::frame::parts::Progress,
            ) -> ::core::result::Result<(), ::metaproto_core::frame::parts::Stop> {
                loop {}
            }
            fn read(
                _: &mut ::metaproto_core::frame::parts::Cursor<'_>,
            ) -> ::core::result::Result<Self, ::metaproto_core::frame::parts::Stop> {
                loop {}
            }
            fn size(&self) -> ::core::primitive::usize {
                loop {}
            }
            fn write(
                &self,
                _: &mut ::metaproto_core::BytesMut,
            ) -> ::core::result::Result<(), ::metaproto_core::EncodeError> {
                loop {}
            }
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
                sealed_id: false,
                properties: &[],
                sections: &[],
                status: ::core::option::Option::None,
                errors: ::core::option::Option::None,
                kind: ::core::option::Option::None,
                kinds: &[],
            };
            fn describe(
                _: &Self::Header,
                _: &::metaproto_core::frame::Asked,
                _: &mut ::metaproto_core::Metadata,
            ) -> ::core::result::Result<(), ::metaproto_core::DecodeError> {
                loop {}
            }
        }
        #protocol
    }
}
