//! `#[frame(..)]`: what stands where on the wire.

use proc_macro2::Span;
use syn::parse::Parse;
use syn::{Attribute, Expr, LitInt};

use super::Said;
use super::entry::{Entry, entries};
use super::keys::{FRAME_FIELD, FRAME_STRUCT};
use super::ty::Order;
use crate::mistakes::{Mistakes, suggest};

/// What is said about the struct.
#[derive(Default)]
pub(crate) struct FrameStruct {
    pub(crate) endian: Option<Order>,
    pub(crate) fixed: Option<Span>,
    pub(crate) magic: Option<Expr>,
    pub(crate) max_len: Option<Expr>,
    /// Something was said that could not be understood; this has been reported.
    pub(crate) unclear: bool,
}

/// What is said about a field.
#[derive(Default)]
pub(crate) struct FrameField {
    pub(crate) at: Option<Said<usize>>,
    pub(crate) body: Option<Span>,
    pub(crate) constant: Option<Said<Expr>>,
    pub(crate) default: Option<Said<Expr>>,
    pub(crate) endian: Option<Said<Order>>,
    pub(crate) length: Option<Said<Target>>,
    /// Something was said that could not be understood; this has been reported.
    pub(crate) unclear: bool,
}

/// What a length counts.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Target {
    /// The whole frame, header included.
    Frame,
    /// What follows the header.
    Body,
    /// Something unknown; this has been reported.
    Unknown,
}

pub(super) fn container<'a>(
    attributes: impl Iterator<Item = &'a Attribute>,
    mistakes: &mut Mistakes,
) -> FrameStruct {
    let before = mistakes.count();
    let mut said = FrameStruct::default();
    for entry in entries(attributes, mistakes) {
        let key = &entry.key;
        match key.to_string().as_str() {
            "endian" => {
                if let Some(order) = mistakes.ok(endian(&entry)) {
                    mistakes.once(&mut said.endian, key, order);
                }
            }
            "fixed" => {
                if let Some(span) = mistakes.ok(entry.flag()) {
                    mistakes.once(&mut said.fixed, key, span);
                }
            }
            "magic" => {
                if let Some(value) = mistakes.ok(entry.expr("magic = 0xdabb_u16")) {
                    mistakes.once(&mut said.magic, key, value.clone());
                }
            }
            "max_len" => {
                if let Some(value) = mistakes.ok(entry.expr("max_len = 4 << 20")) {
                    mistakes.once(&mut said.max_len, key, value.clone());
                }
            }
            _ => FRAME_STRUCT.unknown(key, mistakes),
        }
    }
    said.unclear = mistakes.count() > before;
    said
}

pub(super) fn field<'a>(
    attributes: impl Iterator<Item = &'a Attribute>,
    mistakes: &mut Mistakes,
) -> FrameField {
    let before = mistakes.count();
    let mut said = FrameField::default();
    for entry in entries(attributes, mistakes) {
        field_entry(&entry, &mut said, mistakes);
    }
    said.unclear = mistakes.count() > before;
    said
}

fn field_entry(entry: &Entry, said: &mut FrameField, mistakes: &mut Mistakes) {
    let key = &entry.key;
    match key.to_string().as_str() {
        "at" => {
            if let Some(at) = mistakes.ok(at(entry)) {
                mistakes.once(&mut said.at, key, at);
            }
        }
        "body" => {
            if let Some(span) = mistakes.ok(entry.flag()) {
                mistakes.once(&mut said.body, key, span);
            }
        }
        "constant" => {
            if let Some(value) = mistakes.ok(entry.expr("constant = 1")) {
                mistakes.once(
                    &mut said.constant,
                    key,
                    Said { span: key.span(), value: value.clone() },
                );
            }
        }
        "default" => {
            if let Some(value) = mistakes.ok(entry.expr("default = 1")) {
                mistakes.once(
                    &mut said.default,
                    key,
                    Said { span: key.span(), value: value.clone() },
                );
            }
        }
        "endian" => {
            if let Some(order) = mistakes.ok(endian(entry)) {
                mistakes.once(&mut said.endian, key, Said { span: key.span(), value: order });
            }
        }
        "length" => {
            // A length of something unknown is a length still: nothing else is to be missed.
            let target = mistakes.ok(length(entry)).unwrap_or(Target::Unknown);
            mistakes.once(&mut said.length, key, Said { span: key.span(), value: target });
        }
        _ => FRAME_FIELD.unknown(key, mistakes),
    }
}

fn endian(entry: &Entry) -> syn::Result<Order> {
    let word = entry.word("endian = little")?;
    match word.to_string().as_str() {
        "big" => Ok(Order::Big),
        "little" => Ok(Order::Little),
        other => Err(syn::Error::new(
            word.span(),
            format_args!("unknown byte order `{other}`; {}", suggest(other, &["big", "little"])),
        )),
    }
}

fn at(entry: &Entry) -> syn::Result<Said<usize>> {
    let value = entry.expr("at = 4")?;
    let literal: LitInt = syn::parse2(quote::quote!(#value))
        .map_err(|error| syn::Error::new(error.span(), "an offset in bytes is meant: `at = 4`"))?;
    Ok(Said { span: literal.span(), value: literal.base10_parse()? })
}

fn length(entry: &Entry) -> syn::Result<Target> {
    const EXAMPLE: &str = "length(of = frame)` or `length(of = body)";
    let said = entry.list(Entry::parse, EXAMPLE)?;
    let mut target = None;
    for inner in &said {
        if inner.key != "of" {
            let suggestion = suggest(&inner.key.to_string(), &["of"]);
            let text = format_args!("unknown key `{}` in `length(..)`; {suggestion}", inner.key);
            return Err(syn::Error::new(inner.key.span(), text));
        }
        let word = inner.word("of = frame` or `of = body")?;
        let found = match word.to_string().as_str() {
            "frame" => Target::Frame,
            "body" => Target::Body,
            other => {
                let text = format_args!(
                    "`{other}` is nothing that has a length here; {}",
                    suggest(other, &["frame", "body"])
                );
                return Err(syn::Error::new(word.span(), text));
            }
        };
        if target.replace(found).is_some() {
            return Err(syn::Error::new(inner.key.span(), "`of` is given twice; once is enough"));
        }
    }
    target.ok_or_else(|| syn::Error::new(entry.key.span(), format_args!("write `{EXAMPLE}`")))
}
