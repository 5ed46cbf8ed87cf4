//! Enums: one of several layouts.

use proc_macro2::Span;
use syn::parse::Parse;
use syn::{Attribute, Data, DeriveInput, Expr, Fields, Ident, Variant as Written, Visibility};

use super::entry::{Entry, entries};
use super::frame::{self, FrameField};
use super::meta::{self, MetaStruct};
use super::ty::{self, Order, Type};
use super::{Form, Said, attributes, endian, form, literal};
use crate::mistakes::{Mistakes, suggest};

/// An enum and what has been said about it.
pub(crate) struct Choice {
    pub(crate) ident: Ident,
    pub(crate) vis: Visibility,
    pub(crate) order: Option<Order>,
    pub(crate) by: Option<Said<By>>,
    pub(crate) meta: MetaStruct,
    pub(crate) variants: Vec<Variant>,
    /// Something was said that could not be understood; this has been reported.
    pub(crate) unclear: bool,
}

/// What tells the variant.
pub(crate) enum By {
    /// A number: in front of the value, or at some place of the frame.
    Tag(Tag),
    /// The constants that each variant starts with.
    Magic,
    /// Who has sent the frame.
    Side,
}

pub(crate) struct Tag {
    pub(crate) form: Said<Form>,
    /// In bytes from the start of the frame.
    pub(crate) at: Option<Said<usize>>,
    /// The bits that count, from the least significant on; all if nothing is said.
    pub(crate) bits: Option<(usize, usize)>,
}

pub(crate) struct Variant {
    pub(crate) ident: Ident,
    pub(crate) fields: Held,
    pub(crate) tag: Option<Expr>,
    pub(crate) magic: Option<Expr>,
    /// `client` or `server`.
    pub(crate) from: Option<Ident>,
    pub(crate) other: Option<Span>,
}

/// What a variant holds.
pub(crate) enum Held {
    Nothing,
    /// One value, of this type, with what is said about it.
    One(Box<super::Field>),
    /// Something that can't be read; this has been reported.
    Wrong,
}

pub(crate) struct ParsedChoice {
    pub(crate) choice: Choice,
    pub(crate) mistakes: Mistakes,
    pub(crate) mapping_mistakes: Mistakes,
}

const STRUCT_KEYS: [&str; 3] = ["choose", "endian", "tag"];
const VARIANT_KEYS: [&str; 4] = ["from", "magic", "other", "tag"];

pub(crate) fn choice(input: &DeriveInput) -> ParsedChoice {
    let (mut mistakes, mut mapping_mistakes) = (Mistakes::default(), Mistakes::default());
    let meta = meta::container(attributes(&input.attrs, "meta"), &mut mapping_mistakes);
    let mut choice = Choice {
        ident: input.ident.clone(),
        vis: input.vis.clone(),
        order: None,
        by: None,
        meta,
        variants: Vec::new(),
        unclear: false,
    };
    for entry in entries(attributes(&input.attrs, "frame"), &mut mistakes) {
        container_entry(&entry, &mut choice, &mut mistakes);
    }
    choice.unclear = !mistakes.is_empty();
    if let Some(parameter) = input.generics.params.first() {
        mistakes.at(parameter, "a layout can't be generic: it is the same wherever it is used");
    }
    if let Data::Enum(data) = &input.data {
        choice.variants = data.variants.iter().map(|v| variant(v, &mut mistakes)).collect();
        if data.variants.is_empty() {
            mistakes.add(input.ident.span(), "there are no variants to choose from");
        }
    }
    ParsedChoice { choice, mistakes, mapping_mistakes }
}

fn container_entry(entry: &Entry, choice: &mut Choice, mistakes: &mut Mistakes) {
    let key = &entry.key;
    let said = |by| Said { span: key.span(), value: by };
    match key.to_string().as_str() {
        "endian" => mistakes.take(&mut choice.order, key, endian(entry)),
        "tag" => {
            let tag = tag(entry).map(|tag| said(By::Tag(tag)));
            mistakes.take(&mut choice.by, key, tag);
        }
        "choose" => {
            let by = choose(entry).map(said);
            mistakes.take(&mut choice.by, key, by);
        }
        name => {
            let text = format_args!(
                "unknown key `{name}` in `#[frame(..)]` on an enum; {}",
                suggest(name, &STRUCT_KEYS)
            );
            mistakes.add(key.span(), text);
        }
    }
}

fn choose(entry: &Entry) -> syn::Result<By> {
    let word = entry.word("choose = magic` or `choose = side")?;
    match word.to_string().as_str() {
        "magic" => Ok(By::Magic),
        "side" => Ok(By::Side),
        other => {
            let text =
                format_args!("unknown choice `{other}`; {}", suggest(other, &["magic", "side"]));
            Err(syn::Error::new(word.span(), text))
        }
    }
}

/// `tag = u8`, `tag(u8, at = 1, bits = 4..=7)`.
fn tag(entry: &Entry) -> syn::Result<Tag> {
    const EXAMPLE: &str = "tag = u8` or `tag(u8, at = 1)";
    if !entry.is_list() {
        return Ok(Tag { form: form(entry.word(EXAMPLE)?)?, at: None, bits: None });
    }
    let (mut found, mut at, mut bits) = (None, None, None);
    for inner in entry.list(Entry::parse, EXAMPLE)? {
        match inner.key.to_string().as_str() {
            "at" => at = Some(inner.number("at = 1").map(|(span, value)| Said { span, value })?),
            "bits" => bits = Some(bit_range(&inner)?),
            _ if inner.is_flag() => found = Some(form(&inner.key)?),
            other => {
                let text = format_args!(
                    "unknown key `{other}` in `tag(..)`; {}",
                    suggest(other, &["at", "bits"])
                );
                return Err(syn::Error::new(inner.key.span(), text));
            }
        }
    }
    let text = format_args!("say how wide the tag is: `{EXAMPLE}`");
    let form = found.ok_or_else(|| syn::Error::new(entry.key.span(), text))?;
    Ok(Tag { form, at, bits })
}

fn bit_range(entry: &Entry) -> syn::Result<(usize, usize)> {
    let value = entry.expr("bits = 4..=7")?;
    let number = |expr: &Expr| literal(expr).and_then(|number| usize::try_from(number).ok());
    let range = match value {
        Expr::Range(range) => match (range.start.as_deref(), range.end.as_deref()) {
            (Some(from), Some(to)) => Some((number(from), number(to))),
            _ => None,
        },
        one => Some((number(one), number(one))),
    };
    match range {
        Some((Some(from), Some(to))) if from <= to && to < 64 => Ok((from, to)),
        _ => Err(syn::Error::new_spanned(value, "a range of bits is meant: `bits = 4..=7`")),
    }
}

fn variant(written: &Written, mistakes: &mut Mistakes) -> Variant {
    let mut variant = Variant {
        ident: written.ident.clone(),
        fields: Held::Nothing,
        tag: written.discriminant.as_ref().map(|(_, value)| value.clone()),
        magic: None,
        from: None,
        other: None,
    };
    let (own, of_value) = split(&written.attrs, mistakes);
    for entry in own {
        variant_entry(&entry, &mut variant, mistakes);
    }
    variant.fields = held(written, of_value, mistakes);
    variant
}

/// The keys of the variant, and those of the value that it holds.
fn split(attrs: &[Attribute], mistakes: &mut Mistakes) -> (Vec<Entry>, Vec<Entry>) {
    let all = entries(attributes(attrs, "frame"), mistakes);
    all.into_iter().partition(|entry| VARIANT_KEYS.iter().any(|key| entry.key == key))
}

fn variant_entry(entry: &Entry, variant: &mut Variant, mistakes: &mut Mistakes) {
    let key = &entry.key;
    match key.to_string().as_str() {
        "tag" => match entry.expr("tag = 1") {
            Ok(tag) => variant.tag = Some(tag.clone()),
            Err(error) => mistakes.push(error),
        },
        "magic" => {
            let magic = entry.expr("magic = b\"XY\"").cloned();
            mistakes.take(&mut variant.magic, key, magic);
        }
        "from" => match entry.word("from = client") {
            Ok(word) if word == "client" || word == "server" => {
                mistakes.once(&mut variant.from, key, word.clone());
            }
            Ok(word) => {
                mistakes.add(word.span(), "frames come from the `client` or the `server`");
                variant.from = Some(word.clone());
            }
            Err(error) => mistakes.push(error),
        },
        _ => mistakes.take(&mut variant.other, key, entry.flag()),
    }
}

fn held(written: &Written, said: Vec<Entry>, mistakes: &mut Mistakes) -> Held {
    let fields = match &written.fields {
        Fields::Unit => {
            for entry in &said {
                let name = entry.key.to_string();
                let text = format_args!(
                    "unknown key `{name}` on a variant that holds nothing; {}",
                    suggest(&name, &VARIANT_KEYS)
                );
                mistakes.add(entry.key.span(), text);
            }
            return Held::Nothing;
        }
        Fields::Unnamed(fields) if fields.unnamed.len() == 1 => &fields.unnamed,
        _ => {
            let text = "a variant holds nothing, or one value: put several fields into a struct \
                        of their own";
            mistakes.at(&written.fields, text);
            return Held::Wrong;
        }
    };
    let Some(field) = fields.first() else { return Held::Nothing };
    let mut frame: FrameField = frame::of_entries(&said, mistakes);
    if !field.attrs.is_empty() {
        let own = frame::field(attributes(&field.attrs, "frame"), mistakes);
        if said.is_empty() {
            frame = own;
        }
    }
    let ty: Option<Type> = mistakes.ok(ty::parse(&field.ty));
    Held::One(Box::new(super::Field {
        ident: Ident::new("value", written.ident.span()),
        name: written.ident.to_string(),
        written: field.ty.clone(),
        ty,
        frame,
        meta: meta::MetaField::default(),
    }))
}
