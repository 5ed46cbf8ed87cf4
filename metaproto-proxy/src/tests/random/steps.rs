//! What can happen in a random schedule.

use proptest::prelude::*;

use crate::tests::world::Door;

#[derive(Debug, Clone)]
pub(super) enum Step {
    Connect,
    /// `part` bytes of it are written now, the rest later.
    Send {
        client: usize,
        oneway: bool,
        id: u32,
        size: usize,
        code: u8,
        part: usize,
    },
    HalfClose(usize),
    Vanish(usize),
    Serve(usize, Deed),
    Door(u8, Door),
    Reload(usize),
    Wait(u64),
}

/// What an upstream does.
#[derive(Debug, Clone, Copy)]
pub(super) enum Deed {
    Answer(usize),
    AnswerAll,
    AnswerTwice(usize),
    AnswerUnknown,
    AnswerBadly(usize),
    AnswerHalfAndReset,
    Reset,
    Garbage,
    Ping,
    GoAway,
}

fn step() -> impl Strategy<Value = Step> {
    let size = prop_oneof![5 => 0_usize..60, 1 => 4000_usize..6000];
    let code = prop_oneof![3 => Just(0_u8), 1 => 1_u8..60];
    let send = (any::<usize>(), any::<u32>(), size, code, 0_usize..80, 0..5).prop_map(
        |(client, id, size, code, part, kind)| {
            let oneway = kind == 0;
            let code = if oneway { 0 } else { code };
            Step::Send { client, oneway, id, size, code, part }
        },
    );
    let deed = prop_oneof![
        6 => any::<usize>().prop_map(Deed::Answer),
        4 => Just(Deed::AnswerAll),
        1 => any::<usize>().prop_map(Deed::AnswerTwice),
        1 => Just(Deed::AnswerUnknown),
        1 => any::<usize>().prop_map(Deed::AnswerBadly),
        1 => Just(Deed::AnswerHalfAndReset),
        1 => Just(Deed::Reset),
        1 => Just(Deed::Garbage),
        1 => Just(Deed::Ping),
        1 => Just(Deed::GoAway),
    ];
    let door = prop_oneof![Just(Door::Open), Just(Door::Refuse), Just(Door::Hang)];
    let wait = prop_oneof![4 => 0_u64..30, 1 => 0_u64..7000];
    prop_oneof![
        2 => Just(Step::Connect),
        12 => send,
        1 => any::<usize>().prop_map(Step::HalfClose),
        1 => any::<usize>().prop_map(Step::Vanish),
        12 => (any::<usize>(), deed).prop_map(|(server, deed)| Step::Serve(server, deed)),
        1 => (1_u8..6, door).prop_map(|(n, door)| Step::Door(n, door)),
        1 => any::<usize>().prop_map(Step::Reload),
        4 => wait.prop_map(Step::Wait),
    ]
}

pub(super) fn steps() -> impl Strategy<Value = Vec<Step>> {
    proptest::collection::vec(step(), 0..120)
}
