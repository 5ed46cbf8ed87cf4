//! The syntax that all attributes share: `key`, `key = value`, `key(..)`, separated by commas.

use proc_macro2::{Span, TokenStream};
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream, Parser};
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::{Attribute, Expr, Ident, LitBool, LitStr, Token, parenthesized, token};

use crate::mistakes::Mistakes;

/// One key with what is said about it.
pub(super) struct Entry {
    pub(super) key: Ident,
    value: Value,
}

enum Value {
    Nothing,
    Equals(Expr),
    List(Span, TokenStream),
}

impl Parse for Entry {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let key = input.call(Ident::parse_any)?;
        let value = if input.peek(Token![=]) {
            input.parse::<Token![=]>()?;
            Value::Equals(input.parse()?)
        } else if input.peek(token::Paren) {
            let list;
            let paren = parenthesized!(list in input);
            Value::List(paren.span.join(), list.parse()?)
        } else {
            Value::Nothing
        };
        Ok(Entry { key, value })
    }
}

/// All entries of these attributes. An attribute that can't be read is reported and left out.
pub(super) fn entries<'a>(
    attributes: impl Iterator<Item = &'a Attribute>,
    mistakes: &mut Mistakes,
) -> Vec<Entry> {
    let mut all = Vec::new();
    for attribute in attributes {
        let parser = Punctuated::<Entry, Token![,]>::parse_terminated;
        all.extend(mistakes.ok(attribute.parse_args_with(parser)).into_iter().flatten());
    }
    all
}

impl Entry {
    fn wrong(&self, example: &str) -> syn::Error {
        let text = format_args!("`{}` is written `{example}`", self.key);
        match &self.value {
            Value::Nothing => syn::Error::new(self.key.span(), text),
            Value::Equals(value) => syn::Error::new_spanned(value, text),
            Value::List(span, _) => syn::Error::new(*span, text),
        }
    }

    /// A key that stands alone.
    pub(super) fn flag(&self) -> syn::Result<Span> {
        match self.value {
            Value::Nothing => Ok(self.key.span()),
            _ => Err(self.wrong(&self.key.to_string())),
        }
    }

    /// Whether the key stands alone.
    pub(super) fn is_flag(&self) -> bool {
        matches!(self.value, Value::Nothing)
    }

    /// The value of `key = value`. `example` is what would be right.
    pub(super) fn expr(&self, example: &str) -> syn::Result<&Expr> {
        match &self.value {
            Value::Equals(value) => Ok(value),
            _ => Err(self.wrong(example)),
        }
    }

    /// The value of `key = word`.
    pub(super) fn word(&self, example: &str) -> syn::Result<&Ident> {
        match self.expr(example)? {
            Expr::Path(path) => path.path.get_ident().ok_or_else(|| self.wrong(example)),
            _ => Err(self.wrong(example)),
        }
    }

    /// The value of `key = path::to::something`.
    pub(super) fn path(&self, example: &str) -> syn::Result<syn::Path> {
        match self.expr(example)? {
            Expr::Path(path) if path.qself.is_none() => Ok(path.path.clone()),
            _ => Err(self.wrong(example)),
        }
    }

    /// The value of `key = 4`, and where it stands.
    pub(super) fn number(&self, example: &str) -> syn::Result<(Span, usize)> {
        let value = self.expr(example)?;
        let number = super::literal(value).and_then(|number| usize::try_from(number).ok());
        number.map(|number| (value.span(), number)).ok_or_else(|| self.wrong(example))
    }

    /// The value of `key = -4`.
    pub(super) fn signed(&self, example: &str) -> syn::Result<i64> {
        let number = super::literal(self.expr(example)?);
        number.and_then(|number| i64::try_from(number).ok()).ok_or_else(|| self.wrong(example))
    }

    /// The value of `key = b".."`.
    pub(super) fn bytes(&self, example: &str) -> syn::Result<syn::LitByteStr> {
        match self.expr(example)? {
            Expr::Lit(syn::ExprLit { lit: syn::Lit::ByteStr(bytes), .. })
                if !bytes.value().is_empty() =>
            {
                Ok(bytes.clone())
            }
            _ => Err(self.wrong(example)),
        }
    }

    /// Whether the key comes with a list.
    pub(super) fn is_list(&self) -> bool {
        matches!(self.value, Value::List(..))
    }

    /// The value of `key = "text"`.
    pub(super) fn text(&self, example: &str) -> syn::Result<LitStr> {
        match self.expr(example)? {
            Expr::Lit(syn::ExprLit { lit: syn::Lit::Str(text), .. }) => Ok(text.clone()),
            _ => Err(self.wrong(example)),
        }
    }

    /// The value of `key = true`.
    pub(super) fn switch(&self, example: &str) -> syn::Result<LitBool> {
        match self.expr(example)? {
            Expr::Lit(syn::ExprLit { lit: syn::Lit::Bool(switch), .. }) => Ok(switch.clone()),
            _ => Err(self.wrong(example)),
        }
    }

    /// What is listed in `key(..)`, each read by `one`.
    pub(super) fn list<T>(
        &self,
        one: fn(ParseStream<'_>) -> syn::Result<T>,
        example: &str,
    ) -> syn::Result<Vec<T>> {
        match &self.value {
            Value::List(span, tokens) if tokens.is_empty() => {
                Err(syn::Error::new(*span, format_args!("nothing is listed; write `{example}`")))
            }
            Value::List(_, tokens) => {
                let parser = |input: ParseStream<'_>| {
                    Punctuated::<T, Token![,]>::parse_terminated_with(input, one)
                };
                Ok(parser.parse2(tokens.clone())?.into_iter().collect())
            }
            _ => Err(self.wrong(example)),
        }
    }
}
