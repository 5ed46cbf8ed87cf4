//! From text to the shape of the file, and back from a key's path to its place in the text.

use std::fmt;

use serde::de::{Deserialize, DeserializeOwned, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_path_to_error::Segment;
use serde_saphyr::{DefaultMessageFormatter, Error as YamlError, MessageFormatter, Spanned};

use super::error::Error;
use super::schema::File;

impl File {
    /// Reads YAML. Nothing is checked but the shape: known keys, values of the right kind.
    ///
    /// # Errors
    /// What can't be read, with the path of its key and its place in the text.
    pub fn parse(text: &str) -> Result<File, Error> {
        let mut path = String::new();
        let file = deserialize(text, &mut path);
        file.map_err(|error| {
            let reported = error.location().map(|place| (place.line(), place.column()));
            // Serde's own errors are raised behind the value that they are about.
            let exact = match error.without_snippet() {
                YamlError::SerdeInvalidType { .. }
                | YamlError::SerdeInvalidValue { .. }
                | YamlError::SerdeUnknownVariant { .. } => place(text, &path),
                _ => None,
            };
            Error::new(path, reason(&error)).at(exact.or(reported))
        })
    }

    /// Writes YAML that reads as the same.
    #[must_use]
    pub fn to_yaml(&self) -> String {
        let options = serde_saphyr::ser_options! { compact_list_indent: true };
        serde_saphyr::to_string_with_options(self, options)
            .unwrap_or_else(|error| format!("# can't be written: {error}\n"))
    }
}

/// Reads a value, and leaves the path of the key that was read last in `path`.
fn deserialize<T: DeserializeOwned>(text: &str, path: &mut String) -> Result<T, YamlError> {
    let options = serde_saphyr::options! { with_snippet: false, strict_booleans: true };
    serde_saphyr::with_deserializer_from_str_with_options(text, options, |yaml| {
        serde_path_to_error::deserialize(yaml).map_err(|error| {
            *path = path_of(error.path());
            error.into_inner()
        })
    })
}

fn path_of(path: &serde_path_to_error::Path) -> String {
    let mut text = String::new();
    for segment in path {
        match segment {
            Segment::Seq { index } => text.push_str(&format!("[{index}]")),
            Segment::Map { key: name } | Segment::Enum { variant: name } => {
                if !text.is_empty() {
                    text.push('.');
                }
                text.push_str(name);
            }
            Segment::Unknown => {}
        }
    }
    text
}

/// What is wrong, in the words of a configuration file rather than of Rust.
fn reason(error: &YamlError) -> String {
    match error.without_snippet() {
        YamlError::SerdeUnknownField { field, expected, .. } => unknown("key", field, expected),
        YamlError::SerdeUnknownVariant { variant, expected, .. } => {
            unknown("value", variant, expected)
        }
        YamlError::SerdeMissingField { field, .. } => format!("the key {field:?} is missing"),
        YamlError::DuplicateMappingKey { key: Some(key), .. } => {
            format!("the key {key:?} is there twice")
        }
        YamlError::DuplicateMappingKey { key: None, .. } => "a key is there twice".to_owned(),
        YamlError::SerdeInvalidType { unexpected, expected, .. }
        | YamlError::SerdeInvalidValue { unexpected, expected, .. } => {
            format!("expected {expected}, not {unexpected}")
        }
        YamlError::MultipleDocuments { .. } => "there is a second document in the file".to_owned(),
        YamlError::Eof { .. } => "the file ends too early, or is empty".to_owned(),
        YamlError::Unexpected { expected: "string scalar", .. } => {
            "expected a text; one with brackets, such as an IPv6 address, needs quotes".to_owned()
        }
        YamlError::Unexpected { expected: "mapping start", .. } => "expected a map".to_owned(),
        YamlError::Unexpected { expected: "sequence start", .. } => "expected a list".to_owned(),
        YamlError::InvalidScalar { ty, .. } if ty.starts_with('u') => {
            "expected a whole number, not below zero".to_owned()
        }
        YamlError::InvalidScalar { ty, .. } if ty.starts_with('i') => {
            "expected a whole number".to_owned()
        }
        YamlError::InvalidBooleanStrict { .. } => "expected true or false".to_owned(),
        other => DefaultMessageFormatter.format_message(other).into_owned(),
    }
}

fn unknown(what: &str, given: &str, known: &[&str]) -> String {
    let close = known.iter().map(|name| (distance(given, name), name)).min();
    let hint = match close {
        Some((distance, name)) if distance <= given.len() / 3 => format!("did you mean {name}? "),
        _ => String::new(),
    };
    format!("unknown {what} {given:?}; {hint}known are: {}", known.join(", "))
}

/// The number of characters to change, add or take out to make one text the other.
fn distance(from: &str, to: &str) -> usize {
    let mut row: Vec<usize> = (0..=to.chars().count()).collect();
    for (i, a) in from.chars().enumerate() {
        let mut diagonal = i;
        let mut left = i + 1;
        for (b, above) in to.chars().zip(row.iter_mut().skip(1)) {
            let replaced = diagonal + usize::from(a != b);
            diagonal = *above;
            left = replaced.min(diagonal + 1).min(left + 1);
            *above = left;
        }
        if let Some(first) = row.first_mut() {
            *first = i + 1;
        }
    }
    row.last().copied().unwrap_or_default()
}

/// The line and column of the value whose key has this path, or of the nearest value around it.
///
/// Reads the text again: the model does not carry places around for the sake of the odd mistake.
pub(super) fn place(text: &str, path: &str) -> Option<(u64, u64)> {
    let root: Tree = deserialize(text, &mut String::new()).ok()?;
    let (mut node, mut rest) = (&root, path);
    while let Some(inner) = node.value.step(&mut rest) {
        node = inner;
    }
    let place = node.referenced;
    (place.line() > 0).then(|| (place.line(), place.column()))
}

/// Any value with its place.
type Tree = Spanned<Node>;
type Entry = (String, Tree);

enum Node {
    Leaf,
    List(Vec<Tree>),
    Map(Vec<Entry>),
}

impl Node {
    /// The value that the path leads to first; takes its key off the path.
    fn step(&self, path: &mut &str) -> Option<&Tree> {
        let (found, rest) = match self {
            Node::Leaf => return None,
            Node::List(items) => {
                // The short form of a cluster is the list of its endpoints.
                let path = path.strip_prefix(".endpoints").unwrap_or(path);
                let (index, rest) = path.strip_prefix('[')?.split_once(']')?;
                (items.get(index.parse::<usize>().ok()?)?, rest)
            }
            // Keys may hold dots, so the longest that fits is meant.
            Node::Map(entries) => {
                let path = path.strip_prefix('.').unwrap_or(path);
                let fit = entries.iter().filter_map(|(key, value)| {
                    let rest = path.strip_prefix(key.as_str())?;
                    (rest.is_empty() || rest.starts_with(['.', '['])).then_some((value, rest))
                });
                fit.min_by_key(|(_, rest)| rest.len())?
            }
        };
        *path = rest;
        Some(found)
    }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;

        impl<'de> Visitor<'de> for Any {
            type Value = Node;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("anything")
            }

            fn visit_bool<E>(self, _: bool) -> Result<Node, E> {
                Ok(Node::Leaf)
            }

            fn visit_i64<E>(self, _: i64) -> Result<Node, E> {
                Ok(Node::Leaf)
            }

            fn visit_u64<E>(self, _: u64) -> Result<Node, E> {
                Ok(Node::Leaf)
            }

            fn visit_f64<E>(self, _: f64) -> Result<Node, E> {
                Ok(Node::Leaf)
            }

            fn visit_str<E>(self, _: &str) -> Result<Node, E> {
                Ok(Node::Leaf)
            }

            fn visit_unit<E>(self) -> Result<Node, E> {
                Ok(Node::Leaf)
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Node, A::Error> {
                let mut items = Vec::new();
                while let Some(item) = list.next_element()? {
                    items.push(item);
                }
                Ok(Node::List(items))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Node, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(Node::Map(entries))
            }
        }

        deserializer.deserialize_any(Any)
    }
}
