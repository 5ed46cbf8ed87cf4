//! Where everything stands, and whether it can.

mod bits;
mod checksum;
mod field;
mod framing;
mod lengths;
mod part;
mod role;
mod visible;

use syn::{Expr, ExprLit, Lit};

pub(super) use self::field::fixed;
use self::lengths::Measures;
pub(crate) use self::part::{UNKNOWN, part};
pub(crate) use self::visible::names;
use super::value::fits;
use crate::mistakes::Mistakes;
use crate::model::{Field, Layout, Magic, Part, Role};
use crate::parse::{BitOrder, Declaration, Field as Declared, Int, Order, Scalar, Type};

/// The most bytes that the fixed part of a header may have: as many as the engine keeps of a request
/// to answer it.
const MAX_HEAD: usize = 4096;

/// What the struct is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// A frame, whose length must be known.
    Frame,
    /// A part of a frame.
    Wire,
}

/// The layout. With mistakes it is `None`, or as near as one gets.
pub(crate) fn layout(
    declaration: &Declaration,
    purpose: Purpose,
    mistakes: &mut Mistakes,
) -> Option<Layout> {
    if declaration.opaque {
        return None;
    }
    let said = &declaration.frame;
    let order = said.endian.unwrap_or(Order::Big);
    let magic = said.magic.as_ref().and_then(|value| magic(value, order, mistakes));
    let start = match (&magic, &said.magic) {
        (None, Some(_)) => None,
        (magic, _) => Some(magic.as_ref().map_or(0, |magic| magic.scalar.width())),
    };
    let mut walk = Walk {
        order,
        bit_order: said.bit_order.unwrap_or(BitOrder::Lsb0),
        declaration,
        offset: start,
        head: Vec::new(),
        parts: Vec::new(),
        body: None,
        trailer: Vec::new(),
        measures: Measures::default(),
        unclear: false,
    };
    for (index, field) in declaration.fields.iter().enumerate() {
        walk.field(index, field, mistakes);
    }
    bits::distinct(&walk, mistakes);
    let measured = lengths::resolve(&mut walk, mistakes);
    let framing = framing::framing(&walk, &measured, purpose, mistakes);
    let checksums = checksum::resolve(&walk, mistakes);
    visible::check(&walk, mistakes);
    let head_size = walk.offset?;
    if head_size > MAX_HEAD {
        let text = format_args!("a header of {head_size} bytes; at most {MAX_HEAD} are possible");
        mistakes.add(declaration.ident.span(), text);
    }
    Some(Layout {
        ident: declaration.ident.clone(),
        vis: declaration.vis.clone(),
        magic,
        head: walk.head,
        head_size,
        parts: walk.parts,
        body: walk.body.map(|body| body.ident.clone()),
        trailer_size: walk.trailer.iter().map(|field| field.scalar.width()).sum(),
        trailer: walk.trailer,
        lengths: measured.lengths,
        counts: measured.counts,
        checksums,
        framing: framing?,
        max_len: said.max_len.clone(),
        max_header: said.max_header.clone(),
    })
}

fn magic(value: &Expr, order: Order, mistakes: &mut Mistakes) -> Option<Magic> {
    let scalar = match value {
        Expr::Lit(ExprLit { lit: Lit::ByteStr(bytes), .. }) if !bytes.value().is_empty() => {
            Some(Scalar::Bytes(bytes.value().len()))
        }
        Expr::Lit(ExprLit { lit: Lit::Int(int), .. }) => Int::named(int.suffix()).map(Scalar::Int),
        _ => None,
    };
    let Some(scalar) = scalar else {
        let text = "say how wide the magic is: `magic = 0xdabb_u16` or `magic = b\"XY\"`";
        mistakes.at(value, text);
        return None;
    };
    fits(value, scalar, mistakes).then(|| Magic { value: value.clone(), scalar, order })
}

/// The walk through the fields.
struct Walk<'a> {
    order: Order,
    bit_order: BitOrder,
    declaration: &'a Declaration,
    /// The size of the fixed part so far; `None` once the width of a field is not known.
    offset: Option<usize>,
    head: Vec<Field>,
    parts: Vec<Part>,
    body: Option<&'a Declared>,
    trailer: Vec<Field>,
    measures: Measures,
    /// A field makes no sense; this has been reported.
    unclear: bool,
}

impl<'a> Walk<'a> {
    fn field(&mut self, index: usize, field: &'a Declared, mistakes: &mut Mistakes) {
        if field.frame.body.is_some() {
            return self.body(field, mistakes);
        }
        let fixed = fixed(field, mistakes);
        if self.body.is_some() {
            return self.trailer(index, field, fixed, mistakes);
        }
        match fixed {
            _ if field.ty.is_none() => self.offset = None,
            Some(scalar) if self.parts.is_empty() => self.head(index, field, scalar, mistakes),
            _ => self.part(index, field, mistakes),
        }
    }

    fn head(&mut self, index: usize, field: &'a Declared, scalar: Scalar, mistakes: &mut Mistakes) {
        self.offset = self.offset.and_then(|offset| field::padded(field, offset, mistakes));
        if let (Some(at), Some(is)) = (&field.frame.at, self.offset)
            && at.value != is
        {
            let text = format_args!("field `{}` starts at byte {is}, not {}", field.name, at.value);
            mistakes.add(at.span, text);
        }
        let role = role::of(field, scalar, mistakes);
        let role = self.measures.note(index, field, role);
        if let (Some(role), Some(offset)) = (role, self.offset) {
            self.head.push(field::field(self, field, offset, scalar, role, mistakes));
        }
        self.offset = self.offset.and_then(|offset| offset.checked_add(scalar.width()));
    }

    fn part(&mut self, index: usize, field: &'a Declared, mistakes: &mut Mistakes) {
        if let Some(at) = &field.frame.at {
            let text = "where this field starts differs between frames; `at` is for those in \
                        front of the first field of varying size";
            mistakes.add(at.span, text);
        }
        self.parts.extend(part::padding(field));
        let mut part = part(self.order, field, mistakes);
        self.unclear |= part.is_none();
        let role = part.as_ref().map(|part| &part.role);
        let is_plain = role.is_none_or(|role| matches!(role, Role::Value { .. }));
        if !is_plain {
            let scalar = field.ty.as_ref().and_then(Type::scalar);
            let role = scalar.and_then(|scalar| role::of(field, scalar, mistakes));
            let noted = self.measures.note(index, field, role);
            if let (Some(part), Some(role)) = (&mut part, noted) {
                part.role = role;
            }
        }
        self.parts.extend(part);
    }

    fn trailer(
        &mut self,
        index: usize,
        field: &'a Declared,
        fixed: Option<Scalar>,
        mistakes: &mut Mistakes,
    ) {
        let Some(scalar) = fixed else {
            let body = self.body.map_or("body", |body| &body.name);
            if field.ty.is_some() {
                let text = format_args!(
                    "field `{}` comes after the body `{body}`; only fields of fixed size can",
                    field.name
                );
                mistakes.add(field.ident.span(), text);
            }
            return;
        };
        let role = role::of(field, scalar, mistakes);
        let role = self.measures.note(index, field, role);
        if let Some(Role::Length(_) | Role::Count(_)) = role {
            let text = "this must be known before what it measures: put it in front of the body";
            mistakes.add(field.ident.span(), text);
        }
        let offset = self.trailer.last().map_or(0, |last| last.offset + last.scalar.width());
        if let Some(role) = role {
            let field = field::field(self, field, offset, scalar, role, mistakes);
            self.trailer.push(field);
        }
    }

    fn body(&mut self, field: &'a Declared, mistakes: &mut Mistakes) {
        if !matches!(field.ty, None | Some(Type::Bytes)) {
            mistakes.at(&field.written, "the body is `Bytes`");
        }
        if let (Some(at), Some(is)) = (&field.frame.at, self.offset)
            && self.parts.is_empty()
            && at.value != is
        {
            let text = format_args!("field `{}` starts at byte {is}, not {}", field.name, at.value);
            mistakes.add(at.span, text);
        }
        for span in field::more_than_body(&field.frame) {
            mistakes.add(span, "the body can't have this; only fields of the header can");
        }
        match self.body {
            None => self.body = Some(field),
            Some(first) => {
                let text = format_args!(
                    "field `{}` is a second body; a frame has one, here `{}`",
                    field.name, first.name
                );
                mistakes.add(field.ident.span(), text);
            }
        }
    }
}
