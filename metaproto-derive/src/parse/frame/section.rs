//! Sections of names and values.

use syn::parse::{Parse, ParseStream};
use syn::{Expr, LitStr, Token};

use super::measure::{Form, form};
use crate::mistakes::suggest;
use crate::parse::Said;
use crate::parse::entry::Entry;

/// `kv(key = u16, value = u16)`, `tlv(tag = u8, length = u16, names(1 => "trace"))`.
#[derive(Clone)]
pub(crate) struct SectionFormat {
    pub(crate) key: EntryKey,
    /// How the length of a value is written.
    pub(crate) value: Said<Form>,
}

/// What stands in front of a value.
#[derive(Clone)]
pub(crate) enum EntryKey {
    /// A text, whose length is written so.
    Text(Said<Form>),
    /// A number, and the names of those that have one.
    Number(Said<Form>, Vec<(Expr, LitStr)>),
}

pub(super) fn format(entry: &Entry) -> syn::Result<SectionFormat> {
    let (first, second, example) = match entry.key == "kv" {
        true => ("key", "value", "kv(key = u16, value = u16)"),
        false => ("tag", "length", "tlv(tag = u8, length = u16)"),
    };
    let (mut key, mut value, mut names) = (None, None, Vec::new());
    for inner in entry.list(Entry::parse, example)? {
        let name = inner.key.to_string();
        if name == first {
            key = Some(form(inner.word(example)?)?);
        } else if name == second {
            value = Some(form(inner.word(example)?)?);
        } else if name == "names" && first == "tag" {
            names = inner.list(named, "names(1 => \"trace\")")?;
        } else {
            let known = [first, second, "names"];
            let suggestion = suggest(&name, if first == "tag" { &known } else { &known[..2] });
            let text = format_args!("unknown key `{name}` in `{}(..)`; {suggestion}", entry.key);
            return Err(syn::Error::new(inner.key.span(), text));
        }
    }
    let missing = || syn::Error::new(entry.key.span(), format_args!("write `{example}`"));
    let (key, value) = (key.ok_or_else(missing)?, value.ok_or_else(missing)?);
    let key = match first {
        "key" => EntryKey::Text(key),
        _ => EntryKey::Number(key, names),
    };
    Ok(SectionFormat { key, value })
}

fn named(input: ParseStream<'_>) -> syn::Result<(Expr, LitStr)> {
    let value = input.parse()?;
    input.parse::<Token![=>]>()?;
    Ok((value, input.parse()?))
}
