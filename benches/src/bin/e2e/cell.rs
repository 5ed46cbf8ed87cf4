//! The shape of one load.

use std::fmt;
use std::str::FromStr;

use crate::protocol::MAX_BODY;

const DEFAULT_BODY: usize = 128;
/// Bytes in flight above which a load tells more of memory than of proxies.
const MOST: usize = 64 << 20;
const MAX_CONNECTIONS: usize = 20_000;
const MAX_IN_FLIGHT: usize = 4096;

/// One row of the comparison: how many connections, how many calls each keeps in flight, and
/// how large their bodies are. Written `64x1` or `16x1x65536`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Cell {
    /// Client connections.
    pub(crate) connections: usize,
    /// Calls that each connection keeps in flight.
    pub(crate) in_flight: usize,
    /// Bytes in each request's body, and in its response's.
    pub(crate) body: usize,
}

impl Cell {
    /// All that is asked for: bodies of 128 bytes, 1 KiB and 64 KiB; 1, 64 and 1000 connections;
    /// one call each, and 64. Without those that would have more than [`MOST`] in flight.
    pub(crate) fn grid() -> Vec<Self> {
        let mut cells = Vec::new();
        for body in [128, 1024, 65_536] {
            for in_flight in [1, 64] {
                for connections in [1, 64, 1000] {
                    cells.push(Cell { connections, in_flight, body });
                }
            }
        }
        cells.retain(|cell| cell.connections * cell.in_flight * cell.body <= MOST);
        cells
    }

    /// Few cells that differ much, for a look whether everything works.
    pub(crate) fn corners() -> Vec<Self> {
        let cell = |connections, in_flight, body| Cell { connections, in_flight, body };
        vec![cell(64, 1, 128), cell(64, 64, 128), cell(64, 1, 65_536)]
    }

    /// The row's name.
    pub(crate) fn title(&self) -> String {
        let Cell { connections, in_flight, body } = *self;
        match body {
            _ if body > 0 && body.is_multiple_of(1024) => {
                format!("{connections} x {in_flight}, {} KiB", body / 1024)
            }
            _ => format!("{connections} x {in_flight}, {body} B"),
        }
    }
}

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}x{}x{}", self.connections, self.in_flight, self.body)
    }
}

impl FromStr for Cell {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let numbers: Vec<usize> = text
            .split('x')
            .map(|number| number.parse().map_err(|_| format!("`{number}` is not a number")))
            .collect::<Result<_, _>>()?;
        let cell = match numbers[..] {
            [connections, in_flight] => Cell { connections, in_flight, body: DEFAULT_BODY },
            [connections, in_flight, body] => Cell { connections, in_flight, body },
            _ => return Err("expected CONNECTIONSxIN_FLIGHT[xBODY_BYTES], like 64x1".to_owned()),
        };
        if !(1..=MAX_CONNECTIONS).contains(&cell.connections) {
            return Err(format!("connections must be 1 to {MAX_CONNECTIONS}"));
        }
        if !(1..=MAX_IN_FLIGHT).contains(&cell.in_flight) {
            return Err(format!("calls in flight must be 1 to {MAX_IN_FLIGHT}"));
        }
        if cell.body > MAX_BODY {
            return Err(format!("the body must be at most {} bytes", MAX_BODY));
        }
        Ok(cell)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_body_defaults_to_128_bytes() {
        assert_eq!("64x1".parse(), Ok(Cell { connections: 64, in_flight: 1, body: 128 }));
    }

    #[test]
    fn the_written_form_reads_back() {
        let cell = Cell { connections: 16, in_flight: 2, body: 65_536 };
        assert_eq!(cell.to_string().parse(), Ok(cell));
    }

    #[test]
    fn shapes_that_make_no_load_are_refused() {
        for text in ["", "64", "0x1", "1x0", "1x1x1x1", "ax1", "1x1x999999999"] {
            assert!(text.parse::<Cell>().is_err(), "{text}");
        }
    }

    #[test]
    fn titles_name_the_body_in_the_unit_that_fits() {
        let title = |text: &str| text.parse::<Cell>().unwrap().title();
        assert_eq!(title("4x64"), "4 x 64, 128 B");
        assert_eq!(title("16x1x65536"), "16 x 1, 64 KiB");
    }

    #[test]
    fn the_grid_leaves_out_what_would_fill_the_memory() {
        let grid = Cell::grid();
        let has = |text: &str| grid.contains(&text.parse().unwrap());
        assert!(has("1000x64x128") && has("1000x64x1024") && has("1000x1x65536"));
        assert!(!has("64x64x65536") && !has("1000x64x65536"));
    }
}
