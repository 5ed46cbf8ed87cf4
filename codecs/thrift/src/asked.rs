//! What is to be read of a message.

use metaproto_core::Interest;

/// The names of what every request says of itself. Headers of these names go by their prefix.
pub(crate) const OWN: [&str; 5] = ["transport", "protocol", "service", "method", "seqid"];

/// In front of the name of a header.
pub(crate) const HEADER: &str = "header.";

/// In front of the number of an argument.
pub(crate) const ARGUMENT: &str = "argument.";

/// What routes and others ask for, found out once for many messages.
#[derive(Debug)]
pub(crate) struct Asked {
    interest: Interest,
    own: [bool; OWN.len()],
    arguments: Arguments,
    headers: bool,
}

/// The arguments that are asked for, by their numbers.
#[derive(Debug)]
enum Arguments {
    All,
    Only(Vec<i16>),
}

impl Asked {
    pub(crate) fn new(interest: &Interest) -> Self {
        let is_own = |name: &str| OWN.contains(&name) || name == "operation";
        let (arguments, headers) = match interest {
            Interest::All => (Arguments::All, true),
            Interest::Only(names) => {
                let number = |name: &String| name.strip_prefix(ARGUMENT)?.parse().ok();
                let is_header = |name: &String| !is_own(name) && !name.starts_with(ARGUMENT);
                let numbers = names.iter().filter_map(number).collect();
                (Arguments::Only(numbers), names.iter().any(is_header))
            }
        };
        let own = OWN.map(|name| interest.wants(name));
        Asked { interest: interest.clone(), own, arguments, headers }
    }

    /// Whether the property at this place of [`OWN`] is asked for.
    pub(crate) fn own(&self, index: usize) -> bool {
        self.own.get(index).copied().unwrap_or_default()
    }

    /// Whether any argument is.
    pub(crate) fn arguments(&self) -> bool {
        !matches!(&self.arguments, Arguments::Only(numbers) if numbers.is_empty())
    }

    /// Whether the argument of this number is.
    pub(crate) fn argument(&self, number: i16) -> bool {
        match &self.arguments {
            Arguments::All => true,
            Arguments::Only(numbers) => numbers.contains(&number),
        }
    }

    /// Whether any header is.
    pub(crate) fn headers(&self) -> bool {
        self.headers
    }

    /// How a header of this name is shown: by its own name, by its prefix, or not at all.
    pub(crate) fn header(&self, name: &[u8]) -> Shown {
        match &self.interest {
            Interest::All if is_taken(name) => Shown::Prefixed,
            Interest::All => Shown::Plain,
            Interest::Only(names) => {
                let plain = self.interest.wants_bytes(name) && !is_taken(name);
                let prefixed = names.iter().any(|asked| {
                    let bare = asked.as_bytes().get(HEADER.len()..);
                    has_prefix(asked.as_bytes(), HEADER)
                        && bare.is_some_and(|bare| bare.eq_ignore_ascii_case(name))
                });
                match (plain, prefixed) {
                    (true, _) => Shown::Plain,
                    (false, true) => Shown::Prefixed,
                    (false, false) => Shown::Not,
                }
            }
        }
    }
}

/// How a header is shown. By its own name it answers to the prefix, too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shown {
    Plain,
    Prefixed,
    Not,
}

/// Whether a header of this name can be asked for by its prefix only.
pub(crate) fn is_taken(name: &[u8]) -> bool {
    let is = |own: &str| own.as_bytes().eq_ignore_ascii_case(name);
    is("operation")
        || OWN.iter().any(|own| is(own))
        || has_prefix(name, HEADER)
        || has_prefix(name, ARGUMENT)
}

/// Whether a name begins so, in whatever case.
pub(crate) fn has_prefix(name: &[u8], prefix: &str) -> bool {
    name.get(..prefix.len()).is_some_and(|front| front.eq_ignore_ascii_case(prefix.as_bytes()))
}
