//! Names for some bits of a field.

use syn::ext::IdentExt;

use super::Walk;
use crate::mistakes::Mistakes;
use crate::model::{Bit, Field};
use crate::parse::{BitOrder, Field as Declared, Scalar, Type};

pub(super) fn bits(
    order: BitOrder,
    field: &Declared,
    scalar: Scalar,
    mistakes: &mut Mistakes,
) -> Vec<Bit> {
    let Some(said) = &field.frame.bits else {
        if let Some(order) = &field.frame.bit_order {
            mistakes.add(order.span, "this field has no `bits(..)` whose order could matter");
        }
        return Vec::new();
    };
    let order = field.frame.bit_order.as_ref().map_or(order, |order| order.value);
    let width = match (field.ty.as_ref(), scalar) {
        (Some(Type::Value(_)), Scalar::Int(int)) if !int.signed && int.size <= 8 => int.width * 8,
        _ => {
            let text = "bits belong to an unsigned integer of at most 8 bytes: `u8`, `u16`, \
                        `u32` or `u64`";
            mistakes.at(&field.written, text);
            return Vec::new();
        }
    };
    let (mut used, mut bits) = (0_u64, Vec::<Bit>::new());
    for arm in &said.value {
        let (first, last) = (*arm.bits.start(), *arm.bits.end());
        if last >= width {
            let text = format_args!("`{}` has the bits 0 to {}", field.name, width - 1);
            mistakes.add(arm.span, text);
            continue;
        }
        let low = match order {
            BitOrder::Lsb0 => first,
            BitOrder::Msb0 => width - 1 - last,
        };
        let len = last - first + 1;
        let mask = (u64::MAX >> (64 - len)) << low;
        if used & mask != 0 {
            let other = bits.iter().find(|bit| {
                let theirs = (u64::MAX >> (64 - bit.len)) << bit.low;
                theirs & mask != 0
            });
            let other = other.map_or("another name", |bit| &bit.name);
            let text = format_args!(
                "`{}` overlaps the bits of `{other}`: both have {:#x} of `{}`",
                arm.ident,
                used & mask,
                field.name
            );
            mistakes.add(arm.span, text);
        }
        used |= mask;
        let name = arm.ident.unraw().to_string();
        bits.push(Bit { ident: arm.ident.clone(), name, low, len, single: arm.single });
    }
    bits
}

/// Refuses names that are taken: of fields, and of other bits.
pub(super) fn distinct(walk: &Walk<'_>, mistakes: &mut Mistakes) {
    let mut seen: Vec<String> =
        walk.declaration.fields.iter().map(|field| field.name.clone()).collect();
    let fields: Vec<&Field> = walk.head.iter().chain(&walk.trailer).collect();
    for bit in fields.iter().flat_map(|field| &field.bits) {
        if seen.contains(&bit.name) {
            let text = format_args!("`{}` is the name of a field or of other bits", bit.name);
            mistakes.add(bit.ident.span(), text);
        }
        seen.push(bit.name.clone());
    }
}
