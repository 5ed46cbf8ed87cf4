//! `#[frame(..)]`: what stands where on the wire.

mod field;
mod measure;
mod section;

use proc_macro2::Span;
use syn::{Attribute, Expr};

pub(crate) use self::field::FrameField;
pub(crate) use self::measure::{Count, Form, Measure, Target};
pub(crate) use self::section::{EntryKey, SectionFormat};
use super::entry::{Entry, entries};
use super::keys::FRAME_STRUCT;
use super::ty::Order;
use crate::mistakes::{Mistakes, suggest};

/// What is said about the struct.
#[derive(Default)]
pub(crate) struct FrameStruct {
    pub(crate) endian: Option<Order>,
    pub(crate) bit_order: Option<BitOrder>,
    pub(crate) fixed: Option<Span>,
    pub(crate) magic: Option<Expr>,
    pub(crate) max_len: Option<Expr>,
    pub(crate) max_header: Option<Expr>,
    /// Something was said that could not be understood; this has been reported.
    pub(crate) unclear: bool,
}

/// Which bit is bit 0.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum BitOrder {
    /// The least significant one.
    Lsb0,
    /// The most significant one, as RFCs draw them.
    Msb0,
}

pub(super) fn container<'a>(
    attributes: impl Iterator<Item = &'a Attribute>,
    mistakes: &mut Mistakes,
) -> FrameStruct {
    let before = mistakes.count();
    let mut said = FrameStruct::default();
    for entry in entries(attributes, mistakes) {
        container_entry(&entry, &mut said, mistakes);
    }
    said.unclear = mistakes.count() > before;
    said
}

fn container_entry(entry: &Entry, said: &mut FrameStruct, mistakes: &mut Mistakes) {
    let key = &entry.key;
    match key.to_string().as_str() {
        "endian" => mistakes.take(&mut said.endian, key, endian(entry)),
        "bit_order" => mistakes.take(&mut said.bit_order, key, bit_order(entry)),
        "fixed" => mistakes.take(&mut said.fixed, key, entry.flag()),
        "magic" => {
            mistakes.take(&mut said.magic, key, entry.expr("magic = 0xdabb_u16").cloned());
        }
        "max_len" => {
            mistakes.take(&mut said.max_len, key, entry.expr("max_len = 4 << 20").cloned());
        }
        "max_header" => {
            mistakes.take(&mut said.max_header, key, entry.expr("max_header = 64 << 10").cloned());
        }
        _ => FRAME_STRUCT.unknown(key, mistakes),
    }
}

pub(super) use self::field::{field, of_entries};
pub(super) use self::measure::form;

pub(super) fn endian(entry: &Entry) -> syn::Result<Order> {
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

fn bit_order(entry: &Entry) -> syn::Result<BitOrder> {
    let word = entry.word("bit_order = msb0")?;
    match word.to_string().as_str() {
        "lsb0" => Ok(BitOrder::Lsb0),
        "msb0" => Ok(BitOrder::Msb0),
        other => Err(syn::Error::new(
            word.span(),
            format_args!("unknown bit order `{other}`; {}", suggest(other, &["lsb0", "msb0"])),
        )),
    }
}
