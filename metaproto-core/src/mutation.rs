//! Changes to the properties of a message.

/// One change to one property.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Change {
    /// Gives the property this value; other values of the same name go.
    Set {
        /// The property's name; its case does not matter for finding it.
        name: String,
        /// The new value.
        value: String,
    },
    /// Adds a value behind those that are there.
    Append {
        /// The property's name.
        name: String,
        /// The further value.
        value: String,
    },
    /// Takes all values out.
    Remove {
        /// The property's name.
        name: String,
    },
}

impl Change {
    /// The name of the property that is changed.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Change::Set { name, .. } | Change::Append { name, .. } | Change::Remove { name } => {
                name
            }
        }
    }

    /// The word that configuration uses for this operation.
    #[must_use]
    pub fn verb(&self) -> &'static str {
        match self {
            Change::Set { .. } => "set",
            Change::Append { .. } => "append",
            Change::Remove { .. } => "remove",
        }
    }
}

/// An ordered list of changes to the properties of a message. Later changes see the earlier ones.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Mutation {
    changes: Vec<Change>,
}

impl Mutation {
    /// One that changes nothing.
    #[must_use]
    pub const fn new() -> Self {
        Mutation { changes: Vec::new() }
    }

    /// Whether it changes nothing.
    #[must_use]
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    /// The changes in order.
    #[must_use]
    pub fn changes(&self) -> &[Change] {
        &self.changes
    }

    /// Adds a change behind the others.
    pub fn push(&mut self, change: Change) {
        self.changes.push(change);
    }

    /// The same with a property set.
    #[must_use]
    pub fn set(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.push(Change::Set { name: name.into(), value: value.into() });
        self
    }

    /// The same with a value appended.
    #[must_use]
    pub fn append(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.push(Change::Append { name: name.into(), value: value.into() });
        self
    }

    /// The same with a property removed.
    #[must_use]
    pub fn remove(mut self, name: impl Into<String>) -> Self {
        self.push(Change::Remove { name: name.into() });
        self
    }

    /// Makes it change nothing, and keeps its room.
    pub fn clear(&mut self) {
        self.changes.clear();
    }

    /// Adds the changes of another behind its own.
    #[inline]
    pub fn extend_from(&mut self, other: &Mutation) {
        if !other.is_empty() {
            self.changes.extend_from_slice(&other.changes);
        }
    }
}
