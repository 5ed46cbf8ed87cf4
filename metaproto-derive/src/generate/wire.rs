//! `impl Wire`: a struct inside of a frame.

use proc_macro2::TokenStream;
use quote::quote;

use super::frame::{part_values, values, widths};
use super::head::{check_constants, field_infos, template};
use super::lengths::lengths_function;
use super::sizes::size_function;
use super::tokens::{Block, number, tried};
use super::walk::{Pass, parts};
use super::write::{own_parts, put_values, write_function};
use super::{bits, head};
use crate::model::Layout;

pub(crate) fn wire(layout: &Layout) -> TokenStream {
    let ident = &layout.ident;
    let size = number(layout.head_size);
    let fixed = match layout.parts.is_empty() {
        true => quote! { ::core::option::Option::Some(#size) },
        false => quote! { ::core::option::Option::None },
    };
    let block = Block::new(quote! { __header }, layout.head_size);
    let (skip, locate) = skipping(layout, &check_constants(layout, &block));
    let (reading, writing) = (reading(layout, &block), writing(layout));
    let size_function = (!layout.parts.is_empty()).then(|| size_function(layout));
    let function = write_function(layout, false);
    let lengths = lengths_function(layout);
    let (offsets, accessors) = (head::offsets(layout), bits::accessors(layout));
    let widths = widths(layout);
    quote! {
        #[automatically_derived]
        impl ::metaproto_core::frame::parts::Wire for #ident {
            const MIN_SIZE: ::core::primitive::usize = #size;
            const SIZE: ::core::option::Option<::core::primitive::usize> = #fixed;

            #skip
            #reading
            #writing
        }

        #[automatically_derived]
        #[doc(hidden)]
        impl #ident {
            #function
            #size_function
            #locate
            #lengths
        }
        #offsets
        #accessors
        #widths
    }
}

/// `fn read` and `fn explain`.
fn reading(layout: &Layout, block: &Block) -> TokenStream {
    let (size, fields) = (number(layout.head_size), field_infos(layout));
    let header = tried(&quote! { __cursor.array::<#size>() });
    let constants = check_constants(layout, block);
    let (read, explain) = (parts(layout, Pass::Read), parts(layout, Pass::Explain));
    let (values, part_values) = (values(&layout.head, block), part_values(layout));
    quote! {
        fn read(
            __cursor: &mut ::metaproto_core::frame::parts::Cursor<'_>,
        ) -> ::core::result::Result<Self, ::metaproto_core::frame::parts::Stop> {
            let __header = &#header;
            #constants
            #read
            let _ = __header;
            ::core::result::Result::Ok(Self { #values #part_values })
        }

        fn explain(
            __cursor: &mut ::metaproto_core::frame::parts::Cursor<'_>,
            __notes: &mut ::metaproto_core::Explanation,
        ) -> ::core::result::Result<(), ::metaproto_core::frame::parts::Stop> {
            let __start = __cursor.position();
            let __header = &#header;
            ::metaproto_core::__private::explain_fields(__start, &[#(#fields),*], __notes);
            #explain
            ::core::result::Result::Ok(())
        }
    }
}

/// `fn size` and `fn write`.
fn writing(layout: &Layout) -> TokenStream {
    let (ident, size) = (&layout.ident, number(layout.head_size));
    let put = Block::new(quote! { &mut __header }, layout.head_size);
    let (template, puts) = (template(layout), put_values(&layout.head, &put));
    let own = own_parts(layout);
    let header = quote! {
        let mut __header: [::core::primitive::u8; #size] = #template;
        let _ = &mut __header;
        #puts
    };
    let measured = match layout.parts.is_empty() {
        true => quote! { #size },
        false => quote! {
            ::metaproto_core::__private::added_up(|| {
                #header
                <#ident>::__size(__header, #own)
            })
        },
    };
    quote! {
        fn size(&self) -> ::core::primitive::usize {
            #measured
        }

        fn write(
            &self,
            __out: &mut ::metaproto_core::BytesMut,
        ) -> ::core::result::Result<(), ::metaproto_core::EncodeError> {
            #header
            ::metaproto_core::__private::all_or_nothing(__out, |__out| {
                <#ident>::__write(__header, #own &[], [], __out)
            })
        }
    }
}

/// `fn skip`, and the function that does the work and can be resumed.
fn skipping(layout: &Layout, constants: &TokenStream) -> (TokenStream, Option<TokenStream>) {
    let (ident, size) = (&layout.ident, number(layout.head_size));
    let starts = number(layout.parts.len() + 1);
    let located = quote! {
        ::metaproto_core::frame::Located<[::core::primitive::usize; #starts]>
    };
    let result = quote! {
        ::core::result::Result<(), ::metaproto_core::frame::parts::Stop>
    };
    let header = tried(&quote! { __cursor.array::<#size>() });
    if layout.parts.is_empty() {
        let skip = quote! {
            fn skip(
                __cursor: &mut ::metaproto_core::frame::parts::Cursor<'_>,
                _: &mut ::metaproto_core::frame::parts::Progress,
            ) -> #result {
                let __header = &#header;
                #constants
                let _ = __header;
                ::core::result::Result::Ok(())
            }
        };
        return (skip, None);
    }
    let parts = parts(layout, Pass::Locate);
    let skip = quote! {
        fn skip(
            __cursor: &mut ::metaproto_core::frame::parts::Cursor<'_>,
            __progress: &mut ::metaproto_core::frame::parts::Progress,
        ) -> #result {
            let mut __located = <#located>::resume(__cursor, __progress);
            let __begun = __cursor.position();
            let __passed = <#ident>::__locate(__cursor, &mut __located);
            __located.suspend(__begun, __passed, __progress)
        }
    };
    let locate = quote! {
        fn __locate(
            __cursor: &mut ::metaproto_core::frame::parts::Cursor<'_>,
            __located: &mut #located,
        ) -> #result {
            let __header = &#header;
            #constants
            __located.begin(__cursor.position());
            #parts
            let _ = __header;
            ::core::result::Result::Ok(())
        }
    };
    (skip, Some(locate))
}
