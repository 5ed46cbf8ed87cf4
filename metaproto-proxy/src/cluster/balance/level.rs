//! The endpoints of one priority, and the choice among them.

use std::net::SocketAddr;

use slotmap::SlotMap;
use tokio::time::Instant;

use super::candidates::Candidates;
use super::maglev::Maglev;
use super::ring::Ring;
use super::round_robin::RoundRobin;
use crate::model::{self, Balance};
use crate::upstream::Endpoint;
use crate::worker::EndpointKey;

/// The endpoints as a worker knows them.
pub(super) type Endpoints = SlotMap<EndpointKey, Endpoint>;

/// The endpoints of one priority.
#[derive(Debug)]
pub(super) struct Level {
    balance: Balance,
    members: Vec<Member>,
    candidates: Candidates,
    policy: Policy,
}

/// An endpoint and what configuration says of it.
#[derive(Debug, Clone)]
pub(super) struct Member {
    pub(super) key: EndpointKey,
    pub(super) address: SocketAddr,
    pub(super) weight: u32,
}

/// How one is chosen, and what has to be remembered for that.
#[derive(Debug)]
enum Policy {
    RoundRobin(RoundRobin),
    Random,
    LeastRequest,
    PeakEwma,
    Ring(Ring),
    Maglev(Maglev),
}

impl Policy {
    /// Tables are made here, not for a call: what is not usable is passed by later.
    fn new(balance: Balance, members: &[Member]) -> Self {
        let weights = || members.iter().map(|m| (m.address, m.weight)).collect::<Vec<_>>();
        match balance {
            Balance::RoundRobin => Policy::RoundRobin(RoundRobin::default()),
            Balance::Random => Policy::Random,
            Balance::LeastRequest => Policy::LeastRequest,
            Balance::PeakEwma { .. } => Policy::PeakEwma,
            Balance::RingHash { ring_size } => Policy::Ring(Ring::new(&weights(), ring_size)),
            Balance::Maglev { table_size } => Policy::Maglev(Maglev::new(&weights(), table_size)),
        }
    }
}

impl Level {
    /// A level of these members. Goes on as one of `before`, if that is like it: most changes of
    /// configuration change nothing here. Nothing can be picked before the first
    /// [`refresh`](Level::refresh).
    pub(super) fn new(balance: Balance, members: Vec<Member>, before: &mut Vec<Level>) -> Self {
        let is_like = |level: &Level| {
            let pairs = || level.members.iter().zip(&members);
            level.balance == balance
                && level.members.len() == members.len()
                && pairs().all(|(a, b)| (a.address, a.weight) == (b.address, b.weight))
        };
        let like = before.iter().position(is_like);
        let policy = match like.map(|place| before.swap_remove(place)) {
            Some(level) => level.policy,
            None => Policy::new(balance, &members),
        };
        Level { balance, members, candidates: Candidates::default(), policy }
    }

    /// The endpoints of the level.
    pub(super) fn members(&self) -> &[Member] {
        &self.members
    }

    /// Takes note of who may be chosen from now on: those that `weight` gives a weight.
    pub(super) fn refresh(&mut self, weight: impl Fn(&Member) -> Option<u64>) {
        let count = self.members.len();
        self.candidates =
            Candidates::new(count, |member| self.members.get(member).and_then(&weight));
        if let Policy::RoundRobin(robin) = &mut self.policy {
            robin.change(&self.candidates, count);
        }
    }

    /// The endpoint for the next call, which has this hash if it has a key.
    pub(super) fn pick(
        &mut self,
        endpoints: &Endpoints,
        now: Instant,
        hash: Option<u64>,
    ) -> Option<EndpointKey> {
        let candidates = &self.candidates;
        let usable = |member| candidates.contains(member);
        let drawn = || candidates.member(candidates.draw()?);
        let member = match (&mut self.policy, hash) {
            (Policy::RoundRobin(robin), _) => robin.pick(candidates),
            (Policy::Ring(ring), Some(hash)) => ring.find(hash, usable),
            (Policy::Maglev(maglev), Some(hash)) => maglev.find(hash, usable),
            (Policy::LeastRequest, _) => {
                self.cheaper_of_two(endpoints, |endpoint| endpoint.active as f64)
            }
            (Policy::PeakEwma, _) => self.cheaper_of_two(endpoints, |endpoint| endpoint.cost(now)),
            (Policy::Random | Policy::Ring(_) | Policy::Maglev(_), _) => drawn(),
        };
        self.members.get(member?).map(|member| member.key)
    }

    /// Draws two by weight, and takes the one that costs less relative to its weight; of equals the
    /// first that was drawn.
    fn cheaper_of_two(
        &self,
        endpoints: &Endpoints,
        cost: impl Fn(&Endpoint) -> f64,
    ) -> Option<usize> {
        let (first, second) = self.candidates.draw_two()?;
        let cost_of = |n: usize| {
            let key = self.members.get(self.candidates.member(n)?)?.key;
            Some(cost(endpoints.get(key)?) / self.candidates.weight(n) as f64)
        };
        let cheaper = match second {
            Some(second) if cost_of(second)? < cost_of(first)? => second,
            _ => first,
        };
        self.candidates.member(cheaper)
    }
}

impl Member {
    pub(super) fn new(key: EndpointKey, model: &model::Endpoint) -> Self {
        Member { key, address: model.address, weight: model.weight }
    }
}

#[cfg(test)]
impl Level {
    /// Where its table stands in memory, if it has one.
    pub(super) fn table(&self) -> Option<usize> {
        match &self.policy {
            Policy::Ring(ring) => Some(ring.place()),
            Policy::Maglev(maglev) => Some(maglev.place()),
            _ => None,
        }
    }
}
