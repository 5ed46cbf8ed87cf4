//! How long something is, and how many there are.

use syn::parse::Parse;
use syn::spanned::Spanned;
use syn::{Expr, ExprRange, Ident, Path, RangeLimits};

use crate::mistakes::suggest;
use crate::parse::Said;
use crate::parse::entry::Entry;
use crate::parse::ty::Int;

/// `length(of = body, unit = 4, plus = -4)`: bytes, told as `bytes / unit + plus`.
#[derive(Clone)]
pub(crate) struct Length {
    pub(crate) of: Target,
    pub(crate) unit: u64,
    pub(crate) plus: i64,
}

impl Default for Length {
    fn default() -> Self {
        Length { of: Target::Unknown, unit: 1, plus: 0 }
    }
}

/// What a length counts.
#[derive(Clone)]
pub(crate) enum Target {
    /// The whole frame, header included.
    Frame,
    /// What follows the header.
    Body,
    /// What is before the body.
    Header,
    /// What follows the length.
    Rest,
    /// These fields, first and last.
    Fields(Ident, Ident),
    /// Something unknown; this has been reported.
    Unknown,
}

/// `count(of = items)` on a number, `count = u16` on a list.
#[derive(Clone)]
pub(crate) enum Count {
    Of { field: Ident, plus: i64 },
    Own(Measure),
}

/// A number in front of what it measures.
#[derive(Clone)]
pub(crate) struct Measure {
    pub(crate) form: Said<Form>,
    pub(crate) unit: u64,
    pub(crate) plus: i64,
}

/// How a number is written.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    Fixed(Int),
    Varint,
    ZigZag,
}

/// `checksum(with = crc32, over = a..=b)`.
pub(crate) struct Checksum {
    pub(crate) with: Path,
    /// First and last field; everything in front of the checksum if nothing is said.
    pub(crate) over: Option<(Ident, Ident)>,
}

/// What may be said of a measure.
#[derive(Default)]
struct Inside {
    of: Option<Expr>,
    unit: Option<u64>,
    plus: Option<i64>,
    form: Option<Said<Form>>,
}

const FORMS: [&str; 10] =
    ["u8", "u16", "u24", "u32", "u64", "i8", "i16", "i32", "varint", "zigzag"];

pub(crate) fn form(word: &Ident) -> syn::Result<Said<Form>> {
    let name = word.to_string();
    let form = match name.as_str() {
        "varint" => Form::Varint,
        "zigzag" => Form::ZigZag,
        "u24" | "u40" | "u48" | "u56" => {
            let int = Int::named(if name == "u24" { "u32" } else { "u64" });
            let width = name[1..].parse::<usize>().unwrap_or_default() / 8;
            match int {
                Some(int) => Form::Fixed(Int { width, ..int }),
                None => Form::Varint,
            }
        }
        "u128" | "i128" => {
            return Err(syn::Error::new(word.span(), "at most 8 bytes: `u64`"));
        }
        other => match Int::named(other) {
            Some(int) => Form::Fixed(int),
            None => {
                let text = format_args!("unknown form `{other}`; {}", suggest(other, &FORMS));
                return Err(syn::Error::new(word.span(), text));
            }
        },
    };
    Ok(Said { span: word.span(), value: form })
}

fn inner(entry: &Entry, keys: &[&str], example: &str) -> syn::Result<Inside> {
    let mut said = Inside::default();
    for inner in entry.list(Entry::parse, example)? {
        let key = inner.key.to_string();
        let twice = || syn::Error::new(inner.key.span(), "this is given twice; once is enough");
        let set = match key.as_str() {
            "of" if keys.contains(&"of") => {
                let of = inner.expr("of = body")?.clone();
                said.of.replace(of).is_none()
            }
            "unit" if keys.contains(&"unit") => {
                let (span, unit) = inner.number("unit = 4")?;
                if unit == 0 {
                    let text = "a unit has at least one byte: `unit = 4`";
                    return Err(syn::Error::new(span, text));
                }
                said.unit.replace(unit as u64).is_none()
            }
            "plus" => said.plus.replace(inner.signed("plus = -4")?).is_none(),
            _ if keys.contains(&"form") && inner.is_flag() => {
                said.form.replace(form(&inner.key)?).is_none()
            }
            _ => {
                let known: Vec<_> = keys.iter().copied().filter(|key| *key != "form").collect();
                let suggestion = suggest(&key, &known);
                let text = format_args!("unknown key `{key}` in `{}(..)`; {suggestion}", entry.key);
                return Err(syn::Error::new(inner.key.span(), text));
            }
        };
        if !set {
            return Err(twice());
        }
    }
    Ok(said)
}

/// `length(of = ..)`.
pub(crate) fn length(entry: &Entry) -> syn::Result<Length> {
    const EXAMPLE: &str = "length(of = frame)` or `length(of = body)";
    let said = inner(entry, &["of", "plus", "unit"], EXAMPLE)?;
    let of = said
        .of
        .ok_or_else(|| syn::Error::new(entry.key.span(), format_args!("write `{EXAMPLE}`")))?;
    Ok(Length { of: target(&of)?, unit: said.unit.unwrap_or(1), plus: said.plus.unwrap_or(0) })
}

fn target(of: &Expr) -> syn::Result<Target> {
    if let Some((first, last)) = fields(of) {
        return Ok(Target::Fields(first, last));
    }
    let word = match of {
        Expr::Path(path) => path.path.get_ident(),
        _ => None,
    };
    let Some(word) = word else {
        let text = "say what it counts: `frame`, `body`, `header`, `rest`, a field, or the first \
                    and the last of several: `a..=b`";
        return Err(syn::Error::new(of.span(), text));
    };
    Ok(match word.to_string().as_str() {
        "frame" => Target::Frame,
        "body" => Target::Body,
        "header" => Target::Header,
        "rest" => Target::Rest,
        _ => Target::Fields(word.clone(), word.clone()),
    })
}

/// `a..=b`.
fn fields(of: &Expr) -> Option<(Ident, Ident)> {
    let ident = |expr: &Expr| match expr {
        Expr::Path(path) => path.path.get_ident().cloned(),
        _ => None,
    };
    match of {
        Expr::Range(ExprRange {
            start: Some(from),
            end: Some(to),
            limits: RangeLimits::Closed(_),
            ..
        }) => Some((ident(from)?, ident(to)?)),
        _ => None,
    }
}

/// `count(of = items, plus = 1)`, `count = u16`, `count(varint, plus = 1)`.
pub(crate) fn count(entry: &Entry) -> syn::Result<Count> {
    const EXAMPLE: &str = "count(of = items)` on a number, or `count = u16` on a list";
    if !entry.is_list() {
        return measure(entry).map(Count::Own);
    }
    let said = inner(entry, &["of", "plus", "form"], EXAMPLE)?;
    match (said.of, said.form) {
        (Some(Expr::Path(path)), None) if path.path.get_ident().is_some() => {
            let field = path.path.require_ident()?.clone();
            Ok(Count::Of { field, plus: said.plus.unwrap_or(0) })
        }
        (None, Some(form)) => {
            Ok(Count::Own(Measure { form, unit: 1, plus: said.plus.unwrap_or(0) }))
        }
        _ => Err(syn::Error::new(entry.key.span(), format_args!("write `{EXAMPLE}`"))),
    }
}

/// `prefix = u16`, `prefix(u16, unit = 4, plus = 1)`.
pub(crate) fn measure(entry: &Entry) -> syn::Result<Measure> {
    let example = format!("{} = u16", entry.key);
    if !entry.is_list() {
        let form = form(entry.word(&example)?)?;
        return Ok(Measure { form, unit: 1, plus: 0 });
    }
    let said = inner(entry, &["form", "plus", "unit"], &example)?;
    let form = said.form.ok_or_else(|| {
        let text = format_args!("say how wide it is: `{example}`");
        syn::Error::new(entry.key.span(), text)
    })?;
    Ok(Measure { form, unit: said.unit.unwrap_or(1), plus: said.plus.unwrap_or(0) })
}

/// `checksum(with = crc32, over = a..=b)`.
pub(crate) fn checksum(entry: &Entry) -> syn::Result<Checksum> {
    const EXAMPLE: &str = "checksum(with = crc32, over = id..=body)";
    let (mut with, mut over) = (None, None);
    for inner in entry.list(Entry::parse, EXAMPLE)? {
        match inner.key.to_string().as_str() {
            "with" => with = Some(inner.path("with = crc32")?),
            "over" => {
                let said = inner.expr("over = id..=body")?;
                let one = |expr: &Expr| match expr {
                    Expr::Path(path) => path.path.get_ident().cloned(),
                    _ => None,
                };
                let found = fields(said).or_else(|| Some((one(said)?, one(said)?)));
                let text = "name the first and the last field: `over = id..=body`";
                over = Some(found.ok_or_else(|| syn::Error::new_spanned(said, text))?);
            }
            other => {
                let suggestion = suggest(other, &["with", "over"]);
                let text = format_args!("unknown key `{other}` in `checksum(..)`; {suggestion}");
                return Err(syn::Error::new(inner.key.span(), text));
            }
        }
    }
    let text = format_args!("name the function that computes it: `{EXAMPLE}`");
    let with = with.ok_or_else(|| syn::Error::new(entry.key.span(), text))?;
    Ok(Checksum { with, over })
}
