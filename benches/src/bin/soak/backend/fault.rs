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
    /// It says that it wants no further requests, and answers all the same.
    GoAway,
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
    pub(crate) fn of_requests(speech: &Speech) -> Vec<Fault> {
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
            Fault::GoAway,
            Fault::BlackHole,
        ];
        good.chain(bad).filter(|fault| fault.fits(speech)).collect()
    }

    /// Whether a server that does this answers all calls in time.
    pub(crate) fn is_fair(self) -> bool {
        matches!(self, Fault::None | Fault::Twice | Fault::Stray | Fault::Dribble)
    }

    /// Whether a server can do this in a protocol. Where order tells answers apart, one that answers
    /// twice makes all that follow wrong; no proxy could tell.
    fn fits(self, speech: &Speech) -> bool {
        match self {
            Fault::Twice | Fault::Stray => !speech.in_order(),
            Fault::GoAway => speech.go_away().is_some(),
            _ => true,
        }
    }

    /// All that fit to a protocol, and those that leave most calls alone more than once.
    pub(crate) fn all(speech: &Speech) -> Vec<Fault> {
        let more = [Fault::None, Fault::None, Fault::None, Fault::Late, Fault::Mixed, Fault::Mixed];
        let fitting = Fault::value_variants().iter().filter(|fault| fault.fits(speech));
        fitting.copied().chain(more).collect()
    }
}
