//! What must come back to clients, and what must be true of a schedule as a whole.

use super::weather::{BUFFER, IN_FLIGHT, LONGEST, MOST_RETRIES, MOST_TRIES};
use super::*;
use crate::counters::{Counters, Outcome};

/// No frame is larger.
const LARGEST: usize = 6100;

/// A request as its client sent it.
#[derive(Debug)]
pub(super) struct Sent {
    pub(super) kind: u8,
    pub(super) code: u8,
    pub(super) repeated: bool,
    /// How often it has arrived.
    pub(super) seen: u32,
    /// Whether a copy of it has arrived.
    pub(super) copied: bool,
    /// The codes of the answers that servers have given to it.
    pub(super) answers: HashSet<u8>,
}

pub(super) struct Client {
    pub(super) end: End,
    pub(super) sent: u32,
    pub(super) half_closed: bool,
    pub(super) shut: bool,
    /// It does not read.
    pub(super) deaf: bool,
    /// Its end has been judged.
    pub(super) judged: bool,
    /// The bodies that may come back, by id; those already answered are taken out.
    pub(super) bodies: HashMap<u32, Vec<Vec<u8>>>,
    /// How many answers are due, by id.
    pub(super) due: HashMap<u32, usize>,
    /// The same for protocols without ids: the bodies in order.
    pub(super) order: VecDeque<Vec<u8>>,
}

impl Client {
    pub(super) fn new(peer: Peer) -> Self {
        Client {
            end: End::new(peer),
            sent: 0,
            half_closed: false,
            shut: false,
            deaf: false,
            judged: false,
            bodies: HashMap::new(),
            due: HashMap::new(),
            order: VecDeque::new(),
        }
    }

    /// Whether an answer has still to come.
    pub(super) fn waits(&self) -> bool {
        self.due.values().any(|count| *count > 0)
    }

    /// An answer is one that is due, and the right one. Tells which error it is, if it is one.
    fn check(
        &mut self,
        frame: &Frame,
        kind: Kind,
        sent: &HashMap<Vec<u8>, Sent>,
    ) -> Option<ErrorKind> {
        assert_eq!(frame.kind, toy::RESPONSE, "{frame:?}");
        let due = self.due.get_mut(&frame.id).filter(|due| **due > 0);
        *due.unwrap_or_else(|| panic!("nobody asked: {frame:?}")) -= 1;
        let next = self.order.pop_front();
        if let Some(error) = frame.error() {
            return Some(error);
        }
        if kind == Kind::Order {
            assert_eq!(Some(&frame.body), next.as_ref(), "out of order");
        }
        let bodies = self.bodies.entry(frame.id).or_default();
        let own = bodies.iter().position(|body| *body == frame.body);
        bodies.swap_remove(own.unwrap_or_else(|| panic!("somebody else's: {frame:?}")));
        let given = sent.get(&frame.body).is_some_and(|sent| sent.answers.contains(&frame.code));
        assert!(given, "no server gave this answer: {frame:?}");
        None
    }
}

/// What clients have got.
#[derive(Debug, Default)]
pub(super) struct Got {
    pub(super) responses: u64,
    pub(super) errors: u64,
}

impl Play<'_> {
    /// What has come for the n-th client.
    pub(super) fn note_answer(&mut self, n: usize, frame: &Frame) {
        if frame.kind == toy::GO_AWAY {
            let passes = self.kind != Kind::FewIds || self.bounded || self.aging || self.drains;
            return assert!(passes, "a go-away that is not for clients");
        }
        match self.clients[n].check(frame, self.kind, &self.sent) {
            None => self.got.responses += 1,
            Some(error) => {
                self.got.errors += 1;
                self.check_error(error, frame);
            }
        }
    }

    /// Each error has a reason in what servers and configurations do; a change of configuration is none.
    fn check_error(&self, error: ErrorKind, frame: &Frame) {
        let expected = match self.weather {
            Weather::Fair => false,
            Weather::Any => matches!(
                error,
                ErrorKind::NoHealthyUpstream
                    | ErrorKind::ConnectionFailure
                    | ErrorKind::UpstreamReset
                    | ErrorKind::Timeout
                    | ErrorKind::BadResponse
                    | ErrorKind::Overloaded
            ),
        };
        assert!(expected, "{error:?} without a reason: {frame:?}");
    }

    /// What has arrived at a server is what was sent, and not more often than it may be.
    pub(super) fn note_arrival(&mut self, frame: &Frame, shadow: bool) {
        let sent = self.sent.get_mut(&frame.body).expect("a body that nobody sent");
        assert_eq!((frame.kind, frame.code), (sent.kind, sent.code), "changed: {frame:?}");
        if self.kind == Kind::Order {
            assert_eq!(frame.id, 0, "changed: {frame:?}");
        }
        if shadow {
            assert!(!std::mem::replace(&mut sent.copied, true), "copied twice: {frame:?}");
            return;
        }
        sent.seen += 1;
        let most = if sent.repeated && sent.kind == toy::REQUEST { MOST_TRIES } else { 1 };
        assert!(sent.seen <= most, "sent {} times: {frame:?}", sent.seen);
    }

    /// What holds at any time.
    pub(super) fn check(&mut self) {
        self.world.check_books();
        let counters = self.world.counters();
        self.check_memory(&counters);
        self.check_durations(&counters);
        self.check_retries(&counters);
    }

    /// Buffers are bounded, whatever clients send and servers don't take: a peer that has more to take
    /// than a buffer stops those who send to it, of whom each may have sent one frame too much. What was
    /// meant for a server that can't be connected to may come on top. Responses are bounded by what a
    /// client has in flight.
    fn check_memory(&self, counters: &Counters) {
        let clients = self.clients.len() + self.vanished;
        let l = counters.listeners.get("l").cloned().unwrap_or_default();
        assert!(l.active as usize <= clients * IN_FLIGHT, "{} requests are in flight", l.active);
        let down = l.buffered as usize;
        let most = clients * (BUFFER + (IN_FLIGHT + 1) * LARGEST);
        assert!(down <= most, "{down} bytes are held for clients");

        let worker = self.world.worker.borrow();
        let kept: usize = worker.clusters.values().map(|cluster| cluster.kept.get()).sum();
        assert!(kept <= 2 * clients * IN_FLIGHT * LARGEST, "{kept} bytes are kept");
        let up: u64 = counters.clusters.values().map(|cluster| cluster.buffered).sum();
        let up = up as usize - kept;
        let places = worker.upstreams.len() + worker.endpoints.len();
        let most = places * (BUFFER + 2 * LARGEST) + 2 * clients * LARGEST;
        assert!(up <= most, "{up} bytes are held for servers");
    }

    /// No call has taken longer than its route allows.
    fn check_durations(&self, counters: &Counters) {
        for listener in counters.listeners.values() {
            let duration = &listener.duration;
            let bound = LONGEST.as_micros() + 100_000;
            let mut within = duration.cumulative().filter(|(at, _)| u128::from(*at) <= bound);
            let within = within.by_ref().last().map_or(0, |(_, count)| count);
            assert_eq!(within, duration.count(), "some calls have taken too long");
        }
    }

    /// Tries are counted, and never too many at a time.
    fn check_retries(&self, counters: &Counters) {
        for cluster in self.world.worker.borrow().clusters.values() {
            assert!(cluster.retries.get() <= MOST_RETRIES, "too many retries");
        }
        let again = self.sent.values().map(|sent| u64::from(sent.seen.saturating_sub(1)));
        let again: u64 = again.sum();
        let c = counters.clusters.get("c").cloned().unwrap_or_default();
        // Each hedged request is sent once more; what is tried again of it is counted.
        let hedged = self.sent.values().filter(|sent| sent.seen > 1).count() as u64;
        assert!(again <= c.retries + hedged, "{again} tries, {} retries are counted", c.retries);
        let seen: u64 = self.sent.values().map(|sent| u64::from(sent.seen)).sum();
        assert!(seen <= c.requests, "{seen} have arrived, {} are counted", c.requests);
        let copied = self.sent.values().filter(|sent| sent.copied).count() as u64;
        let m = counters.clusters.get("m").cloned().unwrap_or_default();
        assert!(copied <= m.mirrored, "{copied} copies, {} are counted", m.mirrored);
    }

    /// Clients lose their connections only because they were asked for, for the limits of the process,
    /// because they leave a frame without its end, and each of these is counted, or for their age. Their
    /// age and their frames cost no call that has been read.
    pub(super) fn check_ends(&mut self) {
        for client in self.clients.iter_mut().filter(|client| client.end.closed && !client.judged) {
            client.judged = true;
            self.left_over += client.due.values().map(|due| *due as u64).sum::<u64>();
            let done = client.shut && !client.waits() || self.drains;
            self.cut += u64::from(!done);
        }
        let l = self.world.listener();
        let limits = l.overload_closed + l.connections_refused;
        let most = limits + l.frame_timeouts;
        assert!(self.aging || self.cut <= most, "a client was closed without reason");
        if limits == 0 {
            // In a drain, and of a client that is let go, what has not been read yet is left over.
            let unread = self.sent.len() as u64 - l.started;
            assert!(self.left_over <= unread, "{} calls are left over", self.left_over);
        }
    }

    /// At the end: nobody waits, and everybody has been let go.
    pub(super) fn all_is_answered(&self) {
        for client in self.clients.iter().filter(|client| !client.judged) {
            let due: Vec<_> = client.due.iter().filter(|(_, count)| **count > 0).collect();
            assert!(due.is_empty(), "no answer came for the ids {due:?}");
            assert!(client.end.closed, "a client that has all its answers is still connected");
        }
    }

    /// At the end: what is counted is what has happened, as far as nobody left before the end.
    pub(super) fn check_totals(&self) {
        if self.vanished > 0 || self.cut > 0 {
            return;
        }
        let l = self.world.listener();
        assert_eq!(l.active, 0);
        if !self.drains {
            assert_eq!(l.started, self.sent.len() as u64, "not all requests are counted");
        }
        let count = |outcome| l.completed.of(outcome);
        assert_eq!(count(Outcome::Abandoned), 0, "calls of nobody: {l:?}");
        let responses = StatusClass::ALL.into_iter().map(|class| count(Outcome::Response(class)));
        assert_eq!(responses.sum::<u64>(), self.got.responses, "{l:?}");
        let errors: u64 = ErrorKind::ALL.iter().map(|kind| count(Outcome::Error(*kind))).sum();
        let oneway = errors - self.got.errors.min(errors) + count(Outcome::Oneway);
        assert_eq!(l.started, self.got.responses + self.got.errors + oneway, "{l:?}");
    }
}
