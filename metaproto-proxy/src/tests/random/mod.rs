//! Random schedules against a simple model, whatever clients, upstreams and configuration do. Each promise
//! of the design has an assertion here that fails when it is broken:
//!
//! | promise | what is asserted |
//! |---|---|
//! | 1. no bytes panic, spin, or allocate without bound | `world::run`: no task has panicked, and virtual time goes on; [`Play::check_memory`] |
//! | 2. a two-way request ends exactly once, in time | [`Client::check`]: an answer is due; [`Play::all_is_answered`]: none is left; [`Play::check_durations`] |
//! | 3. no response reaches the wrong caller | [`Client::check`]: the body is that of one of the client's own requests, with this id or in this order |
//! | 4. what is not changed is forwarded as it is | [`Play::note_arrival`], and [`Client::check`]: a server has given just this answer |
//! | 5. memory is bounded | [`Play::check_memory`]; [`World::finish`]: nothing is kept |
//! | 6. changes and drains lose no request | [`Play::check_errors`]; [`Play::check_totals`]: nothing is abandoned; `changes_of_configuration_fail_no_call` |
//! | 7. retries are safe, and within a budget | [`Play::note_arrival`], [`Play::check_retries`] |
//! | 8. one upstream does not end a client's connection | [`Play::check_ends`] |
//! | 9. counters conserve | [`World::check_books`] after each step; [`Play::check_totals`] against the model |

mod model;
mod steps;
mod weather;

use std::collections::{HashMap, HashSet, VecDeque};

use metaproto_core::{ErrorKind, StatusClass};
use proptest::prelude::*;
use tokio::io::AsyncWriteExt;
use tokio::time::{sleep, timeout};

use self::model::{Client, Sent};
use self::steps::{Deed, Ending, Step, fair_steps, steps};
use self::weather::{REPEATED, Weather};
use super::world::Door;
use super::*;

/// The kinds of worlds: which modes configuration may change among, and how calls are told apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Clients use few ids, over and over, and so few fit the protocol that they soon wrap.
    FewIds,
    /// Ids are the client's own, so it must not use one twice.
    Bound,
    Order,
}

/// One end of a connection, with what it still has to send.
struct End {
    peer: Peer,
    outgoing: VecDeque<u8>,
    closed: bool,
}

impl End {
    fn new(peer: Peer) -> Self {
        End { peer, outgoing: VecDeque::new(), closed: false }
    }

    /// Writes up to `most` bytes, as far as they are taken at once. If nobody takes them any more, they
    /// are forgotten; what had come before that can still be read.
    async fn write(&mut self, most: usize) -> std::io::Result<()> {
        let mut left = most.min(self.outgoing.len());
        while left > 0 && !self.closed {
            let bytes = &self.outgoing.make_contiguous()[..left];
            match timeout(Duration::ZERO, self.peer.io.write(bytes)).await {
                Err(_) => break,
                Ok(Err(error)) => {
                    self.outgoing.clear();
                    return Err(error);
                }
                Ok(Ok(count)) => {
                    self.outgoing.drain(..count);
                    left -= count;
                }
            }
        }
        Ok(())
    }

    async fn read(&mut self) -> Option<Frame> {
        if self.closed {
            return None;
        }
        self.peer.recv_within(Duration::ZERO).await.unwrap_or_else(|()| {
            self.closed = true;
            None
        })
    }
}

struct Server {
    end: End,
    got: VecDeque<Frame>,
    /// Each ping is answered in another way.
    pings: u32,
    /// It gets copies.
    shadow: bool,
}

impl Server {
    fn pong(&mut self, ping: &Frame, weather: Weather) {
        self.pings += 1;
        let kind = match self.pings % 4 {
            _ if weather == Weather::Fair => toy::PONG,
            0 => return,
            1 => toy::PONG,
            2 => toy::RESPONSE,
            _ => toy::PLAIN_PONG,
        };
        self.end.outgoing.extend(Frame::new(kind, ping.id, 0, "pong").bytes());
    }
}

struct Play<'a> {
    world: &'a World,
    kind: Kind,
    weather: Weather,
    clients: Vec<Client>,
    servers: Vec<Server>,
    /// Every request sent, by its body.
    sent: HashMap<Vec<u8>, Sent>,
    got: model::Got,
    serial: u32,
    /// Clients that have left with no regard to what they had asked for.
    vanished: usize,
    /// Clients that the proxy has let go before their time.
    cut: u64,
    /// Answers that clients were waiting for when the proxy let them go.
    left_over: u64,
    /// There has been a configuration with bounds of the process.
    bounded: bool,
    /// There has been one with a listener that lets clients go after a while.
    aging: bool,
    drains: bool,
}

impl<'a> Play<'a> {
    fn new(world: &'a World, kind: Kind, weather: Weather) -> Self {
        Play {
            world,
            kind,
            weather,
            clients: Vec::new(),
            servers: Vec::new(),
            sent: HashMap::new(),
            got: model::Got::default(),
            serial: 0,
            vanished: 0,
            cut: 0,
            left_over: 0,
            bounded: false,
            aging: false,
            drains: false,
        }
    }

    async fn step(&mut self, step: Step) {
        match step {
            Step::Connect if self.clients.len() < 8 => self.connect().await,
            Step::Connect => {}
            Step::Send { client, repeated, oneway, id, size, code, part } => {
                let first = if repeated { char::from(REPEATED) } else { 'o' };
                self.send(client, (first, oneway, id), (size, code)).await;
                if let Some(client) = nth(&mut self.clients, client) {
                    client.end.write(part).await.ok();
                }
                self.world.settle().await;
            }
            Step::Flood(client, count, size) => {
                for n in 0..count {
                    self.send(client, ('o', false, n as u32), (size, 0)).await;
                }
                // As far as it is read, whatever the pipe takes at a time.
                for _ in 0..2 * count {
                    if let Some(client) = nth(&mut self.clients, client) {
                        client.end.write(usize::MAX).await.ok();
                    }
                    self.world.settle().await;
                }
            }
            Step::Deafen(n) => {
                if let Some(client) = nth(&mut self.clients, n) {
                    client.deaf ^= true;
                }
            }
            Step::HalfClose(n) => {
                if let Some(client) = nth(&mut self.clients, n) {
                    client.half_closed = true;
                }
            }
            Step::Vanish(n) => {
                if !self.clients.is_empty() {
                    self.clients.swap_remove(n % self.clients.len());
                    self.vanished += 1;
                }
            }
            Step::Serve(n, deed) => self.serve(n, deed).await,
            Step::Door(n, door) => self.world.door(n, door),
            Step::Reload(number) => self.apply(number),
            Step::Wait(time) => sleep(ms(time)).await,
        }
        self.pump().await;
        self.check();
    }

    fn apply(&mut self, number: u128) {
        let snapshot = weather::snapshot(self.kind, self.weather, number);
        self.bounded |= snapshot.overload != crate::model::Overload::default();
        self.aging |= snapshot.listeners.iter().any(|l| l.max_connection_age.is_some());
        self.world.apply(snapshot);
    }

    async fn connect(&mut self) {
        self.clients.push(Client::new(self.world.client_with_pipe(3000).await));
    }

    /// Has a client send a request, `(first, oneway, id)` and `(size, code)`, as soon as it can.
    async fn send(&mut self, n: usize, what: (char, bool, u32), how: (usize, u8)) {
        let ((first, oneway, id), (size, code)) = (what, how);
        let Some(client) = nth(&mut self.clients, n).filter(|c| !c.half_closed && !c.end.closed)
        else {
            return;
        };
        let id = match self.kind {
            Kind::FewIds => id % 4,
            Kind::Bound => client.sent,
            Kind::Order => 0,
        };
        client.sent += 1;
        self.serial += 1;
        let mut body = format!("{first}{}.", self.serial).into_bytes();
        body.resize(body.len() + size, self.serial as u8);
        let kind = if oneway { toy::ONEWAY } else { toy::REQUEST };
        client.end.outgoing.extend(Frame::new(kind, id, code, &body).bytes());
        if !oneway {
            *client.due.entry(id).or_default() += 1;
            client.order.push_back(body.clone());
            client.bodies.entry(id).or_default().push(body.clone());
        }
        let repeated = first == char::from(REPEATED);
        let (copied, answers) = (false, HashSet::new());
        self.sent.insert(body, Sent { kind, code, repeated, seen: 0, copied, answers });
    }

    /// Has a server read what has come.
    async fn take(&mut self, n: usize) {
        let mut taken = Vec::new();
        let Some(server) = nth(&mut self.servers, n) else { return };
        let shadow = server.shadow;
        while let Some(frame) = server.end.read().await {
            match frame.kind {
                toy::PONG => {}
                toy::PING => server.pong(&frame, self.weather),
                _ => taken.push(frame),
            }
        }
        for frame in &taken {
            self.note_arrival(frame, shadow);
        }
        // A stray answer to a one-way request may meet its id again where that is short.
        let answered = |frame: &Frame| frame.kind == toy::REQUEST || self.kind == Kind::Bound;
        taken.retain(answered);
        let Some(server) = nth(&mut self.servers, n) else { return };
        server.got.extend(taken);
    }

    /// A server's answers to some of what it got, with this code.
    fn answer(&mut self, n: usize, got: impl IntoIterator<Item = Frame>, code: u8) -> Vec<u8> {
        let shadow = nth(&mut self.servers, n).is_some_and(|server| server.shadow);
        let answer = |got: Frame| {
            if shadow {
                // A client would notice an answer to a copy.
                return response(got.id, "of a copy").bytes();
            }
            if let Some(sent) = self.sent.get_mut(&got.body) {
                sent.answers.insert(code);
            }
            Frame { code, ..response(got.id, &got.body) }.bytes()
        };
        got.into_iter().flat_map(answer).collect()
    }

    /// Takes one of the requests that a server got.
    fn pick(&mut self, server: usize, n: usize) -> Option<Frame> {
        let by_order = self.kind == Kind::Order;
        let got = &mut nth(&mut self.servers, server)?.got;
        let n = if by_order { 0 } else { n % got.len().max(1) };
        got.remove(n)
    }

    async fn serve(&mut self, n: usize, deed: Deed) {
        self.take(n).await;
        let by_order = self.kind == Kind::Order;
        let one = match deed {
            Deed::Answer(at)
            | Deed::AnswerFailing(at)
            | Deed::AnswerBadly(at)
            | Deed::AnswerAndClose(at) => self.pick(n, at),
            Deed::AnswerTwice(at) if !by_order => self.pick(n, at),
            _ => None,
        };
        let Some(server) = nth(&mut self.servers, n) else { return };
        let got = server.got.clone();
        let bytes = match deed {
            Deed::Answer(_) | Deed::AnswerAndClose(_) => self.answer(n, one, 0),
            Deed::AnswerFailing(_) => self.answer(n, one, 8),
            Deed::AnswerAll => {
                server.got.clear();
                self.answer(n, got, 0)
            }
            Deed::AnswerTwice(_) => self.answer(n, one, 0).repeat(2),
            Deed::AnswerUnknown if !by_order => response(u32::MAX, "unknown").bytes(),
            Deed::AnswerBadly(_) => {
                let bad = |got: Frame| Frame::new(toy::BAD, got.id, 0x80, "").bytes();
                one.map(bad).unwrap_or_default()
            }
            Deed::AnswerHalfAndReset => {
                let whole = self.answer(n, got.into_iter().take(1), 0);
                whole.get(..9).map(<[u8]>::to_vec).unwrap_or_default()
            }
            Deed::Garbage => vec![0, 1, 2],
            Deed::Ping => Frame::new(toy::PING, 1, 0, "").bytes(),
            Deed::GoAway => Frame::new(toy::GO_AWAY, 0, 0, "").bytes(),
            Deed::Reset | Deed::AnswerUnknown => Vec::new(),
        };
        let Some(server) = nth(&mut self.servers, n) else { return };
        server.end.outgoing.extend(bytes);
        let ends =
            matches!(deed, Deed::Garbage | Deed::AnswerHalfAndReset | Deed::AnswerAndClose(_));
        if ends {
            server.end.write(usize::MAX).await.ok();
        }
        server.end.closed |= ends || matches!(deed, Deed::Reset);
    }

    /// Lets everybody write and read what goes at once.
    async fn pump(&mut self) {
        self.world.settle().await;
        for n in 1..6 {
            while let Some(peer) = self.world.try_accept(n) {
                let (end, got) = (End::new(peer), VecDeque::new());
                self.servers.push(Server { end, got, pings: 0, shadow: n > 3 });
            }
        }
        for server in &mut self.servers {
            server.end.closed |= server.end.write(usize::MAX).await.is_err();
        }
        self.servers.retain(|server| !server.end.closed);
        for client in &mut self.clients {
            client.end.write(usize::MAX).await.ok();
            if client.half_closed && !client.shut && client.end.outgoing.is_empty() {
                client.end.peer.half_close().await;
                client.shut = true;
            }
        }
        self.world.settle().await;
        for n in 0..self.clients.len() {
            while !self.clients[n].deaf
                && let Some(frame) = self.clients[n].end.read().await
            {
                self.note_answer(n, &frame);
            }
        }
        self.check_ends();
    }

    /// Everybody finishes what was begun.
    async fn finish(mut self, ending: Ending) {
        for n in 1..6 {
            self.world.door(n, Door::Open);
        }
        self.drains = ending == Ending::Drain;
        for client in &mut self.clients {
            client.half_closed |= !self.drains;
            client.deaf = false;
        }
        if self.drains {
            // Whoever is not let go by then has a call that does not end.
            self.world.drain(ms(900_000));
        }
        for n in 0..2000 {
            let deed = if ending == Ending::Silence { None } else { Some(Deed::AnswerAll) };
            for n in 0..self.servers.len() {
                match deed {
                    Some(deed) => self.serve(n, deed).await,
                    None => self.take(n).await,
                }
            }
            self.pump().await;
            if n % 16 == 0 {
                self.check();
            }
            if self.clients.iter().all(|client| client.end.closed) {
                break;
            }
            sleep(ms(if n < 40 { 20 } else { 200 })).await;
        }
        self.check();
        self.all_is_answered();
        self.world.settle().await;
        self.check_totals();
    }
}

fn nth<T>(all: &mut [T], n: usize) -> Option<&mut T> {
    let count = all.len().max(1);
    all.get_mut(n % count)
}

/// What happens from which configuration on, and how it ends.
type Schedule = (u128, (Vec<Step>, Ending));

fn play(kind: Kind, weather: Weather, (first, (steps, ending)): Schedule) {
    run(weather::snapshot(kind, Weather::Fair, 0), async |world| {
        world.upstream_pipe(3000);
        let mut play = Play::new(world, kind, weather);
        play.apply(first);
        play.connect().await;
        for (n, step) in steps.into_iter().enumerate() {
            play.step(step).await;
            if weather == Weather::Fair && n % 8 == 0 {
                for n in 0..play.servers.len() {
                    play.serve(n, Deed::AnswerAll).await;
                }
            }
        }
        play.finish(ending).await;
    });
}

proptest! {
    // An eighth of what `PROPTEST_CASES` asks for.
    #![proptest_config(ProptestConfig {
        cases: ProptestConfig::default().cases / 8,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn answers_find_their_callers_where_ids_are_remapped(first in any::<u128>(), steps in steps()) {
        play(Kind::FewIds, Weather::Any, (first, steps));
    }

    #[test]
    fn answers_find_their_callers_in_any_mode(first in any::<u128>(), steps in steps()) {
        play(Kind::Bound, Weather::Any, (first, steps));
    }

    #[test]
    fn answers_find_their_callers_by_order(first in any::<u128>(), steps in steps()) {
        play(Kind::Order, Weather::Any, (first, steps));
    }

    #[test]
    fn changes_of_configuration_fail_no_call(first in any::<u128>(), steps in fair_steps()) {
        for kind in [Kind::FewIds, Kind::Bound, Kind::Order] {
            play(kind, Weather::Fair, (first, steps.clone()));
        }
    }
}
