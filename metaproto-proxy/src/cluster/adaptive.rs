//! How many calls a cluster can take, found by how long it takes to answer them.
//!
//! Answers that take longer than they need have waited somewhere. The share of the time that is not
//! waiting, the gradient, tells by how much there are too many calls. Where there is no waiting there is
//! room for some more: the square root of what there is. How long an answer needs shows while there are
//! only a few calls. So it begins with a few, and comes back to them for a moment when answers have long
//! taken longer although there are fewer calls: perhaps they need longer now.

use std::time::Duration;

use tokio::time::Instant;

use crate::model::AdaptiveConcurrency;

/// An interval with fewer answers says too little: it goes on.
const MIN_ANSWERS: u64 = 10;

/// How much of the way to a lower bound is gone at once: one bad interval is not the end.
const DOWN: f64 = 0.2;

/// How much is believed of an interval in which answers took less than they needed until then.
const BELIEF: f64 = 0.1;

/// After so many intervals in a row with answers that take too long it is measured anew how long they
/// need.
const PATIENCE: u32 = 300;

/// The bound of one worker on the calls to a cluster.
#[derive(Debug)]
pub(crate) struct Adaptive {
    policy: AdaptiveConcurrency,
    limit: f64,
    /// How long an answer needs without waiting, in microseconds; 0 if that is not known.
    needed: f64,
    /// How many intervals in a row have had answers that take too long.
    slow: u32,
    probe: Probe,
    interval: Interval,
}

/// Whether it is measured how long answers need.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Probe {
    No,
    /// As soon as the calls have ended that are too many.
    Soon,
    Now,
}

#[derive(Debug, Default)]
struct Interval {
    since: Option<Instant>,
    answers: u64,
    micros: u64,
    /// The most calls in flight.
    peak: usize,
}

impl Adaptive {
    pub(super) fn new(policy: AdaptiveConcurrency) -> Self {
        Adaptive {
            policy,
            limit: policy.min as f64,
            needed: 0.0,
            slow: 0,
            probe: Probe::Now,
            interval: Interval::default(),
        }
    }

    /// Takes on another policy; what was found out stays.
    pub(super) fn set_policy(&mut self, policy: AdaptiveConcurrency) {
        self.policy = policy;
        self.limit = self.clamped(self.limit);
    }

    /// How many calls may be in flight.
    pub(super) fn limit(&self) -> usize {
        if self.probe == Probe::No { self.limit as usize } else { self.policy.min }
    }

    /// Whether there may be one more call besides `active`.
    pub(super) fn admits(&mut self, active: u64) -> bool {
        let active = usize::try_from(active).unwrap_or(usize::MAX);
        let admits = active < self.limit();
        if admits && self.probe == Probe::Soon {
            (self.probe, self.interval) = (Probe::Now, Interval::default());
        }
        self.interval.peak = self.interval.peak.max(active + usize::from(admits));
        admits
    }

    /// A call has been answered, or has not been in time.
    pub(super) fn ended(&mut self, took: Duration, now: Instant) {
        let interval = &mut self.interval;
        let since = *interval.since.get_or_insert(now);
        interval.answers += 1;
        interval.micros += took.as_micros() as u64;
        if interval.answers >= MIN_ANSWERS && since + self.policy.interval <= now {
            let interval = std::mem::take(&mut self.interval);
            let took = (interval.micros as f64 / interval.answers as f64).max(1.0);
            match self.probe {
                Probe::Soon => {}
                Probe::Now => (self.needed, self.probe) = (took, Probe::No),
                Probe::No => self.adjust(took, interval.peak),
            }
        }
    }

    /// Answers have taken that many microseconds with up to `peak` calls in flight.
    fn adjust(&mut self, took: f64, peak: usize) {
        if peak <= self.policy.min {
            // With so few calls there is no waiting.
            self.needed = took;
        } else if took < self.needed {
            self.needed += (took - self.needed) * BELIEF;
        }
        let allowed = self.needed * (1.0 + f64::from(self.policy.tolerance) / 100.0);
        let gradient = (allowed / took).min(1.0);
        self.slow = if gradient < 1.0 { self.slow + 1 } else { 0 };
        if self.slow > PATIENCE {
            (self.slow, self.probe) = (0, Probe::Soon);
        }
        // A bound that nobody has come near to is not known to be too low.
        let more = if peak * 2 >= self.limit as usize { self.limit.sqrt() } else { 0.0 };
        let target = self.limit * gradient + more;
        let step = if target < self.limit { DOWN } else { 1.0 };
        self.limit = self.clamped(self.limit + (target - self.limit) * step);
    }

    fn clamped(&self, limit: f64) -> f64 {
        limit.clamp(self.policy.min as f64, self.policy.max as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A server that carries out `at_once` calls at a time, each of which needs that long, and callers who
    /// always want more. Tells the bound after `rounds` of calls.
    fn load(adaptive: &mut Adaptive, at_once: usize, need: Duration, rounds: u32) -> usize {
        // The time goes on from one load to the next.
        let mut now = adaptive.interval.since.unwrap_or_else(Instant::now);
        for _ in 0..rounds {
            let mut active = 0;
            while adaptive.admits(active) {
                active += 1;
            }
            // Who comes late waits for those before.
            let waves = (active as f64 / at_once as f64).max(1.0);
            let took = need.mul_f64(waves);
            now += took;
            for _ in 0..active {
                adaptive.ended(took, now);
            }
        }
        adaptive.interval.since = Some(now);
        adaptive.limit()
    }

    const NEED: Duration = Duration::from_millis(10);

    fn adaptive() -> Adaptive {
        Adaptive::new(AdaptiveConcurrency::default())
    }

    #[test]
    fn the_bound_comes_near_what_the_server_can_do() {
        for at_once in [5, 50, 300] {
            let found = load(&mut adaptive(), at_once, NEED, 2000);
            assert!((at_once..at_once * 2 + 5).contains(&found), "{found} for {at_once}");
        }
    }

    #[test]
    fn the_bound_follows_a_server_that_loses_and_regains_strength() {
        let mut adaptive = adaptive();
        let strong = load(&mut adaptive, 100, NEED, 2000);
        let weak = load(&mut adaptive, 10, NEED, 2000);
        assert!((10..30).contains(&weak), "{weak}, before {strong}");
        let strong = load(&mut adaptive, 100, NEED, 2000);
        assert!(strong >= 100, "{adaptive:?}");
    }

    #[test]
    fn answers_that_need_longer_for_good_are_believed_in_the_end() {
        let mut adaptive = adaptive();
        load(&mut adaptive, 50, NEED, 1000);
        let found = load(&mut adaptive, 50, NEED * 10, 5000);
        assert!((50..110).contains(&found), "{found}");
    }

    #[test]
    fn a_bound_that_nobody_reaches_stays_and_none_is_left() {
        let mut adaptive = adaptive();
        let mut now = Instant::now();
        for _ in 0..10_000 {
            assert!(adaptive.admits(0));
            now += NEED;
            adaptive.ended(NEED, now);
        }
        assert!(adaptive.limit() < 6, "{}", adaptive.limit());
        let policy = AdaptiveConcurrency { min: 7, max: 7, ..AdaptiveConcurrency::default() };
        adaptive.set_policy(policy);
        assert_eq!(adaptive.limit(), 7);
        assert_eq!(load(&mut adaptive, 1, NEED, 1000), 7);
    }
}
