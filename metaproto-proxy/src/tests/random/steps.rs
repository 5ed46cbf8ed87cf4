//! What can happen in a random schedule.

use proptest::prelude::*;

use crate::tests::world::Door;

#[derive(Debug, Clone)]
pub(super) enum Step {
    Connect,
    /// `part` bytes of it are written now, the rest later.
    Send {
        client: usize,
        /// It may be sent to more than one server.
        repeated: bool,
        oneway: bool,
        id: u32,
        size: usize,
        code: u8,
        part: usize,
    },
    /// So many requests of this size at once.
    Flood(usize, usize, usize),
    /// The client reads nothing from now on, or reads again.
    Deafen(usize),
    HalfClose(usize),
    Vanish(usize),
    Serve(usize, Deed),
    Door(u8, Door),
    Reload(u128),
    Wait(u64),
}

/// What an upstream does.
#[derive(Debug, Clone, Copy)]
pub(super) enum Deed {
    Answer(usize),
    AnswerAll,
    /// With a status that is no success.
    AnswerFailing(usize),
    AnswerTwice(usize),
    AnswerUnknown,
    AnswerBadly(usize),
    AnswerHalfAndReset,
    AnswerAndClose(usize),
    Reset,
    Garbage,
    Ping,
    GoAway,
}

/// How a schedule ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending {
    /// Clients send no more, and servers answer all.
    Answers,
    /// Clients send no more, and servers answer nothing more.
    Silence,
    /// The proxy drains, and servers answer all.
    Drain,
}

fn send(code: impl Strategy<Value = u8>) -> impl Strategy<Value = Step> {
    let size = prop_oneof![5 => 0_usize..60, 1 => 4000_usize..6000];
    (any::<usize>(), any::<u32>(), size, code, 0_usize..80, 0..5, 0..3).prop_map(
        |(client, id, size, code, part, kind, repeated)| {
            let (oneway, repeated) = (kind == 0, repeated > 0);
            let code = if oneway { 0 } else { code };
            Step::Send { client, repeated, oneway, id, size, code, part }
        },
    )
}

fn step() -> impl Strategy<Value = Step> {
    let send = send(prop_oneof![3 => Just(0_u8), 1 => 1_u8..60]);
    let deed = prop_oneof![
        6 => any::<usize>().prop_map(Deed::Answer),
        4 => Just(Deed::AnswerAll),
        2 => any::<usize>().prop_map(Deed::AnswerFailing),
        1 => any::<usize>().prop_map(Deed::AnswerTwice),
        1 => Just(Deed::AnswerUnknown),
        1 => any::<usize>().prop_map(Deed::AnswerBadly),
        1 => Just(Deed::AnswerHalfAndReset),
        1 => any::<usize>().prop_map(Deed::AnswerAndClose),
        1 => Just(Deed::Reset),
        1 => Just(Deed::Garbage),
        1 => Just(Deed::Ping),
        1 => Just(Deed::GoAway),
    ];
    let door = prop_oneof![Just(Door::Open), Just(Door::Refuse), Just(Door::Hang)];
    let wait = prop_oneof![4 => 0_u64..30, 2 => 0_u64..500, 1 => 0_u64..7000];
    prop_oneof![
        4 => Just(Step::Connect),
        24 => send,
        1 => (any::<usize>(), 10_usize..100, prop_oneof![Just(5000_usize), Just(5)])
            .prop_map(|(client, count, size)| Step::Flood(client, count, size)),
        1 => any::<usize>().prop_map(Step::Deafen),
        2 => any::<usize>().prop_map(Step::HalfClose),
        1 => any::<usize>().prop_map(Step::Vanish),
        24 => (any::<usize>(), deed).prop_map(|(server, deed)| Step::Serve(server, deed)),
        2 => (1_u8..6, door).prop_map(|(n, door)| Step::Door(n, door)),
        3 => any::<u128>().prop_map(Step::Reload),
        8 => wait.prop_map(Step::Wait),
    ]
}

/// Anything, and how it ends.
pub(super) fn steps() -> impl Strategy<Value = (Vec<Step>, Ending)> {
    let ending = prop_oneof![Just(Ending::Answers), Just(Ending::Silence), Just(Ending::Drain)];
    (proptest::collection::vec(step(), 0..120), ending)
}

/// Only what is no reason for a call to fail.
pub(super) fn fair_steps() -> impl Strategy<Value = (Vec<Step>, Ending)> {
    let answer = prop_oneof![any::<usize>().prop_map(Deed::Answer), Just(Deed::AnswerAll)];
    let step = prop_oneof![
        2 => Just(Step::Connect),
        12 => send(Just(0)),
        1 => any::<usize>().prop_map(Step::HalfClose),
        12 => (any::<usize>(), answer).prop_map(|(server, deed)| Step::Serve(server, deed)),
        6 => any::<u128>().prop_map(Step::Reload),
        3 => (0_u64..10).prop_map(Step::Wait),
    ];
    let ending = prop_oneof![Just(Ending::Answers), Just(Ending::Drain)];
    (proptest::collection::vec(step, 0..120), ending)
}
