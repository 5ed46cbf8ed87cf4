//! The calls of one connection that wait for their response.

use std::time::Instant;

/// A fixed number of calls, each with an id that does not come again before 2^32 / calls others.
///
/// Ids start at 0 on every connection, so that a proxy which merges connections has to tell equal
/// ids apart.
#[derive(Debug)]
pub(crate) struct Outstanding {
    /// A power of two, so that ids keep their place when they wrap around.
    calls: Vec<Call>,
    waiting: u64,
}

#[derive(Clone, Copy, Debug)]
struct Call {
    id: u32,
    sent: Option<Instant>,
}

impl Outstanding {
    /// Room for `in_flight` calls, none of them made.
    pub(crate) fn new(in_flight: usize) -> Self {
        let calls = (0u32..).take(in_flight.next_power_of_two());
        Outstanding { calls: calls.map(|id| Call { id, sent: None }).collect(), waiting: 0 }
    }

    /// Notes that the call at place `at` is sent now, and tells its id.
    pub(crate) fn send(&mut self, at: usize, now: Instant) -> u32 {
        let step = self.calls.len() as u32;
        let call = &mut self.calls[at];
        call.id = call.id.wrapping_add(step);
        call.sent = Some(now);
        self.waiting += 1;
        call.id
    }

    /// Ends the call with `id`: its place, and when it was sent. None if no such call waits.
    pub(crate) fn answer(&mut self, id: u32) -> Option<(usize, Instant)> {
        let at = id as usize & (self.calls.len() - 1);
        let call = &mut self.calls[at];
        if call.id != id {
            return None;
        }
        let sent = call.sent.take()?;
        self.waiting -= 1;
        Some((at, sent))
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
    fn each_id_is_answered_once() {
        let now = Instant::now();
        let mut outstanding = Outstanding::new(3);
        let ids: Vec<u32> = (0..3).map(|at| outstanding.send(at, now)).collect();
        assert_eq!(outstanding.waiting(), 3);
        assert_eq!(outstanding.answer(ids[1]), Some((1, now)));
        assert_eq!(outstanding.answer(ids[1]), None, "twice");
        assert_eq!(outstanding.waiting(), 2);
    }

    #[test]
    fn ids_never_sent_are_unknown() {
        let mut outstanding = Outstanding::new(3);
        let id = outstanding.send(0, Instant::now());
        for unknown in [id + 1, id + 3, id + 4, id.wrapping_sub(4), u32::MAX] {
            assert_eq!(outstanding.answer(unknown), None, "{unknown}");
        }
    }

    #[test]
    fn the_next_id_differs_and_late_answers_do_not_match_it() {
        let mut outstanding = Outstanding::new(1);
        let first = outstanding.send(0, Instant::now());
        outstanding.answer(first);
        let second = outstanding.send(0, Instant::now());
        assert_ne!(first, second);
        assert_eq!(outstanding.answer(first), None);
        assert!(outstanding.answer(second).is_some());
    }

    #[test]
    fn ids_keep_their_place_when_they_wrap_around() {
        let now = Instant::now();
        let mut outstanding = Outstanding::new(4);
        outstanding.calls[3].id = u32::MAX;
        let id = outstanding.send(3, now);
        assert_eq!(id, 3);
        assert_eq!(outstanding.answer(id), Some((3, now)));
    }
}
