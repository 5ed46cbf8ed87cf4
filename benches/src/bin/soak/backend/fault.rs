//! The ways to misbehave.

use clap::ValueEnum;

use crate::speech::Speech;

/// What is wrong with a backend.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Fault {
    /// Nothing: it answers at once.
    None,
    /// It takes its time, another one for each request: answers come out of order, or too late.
    Late,
    /// It answers twice.
    Twice,
    /// It sends what is no frame instead of an answer, and closes or not.
    Garbage,
    /// It sends the first part of an answer, and closes.
    Cut,
    /// It resets the connection instead of an answer.
    Reset,
    /// It closes behind each answer.
    Close,
    /// It sends no more behind an answer, but reads on.
    HalfClose,
    /// It refuses, in the protocol.
    Refuse,
    /// It answers in small pieces.
    Dribble,
    /// It answers requests that nobody made, besides those that were.
    Stray,
    /// It reads and never answers.
    BlackHole,
    /// It reads nothing for a while.
    Unread,
    /// Nobody listens any more, and all connections are lost.
    Gone,
    /// It does not accept connections; few wait, further ones are not even made.
    Deaf,
    /// Any of those that a single request can have.
    Mixed,
}

impl Fault {
    /// Those that each request can have for itself.
    ///
    /// Where order tells answers apart, a server that answers twice makes all that follow wrong; no
    /// proxy could tell.
    pub(crate) fn of_requests(speech: &Speech) -> Vec<Fault> {
        let ordered = speech.in_order();
        let fits = move |fault: &Fault| !ordered || !matches!(fault, Fault::Twice | Fault::Stray);
        let good = [Fault::None; 12].into_iter();
        let bad = [
            Fault::Late,
            Fault::Late,
            Fault::Late,
            Fault::Twice,
            Fault::Garbage,
            Fault::Cut,
            Fault::Reset,
            Fault::Close,
            Fault::HalfClose,
            Fault::Refuse,
            Fault::Dribble,
            Fault::Stray,
            Fault::BlackHole,
        ];
        good.chain(bad).filter(fits).collect()
    }

    /// All that fit to a protocol, and those that leave most calls alone more than once.
    pub(crate) fn all(speech: &Speech) -> Vec<Fault> {
        let ordered = speech.in_order();
        let fits = |fault: &&Fault| !ordered || !matches!(fault, Fault::Twice | Fault::Stray);
        let more = [Fault::None, Fault::None, Fault::None, Fault::Late, Fault::Mixed, Fault::Mixed];
        Fault::value_variants().iter().filter(fits).copied().chain(more).collect()
    }
}
