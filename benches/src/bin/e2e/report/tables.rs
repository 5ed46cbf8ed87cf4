//! Results as Markdown.

use metaproto_benches::table;

use super::bars;
use super::summary::{
    Spread, against, busy, cost_ratio, cpu_per_request, lower_quarter, median, micros, over, rate,
};
use super::{PerCell, Results, Rounds, Section};
use crate::compare::Contender;
use crate::load::Report;

/// The tables as a page of their own, with the picture `plot` next to it.
pub(crate) fn document(results: &Results, plot: Option<&str>) -> String {
    let picture =
        plot.map_or(String::new(), |plot| format!("![CPU per request over HAProxy's]({plot})\n\n"));
    format!(
        "# What a call costs\n\nWritten by `e2e`; how it measures: [benches/README.md](../README.md).\n\n\
         {picture}{}",
        markdown(results)
    )
}

/// All tables, what must be known to read them, and what went wrong.
pub(crate) fn markdown(results: &Results) -> String {
    let mut parts = vec![notes(results), bars::table(results)];
    for section in &results.sections {
        parts.push(cost(section));
    }
    parts.push(latency(results));
    parts.push(small(
        "Memory per idle connection, KiB",
        results,
        |section| !section.memory.is_empty(),
        |section, at| {
            let kib = section.memory.get(at)?.iter().map(|bytes| bytes / 1024.0).collect();
            Some(Spread::of(kib)?.text(1))
        },
    ));
    for at in 0..2 {
        let cell = results.sections.iter().find_map(|section| section.system_calls.get(at));
        let Some(PerCell { cell, .. }) = cell else { continue };
        parts.push(small(
            &format!("System calls per request, {}", cell.title()),
            results,
            |section| !section.system_calls.is_empty(),
            |section, who| Some(format!("{:.2}", (*section.system_calls.get(at)?.all.get(who)?)?)),
        ));
    }
    parts.push(small(
        "Allocations per request, 16 x 4, 128 B",
        results,
        |section| section.allocations.iter().any(Option::is_some),
        |section, who| Some(format!("{:.2}", (*section.allocations.get(who)?)?)),
    ));
    parts.push(routes(results));
    parts.push(workers(results));
    parts.push(verdict(&results.problems));
    parts.retain(|part| !part.is_empty());
    parts.join("\n")
}

fn notes(results: &Results) -> String {
    results.notes.iter().map(|note| format!("- {note}\n")).collect()
}

/// What went wrong, in words that can't be overlooked; or that nothing did.
fn verdict(problems: &[String]) -> String {
    if problems.is_empty() {
        return "Every response had the id, the length and the body of its request.\n".to_owned();
    }
    let lines: String = problems.iter().map(|problem| format!("- {problem}\n")).collect();
    format!(
        "**ERRORS.** This failed or was answered wrongly; every other response had the id, the \
         length and the body of its request.\n\n{lines}"
    )
}

/// Ratios, costs and rates of one protocol in closed loops.
fn cost(section: &Section) -> String {
    if section.cost.is_empty() {
        return String::new();
    }
    let protocol = section.protocol;
    let ratio = grid(section, |_, own, base| Some(cost_ratio(own, base?)?.text(2)));
    let micros = grid(section, |_, own, _| {
        let cost = over(own, cpu_per_request)?;
        Some(if cost < 10.0 { format!("{cost:.2}") } else { format!("{cost:.1}") })
    });
    let rates = grid(section, |_, own, _| {
        Some(format!("{:.0} ({:.0}%)", over(own, rate)?, over(own, busy)? * 100.0))
    });
    format!(
        "## {protocol}\n\n### CPU per request over HAProxy's\n\n{ratio}\n\
         ### CPU per request, µs\n\n{micros}\n\
         ### Requests per second (CPU use)\n\n{rates}"
    )
}

/// A table with a row for each load and a column for each contender, of their rounds and those of
/// HAProxy.
fn grid(
    section: &Section,
    text: impl Fn(Contender, &[Option<Report>], Option<&[Option<Report>]>) -> Option<String>,
) -> String {
    let mut heading = vec!["connections x in flight, body".to_owned()];
    let titles = section.contenders.iter().map(|who| who.title(section.protocol).to_owned());
    heading.extend(titles);
    let rows = section.cost.iter().map(|PerCell { cell, all }| {
        let base = section.rounds(*cell, Contender::Haproxy);
        let texts = section
            .contenders
            .iter()
            .zip(all)
            .map(|(who, rounds)| text(*who, rounds, base).unwrap_or_else(|| "–".to_owned()));
        [cell.title()].into_iter().chain(texts).collect()
    });
    table::markdown(&heading, &rows.collect::<Vec<_>>())
}

/// Latency at a fixed rate.
fn latency(results: &Results) -> String {
    let sections = results.sections.iter().filter(|section| !section.latency.is_empty());
    let mut rows = Vec::new();
    for section in sections {
        let direct = section.place_of(Contender::Direct).and_then(|at| section.latency.get(at));
        for (who, rounds) in section.contenders.iter().zip(&section.latency) {
            let title = who.title(section.protocol);
            let row = latency_row(rounds, direct, results.rate);
            rows.push([format!("{}, {title}", section.protocol)].into_iter().chain(row).collect());
        }
    }
    if rows.is_empty() {
        return String::new();
    }
    let heading = ["", "p50", "added", "p99", "added", "p99, median", "reached"];
    format!(
        "## Latency at {} calls a second, µs\n\n\
         64 connections, 128 B, from when a call was to be made. p50 is the median of the rounds. \
         p99 is what a quarter of the rounds do not exceed, for what disturbs the machine only makes \
         it longer; the median of the rounds tells how much it was disturbed. Added: over direct.\n\n{}",
        results.rate,
        table::markdown(&heading.map(str::to_owned), &rows)
    )
}

fn latency_row(rounds: &Rounds, direct: Option<&Rounds>, asked: u32) -> Vec<String> {
    let number = |value: Option<f64>| value.map_or("–".to_owned(), |value| format!("{value:.0}"));
    let half = |report: &Report| Some(micros(report.p50));
    let p50 = over(rounds, half);
    let added = direct.and_then(|direct| against(rounds, direct, half, |own, base| own - base));
    let base = direct.and_then(|direct| tail(direct));
    let tail = tail(rounds);
    let all = over(rounds, |report| Some(micros(report.p99)));
    let reached = over(rounds, rate).map(|rate| rate * 100.0 / f64::from(asked));
    vec![
        number(p50),
        added.map_or("–".to_owned(), |added| added.text(0)),
        number(tail),
        number(tail.zip(base).map(|(own, base)| own - base)),
        number(all),
        format!("{}%", number(reached)),
    ]
}

/// The 99th percentile in microseconds: what a quarter of the rounds do not exceed.
pub(super) fn tail(rounds: &[Option<Report>]) -> Option<f64> {
    lower_quarter(rounds.iter().flatten().map(|report| micros(report.p99)).collect())
}

/// A table with a row for each protocol and a column for each contender.
fn small(
    title: &str,
    results: &Results,
    has: impl Fn(&Section) -> bool,
    text: impl Fn(&Section, usize) -> Option<String>,
) -> String {
    let sections: Vec<&Section> = results.sections.iter().filter(|section| has(section)).collect();
    let everybody = [&Contender::USUAL[..], &[Contender::MetaprotoBound]].concat();
    let shown: Vec<Contender> = everybody
        .into_iter()
        .filter(|who| {
            let has = |section: &Section| Some(text(section, section.place_of(*who)?).is_some());
            sections.iter().any(|section| has(section) == Some(true))
        })
        .collect();
    if shown.is_empty() {
        return String::new();
    }
    let mut heading = vec![String::new()];
    heading.extend(shown.iter().map(|who| match who {
        Contender::EnvoyFilter => "Envoy dubbo / thrift".to_owned(),
        who => who.title(crate::protocol::Protocol::Dubbo).to_owned(),
    }));
    let rows = sections.iter().map(|section| {
        let texts = shown.iter().map(|who| {
            let found = section.place_of(*who).and_then(|at| text(section, at));
            found.unwrap_or_else(|| "–".to_owned())
        });
        [section.protocol.to_string()].into_iter().chain(texts).collect()
    });
    format!("## {title}\n\n{}", table::markdown(&heading, &rows.collect::<Vec<_>>()))
}

/// CPU per request by number of routes.
fn routes(results: &Results) -> String {
    let mut heading = vec!["routes".to_owned()];
    if results.routes.is_empty() {
        return String::new();
    }
    for PerCell { cell, .. } in &results.routes {
        heading.extend([format!("µs, {}", cell.title()), "over 10 routes".to_owned()]);
    }
    let rows = results.route_counts.iter().enumerate().map(|(at, count)| {
        let mut row = vec![count.to_string()];
        for PerCell { all, .. } in &results.routes {
            let rounds = all.get(at).map(Vec::as_slice).unwrap_or_default();
            let base = all.first().map(Vec::as_slice).unwrap_or_default();
            row.push(
                over(rounds, cpu_per_request).map(|cost| format!("{cost:.2}")).unwrap_or_default(),
            );
            row.push(cost_ratio(rounds, base).map(|ratio| ratio.text(2)).unwrap_or_default());
        }
        row
    });
    format!(
        "## CPU per request by number of routes: metaproto, shared, awesomerpc\n\n\
         Each route asks for another exact command; the last one matches.\n\n{}",
        table::markdown(&heading, &rows.collect::<Vec<_>>())
    )
}

/// Two workers against one.
fn workers(results: &Results) -> String {
    let Some(PerCell { cell, all }) = &results.workers else { return String::new() };
    let heading = ["workers", "requests per second (CPU use)"].map(str::to_owned);
    let row = |(at, rounds): (usize, &Rounds)| {
        let (rate, busy) = (over(rounds, rate)?, over(rounds, busy)?);
        Some(vec![(at + 1).to_string(), format!("{rate:.0} ({:.0}%)", busy * 100.0)])
    };
    let rows: Vec<Vec<String>> = all.iter().enumerate().filter_map(row).collect();
    format!(
        "## Two workers against one: metaproto, exclusive, Thrift, {}\n\n{}",
        cell.title(),
        table::markdown(&heading, &rows)
    )
}

/// The middle of what idle connections cost, in bytes.
pub(super) fn idle_bytes(section: &Section, who: Contender) -> Option<f64> {
    median(section.memory.get(section.place_of(who)?)?.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_reported_loudly() {
        let text = verdict(&["metaproto shared, 4x64: wrong_body=2".to_owned()]);
        assert!(text.starts_with("**ERRORS"), "{text}");
        assert!(text.contains("wrong_body=2"), "{text}");
        assert!(!verdict(&[]).contains("ERRORS"));
    }

    #[test]
    fn what_was_not_measured_makes_no_table() {
        assert!(!markdown(&Results::default()).contains('|'));
    }
}
