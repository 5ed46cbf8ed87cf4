//! Configurations at random: all that a listener, its routes and its clusters can be told, together.

use super::Kind;
use crate::model::*;
use crate::tests::{MODES, Toy, address, listener_of, ms};

use std::sync::Arc;
use std::time::Duration;

use metaproto_core::{Sharing, StatusClass};

/// No call takes longer, whatever happens. A bound of the histogram of durations is just above it.
pub(super) const LONGEST: Duration = ms(1900);
/// The first byte of calls whose route may send them more than once.
pub(super) const REPEATED: u8 = b'r';
/// No call of them is sent more often: two hedged calls, and three further tries of each.
pub(super) const MOST_TRIES: u32 = 8;
/// No more of a cluster's calls are tries at the same time.
pub(super) const MOST_RETRIES: usize = 3;
/// The most requests of one client that are in flight.
pub(super) const IN_FLIGHT: usize = 40;
/// The bytes above which a peer must wait.
pub(super) const BUFFER: usize = 8000;

/// What a configuration is drawn from. Zero throws are the plainest, so that proptest gets there.
#[derive(Debug)]
struct Dice(u128);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        let sides = sides as u128;
        let rolled = self.0 % sides;
        self.0 /= sides;
        rolled as usize
    }

    fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.roll(of.len())]
    }

    fn one_in(&mut self, sides: usize) -> bool {
        self.roll(sides) == sides - 1
    }
}

/// What may be drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Weather {
    /// Anything.
    Any,
    /// Nothing that fails a call while all servers answer: there are always endpoints, and room.
    Fair,
}

/// The configuration that follows from a number.
pub(super) fn snapshot(kind: Kind, weather: Weather, number: u128) -> Snapshot {
    let dice = &mut Dice(number);
    let fair = weather == Weather::Fair;
    let toy = Toy {
        by_order: kind == Kind::Order,
        id_bits: if kind == Kind::FewIds { 5 } else { 32 },
        ..Toy::default()
    };
    let cluster = cluster(kind, fair, dice);
    let mut listener = listener_of(toy);
    (listener.buffer, listener.max_in_flight) = (BUFFER, IN_FLIGHT);
    listener.routes = routes(fair, dice);
    let mut snapshot = Snapshot::new().cluster(cluster);
    if dice.one_in(2) {
        let share = dice.pick(&[Mirror::ALL, 400_000]);
        let compare = dice.one_in(2);
        for route in &mut listener.routes {
            let mirror = Mirror { compare, ..Mirror::to("m").share(share) };
            *route = Arc::new(route.as_ref().clone().mirror(mirror));
        }
        snapshot = snapshot.cluster(shadow(kind, dice));
    }
    if !fair {
        let max_memory = dice.pick(&[None, None, None, Some(120_000), Some(40_000)]);
        let max_connections = dice.pick(&[None, None, None, Some(3)]);
        snapshot = snapshot.overload(Overload { max_memory, max_connections });
        listener.frame_timeout = dice.pick(&[None, Some(ms(2000)), Some(ms(100))]);
        listener.max_connection_age = dice.pick(&[None, None, None, Some(ms(500))]);
    }
    snapshot.listener(listener)
}

/// One for the calls that may be sent again, and one for the others.
fn routes(fair: bool, dice: &mut Dice) -> Vec<Arc<Route>> {
    let mut plain = Route::to("c");
    if dice.one_in(3) {
        let one = WeightedCluster::new("c", 1).label("half", "1");
        plain.clusters = vec![one, WeightedCluster::new("c", 2).label("half", "0")];
        plain.sticky = vec![HashKey::Property("to".into())];
    }
    let timeout = if fair { LONGEST } else { dice.pick(&[LONGEST, ms(700), ms(150)]) };
    plain.timeout = Some(timeout);
    let is_repeated = Predicate::Exact(REPEATED.to_string());
    let mut repeated = plain.clone().when("to", is_repeated);
    match dice.roll(4) {
        0 => {}
        1 => repeated.hedge = Some(Hedge { after: dice.pick(&[ms(100), ms(5)]) }),
        2 => repeated.retry = Some(retry(fair, dice)),
        _ => {
            repeated.hedge = Some(Hedge { after: ms(20) });
            repeated.retry = Some(retry(fair, dice));
        }
    }
    vec![Arc::new(repeated), Arc::new(plain)]
}

fn retry(fair: bool, dice: &mut Dice) -> Retry {
    let application = RetryOn::Class(StatusClass::ApplicationError);
    let reasons =
        [RetryOn::Reset, RetryOn::ConnectFailure, RetryOn::Timeout, application, RetryOn::Code(8)];
    let first = dice.roll(reasons.len());
    let mut on: Vec<_> = reasons.into_iter().filter(|_| dice.one_in(2)).collect();
    on.push(reasons[first]);
    let mut retry = Retry::on(on);
    retry.attempts = 1 + dice.roll(3) as u32;
    retry.backoff = dice.pick(&[Duration::ZERO, ms(30)]);
    let per_try = dice.pick(&[None, Some(ms(300)), Some(ms(30))]);
    retry.per_try_timeout = per_try.filter(|_| !fair);
    retry
}

fn cluster(kind: Kind, fair: bool, dice: &mut Dice) -> Cluster {
    let endpoints: &[u8] = match fair {
        true => dice.pick(&[&[1, 2][..], &[1], &[2, 3], &[3, 1, 2]]),
        false => dice.pick(&[&[1, 2][..], &[1], &[2, 3], &[3, 1, 2], &[]]),
    };
    let modes: &[Sharing] = match kind {
        Kind::FewIds => &[Sharing::Shared, Sharing::Exclusive],
        Kind::Bound => &MODES,
        Kind::Order => &[Sharing::Exclusive, Sharing::Bound],
    };
    let endpoints = endpoints.iter().copied().map(address);
    let mut cluster = Cluster::new("c", endpoints).sharing(dice.pick(modes));
    if fair {
        cluster.subset_fallback = SubsetFallback::Any;
    } else {
        cluster.max_connections = 1 + dice.roll(4);
        cluster.subset_fallback = dice.pick(&[SubsetFallback::None, SubsetFallback::Any]);
    }
    cluster.connections = 1 + dice.roll(2);
    let timeout = if fair { ms(5000) } else { dice.pick(&[ms(200), ms(20), ms(1)]) };
    cluster.keepalive = Keepalive::On(KeepaliveTimes { interval: ms(300), timeout });
    cluster.max_connection_age = dice.pick(&[None, None, Some(ms(500))]);
    cluster.retry_budget = RetryBudget { percent: 0, min: dice.pick(&[3, 1, 0]) };
    balance(&mut cluster, dice);
    outliers(&mut cluster, dice);
    if dice.one_in(3) {
        let mut health = HealthCheck::new(dice.pick(&[Check::Tcp { port: None }, Check::Ping]));
        let timeout = if fair { ms(5000) } else { dice.pick(&[ms(500), ms(20)]) };
        (health.interval, health.timeout) = (ms(1000), timeout);
        (health.healthy_after, health.unhealthy_after) = (1, 1 + dice.roll(2) as u32);
        cluster.health_check = Some(health);
    }
    cluster
}

/// Has a cluster choose among its endpoints in one of many ways.
fn balance(cluster: &mut Cluster, dice: &mut Dice) {
    cluster.balance = dice.pick(&[
        Balance::RoundRobin,
        Balance::Random,
        Balance::LeastRequest,
        Balance::PeakEwma { decay: ms(1000) },
        Balance::RingHash { ring_size: 64 },
        Balance::Maglev { table_size: 31 },
    ]);
    if cluster.balance.is_by_hash() {
        cluster.hash = vec![HashKey::Property("to".into())];
    } else {
        cluster.slow_start = dice.pick(&[None, Some(ms(1000))]);
    }
    cluster.panic_threshold = dice.pick(&[1, 0, 50, 100]);
    for endpoint in &mut cluster.endpoints {
        endpoint.priority = dice.roll(2) as u32;
        endpoint.weight = 1 + dice.roll(2) as u32;
        endpoint.labels.insert("half".into(), dice.roll(2).to_string());
    }
}

fn outliers(cluster: &mut Cluster, dice: &mut Dice) {
    if !dice.one_in(2) {
        return;
    }
    cluster.outlier_detection = Some(OutlierDetection {
        consecutive_failures: dice.pick(&[Some(1), Some(3), None]),
        consecutive_local: dice.pick(&[Some(1), None]),
        failure_rate: dice.pick(&[None, Some(50)]),
        min_requests: 2,
        classes: vec![StatusClass::ApplicationError],
        interval: ms(500),
        ejection_time: dice.pick(&[ms(100), ms(2000)]),
        max_ejection_time: ms(4000),
        max_ejected: dice.pick(&[50, 100]),
    });
}

/// The cluster that gets copies.
fn shadow(kind: Kind, dice: &mut Dice) -> Cluster {
    let endpoints = dice.pick(&[&[4, 5][..], &[5], &[]]);
    let by_order = kind == Kind::Order || dice.one_in(2);
    let mode = if by_order { Sharing::Exclusive } else { Sharing::Shared };
    let mut cluster = Cluster::new("m", endpoints.iter().copied().map(address)).sharing(mode);
    cluster.max_connections = 1 + dice.roll(3);
    cluster.max_mirrored = 1 + dice.roll(9);
    cluster
}
