//! What a load counted, and the line that tells it to another process.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use hdrhistogram::Histogram;

use crate::Failure;

/// What went wrong. All zero in a sound run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Faults {
    /// Responses with an id that no call of the connection waited for.
    pub(crate) unknown_id: u64,
    /// Responses of another length than their request.
    pub(crate) wrong_length: u64,
    /// Responses whose body is not the one that was sent, as when they are another client's.
    pub(crate) wrong_body: u64,
    /// Responses with a code other than 0.
    pub(crate) error_code: u64,
    /// Connections on which no frame could be found any more.
    pub(crate) malformed: u64,
    /// Connections that ended before the load did.
    pub(crate) closed: u64,
    /// Calls that were never answered.
    pub(crate) lost: u64,
}

impl Faults {
    /// Everything that went wrong, in one number.
    pub(crate) fn total(&self) -> u64 {
        self.named().iter().map(|(_, count)| count).sum()
    }

    /// Adds those of another run.
    pub(crate) fn add(&mut self, other: &Faults) {
        self.unknown_id += other.unknown_id;
        self.wrong_length += other.wrong_length;
        self.wrong_body += other.wrong_body;
        self.error_code += other.error_code;
        self.malformed += other.malformed;
        self.closed += other.closed;
        self.lost += other.lost;
    }

    fn named(&self) -> [(&'static str, u64); 7] {
        [
            ("unknown_id", self.unknown_id),
            ("wrong_length", self.wrong_length),
            ("wrong_body", self.wrong_body),
            ("error_code", self.error_code),
            ("malformed", self.malformed),
            ("closed", self.closed),
            ("lost", self.lost),
        ]
    }
}

impl fmt::Display for Faults {
    /// Names those that happened.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut blank = "";
        for (name, count) in self.named().iter().filter(|(_, count)| *count > 0) {
            write!(f, "{blank}{name}={count}")?;
            blank = " ";
        }
        Ok(())
    }
}

/// What is counted while the load runs.
#[derive(Debug)]
pub(crate) struct Tally {
    /// Right responses.
    pub(crate) completed: u64,
    /// Right responses, whenever they came.
    pub(crate) answered: u64,
    /// Wrong ones.
    pub(crate) faults: Faults,
    /// In nanoseconds, with three significant digits.
    latencies: Histogram<u64>,
}

/// The longest latency that is told from a longer one.
const LONGEST: Duration = Duration::from_secs(3600);

impl Tally {
    /// Nothing counted.
    ///
    /// # Errors
    /// When the histogram can't be made, which takes other bounds than these.
    pub(crate) fn new() -> Result<Self, Failure> {
        let latencies = Histogram::new_with_bounds(1, nanos(LONGEST), 3)?;
        Ok(Tally { completed: 0, answered: 0, faults: Faults::default(), latencies })
    }

    /// Counts one right response.
    pub(crate) fn complete(&mut self, latency: Duration) {
        self.completed += 1;
        self.answered += 1;
        self.latencies.saturating_record(nanos(latency));
    }

    /// Starts the measured time: forgets what came before it, but for what counts whenever it
    /// happens.
    pub(crate) fn restart(&mut self) {
        self.completed = 0;
        self.latencies.reset();
    }

    fn quantile(&self, share: f64) -> Duration {
        Duration::from_nanos(self.latencies.value_at_quantile(share))
    }
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

/// The result of one load.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Report {
    /// Right responses within the measured time.
    pub(crate) completed: u64,
    /// Right responses in the whole run, warm-up included.
    pub(crate) answered: u64,
    /// The measured time.
    pub(crate) elapsed: Duration,
    /// CPU time that the watched process used in it.
    pub(crate) cpu: Option<Duration>,
    /// Half of the calls took no longer.
    pub(crate) p50: Duration,
    /// 99 of 100 calls took no longer.
    pub(crate) p99: Duration,
    /// What went wrong, before and after the measured time too.
    pub(crate) faults: Faults,
}

impl Report {
    /// The result so far.
    pub(crate) fn new(tally: &Tally, elapsed: Duration, cpu: Option<Duration>) -> Self {
        Report {
            completed: tally.completed,
            answered: tally.answered,
            elapsed,
            cpu,
            p50: tally.quantile(0.50),
            p99: tally.quantile(0.99),
            faults: tally.faults,
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "completed={} answered={}", self.completed, self.answered)?;
        write!(f, " elapsed_ns={}", self.elapsed.as_nanos())?;
        if let Some(cpu) = self.cpu {
            write!(f, " cpu_ns={}", cpu.as_nanos())?;
        }
        write!(f, " p50_ns={} p99_ns={}", self.p50.as_nanos(), self.p99.as_nanos())?;
        match self.faults.total() {
            0 => Ok(()),
            _ => write!(f, " {}", self.faults),
        }
    }
}

impl FromStr for Report {
    type Err = String;

    fn from_str(line: &str) -> Result<Self, Self::Err> {
        let number = |name: &str| -> Result<Option<u64>, String> {
            let mut words = line.split_whitespace().filter_map(|word| word.split_once('='));
            match words.find(|(key, _)| *key == name) {
                None => Ok(None),
                Some((_, text)) => text.parse().map(Some).map_err(|_| format!("{name}: {text}")),
            }
        };
        let needed = |name: &str| number(name)?.ok_or_else(|| format!("no {name} in `{line}`"));
        let fault = |name: &str| Ok::<u64, String>(number(name)?.unwrap_or(0));
        Ok(Report {
            completed: needed("completed")?,
            answered: needed("answered")?,
            elapsed: Duration::from_nanos(needed("elapsed_ns")?),
            cpu: number("cpu_ns")?.map(Duration::from_nanos),
            p50: Duration::from_nanos(needed("p50_ns")?),
            p99: Duration::from_nanos(needed("p99_ns")?),
            faults: Faults {
                unknown_id: fault("unknown_id")?,
                wrong_length: fault("wrong_length")?,
                wrong_body: fault("wrong_body")?,
                error_code: fault("error_code")?,
                malformed: fault("malformed")?,
                closed: fault("closed")?,
                lost: fault("lost")?,
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(cpu: Option<Duration>, faults: Faults) -> Report {
        let micros = Duration::from_micros;
        let (p50, p99) = (micros(1), micros(2));
        Report { completed: 5, answered: 6, elapsed: micros(9), cpu, p50, p99, faults }
    }

    #[test]
    fn the_line_reads_back() {
        let odd = Faults {
            unknown_id: 1,
            wrong_length: 2,
            wrong_body: 3,
            error_code: 4,
            malformed: 5,
            closed: 6,
            lost: 7,
        };
        for report in [
            report(None, Faults::default()),
            report(Some(Duration::from_nanos(77)), Faults::default()),
            report(Some(Duration::from_nanos(77)), odd),
        ] {
            assert_eq!(report.to_string().parse(), Ok(report));
        }
        assert_eq!(odd.total(), 28);
    }

    #[test]
    fn a_line_that_lacks_a_number_is_refused() {
        assert!("".parse::<Report>().is_err());
        assert!("completed=1 elapsed_ns=2 p50_ns=x p99_ns=1".parse::<Report>().is_err());
    }

    #[test]
    fn only_faults_that_happened_are_named() {
        let faults = Faults { wrong_body: 2, lost: 1, ..Faults::default() };
        assert_eq!(faults.to_string(), "wrong_body=2 lost=1");
    }

    #[test]
    fn restarting_keeps_the_faults_and_what_was_answered() {
        let mut tally = Tally::new().unwrap();
        tally.complete(Duration::from_micros(5));
        tally.faults.lost = 3;
        tally.restart();
        let report = Report::new(&tally, Duration::from_secs(1), None);
        assert_eq!((report.completed, report.p99, report.faults.lost), (0, Duration::ZERO, 3));
        assert_eq!(report.answered, 1);
    }

    #[test]
    fn quantiles_are_within_a_thousandth() {
        let mut tally = Tally::new().unwrap();
        (1..=1000).for_each(|micros| tally.complete(Duration::from_micros(micros)));
        let report = Report::new(&tally, Duration::from_secs(1), None);
        for (found, exact) in [(report.p50, 500.0), (report.p99, 990.0)] {
            let found = found.as_nanos() as f64 / 1000.0;
            assert!((found - exact).abs() <= exact / 1000.0, "{found}");
        }
    }
}
