//! Consistent hashing on a ring.

use std::net::SocketAddr;

use super::place;
use crate::hash::{self, Purpose};

/// The points of an endpoint of average weight, at the least. Shares then differ by about a twelfth.
const POINTS: usize = 160;

/// A ring of points, each of which belongs to a member. A call belongs to the point that follows its
/// hash.
#[derive(Debug)]
pub(super) struct Ring {
    /// Sorted by place.
    points: Vec<Point>,
    /// For each of as many equal parts of the ring the first point within or behind it: what is looked
    /// for is near, however many points there are.
    starts: Vec<u32>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Point {
    at: u64,
    member: u32,
}

impl Ring {
    /// The ring of these members with their weights, of at least `size` points.
    pub(super) fn new(members: &[(SocketAddr, u32)], size: usize) -> Self {
        let total: u128 = members.iter().map(|(_, weight)| u128::from(*weight)).sum();
        let count = members.len().max(1);
        // The same for any number of members beyond a few: one that goes leaves the points of the
        // others as they are.
        let average = POINTS.max(size.div_ceil(count)) as u128;
        let mut points = Vec::with_capacity(count * (average as usize + 1));
        for (member, (address, weight)) in members.iter().enumerate() {
            let share = (u128::from(*weight) * average * count as u128).div_ceil(total.max(1));
            let place = place(*address, Purpose::Endpoint);
            points.extend(
                (0..share as u64).map(|n| Point { at: nth(place, n), member: member as u32 }),
            );
        }
        points.sort_unstable();
        let parts = points.len() as u64;
        let mut starts = Vec::with_capacity(points.len());
        for (index, point) in points.iter().enumerate() {
            let part = hash::below(parts, point.at) as usize;
            if starts.len() <= part {
                starts.resize(part + 1, index as u32);
            }
        }
        // Behind the last point the ring begins again.
        starts.resize(points.len(), points.len() as u32);
        Ring { points, starts }
    }

    /// The member that a call of this hash belongs to, of those that are `usable`.
    pub(super) fn find(&self, hash: u64, usable: impl Fn(usize) -> bool) -> Option<usize> {
        let part = hash::below(self.points.len() as u64, hash) as usize;
        let start = *self.starts.get(part)? as usize;
        let (before, behind) = self.points.split_at_checked(start)?;
        let skipped = behind.iter().take_while(|point| point.at < hash).count();
        let around = behind.iter().skip(skipped).chain(before).chain(behind.iter().take(skipped));
        around.map(|point| point.member as usize).find(|member| usable(*member))
    }
}

/// The place of an endpoint's n-th point.
fn nth(place: u64, n: u64) -> u64 {
    let mut bytes = [0; 16];
    let (first, second) = bytes.split_at_mut(8);
    first.copy_from_slice(&place.to_le_bytes());
    second.copy_from_slice(&n.to_le_bytes());
    hash::of(&bytes, Purpose::Endpoint)
}

#[cfg(test)]
impl Ring {
    /// Where it stands in memory.
    pub(super) fn place(&self) -> usize {
        self.points.as_ptr().addr()
    }

    /// The most points that have to be looked at to find the one that follows a hash.
    pub(super) fn longest_search(&self) -> usize {
        let ends = self.starts.iter().skip(1).copied().chain([self.points.len() as u32]);
        self.starts.iter().zip(ends).map(|(start, end)| (end - start) as usize).max().unwrap_or(0)
    }
}
