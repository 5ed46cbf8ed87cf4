//! Results as a picture: CPU per request over HAProxy's, as bars on a logarithmic scale.

use std::fmt::Write;

use super::summary::cost_ratio;
use super::{Results, Section};
use crate::cell::Cell;
use crate::compare::Contender;

/// The loads that are shown.
const CELLS: [(usize, usize, usize); 4] =
    [(64, 1, 128), (1000, 1, 128), (64, 64, 128), (64, 1, 65_536)];
/// The ratios at both ends of the scale. What is beyond ends there, and its number tells.
const LEAST: f64 = 0.25;
const MOST: f64 = 64.0;

const LEFT: f64 = 130.0;
const SCALE: f64 = 460.0;
const RIGHT: f64 = 60.0;
const BAR: f64 = 13.0;
const TOP: f64 = 64.0;

/// A picture of `results`, as SVG. Text is set in whatever sans-serif font the viewer has.
pub(crate) fn svg(results: &Results) -> String {
    let mut body = String::new();
    let mut y = TOP;
    for section in &results.sections {
        panel(section, &mut y, &mut body);
    }
    let (width, height) = (LEFT + SCALE + RIGHT, y + 12.0);
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" \
         width=\"{width}\" height=\"{height}\" font-family=\"sans-serif\" font-size=\"11\">\n\
         <rect width=\"{width}\" height=\"{height}\" fill=\"#ffffff\"/>\n\
         <text x=\"8\" y=\"20\" font-size=\"15\">CPU per request over HAProxy's layer 4 \
         (less is better, logarithmic)</text>\n{}{}{body}</svg>\n",
        legend(results),
        axis(y),
    )
}

/// Who has which colour.
fn legend(results: &Results) -> String {
    let shown =
        |who: &Contender| results.sections.iter().any(|section| section.contenders.contains(who));
    let mut out = String::new();
    for (at, who) in SHOWN.iter().filter(|who| shown(who)).enumerate() {
        let x = 8.0 + 128.0 * at as f64;
        let _ = writeln!(
            out,
            "<rect x=\"{x}\" y=\"30\" width=\"10\" height=\"10\" fill=\"{}\"/>\
             <text x=\"{}\" y=\"39\">{}</text>",
            colour(*who),
            x + 14.0,
            name(*who),
        );
    }
    out
}

/// Those whose bars are shown, in this order. HAProxy is the line at 1.
const SHOWN: [Contender; 5] = [
    Contender::Envoy,
    Contender::EnvoyFilter,
    Contender::EnvoyGeneric,
    Contender::MetaprotoShared,
    Contender::MetaprotoExclusive,
];

fn colour(who: Contender) -> &'static str {
    match who {
        Contender::Envoy => "#c9b3d9",
        Contender::EnvoyFilter => "#9b6fb5",
        Contender::EnvoyGeneric => "#6d4488",
        Contender::MetaprotoShared => "#0f7b6c",
        _ => "#6cbfae",
    }
}

fn name(who: Contender) -> &'static str {
    match who {
        Contender::EnvoyFilter => "Envoy dubbo/thrift",
        who => who.title(crate::protocol::Protocol::Dubbo),
    }
}

/// Lines at the powers of two, that of HAProxy stronger.
fn axis(bottom: f64) -> String {
    let mut out = String::new();
    let mut ratio = LEAST;
    while ratio <= MOST {
        let (x, haproxy) = (x_of(ratio), ratio == 1.0);
        let stroke = if haproxy { "#444444" } else { "#dddddd" };
        let label = if haproxy { "HAProxy".to_owned() } else { ratio.to_string() };
        let _ = writeln!(
            out,
            "<line x1=\"{x:.1}\" y1=\"{TOP}\" x2=\"{x:.1}\" y2=\"{bottom:.1}\" stroke=\"{stroke}\"/>\
             <text x=\"{x:.1}\" y=\"{}\" text-anchor=\"middle\" fill=\"#666666\">{label}</text>",
            TOP - 6.0,
        );
        ratio *= 2.0;
    }
    out
}

/// The bars of one protocol, from `y` down.
fn panel(section: &Section, y: &mut f64, out: &mut String) {
    let _ = writeln!(
        out,
        "<text x=\"8\" y=\"{:.1}\" font-size=\"13\" font-weight=\"bold\">{}</text>",
        *y + 14.0,
        section.protocol,
    );
    *y += 22.0;
    for (connections, in_flight, body) in CELLS {
        let cell = Cell { connections, in_flight, body };
        let top = *y;
        for who in SHOWN {
            let Some(ratio) = ratio(section, cell, who) else { continue };
            bar(ratio, colour(who), *y, out);
            *y += BAR;
        }
        if *y > top {
            let middle = (top + *y) / 2.0 + 2.0;
            let _ = writeln!(out, "<text x=\"8\" y=\"{middle:.1}\">{}</text>", cell.title());
            *y += 9.0;
        }
    }
}

fn ratio(section: &Section, cell: Cell, who: Contender) -> Option<f64> {
    let base = section.rounds(cell, Contender::Haproxy)?;
    Some(cost_ratio(section.rounds(cell, who)?, base)?.middle)
}

/// A bar from the line of HAProxy to `ratio`, and the number.
fn bar(ratio: f64, colour: &str, y: f64, out: &mut String) {
    let (one, end) = (x_of(1.0), x_of(ratio));
    let _ = writeln!(
        out,
        "<rect x=\"{:.1}\" y=\"{y:.1}\" width=\"{:.1}\" height=\"{}\" fill=\"{colour}\"/>\
         <text x=\"{:.1}\" y=\"{:.1}\">{ratio:.2}</text>",
        one.min(end),
        (end - one).abs().max(1.0),
        BAR - 2.0,
        one.max(end) + 4.0,
        y + BAR - 3.5,
    );
}

/// Where `ratio` stands on the scale.
fn x_of(ratio: f64) -> f64 {
    let share = (ratio.clamp(LEAST, MOST) / LEAST).ln() / (MOST / LEAST).ln();
    LEFT + SCALE * share
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scale_is_logarithmic_and_ends() {
        assert_eq!(x_of(LEAST), LEFT);
        assert_eq!(x_of(MOST * 10.0), LEFT + SCALE);
        let step = x_of(2.0) - x_of(1.0);
        assert!((x_of(8.0) - x_of(4.0) - step).abs() < 1e-9);
    }

    #[test]
    fn a_picture_of_nothing_is_still_one() {
        let picture = svg(&Results::default());
        assert!(picture.starts_with("<svg") && picture.ends_with("</svg>\n"));
    }
}
