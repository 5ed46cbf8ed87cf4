//! The ids of the requests in flight on one connection.

/// Gives every request an id of its own, and finds the request when the response brings the id back.
///
/// Ids are handed out in rising order and wrap at the width of the protocol's id field. An id indexes
/// the table by its low bits, so that finding it is one look, and the table grows when half full. An
/// id whose request was given up stays taken until its response comes: however late that is, it
/// reaches nobody else.
#[derive(Debug)]
pub(crate) struct IdTable<T> {
    slots: Vec<Slot<T>>,
    /// The largest id that fits the field.
    max_id: u64,
    next: u64,
    live: usize,
    abandoned: usize,
}

#[derive(Debug)]
enum Slot<T> {
    Free,
    Live(u64, T),
    Abandoned(u64),
}

/// What a response's id was found to be.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Found<T> {
    /// A request in flight.
    Live(T),
    /// A request that was given up.
    Abandoned,
    /// Nothing.
    Unknown,
}

/// The most slots of a table.
const MAX_SLOTS: usize = 1 << 16;
/// The slots that a table begins with.
const FIRST_SLOTS: usize = 16;

impl<T> IdTable<T> {
    /// A table for ids of this many bits.
    pub(crate) fn new(bits: u8) -> Self {
        let max_id = u64::MAX >> (64 - u32::from(bits.clamp(1, 64)));
        IdTable { slots: Vec::new(), max_id, next: 1, live: 0, abandoned: 0 }
    }

    /// The requests in flight.
    pub(crate) fn live(&self) -> usize {
        self.live
    }

    /// The ids that wait for the responses of requests that were given up.
    pub(crate) fn abandoned(&self) -> usize {
        self.abandoned
    }

    /// The most requests that can be in flight, those that were given up included.
    pub(crate) fn capacity(&self) -> usize {
        self.max_slots() / 4 * 3
    }

    /// An id that no request has, for a message that will not be answered.
    #[inline(always)]
    pub(crate) fn spare(&mut self) -> Option<u64> {
        self.make_room()?;
        self.free_id()
    }

    /// Takes an id for a message that is no request, and that may be answered all the same: it is as
    /// that of a request that was given up.
    pub(crate) fn reserve(&mut self) -> Option<u64> {
        let id = self.spare()?;
        let index = self.index(id);
        *self.slots.get_mut(index)? = Slot::Abandoned(id);
        self.abandoned += 1;
        Some(id)
    }

    /// Waits no longer for the response of a request that was given up.
    pub(crate) fn forget(&mut self, id: u64) {
        let index = self.index(id);
        if let Some(slot) = self.slots.get_mut(index)
            && matches!(slot, Slot::Abandoned(own) if *own == id)
        {
            *slot = Slot::Free;
            self.abandoned -= 1;
        }
    }

    /// Gives `value` an id; gives it back if there are too many.
    #[inline(always)]
    pub(crate) fn insert(&mut self, value: T) -> Result<u64, Box<T>> {
        // Boxed only here: a value that may be given back as it is would be moved once more.
        let Some(id) = self.spare() else { return Err(Box::new(value)) };
        let index = self.index(id);
        let Some(slot) = self.slots.get_mut(index) else { return Err(Box::new(value)) };
        *slot = Slot::Live(id, value);
        self.live += 1;
        Ok(id)
    }

    /// Takes the request of `id` out.
    #[inline(always)]
    pub(crate) fn take(&mut self, id: u64) -> Found<T> {
        let index = self.index(id);
        let Some(slot) = self.slots.get_mut(index) else { return Found::Unknown };
        match slot {
            Slot::Live(own, _) if *own == id => {}
            Slot::Abandoned(own) if *own == id => {}
            _ => return Found::Unknown,
        }
        match std::mem::replace(slot, Slot::Free) {
            Slot::Live(_, value) => {
                self.live -= 1;
                Found::Live(value)
            }
            _ => {
                self.abandoned -= 1;
                Found::Abandoned
            }
        }
    }

    /// Gives up every request of which `expired` holds. Their ids stay taken.
    pub(crate) fn abandon(&mut self, mut expired: impl FnMut(&T) -> bool) -> Vec<T> {
        let mut given_up = Vec::new();
        if self.live == 0 {
            return given_up;
        }
        for slot in &mut self.slots {
            let id = match slot {
                Slot::Live(id, value) if expired(value) => *id,
                _ => continue,
            };
            if let Slot::Live(_, value) = std::mem::replace(slot, Slot::Abandoned(id)) {
                given_up.push(value);
            }
        }
        self.live -= given_up.len();
        self.abandoned += given_up.len();
        given_up
    }

    /// Takes every request out.
    pub(crate) fn drain(&mut self) -> Vec<T> {
        self.live = 0;
        self.abandoned = 0;
        let slots = std::mem::take(&mut self.slots);
        let live = |slot| match slot {
            Slot::Live(_, value) => Some(value),
            _ => None,
        };
        slots.into_iter().filter_map(live).collect()
    }

    /// Gives memory back when nothing is in flight.
    pub(crate) fn release(&mut self) {
        if self.live == 0 && self.abandoned == 0 {
            self.slots = Vec::new();
        }
    }

    fn taken(&self) -> usize {
        self.live + self.abandoned
    }

    fn index(&self, id: u64) -> usize {
        (id as usize) & self.slots.len().wrapping_sub(1)
    }

    fn max_slots(&self) -> usize {
        usize::try_from(self.max_id).unwrap_or(MAX_SLOTS).saturating_add(1).min(MAX_SLOTS)
    }

    /// Keeps a quarter of the slots free, so that a free one is found soon.
    fn make_room(&mut self) -> Option<()> {
        if self.taken() * 2 < self.slots.len() {
            return Some(());
        }
        let limit = self.max_slots();
        if self.slots.len() < limit {
            self.grow((self.slots.len() * 2).clamp(FIRST_SLOTS.min(limit), limit));
        }
        (self.taken() * 4 < self.slots.len() * 3).then_some(())
    }

    /// Ids that differ in their low bits still do when more bits count.
    fn grow(&mut self, size: usize) {
        let old = std::mem::take(&mut self.slots);
        self.slots.resize_with(size, || Slot::Free);
        for slot in old {
            if let Slot::Live(id, _) | Slot::Abandoned(id) = &slot {
                let index = self.index(*id);
                if let Some(place) = self.slots.get_mut(index) {
                    *place = slot;
                }
            }
        }
    }

    fn free_id(&mut self) -> Option<u64> {
        for _ in 0..=self.slots.len() {
            let id = self.next;
            self.next = if id >= self.max_id { 1 } else { id + 1 };
            if matches!(self.slots.get(self.index(id)), Some(Slot::Free)) {
                return Some(id);
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    #[derive(Debug, Clone)]
    enum Step {
        Insert,
        Answer(usize),
        AnswerAbandoned(usize),
        Abandon(u8),
        Reserve,
        Forget(usize),
        Unknown(u64),
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let step = prop_oneof![
            4 => Just(Step::Insert),
            3 => any::<usize>().prop_map(Step::Answer),
            1 => any::<usize>().prop_map(Step::AnswerAbandoned),
            1 => any::<u8>().prop_map(Step::Abandon),
            1 => Just(Step::Reserve),
            1 => any::<usize>().prop_map(Step::Forget),
            1 => any::<u64>().prop_map(Step::Unknown),
        ];
        proptest::collection::vec(step, 0..400)
    }

    fn nth<V: Copy>(map: &BTreeMap<u64, V>, n: usize) -> Option<(u64, V)> {
        map.iter().nth(n % map.len().max(1)).map(|(id, value)| (*id, *value))
    }

    proptest! {
        /// Against a map that knows everything: an id is never given twice while its response is
        /// outstanding, and always leads back to its own request.
        #[test]
        fn ids_lead_back_to_their_own_request(bits in 4_u8..=64, steps in steps()) {
            let mut table = IdTable::new(bits);
            let (mut live, mut abandoned) = (BTreeMap::new(), BTreeMap::new());
            let mut serial = 0_u64;
            for step in steps {
                match step {
                    Step::Insert => {
                        serial += 1;
                        match table.insert(serial) {
                            Ok(id) => {
                                prop_assert!(id > 0 && (bits == 64 || id < 1 << bits));
                                prop_assert!(!abandoned.contains_key(&id));
                                prop_assert_eq!(live.insert(id, serial), None);
                            }
                            Err(back) => {
                                prop_assert_eq!(*back, serial);
                                prop_assert!(live.len() + abandoned.len() >= 12);
                            }
                        }
                    }
                    Step::Answer(n) => if let Some((id, value)) = nth(&live, n) {
                        live.remove(&id);
                        prop_assert_eq!(table.take(id), Found::Live(value));
                    },
                    Step::AnswerAbandoned(n) => if let Some((id, ())) = nth(&abandoned, n) {
                        abandoned.remove(&id);
                        prop_assert_eq!(table.take(id), Found::Abandoned);
                    },
                    Step::Abandon(rest) => {
                        let gone = table.abandon(|value| value % 7 == u64::from(rest % 7));
                        for value in gone {
                            let id = *live.iter().find(|(_, v)| **v == value).unwrap().0;
                            live.remove(&id);
                            abandoned.insert(id, ());
                        }
                    }
                    Step::Reserve => match table.reserve() {
                        Some(id) => {
                            prop_assert!(!live.contains_key(&id));
                            prop_assert_eq!(abandoned.insert(id, ()), None);
                        }
                        None => prop_assert!(live.len() + abandoned.len() >= 12),
                    },
                    // Only what was given up is forgotten.
                    Step::Forget(n) => {
                        for (id, ()) in nth(&live, n).map(|(id, _)| (id, ())).into_iter().chain(nth(&abandoned, n)) {
                            table.forget(id);
                            abandoned.remove(&id);
                        }
                    }
                    Step::Unknown(id) => if !live.contains_key(&id) && !abandoned.contains_key(&id) {
                        prop_assert_eq!(table.take(id), Found::Unknown);
                    },
                }
                prop_assert_eq!(table.live(), live.len());
                prop_assert_eq!(table.abandoned(), abandoned.len());
            }
            let mut rest = table.drain();
            rest.sort_unstable();
            let mut expected: Vec<_> = live.into_values().collect();
            expected.sort_unstable();
            prop_assert_eq!(rest, expected);
        }
    }

    #[test]
    fn a_narrow_id_wraps_around_those_that_are_still_out() {
        let mut table = IdTable::new(8);
        let old = table.insert("old").unwrap();
        for _ in 0..10_000 {
            let id = table.insert("new").unwrap();
            assert_ne!(id, old);
            assert_eq!(table.take(id), Found::Live("new"));
        }
        assert_eq!(table.take(old), Found::Live("old"));
    }

    #[test]
    fn the_table_is_bounded() {
        let mut table = IdTable::new(64);
        let count = (0..MAX_SLOTS * 2).filter(|n| table.insert(*n).is_ok()).count();
        assert_eq!(count, MAX_SLOTS / 4 * 3);
    }
}
