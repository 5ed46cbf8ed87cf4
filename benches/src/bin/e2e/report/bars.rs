//! What metaproto should reach, and whether it does.

use metaproto_benches::table;

use super::summary::{against, cost_ratio, micros, over, rate};
use super::tables::{idle_bytes, tail};
use super::{Results, Section};
use crate::cell::Cell;
use crate::compare::Contender;

/// What memory an idle connection may take beyond HAProxy's, in KiB.
const IDLE_KIB: f64 = 4.0;
/// What differs by less counts as the same: the noise of the median over a few rounds.
const FLAT: f64 = 1.05;

/// What two workers should do of one's requests per second, at least.
const SCALING: f64 = 1.7;

/// The mode that a bar means that names none.
const USUAL: Contender = Contender::MetaprotoShared;

/// A number, and whether it is as it should be; None where there is no bar.
#[derive(Clone, Copy, Debug)]
struct Found {
    value: f64,
    met: Option<bool>,
    digits: usize,
}

/// Looks for a number in what was measured.
type Bar = fn(&Section) -> Option<Found>;

impl Found {
    fn at_most(most: f64, value: f64, digits: usize) -> Self {
        Found { value, met: Some(value <= most), digits }
    }

    fn text(self) -> String {
        let Found { value, met, digits } = self;
        let word = match met {
            None => "",
            Some(true) => ", met",
            Some(false) => ", **missed**",
        };
        format!("{value:.digits$}{word}")
    }
}

/// One row for each bar, one column for each protocol. Empty if nothing was measured.
pub(super) fn table(results: &Results) -> String {
    let bars: [(&str, Bar); 9] = [
        ("64 x 1, 128 B, shared: at most 0.75 x HAProxy", |section| {
            cost(
                section,
                (64, 1, 128),
                Contender::MetaprotoShared,
                (Contender::Haproxy, Some(0.75)),
            )
        }),
        ("64 x 1, 128 B, exclusive: at most 1.0 x HAProxy", |section| {
            cost(
                section,
                (64, 1, 128),
                Contender::MetaprotoExclusive,
                (Contender::Haproxy, Some(1.0)),
            )
        }),
        ("1000 x 1, 128 B: at most 0.6 x HAProxy", |section| {
            cost(section, (1000, 1, 128), USUAL, (Contender::Haproxy, Some(0.6)))
        }),
        ("64 x 64, 128 B: at most 1.5 x HAProxy", |section| {
            cost(section, (64, 64, 128), USUAL, (Contender::Haproxy, Some(1.5)))
        }),
        ("64 x 1, 64 KiB: at most 1.0 x Envoy tcp", |section| {
            cost(section, (64, 1, 65_536), USUAL, (Contender::Envoy, Some(1.0)))
        }),
        ("64 x 1, 128 B: over Envoy's own filter (no bar)", |section| {
            cost(section, (64, 1, 128), USUAL, (Contender::EnvoyFilter, None))
        }),
        ("64 x 64, 128 B: over Envoy's own filter (no bar)", |section| {
            cost(section, (64, 64, 128), USUAL, (Contender::EnvoyFilter, None))
        }),
        ("p99 added, µs: below every layer-7 peer (no verdict within the noise)", added_p99),
        ("KiB per idle connection beyond HAProxy's: at most 4", |section| {
            let own = idle_bytes(section, USUAL)?;
            let base = idle_bytes(section, Contender::Haproxy)?;
            Some(Found::at_most(IDLE_KIB, (own - base) / 1024.0, 1))
        }),
    ];
    let mut rows: Vec<Vec<String>> = Vec::new();
    for (title, bar) in bars {
        let found: Vec<Option<Found>> = results.sections.iter().map(bar).collect();
        rows.extend(row(title, &found));
    }
    rows.extend(row("10,000 routes over 10, CPU: flat", &[flat(results)]));
    rows.extend(row(
        "two workers over one, requests per second: at least 1.7",
        &[scaling(results)],
    ));
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

/// The CPU per request of `own` over that of `base`.
fn cost(
    section: &Section,
    (connections, in_flight, body): (usize, usize, usize),
    own: Contender,
    (base, most): (Contender, Option<f64>),
) -> Option<Found> {
    let cell = Cell { connections, in_flight, body };
    let ratio = cost_ratio(section.rounds(cell, own)?, section.rounds(cell, base)?)?;
    let value = ratio.middle;
    Some(Found { value, met: most.map(|most| value <= most), digits: 2 })
}

/// What we add to the 99th percentile; it should be below what the best layer-7 peer adds. There is
/// no verdict if they differ by less than the rounds of direct do, from the quarter to the median.
fn added_p99(section: &Section) -> Option<Found> {
    let rounds = |who| section.latency.get(section.place_of(who)?);
    let p99_of = |who| tail(rounds(who)?);
    let direct = p99_of(Contender::Direct)?;
    let p99 = |who| Some(p99_of(who)? - direct);
    let peers = section.contenders.iter().filter(|who| who.is_layer_7_peer());
    let most = peers.filter_map(|who| p99(*who)).reduce(f64::min)?;
    let value = p99(USUAL)?;
    let half = over(rounds(Contender::Direct)?, |report| Some(micros(report.p99)))?;
    let resolved = (value - most).abs() > half - direct;
    Some(Found { value, met: resolved.then_some(value <= most), digits: 0 })
}

/// The cost with the most routes over that with the fewest, at 64 connections with a call each.
fn flat(results: &Results) -> Option<Found> {
    let routes = results.routes.first()?;
    let (few, many) = (routes.all.first()?, routes.all.last()?);
    Some(Found::at_most(FLAT, cost_ratio(many, few)?.middle, 2))
}

/// Requests per second of two workers over those of one.
fn scaling(results: &Results) -> Option<Found> {
    let workers = results.workers.as_ref()?;
    let (one, two) = (workers.all.first()?, workers.all.get(1)?);
    let value = against(two, one, rate, |two, one| two / one)?.middle;
    Some(Found { value, met: Some(value >= SCALING), digits: 2 })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missed_stands_out() {
        assert_eq!(Found::at_most(1.0, 0.5, 2).text(), "0.50, met");
        assert_eq!(Found::at_most(1.0, 1.5, 1).text(), "1.5, **missed**");
        assert_eq!(Found { value: 3.0, met: None, digits: 0 }.text(), "3");
    }
}
