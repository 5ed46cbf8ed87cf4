//! The ways to be a client.

use clap::ValueEnum;

/// How a client behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Manner {
    /// It waits for its answers, and reads them at once.
    Polite,
    /// The same, and its frames come in pieces.
    Pieces,
    /// It takes few ids, again and again.
    FewIds,
    /// It ends its own side with calls in flight, and waits for the answers.
    HalfClose,
    /// It resets its connection with calls in flight.
    Reset,
    /// It closes its connection with calls in flight.
    Leave,
    /// It closes within a frame.
    Cut,
    /// It reads slowly, and asks for much.
    Slow,
    /// It sends what is no frame behind its calls.
    Garbage,
    /// It connects, and calls nobody.
    Idle,
}

impl Manner {
    /// True if the proxy has no reason to end the connection with calls in flight.
    pub(crate) fn is_served(self) -> bool {
        use Manner::{FewIds, HalfClose, Pieces, Polite};
        matches!(self, Polite | Pieces | FewIds | HalfClose)
    }

    /// Those that clients take turns with; most of them behave.
    pub(crate) fn all() -> Vec<Manner> {
        let more = [Manner::Polite, Manner::Polite, Manner::Pieces, Manner::Polite];
        Manner::value_variants().iter().copied().chain(more).collect()
    }
}
