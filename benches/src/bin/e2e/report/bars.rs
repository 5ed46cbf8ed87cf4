//! What metaproto should reach, and whether it does.

use metaproto_benches::table;

use super::summary::{cost_ratio, micros};
use super::tables::{added, idle_bytes};
use super::{Results, Section};
use crate::cell::Cell;
use crate::compare::Contender;
use crate::protocol::Protocol;

/// What memory an idle connection may take beyond HAProxy's, in KiB.
const IDLE_KIB: f64 = 4.0;
/// What differs by less counts as the same: the noise of the median over a few rounds.
const FLAT: f64 = 1.05;

/// A number that should not be above another one.
#[derive(Clone, Copy, Debug)]
struct Found {
    value: f64,
    /// Infinite where there is no bar.
    most: f64,
    digits: usize,
}

/// Looks for a number in what was measured.
type Bar = fn(&Section) -> Option<Found>;

impl Found {
    fn text(self) -> String {
        let Found { value, most, digits } = self;
        match value <= most {
            _ if most.is_infinite() => format!("{value:.digits$}"),
            true => format!("{value:.digits$}, met"),
            false => format!("{value:.digits$}, **missed**"),
        }
    }
}

/// One row for each bar, one column for each protocol. Empty if nothing was measured.
pub(super) fn table(results: &Results) -> String {
    let bars: [(&str, Bar); 8] = [
        ("64 x 1, 128 B, shared: at most 0.75 x HAProxy", |section| {
            cost(section, (64, 1, 128), Contender::MetaprotoShared, Contender::Haproxy, 0.75)
        }),
        ("64 x 1, 128 B, exclusive: at most 1.0 x HAProxy", |section| {
            cost(section, (64, 1, 128), Contender::MetaprotoExclusive, Contender::Haproxy, 1.0)
        }),
        ("1000 x 1, 128 B: at most 0.6 x HAProxy", |section| {
            cost(section, (1000, 1, 128), usual(section), Contender::Haproxy, 0.6)
        }),
        ("64 x 64, 128 B: at most 1.5 x HAProxy", |section| {
            cost(section, (64, 64, 128), usual(section), Contender::Haproxy, 1.5)
        }),
        ("64 x 1, 64 KiB: at most 1.0 x Envoy tcp", |section| {
            cost(section, (64, 1, 65_536), usual(section), Contender::Envoy, 1.0)
        }),
        ("64 x 1, 128 B: over Envoy's own filter (no bar)", |section| {
            let peer = Contender::EnvoyFilter;
            cost(section, (64, 1, 128), usual(section), peer, f64::INFINITY)
        }),
        ("p99 added, µs: below every layer-7 peer", added_p99),
        ("KiB per idle connection beyond HAProxy's: at most 4", |section| {
            let own = idle_bytes(section, usual(section))?;
            let base = idle_bytes(section, Contender::Haproxy)?;
            Some(Found { value: (own - base) / 1024.0, most: IDLE_KIB, digits: 1 })
        }),
    ];
    let mut rows: Vec<Vec<String>> = Vec::new();
    for (title, bar) in bars {
        let found: Vec<Option<Found>> = results.sections.iter().map(bar).collect();
        rows.extend(row(title, &found));
    }
    rows.extend(row("10,000 routes over 10, CPU: flat", &[flat(results)]));
    if rows.is_empty() {
        return String::new();
    }
    let mut heading = vec!["bar".to_owned()];
    heading.extend(results.sections.iter().map(|section| section.protocol.to_string()));
    format!("## Bars\n\n{}", table::markdown(&heading, &rows))
}

/// A row, if anything was found.
fn row(title: &str, found: &[Option<Found>]) -> Option<Vec<String>> {
    found.iter().any(Option::is_some).then(|| {
        let texts = found.iter().map(|found| found.map_or("–".to_owned(), Found::text));
        [title.to_owned()].into_iter().chain(texts).collect()
    })
}

/// The mode that the protocol prefers.
fn usual(section: &Section) -> Contender {
    match section.protocol {
        Protocol::Thrift => Contender::MetaprotoExclusive,
        _ => Contender::MetaprotoShared,
    }
}

/// The CPU per request of `own` over that of `base`.
fn cost(
    section: &Section,
    (connections, in_flight, body): (usize, usize, usize),
    own: Contender,
    base: Contender,
    most: f64,
) -> Option<Found> {
    let cell = Cell { connections, in_flight, body };
    let ratio = cost_ratio(section.rounds(cell, own)?, section.rounds(cell, base)?)?;
    Some(Found { value: ratio.middle, most, digits: 2 })
}

/// What we add to the 99th percentile; it should be below what the best layer-7 peer adds.
fn added_p99(section: &Section) -> Option<Found> {
    let rounds = |who| section.latency.get(section.place_of(who)?);
    let direct = rounds(Contender::Direct)?;
    let p99 = |who| Some(added(rounds(who)?, direct, |report| Some(micros(report.p99)))?.middle);
    let peers = section.contenders.iter().filter(|who| who.is_layer_7_peer());
    let most = peers.filter_map(|who| p99(*who)).reduce(f64::min)?;
    Some(Found { value: p99(usual(section))?, most, digits: 0 })
}

/// The cost with the most routes over that with the fewest, at 64 connections with a call each.
fn flat(results: &Results) -> Option<Found> {
    let routes = results.routes.first()?;
    let (few, many) = (routes.all.first()?, routes.all.last()?);
    Some(Found { value: cost_ratio(many, few)?.middle, most: FLAT, digits: 2 })
}
