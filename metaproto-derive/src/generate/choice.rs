//! Enums inside of frames: one of several layouts, told by a number or by how they start.

use proc_macro2::TokenStream;
use quote::quote;

use super::shape::{int_form, whole, with_module};
use super::tokens::{bytes_of_expr, int_type, primitive, tried};
use crate::model::{Alternative, By, Choice};
use crate::parse::Form;

/// The parts of `match` arms, for all alternatives.
struct Arms {
    skip: Vec<TokenStream>,
    read: Vec<TokenStream>,
    size: Vec<TokenStream>,
    write: Vec<TokenStream>,
    explain: Vec<TokenStream>,
}

pub(crate) fn wire_choice(choice: &Choice) -> TokenStream {
    match &choice.by {
        By::GivenTag => given(choice),
        _ => own(choice),
    }
}

fn pattern(alternative: &Alternative) -> TokenStream {
    match &alternative.tag {
        Some(tag) => quote! { #tag },
        None => quote! { _ },
    }
}

fn is_other_tag(alternative: &Alternative) -> bool {
    alternative.other && alternative.part.is_none() && alternative.ty.is_some()
}

/// What each alternative holds, passed over, read, measured, written and explained.
fn arms(choice: &Choice, keys: &[TokenStream]) -> Arms {
    let mut arms = Arms {
        skip: Vec::new(),
        read: Vec::new(),
        size: Vec::new(),
        write: Vec::new(),
        explain: Vec::new(),
    };
    // The one that takes all others comes last.
    let mut order: Vec<usize> = (0..choice.alternatives.len()).collect();
    order.sort_by_key(|index| choice.alternatives[*index].tag.is_none() && is_last(choice, *index));
    for index in order {
        let (alternative, key) = (&choice.alternatives[index], &keys[index]);
        arm(alternative, key, &mut arms);
    }
    arms
}

fn is_last(choice: &Choice, index: usize) -> bool {
    choice.alternatives[index].other
}

fn arm(alternative: &Alternative, key: &TokenStream, arms: &mut Arms) {
    let ident = &alternative.ident;
    let name = ident.to_string();
    let ok = quote! { ::core::result::Result::Ok };
    match (&alternative.part, &alternative.ty) {
        (Some(part), _) => {
            let (shape, with) = (whole(part), with_module(part));
            let part_trait = quote! { ::metaproto_core::frame::parts::Part };
            arms.skip.push(quote! {
                #key => { #with #part_trait::skip(&#shape, __cursor, __progress) }
            });
            let read = tried(&quote! { #part_trait::read(&#shape, __cursor) });
            arms.read.push(quote! { #key => { #with #ok(Self::#ident(#read)) } });
            arms.size.push(quote! {
                Self::#ident(__value) => { #with #part_trait::size(&#shape, __value) }
            });
            arms.write.push(quote! {
                Self::#ident(__value) => { #with #part_trait::write(&#shape, __value, __out) }
            });
            arms.explain.push(quote! {
                #key => { #with #part_trait::explain(&#shape, __cursor, ::core::convert::Into::into(#name), __notes) }
            });
        }
        (None, Some(_)) => {
            arms.skip.push(quote! { #key => #ok(()), });
            arms.read.push(quote! { #key => #ok(Self::#ident(__tag as _)), });
            arms.size.push(quote! { Self::#ident(_) => 0, });
            arms.write.push(quote! { Self::#ident(_) => #ok(()), });
            arms.explain.push(quote! { #key => #ok(()), });
        }
        (None, None) => {
            arms.skip.push(quote! { #key => #ok(()), });
            arms.read.push(quote! { #key => #ok(Self::#ident), });
            arms.size.push(quote! { Self::#ident => 0, });
            arms.write.push(quote! { Self::#ident => #ok(()), });
            arms.explain.push(quote! { #key => #ok(()), });
        }
    }
}

/// The arm for what is none of the alternatives, unless one takes all.
fn unknown(choice: &Choice) -> Option<TokenStream> {
    if choice.alternatives.iter().any(|alternative| alternative.other) {
        return None;
    }
    Some(quote! {
        __unknown => ::core::result::Result::Err(
            ::metaproto_core::__private::unknown_tag(__cursor, __unknown as ::core::primitive::u64),
        ),
    })
}

/// An enum with a tag or a magic of its own.
fn own(choice: &Choice) -> TokenStream {
    let ident = &choice.ident;
    let (keys, choose, put, front) = match &choice.by {
        By::Magic(order) => magic(choice, *order),
        By::OwnTag(form, order) => {
            let ty = match form {
                Form::Fixed(int) => int_type(*int),
                Form::Varint => primitive("u64"),
                Form::ZigZag => primitive("i64"),
            };
            tag(choice, &int_form(*form, *order), &ty)
        }
        _ => return TokenStream::new(),
    };
    let arms = arms(choice, &keys);
    let all_fixed = choice.alternatives.iter().all(|alternative| alternative.part.is_none());
    let size_const = match (&choice.by, all_fixed) {
        (By::OwnTag(..), true) => quote! { ::core::option::Option::Some(#front) },
        _ => quote! { ::core::option::Option::None },
    };
    let (reading, writing) = (own_reading(choice, &arms, &choose), own_writing(&arms, &put));
    quote! {
        #[automatically_derived]
        impl ::metaproto_core::frame::parts::Wire for #ident {
            const MIN_SIZE: ::core::primitive::usize = #front;
            const SIZE: ::core::option::Option<::core::primitive::usize> = #size_const;
            #reading
            #writing
        }
    }
}

/// `fn skip`, `fn read` and `fn explain`; `choose` tells the alternative.
fn own_reading(choice: &Choice, arms: &Arms, choose: &TokenStream) -> TokenStream {
    let Arms { skip, read, explain, .. } = arms;
    let (unknown, choose) = (unknown(choice), tried(choose));
    quote! {
        #[allow(unreachable_patterns)]
        fn skip(
            __cursor: &mut ::metaproto_core::frame::parts::Cursor<'_>,
            __progress: &mut ::metaproto_core::frame::parts::Progress,
        ) -> ::core::result::Result<(), ::metaproto_core::frame::parts::Stop> {
            let __begun = __progress.restart(__cursor);
            let __tag = #choose;
            let __at = __cursor.position();
            let __passed = match __tag { #(#skip)* #unknown };
            __progress.keep(__begun, __at, __passed)
        }

        #[allow(unreachable_patterns, clippy::unnecessary_cast)]
        fn read(
            __cursor: &mut ::metaproto_core::frame::parts::Cursor<'_>,
        ) -> ::core::result::Result<Self, ::metaproto_core::frame::parts::Stop> {
            let __tag = #choose;
            match __tag { #(#read)* #unknown }
        }

        #[allow(unreachable_patterns)]
        fn explain(
            __cursor: &mut ::metaproto_core::frame::parts::Cursor<'_>,
            __notes: &mut ::metaproto_core::Explanation,
        ) -> ::core::result::Result<(), ::metaproto_core::frame::parts::Stop> {
            let __start = __cursor.position();
            let __tag = #choose;
            let __end = __cursor.position();
            __notes.note(
                __start..__end, "tag",
                ::metaproto_core::__private::tag_text(__cursor, __start..__end),
            );
            match __tag { #(#explain)* #unknown }
        }
    }
}

/// `fn size` and `fn write`; `put` writes what tells the alternative.
fn own_writing(arms: &Arms, put: &TokenStream) -> TokenStream {
    let Arms { size, write, .. } = arms;
    let put = tried(put);
    quote! {
        fn size(&self) -> ::core::primitive::usize {
            let __front = ::metaproto_core::__private::measured(|__out| {
                #put;
                ::core::result::Result::Ok(())
            });
            let __held: ::core::primitive::usize = match self { #(#size)* };
            __front.saturating_add(__held)
        }

        fn write(
            &self,
            __out: &mut ::metaproto_core::BytesMut,
        ) -> ::core::result::Result<(), ::metaproto_core::EncodeError> {
            #put;
            match self { #(#write)* }
        }
    }
}

type Own = (Vec<TokenStream>, TokenStream, TokenStream, TokenStream);

/// Patterns, how the tag is read, how it is written, and how many bytes it takes at least.
fn tag(choice: &Choice, form: &TokenStream, ty: &TokenStream) -> Own {
    let keys = choice.alternatives.iter().map(pattern).collect();
    let read = quote! {
        ::metaproto_core::__private::read_tag(__cursor, #form).map(|__tag| __tag as #ty)
    };
    let tags = choice.alternatives.iter().map(|alternative| {
        let (ident, tag) = (&alternative.ident, &alternative.tag);
        match (tag, &alternative.ty) {
            _ if is_other_tag(alternative) => quote! { Self::#ident(__tag) => *__tag as _, },
            (Some(tag), Some(_)) => {
                quote! { Self::#ident(_) => { let __tag: #ty = #tag; __tag as _ } }
            }
            (Some(tag), None) => quote! { Self::#ident => { let __tag: #ty = #tag; __tag as _ } },
            (None, Some(_)) => quote! { Self::#ident(_) => 0, },
            (None, None) => quote! { Self::#ident => 0, },
        }
    });
    let write = quote! {{
        let __tag: ::core::primitive::i128 = match self { #(#tags)* };
        ::metaproto_core::frame::parts::IntForm::write(#form, __tag, __out)
    }};
    let front = quote! { ::metaproto_core::frame::parts::IntForm::min_size(#form) };
    (keys, read, write, front)
}

fn magic(choice: &Choice, order: crate::parse::Order) -> Own {
    let magic: Vec<TokenStream> = choice
        .alternatives
        .iter()
        .map(|alternative| match &alternative.magic {
            Some((value, scalar)) => bytes_of_expr(*scalar, order, value),
            None => quote! { [] },
        })
        .collect();
    let indexes: Vec<_> = (0..magic.len()).map(proc_macro2::Literal::usize_unsuffixed).collect();
    let keys = indexes.iter().map(|index| quote! { #index }).collect();
    let read = quote! {
        ::metaproto_core::__private::read_magic(__cursor, &[#(&#magic),*])
    };
    let puts = choice.alternatives.iter().zip(&magic).map(|(alternative, magic)| {
        let pattern = held_pattern(alternative);
        quote! { #pattern => __out.extend_from_slice(&#magic), }
    });
    let write = quote! {{
        match self { #(#puts)* }
        ::core::result::Result::<(), ::metaproto_core::EncodeError>::Ok(())
    }};
    (keys, read, write, quote! { 1 })
}

fn held_pattern(alternative: &Alternative) -> TokenStream {
    let ident = &alternative.ident;
    match alternative.ty {
        Some(_) => quote! { Self::#ident(_) },
        None => quote! { Self::#ident },
    }
}

/// An enum whose tag is told elsewhere.
fn given(choice: &Choice) -> TokenStream {
    let ident = &choice.ident;
    let keys: Vec<TokenStream> = choice.alternatives.iter().map(pattern).collect();
    let Arms { skip, read, size, write, explain } = arms(choice, &keys);
    let unknown = unknown(choice);
    let tags = choice.alternatives.iter().map(|alternative| {
        let held = held_pattern(alternative);
        let others: Vec<&syn::Expr> =
            choice.alternatives.iter().filter_map(|other| other.tag.as_ref()).collect();
        match &alternative.tag {
            Some(tag) => quote! { #held => ::core::matches!(__tag, #tag), },
            None => quote! { #held => !(false #(|| ::core::matches!(__tag, #others))*), },
        }
    });
    quote! {
        #[automatically_derived]
        #[allow(unreachable_patterns, clippy::unnecessary_cast)]
        impl ::metaproto_core::frame::parts::Tagged for #ident {
            fn skip(
                __tag: ::core::primitive::u64,
                __cursor: &mut ::metaproto_core::frame::parts::Cursor<'_>,
                __progress: &mut ::metaproto_core::frame::parts::Progress,
            ) -> ::core::result::Result<(), ::metaproto_core::frame::parts::Stop> {
                match __tag { #(#skip)* #unknown }
            }

            fn read(
                __tag: ::core::primitive::u64,
                __cursor: &mut ::metaproto_core::frame::parts::Cursor<'_>,
            ) -> ::core::result::Result<Self, ::metaproto_core::frame::parts::Stop> {
                match __tag { #(#read)* #unknown }
            }

            fn has_tag(&self, __tag: ::core::primitive::u64) -> ::core::primitive::bool {
                match self { #(#tags)* }
            }

            fn size(&self) -> ::core::primitive::usize {
                match self { #(#size)* }
            }

            fn write(
                &self,
                __out: &mut ::metaproto_core::BytesMut,
            ) -> ::core::result::Result<(), ::metaproto_core::EncodeError> {
                match self { #(#write)* }
            }

            fn explain(
                __tag: ::core::primitive::u64,
                __cursor: &mut ::metaproto_core::frame::parts::Cursor<'_>,
                __notes: &mut ::metaproto_core::Explanation,
            ) -> ::core::result::Result<(), ::metaproto_core::frame::parts::Stop> {
                match __tag { #(#explain)* #unknown }
            }
        }
    }
}
