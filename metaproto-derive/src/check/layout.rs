//! Where everything stands, and whether it can.

use syn::{Expr, ExprLit, Lit};

use super::value::fits;
use crate::mistakes::Mistakes;
use crate::model::{Body, Field, Layout, Magic, Role};
use crate::parse::{Declaration, Field as Declared, Int, Order, Said, Scalar, Target, Type};

/// The most bytes that a header may have: as many as the engine keeps of a request to answer it.
const MAX_HEADER: usize = 4096;

/// The layout. With mistakes it is `None`, or as near as one gets.
pub(crate) fn layout(declaration: &Declaration, mistakes: &mut Mistakes) -> Option<Layout> {
    if declaration.opaque {
        return None;
    }
    let endian = declaration.frame.endian.unwrap_or(Order::Big);
    let magic = declaration.frame.magic.as_ref().and_then(|value| magic(value, endian, mistakes));
    let start = match (&magic, &declaration.frame.magic) {
        (None, Some(_)) => None,
        (magic, _) => Some(magic.as_ref().map_or(0, |magic| magic.scalar.width())),
    };
    let mut scan =
        Scan { endian, offset: start, fields: Vec::new(), lengths: Vec::new(), body: None };
    for (index, field) in declaration.fields.iter().enumerate() {
        scan.field(index, field, mistakes);
    }
    let body = end(declaration, &scan, mistakes);
    let header_size = scan.offset?;
    if header_size > MAX_HEADER {
        let text =
            format_args!("a header of {header_size} bytes; at most {MAX_HEADER} are possible");
        mistakes.add(declaration.ident.span(), text);
    }
    Some(Layout {
        ident: declaration.ident.clone(),
        vis: declaration.vis.clone(),
        magic,
        fields: scan.fields,
        header_size,
        body,
        max_len: declaration.frame.max_len.clone(),
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
struct Scan<'a> {
    endian: Order,
    /// Where the next field starts; `None` once the width of one is not known.
    offset: Option<usize>,
    fields: Vec<Field>,
    /// The fields that are lengths, by their place.
    lengths: Vec<usize>,
    body: Option<&'a Declared>,
}

impl<'a> Scan<'a> {
    fn field(&mut self, index: usize, field: &'a Declared, mistakes: &mut Mistakes) {
        if let (Some(at), Some(is)) = (&field.frame.at, self.offset)
            && at.value != is
        {
            let text = format_args!("field `{}` starts at byte {is}, not {}", field.name, at.value);
            mistakes.add(at.span, text);
        }
        if field.frame.length.is_some() {
            self.lengths.push(index);
        }
        if field.ty == Some(Type::Bytes) || field.frame.body.is_some() {
            return self.body(field, mistakes);
        }
        if let Some(body) = self.body {
            let text = format_args!(
                "field `{}` comes after the body `{}`; the body must be the last field",
                field.name, body.name
            );
            mistakes.add(field.ident.span(), text);
        }
        let scalar = match field.ty {
            Some(Type::Value(scalar) | Type::Auto(scalar)) => scalar,
            _ => {
                self.offset = None;
                return;
            }
        };
        let role = role(field, mistakes);
        if let (Some(endian), Scalar::Bytes(_)) = (&field.frame.endian, scalar) {
            mistakes.add(endian.span, "bytes have no order to choose; only integers do");
        }
        if let (Some(role), Some(offset)) = (role, self.offset) {
            self.fields.push(Field {
                ident: field.ident.clone(),
                name: field.name.clone(),
                offset,
                scalar,
                order: field.frame.endian.as_ref().map_or(self.endian, |endian| endian.value),
                role,
            });
        }
        self.offset = self.offset.and_then(|offset| offset.checked_add(scalar.width()));
    }

    fn body(&mut self, field: &'a Declared, mistakes: &mut Mistakes) {
        if field.frame.body.is_none() {
            let text = "only the body is `Bytes`: add `#[frame(body)]`, or use `[u8; N]`";
            mistakes.at(&field.written, text);
        } else if field.ty.is_some_and(|ty| ty != Type::Bytes) {
            mistakes.at(&field.written, "the body is `Bytes`");
        }
        let frame = &field.frame;
        let spans = [
            frame.constant.as_ref().map(|said| said.span),
            frame.default.as_ref().map(|said| said.span),
            frame.endian.as_ref().map(|said| said.span),
            frame.length.as_ref().map(|said| said.span),
        ];
        for span in spans.into_iter().flatten() {
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

/// What the field is for. `None` if that can't be told; this has been reported.
fn role(field: &Declared, mistakes: &mut Mistakes) -> Option<Role> {
    let (auto, scalar) = match field.ty? {
        Type::Auto(scalar) => (true, scalar),
        Type::Value(scalar) => (false, scalar),
        Type::Bytes => return None,
    };
    let text = scalar.to_text();
    match (&field.frame.length, &field.frame.constant, &field.frame.default) {
        (Some(_), None, None) => length_role(field, auto, scalar, mistakes),
        (None, Some(constant), None) if auto => {
            let value = &constant.value;
            fits(value, scalar, mistakes).then(|| Role::Constant(value.clone()))
        }
        (None, Some(_), None) => {
            let text = format_args!("a constant is not held in the struct: use `Auto<{text}>`");
            mistakes.at(&field.written, text);
            None
        }
        (None, None, Some(default)) if !auto => {
            let default = Some(default.value.clone());
            fits(default.as_ref()?, scalar, mistakes).then_some(Role::Value { default })
        }
        (None, None, None) if !auto => Some(Role::Value { default: None }),
        // What could not be understood was the answer.
        (None, None, _) if field.frame.unclear => None,
        (None, None, _) => {
            let text = "what is its value? Add `#[frame(length(of = frame))]`, \
                        `#[frame(length(of = body))]` or `#[frame(constant = ..)]`";
            mistakes.at(&field.written, text);
            None
        }
        (_, Some(Said { span, .. }), _) | (_, None, Some(Said { span, .. })) => {
            let text = "a field is a length, or a constant, or has a default: keep one of them";
            mistakes.add(*span, text);
            None
        }
    }
}

fn length_role(
    field: &Declared,
    auto: bool,
    scalar: Scalar,
    mistakes: &mut Mistakes,
) -> Option<Role> {
    let text = match scalar {
        Scalar::Int(int) if !int.signed && auto => return Some(Role::Length),
        Scalar::Int(int) if !int.signed => format!(
            "a length is not held in the struct, it is told by the body: use `Auto<{}>`",
            int.name
        ),
        Scalar::Int(int) => format!("a length is never negative: use `Auto<u{}>`", int.width * 8),
        Scalar::Bytes(_) => "a length is an unsigned integer, such as `Auto<u32>`".to_owned(),
    };
    mistakes.at(&field.written, text);
    None
}

/// Looks at how the frame ends: fixed, or with a body whose length one field tells.
fn end(declaration: &Declaration, scan: &Scan<'_>, mistakes: &mut Mistakes) -> Option<Body> {
    let said = |index: &usize| Some((*index, declaration.fields[*index].frame.length.as_ref()?));
    let mut lengths = scan.lengths.iter().filter_map(said);
    let first = lengths.next();
    for ((_, second), (first, _)) in lengths.zip(first) {
        let name = &declaration.fields[first].name;
        let text = format_args!("a second length; `{name}` tells the length of the frame already");
        mistakes.add(second.span, text);
    }
    let unclear = declaration.fields.iter().any(|field| field.frame.unclear);
    match (scan.body, declaration.frame.fixed, first) {
        // What could not be understood may be what is missing.
        (_, None, None) | (None, None, _) if unclear || declaration.frame.unclear => {}
        (None, None, _) => {
            let text = "how does this frame end? Add `#[frame(body)] body: Bytes` as its last \
                        field, or mark the struct `#[frame(fixed)]` if it has no body";
            mistakes.add(declaration.ident.span(), text);
        }
        (None, Some(_), Some((_, length))) => {
            let text = "a frame that is `fixed` has no length to tell; for a constant one write \
                        `constant = N`";
            mistakes.add(length.span, text);
        }
        (None, Some(span), None) if scan.offset == Some(0) => {
            mistakes.add(span, "a frame takes at least one byte; this one has no fields");
        }
        (None, Some(_), None) => {}
        (Some(_), Some(span), _) => {
            mistakes.add(span, "a frame with a body is not `fixed`; drop one of the two");
        }
        (Some(body), None, None) => {
            let text = format_args!(
                "nothing tells how long `{}` is: mark an integer before it \
                 `#[frame(length(of = body))]`, or `#[frame(length(of = frame))]` if it counts the \
                 header too",
                body.name
            );
            mistakes.add(body.ident.span(), text);
        }
        (Some(body), None, Some((index, length))) => {
            return Some(Body {
                ident: body.ident.clone(),
                length: index,
                counts_header: length.value == Target::Frame,
            });
        }
    }
    None
}
