//! What is known of the protocol when it is compiled.

use proc_macro2::TokenStream;
use quote::quote;

use super::{head_of, part_of, wide};
use crate::generate::bits::bits_info;
use crate::generate::shape::{section_names, tag_names};
use crate::generate::tokens::{field_info, number, option};
use crate::meaning::{ErrorTable, Kind, Mapping, Property, Rule, Section, Show, Status, Target};
use crate::model::{Layout, Shape};

pub(super) fn spec(layout: &Layout, mapping: &Mapping) -> TokenStream {
    let (name, aliases) = (&mapping.protocol, &mapping.aliases);
    let sharing = mapping.sharing.as_ref();
    let sharing = option(sharing.map(|sharing| quote! { ::metaproto_core::Sharing::#sharing }));
    let id = mapping.request_id.as_ref();
    let bits = id.map(|id| number(layout.head[id.field].scalar.width() * 8));
    let bits = option(bits.map(|bits| quote! { #bits }));
    let sealed = id.is_some_and(|id| layout.sealed_by(id.field).is_some());
    let properties = mapping.properties.iter().map(|one| property(one, layout));
    let sections = mapping.sections.iter().map(|one| section(one, layout));
    let status = option(mapping.status.as_ref().map(|status| status_field(status, layout)));
    let errors = mapping.status.as_ref().and_then(|status| error_table(status, layout));
    let errors = option(errors);
    let kind = option(mapping.kind.as_ref().and_then(|kind| kind_field(kind, layout)));
    let kinds = mapping.kind.iter().flat_map(Kind::kinds);
    quote! {
        ::metaproto_core::frame::Spec {
            protocol: #name,
            aliases: &[#(#aliases),*],
            sharing: #sharing,
            request_id_bits: #bits,
            sealed_id: #sealed,
            properties: &[#(#properties),*],
            sections: &[#(#sections),*],
            status: #status,
            errors: #errors,
            kind: #kind,
            kinds: &[#(::metaproto_core::MessageKind::#kinds),*],
        }
    }
}

pub(super) fn place(target: &Target, layout: &Layout) -> TokenStream {
    match (target, head_of(target, layout)) {
        (_, Some((field, None))) => {
            let field = field_info(field);
            quote! { ::metaproto_core::frame::Place::Field(#field) }
        }
        (_, Some((field, Some(bit)))) => {
            let (field, bits) = (field_info(field), bits_info(bit));
            quote! { ::metaproto_core::frame::Place::Bits(#field, #bits) }
        }
        (Target::Part(name), None) => quote! { ::metaproto_core::frame::Place::Part(#name) },
        _ => TokenStream::new(),
    }
}

fn property(property: &Property, layout: &Layout) -> TokenStream {
    let (name, place) = (&property.name, place(&property.target, layout));
    let settable = property.settable;
    let names = names(property);
    quote! {
        ::metaproto_core::frame::Property {
            name: #name, place: #place, names: #names, settable: #settable,
        }
    }
}

/// The names of values, as a constant.
pub(super) fn names(property: &Property) -> TokenStream {
    let Show::Names(names) = &property.show else { return quote! { &[] } };
    let names = names.iter().map(|(value, name)| {
        quote! { ((#value) as ::core::primitive::i128, #name) }
    });
    quote! { &[#(#names),*] }
}

fn section(section: &Section, layout: &Layout) -> TokenStream {
    let (field, prefix) = (&section.part, &section.prefix);
    let tags = match part_of(&section.part, layout).map(|(_, part)| &part.shape) {
        Some(Shape::Section { format, .. }) => section_names(format).map(tag_names),
        _ => None,
    };
    let tags = option(tags);
    quote! {
        ::metaproto_core::frame::SectionSpec { field: #field, prefix: #prefix, tags: #tags }
    }
}

fn status_field(status: &Status, layout: &Layout) -> TokenStream {
    let (place, ok) = (place(&status.target, layout), wide(&status.ok, &status.target, layout));
    let classes = status.classes.iter().map(|(code, class)| {
        let code = wide(code, &status.target, layout);
        quote! { (#code, ::metaproto_core::StatusClass::#class) }
    });
    quote! {
        ::metaproto_core::frame::StatusField {
            place: #place, ok: #ok, classes: &[#(#classes),*],
        }
    }
}

fn error_table(status: &Status, layout: &Layout) -> Option<TokenStream> {
    let ErrorTable { codes, other, text } = status.errors.as_ref()?;
    let codes = codes.iter().map(|(kind, code)| {
        let code = wide(code, &status.target, layout);
        quote! { (::metaproto_core::ErrorKind::#kind, #code) }
    });
    let other = wide(other, &status.target, layout);
    Some(quote! {
        ::metaproto_core::frame::ErrorTable { codes: &[#(#codes),*], other: #other, text: #text }
    })
}

fn kind_field(kind: &Kind, layout: &Layout) -> Option<TokenStream> {
    let Rule::Values { field, values } = &kind.rule else { return None };
    let target = Target::Head(*field);
    let place = place(&target, layout);
    let values = values.iter().map(|(value, kind)| {
        let value = wide(value, &target, layout);
        quote! { (#value, ::metaproto_core::MessageKind::#kind) }
    });
    Some(quote! {
        ::metaproto_core::frame::KindField { place: #place, values: &[#(#values),*] }
    })
}
