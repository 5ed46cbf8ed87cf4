//! Enums of frames, and the protocols that they make.

use proc_macro2::{Literal, TokenStream};
use quote::quote;
use syn::{Ident, LitStr, Type, Visibility};

use super::codec::protocol_function;
use super::tokens::{byte_order, number, option};
use crate::model::{Alternative, By, Choice};
use crate::parse::Form;

fn ty(alternative: &Alternative) -> Option<&Type> {
    alternative.ty.as_ref()
}

/// `impl Frames`.
pub(crate) fn frames(choice: &Choice) -> TokenStream {
    let ident = &choice.ident;
    let choose = choose(choice);
    let idents: Vec<&Ident> = choice.alternatives.iter().map(|one| &one.ident).collect();
    let types: Vec<&Type> = choice.alternatives.iter().filter_map(ty).collect();
    let indexes: Vec<Literal> = (0..idents.len()).map(number).collect();
    let last = types.last();
    let (reading, writing) = (reading(&idents, &types), writing(&idents));
    let frame = quote! { ::metaproto_core::frame::Frame };
    let chosen = |arms: TokenStream| {
        quote! {
            match <Self as ::metaproto_core::frame::Frames>::choose(__side, __head) {
                ::core::result::Result::Ok(::metaproto_core::frame::Chosen::Variant(__index)) => {
                    match __index { #arms }
                }
                ::core::result::Result::Ok(::metaproto_core::frame::Chosen::Need(__needed)) => {
                    ::metaproto_core::__private::not_chosen(__needed, __head.len())
                }
                ::core::result::Result::Err(__error) => ::core::result::Result::Err(__error),
            }
        }
    };
    let lengths = chosen(quote! {
        #(#indexes => <#types as #frame>::frame_length(__head),)*
        _ => <#last as #frame>::frame_length(__head),
    });
    quote! {
        #[automatically_derived]
        #[allow(unreachable_patterns)]
        impl ::metaproto_core::frame::Frames for #ident {
            #choose

            fn frame_length(
                __side: ::metaproto_core::Side,
                __head: &[::core::primitive::u8],
            ) -> ::core::result::Result<
                ::metaproto_core::FrameLength,
                ::metaproto_core::DecodeError,
            > {
                #lengths
            }

            #reading
            #writing

            fn explain(
                __side: ::metaproto_core::Side,
                __bytes: &[::core::primitive::u8],
            ) -> ::metaproto_core::Explanation {
                let __chosen =
                    <Self as ::metaproto_core::frame::Frames>::choose(__side, __bytes);
                match ::metaproto_core::__private::chosen_of(__chosen) {
                    #(::core::result::Result::Ok(#indexes) => {
                        <#types as #frame>::explain(__bytes)
                    })*
                    ::core::result::Result::Ok(_) => <#last as #frame>::explain(__bytes),
                    ::core::result::Result::Err(__error) => {
                        ::metaproto_core::__private::unexplained(__bytes, &__error)
                    }
                }
            }
        }
    }
}

/// `fn read`.
fn reading(idents: &[&Ident], types: &[&Type]) -> TokenStream {
    let frame = quote! { ::metaproto_core::frame::Frame };
    let indexes = (0..idents.len()).map(number);
    quote! {
        fn read(
            __side: ::metaproto_core::Side,
            __frame: ::metaproto_core::Bytes,
        ) -> ::core::result::Result<Self, ::metaproto_core::DecodeError> {
            let __chosen =
                <Self as ::metaproto_core::frame::Frames>::choose(__side, &__frame);
            match ::metaproto_core::__private::chosen_of(__chosen) {
                #(::core::result::Result::Ok(#indexes) => {
                    match <#types as #frame>::read(__frame) {
                        ::core::result::Result::Ok(__value) => {
                            ::core::result::Result::Ok(Self::#idents(__value))
                        }
                        ::core::result::Result::Err(__error) => {
                            ::core::result::Result::Err(__error)
                        }
                    }
                })*
                ::core::result::Result::Ok(_) => ::core::result::Result::Err(
                    ::metaproto_core::__private::unknown_variant(0),
                ),
                ::core::result::Result::Err(__error) => ::core::result::Result::Err(__error),
            }
        }
    }
}

/// `fn write` and `fn size`.
fn writing(idents: &[&Ident]) -> TokenStream {
    let frame = quote! { ::metaproto_core::frame::Frame };
    quote! {
        fn write(
            &self,
            __out: &mut ::metaproto_core::BytesMut,
        ) -> ::core::result::Result<(), ::metaproto_core::EncodeError> {
            match self {
                #(Self::#idents(__frame) => #frame::write(__frame, __out),)*
            }
        }

        fn size(&self) -> ::core::primitive::usize {
            match self {
                #(Self::#idents(__frame) => #frame::size(__frame),)*
            }
        }
    }
}

/// `fn choose`.
fn choose(choice: &Choice) -> TokenStream {
    let body = match &choice.by {
        By::TagAt { form, order, at, low, mask } => {
            let width = match form {
                Form::Fixed(int) => int.width,
                _ => 1,
            };
            let (at, width, low) = (number(*at), number(width), number(*low));
            let (mask, order) = (Literal::u64_unsuffixed(*mask), byte_order(*order));
            by_tag(
                choice,
                &quote! { #at, #width, #order },
                &quote! { >> #low & #mask },
                &quote! {
                    #at + #width
                },
            )
        }
        By::Side => by_side(choice),
        _ => {
            let types = choice.alternatives.iter().filter_map(ty);
            quote! {
                ::metaproto_core::__private::by_constants(
                    __head,
                    &[#(<#types as ::metaproto_core::frame::Frame>::CONSTANTS),*],
                )
            }
        }
    };
    quote! {
        fn choose(
            __side: ::metaproto_core::Side,
            __head: &[::core::primitive::u8],
        ) -> ::core::result::Result<
            ::metaproto_core::frame::Chosen,
            ::metaproto_core::DecodeError,
        > {
            let _ = (__side, __head);
            #body
        }
    }
}

fn by_tag(
    choice: &Choice,
    place: &TokenStream,
    keep: &TokenStream,
    end: &TokenStream,
) -> TokenStream {
    let variant = |index: usize| {
        let index = number(index);
        quote! {
            ::core::result::Result::Ok(::metaproto_core::frame::Chosen::Variant(#index))
        }
    };
    let indexed = choice.alternatives.iter().enumerate();
    let arms = indexed.clone().filter_map(|(index, one)| {
        let (tag, variant) = (one.tag.as_ref()?, variant(index));
        Some(quote! { #tag => #variant, })
    });
    let other = indexed.clone().find(|(_, one)| one.other && one.tag.is_none());
    let other = match other {
        Some((index, _)) => {
            let variant = variant(index);
            quote! { _ => #variant, }
        }
        None => quote! {
            __unknown => ::core::result::Result::Err(
                ::metaproto_core::__private::unknown_variant(__unknown),
            ),
        },
    };
    quote! {
        match ::metaproto_core::__private::tag_at(__head, #place) {
            ::core::option::Option::None => {
                ::core::result::Result::Ok(::metaproto_core::frame::Chosen::Need(#end))
            }
            ::core::option::Option::Some(__tag) => match (__tag #keep) { #(#arms)* #other },
        }
    }
}

fn by_side(choice: &Choice) -> TokenStream {
    let from = |client: bool| {
        let found = choice.alternatives.iter().position(|one| one.from_client == client);
        match found.map(number) {
            Some(index) => quote! {
                ::core::result::Result::Ok(::metaproto_core::frame::Chosen::Variant(#index))
            },
            None => quote! {
                ::core::result::Result::Err(::metaproto_core::__private::unknown_variant(0))
            },
        }
    };
    let (client, server) = (from(true), from(false));
    quote! {
        match __side {
            ::metaproto_core::Side::Downstream => #client,
            ::metaproto_core::Side::Upstream => #server,
        }
    }
}

/// What an enum of messages says about its protocol.
pub(crate) struct ProtocolOf<'a> {
    pub(crate) name: &'a LitStr,
    pub(crate) aliases: &'a [LitStr],
    pub(crate) sharing: Option<&'a Ident>,
}

/// `protocol()` of an enum of messages.
pub(crate) fn messages(
    ident: &Ident,
    vis: &Visibility,
    choice: Option<&Choice>,
    protocol: &ProtocolOf<'_>,
) -> TokenStream {
    let types: Vec<&Type> =
        choice.iter().flat_map(|choice| choice.alternatives.iter().filter_map(ty)).collect();
    let ProtocolOf { name, aliases, sharing } = protocol;
    let sharing = option(sharing.map(|sharing| quote! { ::metaproto_core::Sharing::#sharing }));
    let made = quote! {
        ::metaproto_core::frame::Variants {
            name: #name,
            aliases: &[#(#aliases),*],
            sharing: #sharing,
            choose: <#ident as ::metaproto_core::frame::Frames>::choose,
            variants: const { &[#(&::metaproto_core::frame::Derived::<#types>::new()),*] },
        }
    };
    protocol_function(ident, vis, &made)
}
