//! What comes back: each answer is the right one for a call without an answer, or a violation.

use std::io;
use std::time::Duration;

use tokio::io::AsyncReadExt;
use tokio::net::tcp::OwnedReadHalf;
use tokio::time::{Instant, sleep, timeout};

use super::{Client, Manner, PATIENCE};
use crate::ledger::End;

/// How often it is looked for calls without an answer.
const LOOK: Duration = Duration::from_millis(250);

impl Client {
    /// Reads until nothing more can come.
    pub(super) async fn receive(&self, mut read: OwnedReadHalf) {
        let mut buffer = Vec::new();
        let end = loop {
            match timeout(LOOK, self.read_some(&mut read, &mut buffer)).await {
                Ok(Ok(0)) => break None,
                Ok(Ok(_)) => self.heard.set(Instant::now()),
                Ok(Err(error)) => break Some(error),
                Err(_) => {}
            }
            if !self.take_frames(&mut buffer) {
                break None;
            }
            self.give_up();
        };
        let bounded = self.book.borrow().is_bounded();
        if end.is_none() && !buffer.is_empty() && self.plan.manner.is_served() && !bounded {
            self.book.borrow_mut().violation("the proxy closes within a frame", None);
        }
        self.close(true);
    }

    async fn read_some(&self, read: &mut OwnedReadHalf, buffer: &mut Vec<u8>) -> io::Result<usize> {
        if self.plan.manner != Manner::Slow || self.hurries.get() {
            return read.read_buf(buffer).await;
        }
        let (pause, most) = {
            let mut rng = self.rng.borrow_mut();
            (rng.u64(..20), rng.u64(1..32_000))
        };
        sleep(Duration::from_millis(pause)).await;
        read.take(most).read_buf(buffer).await
    }

    /// Takes whole frames off the front. False if there is what can't be one.
    fn take_frames(&self, buffer: &mut Vec<u8>) -> bool {
        let mut taken = 0;
        loop {
            let rest = &buffer[taken..];
            match self.speech.length(rest) {
                Ok(Some(length)) if length <= rest.len() => {
                    self.answer(&rest[..length]);
                    taken += length;
                }
                Ok(_) => break,
                Err(_) => {
                    let what = "a client gets what is no frame";
                    self.book.borrow_mut().violation(what, None);
                    return false;
                }
            }
        }
        buffer.drain(..taken);
        if taken > 0 {
            self.news.notify_one();
        }
        true
    }

    fn answer(&self, frame: &[u8]) {
        if self.speech.pong(frame).is_some() {
            // The proxy says that it goes. What is asked all the same is its to answer.
            return;
        }
        let id = self.speech.id(frame);
        let carried = self.speech.token(frame);
        let mut ledger = self.book.borrow_mut();
        let Some(call) = self.waiting.borrow_mut().take(id) else {
            if self.plan.manner == Manner::Garbage && self.speech.error(frame).is_some() {
                // What it sent may be answered, too.
                return;
            }
            let what = match carried {
                Some(token) if token.client != self.number => "an answer of another client's call",
                _ => "an answer that nobody waits for",
            };
            let more =
                format!("client {}, id {id}, error {:?}", self.number, self.speech.error(frame));
            return ledger.violation_with(what, carried, more);
        };
        if self.speech.in_order() && self.waiting.borrow().has_earlier(&call) {
            ledger.violation("an answer comes before its turn", Some(call.token));
        }
        let Some(code) = self.speech.error(frame) else {
            if frame != self.speech.expected(id, call.token) {
                let more = format!("client {}, id {id}, it carries {carried:?}", self.number);
                ledger.violation_with("a wrong answer", Some(call.token), more);
            }
            return ledger.ended(call.token, End::Answered);
        };
        ledger.ended(call.token, End::Error(code));
        let words = String::from_utf8_lossy(frame);
        let what = if self.plan.strict {
            "an error although all is well"
        } else if words.contains("has been removed") {
            "a change of configuration loses a call"
        } else if !self.speech.may_fail(code, call.token.operation, ledger.fair) {
            "an error for which there is no reason"
        } else {
            return;
        };
        ledger.violation_with(what, Some(call.token), words.escape_debug().to_string());
    }

    /// Calls without an answer for too long are hanging.
    fn give_up(&self) {
        let Some(before) = Instant::now().checked_sub(PATIENCE) else { return };
        if self.plan.manner == Manner::Slow && self.heard.get() > before {
            // It is this client that takes its time.
            return;
        }
        let calls = self.waiting.borrow_mut().take_all(Some(before));
        for call in &calls {
            let mut ledger = self.book.borrow_mut();
            ledger.ended(call.token, End::Hanging);
            let what = "a call has no end";
            ledger.violation_with(what, Some(call.token), format!("{:?}", self.plan.manner));
        }
        if !calls.is_empty() {
            self.news.notify_one();
        }
    }
}
