//! Consistent hashing by a table that is filled evenly.

use std::net::SocketAddr;

use super::place;
use crate::hash::{self, Purpose};

/// A table whose places belong to members, in proportion to their weights. Each member has an order in
/// which it would like the places; they take turns, and each takes the first that is free. (The
/// method of Google's load balancer Maglev.)
#[derive(Debug)]
pub(super) struct Maglev {
    table: Vec<u32>,
}

/// A member while the table is filled.
struct Turn {
    member: u32,
    weight: u32,
    /// It may take a place when this has come up to the greatest weight.
    earned: u64,
    next: u64,
    step: u64,
}

const FREE: u32 = u32::MAX;

impl Maglev {
    /// The table of these members with their weights. `size` is a prime number, so that every step
    /// comes by every place.
    pub(super) fn new(members: &[(SocketAddr, u32)], size: usize) -> Self {
        let places = size as u64;
        let most = members.iter().map(|(_, weight)| *weight).max().unwrap_or(1);
        let turn = |(member, (address, weight)): (usize, &(SocketAddr, u32))| Turn {
            member: member as u32,
            weight: *weight,
            // Everybody takes a place in the first round.
            earned: u64::from(most - weight),
            next: hash::below(places, place(*address, Purpose::Endpoint)),
            step: 1 + hash::below(places.saturating_sub(1).max(1), place(*address, Purpose::Step)),
        };
        let mut turns: Vec<_> = members.iter().enumerate().map(turn).collect();
        // Whatever the order in which they are configured.
        turns.sort_by_key(|turn| (turn.next, turn.step));
        let mut table = vec![FREE; size];
        let mut free = if turns.is_empty() { 0 } else { size };
        while free > 0 {
            for turn in &mut turns {
                turn.earned += u64::from(turn.weight);
                if turn.earned >= u64::from(most) && free > 0 {
                    turn.earned -= u64::from(most);
                    turn.take(&mut table);
                    free -= 1;
                }
            }
        }
        Maglev { table }
    }

    /// The member that a call of this hash belongs to, of those that are `usable`.
    pub(super) fn find(&self, hash: u64, usable: impl Fn(usize) -> bool) -> Option<usize> {
        let start = hash::below(self.table.len() as u64, hash) as usize;
        let (before, behind) = self.table.split_at_checked(start)?;
        let around = behind.iter().chain(before);
        around.filter(|m| **m != FREE).map(|m| *m as usize).find(|member| usable(*member))
    }
}

impl Turn {
    /// Takes the next free place of its order; there must be one.
    fn take(&mut self, table: &mut [u32]) {
        let size = table.len() as u64;
        for _ in 0..size {
            let place = table.get_mut(self.next as usize);
            self.next = (self.next + self.step) % size;
            if let Some(place) = place.filter(|place| **place == FREE) {
                *place = self.member;
                return;
            }
        }
    }
}

#[cfg(test)]
impl Maglev {
    /// Where it stands in memory.
    pub(super) fn place(&self) -> usize {
        self.table.as_ptr().addr()
    }
}
