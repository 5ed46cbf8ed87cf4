//! `#[meta(..)]`: what the fields mean.

mod kind;
mod property;
mod status;

use proc_macro2::Span;
use syn::parse::{Parse, ParseStream};
use syn::{Attribute, Expr, Ident, LitBool, LitStr, Token};

pub(crate) use self::kind::{KindArm, Made};
pub(crate) use self::property::{Piece, Template, ToldProperty, ToldSection};
pub(crate) use self::status::{ErrorArm, ToldStatus, ToldTimeout, Unit};
use super::Said;
use super::entry::{Entry, entries};
use super::keys::{META_FIELD, META_STRUCT};
use crate::mistakes::Mistakes;

/// What is said about the struct.
#[derive(Default)]
pub(crate) struct MetaStruct {
    pub(crate) protocol: Option<LitStr>,
    pub(crate) aliases: Option<Vec<LitStr>>,
    pub(crate) sharing: Option<Ident>,
    /// Empty if the arms can't be read; this has been reported.
    pub(crate) errors: Option<Said<Vec<ErrorArm>>>,
    pub(crate) error_text: Option<LitBool>,
    /// Conditions; empty if they can't be read; this has been reported.
    pub(crate) kind: Option<Said<Vec<KindArm>>>,
    pub(crate) make: Option<Said<Vec<Made>>>,
    pub(crate) operation: Option<Said<Template>>,
    /// Properties of fields or bits that are named.
    pub(crate) properties: Vec<Of<Said<ToldProperty>>>,
    pub(crate) reply: Option<Said<Vec<Assign>>>,
    /// The field or the bits, and the rest; `None` if it can't be read; this has been reported.
    pub(crate) status: Option<Said<StatusOf>>,
    /// Something was said that could not be understood; this has been reported.
    pub(crate) unclear: bool,
}

/// What is said of the field or the bits of this name.
pub(crate) type Of<T> = (Ident, T);

type StatusOf = Option<Of<ToldStatus>>;

/// `name = value`.
#[derive(Clone)]
pub(crate) struct Assign {
    pub(crate) name: Ident,
    pub(crate) value: Expr,
}

/// What is said about a field.
#[derive(Default)]
pub(crate) struct MetaField {
    pub(crate) kind: Option<Said<Vec<KindArm>>>,
    pub(crate) operation: Option<Span>,
    pub(crate) property: Option<Said<ToldProperty>>,
    pub(crate) properties: Option<Said<ToldSection>>,
    pub(crate) request_id: Option<Span>,
    /// `None` if it can't be read; this has been reported.
    pub(crate) status: Option<Said<Option<ToldStatus>>>,
    pub(crate) timeout: Option<Said<ToldTimeout>>,
    /// Something was said that could not be understood; this has been reported.
    pub(crate) unclear: bool,
}

const CONDITIONS: &str = "kind(request && two_way => Request, request => Oneway, _ => Response)";
const VALUES: &str = "kind(1 => Request, 2 => Response)";

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
        "protocol" => mistakes.take(&mut said.protocol, key, entry.text("protocol = \"name\"")),
        "aliases" => {
            let names = entry.list(<LitStr as Parse>::parse, "aliases(\"other\")");
            mistakes.take(&mut said.aliases, key, names);
        }
        "sharing" => {
            mistakes.take(&mut said.sharing, key, entry.word("sharing = shared").cloned());
        }
        "errors" => {
            let arms = mistakes.ok(status::errors(entry)).unwrap_or_default();
            mistakes.once(&mut said.errors, key, at(entry, arms));
        }
        "error_text" => {
            mistakes.take(&mut said.error_text, key, entry.switch("error_text = false"));
        }
        "kind" => {
            let arms = mistakes.ok(entry.list(kind::arm, CONDITIONS)).unwrap_or_default();
            mistakes.once(&mut said.kind, key, at(entry, arms));
        }
        "make" => {
            let made = mistakes.ok(kind::make(entry)).unwrap_or_default();
            mistakes.once(&mut said.make, key, at(entry, made));
        }
        "operation" => {
            let template = property::template(entry).map(|template| at(entry, template));
            mistakes.take(&mut said.operation, key, template);
        }
        "property" => {
            if let Some((of, property)) = mistakes.ok(property::named(entry)) {
                said.properties.push((of, at(entry, property)));
            }
        }
        "reply" => {
            let fields = entry.list(assign, "reply(flag = 1)").map(|fields| at(entry, fields));
            mistakes.take(&mut said.reply, key, fields);
        }
        "status" => {
            let told = mistakes.ok(status::named(entry));
            mistakes.once(&mut said.status, key, at(entry, told));
        }
        _ => META_STRUCT.unknown(key, mistakes),
    }
}

fn at<T>(entry: &Entry, value: T) -> Said<T> {
    Said { span: entry.key.span(), value }
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
            let arms = mistakes.ok(entry.list(kind::arm, VALUES)).unwrap_or_default();
            mistakes.once(&mut said.kind, key, at(entry, arms));
        }
        "operation" => mistakes.take(&mut said.operation, key, entry.flag()),
        "property" => {
            let property = property::own(entry).map(|property| at(entry, property));
            mistakes.take(&mut said.property, key, property);
        }
        "properties" => {
            let section = property::section(entry).map(|section| at(entry, section));
            mistakes.take(&mut said.properties, key, section);
        }
        "request_id" => mistakes.take(&mut said.request_id, key, entry.flag()),
        "status" => {
            let told = mistakes.ok(status::own(entry));
            mistakes.once(&mut said.status, key, at(entry, told));
        }
        "timeout" => {
            let timeout = status::timeout(entry).map(|timeout| at(entry, timeout));
            mistakes.take(&mut said.timeout, key, timeout);
        }
        _ => META_FIELD.unknown(key, mistakes),
    }
}

fn assign(input: ParseStream<'_>) -> syn::Result<Assign> {
    let name = input.parse()?;
    input.parse::<Token![=]>()?;
    Ok(Assign { name, value: input.parse()? })
}

/// `value => "name"`.
fn named_value(input: ParseStream<'_>) -> syn::Result<(Expr, LitStr)> {
    let value = input.parse()?;
    input.parse::<Token![=>]>()?;
    Ok((value, input.parse()?))
}
