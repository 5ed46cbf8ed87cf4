//! `#[meta(..)]`: what the fields mean.

use proc_macro2::Span;
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream};
use syn::{Attribute, Expr, Ident, LitBool, LitStr, Token};

use super::Said;
use super::entry::{Entry, entries};
use super::keys::{META_FIELD, META_STRUCT};
use crate::mistakes::{Mistakes, suggest};

/// What is said about the struct.
#[derive(Default)]
pub(crate) struct MetaStruct {
    pub(crate) protocol: Option<LitStr>,
    pub(crate) aliases: Option<Vec<LitStr>>,
    pub(crate) sharing: Option<Ident>,
    /// Empty if the arms can't be read; this has been reported.
    pub(crate) errors: Option<Said<Vec<ErrorArm>>>,
    pub(crate) error_text: Option<LitBool>,
    /// Something was said that could not be understood; this has been reported.
    pub(crate) unclear: bool,
}

/// `Timeout => -6`, or `_ => -1`.
pub(crate) type ErrorArm = (Ident, Expr);

/// `1 => Request`.
pub(crate) type KindArm = (Expr, Ident);

/// What is said about a field.
#[derive(Default)]
pub(crate) struct MetaField {
    pub(crate) kind: Option<Said<Vec<KindArm>>>,
    pub(crate) operation: Option<Span>,
    /// The name, unless it is the field's own.
    pub(crate) property: Option<Said<Option<LitStr>>>,
    pub(crate) request_id: Option<Span>,
    /// The ok value; `None` if it can't be read; this has been reported.
    pub(crate) status: Option<Said<Option<Expr>>>,
    /// Something was said that could not be understood; this has been reported.
    pub(crate) unclear: bool,
}

const ERRORS: &str = "errors(RouteNotFound => -1, Timeout => -2, _ => -3)";
const KIND: &str = "kind(1 => Request, 2 => Response)";
const STATUS: &str = "status(ok = 0)";

pub(super) fn container<'a>(
    attributes: impl Iterator<Item = &'a Attribute>,
    mistakes: &mut Mistakes,
) -> MetaStruct {
    let before = mistakes.count();
    let mut said = MetaStruct::default();
    for entry in entries(attributes, mistakes) {
        container_entry(&entry, &mut said, mistakes);
    }
    said.unclear = mistakes.count() > before;
    said
}

fn container_entry(entry: &Entry, said: &mut MetaStruct, mistakes: &mut Mistakes) {
    let key = &entry.key;
    match key.to_string().as_str() {
        "protocol" => {
            if let Some(name) = mistakes.ok(entry.text("protocol = \"name\"")) {
                mistakes.once(&mut said.protocol, key, name);
            }
        }
        "aliases" => {
            if let Some(names) =
                mistakes.ok(entry.list(<LitStr as Parse>::parse, "aliases(\"other\")"))
            {
                mistakes.once(&mut said.aliases, key, names);
            }
        }
        "sharing" => {
            if let Some(word) = mistakes.ok(entry.word("sharing = shared")) {
                mistakes.once(&mut said.sharing, key, word.clone());
            }
        }
        "errors" => {
            let arms = mistakes.ok(entry.list(error_arm, ERRORS)).unwrap_or_default();
            mistakes.once(&mut said.errors, key, Said { span: key.span(), value: arms });
        }
        "error_text" => {
            if let Some(switch) = mistakes.ok(entry.switch("error_text = false")) {
                mistakes.once(&mut said.error_text, key, switch);
            }
        }
        _ => META_STRUCT.unknown(key, mistakes),
    }
}

pub(super) fn field<'a>(
    attributes: impl Iterator<Item = &'a Attribute>,
    mistakes: &mut Mistakes,
) -> MetaField {
    let before = mistakes.count();
    let mut said = MetaField::default();
    for entry in entries(attributes, mistakes) {
        field_entry(&entry, &mut said, mistakes);
    }
    said.unclear = mistakes.count() > before;
    said
}

fn field_entry(entry: &Entry, said: &mut MetaField, mistakes: &mut Mistakes) {
    let key = &entry.key;
    match key.to_string().as_str() {
        "kind" => {
            let arms = mistakes.ok(entry.list(kind_arm, KIND)).unwrap_or_default();
            mistakes.once(&mut said.kind, key, Said { span: key.span(), value: arms });
        }
        "operation" => {
            if let Some(span) = mistakes.ok(entry.flag()) {
                mistakes.once(&mut said.operation, key, span);
            }
        }
        "property" => {
            let name = match entry.is_flag() {
                true => Some(None),
                false => mistakes.ok(entry.text("property = \"name\"")).map(Some),
            };
            if let Some(name) = name {
                mistakes.once(&mut said.property, key, Said { span: key.span(), value: name });
            }
        }
        "request_id" => {
            if let Some(span) = mistakes.ok(entry.flag()) {
                mistakes.once(&mut said.request_id, key, span);
            }
        }
        "status" => {
            let ok = mistakes.ok(status(entry));
            mistakes.once(&mut said.status, key, Said { span: key.span(), value: ok });
        }
        _ => META_FIELD.unknown(key, mistakes),
    }
}

fn error_arm(input: ParseStream<'_>) -> syn::Result<ErrorArm> {
    let kind = match input.peek(Token![_]) {
        true => Ident::from(input.parse::<Token![_]>()?),
        false => input.call(Ident::parse_any)?,
    };
    input.parse::<Token![=>]>()?;
    Ok((kind, input.parse()?))
}

fn kind_arm(input: ParseStream<'_>) -> syn::Result<KindArm> {
    let value = input.parse()?;
    input.parse::<Token![=>]>()?;
    Ok((value, input.parse()?))
}

fn status(entry: &Entry) -> syn::Result<Expr> {
    if entry.is_flag() {
        let text = format_args!("say which value means success: `{STATUS}`");
        return Err(syn::Error::new(entry.key.span(), text));
    }
    let mut ok = None;
    for inner in entry.list(Entry::parse, STATUS)? {
        if inner.key != "ok" {
            let suggestion = suggest(&inner.key.to_string(), &["ok"]);
            let text = format_args!("unknown key `{}` in `status(..)`; {suggestion}", inner.key);
            return Err(syn::Error::new(inner.key.span(), text));
        }
        if ok.replace(inner.expr("ok = 0")?.clone()).is_some() {
            return Err(syn::Error::new(inner.key.span(), "`ok` is given twice; once is enough"));
        }
    }
    ok.ok_or_else(|| syn::Error::new(entry.key.span(), format_args!("write `{STATUS}`")))
}
