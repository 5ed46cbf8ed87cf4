//! What a derived protocol is, as data.

use super::place::Place;
use crate::{ErrorKind, MessageKind, Sharing, Status, StatusClass};

/// What a derived protocol is, as data. [`Derived`](super::Derived) interprets it.
#[derive(Debug, Clone, Copy)]
pub struct Spec {
    /// The protocol's name.
    pub protocol: &'static str,
    /// Its other names.
    pub aliases: &'static [&'static str],
    /// How upstream connections are used by default; what the ids allow if `None`.
    pub sharing: Option<Sharing>,
    /// The width of the request id; without one, responses come in order.
    pub request_id_bits: Option<u8>,
    /// Whether a checksum covers the request id that can't be made anew from the fixed part: nobody
    /// may change the id then.
    pub sealed_id: bool,
    /// The fields that are properties.
    pub properties: &'static [Property],
    /// The sections whose entries are.
    pub sections: &'static [SectionSpec],
    /// The field that tells how a request ended.
    pub status: Option<StatusField>,
    /// The codes of error replies; without them there are none.
    pub errors: Option<ErrorTable>,
    /// The field that tells the kind of a message by its value, if one does.
    pub kind: Option<KindField>,
    /// The kinds of messages that are told apart; if there are none, the side of the connection tells
    /// requests from responses.
    pub kinds: &'static [MessageKind],
}

/// Where a property is to be found by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Home<'a> {
    /// It is the property at this place of [`Spec::properties`].
    Property(usize, &'static Property),
    /// It is in the section at this place of [`Spec::sections`], where it has this name.
    Section(usize, &'a str),
}

impl Spec {
    /// What a status field with this `code` means: the codes of the error table say the same as the
    /// errors that they stand for, those that have a class say so, any other but the ok value is the
    /// application's own.
    #[inline]
    #[must_use]
    pub fn status(&self, code: i64) -> Status {
        match self.status {
            Some(status) if status.ok == code => Status::ok(code),
            _ => self.status_of_failure(code),
        }
    }

    fn status_of_failure(&self, code: i64) -> Status {
        if let Some(kind) = self.errors.and_then(|errors| errors.kind(code)) {
            return Status { class: kind.status_class(), code };
        }
        let classes = self.status.map_or(&[][..], |status| status.classes);
        match classes.iter().find(|(of, _)| *of == code) {
            Some((_, class)) => Status { class: *class, code },
            None => Status::application_error(code),
        }
    }

    /// Whether there are messages of this kind that are known as such.
    pub(super) fn has_kind(&self, kind: MessageKind) -> bool {
        self.kinds.contains(&kind)
    }

    /// Where the property `name` is, if there can be one.
    pub(super) fn home<'a>(&self, name: &'a str) -> Option<Home<'a>> {
        let named = |property: &&Property| property.name.eq_ignore_ascii_case(name);
        if let Some((place, property)) =
            self.properties.iter().enumerate().find(|(_, property)| named(property))
        {
            return Some(Home::Property(place, property));
        }
        let sections = self.sections.iter().enumerate();
        let matching = sections.filter(|(_, section)| starts(name.as_bytes(), section.prefix));
        let (place, section) = matching.max_by_key(|(_, section)| section.prefix.len())?;
        Some(Home::Section(place, name.get(section.prefix.len()..)?))
    }

    /// Whether an entry of a section is a property of its own: no field has its name, and no other
    /// section.
    pub(super) fn is_at_home(&self, section: usize, name: &[u8]) -> bool {
        let Some(own) = self.sections.get(section) else { return false };
        let is_taken = self.properties.iter().any(|p| is(p.name, own.prefix, name));
        let elsewhere = self.sections.iter().any(|other| {
            let longer = other.prefix.get(own.prefix.len()..).filter(|rest| !rest.is_empty());
            longer.is_some_and(|rest| starts(name, rest))
                && starts(other.prefix.as_bytes(), own.prefix)
        });
        !is_taken && !elsewhere
    }
}

/// Whether `full` is `prefix` and `name`; case makes no difference.
pub(super) fn is(full: &str, prefix: &str, name: &[u8]) -> bool {
    let rest = full.as_bytes().get(prefix.len()..);
    starts(full.as_bytes(), prefix) && rest.is_some_and(|rest| rest.eq_ignore_ascii_case(name))
}

/// Whether `name` starts with `prefix`; case makes no difference.
pub(super) fn starts(name: &[u8], prefix: &str) -> bool {
    let front = name.get(..prefix.len());
    front.is_some_and(|front| front.eq_ignore_ascii_case(prefix.as_bytes()))
}

/// A field that is a property.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Property {
    /// The property's name.
    pub name: &'static str,
    /// Where it is.
    pub place: Place,
    /// The names of values that have one.
    pub names: &'static [(i128, &'static str)],
    /// Whether it can be set.
    pub settable: bool,
}

impl Property {
    /// The number that this text stands for, if it is a name.
    pub(super) fn number(&self, text: &str) -> Option<i128> {
        let found = self.names.iter().find(|(_, name)| name.eq_ignore_ascii_case(text));
        found.map(|(number, _)| *number)
    }
}

/// Tags that have names.
type Tags = &'static [(u64, &'static str)];

/// A section whose entries are properties.
#[derive(Debug, Clone, Copy)]
pub struct SectionSpec {
    /// The field.
    pub field: &'static str,
    /// What goes in front of the names of the entries.
    pub prefix: &'static str,
    /// The names that its tags have, if its entries go by numbers.
    pub tags: Option<Tags>,
}

/// A field that tells how a request ended.
#[derive(Debug, Clone, Copy)]
pub struct StatusField {
    /// Where it is.
    pub place: Place,
    /// The code that means success.
    pub ok: i64,
    /// What further codes mean.
    pub classes: &'static [(i64, StatusClass)],
}

/// The codes by which a protocol says what went wrong.
#[derive(Debug, Clone, Copy)]
pub struct ErrorTable {
    /// Codes of their own. If two kinds share one, reading it means the first.
    pub codes: &'static [(ErrorKind, i64)],
    /// The code of all other kinds; reading it means [`ErrorKind::Unspecified`].
    pub other: i64,
    /// Whether the body of a reply says in words what went wrong.
    pub text: bool,
}

impl ErrorTable {
    /// The code of an error of this kind.
    #[must_use]
    pub fn code(&self, kind: ErrorKind) -> i64 {
        let found = self.codes.iter().find(|(of, _)| *of == kind);
        found.map_or(self.other, |(_, code)| *code)
    }

    /// The kind of error that this code means; `None` if it is not in the table.
    #[must_use]
    pub fn kind(&self, code: i64) -> Option<ErrorKind> {
        let found = self.codes.iter().find(|(_, of)| *of == code).map(|(kind, _)| *kind);
        found.or((code == self.other).then_some(ErrorKind::Unspecified))
    }
}

/// A field that tells the kind of a message.
#[derive(Debug, Clone, Copy)]
pub struct KindField {
    /// Where it is.
    pub place: Place,
    /// The values that are known. If two mean the same kind, the first is written.
    pub values: &'static [(i64, MessageKind)],
}
