//! What anybody wants to know of a message.

use std::sync::Arc;

use super::spec::is;
use super::{Message, Property, Spec};
use crate::{Interest, Side};

/// What is asked of a message.
#[derive(Debug, Clone)]
pub struct Asked {
    /// Whose messages these are: the client's or the server's.
    pub side: Side,
    /// Which properties are asked for, of those that have fields.
    pub wanted: Wanted,
    /// Whether anything is asked for that could be an entry of a section.
    pub entries: bool,
    /// All that are asked for.
    pub interest: Arc<Interest>,
}

impl Asked {
    /// What `interest` asks of messages of this kind.
    #[must_use]
    pub fn new<M: Message>(side: Side, interest: &Arc<Interest>) -> Self {
        let wanted = Wanted::of(interest, M::SPEC.properties);
        let is_field = |name: &String| {
            M::SPEC.properties.iter().any(|property| property.name.eq_ignore_ascii_case(name))
        };
        let entries = match &**interest {
            Interest::All => true,
            Interest::Only(names) => !names.iter().all(is_field),
        };
        Asked { side, wanted, entries, interest: Arc::clone(interest) }
    }

    /// No property at all.
    #[must_use]
    pub fn nothing(side: Side) -> Self {
        let interest = Arc::new(Interest::Only(Vec::new()));
        Asked { side, wanted: Wanted::NONE, entries: false, interest }
    }
}

/// Which properties of a message anybody asks for, by their place in [`Spec::properties`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wanted(u64);

impl Wanted {
    /// All of them.
    pub const ALL: Self = Wanted(u64::MAX);
    /// None of the first 64.
    pub const NONE: Self = Wanted(0);

    /// Those that `interest` asks for.
    #[must_use]
    pub fn of(interest: &Interest, properties: &[Property]) -> Self {
        let wants = |property: &Property| u64::from(interest.wants(property.name));
        let bits = properties.iter().take(64).enumerate();
        Wanted(bits.fold(0, |all, (at, property)| all | wants(property) << at))
    }

    /// Whether the property at this place is wanted. Those from the 65th on always are.
    #[inline(always)]
    #[must_use]
    pub const fn has(self, index: u32) -> bool {
        index >= 64 || (self.0 >> index) & 1 == 1
    }
}

/// Which entries of a section are asked for.
#[derive(Debug, Clone, Copy)]
pub struct Entries<'a> {
    /// The protocol that the section is of.
    pub spec: &'static Spec,
    /// Its place in [`Spec::sections`].
    pub section: usize,
    /// What is asked for.
    pub interest: &'a Interest,
}

impl Entries<'_> {
    /// What goes in front of the names of entries.
    #[must_use]
    pub fn prefix(&self) -> &'static str {
        self.spec.sections.get(self.section).map_or("", |section| section.prefix)
    }

    /// Whether the entry of this name is asked for.
    #[must_use]
    pub fn wants(&self, name: &[u8]) -> bool {
        let asked = match self.interest {
            Interest::All => true,
            Interest::Only(names) => names.iter().any(|full| is(full, self.prefix(), name)),
        };
        asked && self.spec.is_at_home(self.section, name)
    }
}
