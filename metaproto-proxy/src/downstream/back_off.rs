//! Patience when no further client can be accepted: descriptors or memory have run out.

use std::io;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use rustix::io::Errno;
use tokio::time::Instant;

/// The first pause ...
const FIRST: Duration = Duration::from_millis(10);
/// ... and the longest.
const LONGEST: Duration = Duration::from_secs(1);
/// A failure this long after the last one is another shortage. While clients come and go at the limit,
/// some are accepted between the failures, and it is still the same.
const QUIET: Duration = Duration::from_secs(10);

/// How long to wait after the failures in a row.
#[derive(Debug, Default)]
pub(super) struct BackOff {
    failures: u32,
}

impl BackOff {
    /// The pause after a further failure: 10 ms, doubling to a second.
    pub(super) fn next(&mut self) -> Duration {
        let pause = FIRST.saturating_mul(1 << self.failures.min(7)).min(LONGEST);
        self.failures += 1;
        pause
    }
}

/// Whether descriptors or memory have run out; shared by the workers of a listener, so that one line is
/// logged, not one for each.
#[derive(Debug, Default)]
pub(crate) struct Shortage(Mutex<Option<Instant>>);

impl Shortage {
    /// Takes note of a failure, and tells whether it is the first one of a shortage.
    pub(super) fn is_new(&self) -> bool {
        let now = Instant::now();
        let last = self.0.lock().unwrap_or_else(PoisonError::into_inner).replace(now);
        last.is_none_or(|last| now >= last + QUIET)
    }
}

/// Whether `accept` failed for one client that has gone or can't be talked to: the next may be fine.
/// Everything else, known or not, calls for a pause: what failed once would fail again at once.
pub(super) fn is_of_one_client(error: &io::Error) -> bool {
    // Linux hands on errors that are pending on the new connection: accept(2), "Error handling".
    let of_one = [
        Errno::CONNABORTED,
        Errno::CONNRESET,
        Errno::INTR,
        Errno::PROTO,
        Errno::PERM,
        Errno::TIMEDOUT,
        Errno::NETDOWN,
        Errno::NETUNREACH,
        Errno::HOSTDOWN,
        Errno::HOSTUNREACH,
        Errno::NONET,
        Errno::NOPROTOOPT,
    ];
    Errno::from_io_error(error).is_some_and(|error| of_one.contains(&error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_from_10_ms_to_a_second() {
        let mut back_off = BackOff::default();
        let pauses: Vec<_> = (0..40).map(|_| back_off.next().as_millis()).collect();
        assert_eq!(pauses[..9], [10, 20, 40, 80, 160, 320, 640, 1000, 1000]);
        assert!(pauses[9..].iter().all(|pause| *pause == 1000));
    }

    #[tokio::test(start_paused = true)]
    async fn one_shortage_is_told_once_even_if_it_flickers() {
        let shortage = Shortage::default();
        assert!(shortage.is_new());
        for _ in 0..20 {
            tokio::time::advance(QUIET - FIRST).await;
            assert!(!shortage.is_new());
        }
        tokio::time::advance(QUIET).await;
        assert!(shortage.is_new());
    }

    #[test]
    fn only_what_concerns_one_client_goes_on_at_once() {
        for (error, of_one) in [
            (Errno::CONNABORTED, true),
            (Errno::INTR, true),
            (Errno::HOSTUNREACH, true),
            (Errno::MFILE, false),
            (Errno::NFILE, false),
            (Errno::NOBUFS, false),
            (Errno::NOMEM, false),
            (Errno::BADF, false),
        ] {
            assert_eq!(is_of_one_client(&error.into()), of_one, "{error}");
        }
        assert!(!is_of_one_client(&io::Error::other("unknown")));
    }
}
