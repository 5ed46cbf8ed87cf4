//! The calls of one connection that wait for their response.

use std::time::Instant;

/// Places for a fixed number of calls, each with an id that does not come again before
/// 2^32 / places others.
///
/// Ids start alike on every connection, so that a proxy which merges connections has to tell equal
/// ids apart.
#[derive(Debug)]
pub(crate) struct Outstanding {
    /// A power of two, so that ids keep their place when they wrap around.
    calls: Vec<Call>,
    /// Places whose call was answered; only as many as calls may wait at a time.
    free: Vec<usize>,
    waiting: u64,
}

#[derive(Clone, Copy, Debug)]
struct Call {
    id: u32,
    since: Option<Instant>,
}

impl Outstanding {
    /// Room for `in_flight` calls, none of them made.
    pub(crate) fn new(in_flight: usize) -> Self {
        let calls = (0u32..).take(in_flight.next_power_of_two());
        Outstanding {
            calls: calls.map(|id| Call { id, since: None }).collect(),
            free: (0..in_flight).rev().collect(),
            waiting: 0,
        }
    }

    /// Notes a call that counts from `since`, and tells its id. None if there is no room.
    pub(crate) fn send(&mut self, since: Instant) -> Option<u32> {
        let at = self.free.pop()?;
        let step = self.calls.len() as u32;
        let call = &mut self.calls[at];
        call.id = call.id.wrapping_add(step);
        call.since = Some(since);
        self.waiting += 1;
        Some(call.id)
    }

    /// Ends the call with `id` and tells since when it waited. None if no such call waits.
    pub(crate) fn answer(&mut self, id: u32) -> Option<Instant> {
        let at = id as usize & (self.calls.len() - 1);
        let call = &mut self.calls[at];
        if call.id != id {
            return None;
        }
        let since = call.since.take()?;
        self.free.push(at);
        self.waiting -= 1;
        Some(since)
    }

    /// How many calls wait.
    pub(crate) fn waiting(&self) -> u64 {
        self.waiting
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_id_is_answered_once_and_makes_room() {
        let now = Instant::now();
        let mut outstanding = Outstanding::new(3);
        let ids: Vec<u32> = (0..3).map(|_| outstanding.send(now).unwrap()).collect();
        assert_eq!(outstanding.send(now), None, "full");
        assert_eq!(outstanding.answer(ids[1]), Some(now));
        assert_eq!(outstanding.answer(ids[1]), None, "twice");
        assert_eq!(outstanding.waiting(), 2);
        assert!(outstanding.send(now).is_some());
    }

    #[test]
    fn ids_never_sent_are_unknown() {
        let mut outstanding = Outstanding::new(3);
        let id = outstanding.send(Instant::now()).unwrap();
        for unknown in [id + 1, id + 3, id + 4, id.wrapping_sub(4), u32::MAX] {
            assert_eq!(outstanding.answer(unknown), None, "{unknown}");
        }
    }

    #[test]
    fn the_next_id_differs_and_late_answers_do_not_match_it() {
        let mut outstanding = Outstanding::new(1);
        let first = outstanding.send(Instant::now()).unwrap();
        outstanding.answer(first);
        let second = outstanding.send(Instant::now()).unwrap();
        assert_ne!(first, second);
        assert_eq!(outstanding.answer(first), None);
        assert!(outstanding.answer(second).is_some());
    }

    #[test]
    fn ids_keep_their_place_when_they_wrap_around() {
        let now = Instant::now();
        let mut outstanding = Outstanding::new(4);
        outstanding.calls[0].id = u32::MAX - 3;
        let id = outstanding.send(now).unwrap();
        assert_eq!(id, 0);
        assert_eq!(outstanding.answer(id), Some(now));
    }
}
