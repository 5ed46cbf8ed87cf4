//! What tells the kind of a message, and what makes a message one of a kind.

use proc_macro2::{Span, TokenStream, TokenTree};
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::{Expr, Ident};

use super::put::put;
use super::recipe::{Recipe, Recipes};
use super::view::{View, What};
use super::{fits, integer, message_kind, single, too_wide};
use crate::meaning::{Kind, Made, Put, Rule, Target};
use crate::mistakes::Mistakes;
use crate::parse::{Field, KindArm, literal};

pub(super) fn kind(view: &View<'_>, mistakes: &mut Mistakes) -> Option<Kind> {
    let said = |field: &Field| field.meta.kind.as_ref().map(|said| said.span);
    let meta = &view.declaration.meta;
    let by_field = single(view, "kind", said, mistakes);
    if let (Some(made), None, false) = (&meta.make, &meta.kind, meta.unclear) {
        let text = "this says what makes a kind that conditions tell: \
                    `#[meta(kind(flag => Request, _ => Response))]`";
        mistakes.add(made.span, text);
    }
    let Some(conditions) = &meta.kind else {
        let found = by_field?;
        let int = integer(&found, "a kind", too_wide, mistakes);
        let values = &found.field.meta.kind.as_ref()?.value;
        check_values(values, int.map(|_| found.what), mistakes);
        return int.map(|(field, _)| by_value(field, values));
    };
    if let Some(found) = by_field {
        let text =
            format_args!("`{}` tells the kind already; keep one of the two", found.field.name);
        mistakes.add(conditions.span, text);
        return None;
    }
    by_condition(view, &conditions.value, mistakes)
}

fn check_values(values: &[KindArm], what: Option<What>, mistakes: &mut Mistakes) {
    for (index, (value, kind)) in values.iter().enumerate() {
        message_kind(kind, mistakes);
        if matches!(value, Expr::Infer(_)) || !is_pattern(value) {
            mistakes.at(value, "a value is a number or the name of a constant");
        } else if let Some(what) = what {
            fits(value, what, mistakes);
        }
        let number = literal(value);
        let earlier = || values[..index].iter().any(|(earlier, _)| literal(earlier) == number);
        if number.is_some() && earlier() {
            mistakes.at(value, "this value has a kind already");
        }
    }
}

fn is_pattern(value: &Expr) -> bool {
    literal(value).is_some() || matches!(*value, Expr::Path(_))
}

/// If two values mean the same kind, the first is written.
fn by_value(field: usize, values: &[KindArm]) -> Kind {
    let mut made: Vec<Made> = Vec::new();
    for (value, kind) in values {
        if made.iter().all(|earlier| earlier.kind != *kind) {
            let put = Put { target: Target::Head(field), value: value.clone() };
            made.push(Made { kind: kind.clone(), puts: vec![put] });
        }
    }
    Kind { rule: Rule::Values { field, values: values.to_vec() }, made, differ: Vec::new() }
}

fn by_condition(view: &View<'_>, all: &[KindArm], mistakes: &mut Mistakes) -> Option<Kind> {
    let before = mistakes.count();
    let (mut arms, mut other) = (Vec::new(), None::<Ident>);
    for (condition, kind) in all {
        message_kind(kind, mistakes);
        if let Some(other) = &other {
            let text = format_args!("this never matches: `_ => {other}` takes all that is left");
            mistakes.at(condition, text);
        } else if matches!(condition, Expr::Infer(_)) {
            other = Some(kind.clone());
        } else {
            check_condition(view, condition, mistakes);
            arms.push((condition.clone(), kind.clone()));
        }
    }
    if mistakes.count() > before || all.is_empty() {
        return None;
    }
    let mut kind = Kind {
        rule: Rule::Conditions { field: first_field(view, &arms), arms, other },
        made: Vec::new(),
        differ: Vec::new(),
    };
    make(view, all, &mut kind, mistakes);
    Some(kind)
}

/// Conditions speak of integers and bits of the fixed part.
fn check_condition(view: &View<'_>, condition: &Expr, mistakes: &mut Mistakes) {
    if literal(condition).is_some() {
        let text = "say of what: a condition is `field == 1`, or bits that have a name";
        mistakes.at(condition, text);
    }
    for name in asked(condition.to_token_stream()) {
        let known = view.named(&name.unraw().to_string());
        // Constants and functions are the compiler's business.
        let is_field = known.is_some() || name.to_string().starts_with(char::is_lowercase);
        let found = if is_field { view.lookup(&name, mistakes) } else { None };
        let Some(found) = found else { continue };
        if !matches!(found.what, What::Int(_) | What::Flag | What::Bits(..) | What::Unclear) {
            let text = format_args!(
                "`{name}` can't be asked here: only integers and bits of the fixed part that the \
                 struct holds can"
            );
            mistakes.add(name.span(), text);
        }
    }
}

/// The names in an expression that stand alone: no paths, no methods, no functions.
fn asked(tokens: TokenStream) -> Vec<Ident> {
    let (mut all, mut after) = (Vec::new(), false);
    let mut trees = tokens.into_iter().peekable();
    while let Some(tree) = trees.next() {
        let next = trees.peek();
        let called = match next {
            Some(TokenTree::Punct(punct)) => {
                matches!(punct.as_char(), ':' | '!')
                    && punct.spacing() == proc_macro2::Spacing::Joint
                    && punct.as_char() == ':'
            }
            Some(TokenTree::Group(group)) => {
                group.delimiter() == proc_macro2::Delimiter::Parenthesis
            }
            _ => false,
        };
        match &tree {
            TokenTree::Ident(ident) if !after && !called && !is_keyword(ident) => {
                all.push(ident.clone());
            }
            TokenTree::Group(group) => all.extend(asked(group.stream())),
            _ => {}
        }
        after = matches!(&tree, TokenTree::Punct(p) if matches!(p.as_char(), '.' | ':'))
            || matches!(&tree, TokenTree::Ident(ident) if ident == "as");
    }
    all
}

fn is_keyword(ident: &Ident) -> bool {
    const WORDS: [&str; 10] =
        ["as", "const", "crate", "else", "false", "if", "match", "matches", "self", "true"];
    WORDS.contains(&ident.to_string().as_str())
}

/// The field that is named if no condition holds.
fn first_field(view: &View<'_>, arms: &[KindArm]) -> Option<usize> {
    let names = arms.iter().flat_map(|(condition, _)| asked(condition.to_token_stream()));
    names.into_iter().find_map(|name| match view.named(&name.unraw().to_string())?.target? {
        Target::Head(field) | Target::Bits(field, _) => Some(field),
        Target::Part(_) => None,
    })
}

/// The fields and bits that tell the kind.
pub(super) fn tells(view: &View<'_>, kind: &Kind) -> Vec<Target> {
    match &kind.rule {
        Rule::Values { field, .. } => vec![Target::Head(*field)],
        Rule::Conditions { arms, .. } => {
            let names = arms.iter().flat_map(|(condition, _)| asked(condition.to_token_stream()));
            names
                .into_iter()
                .filter_map(|name| view.named(&name.unraw().to_string())?.target)
                .collect()
        }
    }
}

/// Finds out what makes a message one of each kind that may have to be written.
fn make(view: &View<'_>, all: &[KindArm], kind: &mut Kind, mistakes: &mut Mistakes) {
    let recipes = Recipes::new(view, all);
    let meta = &view.declaration.meta;
    let told = meta.make.iter().flat_map(|made| &made.value);
    let kinds: Vec<Ident> = kind.kinds().into_iter().cloned().collect();
    for (index, made) in told.clone().enumerate() {
        let again = told.clone().take(index).any(|earlier| earlier.kind == made.kind);
        if again {
            mistakes.add(made.kind.span(), "what makes this kind is said already");
        } else if message_kind(&made.kind, mistakes) && !kinds.contains(&made.kind) {
            let text = format_args!("no condition tells `{}`", made.kind);
            mistakes.add(made.kind.span(), text);
        }
    }
    for name in &kinds {
        let recipe = match told.clone().find(|made| made.kind == *name) {
            Some(made) => {
                let puts: Vec<_> = made.fields.iter().map(|f| put(view, f, mistakes)).collect();
                match puts.into_iter().collect::<Option<Vec<_>>>() {
                    Some(puts) => {
                        recipes.told(name, &made.fields).map(|differ| Recipe { puts, differ })
                    }
                    None => continue,
                }
            }
            None => recipes.derive(name),
        };
        match recipe {
            Ok(recipe) => {
                kind.differ.extend(recipe.differ);
                kind.made.push(Made { kind: name.clone(), puts: recipe.puts });
            }
            Err(wrong) if is_written(view, name) || wrong.certain => {
                mistakes.add(wrong.span.unwrap_or_else(|| arm_span(all, name)), wrong.text);
            }
            Err(_) => {}
        }
    }
}

fn arm_span(all: &[KindArm], name: &Ident) -> Span {
    all.iter().find(|(_, kind)| kind == name).map_or(name.span(), |(_, kind)| kind.span())
}

/// Whether a codec writes messages of this kind by itself.
fn is_written(view: &View<'_>, kind: &Ident) -> bool {
    match kind.to_string().as_str() {
        "Response" => view.declaration.meta.errors.is_some(),
        "Ping" | "Pong" | "GoAway" => true,
        _ => false,
    }
}
