//! The calls of one connection that have no answer yet.

use std::collections::HashMap;

use tokio::time::Instant;

use crate::speech::Token;

/// A call without an answer yet.
#[derive(Clone, Copy, Debug)]
pub(super) struct Call {
    /// Which one.
    pub(super) token: Token,
    /// Since when its bytes may be with the proxy.
    pub(super) since: Instant,
    order: u64,
}

/// Calls by their ids.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    calls: HashMap<u32, Call>,
    next: u64,
}

impl Waiting {
    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.calls.len()
    }

    /// True if a call with this id has no answer yet.
    pub(super) fn has(&self, id: u32) -> bool {
        self.calls.contains_key(&id)
    }

    /// A call has been made.
    pub(super) fn add(&mut self, id: u32, token: Token) {
        self.next += 1;
        self.calls.insert(id, Call { token, since: Instant::now(), order: self.next });
    }

    /// An answer has come.
    pub(super) fn take(&mut self, id: u32) -> Option<Call> {
        self.calls.remove(&id)
    }

    /// True if an earlier call than `call` has no answer yet.
    pub(super) fn has_earlier(&self, call: &Call) -> bool {
        self.calls.values().any(|other| other.order < call.order)
    }

    /// Takes all, or those that are older than `since`.
    pub(super) fn take_all(&mut self, before: Option<Instant>) -> Vec<Call> {
        let old = |call: &Call| before.is_none_or(|before| call.since < before);
        let taken = self.calls.extract_if(|_, call| old(call));
        taken.map(|(_, call)| call).collect()
    }
}
