//! The calls that have been sent on a connection and not been answered.

use std::collections::VecDeque;

use metaproto_core::Correlation;

use super::id_table::{Found, IdTable};
use crate::exchange::Call;

/// Responses of given-up calls that a connection may owe at the most.
const MAX_OWED: usize = 4096;

/// How responses on a connection find their calls.
#[derive(Debug)]
pub(crate) enum InFlight {
    /// Every call has been given an id of its own.
    ById(IdTable<Call>),
    /// Calls keep the ids that their client gave them, if they have any: the connection belongs to
    /// one client, or carries one call at a time.
    Queue {
        /// Whether responses are told apart by those ids; if not, by their order.
        by_id: bool,
        calls: VecDeque<Queued>,
    },
}

/// Every id is taken.
#[derive(Debug)]
pub(crate) struct Full;

/// A call in a queue.
#[derive(Debug)]
pub(crate) struct Queued {
    id: Option<u64>,
    /// `None` once the call was given up; its response is still awaited, and dropped.
    call: Option<Call>,
}

impl InFlight {
    /// One in which calls keep the ids that they have, if `by_id`, or none.
    pub(crate) fn queue(by_id: bool) -> Self {
        InFlight::Queue { by_id, calls: VecDeque::new() }
    }

    /// The calls that somebody waits for.
    pub(crate) fn live(&self) -> usize {
        match self {
            InFlight::ById(table) => table.live(),
            InFlight::Queue { calls, .. } => {
                calls.iter().filter(|queued| queued.call.is_some()).count()
            }
        }
    }

    /// The responses that are awaited only to be dropped.
    fn abandoned(&self) -> usize {
        match self {
            InFlight::ById(table) => table.abandoned(),
            InFlight::Queue { calls, .. } => {
                calls.iter().filter(|queued| queued.call.is_none()).count()
            }
        }
    }

    /// Whether so many responses are awaited only to be dropped that the connection had better be
    /// replaced: its ids are running out, and the endpoint does not seem to answer.
    pub(crate) fn owes_too_much(&self) -> bool {
        let most = match self {
            InFlight::ById(table) => MAX_OWED.min(table.capacity() / 2),
            InFlight::Queue { .. } => MAX_OWED,
        };
        self.abandoned() > most
    }

    /// Takes a call on; tells the id to write into its request, if it is not the client's own. Gives
    /// the call back if there are too many.
    #[inline(always)]
    pub(crate) fn insert(&mut self, call: Call) -> Result<Option<u64>, Box<Call>> {
        match self {
            InFlight::ById(table) => table.insert(call).map(Some),
            InFlight::Queue { by_id, calls } => {
                let id = call.head.request_id.filter(|_| *by_id);
                calls.push_back(Queued { id, call: Some(call) });
                Ok(None)
            }
        }
    }

    /// The id to write into a message that will not be answered, if it is not the client's own. An
    /// error if there are too many calls to find one.
    pub(crate) fn spare_id(&mut self) -> Result<Option<u64>, Full> {
        match self {
            InFlight::ById(table) => table.spare().map(Some).ok_or(Full),
            InFlight::Queue { .. } => Ok(None),
        }
    }

    /// Takes an id for a ping, or, if `correlation` has none, a place in the order, which only an empty
    /// queue has. Kept until [`end_ping`](InFlight::end_ping), or until a response takes it. `None` if
    /// there is no id or place for it now.
    pub(crate) fn begin_ping(&mut self, correlation: Correlation) -> Option<Option<u64>> {
        let queue = match self {
            InFlight::ById(table) => return table.reserve().map(Some),
            InFlight::Queue { calls, .. } => calls,
        };
        let id = match correlation {
            Correlation::Order if queue.is_empty() => None,
            Correlation::Order => return None,
            // These ids are the client's. Clients count upwards from a small number, mostly.
            Correlation::Id { bits } => {
                let max_id = u64::MAX >> (64 - u32::from(bits.clamp(1, 64)));
                let is_free = |id: &u64| !queue.iter().any(|queued| queued.id == Some(*id));
                Some((0..=queue.len() as u64).map_while(|n| max_id.checked_sub(n)).find(is_free)?)
            }
        };
        queue.push_back(Queued { id, call: None });
        Some(id)
    }

    /// Gives the id or the place of a ping back, if a response has not taken it.
    pub(crate) fn end_ping(&mut self, id: Option<u64>) {
        match (self, id) {
            (InFlight::ById(table), Some(id)) => table.forget(id),
            (InFlight::ById(_), None) => {}
            (InFlight::Queue { calls, .. }, _) => {
                let ping = |queued: &Queued| queued.id == id && queued.call.is_none();
                if let Some(position) = calls.iter().position(ping) {
                    calls.remove(position);
                }
            }
        }
    }

    /// Takes out the call that a response with this id answers.
    #[inline(always)]
    pub(crate) fn take(&mut self, id: Option<u64>) -> Found<Call> {
        match (self, id) {
            (InFlight::ById(table), Some(id)) => table.take(id),
            (InFlight::ById(_), None) => Found::Unknown,
            (InFlight::Queue { by_id, calls }, id) => {
                let id = id.filter(|_| *by_id);
                let position = calls.iter().position(|queued| queued.id == id);
                match position.and_then(|position| calls.remove(position)) {
                    Some(Queued { call: Some(call), .. }) => Found::Live(call),
                    Some(Queued { call: None, .. }) => Found::Abandoned,
                    None => Found::Unknown,
                }
            }
        }
    }

    /// The ticket of the call that the next response answers, where order tells.
    pub(crate) fn next_ticket(&self) -> Option<u32> {
        match self {
            InFlight::ById(_) => None,
            InFlight::Queue { calls, .. } => {
                calls.iter().find_map(|queued| Some(queued.call.as_ref()?.ticket))
            }
        }
    }

    /// Gives up the calls of which `expired` holds.
    pub(crate) fn abandon(&mut self, mut expired: impl FnMut(&Call) -> bool) -> Vec<Call> {
        match self {
            InFlight::ById(table) => table.abandon(expired),
            InFlight::Queue { calls, .. } => {
                calls.iter_mut().filter_map(|queued| queued.call.take_if(|c| expired(c))).collect()
            }
        }
    }

    /// Takes all calls out.
    pub(crate) fn drain(&mut self) -> Vec<Call> {
        match self {
            InFlight::ById(table) => table.drain(),
            InFlight::Queue { calls, .. } => {
                calls.drain(..).filter_map(|queued| queued.call).collect()
            }
        }
    }

    /// Gives memory back when nothing is in flight.
    pub(crate) fn release(&mut self) {
        match self {
            InFlight::ById(table) => table.release(),
            InFlight::Queue { calls, .. } => calls.shrink_to_fit(),
        }
    }
}
