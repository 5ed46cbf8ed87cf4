//! From the reports of all rounds to the numbers that are shown.

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
    let cpu = report.cpu?.as_secs_f64() * 1e6;
    (report.completed > 0).then(|| cpu / report.completed as f64)
}

/// The median of `value` over the rounds that have it.
fn over(rounds: &Rounds, value: impl Fn(&Report) -> Option<f64>) -> Option<f64> {
    median(rounds.iter().flatten().filter_map(value).collect())
}

/// The medians over the rounds of one contender in one cell.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Summary {
    /// CPU microseconds of the server per request.
    pub(crate) cpu: f64,
    /// `cpu` over the baseline's of the same round; None without a baseline.
    pub(crate) ratio: Option<f64>,
    /// Requests per second.
    pub(crate) rate: f64,
    /// Share of one CPU that the server used, 0 to 1.
    pub(crate) busy: f64,
    /// Median latency in microseconds.
    pub(crate) p50: f64,
    /// 99th percentile of the latency in microseconds.
    pub(crate) p99: f64,
}

/// One measurement each round; None where it failed.
pub(crate) type Rounds = [Option<Report>];

impl Summary {
    /// Takes the medians of what succeeded; None if nothing did.
    ///
    /// The ratio is taken within each round and then its median, for what disturbs one round
    /// disturbs both sides of it.
    pub(crate) fn of(rounds: &Rounds, baseline: Option<&Rounds>) -> Option<Self> {
        let ratios = rounds.iter().zip(baseline.unwrap_or_default()).filter_map(|(own, base)| {
            Some(cpu_per_request(own.as_ref()?)? / cpu_per_request(base.as_ref()?)?)
        });
        Some(Summary {
            cpu: over(rounds, cpu_per_request)?,
            ratio: median(ratios.collect()),
            rate: over(rounds, |report| {
                Some(report.completed as f64 / report.elapsed.as_secs_f64())
            })?,
            busy: over(rounds, |report| {
                Some(report.cpu?.as_secs_f64() / report.elapsed.as_secs_f64())
            })?,
            p50: over(rounds, |report| Some(report.p50.as_secs_f64() * 1e6))?,
            p99: over(rounds, |report| Some(report.p99.as_secs_f64() * 1e6))?,
        })
    }

    /// CPU per request and, in parentheses, its ratio to the baseline.
    pub(crate) fn cost_text(&self) -> String {
        let digits = if self.cpu < 10.0 { 2 } else { 1 };
        match self.ratio {
            Some(ratio) => format!("{:.digits$} ({ratio:.2})", self.cpu),
            None => format!("{:.digits$}", self.cpu),
        }
    }

    /// Requests per second and, in parentheses, how much of its CPU the server used.
    pub(crate) fn rate_text(&self) -> String {
        format!("{:.0} ({:.0}%)", self.rate, self.busy * 100.0)
    }

    /// Median and 99th percentile of the latency, in microseconds.
    pub(crate) fn latency_text(&self) -> String {
        format!("{:.0} / {:.0}", self.p50, self.p99)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

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
        let summary = Summary::of(&[report(100_000, 1000)], None).unwrap();
        assert_eq!(summary.cost_text(), "10.0");
        assert_eq!(summary.rate_text(), "50000 (50%)");
        assert_eq!(summary.latency_text(), "100 / 250");
    }

    #[test]
    fn the_ratio_is_taken_within_each_round() {
        // The machine slows down by half each round, for both alike.
        let own = [report(1000, 10), report(1000, 20), report(1000, 40)];
        let base = [report(1000, 20), report(1000, 40), report(1000, 80)];
        let summary = Summary::of(&own, Some(&base)).unwrap();
        assert_eq!(summary.ratio, Some(0.5));
        assert_eq!(summary.cost_text(), "20.0 (0.50)");
    }

    #[test]
    fn failed_rounds_are_left_out() {
        let own = [None, report(1000, 10), None];
        let base = [report(1000, 20), None, report(1000, 20)];
        let summary = Summary::of(&own, Some(&base)).unwrap();
        assert_eq!((summary.cpu, summary.ratio), (10.0, None));
        assert_eq!(Summary::of(&[None, None], None), None);
        assert_eq!(Summary::of(&[report(0, 10)], None), None, "nothing completed");
    }
}
