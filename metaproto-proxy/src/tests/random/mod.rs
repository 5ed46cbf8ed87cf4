//! Random schedules against a simple model: every two-way request gets exactly one answer, and never
//! somebody else's, whatever clients, upstreams and configuration do.

mod steps;

use std::collections::{HashMap, HashSet, VecDeque};

use proptest::prelude::*;
use tokio::io::AsyncWriteExt;
use tokio::time::{sleep, timeout};

use self::steps::{Deed, Step, steps};
use super::world::Door;
use super::*;
use crate::model::{Balance, HashKey, Mirror, WeightedCluster};

/// The kinds of worlds: which modes configuration may change among, and how calls are told apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Clients use few ids, over and over, and so few fit the protocol that they soon wrap.
    FewIds,
    /// Ids are the client's own, so it must not use one twice.
    Bound,
    Order,
}

impl Kind {
    fn snapshot(self, n: usize) -> Snapshot {
        let modes: &[Sharing] = match self {
            Kind::FewIds => &[Sharing::Shared, Sharing::Exclusive],
            Kind::Bound => &MODES,
            Kind::Order => &[Sharing::Exclusive, Sharing::Bound],
        };
        let endpoints: &[u8] = [&[1, 2][..], &[1], &[2, 3], &[3, 1, 2], &[]][n % 5];
        let mode = modes[n / 5 % modes.len()];
        let mut cluster = Cluster::new("c", endpoints.iter().copied().map(address)).sharing(mode);
        cluster.max_connections = 1 + n / 16 % 4;
        cluster.connections = 1 + n / 64 % 2;
        cluster.keepalive = Keepalive::On(KeepaliveTimes {
            interval: ms(300),
            timeout: ms(1 + n as u64 / 128 % 200),
        });
        balance(&mut cluster, n >> 20);
        let toy = Toy {
            by_order: self == Kind::Order,
            id_bits: if self == Kind::FewIds { 5 } else { 32 },
            ..Toy::default()
        };
        let mut listener = listener_of(toy);
        (listener.buffer, listener.max_in_flight) = (8000, 6);
        if (n >> 40) % 3 == 1 {
            let one = WeightedCluster::new("c", 1).label("half", "1");
            let mut split = Route::to("c");
            split.clusters = vec![one, WeightedCluster::new("c", 2).label("half", "0")];
            split.sticky = vec![HashKey::Property("to".into())];
            listener.routes = vec![Arc::new(split)];
        }
        let snapshot = Snapshot::new().cluster(cluster);
        if n >> 44 & 1 == 0 {
            return snapshot.listener(listener);
        }
        for route in &mut listener.routes {
            let mut mirror = Mirror::to("m").share([Mirror::ALL, 400_000][n >> 45 & 1]);
            mirror.compare = n >> 46 & 1 == 0;
            *route = Arc::new(route.as_ref().clone().mirror(mirror));
        }
        snapshot.listener(listener).cluster(self.shadow(n >> 47))
    }

    /// The cluster that gets copies.
    fn shadow(self, n: usize) -> Cluster {
        let endpoints = [&[4, 5][..], &[5], &[]][n % 3];
        let by_order = self == Kind::Order || (n / 3).is_multiple_of(2);
        let mode = if by_order { Sharing::Exclusive } else { Sharing::Shared };
        let mut cluster = Cluster::new("m", endpoints.iter().copied().map(address)).sharing(mode);
        cluster.max_connections = 1 + n / 6 % 3;
        cluster.max_mirrored = 1 + n / 18 % 9;
        cluster
    }
}

/// Has a cluster choose among its endpoints in one of many ways.
fn balance(cluster: &mut Cluster, n: usize) {
    cluster.balance = [
        Balance::RoundRobin,
        Balance::Random,
        Balance::LeastRequest,
        Balance::PeakEwma { decay: ms(1000) },
        Balance::RingHash { ring_size: 64 },
        Balance::Maglev { table_size: 31 },
    ][n % 6];
    if cluster.balance.is_by_hash() {
        cluster.hash = vec![HashKey::Property("to".into())];
    } else if n / 6 % 2 == 1 {
        cluster.slow_start = Some(ms(1000));
    }
    cluster.panic_threshold = [1, 0, 50, 100][n / 16 % 4];
    for (i, endpoint) in cluster.endpoints.iter_mut().enumerate() {
        endpoint.priority = ((n / 64) >> i & 1) as u32;
        endpoint.weight = 1 + ((n / 512) >> i & 1) as u32;
        endpoint.labels.insert("half".into(), ((n / 4096) >> i & 1).to_string());
    }
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

    /// Writes up to `most` bytes, as far as they are taken at once.
    async fn write(&mut self, most: usize) {
        let mut left = most.min(self.outgoing.len());
        while left > 0 && !self.closed {
            let bytes = &self.outgoing.make_contiguous()[..left];
            match timeout(Duration::ZERO, self.peer.io.write(bytes)).await {
                Err(_) => return,
                Ok(Err(_)) => self.closed = true,
                Ok(Ok(count)) => {
                    self.outgoing.drain(..count);
                    left -= count;
                }
            }
        }
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

struct Client {
    end: End,
    sent: u32,
    half_closed: bool,
    shut: bool,
    /// The bodies that may come back, by id; those already answered are taken out.
    bodies: HashMap<u32, Vec<Vec<u8>>>,
    /// How many answers are due, by id.
    due: HashMap<u32, usize>,
    /// The same for protocols without ids: the bodies in order.
    order: VecDeque<Vec<u8>>,
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
    fn pong(&mut self, ping: &Frame) {
        self.pings += 1;
        let kind = match self.pings % 4 {
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
    clients: Vec<Client>,
    servers: Vec<Server>,
    /// Every body sent, and whether it has arrived.
    sent: HashMap<Vec<u8>, bool>,
    /// Every body of which a copy has arrived.
    copied: HashSet<Vec<u8>>,
    serial: u32,
}

impl Play<'_> {
    async fn step(&mut self, step: Step) {
        match step {
            Step::Connect if self.clients.len() < 8 => self.connect().await,
            Step::Connect => {}
            Step::Send { client, oneway, id, size, code, part } => {
                self.send(client, oneway, id, (size, code, part)).await;
            }
            Step::HalfClose(n) => {
                if let Some(client) = nth(&mut self.clients, n) {
                    client.half_closed = true;
                }
            }
            Step::Vanish(n) => {
                if !self.clients.is_empty() {
                    self.clients.swap_remove(n % self.clients.len());
                }
            }
            Step::Serve(n, deed) => self.serve(n, deed).await,
            Step::Door(n, door) => self.world.door(n, door),
            Step::Reload(n) => self.world.apply(self.kind.snapshot(n)),
            Step::Wait(time) => sleep(ms(time)).await,
        }
        self.pump().await;
        self.world.check_books();
    }

    async fn connect(&mut self) {
        self.clients.push(Client {
            end: End::new(self.world.client_with_pipe(3000).await),
            sent: 0,
            half_closed: false,
            shut: false,
            bodies: HashMap::new(),
            due: HashMap::new(),
            order: VecDeque::new(),
        });
    }

    async fn send(&mut self, n: usize, oneway: bool, id: u32, how: (usize, u8, usize)) {
        let (size, code, part) = how;
        let Some(client) = nth(&mut self.clients, n).filter(|client| !client.half_closed) else {
            return;
        };
        let id = match self.kind {
            Kind::FewIds => id % 4,
            Kind::Bound => client.sent,
            Kind::Order => 0,
        };
        client.sent += 1;
        self.serial += 1;
        let mut body = format!("{}.", self.serial).into_bytes();
        body.resize(body.len() + size, self.serial as u8);
        let kind = if oneway { toy::ONEWAY } else { toy::REQUEST };
        client.end.outgoing.extend(Frame::new(kind, id, code, &body).bytes());
        self.sent.insert(body.clone(), false);
        if !oneway {
            *client.due.entry(id).or_default() += 1;
            client.order.push_back(body.clone());
            client.bodies.entry(id).or_default().push(body);
        }
        client.end.write(part).await;
        self.world.settle().await;
    }

    /// Has a server read what has come.
    async fn take(&mut self, n: usize) {
        let Some(server) = nth(&mut self.servers, n) else { return };
        while let Some(frame) = server.end.read().await {
            match frame.kind {
                toy::PONG => continue,
                toy::PING => {
                    server.pong(&frame);
                    continue;
                }
                _ => {}
            }
            let seen = self.sent.get_mut(&frame.body).expect("a body that nobody sent");
            let again = match server.shadow {
                true => !self.copied.insert(frame.body.clone()),
                false => std::mem::replace(seen, true),
            };
            assert!(!again, "sent twice: {frame:?}");
            let frame = if server.shadow { frame.of_shadow() } else { frame };
            // A stray answer to a one-way request may meet its id again where that is short.
            if frame.kind == toy::REQUEST || self.kind == Kind::Bound {
                server.got.push_back(frame);
            }
        }
    }

    async fn serve(&mut self, n: usize, deed: Deed) {
        self.take(n).await;
        let by_order = self.kind == Kind::Order;
        let Some(server) = nth(&mut self.servers, n) else { return };
        let pick = |got: &mut VecDeque<Frame>, n: usize| {
            let n = if by_order { 0 } else { n % got.len().max(1) };
            got.remove(n)
        };
        let out = &mut server.end.outgoing;
        match deed {
            Deed::Answer(n) => {
                out.extend(pick(&mut server.got, n).iter().flat_map(answer));
            }
            Deed::AnswerAll => out.extend(server.got.drain(..).flat_map(|got| answer(&got))),
            Deed::AnswerTwice(n) if !by_order => {
                out.extend(
                    pick(&mut server.got, n).iter().flat_map(answer).collect::<Vec<_>>().repeat(2),
                );
            }
            Deed::AnswerUnknown if !by_order => {
                out.extend(response(u32::MAX, "unknown").bytes());
            }
            Deed::AnswerBadly(n) => {
                let bad = |got: Frame| Frame::new(toy::BAD, got.id, 0x80, "").bytes();
                out.extend(pick(&mut server.got, n).map(bad).into_iter().flatten());
            }
            Deed::AnswerHalfAndReset => {
                if let Some(got) = server.got.front() {
                    out.extend(&answer(got)[..9]);
                }
                server.end.write(usize::MAX).await;
                server.end.closed = true;
            }
            Deed::Reset => server.end.closed = true,
            Deed::Garbage => out.extend([0, 1, 2]),
            Deed::Ping => out.extend(Frame::new(toy::PING, 1, 0, "").bytes()),
            Deed::GoAway => out.extend(Frame::new(toy::GO_AWAY, 0, 0, "").bytes()),
            Deed::AnswerTwice(_) | Deed::AnswerUnknown => {}
        }
        if matches!(deed, Deed::Garbage) {
            server.end.write(usize::MAX).await;
            server.end.closed = true;
        }
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
            server.end.write(usize::MAX).await;
        }
        self.servers.retain(|server| !server.end.closed);
        for client in &mut self.clients {
            client.end.write(usize::MAX).await;
            if client.half_closed && !client.shut && client.end.outgoing.is_empty() {
                client.end.peer.half_close().await;
                client.shut = true;
            }
        }
        self.world.settle().await;
        for client in &mut self.clients {
            while let Some(frame) = client.end.read().await {
                client.check(frame, self.kind);
            }
            assert!(!client.end.closed || client.shut, "a client was closed without reason");
        }
    }

    /// Everybody finishes what was begun.
    async fn finish(mut self) {
        for n in 1..6 {
            self.world.door(n, Door::Open);
        }
        for client in &mut self.clients {
            client.half_closed = true;
        }
        for _ in 0..400 {
            for n in 0..self.servers.len() {
                self.serve(n, Deed::AnswerAll).await;
            }
            self.pump().await;
            sleep(ms(50)).await;
        }
        for client in &self.clients {
            let due: HashSet<_> = client.due.iter().filter(|(_, count)| **count > 0).collect();
            assert!(due.is_empty(), "no answer came for the ids {due:?}");
            assert!(client.end.closed, "a client that has all its answers is still connected");
        }
    }
}

impl Client {
    fn check(&mut self, frame: Frame, kind: Kind) {
        if frame.kind == toy::GO_AWAY && kind != Kind::FewIds {
            return;
        }
        assert_eq!(frame.kind, toy::RESPONSE);
        let due = self.due.get_mut(&frame.id).filter(|due| **due > 0);
        *due.unwrap_or_else(|| panic!("nobody asked: {frame:?}")) -= 1;
        let next = self.order.pop_front();
        if frame.error().is_some() {
            return;
        }
        if kind == Kind::Order {
            assert_eq!(Some(&frame.body), next.as_ref(), "out of order");
        }
        let bodies = self.bodies.entry(frame.id).or_default();
        let own = bodies.iter().position(|body| *body == frame.body);
        bodies.swap_remove(own.unwrap_or_else(|| panic!("somebody else's: {frame:?}")));
    }
}

impl Frame {
    /// The same with a body that no client knows: it would notice an answer to a copy.
    fn of_shadow(self) -> Self {
        Frame { body: b"of a copy".to_vec(), ..self }
    }
}

fn answer(request: &Frame) -> Vec<u8> {
    response(request.id, &request.body).bytes()
}

fn nth<T>(all: &mut [T], n: usize) -> Option<&mut T> {
    let count = all.len().max(1);
    all.get_mut(n % count)
}

fn play(kind: Kind, first: usize, steps: Vec<Step>) {
    run(kind.snapshot(first), async |world| {
        world.upstream_pipe(3000);
        let mut play = Play {
            world,
            kind,
            clients: Vec::new(),
            servers: Vec::new(),
            sent: HashMap::new(),
            copied: HashSet::new(),
            serial: 0,
        };
        play.connect().await;
        for step in steps {
            play.step(step).await;
        }
        play.finish().await;
    });
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn answers_find_their_callers_where_ids_are_remapped(first in any::<usize>(), steps in steps()) {
        play(Kind::FewIds, first, steps);
    }

    #[test]
    fn answers_find_their_callers_in_any_mode(first in any::<usize>(), steps in steps()) {
        play(Kind::Bound, first, steps);
    }

    #[test]
    fn answers_find_their_callers_by_order(first in any::<usize>(), steps in steps()) {
        play(Kind::Order, first, steps);
    }
}
