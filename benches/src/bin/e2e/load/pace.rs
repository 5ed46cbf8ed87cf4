//! When calls are due in an open loop.

use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::time::{Duration, Instant};

use mio::unix::SourceFd;
use mio::{Interest, Registry, Token};
use rustix::io::Errno;
use rustix::time::{
    Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create,
    timerfd_settime,
};

/// The shortest time between two looks at the clock.
const TICK: Duration = Duration::from_micros(50);

/// Calls at a fixed rate, whatever becomes of them.
///
/// A timer of the kernel wakes the load: waiting for events alone is exact to a millisecond only,
/// and turning without waiting would take the CPU from the backend beside it.
#[derive(Debug)]
pub(crate) struct Pace {
    timer: OwnedFd,
    start: Instant,
    gap: Duration,
    made: u64,
}

impl Pace {
    /// `rate` calls a second from now on; `token` has an event when some may be due.
    pub(crate) fn start(rate: u32, registry: &Registry, token: Token) -> io::Result<Self> {
        let gap = Duration::from_secs(1) / rate.max(1);
        let timer = timerfd_create(TimerfdClockId::Monotonic, TimerfdFlags::NONBLOCK)?;
        let tick = timespec(gap.max(TICK));
        let every = Itimerspec { it_interval: tick, it_value: tick };
        timerfd_settime(&timer, TimerfdTimerFlags::empty(), &every)?;
        registry.register(&mut SourceFd(&timer.as_raw_fd()), token, Interest::READABLE)?;
        Ok(Pace { timer, start: Instant::now(), gap, made: 0 })
    }

    /// Lets the timer have its next event.
    pub(crate) fn rearm(&self) -> io::Result<()> {
        match rustix::io::read(&self.timer, &mut [0u8; 8]) {
            Ok(_) | Err(Errno::AGAIN) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// The next call that is due by `now`: its number, and when it was to be made.
    pub(crate) fn due(&mut self, now: Instant) -> Option<(u64, Instant)> {
        let at = self.start + self.gap.saturating_mul(u32::try_from(self.made).unwrap_or(u32::MAX));
        if at > now {
            return None;
        }
        let number = self.made;
        self.made += 1;
        Some((number, at))
    }
}

fn timespec(duration: Duration) -> Timespec {
    Timespec {
        tv_sec: i64::try_from(duration.as_secs()).unwrap_or(i64::MAX),
        tv_nsec: i64::from(duration.subsec_nanos()),
    }
}

#[cfg(test)]
mod tests {
    use mio::{Events, Poll};

    use super::*;

    #[test]
    fn calls_are_due_at_their_time_and_late_ones_keep_theirs() {
        let poll = Poll::new().unwrap();
        let mut pace = Pace::start(1000, poll.registry(), Token(1)).unwrap();
        let start = pace.start;
        let millis = |count| start + Duration::from_millis(count);
        assert_eq!(pace.due(millis(0)), Some((0, start)));
        assert_eq!(pace.due(millis(0)), None);
        assert_eq!(pace.due(millis(5)), Some((1, millis(1))));
        assert_eq!(pace.due(millis(5)), Some((2, millis(2))));
    }

    #[test]
    fn the_timer_goes_on_once_it_was_read() {
        let mut poll = Poll::new().unwrap();
        let pace = Pace::start(2000, poll.registry(), Token(1)).unwrap();
        let mut events = Events::with_capacity(4);
        for _ in 0..3 {
            poll.poll(&mut events, Some(Duration::from_secs(10))).unwrap();
            assert!(events.iter().any(|event| event.token() == Token(1)));
            pace.rearm().unwrap();
        }
    }
}
