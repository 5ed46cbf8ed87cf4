//! Configurations at random, all of them good, and one that is bad.

use std::fmt::Write;
use std::net::SocketAddr;

use fastrand::Rng;
use metaproto_benches::protocol::Protocol;

use crate::speech::{Operation, Speech};

/// Clusters of a configuration.
const CLUSTERS: usize = 4;

/// What all configurations of a run have in common.
#[derive(Debug)]
pub(crate) struct Places {
    /// Of the protocol.
    pub(crate) protocol: Protocol,
    /// Worker threads.
    pub(crate) workers: usize,
    /// Seconds for requests in flight at the end.
    pub(crate) drain: u64,
    /// The listener that is always there.
    pub(crate) listen: SocketAddr,
    /// The listener that comes and goes.
    pub(crate) second: SocketAddr,
    /// Metrics.
    pub(crate) admin: SocketAddr,
    /// The servers.
    pub(crate) backends: Vec<SocketAddr>,
    /// The servers that get copies only.
    pub(crate) shadows: Vec<SocketAddr>,
}

impl Places {
    fn head(&self) -> String {
        let Places { workers, drain, admin, .. } = self;
        format!(
            "workers: {workers}\ndrain_timeout: {drain}s\nadmin: {{address: {admin}}}\nlisteners:\n"
        )
    }

    /// One cluster of all servers, nothing else: every call must succeed.
    pub(crate) fn plain(&self) -> String {
        let mut text = self.head();
        let (listen, protocol) = (self.listen, self.protocol.name());
        writeln!(text, "- name: soak\n  address: {listen}\n  protocol: {protocol}").ok();
        writeln!(text, "  routes: [{{cluster: all, timeout: 3s}}]").ok();
        let all: Vec<String> = self.backends.iter().map(SocketAddr::to_string).collect();
        writeln!(text, "clusters:\n  all: [{}]", all.join(", ")).ok();
        text
    }

    /// Something that must be refused as a whole.
    pub(crate) fn bad(&self, rng: &mut Rng) -> String {
        let good = self.plain();
        match rng.u8(..3) {
            0 => good.replace("cluster: all", "cluster: none"),
            1 => good[..rng.usize(20..good.len() / 2)].to_owned(),
            _ => good + "  all: []\n",
        }
    }

    /// Anything. `second` is whether the second listener is there; only there are clients let go for
    /// what is no fault of theirs, and anywhere while the process is `bounded`.
    pub(crate) fn random(
        &self,
        rng: &mut Rng,
        speech: &Speech,
        (second, bounded): (bool, bool),
    ) -> String {
        let mut text = String::new();
        if bounded {
            let (memory, most) = (rng.u32(200..8000), rng.u32(10..60));
            writeln!(text, "overload: {{max_memory: {memory}KiB, max_connections: {most}}}").ok();
        }
        text += &self.head();
        let listeners = [("soak", self.listen, true), ("second", self.second, second)];
        for (name, address, _) in listeners.into_iter().filter(|(.., is)| *is) {
            let protocol = self.protocol.name();
            writeln!(text, "- name: {name}\n  address: {address}\n  protocol: {protocol}").ok();
            self.limits(&mut text, rng, name == "second");
            text += "  routes:\n";
            let mut operations = speech.operations().to_vec();
            rng.shuffle(&mut operations);
            for operation in operations {
                self.route(&mut text, rng, operation);
            }
        }
        text += "clusters:\n";
        for number in 0..CLUSTERS {
            self.cluster(&mut text, rng, number);
        }
        self.mirrored(&mut text, rng);
        text
    }

    fn limits(&self, text: &mut String, rng: &mut Rng, ends: bool) {
        if ends {
            maybe(text, rng, |rng| format!("  max_connection_age: {}ms", rng.u32(200..3000)));
            maybe(text, rng, |rng| format!("  max_buffer: {}KiB", rng.u32(1024..4096)));
        }
        let shortest = if ends { 1 } else { 20 };
        maybe(text, rng, |rng| format!("  idle_timeout: {}s", rng.u32(shortest..60)));
        maybe(text, rng, |rng| format!("  max_in_flight: {}", rng.u32(16..200)));
        maybe(text, rng, |rng| format!("  buffer: {}KiB", rng.u32(16..1024)));
        maybe(text, rng, |rng| format!("  frame_timeout: {}ms", rng.u32(1500..4000)));
    }

    fn route(&self, text: &mut String, rng: &mut Rng, operation: Operation) {
        if operation == Operation::Lost && rng.bool() {
            return;
        }
        writeln!(text, "  - match: {}", operation.condition(self.protocol)).ok();
        let target = |rng: &mut Rng| {
            let subset = if rng.u8(..4) == 0 { ", subset: {half: a}" } else { "" };
            format!("cluster: c{}{subset}", rng.usize(..CLUSTERS))
        };
        if rng.bool() {
            writeln!(text, "    {}", target(rng).replace(", ", "\n    ")).ok();
        } else {
            let first = format!("{{{}, weight: {}}}", target(rng), rng.u32(1..100));
            let second = format!("{{{}, weight: {}}}", target(rng), rng.u32(0..100));
            writeln!(text, "    clusters: [{first}, {second}]").ok();
            if rng.u8(..4) == 0 {
                text.push_str("    sticky: client_address\n");
            }
        }
        writeln!(text, "    timeout: {}ms", rng.u32(100..1500)).ok();
        if rng.u8(..3) == 0 {
            let (percent, compare) = (rng.choice([100, 30]).unwrap_or(100), rng.bool());
            let mirror = format!("{{cluster: m, percent: {percent}, compare: {compare}}}");
            writeln!(text, "    mirror: {mirror}").ok();
        }
        match operation {
            Operation::Retried => self.retry(text, rng),
            Operation::Hedged => {
                writeln!(text, "    hedge: {{after: {}ms}}", rng.u32(1..100)).ok();
            }
            Operation::Once | Operation::Oneway | Operation::Lost => {}
        }
    }

    fn retry(&self, text: &mut String, rng: &mut Rng) {
        let reasons = ["connect_failure", "reset", "timeout", "application_error", "internal", "5"];
        let mut reasons: Vec<&str> = rng.choose_multiple(reasons, 3);
        reasons.push("overloaded");
        let (attempts, tried) = (rng.u32(1..5), rng.u32(20..500));
        let backoff = rng.u32(1..60);
        writeln!(
            text,
            "    retry: {{on: [{}], attempts: {attempts}, per_try_timeout: {tried}ms, backoff: {backoff}ms}}",
            reasons.join(", ")
        )
        .ok();
    }

    fn cluster(&self, text: &mut String, rng: &mut Rng, number: usize) {
        writeln!(text, "  c{number}:\n    endpoints:").ok();
        let count = rng.usize(1..=self.backends.len());
        for address in rng.choose_multiple(&self.backends, count) {
            let (weight, priority) = (rng.u32(1..5), rng.u32(0..5) / 4);
            let half = if rng.bool() { "a" } else { "b" };
            writeln!(
                text,
                "    - {{address: {address}, weight: {weight}, priority: {priority}, labels: {{half: {half}}}}}"
            )
            .ok();
        }
        let policies =
            ["round_robin", "random", "least_request", "peak_ewma", "ring_hash", "maglev"];
        let policy = rng.choice(policies).unwrap_or("random");
        writeln!(text, "    balance: {policy}").ok();
        if policy == "ring_hash" || policy == "maglev" {
            writeln!(text, "    hash: {}", self.key()).ok();
        } else {
            maybe(text, rng, |rng| format!("    slow_start: {}ms", rng.u32(50..3000)));
        }
        self.mode(text, rng);
        text.push_str("    subset_fallback: any\n");
        writeln!(text, "    connect_timeout: {}ms", rng.u32(30..400)).ok();
        maybe(text, rng, |rng| format!("    panic_threshold: {}", rng.u32(0..100)));
        maybe(text, rng, |rng| format!("    idle_timeout: {}ms", rng.u32(100..5000)));
        maybe(text, rng, |rng| format!("    max_connection_age: {}ms", rng.u32(100..3000)));
        maybe(text, rng, |rng| {
            let (percent, min) = (rng.u32(0..100), rng.u32(0..20));
            format!("    retry_budget: {{percent: {percent}, min: {min}}}")
        });
        maybe(text, rng, |rng| {
            let (rows, rate) = (rng.u32(0..6), rng.u32(0..100));
            let (time, most) = (rng.u32(50..2000), rng.u32(10..100));
            format!(
                "    outlier_detection: {{consecutive_failures: {rows}, failure_rate: {rate}, \
                 interval: 500ms, ejection_time: {time}ms, max_ejected: {most}}}"
            )
        });
        self.health(text, rng);
        if self.protocol == Protocol::Dubbo {
            maybe(text, rng, |rng| {
                let (interval, wait) = (rng.u32(100..1500), rng.u32(100..1500));
                format!("    keepalive: {{interval: {interval}ms, timeout: {wait}ms}}")
            });
        }
    }

    /// Checks that only a server that is gone, deaf or silent fails.
    fn health(&self, text: &mut String, rng: &mut Rng) {
        if rng.u8(..3) > 0 {
            return;
        }
        let can_ping = self.protocol == Protocol::Dubbo && rng.bool();
        let (kind, interval) = (if can_ping { "ping" } else { "tcp" }, rng.u32(50..500));
        let (healthy, unhealthy) = (rng.u32(1..3), rng.u32(2..4));
        writeln!(
            text,
            "    health_check: {{type: {kind}, interval: {interval}ms, timeout: 800ms, \
             healthy_after: {healthy}, unhealthy_after: {unhealthy}}}"
        )
        .ok();
    }

    /// The cluster that gets copies.
    fn mirrored(&self, text: &mut String, rng: &mut Rng) {
        let shadows: Vec<String> = self.shadows.iter().map(SocketAddr::to_string).collect();
        writeln!(text, "  m:\n    endpoints: [{}]", shadows.join(", ")).ok();
        let shared = self.protocol != Protocol::Thrift && rng.bool();
        writeln!(text, "    upstream_mode: {}", if shared { "shared" } else { "exclusive" }).ok();
        maybe(text, rng, |rng| format!("    max_mirrored: {}", rng.u32(1..60)));
        maybe(text, rng, |rng| format!("    max_connections: {}", rng.u32(1..20)));
    }

    fn mode(&self, text: &mut String, rng: &mut Rng) {
        let mode = rng.choice(["shared", "exclusive", "bound"]).unwrap_or("shared");
        writeln!(text, "    upstream_mode: {mode}").ok();
        if self.protocol == Protocol::Thrift && mode == "shared" {
            text.push_str("    options: {transport: framed}\n");
        }
        if mode == "shared" {
            maybe(text, rng, |rng| format!("    connections: {}", rng.u32(1..4)));
        } else {
            maybe(text, rng, |rng| format!("    max_connections: {}", rng.u32(1..40)));
        }
    }

    fn key(&self) -> &'static str {
        match self.protocol {
            Protocol::Awesomerpc => "[{property: cmd}, client_address]",
            Protocol::Dubbo | Protocol::Thrift => "[{property: method}, client_address]",
        }
    }
}

/// Adds a line, or none.
fn maybe(text: &mut String, rng: &mut Rng, line: impl FnOnce(&mut Rng) -> String) {
    if rng.bool() {
        *text += &line(rng);
        text.push('\n');
    }
}
