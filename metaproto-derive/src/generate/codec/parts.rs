//! What the parts tell.

use std::collections::BTreeSet;

use proc_macro2::{Literal, TokenStream};
use quote::quote;
use syn::ext::IdentExt;

use super::describe::in_head;
use super::kind::bindings;
use super::show::{composed, is_number, shown};
use super::{header, part_of};
use crate::check::names;
use crate::generate::bindings::{count_ident, given, given_length, length_ident};
use crate::generate::lengths::holder;
use crate::generate::shape::{extents, shape, whole};
use crate::generate::tokens::{number, tried};
use crate::meaning::{Mapping, Operation, Piece, Property, Section, Show, Target};
use crate::model::{Extent, Holder, Layout, Part, Role, Shape};
use crate::parse::Scalar;

/// `fn describe_parts`, if there is anything in parts that is told.
pub(super) fn describe_parts(layout: &Layout, mapping: &Mapping) -> Option<TokenStream> {
    let mut steps = Vec::new();
    for (place, one) in mapping.properties.iter().enumerate() {
        steps.extend(property(place, one, layout));
    }
    for (place, one) in mapping.sections.iter().enumerate() {
        steps.extend(section(place, one, layout));
    }
    steps.extend(mapping.operation.as_ref().and_then(|one| operation(one, layout)));
    if steps.is_empty() {
        return None;
    }
    let size = number(layout.head_size);
    Some(quote! {
        fn describe_parts(
            __frame: &[::core::primitive::u8],
            __starts: &Self::Starts,
            __asked: &::metaproto_core::frame::Asked,
            __metadata: &mut ::metaproto_core::Metadata,
        ) -> ::core::result::Result<(), ::metaproto_core::frame::parts::Stop> {
            let ::core::option::Option::Some(__header) = __frame.first_chunk::<#size>() else {
                return ::core::result::Result::Ok(());
            };
            let _ = (__header, __asked);
            #(#steps)*
            ::core::result::Result::Ok(())
        }
    })
}

/// Where a part is.
fn range(place: usize) -> TokenStream {
    let (start, end) = (number(place), number(place + 1));
    quote! { __starts[#start]..__starts[#end] }
}

/// What a part says, as a `Content`.
fn content(place: usize, part: &Part, layout: &Layout) -> TokenStream {
    let (context, shape, range) = (context(part, layout), whole(part), range(place));
    quote! {{
        #context
        ::metaproto_core::frame::parts::Part::property(&#shape, __frame, #range)
    }}
}

fn property(place: usize, property: &Property, layout: &Layout) -> Option<TokenStream> {
    let Target::Part(name) = &property.target else { return None };
    let (at, part) = part_of(name, layout)?;
    let (name, content) = (&property.name, content(at, part, layout));
    let names = super::spec::names(property);
    let push = match &property.show {
        Show::Plain => quote! {
            ::metaproto_core::__private::push(__metadata, #name, #content);
        },
        Show::Names(_) => quote! {
            ::metaproto_core::__private::push_named(
                __metadata, #name, #names, #content,
            );
        },
        Show::Format(format) => {
            let value = as_number(part, &quote! { __number });
            quote! {
                if let ::metaproto_core::frame::parts::Content::Int(__number) = #content {
                    __metadata.push_composed(#name, ::core::format_args!(#format, #value));
                }
            }
        }
    };
    let place = Literal::usize_unsuffixed(place);
    Some(quote! {
        if __asked.wanted.has(#place) {
            #push
        }
    })
}

/// A number of the type that the part has: hexadecimal digits depend on its width.
fn as_number(part: &Part, value: &TokenStream) -> TokenStream {
    match part.shape {
        Shape::Number { scalar: Scalar::Int(int), .. } => {
            let ty = crate::generate::tokens::int_type(int);
            quote! { (#value as #ty) }
        }
        _ => value.clone(),
    }
}

fn section(place: usize, section: &Section, layout: &Layout) -> Option<TokenStream> {
    let (at, part) = part_of(&section.part, layout)?;
    let (context, shape, range) = (context(part, layout), shape(part), range(at));
    let place = number(place);
    Some(quote! {
        if __asked.entries {
            #context
            #shape.describe(
                __frame,
                #range,
                &::metaproto_core::frame::Entries {
                    spec: Self::SPEC,
                    section: #place,
                    interest: &__asked.interest,
                },
                __metadata,
            );
        }
    })
}

fn operation(operation: &Operation, layout: &Layout) -> Option<TokenStream> {
    match operation {
        Operation::Of(Target::Part(name)) => {
            let (at, part) = part_of(name, layout)?;
            let content = content(at, part, layout);
            Some(quote! { ::metaproto_core::__private::operation(__metadata, #content); })
        }
        Operation::Composed(pieces) if !in_head(pieces) => {
            let mut seen = BTreeSet::new();
            let shown = pieces.iter().filter_map(|piece| match piece {
                Piece::Value(Target::Part(name), _) if seen.insert(name.clone()) => {
                    let (at, part) = part_of(name, layout)?;
                    Some(shown_part(at, part, layout))
                }
                _ => None,
            });
            let shown: Vec<_> = shown.collect();
            let composed = composed(pieces, layout, &quote! { __frame });
            Some(quote! {{ #(#shown)* #composed }})
        }
        _ => None,
    }
}

/// `let __shown_name = ..;`.
fn shown_part(at: usize, part: &Part, layout: &Layout) -> TokenStream {
    let (variable, content) = (shown(&part.name), content(at, part, layout));
    if is_number(part) && part.when.is_none() {
        let value = as_number(part, &quote! { __number });
        return quote! {
            let #variable = match #content {
                ::metaproto_core::frame::parts::Content::Int(__number) => #value,
                _ => ::core::default::Default::default(),
            };
        };
    }
    quote! { let #variable = ::metaproto_core::__private::Shown::new(__frame, #content); }
}

/// The variables that the shape of a part mentions: fields and bits, parts in front of it, lengths and
/// counts that are told elsewhere.
fn context(part: &Part, layout: &Layout) -> TokenStream {
    let mut needs = Needs::default();
    needs.part(part, layout);
    let head = bindings(&needs.names, layout);
    let parts = layout.parts.iter().enumerate().filter_map(|(at, other)| {
        let named = needs.names.contains(&other.name) && is_value(other);
        let (ident, value) = (&other.ident, again(at, other));
        match other.role {
            Role::Length(place) if needs.lengths.contains(&place) => {
                let (ident, value) =
                    (length_ident(place), given_length(&layout.lengths[place], &value));
                Some(quote! { let #ident = #value; })
            }
            Role::Count(place) if needs.counts.contains(&place) => {
                let count = &layout.counts[place];
                let value = given(&count.name, &value, 1, count.plus);
                let ident = count_ident(place);
                Some(quote! { let #ident = #value; })
            }
            _ => named.then(|| quote! { let #ident = #value; }),
        }
    });
    let in_head = measures(&needs, layout);
    let parts: Vec<_> = parts.collect();
    // Errors are about a frame that is whole.
    let cursor = (!in_head.is_empty() || !parts.is_empty()).then(|| {
        quote! { let __cursor = &::metaproto_core::frame::parts::Cursor::over(__frame); let _ = __cursor; }
    });
    quote! { #head #cursor #in_head #(#parts)* }
}

fn is_value(part: &Part) -> bool {
    part.ident.is_some()
        && matches!(part.role, Role::Value { .. })
        && matches!(part.shape, Shape::Number { .. })
}

/// The value of a part in front.
fn again(at: usize, part: &Part) -> TokenStream {
    let (shape, start) = (whole(part), number(at));
    tried(&quote! {
        ::metaproto_core::__private::again(
            &mut ::metaproto_core::frame::parts::Cursor::over(__frame), __starts[#start], &#shape,
        )
    })
}

/// The lengths and counts that stand in the fixed part.
fn measures(needs: &Needs, layout: &Layout) -> TokenStream {
    let lengths = needs.lengths.iter().filter_map(|place| {
        let length = &layout.lengths[*place];
        let value = given_length(length, &header(layout).read(holder(layout, length)?));
        let ident = length_ident(*place);
        Some(quote! { let #ident = #value; })
    });
    let counts = needs.counts.iter().filter_map(|place| {
        let count = &layout.counts[*place];
        let Holder::Head(index) = count.holder else { return None };
        let value = header(layout).read(&layout.head[index]);
        let value = given(&count.name, &value, 1, count.plus);
        let ident = count_ident(*place);
        Some(quote! { let #ident = #value; })
    });
    quote! { #(#lengths)* #(#counts)* }
}

/// What a shape mentions.
#[derive(Default)]
struct Needs {
    names: BTreeSet<String>,
    lengths: BTreeSet<usize>,
    counts: BTreeSet<usize>,
}

impl Needs {
    fn part(&mut self, part: &Part, layout: &Layout) {
        let asked = part.when.iter().flat_map(names).map(|name| name.unraw().to_string());
        for name in asked {
            if self.names.insert(name.clone())
                && let Some((_, other)) = part_of(&name, layout)
            {
                self.part(other, layout);
            }
        }
        for extent in extents(&part.shape) {
            match extent {
                Extent::Length(place) => {
                    self.lengths.insert(*place);
                }
                Extent::Count(place) => {
                    self.counts.insert(*place);
                }
                Extent::Prefix(_) | Extent::Rest => {}
            }
        }
    }
}
