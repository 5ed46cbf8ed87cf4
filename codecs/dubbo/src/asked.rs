//! What is to be read of a message.

use metaproto_core::Interest;

/// The names of what every request says of itself. Attachments of these names go by their prefix.
pub(crate) const OWN: [&str; 6] =
    ["serialization", "dubbo", "interface", "version", "method", "parameter_types"];

/// Whether an attachment of this name can be asked for by its prefix only, because the name alone
/// means something that the call says of itself.
pub(crate) fn is_taken(name: &[u8]) -> bool {
    let is = |own: &str| own.as_bytes().eq_ignore_ascii_case(name);
    is("operation") || OWN.iter().any(|own| is(own))
}

/// Whether a property of this name, when everything is asked for, would pass for something else than
/// the attachment of this name: a name that is taken, an argument, or another attachment.
pub(crate) fn is_ambiguous(name: &[u8]) -> bool {
    let has = |prefix: &str| {
        let front = name.get(..prefix.len());
        front.is_some_and(|front| front.eq_ignore_ascii_case(prefix.as_bytes()))
    };
    is_taken(name) || has(ATTACHMENT) || has(ARGUMENT)
}

/// In front of the name of an attachment.
pub(crate) const ATTACHMENT: &str = "attachment.";

/// In front of the number of an argument.
pub(crate) const ARGUMENT: &str = "argument.";

/// What routes and others ask for, found out once for many messages.
#[derive(Debug)]
pub(crate) struct Asked {
    /// Everything there is.
    all: bool,
    /// Those of [`OWN`], in their order.
    own: [bool; OWN.len()],
    /// Arguments by their place.
    arguments: Vec<usize>,
    /// Properties that attachments give, by the name under which they are asked for.
    attachments: Vec<Attachment>,
    /// Whether the client's timeout is to be read.
    timeout: bool,
}

/// An attachment that is asked for.
#[derive(Debug)]
pub(crate) struct Attachment {
    /// The property.
    pub(crate) property: String,
    /// How much of it stands in front of the attachment's own name.
    prefix: usize,
}

impl Attachment {
    fn new(property: &str) -> Self {
        let has_prefix = strip(property, ATTACHMENT).is_some();
        let prefix = if has_prefix { ATTACHMENT.len() } else { 0 };
        Attachment { property: property.to_owned(), prefix }
    }

    fn name(&self) -> &[u8] {
        self.property.as_bytes().get(self.prefix..).unwrap_or_default()
    }
}

/// What follows `prefix`, whose case does not matter.
pub(crate) fn strip<'a>(name: &'a str, prefix: &str) -> Option<&'a str> {
    let front = name.get(..prefix.len())?;
    front.eq_ignore_ascii_case(prefix).then(|| name.get(prefix.len()..)).flatten()
}

impl Asked {
    /// What `interest` asks for, and the client's timeout if `timeout`.
    pub(crate) fn new(interest: &Interest, timeout: bool) -> Self {
        let mut asked = Asked {
            all: *interest == Interest::All,
            own: OWN.map(|name| interest.wants(name)),
            arguments: Vec::new(),
            attachments: Vec::new(),
            timeout,
        };
        if let Interest::Only(names) = interest {
            names.iter().for_each(|name| asked.add(name));
        }
        asked
    }

    fn add(&mut self, name: &str) {
        if is_taken(name.as_bytes()) {
            return;
        }
        match strip(name, ARGUMENT).and_then(|number| number.parse().ok()) {
            Some(number) => self.arguments.push(number),
            None => self.attachments.push(Attachment::new(name)),
        }
    }

    /// Whether the property at this place of [`OWN`] is asked for.
    pub(crate) fn own(&self, index: usize) -> bool {
        self.own.get(index).copied().unwrap_or_default()
    }

    /// Whether every property is asked for.
    pub(crate) fn all(&self) -> bool {
        self.all
    }

    /// Whether this argument is asked for.
    pub(crate) fn argument(&self, number: usize) -> bool {
        self.all || self.arguments.contains(&number)
    }

    /// How many arguments there are up to the last one that is asked for.
    pub(crate) fn arguments(&self) -> usize {
        let last = self.arguments.iter().max();
        if self.all { usize::MAX } else { last.map_or(0, |last| last.saturating_add(1)) }
    }

    /// The properties that an attachment of this name gives.
    pub(crate) fn attachment<'s>(&'s self, name: &'s [u8]) -> impl Iterator<Item = &'s Attachment> {
        self.attachments.iter().filter(move |asked| asked.name().eq_ignore_ascii_case(name))
    }

    /// Whether an attachment of this name is asked for.
    pub(crate) fn wants(&self, name: &[u8]) -> bool {
        self.all || self.attachment(name).next().is_some()
    }

    /// Whether any attachment is asked for.
    pub(crate) fn attachments(&self) -> bool {
        self.all || !self.attachments.is_empty()
    }

    /// Whether the client's timeout is.
    pub(crate) fn timeout(&self) -> bool {
        self.timeout
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn only(names: &[&str]) -> Asked {
        Asked::new(&Interest::Only(names.iter().map(|&name| name.to_owned()).collect()), false)
    }

    #[test]
    fn what_nobody_asks_for_is_not_read() {
        let asked = only(&["interface", "method"]);
        assert!(asked.own(2) && asked.own(4) && !asked.own(5));
        assert!(!asked.attachments() && asked.arguments() == 0 && !asked.timeout());
    }

    #[test]
    fn attachments_are_asked_for_with_and_without_their_prefix() {
        let asked = only(&["tenant", "attachment.tenant", "attachment.method", "method"]);
        let of = |name: &str| {
            let found = asked.attachment(name.as_bytes()).map(|asked| asked.property.clone());
            found.collect::<Vec<_>>()
        };
        assert_eq!(of("Tenant"), ["tenant", "attachment.tenant"]);
        assert_eq!(of("method"), ["attachment.method"]);
        assert_eq!(of("other"), [""; 0]);
        assert!(!only(&["operation"]).attachments(), "no attachment passes for the operation");
    }

    #[test]
    fn arguments_are_asked_for_by_number() {
        let asked = only(&["argument.2", "argument.x"]);
        assert!(asked.argument(2) && !asked.argument(0));
        assert_eq!(asked.arguments(), 3);
        assert!(asked.attachments(), "what is no number may be an attachment's name");
    }
}
