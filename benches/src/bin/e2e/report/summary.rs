//! From the reports of all rounds to the numbers that are shown.

use std::time::Duration;

use crate::load::Report;

/// The middle of `values`; of an even number, the mean of the two in the middle. None if empty.
pub(crate) fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    let upper = *values.get(middle)?;
    match values.len() % 2 {
        1 => Some(upper),
        _ => Some((values.get(middle.checked_sub(1)?)? + upper) / 2.0),
    }
}

/// CPU microseconds that the watched server used for one request. None if nothing completed.
pub(crate) fn cpu_per_request(report: &Report) -> Option<f64> {
    let cpu = micros(report.cpu?);
    (report.completed > 0).then(|| cpu / report.completed as f64)
}

/// Requests completed in a second.
pub(super) fn rate(report: &Report) -> Option<f64> {
    Some(report.completed as f64 / report.elapsed.as_secs_f64())
}

/// Share of one CPU that the server used, 0 to 1.
pub(super) fn busy(report: &Report) -> Option<f64> {
    Some(report.cpu?.as_secs_f64() / report.elapsed.as_secs_f64())
}

/// A duration in microseconds.
pub(super) fn micros(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e6
}

/// The median of `value` over the rounds that have it.
pub(super) fn over(
    rounds: &[Option<Report>],
    value: impl Fn(&Report) -> Option<f64>,
) -> Option<f64> {
    median(rounds.iter().flatten().filter_map(value).collect())
}

/// What a quarter of `values` do not exceed. None if there are none.
pub(super) fn lower_quarter(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    values.get((values.len().max(1) - 1) / 4).copied()
}

/// A number as the rounds have it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Spread {
    /// The median.
    pub(super) middle: f64,
    /// The smallest.
    pub(super) low: f64,
    /// The largest.
    pub(super) high: f64,
}

impl Spread {
    /// Of all `values`. None if there are none.
    pub(super) fn of(values: Vec<f64>) -> Option<Self> {
        let low = values.iter().copied().reduce(f64::min)?;
        let high = values.iter().copied().reduce(f64::max)?;
        Some(Spread { middle: median(values)?, low, high })
    }

    /// The median with `digits` decimals, and where they differ the bounds.
    pub(super) fn text(&self, digits: usize) -> String {
        let number = |value: f64| format!("{value:.digits$}");
        let (middle, low, high) = (number(self.middle), number(self.low), number(self.high));
        if low == high { middle } else { format!("{middle} ({low}..{high})") }
    }
}

/// `combine` of both sides' values of the same round, over the rounds in which both succeeded.
///
/// Within each round first, and then the median: what disturbs one round disturbs both sides.
pub(super) fn against(
    own: &[Option<Report>],
    base: &[Option<Report>],
    value: impl Fn(&Report) -> Option<f64>,
    combine: impl Fn(f64, f64) -> f64,
) -> Option<Spread> {
    let both = own.iter().zip(base);
    let values =
        both.filter_map(|(own, base)| Some(combine(value(own.as_ref()?)?, value(base.as_ref()?)?)));
    Spread::of(values.collect())
}

/// The CPU per request of one over that of another.
pub(super) fn cost_ratio(own: &[Option<Report>], base: &[Option<Report>]) -> Option<Spread> {
    against(own, base, cpu_per_request, |own, base| own / base)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load::Faults;

    fn report(completed: u64, cpu_millis: u64) -> Option<Report> {
        Some(Report {
            completed,
            answered: completed,
            elapsed: Duration::from_secs(2),
            cpu: Some(Duration::from_millis(cpu_millis)),
            p50: Duration::from_micros(100),
            p99: Duration::from_micros(250),
            faults: Faults::default(),
        })
    }

    #[test]
    fn the_median_ignores_order_and_outliers() {
        assert_eq!(median(vec![]), None);
        assert_eq!(median(vec![4.0]), Some(4.0));
        assert_eq!(median(vec![4.0, 2.0]), Some(3.0));
        assert_eq!(median(vec![900.0, 2.0, 1.0]), Some(2.0));
        assert_eq!(median(vec![4.0, 1.0, 3.0, 900.0]), Some(3.5));
    }

    #[test]
    fn numbers_are_per_request_and_per_second() {
        let report = report(100_000, 1000).unwrap();
        assert_eq!(cpu_per_request(&report), Some(10.0));
        assert_eq!(rate(&report), Some(50_000.0));
        assert_eq!(busy(&report), Some(0.5));
    }

    #[test]
    fn the_ratio_is_taken_within_each_round() {
        // The machine slows down by half each round, for both alike.
        let own = [report(1000, 10), report(1000, 20), report(1000, 40)];
        let base = [report(1000, 20), report(1000, 40), report(1000, 80)];
        let ratio = cost_ratio(&own, &base).unwrap();
        assert_eq!(ratio, Spread { middle: 0.5, low: 0.5, high: 0.5 });
        assert_eq!(ratio.text(2), "0.50");
    }

    #[test]
    fn failed_rounds_are_left_out() {
        let own = [None, report(1000, 10), None];
        let base = [report(1000, 20), None, report(1000, 20)];
        assert_eq!(cost_ratio(&own, &base), None);
        assert_eq!(over(&own, cpu_per_request), Some(10.0));
        assert_eq!(over(&[report(0, 10)], cpu_per_request), None, "nothing completed");
    }

    #[test]
    fn the_lower_quarter_ignores_what_was_disturbed() {
        assert_eq!(lower_quarter(vec![]), None);
        assert_eq!(lower_quarter(vec![7.0]), Some(7.0));
        assert_eq!(lower_quarter(vec![90.0, 2.0, 80.0, 70.0, 1.0]), Some(2.0));
    }

    #[test]
    fn the_spread_is_told_where_rounds_differ() {
        let spread = Spread::of(vec![0.5, 0.7, 0.61]).unwrap();
        assert_eq!(spread.text(2), "0.61 (0.50..0.70)");
    }
}
