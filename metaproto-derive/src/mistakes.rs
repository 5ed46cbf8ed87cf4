//! Mistakes in attributes, collected so that they can be reported together.

use proc_macro2::{Span, TokenStream};
use quote::ToTokens;
use syn::Ident;

/// The mistakes that have been found so far.
#[derive(Debug, Default)]
pub(crate) struct Mistakes(Vec<syn::Error>);

impl Mistakes {
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn count(&self) -> usize {
        self.0.len()
    }

    /// Adds one: what is wrong with `tokens`, and what would be right.
    pub(crate) fn at(&mut self, tokens: &impl ToTokens, text: impl std::fmt::Display) {
        self.push(syn::Error::new_spanned(tokens, text));
    }

    /// Adds one: what is wrong at `span`, and what would be right.
    pub(crate) fn add(&mut self, span: Span, text: impl std::fmt::Display) {
        self.push(syn::Error::new(span, text));
    }

    pub(crate) fn push(&mut self, error: syn::Error) {
        self.0.push(error);
    }

    /// Takes the value, or keeps the mistake.
    pub(crate) fn ok<T>(&mut self, result: syn::Result<T>) -> Option<T> {
        result.map_err(|error| self.push(error)).ok()
    }

    /// Puts `value` in `slot`, unless there is one already: every key may be given once.
    pub(crate) fn once<T>(&mut self, slot: &mut Option<T>, key: &Ident, value: T) {
        if slot.is_some() {
            self.add(key.span(), format_args!("`{key}` is given twice; once is enough"));
        } else {
            *slot = Some(value);
        }
    }

    /// Puts the value in `slot`, or keeps the mistake.
    pub(crate) fn take<T>(&mut self, slot: &mut Option<T>, key: &Ident, value: syn::Result<T>) {
        if let Some(value) = self.ok(value) {
            self.once(slot, key, value);
        }
    }

    /// The code that makes the compiler report them; `None` if there are none.
    pub(crate) fn report(self) -> Option<TokenStream> {
        let combine = |mut all: syn::Error, error| {
            all.combine(error);
            all
        };
        self.0.into_iter().reduce(combine).map(syn::Error::into_compile_error)
    }
}

/// What to say when `found` is none of `known`: the nearest one, or all.
pub(crate) fn suggest(found: &str, known: &[&str]) -> String {
    let near = known.iter().map(|name| (distance(found, name), name)).min();
    match near {
        Some((distance, name)) if distance <= 2 && distance < found.len() => {
            format!("did you mean `{name}`?")
        }
        _ => {
            let all: Vec<_> = known.iter().map(|name| format!("`{name}`")).collect();
            format!("expected {}", one_of(&all))
        }
    }
}

fn one_of(names: &[String]) -> String {
    match names {
        [] => "nothing".to_owned(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} or {last}", first.join(", ")),
    }
}

/// How many letters must be changed, added, left out or swapped with the next to make `b` of `a`.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<_>, Vec<_>) = (a.chars().collect(), b.chars().collect());
    let mut rows = vec![(0..=b.len()).collect::<Vec<_>>()];
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let changed = usize::from(a[i - 1] != b[j - 1]);
            let mut best =
                (rows[i - 1][j - 1] + changed).min(rows[i - 1][j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                best = best.min(rows[i - 2][j - 2] + 1);
            }
            row.push(best);
        }
        rows.push(row);
    }
    rows[a.len()][b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_suggested_and_a_far_one_is_not() {
        assert_eq!(suggest("lenght", &["at", "length"]), "did you mean `length`?");
        assert_eq!(suggest("x", &["at", "of"]), "expected `at` or `of`");
        assert_eq!(suggest("checksum", &["at", "of", "by"]), "expected `at`, `of` or `by`");
    }

    #[test]
    fn distance_counts_a_swap_as_one() {
        assert_eq!(distance("ab", "ba"), 1);
        assert_eq!(distance("bits", "bts"), 1);
        assert_eq!(distance("", "abc"), 3);
    }
}
