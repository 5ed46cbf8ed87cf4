//! `impl Wire`: a struct inside of a frame.

use proc_macro2::TokenStream;
use quote::quote;

use super::frame::{part_values, values, widths};
use super::head::{check_constants, field_infos, template};
use super::lengths::lengths_function;
use super::tokens::{Block, number, tried};
use super::walk::{Pass, parts};
use super::write::{own_parts, put_values, write_function};
use super::{bits, head};
use crate::model::Layout;

pub(crate) fn wire(layout: &Layout) -> TokenStream {
    let ident = &layout.ident;
    let size = number(layout.head_size);
    let fields = field_infos(layout);
    let fixed = match layout.parts.is_empty() {
        true => quote! { ::core::option::Option::Some(#size) },
        false => quote! { ::core::option::Option::None },
    };
    let block = Block::new(quote! { __header }, layout.head_size);
    let constants = check_constants(layout, &block);
    let header = tried(&quote! { __cursor.array::<#size>() });
    let (skip, read) = (parts(layout, Pass::Skip), parts(layout, Pass::Read));
    let explain = parts(layout, Pass::Explain);
    let (values, part_values) = (values(&layout.head, &block), part_values(layout));
    let put = Block::new(quote! { &mut __header }, layout.head_size);
    let (template, puts) = (template(layout), put_values(&layout.head, &put));
    let own = own_parts(layout);
    let measured = match layout.parts.is_empty() {
        true => quote! { #size },
        false => quote! {
            ::metaproto_core::__private::measured(|__out| {
                ::metaproto_core::frame::parts::Wire::write(self, __out)
            })
        },
    };
    let function = write_function(layout, false);
    let lengths = lengths_function(layout);
    let (offsets, accessors) = (head::offsets(layout), bits::accessors(layout));
    let widths = widths(layout);
    quote! {
        #[automatically_derived]
        impl ::metaproto_core::frame::parts::Wire for #ident {
            const MIN_SIZE: ::core::primitive::usize = #size;
            const SIZE: ::core::option::Option<::core::primitive::usize> = #fixed;

            fn skip(
                __cursor: &mut ::metaproto_core::frame::parts::Cursor<'_>,
                _: &mut ::metaproto_core::frame::parts::Progress,
            ) -> ::core::result::Result<(), ::metaproto_core::frame::parts::Stop> {
                let __header = &#header;
                #constants
                #skip
                let _ = __header;
                ::core::result::Result::Ok(())
            }

            fn read(
                __cursor: &mut ::metaproto_core::frame::parts::Cursor<'_>,
            ) -> ::core::result::Result<Self, ::metaproto_core::frame::parts::Stop> {
                let __header = &#header;
                #constants
                #read
                let _ = __header;
                ::core::result::Result::Ok(Self { #values #part_values })
            }

            fn size(&self) -> ::core::primitive::usize {
                #measured
            }

            fn write(
                &self,
                __out: &mut ::metaproto_core::BytesMut,
            ) -> ::core::result::Result<(), ::metaproto_core::EncodeError> {
                let mut __header: [::core::primitive::u8; #size] = #template;
                let _ = &mut __header;
                #puts
                ::metaproto_core::__private::all_or_nothing(__out, |__out| {
                    <#ident>::__write(__header, #own &[], [], __out)
                })
            }

            fn explain(
                __cursor: &mut ::metaproto_core::frame::parts::Cursor<'_>,
                __notes: &mut ::metaproto_core::Explanation,
            ) -> ::core::result::Result<(), ::metaproto_core::frame::parts::Stop> {
                let __start = __cursor.position();
                let __header = &#header;
                ::metaproto_core::__private::explain_fields(
                    __start, &[#(#fields),*], __notes,
                );
                #explain
                ::core::result::Result::Ok(())
            }
        }

        #[automatically_derived]
        #[doc(hidden)]
        impl #ident {
            #function
            #lengths
        }
        #offsets
        #accessors
        #widths
    }
}
