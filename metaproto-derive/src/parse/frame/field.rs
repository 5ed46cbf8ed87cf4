//! What is said about a field.

use std::ops::RangeInclusive;

use proc_macro2::Span;
use syn::parse::Parse;
use syn::{Attribute, Expr, ExprRange, Ident, LitByteStr, Path, RangeLimits};

use super::measure::{self, Checksum, Count, Length, Measure};
use super::section::{self, SectionFormat};
use super::{BitOrder, bit_order, endian};
use crate::mistakes::Mistakes;
use crate::parse::Said;
use crate::parse::entry::{Entry, entries};
use crate::parse::keys::FRAME_FIELD;
use crate::parse::ty::Order;

/// What is said about a field.
#[derive(Default)]
pub(crate) struct FrameField {
    pub(crate) align_before: Option<Said<usize>>,
    pub(crate) at: Option<Said<usize>>,
    pub(crate) bit_order: Option<Said<BitOrder>>,
    pub(crate) bits: Option<Said<Vec<BitArm>>>,
    pub(crate) body: Option<Span>,
    pub(crate) bytes: Option<Said<usize>>,
    pub(crate) checksum: Option<Said<Checksum>>,
    pub(crate) constant: Option<Said<Expr>>,
    pub(crate) count: Option<Said<Count>>,
    pub(crate) default: Option<Said<Expr>>,
    /// What is said about each item of a list.
    pub(crate) each: Option<Said<Box<FrameField>>>,
    pub(crate) endian: Option<Said<Order>>,
    pub(crate) length: Option<Said<Length>>,
    pub(crate) max: Option<Said<Expr>>,
    pub(crate) pad_before: Option<Said<usize>>,
    pub(crate) prefix: Option<Said<Measure>>,
    pub(crate) reserved: Option<Span>,
    pub(crate) rest: Option<Span>,
    pub(crate) section: Option<Said<SectionFormat>>,
    pub(crate) tag: Option<Said<Expr>>,
    pub(crate) until: Option<Said<LitByteStr>>,
    pub(crate) varint: Option<Span>,
    pub(crate) when: Option<Said<Expr>>,
    pub(crate) with: Option<Said<Path>>,
    pub(crate) zigzag: Option<Span>,
    /// Something was said that could not be understood; this has been reported.
    pub(crate) unclear: bool,
}

/// A name for some bits of a field.
#[derive(Clone)]
pub(crate) struct BitArm {
    pub(crate) ident: Ident,
    pub(crate) span: Span,
    /// In the order that the user counts in.
    pub(crate) bits: RangeInclusive<usize>,
    /// Whether one bit is meant, which is true or false.
    pub(crate) single: bool,
}

pub(crate) fn field<'a>(
    attributes: impl Iterator<Item = &'a Attribute>,
    mistakes: &mut Mistakes,
) -> FrameField {
    of_entries(&entries(attributes, mistakes), mistakes)
}

pub(crate) fn of_entries(entries: &[Entry], mistakes: &mut Mistakes) -> FrameField {
    let before = mistakes.count();
    let mut said = FrameField::default();
    for entry in entries {
        field_entry(entry, &mut said, mistakes);
    }
    said.unclear = mistakes.count() > before;
    said
}

fn said<T>(entry: &Entry, value: syn::Result<T>) -> syn::Result<Said<T>> {
    Ok(Said { span: entry.key.span(), value: value? })
}

/// What takes a fixed place, and what it holds.
fn field_entry(entry: &Entry, field: &mut FrameField, mistakes: &mut Mistakes) {
    let key = &entry.key;
    let expr = |example| said(entry, entry.expr(example).cloned());
    match key.to_string().as_str() {
        "at" => {
            let at = entry.number("at = 4").map(|(span, value)| Said { span, value });
            mistakes.take(&mut field.at, key, at);
        }
        "bit_order" => {
            mistakes.take(&mut field.bit_order, key, said(entry, bit_order(entry)));
        }
        "bits" => {
            let arms = entry.list(Entry::parse, "bits(flag = 7, kind = 0..=4)");
            let arms = arms.and_then(|arms| arms.iter().map(bit_arm).collect());
            mistakes.take(&mut field.bits, key, said(entry, arms));
        }
        "body" => mistakes.take(&mut field.body, key, entry.flag()),
        "bytes" => {
            let bytes = entry.number("bytes = 3").map(|(span, value)| Said { span, value });
            mistakes.take(&mut field.bytes, key, bytes);
        }
        "constant" => mistakes.take(&mut field.constant, key, expr("constant = 1")),
        "default" => mistakes.take(&mut field.default, key, expr("default = 1")),
        "endian" => mistakes.take(&mut field.endian, key, said(entry, endian(entry))),
        "reserved" => mistakes.take(&mut field.reserved, key, entry.flag()),
        "with" => {
            mistakes.take(&mut field.with, key, said(entry, entry.path("with = module")));
        }
        _ => measured_entry(entry, field, mistakes),
    }
}

/// How long something is that has no fixed place.
fn measured_entry(entry: &Entry, field: &mut FrameField, mistakes: &mut Mistakes) {
    let key = &entry.key;
    let number = |example| entry.number(example).map(|(span, value)| Said { span, value });
    match key.to_string().as_str() {
        "checksum" => {
            let checksum = said(entry, measure::checksum(entry));
            mistakes.take(&mut field.checksum, key, checksum);
        }
        "count" => mistakes.take(&mut field.count, key, said(entry, measure::count(entry))),
        "length" => {
            // A length of something unknown is a length still: nothing else is to be missed.
            let length = mistakes.ok(measure::length(entry)).unwrap_or_default();
            mistakes.take(&mut field.length, key, said(entry, Ok(length)));
        }
        "prefix" => {
            mistakes.take(&mut field.prefix, key, said(entry, measure::measure(entry)));
        }
        "varint" => mistakes.take(&mut field.varint, key, entry.flag()),
        "zigzag" => mistakes.take(&mut field.zigzag, key, entry.flag()),
        "rest" => mistakes.take(&mut field.rest, key, entry.flag()),
        "until" => {
            mistakes.take(&mut field.until, key, said(entry, entry.bytes("until = b\"\\0\"")));
        }
        "max" => {
            let max = said(entry, entry.expr("max = 1024").cloned());
            mistakes.take(&mut field.max, key, max);
        }
        "pad_before" => mistakes.take(&mut field.pad_before, key, number("pad_before = 2")),
        "align_before" => mistakes.take(&mut field.align_before, key, number("align_before = 4")),
        "when" => {
            let when = said(entry, entry.expr("when = flags & 1 != 0").cloned());
            mistakes.take(&mut field.when, key, when);
        }
        "tag" => {
            let tag = said(entry, entry.expr("tag = kind").cloned());
            mistakes.take(&mut field.tag, key, tag);
        }
        "kv" | "tlv" => {
            mistakes.take(&mut field.section, key, said(entry, section::format(entry)));
        }
        "each" => {
            let inner = entry.list(Entry::parse, "each(prefix = u16)");
            if let Some(inner) = mistakes.ok(inner) {
                let each = Box::new(of_entries(&inner, mistakes));
                mistakes.once(&mut field.each, key, Said { span: key.span(), value: each });
            }
        }
        _ => FRAME_FIELD.unknown(key, mistakes),
    }
}

fn bit_arm(entry: &Entry) -> syn::Result<BitArm> {
    const EXAMPLE: &str = "flag = 7` or `kind = 0..=4";
    let value = entry.expr(EXAMPLE)?;
    let wrong = || {
        let text = format_args!("a bit or a range of bits is meant: `{EXAMPLE}`");
        syn::Error::new_spanned(value, text)
    };
    let number = |expr: &Expr| crate::parse::literal(expr).and_then(|n| usize::try_from(n).ok());
    let (bits, single) = match value {
        Expr::Range(ExprRange { start: Some(from), end: Some(to), limits, .. }) => {
            let (from, to) = (number(from).ok_or_else(wrong)?, number(to).ok_or_else(wrong)?);
            match limits {
                RangeLimits::Closed(_) => (from..=to, false),
                RangeLimits::HalfOpen(_) => (from..=to.checked_sub(1).ok_or_else(wrong)?, false),
            }
        }
        one => {
            let bit = number(one).ok_or_else(wrong)?;
            (bit..=bit, true)
        }
    };
    if bits.is_empty() {
        let text = "this range is empty: write the lower bit first";
        return Err(syn::Error::new_spanned(value, text));
    }
    Ok(BitArm { ident: entry.key.clone(), span: entry.key.span(), bits, single })
}
