//! The name of a protocol, and what is made of it.

use std::str::FromStr;

use super::template::{Value, words};

/// A name that works for a crate, a protocol and a type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Name(String);

/// Why a name does not do, and which would.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum BadName {
    #[error("it is empty")]
    Empty,
    #[error("it has more than {MAX_LENGTH} characters")]
    Long,
    #[error("a name is made of lower case letters, digits, - and _{0}")]
    Character(Hint),
    #[error("a name starts with a letter{0}")]
    Start(Hint),
    #[error("it is a word of Rust or Cargo; try {0}-rpc")]
    Reserved(String),
    #[error("the crate uses this name for something else; try {0}-rpc")]
    Taken(String),
}

/// A name that would do, if there is one.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Hint(Option<String>);

impl std::fmt::Display for Hint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.as_ref().map_or(Ok(()), |name| write!(f, "; try {name}"))
    }
}

/// That of crates.io.
const MAX_LENGTH: usize = 64;

/// The keywords of Rust, the crates that are always there, the folders in `target`, and a part of
/// Windows. Cargo refuses them, or warns.
const RESERVED: &str = "abstract alloc as async await become box break build con const continue \
    core crate deps do dyn else enum examples extern false final fn for gen if impl in incremental \
    let loop macro match mod move mut nul override priv proc_macro pub ref return self static std \
    struct super test trait true try type typeof union unsafe unsized use virtual where while yield";

impl Name {
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    /// The crate as Rust names it.
    fn ident(&self) -> String {
        self.0.replace('-', "_")
    }

    /// The struct.
    fn type_name(&self) -> String {
        let mut name = String::new();
        for part in self.0.split(['-', '_']) {
            let mut letters = part.chars();
            name.extend(letters.next().map(|first| first.to_ascii_uppercase()));
            name.extend(letters);
        }
        name
    }

    /// Two letters that frames start with.
    fn magic(&self) -> String {
        let letters = self.0.chars().filter(char::is_ascii_alphanumeric);
        let letters = letters.map(|letter| letter.to_ascii_uppercase());
        letters.chain(['X']).take(2).collect()
    }

    pub(super) fn values(&self) -> Vec<Value> {
        vec![
            ("name", self.0.clone()),
            ("crate", self.ident()),
            ("type", self.type_name()),
            ("magic", self.magic()),
        ]
    }
}

impl FromStr for Name {
    type Err = BadName;

    fn from_str(text: &str) -> Result<Self, BadName> {
        let is_good = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-_".contains(c);
        if text.is_empty() {
            return Err(BadName::Empty);
        }
        if text.chars().count() > MAX_LENGTH {
            return Err(BadName::Long);
        }
        if !text.chars().all(is_good) {
            return Err(BadName::Character(near(text)));
        }
        if !text.starts_with(|c: char| c.is_ascii_lowercase()) {
            return Err(BadName::Start(near(text)));
        }
        let name = Name(text.to_owned());
        let ident = name.ident();
        if RESERVED.split_whitespace().any(|word| word == ident) {
            return Err(BadName::Reserved(text.to_owned()));
        }
        let is_ours = |word| word == ident || word == name.type_name();
        if OWN.contains(&text) || words().any(is_ours) {
            return Err(BadName::Taken(text.to_owned()));
        }
        Ok(name)
    }
}

/// Packages that the crate depends on, by names that its code does not show.
const OWN: [&str; 2] = ["metaproto-derive", "metaproto-proxy"];

/// The name that was meant, by all appearances.
fn near(text: &str) -> Hint {
    let mut name = String::new();
    let mut before = '-';
    for c in text.chars() {
        let c_is_word = c.is_ascii_alphanumeric();
        if c.is_ascii_uppercase() && before.is_ascii_lowercase() || !c_is_word && before != '-' {
            name.push('-');
            before = '-';
        }
        if c_is_word {
            name.push(c.to_ascii_lowercase());
            before = c;
        }
    }
    let name = name.trim_start_matches(|c: char| !c.is_ascii_lowercase()).trim_end_matches('-');
    let good = [name.to_owned(), format!("{name}-rpc")].map(|name| name.parse::<Name>().ok());
    Hint(good.into_iter().flatten().next().map(|name| name.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(text: &str) -> String {
        text.parse::<Name>().expect_err(text).to_string()
    }

    #[test]
    fn a_name_becomes_a_crate_a_type_and_a_magic() {
        let values = |text: &str| {
            let values = text.parse::<Name>().expect(text).values();
            values.into_iter().map(|(_, value)| value).collect::<Vec<_>>()
        };
        assert_eq!(values("pelican"), ["pelican", "pelican", "Pelican", "PE"]);
        assert_eq!(values("my-own_rpc2"), ["my-own_rpc2", "my_own_rpc2", "MyOwnRpc2", "MY"]);
        assert_eq!(values("q"), ["q", "q", "Q", "QX"]);
        assert_eq!(values("q-1-"), ["q-1-", "q_1_", "Q1", "Q1"]);
    }

    #[test]
    fn what_is_no_name_is_refused_with_one_that_is() {
        let characters = "a name is made of lower case letters, digits, - and _";
        assert_eq!(refusal("MyOwnRPC"), format!("{characters}; try my-own-rpc"));
        assert_eq!(refusal("my rpc!"), format!("{characters}; try my-rpc"));
        assert_eq!(refusal("../up"), format!("{characters}; try up"));
        assert_eq!(refusal("Protokøl"), format!("{characters}; try protok-l"));
        assert_eq!(refusal("Fn"), format!("{characters}; try fn-rpc"));
        assert_eq!(refusal("日本"), characters);
        assert_eq!(refusal("3com"), "a name starts with a letter; try com");
        assert_eq!(refusal("-rpc"), "a name starts with a letter; try rpc");
        assert_eq!(refusal("42"), "a name starts with a letter");
        assert_eq!(refusal(""), "it is empty");
        assert_eq!(refusal(&"x".repeat(65)), "it has more than 64 characters");
    }

    #[test]
    fn words_that_mean_something_else_are_refused_with_a_remedy() {
        for text in ["fn", "async", "self", "test", "core", "build", "proc-macro"] {
            let remedy = format!("it is a word of Rust or Cargo; try {text}-rpc");
            assert_eq!(refusal(text), remedy);
        }
        // A crate, a type, a module and a function of the generated code.
        for text in ["tokio", "metaproto-core", "metaproto-derive", "bytes", "wire", "receive"] {
            let remedy = format!("the crate uses this name for something else; try {text}-rpc");
            assert_eq!(refusal(text), remedy);
        }
    }
}
