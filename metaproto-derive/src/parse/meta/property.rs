//! Properties and operations.

use syn::ext::IdentExt;
use syn::parse::Parse;
use syn::{Expr, Ident, LitStr};

use super::named_value;
use crate::mistakes::suggest;
use crate::parse::entry::Entry;

/// `property(name = "cmd", format = "{:#06x}")`, `property(names(1 => "get"))`.
#[derive(Default)]
pub(crate) struct ToldProperty {
    /// Unless it is that of the field.
    pub(crate) name: Option<LitStr>,
    pub(crate) format: Option<LitStr>,
    pub(crate) names: Vec<(Expr, LitStr)>,
}

/// `properties(prefix = "header.")`.
#[derive(Default)]
pub(crate) struct ToldSection {
    pub(crate) prefix: Option<LitStr>,
}

/// A text in which fields are named: `"{service}/{method}"`.
pub(crate) struct Template {
    pub(crate) text: LitStr,
    pub(crate) pieces: Vec<Piece>,
}

pub(crate) enum Piece {
    Text(String),
    /// The field, and how it is to be shown: what is behind the colon.
    Field(String, String),
}

/// What is said about the field that it stands on.
pub(super) fn own(entry: &Entry) -> syn::Result<ToldProperty> {
    const EXAMPLE: &str = "property(name = \"name\")";
    if entry.is_flag() {
        return Ok(ToldProperty::default());
    }
    if !entry.is_list() {
        let name = Some(entry.text("property = \"name\"")?);
        return Ok(ToldProperty { name, ..ToldProperty::default() });
    }
    details(&entry.list(Entry::parse, EXAMPLE)?)
}

/// What is said about a field or bits that are named.
pub(super) fn named(entry: &Entry) -> syn::Result<(Ident, ToldProperty)> {
    const EXAMPLE: &str = "property(flag, name = \"name\")";
    let all = entry.list(Entry::parse, EXAMPLE)?;
    match all.split_first() {
        Some((first, rest)) if first.is_flag() => Ok((first.key.clone(), details(rest)?)),
        _ => {
            let text = format_args!("name the field or the bits first: `{EXAMPLE}`");
            Err(syn::Error::new(entry.key.span(), text))
        }
    }
}

fn details(entries: &[Entry]) -> syn::Result<ToldProperty> {
    let mut said = ToldProperty::default();
    for inner in entries {
        let twice = match inner.key.to_string().as_str() {
            "name" => said.name.replace(inner.text("name = \"name\"")?).is_some(),
            "format" => said.format.replace(inner.text("format = \"{:#06x}\"")?).is_some(),
            "names" => {
                let before = said.names.len();
                said.names.extend(inner.list(named_value, "names(1 => \"get\", 2 => \"set\")")?);
                before > 0
            }
            other => {
                let suggestion = suggest(other, &["name", "format", "names"]);
                let text = format_args!("unknown key `{other}` in `property(..)`; {suggestion}");
                return Err(syn::Error::new(inner.key.span(), text));
            }
        };
        if twice {
            let text = format_args!("`{}` is given twice; once is enough", inner.key);
            return Err(syn::Error::new(inner.key.span(), text));
        }
    }
    if let (Some(format), false) = (&said.format, said.names.is_empty()) {
        let text = "a value is shown by name or in a format: keep one of the two";
        return Err(syn::Error::new(format.span(), text));
    }
    Ok(said)
}

pub(super) fn section(entry: &Entry) -> syn::Result<ToldSection> {
    const EXAMPLE: &str = "properties(prefix = \"header.\")";
    let mut said = ToldSection::default();
    if entry.is_flag() {
        return Ok(said);
    }
    for inner in entry.list(Entry::parse, EXAMPLE)? {
        if inner.key != "prefix" {
            let suggestion = suggest(&inner.key.to_string(), &["prefix"]);
            let text =
                format_args!("unknown key `{}` in `properties(..)`; {suggestion}", inner.key);
            return Err(syn::Error::new(inner.key.span(), text));
        }
        if said.prefix.replace(inner.text("prefix = \"header.\"")?).is_some() {
            return Err(syn::Error::new(inner.key.span(), "a prefix is given already"));
        }
    }
    Ok(said)
}

pub(super) fn template(entry: &Entry) -> syn::Result<Template> {
    let text = entry.text("operation = \"{service}/{method}\"")?;
    match pieces(&text.value()) {
        Ok(pieces) => Ok(Template { text, pieces }),
        Err(wrong) => Err(syn::Error::new(text.span(), wrong)),
    }
}

/// Takes a text apart. `{{` and `}}` stand for the braces themselves.
fn pieces(text: &str) -> Result<Vec<Piece>, String> {
    let (mut pieces, mut plain) = (Vec::new(), String::new());
    let mut rest = text;
    while let Some(at) = rest.find(['{', '}']) {
        let (before, from) = rest.split_at(at);
        plain.push_str(before);
        if from.starts_with("{{") || from.starts_with("}}") {
            plain.push_str(&from[..1]);
            rest = &from[2..];
            continue;
        }
        let inner = from.strip_prefix('{').and_then(|inner| inner.split_once('}'));
        let Some((inner, behind)) = inner else {
            return Err("a brace is left over; for a brace itself write it twice".to_owned());
        };
        let (name, shown) = inner.split_once(':').unwrap_or((inner, ""));
        if syn::parse_str::<Ident>(name).is_err()
            && syn::parse::Parser::parse_str(Ident::parse_any, name).is_err()
        {
            return Err(format!("`{{{inner}}}` names no field: write `{{method}}`"));
        }
        pieces.extend((!plain.is_empty()).then(|| Piece::Text(std::mem::take(&mut plain))));
        pieces.push(Piece::Field(name.to_owned(), shown.to_owned()));
        rest = behind;
    }
    plain.push_str(rest);
    pieces.extend((!plain.is_empty()).then_some(Piece::Text(plain)));
    match pieces.iter().any(|piece| matches!(piece, Piece::Field(..))) {
        true => Ok(pieces),
        false => Err("name a field: `operation = \"{service}/{method}\"`".to_owned()),
    }
}
