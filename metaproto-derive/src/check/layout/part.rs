//! Fields whose place or size differs between frames.

use super::role;
use crate::mistakes::Mistakes;
use crate::model::{Extent, NumberForm, Part, Prefix, Role, Shape};
use crate::parse::{
    Count, Field as Declared, Form, FrameField, Inner, Measure, Order, Said, Scalar, Type,
};

/// The padding in front of a part.
pub(super) fn padding(field: &Declared) -> Option<Part> {
    let said = &field.frame;
    let value = |said: &Option<Said<usize>>| said.as_ref().map(|said| said.value);
    let (skip, align) = (value(&said.pad_before), value(&said.align_before));
    if skip.is_none() && align.is_none() {
        return None;
    }
    let (skip, align) = (skip.unwrap_or(0), align.unwrap_or(1).max(1));
    Some(Part {
        ident: None,
        name: format!("padding before {}", field.name),
        ty: None,
        shape: Shape::Padding { skip, align },
        role: Role::Reserved,
        when: None,
    })
}

pub(crate) fn part(order: Order, field: &Declared, mistakes: &mut Mistakes) -> Option<Part> {
    let said = &field.frame;
    if let Some(bits) = &said.bits {
        let text = "bits belong to a field in front of the first one of varying size";
        mistakes.add(bits.span, text);
    }
    let order = said.endian.as_ref().map_or(order, |endian| endian.value);
    let ty = field.ty.as_ref()?;
    let spot = Spot { field, order };
    let (shape, inner) = match (ty, &said.when) {
        (Type::Optional(inner), Some(_)) => {
            (spot.shape(&inner.ty, &inner.written, said, mistakes)?, &inner.written)
        }
        (Type::Optional(inner), None) if said.prefix.is_some() => {
            (spot.nullable(inner, mistakes)?, &field.written)
        }
        (Type::Optional(_), None) => {
            let text = "when is it there? Add `#[frame(when = flags & 1 != 0)]`";
            mistakes.at(&field.written, text);
            return None;
        }
        (_, Some(when)) => {
            let text = "a field that may be missing is an `Option<..>`";
            mistakes.add(when.span, text);
            return None;
        }
        (ty, None) => (spot.shape(ty, &field.written, said, mistakes)?, &field.written),
    };
    let role = match ty.scalar() {
        Some(scalar) => role::of(field, scalar, mistakes)?,
        None => Role::Value { default: said.default.as_ref().map(|said| said.value.clone()) },
    };
    if let Role::Checksum | Role::Constant(_) | Role::Reserved = role {
        let text = "this must stand in front of the first field of varying size, or behind the \
                    body";
        mistakes.add(field.ident.span(), text);
    }
    Some(Part {
        ident: Some(field.ident.clone()),
        name: field.name.clone(),
        ty: Some(inner.clone()),
        shape,
        role,
        when: said.when.as_ref().map(|when| when.value.clone()),
    })
}

/// A field that is being looked at.
struct Spot<'a> {
    field: &'a Declared,
    order: Order,
}

impl Spot<'_> {
    fn shape(
        &self,
        ty: &Type,
        written: &syn::Type,
        said: &FrameField,
        mistakes: &mut Mistakes,
    ) -> Option<Shape> {
        if let Some(with) = &said.with {
            return Some(Shape::With(with.value.clone()));
        }
        match ty {
            Type::Value(scalar) | Type::Auto(scalar) => self.scalar(*scalar, said, mistakes),
            Type::Bytes | Type::Text => self.block(said, mistakes),
            Type::List(inner) => {
                let nothing = FrameField::default();
                let each = said.each.as_ref().map_or(&nothing, |each| &each.value);
                let item = self.shape(&inner.ty, &inner.written, each, mistakes)?;
                let (count, bytes) = self.bounds(said);
                let item = Box::new(item);
                Some(Shape::List { item, item_ty: inner.written.clone(), count, bytes })
            }
            Type::Section => {
                let Some(format) = &said.section else {
                    // What could not be understood was the answer.
                    if said.unclear {
                        return None;
                    }
                    let text = "say how it is written: `#[frame(kv(key = u16, value = u16))]` or \
                                `#[frame(tlv(tag = u8, length = u16))]`";
                    mistakes.at(written, text);
                    return None;
                };
                let (count, bytes) = self.bounds(said);
                let format = format.value.clone();
                Some(Shape::Section { format, order: self.order, count, bytes })
            }
            Type::Optional(_) => {
                mistakes.at(written, "an `Option` can't be inside of something else");
                None
            }
            Type::Custom => Some(match &said.tag {
                Some(tag) => Shape::Tagged(tag.value.clone()),
                None => Shape::Nested,
            }),
        }
    }

    fn scalar(&self, scalar: Scalar, said: &FrameField, mistakes: &mut Mistakes) -> Option<Shape> {
        let form = match (said.varint, said.zigzag) {
            (_, Some(_)) => NumberForm::ZigZag,
            (Some(_), None) => NumberForm::Varint,
            (None, None) => NumberForm::Fixed(self.order),
        };
        let scalar = match (scalar, &said.bytes) {
            (Scalar::Int(int), Some(bytes)) if (1..=int.size).contains(&bytes.value) => {
                Scalar::Int(crate::parse::Int { width: bytes.value, ..int })
            }
            (scalar, _) => scalar,
        };
        match (scalar, form) {
            (Scalar::Int(int), NumberForm::ZigZag) if !int.signed => {
                let text = "zig-zag is for signed integers; use `varint`";
                mistakes.at(&self.field.written, text);
                None
            }
            (Scalar::Int(int), NumberForm::Varint | NumberForm::ZigZag) if int.size > 8 => {
                mistakes.at(&self.field.written, "a varint is at most 8 bytes wide: `u64`");
                None
            }
            (Scalar::Int(_), _) | (Scalar::Float(_), NumberForm::Fixed(_)) => {
                Some(Shape::Number { scalar, form })
            }
            (_, NumberForm::Fixed(order)) => Some(Shape::Array { scalar, order }),
            _ => {
                mistakes.at(&self.field.written, "only integers are varints");
                None
            }
        }
    }

    fn block(&self, said: &FrameField, mistakes: &mut Mistakes) -> Option<Shape> {
        if let Some(until) = &said.until {
            let max = said.max.as_ref().map(|max| max.value.clone());
            return Some(Shape::Terminated { end: until.value.clone(), max });
        }
        if let Some(count) = &said.count {
            mistakes.add(count.span, "bytes are measured, not counted: `prefix = u16`");
            return None;
        }
        Some(Shape::Block(self.extent(said).unwrap_or(UNKNOWN)))
    }

    fn nullable(&self, inner: &Inner, mistakes: &mut Mistakes) -> Option<Shape> {
        let prefix = self.field.frame.prefix.as_ref()?;
        if !matches!(*inner.ty, Type::Bytes | Type::Text) {
            let text = "only `Option<Bytes>` and `Option<String>` say by their prefix that they \
                        are missing; for others use `when = ..`";
            mistakes.at(&self.field.written, text);
            return None;
        }
        let Measure { form, plus, .. } = &prefix.value;
        let is_signed = match form.value {
            Form::Fixed(int) => int.signed,
            Form::Varint => false,
            Form::ZigZag => true,
        };
        if !is_signed && *plus < 1 {
            let text = "this number can't say that there is nothing: one with a sign says -1, as in \
                        `prefix = i16`, another says 0 if it is one more than the length, as in \
                        `prefix(u16, plus = 1)`";
            mistakes.add(prefix.span, text);
            return None;
        }
        Some(Shape::Nullable { prefix: self.prefix(&prefix.value), inner: inner.written.clone() })
    }

    fn prefix(&self, measure: &Measure) -> Prefix {
        let Measure { form, unit, plus } = measure;
        Prefix { form: form.value, order: self.order, unit: *unit, plus: *plus }
    }

    /// How long it is, if it says so itself.
    fn extent(&self, said: &FrameField) -> Option<Extent> {
        let prefix = said.prefix.as_ref().map(|prefix| self.prefix(&prefix.value));
        prefix.map(Extent::Prefix).or(said.rest.map(|_| Extent::Rest))
    }

    /// The number of items, and of bytes, if it says so itself.
    fn bounds(&self, said: &FrameField) -> (Option<Extent>, Option<Extent>) {
        let count = match &said.count {
            Some(Said { value: Count::Own(measure), .. }) => {
                Some(Extent::Prefix(self.prefix(measure)))
            }
            _ => None,
        };
        (count, self.extent(said))
    }
}

/// Some field may tell it; this is found out when all of them are known.
pub(crate) const UNKNOWN: Extent = Extent::Length(usize::MAX);
