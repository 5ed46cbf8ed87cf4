//! The choice of an endpoint for a call.
//!
//! ```text
//!   cluster -> priority, by what is usable (spill) -> endpoint, by the policy, of those usable
//! ```
//!
//! Who may be chosen changes seldom, and calls come often: what a choice needs is prepared when an
//! endpoint says that it has changed, or when the time has come at which one does by itself. A pick then
//! costs the same however many endpoints there are; only the weighted round robin looks at each.

mod candidates;
mod latency;
mod level;
mod maglev;
mod ring;
mod round_robin;
mod spill;
#[cfg(test)]
mod tests;

use std::cell::Cell;
use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::rc::Rc;
use std::time::Duration;

use tokio::time::Instant;

pub(crate) use self::latency::{Latency, answered, unanswered};
use self::level::{Endpoints, Level, Member};
use self::spill::{Health, Share, WHOLE};
use crate::hash::{self, Purpose};
use crate::model;
use crate::route::Destination;
use crate::upstream::Endpoint;
use crate::worker::{EndpointKey, Worker};

/// While endpoints get more of their share with time, how often in that time it is looked at.
const RAMP_STEPS: u32 = 20;
/// What the weights are multiplied with where that is so, so that parts of them are whole numbers.
const RAMP_SCALE: u64 = 100;
/// The part of its weight that an endpoint begins with, of [`RAMP_SCALE`].
const RAMP_START: u64 = 10;

/// An endpoint's word that it is usable now and was not, or the other way round. Shared by the
/// endpoints of a cluster.
pub(crate) type Changed = Rc<Cell<bool>>;

/// The endpoint for the next call to a cluster; not `avoid`, if there is another.
#[inline]
pub(crate) fn pick(
    worker: &mut Worker,
    to: Destination,
    avoid: Option<EndpointKey>,
) -> Option<EndpointKey> {
    let found = worker.clusters.get(to.cluster)?;
    match (found.endpoints.as_slice(), avoid) {
        // With a threshold above zero, one of one is used, usable or not.
        ([only], None) if found.model.panic_threshold > 0 => Some(*only),
        _ => pick_one_of_many(worker, to, avoid),
    }
}

fn pick_one_of_many(
    worker: &mut Worker,
    Destination { cluster, hash }: Destination,
    avoid: Option<EndpointKey>,
) -> Option<EndpointKey> {
    let cluster = worker.clusters.get_mut(cluster)?;
    let pick = cluster.balancer.pick(&mut worker.endpoints, worker.now, hash, avoid)?;
    // Whoever avoids an endpoint has been counted before.
    let unkeyed = cluster.model.balance.is_by_hash() && hash.is_none() && avoid.is_none();
    cluster.counters.panicked += u64::from(pick.panicked);
    cluster.counters.spilled += u64::from(pick.spilled);
    cluster.counters.unkeyed += u64::from(unkeyed);
    Some(pick.endpoint)
}

/// An endpoint that was chosen.
#[derive(Debug, Clone, Copy)]
struct Pick {
    endpoint: EndpointKey,
    /// It is not of the first priority.
    spilled: bool,
    /// Nobody asked whether it is usable, because too few are.
    panicked: bool,
}

/// Chooses among the endpoints of a cluster.
#[derive(Debug, Default)]
pub(crate) struct Balancer {
    /// By priority, the first first.
    levels: Vec<Level>,
    /// What each level gets.
    shares: Vec<Share>,
    panic_threshold: u8,
    slow_start: Option<Duration>,
    changed: Changed,
    /// When an endpoint changes without saying so.
    next_change: Option<Instant>,
}

impl Balancer {
    /// Chooses among these endpoints as `cluster` says, and where nothing has changed as before.
    /// Endpoints tell by `changed` that they have changed.
    pub(crate) fn new<'a>(
        before: Balancer,
        cluster: &model::Cluster,
        endpoints: impl IntoIterator<Item = (EndpointKey, &'a model::Endpoint)>,
        changed: Changed,
    ) -> Self {
        let mut levels: BTreeMap<u32, Vec<Member>> = BTreeMap::new();
        for (key, endpoint) in endpoints {
            levels.entry(endpoint.priority).or_default().push(Member::new(key, endpoint));
        }
        changed.set(true);
        let mut before = before.levels;
        let level = |members| Level::new(cluster.balance, members, &mut before);
        Balancer {
            levels: levels.into_values().map(level).collect(),
            shares: Vec::new(),
            panic_threshold: cluster.panic_threshold,
            slow_start: cluster.slow_start,
            changed,
            next_change: None,
        }
    }

    fn pick(
        &mut self,
        endpoints: &mut Endpoints,
        now: Instant,
        hash: Option<u64>,
        avoid: Option<EndpointKey>,
    ) -> Option<Pick> {
        if self.changed.get() || self.next_change.is_some_and(|next| next <= now) {
            self.refresh(endpoints, now);
        }
        let first = self.pick_any(endpoints, now, hash)?;
        if Some(first.endpoint) != avoid {
            return Some(first);
        }
        // Where the choice is free it soon falls on another.
        for _ in 0..3 {
            let again = self.pick_any(endpoints, now, None);
            if again.is_some_and(|pick| pick.endpoint != first.endpoint) {
                return again;
            }
        }
        Some(self.any_but(endpoints, now, first).unwrap_or(first))
    }

    fn pick_any(&mut self, endpoints: &Endpoints, now: Instant, hash: Option<u64>) -> Option<Pick> {
        let place = self.level(hash);
        let panicked = self.shares.get(place)?.panics;
        let endpoint = self.levels.get_mut(place)?.pick(endpoints, now, hash)?;
        Some(Pick { endpoint, spilled: place > 0, panicked })
    }

    /// The level for a call.
    fn level(&self, hash: Option<u64>) -> usize {
        if self.shares.first().is_some_and(|share| share.part == WHOLE) {
            return 0;
        }
        let random = || fastrand::u64(..);
        let drawn = hash.map_or_else(random, |hash| hash::derived(hash, Purpose::Priority));
        let mut left = hash::below(WHOLE, drawn);
        let mut takes = |share: &Share| {
            let takes = left < share.part;
            left = left.saturating_sub(share.part);
            takes
        };
        self.shares.iter().position(&mut takes).unwrap_or(self.shares.len())
    }

    /// Any endpoint but the one that was picked: one that is usable, if there is one.
    fn any_but(&self, endpoints: &Endpoints, now: Instant, but: Pick) -> Option<Pick> {
        let others = || {
            let levels = self.levels.iter().enumerate();
            let all = levels.flat_map(|(n, level)| level.members().iter().map(move |m| (n, m.key)));
            all.filter(|(_, key)| *key != but.endpoint)
        };
        let usable = |key: EndpointKey| endpoints.get(key).is_some_and(|e| e.is_usable(now));
        let pick = |(level, endpoint), panicked| Pick { endpoint, spilled: level > 0, panicked };
        let good = others().find(|(_, key)| usable(*key)).map(|found| pick(found, false));
        good.or_else(|| others().next().filter(|_| but.panicked).map(|found| pick(found, true)))
    }

    /// Looks who is usable, and when to look again.
    pub(super) fn refresh(&mut self, endpoints: &mut Endpoints, now: Instant) {
        self.changed.set(false);
        self.note_changes(endpoints, now);
        let usable = |member: &Member| endpoints.get(member.key).is_some_and(|e| e.is_usable(now));
        let health = |level: &Level| Health {
            usable: level.members().iter().filter(|member| usable(member)).count(),
            all: level.members().len(),
        };
        let health: Vec<_> = self.levels.iter().map(health).collect();
        self.shares = spill::shares(&health, self.panic_threshold);
        let ramp = |member: &Member| {
            self.slow_start.map_or(1, |window| {
                let since = endpoints.get(member.key).and_then(Endpoint::usable_since);
                ramp(window, since, now)
            })
        };
        for (level, share) in self.levels.iter_mut().zip(&self.shares) {
            level.refresh(|member| {
                let chosen = share.panics || usable(member);
                chosen.then(|| u64::from(member.weight) * ramp(member))
            });
        }
    }

    /// Has the endpoints note since when they are usable, and finds out when to look again.
    fn note_changes(&mut self, endpoints: &mut Endpoints, now: Instant) {
        let mut next: Option<Instant> = None;
        let mut is_ramping = false;
        for member in self.levels.iter().flat_map(Level::members) {
            let Some(endpoint) = endpoints.get_mut(member.key) else { continue };
            endpoint.note_usability(now);
            next = endpoint.changes_at(now).into_iter().chain(next).min();
            let since = endpoint.usable_since();
            is_ramping |=
                self.slow_start.is_some_and(|window| ramp(window, since, now) < RAMP_SCALE);
        }
        if let Some(window) = self.slow_start.filter(|_| is_ramping) {
            next = next.into_iter().chain([now + window / RAMP_STEPS]).min();
        }
        self.next_change = next;
    }
}

/// The part of its weight that an endpoint has, of [`RAMP_SCALE`], when it is usable since then.
fn ramp(window: Duration, since: Option<Instant>, now: Instant) -> u64 {
    let Some(since) = since else { return RAMP_SCALE };
    let passed = now.saturating_duration_since(since).as_micros();
    let part = passed * u128::from(RAMP_SCALE) / window.as_micros().max(1);
    u64::try_from(part).unwrap_or(RAMP_SCALE).clamp(RAMP_START, RAMP_SCALE)
}

/// A number for an endpoint that is the same wherever the endpoint has this address.
fn place(address: SocketAddr, purpose: Purpose) -> u64 {
    let mut bytes = match address.ip().to_canonical() {
        IpAddr::V4(ip) => ip.octets().to_vec(),
        IpAddr::V6(ip) => ip.octets().to_vec(),
    };
    bytes.extend(address.port().to_be_bytes());
    hash::of(&bytes, purpose)
}
