//! Reads the files of recorded frames.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use metaproto_core::{Bytes, Side};

/// A file: what two peers said to each other.
pub(crate) struct Connection {
    pub(crate) name: String,
    pub(crate) frames: Vec<Golden>,
}

/// A frame, and what is known of it.
pub(crate) struct Golden {
    pub(crate) side: Side,
    pub(crate) bytes: Bytes,
    facts: BTreeMap<String, String>,
    comments: Vec<String>,
    name: String,
}

/// All files of a protocol.
pub(crate) fn connections(protocol: &str) -> Vec<Connection> {
    let folder =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/protocols/golden").join(protocol);
    let mut paths: Vec<_> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let connections: Vec<_> = paths.iter().map(|path| connection(protocol, path)).collect();
    assert!(!connections.is_empty(), "nothing is recorded of {protocol}");
    connections
}

/// All frames of a protocol.
pub(crate) fn frames(protocol: &str) -> Vec<Golden> {
    connections(protocol).into_iter().flat_map(|connection| connection.frames).collect()
}

fn connection(protocol: &str, path: &Path) -> Connection {
    let case = path.file_stem().unwrap().to_str().unwrap();
    let name = format!("{protocol}/{case}");
    let (mut frames, mut facts, mut comments) = (Vec::new(), BTreeMap::new(), Vec::new());
    for (number, line) in std::fs::read_to_string(path).unwrap().lines().enumerate() {
        if let Some(told) = line.strip_prefix("# kind=") {
            let pairs = told.split(' ').filter_map(|pair| pair.split_once('='));
            facts = pairs.map(|(key, value)| (key.to_owned(), value.to_owned())).collect();
            let kind = told.split(' ').next().unwrap();
            facts.insert("kind".to_owned(), kind.to_owned());
        } else if let Some(comment) = line.strip_prefix("# ") {
            comments.push(comment.to_owned());
        }
        let (side, hex) = match line.split_at_checked(2) {
            Some(("> ", hex)) => (Side::Downstream, hex),
            Some(("< ", hex)) => (Side::Upstream, hex),
            _ => continue,
        };
        let name = format!("{name}, line {}", number + 1);
        assert!(!facts.is_empty(), "{name}: nothing is said of it");
        let (facts, comments) = (std::mem::take(&mut facts), std::mem::take(&mut comments));
        frames.push(Golden { side, bytes: bytes(hex), facts, comments, name });
    }
    assert!(!frames.is_empty(), "{name} is empty");
    Connection { name, frames }
}

fn bytes(hex: &str) -> Bytes {
    let digits = hex.as_bytes().chunks(2);
    let byte = |two: &[u8]| u8::from_str_radix(std::str::from_utf8(two).unwrap(), 16).unwrap();
    digits.map(byte).collect()
}

impl Golden {
    /// What is said to stand in a field.
    pub(crate) fn text(&self, key: &str) -> &str {
        self.facts.get(key).unwrap_or_else(|| panic!("{self}: nothing is said of {key}"))
    }

    /// The comments that start so, in order.
    pub(crate) fn notes(&self, start: &str) -> Vec<&str> {
        self.comments.iter().map(String::as_str).filter(|note| note.starts_with(start)).collect()
    }

    pub(crate) fn says(&self, key: &str) -> bool {
        self.facts.contains_key(key)
    }

    /// The same as a number, decimal or in hexadecimal digits.
    pub(crate) fn number(&self, key: &str) -> i128 {
        let text = self.text(key);
        let number = match text.strip_prefix("0x") {
            Some(digits) => i128::from_str_radix(digits, 16),
            None => text.parse(),
        };
        number.unwrap_or_else(|_| panic!("{self}: {key}={text} is no number"))
    }

    /// Compares values with what is said of them.
    pub(crate) fn has<const N: usize>(&self, values: [(&str, i128); N]) {
        for (key, value) in values {
            assert_eq!(value, self.number(key), "{self}: {key}");
        }
    }
}

impl fmt::Display for Golden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}
