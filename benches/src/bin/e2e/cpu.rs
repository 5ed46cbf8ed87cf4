//! CPU time of a process, from Linux's /proc.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::time::Duration;

/// What one unit of `utime` and `stime` is: USER_HZ, 100 on every Linux that runs today.
const TICK: Duration = Duration::from_millis(10);

/// The CPU time that a process had used at one moment.
#[derive(Debug)]
pub(crate) struct CpuReading {
    /// Run time of each thread in nanoseconds; empty where the kernel does not keep it.
    threads: BTreeMap<u32, u64>,
    /// User and system time of the process, ended threads included, in ticks.
    ticks: u64,
}

impl CpuReading {
    /// Reads what process `pid` has used so far, all its threads together.
    pub(crate) fn take(pid: u32) -> io::Result<Self> {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
        let ticks = ticks_in(&stat)
            .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "unreadable /proc stat"))?;
        Ok(CpuReading { threads: thread_run_times(pid).unwrap_or_default(), ticks })
    }

    /// CPU time used between `earlier` and this reading of the same process.
    ///
    /// Nanoseconds of each thread where all of them lived on; else the process's ticks of 10 ms.
    pub(crate) fn since(&self, earlier: &CpuReading) -> Duration {
        let whole = !earlier.threads.is_empty()
            && earlier.threads.keys().all(|thread| self.threads.contains_key(thread));
        if !whole {
            let ticks = self.ticks.saturating_sub(earlier.ticks);
            return TICK.saturating_mul(u32::try_from(ticks).unwrap_or(u32::MAX));
        }
        let used = self.threads.iter().map(|(thread, now)| {
            now.saturating_sub(earlier.threads.get(thread).copied().unwrap_or(0))
        });
        Duration::from_nanos(used.sum())
    }
}

/// Nanoseconds on a CPU of each thread; an error if the kernel does not tell.
fn thread_run_times(pid: u32) -> io::Result<BTreeMap<u32, u64>> {
    let mut times = BTreeMap::new();
    for entry in fs::read_dir(format!("/proc/{pid}/task"))? {
        let entry = entry?;
        let Some(thread) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else {
            continue;
        };
        let text = fs::read_to_string(entry.path().join("schedstat"))?;
        let nanos = text.split_whitespace().next().and_then(|first| first.parse().ok());
        times.insert(thread, nanos.ok_or(io::ErrorKind::InvalidData)?);
    }
    Ok(times)
}

/// `utime + stime` of a /proc stat line. The name in it may hold blanks and parentheses.
fn ticks_in(stat: &str) -> Option<u64> {
    let (_, fields) = stat.rsplit_once(')')?;
    let mut fields = fields.split_whitespace().skip(11);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    user.checked_add(system)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reading(threads: &[(u32, u64)], ticks: u64) -> CpuReading {
        CpuReading { threads: threads.iter().copied().collect(), ticks }
    }

    #[test]
    fn odd_names_do_not_shift_the_fields() {
        let line = "7 (a b) c) S 1 1 1 0 -1 4 112 104 0 0 75 20 3 4 20 0 1 0 116707 1 2";
        assert_eq!(ticks_in(line), Some(95));
        assert_eq!(ticks_in("7 (short) S 1"), None);
    }

    #[test]
    fn threads_are_summed_and_new_ones_count_from_zero() {
        let used =
            reading(&[(1, 150), (2, 60), (3, 5)], 0).since(&reading(&[(1, 100), (2, 50)], 0));
        assert_eq!(used, Duration::from_nanos(65));
    }

    #[test]
    fn ticks_stand_in_when_a_thread_ended() {
        let used = reading(&[(1, 150)], 12).since(&reading(&[(1, 100), (2, 50)], 2));
        assert_eq!(used, Duration::from_millis(100));
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn work_shows_in_the_own_reading() {
        let pid = std::process::id();
        let before = CpuReading::take(pid).unwrap();
        let start = std::time::Instant::now();
        while start.elapsed() < Duration::from_millis(60) {
            std::hint::spin_loop();
        }
        let used = CpuReading::take(pid).unwrap().since(&before);
        assert!(used > Duration::ZERO, "{used:?}");
    }
}
