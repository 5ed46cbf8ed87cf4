//! Kinds of messages.

use syn::parse::{Parse, ParseStream};
use syn::{Expr, Ident, Token};

use super::{Assign, assign};
use crate::parse::entry::Entry;

/// `1 => Request`, `event && request => Ping`.
pub(crate) type KindArm = (Expr, Ident);

/// `Response(request = false)`: what makes a message one of this kind.
#[derive(Clone)]
pub(crate) struct Made {
    pub(crate) kind: Ident,
    pub(crate) fields: Vec<Assign>,
}

pub(super) fn arm(input: ParseStream<'_>) -> syn::Result<KindArm> {
    let value = input.parse()?;
    input.parse::<Token![=>]>()?;
    Ok((value, input.parse()?))
}

pub(super) fn make(entry: &Entry) -> syn::Result<Vec<Made>> {
    const EXAMPLE: &str = "make(Response(request = false))";
    let one = |inner: &Entry| {
        let fields = inner.list(assign, "Response(request = false)")?;
        Ok(Made { kind: inner.key.clone(), fields })
    };
    entry.list(Entry::parse, EXAMPLE)?.iter().map(one).collect()
}
