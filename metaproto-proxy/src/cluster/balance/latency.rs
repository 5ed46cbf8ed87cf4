//! How long an endpoint takes to answer, as far as the last responses tell.

use std::time::Duration;

use tokio::time::Instant;

use crate::exchange::Call;
use crate::worker::Worker;

/// Takes note of how long a response to `call` has taken.
#[inline]
pub(crate) fn answered(worker: &mut Worker, call: &Call) {
    let now = worker.now;
    if let Some((latency, took)) = timed(worker, call) {
        latency.answered(took, now);
    }
}

/// Takes note of how long there has been no response to `call`.
#[inline]
pub(crate) fn unanswered(worker: &mut Worker, call: &Call) {
    let now = worker.now;
    if let Some((latency, took)) = timed(worker, call) {
        latency.failed(took, now);
    }
}

/// Where a call has been sent, and how long ago, if anybody asks.
#[inline]
fn timed<'a>(worker: &'a mut Worker, call: &Call) -> Option<(&'a mut Latency, Duration)> {
    let endpoint = call.timed?;
    let took = Duration::from_micros(worker.micros.wrapping_sub(call.sent).into());
    Some((worker.endpoints.get_mut(endpoint)?.latency.as_mut()?, took))
}

/// A moving average of response times that jumps to a peak at once and falls exponentially.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Latency {
    /// The time constant of the fall.
    decay: Duration,
    /// Seconds, at the time of `at`; `None` before the first response.
    average: Option<f64>,
    at: Instant,
}

impl Latency {
    /// Nothing is known yet.
    pub(crate) fn new(decay: Duration, now: Instant) -> Self {
        Latency { decay, average: None, at: now }
    }

    /// The same history with another time constant.
    pub(crate) fn with_decay(self, decay: Duration) -> Self {
        Latency { decay, ..self }
    }

    /// A response has come, after this long.
    pub(crate) fn answered(&mut self, took: Duration, now: Instant) {
        let took = took.as_secs_f64();
        let kept = self.kept(now);
        self.average = Some(match self.average {
            Some(average) if took < average => average * kept + took * (1.0 - kept),
            _ => took,
        });
        self.at = now;
    }

    /// There will be no response, after this long. A call that fails fast is no sign of a fast endpoint.
    pub(crate) fn failed(&mut self, took: Duration, now: Instant) {
        let took = took.as_secs_f64();
        if self.average.is_none_or(|average| average * self.kept(now) < took) {
            (self.average, self.at) = (Some(took), now);
        }
    }

    /// What a further call costs while `active` are in flight, in seconds. An endpoint that is spared
    /// gets cheaper with time, and is tried again.
    pub(crate) fn cost(&self, active: usize, now: Instant) -> f64 {
        match self.average {
            Some(average) => average * self.kept(now) * (active as f64 + 1.0),
            // One call finds out; more have to wait for it.
            None if active == 0 => 0.0,
            None => f64::MAX,
        }
    }

    /// How much of the average is left, from 0 to 1.
    fn kept(&self, now: Instant) -> f64 {
        let passed = now.saturating_duration_since(self.at);
        (-passed.as_secs_f64() / self.decay.as_secs_f64().max(1e-9)).exp()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DECAY: Duration = Duration::from_secs(10);

    fn ms(milliseconds: u64) -> Duration {
        Duration::from_millis(milliseconds)
    }

    #[test]
    fn a_peak_counts_at_once_and_is_forgotten_slowly() {
        let start = Instant::now();
        let mut latency = Latency::new(DECAY, start);
        latency.answered(ms(10), start);
        latency.answered(ms(1000), start);
        assert_eq!(latency.cost(0, start), 1.0);
        latency.answered(ms(10), start + ms(100));
        assert!((0.98..1.0).contains(&latency.cost(0, start + ms(100))));
        let mut now = start;
        while now < start + DECAY * 8 {
            now += ms(100);
            latency.answered(ms(10), now);
        }
        assert!((0.009..0.011).contains(&latency.cost(0, now)), "{latency:?}");
    }

    #[test]
    fn calls_in_flight_cost() {
        let start = Instant::now();
        let mut latency = Latency::new(DECAY, start);
        latency.answered(ms(100), start);
        assert_eq!(latency.cost(4, start), 0.5);
    }

    #[test]
    fn the_unknown_is_tried_by_one_call() {
        let start = Instant::now();
        let latency = Latency::new(DECAY, start);
        assert_eq!(latency.cost(0, start), 0.0);
        assert!(latency.cost(1, start) > 1e9);
    }

    #[test]
    fn a_failure_makes_an_endpoint_slower_never_faster() {
        let start = Instant::now();
        let mut latency = Latency::new(DECAY, start);
        latency.answered(ms(100), start);
        latency.failed(ms(1), start);
        assert_eq!(latency.cost(0, start), 0.1);
        latency.failed(ms(5000), start);
        assert_eq!(latency.cost(0, start), 5.0);
    }

    #[test]
    fn who_is_spared_gets_cheaper() {
        let start = Instant::now();
        let mut latency = Latency::new(DECAY, start);
        latency.answered(ms(5000), start);
        assert!(latency.cost(0, start + DECAY * 10) < 0.001);
    }
}
