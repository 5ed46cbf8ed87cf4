//! The descriptors that this process may have: one for each connection of either side.

use std::io;

use rustix::io::Errno;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::model::Snapshot;

/// Raises the soft limit of open descriptors (`RLIMIT_NOFILE`) to the hard limit, and tells what it is
/// now; `None` is no limit. For the `main` of a program: children inherit it.
///
/// # Errors
/// Whatever the system says; the limit is then as it was.
pub fn raise_descriptor_limit() -> io::Result<Option<u64>> {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    if current != maximum {
        setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum })?;
    }
    Ok(maximum)
}

/// The connections of clients that the listeners allow, all together, if they are more than the
/// process may have descriptors.
#[must_use]
pub fn excessive_connections(snapshot: &Snapshot) -> Option<usize> {
    let connections =
        snapshot.listeners.iter().fold(0_usize, |sum, l| sum.saturating_add(l.max_connections));
    let limit = getrlimit(Resource::Nofile).current?;
    (u64::try_from(connections).unwrap_or(u64::MAX) >= limit).then_some(connections)
}

/// Whether something failed because this process, or this machine, has run out of what it takes: it
/// says nothing about the peer.
pub(crate) fn is_shortage(error: &io::Error) -> bool {
    let shortages = [
        Errno::MFILE,
        Errno::NFILE,
        Errno::NOBUFS,
        Errno::NOMEM,
        // The event queue watches as many sockets as it may.
        Errno::NOSPC,
    ];
    Errno::from_io_error(error).is_some_and(|error| shortages.contains(&error))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::model::Listener;
    use crate::tests::toy::Toy;

    #[test]
    fn listeners_that_allow_more_than_there_are_descriptors_are_told() {
        let mut listener = Listener::new("a", ([127, 0, 0, 1], 0).into(), Arc::new(Toy::default()));
        listener.max_connections = 2;
        let small = Snapshot::new().listener(listener.clone());
        assert_eq!(excessive_connections(&small), None);
        listener.name = "b".to_owned();
        listener.max_connections = usize::MAX;
        let both = small.listener(listener);
        let unlimited = getrlimit(Resource::Nofile).current.is_none();
        assert_eq!(excessive_connections(&both), (!unlimited).then_some(usize::MAX));
    }

    #[test]
    fn a_refusal_is_no_shortage() {
        assert!(is_shortage(&Errno::MFILE.into()));
        assert!(!is_shortage(&Errno::CONNREFUSED.into()));
        assert!(!is_shortage(&io::ErrorKind::TimedOut.into()));
    }
}
