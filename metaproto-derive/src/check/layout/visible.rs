//! What expressions can speak of: integers and bits that stand in front.

use proc_macro2::{Ident, TokenStream, TokenTree};
use quote::ToTokens;
use syn::Expr;
use syn::ext::IdentExt;

use super::Walk;
use crate::mistakes::Mistakes;
use crate::model::{Part, Role, Shape};

/// The names in an expression.
pub(crate) fn names(expr: &Expr) -> Vec<Ident> {
    let mut all = Vec::new();
    collect(expr.to_token_stream(), &mut all);
    all
}

fn collect(tokens: TokenStream, all: &mut Vec<Ident>) {
    for tree in tokens {
        match tree {
            TokenTree::Ident(ident) => all.push(ident),
            TokenTree::Group(group) => collect(group.stream(), all),
            _ => {}
        }
    }
}

/// Reports expressions that name fields whose values are not known by then.
pub(super) fn check(walk: &Walk<'_>, mistakes: &mut Mistakes) {
    for (index, part) in walk.parts.iter().enumerate() {
        let tag = match &part.shape {
            Shape::Tagged(tag) => Some(tag),
            _ => None,
        };
        for expr in part.when.iter().chain(tag) {
            for name in names(expr) {
                one(walk, index, &name, mistakes);
            }
        }
    }
}

fn one(walk: &Walk<'_>, index: usize, ident: &Ident, mistakes: &mut Mistakes) {
    let name = ident.unraw().to_string();
    if !walk.declaration.fields.iter().any(|field| field.name == name) {
        return;
    }
    let in_head = walk.head.iter().find(|field| field.name == name);
    if let Some(field) = in_head {
        let held = matches!(field.role, Role::Value { .. });
        if !held || !matches!(field.scalar, crate::parse::Scalar::Int(_)) {
            mistakes.add(ident.span(), "only integers that the struct holds can be asked here");
        }
        return;
    }
    let is_number = |part: &&Part| {
        part.name == name
            && part.when.is_none()
            && matches!(part.shape, Shape::Number { .. })
            && matches!(part.role, Role::Value { .. })
    };
    if !walk.parts[..index].iter().any(|part| is_number(&part)) {
        let text = format_args!(
            "`{name}` can't be asked here: only integers and bits that stand in front can"
        );
        mistakes.add(ident.span(), text);
    }
}
