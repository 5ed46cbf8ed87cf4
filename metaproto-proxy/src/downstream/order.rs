//! The order of answers, where the protocol has no ids to tell them apart.

use std::collections::VecDeque;

use metaproto_core::Output;

/// Holds answers back until those before them have been written. Every request takes a ticket when it
/// arrives; whatever order the upstreams answer in, answers leave in the order of the tickets.
#[derive(Debug, Default)]
pub(crate) struct Order {
    /// The ticket of the first in the queue. Tickets begin again after the last number.
    first: u32,
    /// `None` is still to come. Answers that wait are rare: their places are small.
    answers: VecDeque<Option<Box<Output>>>,
    bytes: usize,
}

impl Order {
    /// The ticket of the next request.
    pub(crate) fn take_ticket(&mut self) -> u32 {
        let ticket = self.first.wrapping_add(self.answers.len() as u32);
        self.answers.push_back(None);
        ticket
    }

    /// Takes the answer for a ticket, and appends to `out` what may now leave. An empty answer is that
    /// of a one-way request.
    pub(crate) fn put(&mut self, ticket: u32, answer: Output, out: &mut Output) {
        // Of one that has left already this is beyond the end.
        let index = ticket.wrapping_sub(self.first) as usize;
        let Some(slot) = self.answers.get_mut(index) else { return };
        self.bytes += answer.len();
        *slot = Some(Box::new(answer));
        self.release(out);
    }

    /// The answer of the first ticket has been written: appends to `out` what may now leave.
    pub(crate) fn advance(&mut self, out: &mut Output) {
        if self.answers.pop_front().is_some() {
            self.first = self.first.wrapping_add(1);
            self.release(out);
        }
    }

    fn release(&mut self, out: &mut Output) {
        while let Some(ready) = self.answers.front_mut().and_then(Option::take) {
            self.answers.pop_front();
            self.first = self.first.wrapping_add(1);
            self.bytes -= ready.len();
            out.append(*ready);
        }
    }

    /// The ticket whose answer the others wait for.
    pub(crate) fn first(&self) -> u32 {
        self.first
    }

    /// The answers that have not left.
    pub(crate) fn len(&self) -> usize {
        self.answers.len()
    }

    /// The bytes of answers that wait for others.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }
}

#[cfg(test)]
mod tests {
    use bytes::Buf;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn answers_leave_in_the_order_of_their_tickets(
            keys in proptest::collection::vec(any::<u32>(), 1..50),
        ) {
            // The numbers end within the run.
            let mut order = Order { first: u32::MAX - 20, ..Order::default() };
            let mut out = Output::new();
            let mut tickets: Vec<_> = keys.iter().map(|key| (*key, order.take_ticket())).collect();
            let expected: Vec<u8> = tickets.iter().map(|(_, ticket)| *ticket as u8).collect();
            tickets.sort_unstable();
            for (_, ticket) in tickets {
                let mut answer = Output::new();
                answer.copy(&[ticket as u8]);
                order.put(ticket, answer, &mut out);
                prop_assert_eq!(order.bytes() + out.len() <= keys.len(), true);
            }
            prop_assert_eq!(order.bytes(), 0);
            let len = out.len();
            prop_assert_eq!(out.copy_to_bytes(len).to_vec(), expected);
        }
    }

    #[test]
    fn a_ticket_is_answered_once() {
        let (mut order, mut out) = (Order::default(), Output::new());
        let ticket = order.take_ticket();
        for _ in 0..2 {
            let mut answer = Output::new();
            answer.copy(b"x");
            order.put(ticket, answer, &mut out);
        }
        assert_eq!(out.len(), 1);
    }
}
