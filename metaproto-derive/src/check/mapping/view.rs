//! The fields as the mapping sees them: by name, and by where they stand.
//!
//! It needs no layout, so that mistakes of both kinds are told together.

use std::ops::RangeInclusive;

use proc_macro2::Span;
use syn::Ident;
use syn::ext::IdentExt;

use super::super::layout::fixed;
use crate::meaning::Target;
use crate::mistakes::{Mistakes, suggest};
use crate::parse::{Declaration, Field, Int, Scalar, Type};

/// The fields of a struct.
pub(super) struct View<'a> {
    pub(super) declaration: &'a Declaration,
    spots: Vec<Spot<'a>>,
}

struct Spot<'a> {
    field: &'a Field,
    place: Place,
}

#[derive(Clone, Copy)]
enum Place {
    /// By its number among the fields of the fixed part.
    Head(usize, Option<Scalar>),
    Part,
    Body,
    Trailer,
}

/// A field or some bits, and what can be told of it.
pub(super) struct Found<'a> {
    pub(super) field: &'a Field,
    /// Where it is, if it has a value that can be told.
    pub(super) target: Option<Target>,
    pub(super) what: What,
}

/// What a field is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum What {
    /// An integer of the fixed part.
    Int(Int),
    /// One bit, true or false.
    Flag,
    /// So many bits of an integer.
    Bits(usize, Int),
    /// `[u8; N]` in the fixed part.
    Bytes,
    /// An integer whose place differs between frames.
    PartInt(Int),
    PartText,
    Section,
    Auto,
    Body,
    Trailer,
    /// A value that can't be shown.
    Other,
    /// Its type is wrong; this has been reported.
    Unclear,
}

/// Something with a name for people.
pub(super) struct Named<T> {
    pub(super) name: String,
    pub(super) value: T,
}

impl<'a> View<'a> {
    pub(super) fn new(declaration: &'a Declaration) -> Self {
        let (mut spots, mut head, mut in_head, mut body) = (Vec::new(), 0, true, false);
        for field in &declaration.fields {
            // What is wrong has been reported with the layout.
            let scalar = fixed(field, &mut Mistakes::default());
            in_head &= scalar.is_some() || field.ty.is_none();
            let place = match (field.frame.body.is_some(), body, in_head) {
                (true, _, _) => Place::Body,
                (_, true, _) => Place::Trailer,
                (_, _, true) => Place::Head(head, scalar),
                _ => Place::Part,
            };
            body |= matches!(place, Place::Body);
            head += usize::from(matches!(place, Place::Head(..)));
            spots.push(Spot { field, place });
        }
        View { declaration, spots }
    }

    /// Whether something on a field could not be understood, so that what is missing may be there.
    pub(super) fn unclear(&self) -> bool {
        self.declaration.fields.iter().any(|field| field.meta.unclear || field.frame.unclear)
    }

    /// A field.
    pub(super) fn field(&self, field: &Field) -> Option<Found<'a>> {
        self.spots.iter().find(|spot| spot.field.ident == field.ident).map(Spot::found)
    }

    /// A field or bits of this name.
    pub(super) fn named(&self, name: &str) -> Option<Found<'a>> {
        let field = self.spots.iter().find(|spot| spot.field.name == name).map(Spot::found);
        field.or_else(|| self.spots.iter().find_map(|spot| spot.bits(name)))
    }

    /// A field or bits of this name; reports if there are none.
    pub(super) fn lookup(&self, ident: &Ident, mistakes: &mut Mistakes) -> Option<Found<'a>> {
        self.lookup_text(&ident.unraw().to_string(), ident.span(), mistakes)
    }

    pub(super) fn lookup_text(
        &self,
        name: &str,
        span: Span,
        mistakes: &mut Mistakes,
    ) -> Option<Found<'a>> {
        let found = self.named(name);
        if found.is_none() {
            let names = self.names();
            let names: Vec<_> = names.iter().map(String::as_str).collect();
            let suggestion = suggest(name, &names);
            mistakes.add(span, format_args!("no field or bits are named `{name}`; {suggestion}"));
        }
        found
    }

    fn names(&self) -> Vec<String> {
        let mut all: Vec<_> = self.spots.iter().map(|spot| spot.field.name.clone()).collect();
        let bits = self.spots.iter().filter_map(|spot| spot.field.frame.bits.as_ref());
        all.extend(bits.flat_map(|bits| &bits.value).map(|arm| arm.ident.unraw().to_string()));
        all
    }
}

impl<'a> Spot<'a> {
    fn found(&self) -> Found<'a> {
        let what = self.what();
        let target = match (self.place, what) {
            (_, What::Unclear | What::Auto) => None,
            (Place::Head(index, _), _) => Some(Target::Head(index)),
            (Place::Part, _) => Some(Target::Part(self.field.name.clone())),
            _ => None,
        };
        Found { field: self.field, target, what }
    }

    fn what(&self) -> What {
        let Some(ty) = &self.field.ty else { return What::Unclear };
        match (self.place, ty) {
            (Place::Body, _) => What::Body,
            (Place::Trailer, _) => What::Trailer,
            (_, Type::Auto(_)) => What::Auto,
            (Place::Head(_, Some(Scalar::Int(int))), _) => What::Int(int),
            (Place::Head(_, Some(Scalar::Bytes(_))), _) => What::Bytes,
            (Place::Head(..), _) => What::Other,
            _ if self.field.frame.with.is_some() => What::Other,
            (_, Type::Optional(inner)) => part(&inner.ty),
            (_, ty) => part(ty),
        }
    }

    fn bits(&self, name: &str) -> Option<Found<'a>> {
        let arms = &self.field.frame.bits.as_ref()?.value;
        let index = arms.iter().position(|arm| arm.ident.unraw() == name)?;
        let (what, target) = match (self.place, self.what()) {
            (Place::Head(field, _), What::Int(int)) => {
                let bits = &arms[index].bits;
                let what = match arms[index].single {
                    true => What::Flag,
                    false => What::Bits(bits.end() - bits.start() + 1, int),
                };
                (what, Some(Target::Bits(field, index)))
            }
            _ => (What::Trailer, None),
        };
        Some(Found { field: self.field, target, what })
    }
}

fn part(ty: &Type) -> What {
    match ty {
        Type::Value(Scalar::Int(int)) => What::PartInt(*int),
        Type::Value(Scalar::Bytes(_)) | Type::Bytes | Type::Text => What::PartText,
        Type::Section => What::Section,
        _ => What::Other,
    }
}

impl What {
    /// Whether it is a number or a text.
    pub(super) fn can_be_shown(self) -> bool {
        self.is_number()
            || matches!(self, What::Bytes | What::Flag | What::PartText | What::Unclear)
    }

    pub(super) fn is_number(self) -> bool {
        matches!(self, What::Int(_) | What::Bits(..) | What::PartInt(_) | What::Unclear)
    }

    /// The integer that its values must fit, and its name for people.
    pub(super) fn range(self) -> Option<Named<RangeInclusive<i128>>> {
        match self {
            What::Int(int) | What::PartInt(int) => {
                Some(Named { name: int.name.to_owned(), value: int.range() })
            }
            What::Bits(len, _) => {
                Some(Named { name: format!("{len} bits"), value: 0..=(1_i128 << len) - 1 })
            }
            _ => None,
        }
    }
}
