//! Fields with a fixed place.

use proc_macro2::Span;

use super::{Walk, bits};
use crate::mistakes::Mistakes;
use crate::model::{Field, Role};
use crate::parse::{Field as Declared, FrameField, Int, Scalar, Type};

/// How the field lies on the wire, if it always takes the same number of bytes and nothing needs to
/// be known to find it.
pub(in crate::check) fn fixed(field: &Declared, mistakes: &mut Mistakes) -> Option<Scalar> {
    let said = &field.frame;
    let varies = said.varint.is_some() || said.zigzag.is_some() || said.when.is_some();
    if varies || (said.with.is_some() && said.bytes.is_none()) {
        return None;
    }
    if let (Some(_), Some(bytes), Some(_)) = (&said.with, &said.bytes, &field.ty)
        && bytes.value > 0
    {
        return Some(Scalar::Custom(bytes.value));
    }
    match (field.ty.as_ref()?, &said.bytes) {
        (Type::Value(Scalar::Int(int)) | Type::Auto(Scalar::Int(int)), Some(bytes)) => {
            if bytes.value == 0 || bytes.value > int.size {
                let text = format_args!("a `{}` takes 1 to {} bytes", int.name, int.size);
                mistakes.add(bytes.span, text);
                return Some(Scalar::Int(*int));
            }
            Some(Scalar::Int(Int { width: bytes.value, ..*int }))
        }
        (Type::Value(scalar) | Type::Auto(scalar), Some(bytes)) => {
            let text = format_args!("`{}` says how many bytes it takes", scalar.to_text());
            mistakes.add(bytes.span, text);
            Some(*scalar)
        }
        (Type::Value(scalar) | Type::Auto(scalar), None) => Some(*scalar),
        (Type::Custom, Some(bytes)) if bytes.value > 0 => Some(Scalar::Custom(bytes.value)),
        (Type::Custom, _) => None,
        (_, Some(bytes)) => {
            let text = "only integers and types of your own have this; for `Bytes` and `String` \
                        of fixed size use `[u8; N]`";
            mistakes.add(bytes.span, text);
            None
        }
        (_, None) => None,
    }
}

/// Where a field starts that would start at `offset` without padding.
pub(super) fn padded(field: &Declared, offset: usize, mistakes: &mut Mistakes) -> Option<usize> {
    let said = &field.frame;
    if let Some(align) = &said.align_before
        && !align.value.is_power_of_two()
    {
        mistakes.add(align.span, "an alignment is a power of two: `align_before = 4`");
        return Some(offset);
    }
    let skipped = offset.checked_add(said.pad_before.as_ref().map_or(0, |pad| pad.value))?;
    let align = said.align_before.as_ref().map_or(1, |align| align.value);
    skipped.checked_next_multiple_of(align)
}

pub(super) fn field(
    walk: &Walk<'_>,
    field: &Declared,
    offset: usize,
    scalar: Scalar,
    role: Role,
    mistakes: &mut Mistakes,
) -> Field {
    let said = &field.frame;
    if let (Some(endian), Scalar::Bytes(_) | Scalar::Custom(_)) = (&said.endian, scalar) {
        mistakes.add(endian.span, "bytes have no order to choose; only integers do");
    }
    for (span, key) in of_parts(said) {
        let text = format_args!(
            "`{key}` tells how long something is, but `{}` always takes {} bytes",
            field.name,
            scalar.width()
        );
        mistakes.add(span, text);
    }
    Field {
        ident: field.ident.clone(),
        name: field.name.clone(),
        ty: field.written.clone(),
        offset,
        scalar,
        order: said.endian.as_ref().map_or(walk.order, |endian| endian.value),
        role,
        bits: bits::bits(walk.bit_order, field, scalar, mistakes),
        with: said.with.as_ref().map(|with| with.value.clone()),
    }
}

/// What only parts of varying size can have.
fn of_parts(said: &FrameField) -> Vec<(Span, &'static str)> {
    let all = [
        (said.prefix.as_ref().map(|said| said.span), "prefix"),
        (said.rest, "rest"),
        (said.until.as_ref().map(|said| said.span), "until"),
        (said.section.as_ref().map(|said| said.span), "kv"),
        (said.each.as_ref().map(|said| said.span), "each"),
        (said.tag.as_ref().map(|said| said.span), "tag"),
        (said.max.as_ref().map(|said| said.span), "max"),
    ];
    all.into_iter().filter_map(|(span, key)| Some((span?, key))).collect()
}

/// What the body can't have.
pub(super) fn more_than_body(said: &FrameField) -> Vec<Span> {
    let spans = [
        said.constant.as_ref().map(|said| said.span),
        said.default.as_ref().map(|said| said.span),
        said.endian.as_ref().map(|said| said.span),
        said.length.as_ref().map(|said| said.span),
        said.count.as_ref().map(|said| said.span),
        said.bits.as_ref().map(|said| said.span),
        said.bytes.as_ref().map(|said| said.span),
        said.when.as_ref().map(|said| said.span),
        said.with.as_ref().map(|said| said.span),
        said.checksum.as_ref().map(|said| said.span),
        said.pad_before.as_ref().map(|said| said.span),
        said.align_before.as_ref().map(|said| said.span),
        said.reserved,
    ];
    let parts = of_parts(said).into_iter().map(|(span, _)| span);
    spans.into_iter().flatten().chain(parts).collect()
}
