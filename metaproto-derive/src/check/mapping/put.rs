//! Values that are put into the fixed part: `name = value`.

use syn::{Expr, ExprLit, Lit};

use super::super::value;
use super::view::{Found, View, What};
use crate::meaning::Put;
use crate::mistakes::Mistakes;
use crate::parse::{Assign, Scalar};

/// What is put where. `None` with mistakes.
pub(super) fn put(view: &View<'_>, assign: &Assign, mistakes: &mut Mistakes) -> Option<Put> {
    let found = view.lookup(&assign.name, mistakes)?;
    let before = mistakes.count();
    match found.what {
        What::Unclear => return None,
        What::Int(_) | What::Bits(..) => {
            super::fits(&assign.value, found.what, mistakes);
            if truth(&assign.value).is_some() {
                mistakes.at(&assign.value, "this is a number, not a flag");
            }
        }
        What::Flag => flag(&assign.value, mistakes),
        What::Bytes => bytes(&found, &assign.value, mistakes),
        _ => {
            let text = format_args!(
                "`{}` can't be set here: only fields and bits of the fixed part that the struct \
                 holds can",
                assign.name
            );
            mistakes.add(assign.name.span(), text);
        }
    }
    let target = found.target.filter(|_| mistakes.count() == before)?;
    Some(Put { target, value: assign.value.clone() })
}

fn flag(value: &Expr, mistakes: &mut Mistakes) {
    if matches!(value, Expr::Lit(_)) && truth(value).is_none() {
        mistakes.at(value, "one bit is `true` or `false`");
    }
}

fn bytes(found: &Found<'_>, value: &Expr, mistakes: &mut Mistakes) {
    if let Some(scalar @ Scalar::Bytes(_)) = found.field.ty.as_ref().and_then(|ty| ty.scalar()) {
        value::fits(value, scalar, mistakes);
    }
}

/// `true` or `false`, if it is written out.
pub(super) fn truth(value: &Expr) -> Option<bool> {
    match value {
        Expr::Lit(ExprLit { lit: Lit::Bool(literal), .. }) => Some(literal.value),
        Expr::Group(group) => truth(&group.expr),
        Expr::Paren(paren) => truth(&paren.expr),
        _ => None,
    }
}
