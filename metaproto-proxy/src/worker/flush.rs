//! The end of a turn: every connection that was given something to write is written to, once.

use std::future::poll_fn;
use std::task::Poll;

use super::{Peer, SharedWorker, Worker};
use crate::{downstream, upstream};

/// The task that ends every turn. It is woken by the first mark of a turn, and so runs behind all
/// tasks that were ready then: their marks are all there when it runs.
pub(super) async fn run(worker: SharedWorker) {
    poll_fn(|context| {
        let mut worker = worker.borrow_mut();
        if !worker.flusher.will_wake(context.waker()) {
            worker.flusher = context.waker().clone();
        }
        worker.flush();
        Poll::<()>::Pending
    })
    .await;
}

impl Worker {
    /// Writes to every marked peer.
    pub(crate) fn flush(&mut self) {
        let mut dirty = std::mem::take(&mut self.dirty);
        for peer in dirty.drain(..) {
            self.write_to(peer);
        }
        self.heavy.clear();
        // A flush may mark others (a failed connection is answered for); they are next.
        if self.dirty.is_empty() {
            self.dirty = dirty;
        } else {
            self.flusher.wake_by_ref();
        }
    }

    /// Writes to the peers for which much waits. Nothing may be half done when this is called: a
    /// connection that fails is closed.
    #[inline]
    pub(crate) fn flush_heavy(&mut self) {
        while let Some(peer) = self.heavy.pop() {
            self.write_to(peer);
        }
    }

    fn write_to(&mut self, peer: Peer) {
        match peer {
            Peer::Down(key) => downstream::flush(self, key),
            Peer::Up(key) => upstream::flush(self, key),
        }
    }
}
