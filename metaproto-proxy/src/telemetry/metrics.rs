//! Counters as metrics, in the text format of Prometheus (version 0.0.4).

use std::fmt::{self, Write};
use std::time::Duration;

use metaproto_core::StatusClass;

use super::families::{CLUSTER, Family, LISTENER, PROCESS};
use crate::counters::{Counters, Histogram, ListenerCounters, Outcome};

/// The content type of what [`render`] writes.
pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Writes every counter. `uptime` is how long the proxy has been running.
///
/// Of the outcomes of a listener's requests those are written that have happened, and `ok`, so that
/// there is a number to divide by from the start.
#[must_use]
pub fn render(counters: &Counters, uptime: Duration) -> String {
    let mut page = Page(String::new());
    page.family("build_info", "gauge", "The version that is running; always 1.");
    page.sample("build_info", &[("version", env!("CARGO_PKG_VERSION"))], 1);
    page.family("uptime_seconds", "gauge", "Seconds since the start.");
    page.sample("uptime_seconds", &[], format_args!("{:.3}", uptime.as_secs_f64()));
    for family in PROCESS {
        page.family(family.name, family.kind, family.help);
        page.sample(family.name, &[], (family.value)(&counters.process));
    }
    for family in LISTENER {
        let samples = counters.listeners.iter().map(|(name, c)| (name, (family.value)(c)));
        page.samples(family, "listener", samples);
    }
    let completed = "requests_completed_total";
    page.family(completed, "counter", "Requests that ended, by who ended them and how.");
    for (name, listener) in &counters.listeners {
        page.outcomes(completed, name, listener);
    }
    page.family(DURATION, "histogram", "From reading a request to its response or error.");
    for (name, listener) in &counters.listeners {
        page.histogram(DURATION, ("listener", name), &listener.duration);
    }
    for family in CLUSTER {
        let samples = counters.clusters.iter().map(|(name, c)| (name, (family.value)(c)));
        page.samples(family, "cluster", samples);
    }
    let help = "From giving a request to an endpoint to its response.";
    page.family(UPSTREAM_DURATION, "histogram", help);
    for (name, cluster) in &counters.clusters {
        page.histogram(UPSTREAM_DURATION, ("cluster", name), &cluster.duration);
    }
    page.0
}

const DURATION: &str = "request_duration_seconds";
const UPSTREAM_DURATION: &str = "upstream_duration_seconds";
const OK: Outcome = Outcome::Response(StatusClass::Ok);

/// Metrics as they are written. Writing to a `String` can't fail.
struct Page(String);

impl Page {
    fn family(&mut self, name: &str, kind: &str, help: &str) {
        writeln!(self.0, "# HELP metaproto_{name} {help}").ok();
        writeln!(self.0, "# TYPE metaproto_{name} {kind}").ok();
    }

    fn sample(&mut self, name: &str, labels: &[(&str, &str)], value: impl fmt::Display) {
        write!(self.0, "metaproto_{name}").ok();
        for (i, (label, text)) in labels.iter().enumerate() {
            let open = if i == 0 { '{' } else { ',' };
            write!(self.0, "{open}{label}=\"{}\"", Escaped(text)).ok();
        }
        let close = if labels.is_empty() { "" } else { "}" };
        writeln!(self.0, "{close} {value}").ok();
    }

    fn samples<'a, T>(
        &mut self,
        family: &Family<T>,
        label: &str,
        samples: impl Iterator<Item = (&'a String, u64)>,
    ) {
        self.family(family.name, family.kind, family.help);
        for (name, value) in samples {
            self.sample(family.name, &[(label, name)], value);
        }
    }

    fn histogram(&mut self, name: &str, label: (&str, &str), histogram: &Histogram) {
        let bucket = format!("{name}_bucket");
        for (bound, count) in histogram.cumulative() {
            let bound = seconds(bound.into()).to_string();
            self.sample(&bucket, &[label, ("le", &bound)], count);
        }
        self.sample(&bucket, &[label, ("le", "+Inf")], histogram.count());
        self.sample(&format!("{name}_sum"), &[label], seconds(histogram.micros()));
        self.sample(&format!("{name}_count"), &[label], histogram.count());
    }

    fn outcomes(&mut self, family: &str, name: &str, listener: &ListenerCounters) {
        for outcome in Outcome::all() {
            let count = listener.completed.of(outcome);
            if count > 0 || outcome == OK {
                let labels = [
                    ("listener", name),
                    ("origin", outcome.origin()),
                    ("outcome", outcome.as_str()),
                ];
                self.sample(family, &labels, count);
            }
        }
    }
}

fn seconds(micros: u64) -> f64 {
    micros as f64 / 1e6
}

/// A label's value with what would end it escaped.
struct Escaped<'a>(&'a str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for c in self.0.chars() {
            match c {
                '\\' => f.write_str("\\\\")?,
                '"' => f.write_str("\\\"")?,
                '\n' => f.write_str("\\n")?,
                c => f.write_char(c)?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use metaproto_core::ErrorKind;

    use super::*;
    use crate::counters::{ClusterCounters, ProcessCounters};

    fn some() -> Counters {
        let mut counters = Counters::default();
        let listener = counters.listeners.entry("front".to_owned()).or_default();
        (listener.started, listener.active) = (7, 1);
        for outcome in [OK, OK, OK, Outcome::Oneway, Outcome::Error(ErrorKind::Timeout)] {
            listener.completed.add(outcome);
        }
        listener.completed.add(Outcome::Abandoned);
        counters.clusters.entry("v1".to_owned()).or_default().connections_active = 2;
        counters
    }

    fn samples(page: &str) -> Vec<&str> {
        page.lines().filter(|line| !line.starts_with('#')).collect()
    }

    #[test]
    fn outcomes_that_happened_are_told_by_origin() {
        let page = render(&some(), Duration::ZERO);
        let completed = "metaproto_requests_completed_total";
        let told: Vec<_> = page.lines().filter(|line| line.contains(completed)).collect();
        assert_eq!(
            told,
            [
                format!("# HELP {completed} Requests that ended, by who ended them and how."),
                format!("# TYPE {completed} counter"),
                format!(r#"{completed}{{listener="front",origin="upstream",outcome="ok"}} 3"#),
                format!(r#"{completed}{{listener="front",origin="proxy",outcome="timeout"}} 1"#),
                format!(r#"{completed}{{listener="front",origin="upstream",outcome="oneway"}} 1"#),
                format!(r#"{completed}{{listener="front",origin="client",outcome="abandoned"}} 1"#),
            ]
        );
    }

    #[test]
    fn a_proxy_that_has_done_nothing_tells_its_version_and_uptime() {
        let page = render(&Counters::default(), Duration::from_millis(1500));
        let version = env!("CARGO_PKG_VERSION");
        let expected = [
            format!("metaproto_build_info{{version=\"{version}\"}} 1"),
            "metaproto_uptime_seconds 1.500".to_owned(),
            "metaproto_held_bytes 0".to_owned(),
            "metaproto_overload_stage 0".to_owned(),
            "metaproto_overloads_total 0".to_owned(),
        ];
        assert_eq!(samples(&page), expected);
    }

    #[test]
    fn every_family_is_described_once_and_named_by_its_kind() {
        let page = render(&some(), Duration::ZERO);
        let mut seen = std::collections::BTreeSet::new();
        for line in page.lines().filter_map(|line| line.strip_prefix("# TYPE ")) {
            let (name, kind) = line.split_once(' ').unwrap();
            assert!(seen.insert(name), "{name} is there twice");
            assert_eq!(name.ends_with("_total"), kind == "counter", "{name} is a {kind}");
            assert!(page.contains(&format!("# HELP {name} ")), "{name}");
            let end = if kind == "histogram" { "_count{" } else { "" };
            let is_sample = |line: &str| {
                line.strip_prefix(name).is_some_and(|rest| match end {
                    "" => rest.starts_with(['{', ' ']),
                    end => rest.starts_with(end),
                })
            };
            assert!(page.lines().any(is_sample), "{name}");
        }
        assert!(page.ends_with('\n'));
    }

    /// Gives every counter a number of its own. One that is added and forgotten does not compile.
    macro_rules! number {
        ($counters:expr, $type:ident { $($field:ident)* } $($rest:ident)*) => {{
            let $type { $($field,)* $($rest: _,)* } = $counters;
            let mut next = 1000_u64;
            $( *$field = next; next += 1; )*
            1000..next
        }};
    }

    #[test]
    fn every_counter_is_shown() {
        let mut counters = Counters::default();
        let listener = counters.listeners.entry("l".to_owned()).or_default();
        let of_listener = number!(listener, ListenerCounters {
            connections connections_active connections_refused accept_failures
            protocol_errors slow_clients
            idle_timeouts frame_timeouts bytes_received bytes_sent pings dropped unread_bodies
            unchanged_responses shed overload_closed buffered started active
        } completed duration);
        let cluster = counters.clusters.entry("c".to_owned()).or_default();
        let of_cluster = number!(cluster, ClusterCounters {
            connections connections_active connect_failures local_connect_failures
            resets protocol_errors bytes_received
            bytes_sent requests active panicked spilled unkeyed redispatched health_checks
            health_check_failures endpoints_healthy endpoints_unhealthy dns_lookups
            dns_failures ejections ejections_refused retries retries_refused mirrored
            mirror_dropped mirror_equal mirror_different mirror_unanswered refused_connections
            refused_pending refused_requests refused_operations refused_adaptive pending
            adaptive_limit
            timeouts pings late unmatched keepalive_pings keepalive_failures unread_bodies
            buffered
        } duration);
        let of_process =
            number!(&mut counters.process, ProcessCounters { held overload_stage overloads });
        let page = render(&counters, Duration::ZERO);
        for (label, numbers) in
            [("{listener=\"l\"}", of_listener), ("{cluster=\"c\"}", of_cluster), ("", of_process)]
        {
            for number in numbers {
                assert!(page.contains(&format!("{label} {number}\n")), "{label} {number}\n{page}");
            }
        }
    }

    /// The bounds of a histogram's buckets, and how many each counts with those below it.
    fn buckets(page: &str, name: &str) -> Vec<(f64, u64)> {
        let bucket = format!("{name}_bucket{{");
        let lines = page.lines().filter_map(|line| line.strip_prefix(&bucket));
        lines
            .map(|line| {
                let (labels, count) = line.rsplit_once(' ').unwrap();
                let (_, bound) = labels.split_once("le=\"").unwrap();
                let bound = bound.strip_suffix("\"}").unwrap().replace("+Inf", "inf");
                (bound.parse().unwrap(), count.parse().unwrap())
            })
            .collect()
    }

    #[test]
    fn a_histogram_has_buckets_in_order_up_to_all_and_then_its_sum_and_count() {
        let mut counters = some();
        let took = [15, 20, 900, 3_000_000, 200_000_000];
        for micros in took {
            counters.listeners.get_mut("front").unwrap().duration.add(micros);
            counters.clusters.get_mut("v1").unwrap().duration.add(micros);
        }
        let page = render(&counters, Duration::ZERO);
        for (name, label) in [
            ("metaproto_request_duration_seconds", "{listener=\"front\"}"),
            ("metaproto_upstream_duration_seconds", "{cluster=\"v1\"}"),
        ] {
            assert!(page.contains(&format!("# TYPE {name} histogram\n{name}_bucket{{")));
            let buckets = buckets(&page, name);
            assert!(buckets.is_sorted() && buckets.windows(2).all(|two| two[0].0 < two[1].0));
            assert_eq!(buckets.last(), Some(&(f64::INFINITY, 5)));
            let at = |bound| buckets.iter().find(|(other, _)| *other == bound).unwrap().1;
            assert_eq!([at(0.00001), at(0.00002), at(0.001), at(5.0), at(100.0)], [0, 2, 3, 4, 4]);
            let end = format!("{name}_sum{label} 203.000935\n{name}_count{label} 5\n");
            assert!(page.contains(&end), "{page}");
        }
    }

    #[test]
    fn a_name_can_not_break_out_of_its_label() {
        let mut counters = Counters::default();
        counters.clusters.entry("a\"b\\c\nd".to_owned()).or_default();
        let page = render(&counters, Duration::ZERO);
        assert!(page.contains(r#"{cluster="a\"b\\c\nd"} 0"#), "{page}");
    }
}
