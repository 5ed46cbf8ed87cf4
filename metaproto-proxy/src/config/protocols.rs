//! The protocols that a program has.

use std::sync::Arc;

use metaproto_core::Protocol;

/// The protocols that configuration may name.
#[derive(Debug, Clone, Default)]
pub struct Protocols(Vec<Arc<dyn Protocol>>);

impl Protocols {
    /// None.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The same and one more. Of two that claim the same name the first has it.
    #[must_use]
    pub fn with(mut self, protocol: Arc<dyn Protocol>) -> Self {
        self.0.push(protocol);
        self
    }

    /// The protocol of this name or alias; case does not matter.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<&Arc<dyn Protocol>> {
        let is = |other: &str| other.eq_ignore_ascii_case(name);
        let named = self.0.iter().find(|p| is(p.name()));
        named.or_else(|| self.0.iter().find(|p| p.aliases().iter().any(|alias| is(alias))))
    }

    /// All of them, in the order in which they were added.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<dyn Protocol>> {
        self.0.iter()
    }
}

impl FromIterator<Arc<dyn Protocol>> for Protocols {
    fn from_iter<I: IntoIterator<Item = Arc<dyn Protocol>>>(protocols: I) -> Self {
        Protocols(protocols.into_iter().collect())
    }
}
