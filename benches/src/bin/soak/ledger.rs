//! What became of every call, and what must never happen.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::fmt;
use std::rc::Rc;
use std::time::Duration;

use tokio::time::Instant;

use crate::speech::{Operation, Token};

/// Events that are kept for the history of a call.
const EVENTS: usize = 400_000;
/// Remarks that are kept.
const REMARKS: usize = 5_000;
/// Remarks that are shown with a violation are not older than this.
const RECENT: Duration = Duration::from_secs(1);
/// How long it takes until a configuration is certainly there, or no longer.
const SWITCH: Duration = Duration::from_secs(4);
/// Violations that are kept with their histories; further ones are only counted.
const DETAILED: usize = 20;

/// The ledger as everybody writes into it. All tasks run on one thread.
pub(crate) type Book = Rc<RefCell<Ledger>>;

/// How a call ended, for its caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// With the response to it.
    Answered,
    /// With an error in the protocol, of this number.
    Error(i32),
    /// With its connection.
    Closed,
    /// It was sent, and has no answer.
    Oneway,
    /// Not at all, although its time was up long ago.
    Hanging,
}

/// A step of a call.
#[derive(Clone, Copy, Debug)]
enum Step {
    /// With this id.
    Sent(u32),
    /// By a backend, on one of its connections.
    Seen(usize, u32),
    Done(&'static str),
    Ended(End),
    Doubted,
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Step::Sent(id) => write!(f, "sent with id {id}"),
            Step::Seen(backend, number) => {
                write!(f, "seen by backend {backend}, connection {number}")
            }
            Step::Done(what) => write!(f, "which {what}"),
            Step::Ended(end) => write!(f, "ended: {end:?}"),
            Step::Doubted => f.write_str("the violation"),
        }
    }
}

/// The numbers that must come out even.
#[derive(Clone, Debug, Default)]
pub(crate) struct Totals {
    /// Calls that clients have sent, or begun to.
    pub(crate) sent: u64,
    /// With their responses.
    pub(crate) answered: u64,
    /// With errors in the protocol, by their numbers.
    pub(crate) errors: BTreeMap<i32, u64>,
    /// With their connections.
    pub(crate) closed: u64,
    /// Without an answer to come.
    pub(crate) oneway: u64,
    /// Not at all.
    pub(crate) hanging: u64,
    /// Besides calls: what was sent that is no frame. The proxy may count it as a call.
    pub(crate) garbage: u64,
}

impl Totals {
    /// All calls that ended with an error.
    pub(crate) fn errors(&self) -> u64 {
        self.errors.values().sum()
    }

    /// Calls whose end is not known.
    pub(crate) fn open(&self) -> u64 {
        let ended = self.answered + self.errors() + self.closed + self.oneway + self.hanging;
        self.sent.saturating_sub(ended)
    }
}

impl fmt::Display for Totals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Totals { sent, answered, errors, closed, oneway, hanging, .. } = self;
        write!(f, "{sent} sent = {answered} answered + {} errors + ", self.errors())?;
        write!(f, "{closed} closed + {oneway} one-way + {hanging} hanging + {} open", self.open())?;
        if !errors.is_empty() {
            write!(f, "; errors: {errors:?}")?;
        }
        Ok(())
    }
}

/// All that is known of all calls.
#[derive(Debug)]
pub(crate) struct Ledger {
    started: Instant,
    /// All operations together.
    pub(crate) totals: Totals,
    /// How often backends have seen the calls of each client, by their numbers.
    seen: HashMap<u32, Vec<u8>>,
    /// The calls of which copies have been seen, by client and number.
    copied: HashSet<(u32, u32)>,
    /// Until when the process may have bounds, for which it closes what clients it likes.
    bounded_until: Option<Instant>,
    /// Connections that the proxy has closed for no other reason.
    pub(crate) let_go: u64,
    /// Requests that backends have seen.
    pub(crate) sightings: u64,
    steps: VecDeque<(Instant, Token, Step)>,
    remarks: VecDeque<(Instant, String)>,
    violations: Vec<String>,
    uncounted: usize,
    /// Whether no backend ever does what loses a call.
    pub(crate) fair: bool,
    /// Since when the proxy may end connections, because it was asked to end.
    pub(crate) drained: Option<Instant>,
}

impl Ledger {
    /// An empty one.
    pub(crate) fn new() -> Self {
        Ledger {
            started: Instant::now(),
            totals: Totals::default(),
            seen: HashMap::new(),
            copied: HashSet::new(),
            bounded_until: None,
            let_go: 0,
            sightings: 0,
            steps: VecDeque::new(),
            remarks: VecDeque::new(),
            violations: Vec::new(),
            uncounted: 0,
            fair: false,
            drained: None,
        }
    }

    /// A client sends a call.
    pub(crate) fn sent(&mut self, token: Token, id: u32) {
        self.totals.sent += 1;
        self.step(token, Step::Sent(id));
    }

    /// A call has come to its end.
    pub(crate) fn ended(&mut self, token: Token, end: End) {
        self.step(token, Step::Ended(end));
        let totals = &mut self.totals;
        match end {
            End::Answered => totals.answered += 1,
            End::Error(code) => *totals.errors.entry(code).or_default() += 1,
            End::Closed => totals.closed += 1,
            End::Oneway => totals.oneway += 1,
            End::Hanging => totals.hanging += 1,
        }
    }

    /// A backend has read a whole request.
    pub(crate) fn seen(&mut self, token: Token, backend: usize, connection: u32) {
        self.sightings += 1;
        self.step(token, Step::Seen(backend, connection));
        let counts = self.seen.entry(token.client).or_default();
        let at = token.number as usize;
        if counts.len() <= at {
            counts.resize(at + 1, 0);
        }
        counts[at] = counts[at].saturating_add(1);
        if counts[at] > 1 && !token.operation.may_repeat() {
            self.violation("a backend sees a call twice that nobody may repeat", Some(token));
        }
    }

    /// A backend has read a copy of a request.
    pub(crate) fn copied(&mut self, token: Token) {
        if !self.copied.insert((token.client, token.number)) {
            self.violation("a call is copied twice", Some(token));
        }
    }

    /// How many calls have been copied.
    pub(crate) fn copies(&self) -> usize {
        self.copied.len()
    }

    /// The next configuration has bounds of the process, or has none. For a while it is not certain
    /// which one holds.
    pub(crate) fn bound(&mut self, bounded: bool) {
        if bounded {
            self.bounded_until = Some(Instant::now() + Duration::from_secs(3600));
        } else if let Some(until) = &mut self.bounded_until {
            *until = (*until).min(Instant::now() + SWITCH);
        }
    }

    /// Whether the proxy may let clients go because of the bounds of the process.
    pub(crate) fn is_bounded(&self) -> bool {
        self.bounded_until.is_some_and(|until| Instant::now() < until)
    }

    /// A backend does something about a request.
    pub(crate) fn done(&mut self, token: Token, what: &'static str) {
        self.step(token, Step::Done(what));
    }

    /// Keeps what else happens: changes of configuration, of backends.
    pub(crate) fn remark(&mut self, text: String) {
        if self.remarks.len() == REMARKS {
            self.remarks.pop_front();
        }
        self.remarks.push_back((Instant::now(), text));
    }

    /// Something that must not happen, to a call or in general.
    pub(crate) fn violation(&mut self, what: &'static str, token: Option<Token>) {
        self.violation_with(what, token, String::new());
    }

    /// The same, with what else is known.
    pub(crate) fn violation_with(
        &mut self,
        what: &'static str,
        token: Option<Token>,
        more: String,
    ) {
        if self.violations.len() == DETAILED {
            self.uncounted += 1;
            return;
        }
        let now = Instant::now();
        let mut text = format!("at {:.3} s: {what}", self.seconds(now));
        if !more.is_empty() {
            text += &format!(": {more}");
        }
        if let Some(token) = token {
            self.step(token, Step::Doubted);
            text += &format!("\n  token {token} ({:?})", token.operation);
            for (at, _, step) in self.steps.iter().filter(|(_, whose, _)| *whose == token) {
                text += &format!("\n  {:9.3} s  {step}", self.seconds(*at));
            }
        }
        text += "\n  meanwhile:";
        for (at, remark) in self.remarks.iter().filter(|(at, _)| now - *at < RECENT) {
            text += &format!("\n  {:9.3} s  {remark}", self.seconds(*at));
        }
        eprintln!("VIOLATION {text}");
        self.violations.push(text);
    }

    /// How many violations there were.
    pub(crate) fn violations(&self) -> usize {
        self.violations.len() + self.uncounted
    }

    /// Calls of each operation that more than one backend has seen are legitimate; how many there
    /// were of all.
    pub(crate) fn repeated(&self) -> usize {
        self.seen.values().flatten().filter(|count| **count > 1).count()
    }

    fn step(&mut self, token: Token, step: Step) {
        if self.steps.len() == EVENTS {
            self.steps.pop_front();
        }
        self.steps.push_back((Instant::now(), token, step));
    }

    fn seconds(&self, at: Instant) -> f64 {
        at.duration_since(self.started).as_secs_f64()
    }
}

/// True if a call of it has an answer.
pub(crate) fn is_two_way(operation: Operation) -> bool {
    operation != Operation::Oneway
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(operation: Operation) -> Token {
        Token { client: 1, number: 2, size: 27, operation }
    }

    #[test]
    fn every_call_is_in_one_column() {
        let mut ledger = Ledger::new();
        let ends = [End::Answered, End::Error(-6), End::Closed, End::Oneway, End::Hanging];
        for end in ends {
            ledger.sent(token(Operation::Once), 1);
            assert_eq!(ledger.totals.open(), 1);
            ledger.ended(token(Operation::Once), end);
            assert_eq!(ledger.totals.open(), 0);
        }
        assert_eq!(ledger.totals.sent, 5);
    }

    #[test]
    fn only_calls_that_may_be_repeated_may_be_seen_twice() {
        for operation in Operation::ALL {
            let mut ledger = Ledger::new();
            ledger.seen(token(operation), 0, 0);
            assert_eq!(ledger.violations(), 0);
            ledger.seen(token(operation), 1, 0);
            assert_eq!(ledger.violations() == 0, operation.may_repeat(), "{operation:?}");
        }
    }
}
