//! What was measured, and how it is shown.

mod bars;
mod plot;
mod summary;
mod tables;

pub(crate) use self::plot::svg;
pub(crate) use self::summary::cpu_per_request;
pub(crate) use self::tables::{document, markdown};
use crate::cell::Cell;
use crate::compare::Contender;
use crate::load::Report;
use crate::protocol::Protocol;

/// One measurement each round; None where it failed.
pub(crate) type Rounds = Vec<Option<Report>>;

/// What one load brought.
#[derive(Debug)]
pub(crate) struct PerCell<T> {
    /// The load.
    pub(crate) cell: Cell,
    /// One for each that it was put on.
    pub(crate) all: Vec<T>,
}

/// Everything that one run measured.
#[derive(Debug, Default)]
pub(crate) struct Results {
    /// What holds for all numbers: versions, CPUs, lengths.
    pub(crate) notes: Vec<String>,
    /// Calls a second for the latency.
    pub(crate) rate: u32,
    /// One for each protocol.
    pub(crate) sections: Vec<Section>,
    /// How many routes the entries of `routes` have.
    pub(crate) route_counts: Vec<usize>,
    /// CPU per request by number of routes.
    pub(crate) routes: Vec<PerCell<Rounds>>,
    /// One worker, and two.
    pub(crate) workers: Option<PerCell<Rounds>>,
    /// What went wrong, for the user.
    pub(crate) problems: Vec<String>,
}

/// What was measured of one protocol. Inner lists have one entry for each contender; they are
/// empty where nothing was asked for.
#[derive(Debug)]
pub(crate) struct Section {
    /// What was spoken.
    pub(crate) protocol: Protocol,
    /// Who took part.
    pub(crate) contenders: Vec<Contender>,
    /// Closed loops.
    pub(crate) cost: Vec<PerCell<Rounds>>,
    /// The open loop.
    pub(crate) latency: Vec<Rounds>,
    /// Bytes for each idle connection, one value each round.
    pub(crate) memory: Vec<Vec<f64>>,
    /// System calls per request.
    pub(crate) system_calls: Vec<PerCell<Option<f64>>>,
    /// Allocations per request.
    pub(crate) allocations: Vec<Option<f64>>,
}

impl Section {
    /// Nothing measured yet.
    pub(crate) fn new(protocol: Protocol, contenders: Vec<Contender>) -> Self {
        Section {
            protocol,
            contenders,
            cost: Vec::new(),
            latency: Vec::new(),
            memory: Vec::new(),
            system_calls: Vec::new(),
            allocations: Vec::new(),
        }
    }

    fn place_of(&self, contender: Contender) -> Option<usize> {
        self.contenders.iter().position(|other| *other == contender)
    }

    /// The rounds of `contender` in the closed loop `cell`.
    fn rounds(&self, cell: Cell, contender: Contender) -> Option<&[Option<Report>]> {
        let found = self.cost.iter().find(|cost| cost.cell == cell)?;
        found.all.get(self.place_of(contender)?).map(Vec::as_slice)
    }
}
