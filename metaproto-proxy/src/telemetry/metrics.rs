//! Counters as metrics, in the text format of Prometheus (version 0.0.4).

use std::fmt::{self, Write};
use std::time::Duration;

use crate::counters::{ClusterCounters, Counters, ListenerCounters, Outcome};

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
    for family in LISTENER {
        let samples = counters.listeners.iter().map(|(name, c)| (name, (family.value)(c)));
        page.samples(family, "listener", samples);
    }
    let completed = "requests_completed_total";
    page.family(completed, "counter", "Requests that ended, by who ended them and how.");
    for (name, listener) in &counters.listeners {
        page.outcomes(completed, name, listener);
    }
    for family in CLUSTER {
        let samples = counters.clusters.iter().map(|(name, c)| (name, (family.value)(c)));
        page.samples(family, "cluster", samples);
    }
    page.0
}

struct Family<T> {
    name: &'static str,
    kind: &'static str,
    help: &'static str,
    value: fn(&T) -> u64,
}

const fn counter<T>(name: &'static str, help: &'static str, value: fn(&T) -> u64) -> Family<T> {
    Family { name, kind: "counter", help, value }
}

const fn gauge<T>(name: &'static str, help: &'static str, value: fn(&T) -> u64) -> Family<T> {
    Family { name, kind: "gauge", help, value }
}

const LISTENER: &[Family<ListenerCounters>] = &[
    counter("downstream_connections_total", "Client connections accepted.", |c| c.connections),
    gauge("downstream_connections_active", "Client connections open now.", |c| {
        c.connections_active
    }),
    counter(
        "downstream_connections_refused_total",
        "Client connections closed at once because there were too many.",
        |c| c.connections_refused,
    ),
    counter(
        "downstream_protocol_errors_total",
        "Client connections closed because the client sent what can't be read.",
        |c| c.protocol_errors,
    ),
    counter(
        "downstream_slow_clients_total",
        "Client connections closed because the client did not read its responses.",
        |c| c.slow_clients,
    ),
    counter(
        "downstream_idle_timeouts_total",
        "Client connections closed because nothing happened on them.",
        |c| c.idle_timeouts,
    ),
    counter("downstream_received_bytes_total", "Bytes read from clients.", |c| c.bytes_received),
    counter("downstream_sent_bytes_total", "Bytes written to clients.", |c| c.bytes_sent),
    counter("downstream_pings_total", "Pings of clients that were answered.", |c| c.pings),
    counter(
        "downstream_dropped_total",
        "Messages of clients that are neither requests nor pings.",
        |c| c.dropped,
    ),
    counter("requests_started_total", "Requests read.", |c| c.started),
    gauge("requests_active", "Requests read that have not ended.", |c| c.active),
];

const CLUSTER: &[Family<ClusterCounters>] = &[
    counter("upstream_connections_total", "Upstream connections made.", |c| c.connections),
    gauge("upstream_connections_active", "Upstream connections open now, or being made.", |c| {
        c.connections_active
    }),
    counter(
        "upstream_connect_failures_total",
        "Upstream connections that could not be made.",
        |c| c.connect_failures,
    ),
    counter(
        "upstream_resets_total",
        "Upstream connections that ended with requests in flight.",
        |c| c.resets,
    ),
    counter(
        "upstream_protocol_errors_total",
        "Upstream connections closed because the upstream sent what can't be read.",
        |c| c.protocol_errors,
    ),
    counter("upstream_received_bytes_total", "Bytes read from upstreams.", |c| c.bytes_received),
    counter("upstream_sent_bytes_total", "Bytes written to upstreams.", |c| c.bytes_sent),
    counter("upstream_requests_total", "Requests handed to a connection.", |c| c.requests),
    gauge(
        "upstream_requests_active",
        "Requests sent, or waiting for a connection, without a response yet.",
        |c| c.active,
    ),
    counter(
        "upstream_redispatched_total",
        "Requests moved to another endpoint because the first could not be connected to.",
        |c| c.redispatched,
    ),
    counter("upstream_timeouts_total", "Requests without a response in time.", |c| c.timeouts),
    counter("upstream_pings_total", "Pings of upstreams that were answered.", |c| c.pings),
    counter(
        "upstream_late_responses_total",
        "Responses that came after their request had ended.",
        |c| c.late,
    ),
    counter("upstream_unmatched_responses_total", "Responses that answer no request.", |c| {
        c.unmatched
    }),
];

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

    fn outcomes(&mut self, family: &str, name: &str, listener: &ListenerCounters) {
        for outcome in Outcome::all() {
            let count = listener.completed.of(outcome);
            if count > 0 || outcome.as_str() == "ok" {
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
