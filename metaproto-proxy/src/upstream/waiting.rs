//! Calls that wait for a connection.

use std::collections::VecDeque;

use crate::cluster::Slot;
use crate::exchange::Call;
use crate::message::Message;

/// A call that waits for a connection, and what is to be sent.
#[derive(Debug)]
pub(crate) struct Waiting {
    pub(crate) call: Call,
    pub(crate) message: Message,
    /// Its place among those that wait, where these are limited.
    pub(crate) _slot: Option<Slot>,
}

/// Calls that wait, the oldest first.
#[derive(Debug, Default)]
pub(crate) struct WaitingLine {
    line: VecDeque<Waiting>,
    bytes: usize,
}

impl WaitingLine {
    pub(crate) fn len(&self) -> usize {
        self.line.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.line.is_empty()
    }

    /// The bytes of their messages.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(crate) fn push(&mut self, waiting: Waiting) {
        self.bytes += waiting.message.len();
        self.line.push_back(waiting);
    }

    /// The oldest.
    pub(crate) fn pop(&mut self) -> Option<Waiting> {
        let waiting = self.line.pop_front()?;
        self.bytes -= waiting.message.len();
        Some(waiting)
    }

    /// Takes out those of which `expired` holds.
    pub(crate) fn abandon(&mut self, mut expired: impl FnMut(&Call) -> bool) -> Vec<Call> {
        let mut gone = Vec::new();
        for waiting in std::mem::take(self) {
            if expired(&waiting.call) {
                gone.push(waiting.call);
            } else {
                self.push(waiting);
            }
        }
        gone
    }
}

impl IntoIterator for WaitingLine {
    type Item = Waiting;
    type IntoIter = std::collections::vec_deque::IntoIter<Waiting>;

    fn into_iter(self) -> Self::IntoIter {
        self.line.into_iter()
    }
}
