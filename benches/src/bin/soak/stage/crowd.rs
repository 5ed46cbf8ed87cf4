//! Clients that come and go.

use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};

use super::Stage;
use crate::client::{self, Manner, PATIENCE, Plan};

/// How long clients may take to end when none comes any more.
const LONGEST: Duration = Duration::from_secs(60);

/// A number of clients at a time.
#[derive(Debug)]
pub(super) struct Crowd<'a> {
    stage: &'a Stage,
    size: usize,
    /// Everybody behaves, and must be served.
    calm: bool,
    /// Errors are violations.
    strict: bool,
    /// The most milliseconds that a client makes calls.
    longest: u64,
}

impl<'a> Crowd<'a> {
    /// `calm`: everybody behaves, and every call must succeed.
    pub(super) fn new(stage: &'a Stage, size: usize, calm: bool) -> Self {
        let longest = (stage.arguments.seconds * 400).clamp(500, 3000);
        Crowd { stage, size, calm, strict: calm, longest }
    }

    /// Calls may fail.
    pub(super) fn unnoticed(mut self) -> Self {
        self.strict = false;
        self
    }

    /// Clients go soon.
    pub(super) fn brief(mut self) -> Self {
        self.longest = 200;
        self
    }

    /// Clients come for `time`; then waits until all have gone.
    pub(super) async fn run(&self, time: Duration) {
        let until = Instant::now() + time;
        let mut clients = JoinSet::new();
        while Instant::now() < until {
            while clients.len() < self.size {
                self.spawn(&mut clients);
            }
            let left = until.saturating_duration_since(Instant::now());
            timeout(left, clients.join_next()).await.ok();
            // Nobody to connect to is no reason to hurry.
            sleep(Duration::from_millis(2)).await;
        }
        let all = async { while clients.join_next().await.is_some() {} };
        if timeout(LONGEST + PATIENCE, all).await.is_err() {
            let what = "clients do not end";
            self.stage.book.borrow_mut().violation(what, None);
        }
    }

    fn spawn(&self, clients: &mut JoinSet<bool>) {
        let stage = self.stage;
        let number = stage.clients.replace(stage.clients.get() + 1);
        let mut rng = stage.rng.borrow_mut();
        let second = !self.calm && rng.u8(..4) == 0;
        let longest = rng.choice([self.longest, self.longest / 10]).unwrap_or(self.longest);
        let lifetime = rng.u64(..longest);
        let plan = Plan {
            address: if second { stage.places.second } else { stage.places.listen },
            manner: self.manner(&mut rng),
            lifetime: Duration::from_millis(lifetime),
            operations: stage.speech.operations().to_vec(),
            window: rng.choice([1, 4, 16, 16, 48]).unwrap_or(1),
            may_end: second,
            strict: self.strict,
        };
        let (speech, book) = (stage.speech.clone(), stage.book.clone());
        clients.spawn_local(client::run(number, plan, speech, book, rng.fork()));
    }

    fn manner(&self, rng: &mut fastrand::Rng) -> Manner {
        if self.calm {
            return rng
                .choice([Manner::Polite, Manner::Pieces, Manner::FewIds])
                .unwrap_or(Manner::Polite);
        }
        let all = Manner::all();
        let chosen = &self.stage.arguments.manners;
        let manners = if chosen.is_empty() { &all } else { chosen };
        rng.choice(manners).copied().unwrap_or(Manner::Polite)
    }
}
