//! What a proxy runs on, and how that changes.

use std::fmt;
use std::sync::{Arc, Mutex};

use tokio::sync::mpsc;

use super::{Handle, StartError};
use crate::dns;
use crate::model::{Listener, Snapshot};
use crate::sockets::{self, BindError, Bound, OpenSockets};
use crate::worker::Command;

/// What a proxy runs on.
pub(super) struct State {
    pub(super) snapshot: Arc<Snapshot>,
    pub(super) listening: Vec<Bound>,
    /// Looks names up, once there have been any.
    pub(super) dns: Option<dns::Follow>,
}

/// A [`Handle`] that keeps nothing alive.
#[derive(Debug, Clone)]
pub(crate) struct WeakHandle {
    pub(super) workers: std::sync::Weak<[mpsc::UnboundedSender<Command>]>,
    pub(super) state: std::sync::Weak<Mutex<State>>,
    pub(super) turn: Arc<tokio::sync::Mutex<()>>,
}

/// A first snapshot, and what looks its names up.
pub(super) type First = (Snapshot, Option<dns::Follow>);

/// Looks the names of a first snapshot up, and has it checked before and after.
pub(super) fn look_up(snapshot: Snapshot) -> Result<First, StartError> {
    snapshot.validate()?;
    if snapshot.targets().is_empty() {
        return Ok((snapshot, None));
    }
    let dns = dns::Follow::spawn()?;
    let snapshot = dns.find_blocking(snapshot).snapshot;
    snapshot.validate()?;
    Ok((snapshot, Some(dns)))
}

impl WeakHandle {
    /// What the proxy runs on now, if it still runs.
    pub(crate) fn snapshot(&self) -> Option<Arc<Snapshot>> {
        self.upgrade().map(|handle| handle.snapshot())
    }

    /// Has the proxy run on what `change` makes of its snapshot, soon.
    pub(crate) fn amend(
        &self,
        change: impl FnOnce(&Snapshot) -> Option<Snapshot>,
    ) -> Result<(), StartError> {
        self.upgrade().map_or(Ok(()), |handle| handle.amend(change).map(drop))
    }

    fn upgrade(&self) -> Option<Handle> {
        let (workers, state) = (self.workers.upgrade()?, self.state.upgrade()?);
        Some(Handle { workers, state, turn: self.turn.clone() })
    }
}

impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("State").finish_non_exhaustive()
    }
}

impl State {
    /// Makes `snapshot` the one that counts. A listener that has another name or protocol than before
    /// takes over the sockets at its address.
    pub(super) fn take_on(
        &mut self,
        snapshot: &Arc<Snapshot>,
        workers: usize,
    ) -> Result<(), StartError> {
        let before = self.snapshot.clone();
        let protocol = |snapshot: &Snapshot, name: &str| {
            let listener = snapshot.listeners.iter().find(|listener| listener.name == name);
            listener.map(|listener| listener.protocol.name().to_owned())
        };
        let stays = |held: &Bound| {
            let same = |l: &Arc<Listener>| l.name == held.name && l.address == held.requested;
            snapshot.listeners.iter().any(same)
                && protocol(snapshot, &held.name) == protocol(&before, &held.name)
        };
        let mut open = OpenSockets::new();
        for gone in self.listening.iter().filter(|held| !stays(held)) {
            let (name, address) = (gone.name.clone(), gone.address);
            let fail = |source| BindError { name, address, source };
            gone.duplicate(&mut open).map_err(fail)?;
        }
        let held = self.listening.iter().filter(|held| stays(held));
        let held: Vec<_> = held.map(|held| held.name.as_str()).collect();
        let new = sockets::bind(snapshot, &held, open, workers)?;
        self.listening.retain(stays);
        self.listening.extend(new);
        self.snapshot = snapshot.clone();
        Ok(())
    }
}

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handle").field("workers", &self.workers.len()).finish_non_exhaustive()
    }
}
