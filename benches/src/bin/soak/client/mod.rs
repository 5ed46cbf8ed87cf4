//! Clients that come and go, and what they hold the proxy to.

mod manner;
mod receive;
mod waiting;

use std::cell::{Cell, RefCell};
use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::net::tcp::OwnedWriteHalf;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep, timeout};

pub(crate) use self::manner::Manner;
use self::waiting::Waiting;
use crate::backend::reset_on_close;
use crate::ledger::{Book, End, is_two_way};
use crate::speech::{Operation, Speech, Token};

/// How long a call may be without an answer before it counts as forgotten. Longer than every timeout
/// of a route, because a call counts from when the proxy reads it, and it need not read at once.
pub(crate) const PATIENCE: Duration = Duration::from_secs(14);
/// How long a client waits for the proxy to end a connection that it should end.
const GOODBYE: Duration = Duration::from_secs(3);

/// What a client does.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    /// Where to connect to.
    pub(crate) address: SocketAddr,
    /// How it behaves.
    pub(crate) manner: Manner,
    /// How long it makes calls.
    pub(crate) lifetime: Duration,
    /// What it calls.
    pub(crate) operations: Vec<Operation>,
    /// How many calls it has in flight at most.
    pub(crate) window: usize,
    /// Whether the proxy may end the connection: because of its age, or with its listener.
    pub(crate) may_end: bool,
    /// Whether every call must be answered, and not with an error.
    pub(crate) strict: bool,
}

/// A connection of a client.
#[derive(Debug)]
struct Client {
    number: u32,
    plan: Plan,
    speech: Rc<Speech>,
    book: Book,
    rng: RefCell<fastrand::Rng>,
    waiting: RefCell<Waiting>,
    /// There is an answer, or the end.
    news: Notify,
    /// Nothing more can come.
    ended: Cell<bool>,
    /// When something came last.
    heard: Cell<Instant>,
    /// It makes no more calls, and reads as fast as it can.
    hurries: Cell<bool>,
    made: Cell<u32>,
    next_id: Cell<u32>,
}

/// Runs one client from its connection to its end. Tells whether it could connect.
pub(crate) async fn run(
    number: u32,
    plan: Plan,
    speech: Rc<Speech>,
    book: Book,
    mut rng: fastrand::Rng,
) -> bool {
    let Ok(Ok(stream)) = timeout(GOODBYE, TcpStream::connect(plan.address)).await else {
        return false;
    };
    stream.set_nodelay(true).ok();
    if plan.manner == Manner::Slow {
        socket2::SockRef::from(&stream).set_recv_buffer_size(4096).ok();
    }
    // Ids wrap now and then.
    let first = if rng.u8(..) < 64 { u32::MAX - rng.u32(..50) } else { rng.u32(..0x3000_0000) };
    let client = Client {
        number,
        plan,
        speech,
        book,
        rng: RefCell::new(rng),
        waiting: RefCell::default(),
        news: Notify::new(),
        ended: Cell::new(false),
        heard: Cell::new(Instant::now()),
        hurries: Cell::new(false),
        made: Cell::new(0),
        next_id: Cell::new(first),
    };
    let (read, write) = stream.into_split();
    let reading = async {
        client.receive(read).await;
        client.ended.set(true);
        client.news.notify_waiters();
        client.news.notify_one();
        std::future::pending::<()>().await;
    };
    tokio::select! {
        () = reading => {}
        () = client.live(write) => {}
    }
    client.close(false);
    true
}

impl Client {
    /// Makes calls for a while, and ends as its manner has it.
    async fn live(&self, mut write: OwnedWriteHalf) {
        let until = Instant::now() + self.plan.lifetime;
        if self.plan.manner == Manner::Idle {
            return sleep(self.plan.lifetime).await;
        }
        while Instant::now() < until && !self.ended.get() {
            self.make_room(self.plan.window / 2).await;
            let batch = self.batch();
            if self.write(&mut write, &batch).await.is_err() {
                break;
            }
            let pause = self.rng.borrow_mut().u64(..30);
            sleep(Duration::from_millis(pause)).await;
        }
        self.end(write).await;
    }

    async fn end(&self, mut write: OwnedWriteHalf) {
        self.hurries.set(true);
        match self.plan.manner {
            Manner::Reset => {
                let last = self.batch();
                self.write(&mut write, &last).await.ok();
                reset_on_close(write.as_ref());
            }
            Manner::Leave => {
                let last = self.batch();
                self.write(&mut write, &last).await.ok();
            }
            Manner::Cut => {
                let last = self.batch();
                let part = self.rng.borrow_mut().usize(..=last.len());
                self.write(&mut write, &last[..part]).await.ok();
                let pause = self.rng.borrow_mut().u64(..2500);
                timeout(Duration::from_millis(pause), self.until_ended()).await.ok();
            }
            Manner::HalfClose => {
                let last = self.batch();
                self.write(&mut write, &last).await.ok();
                write.shutdown().await.ok();
                self.make_room(0).await;
                self.expect_end("a half-closed client is not let go").await;
            }
            Manner::Garbage => {
                let garbage = self.speech.garbage(&mut self.rng.borrow_mut());
                self.book.borrow_mut().totals.garbage += 1;
                self.write(&mut write, &garbage).await.ok();
                self.make_room(0).await;
                self.expect_end("a client that sent garbage is not let go").await;
            }
            Manner::Polite | Manner::Pieces | Manner::FewIds | Manner::Slow | Manner::Idle => {
                self.make_room(0).await;
            }
        }
    }

    async fn expect_end(&self, what: &'static str) {
        if timeout(GOODBYE, self.until_ended()).await.is_err() {
            self.book.borrow_mut().violation(what, None);
        }
    }

    async fn until_ended(&self) {
        while !self.ended.get() {
            self.news.notified().await;
        }
    }

    /// Waits until no more than `most` calls have no answer, or no answer can come.
    async fn make_room(&self, most: usize) {
        while self.waiting.borrow().len() > most && !self.ended.get() {
            self.news.notified().await;
        }
    }

    /// Makes some calls, as many as there is room for.
    fn batch(&self) -> Vec<u8> {
        let room = self.plan.window.saturating_sub(self.waiting.borrow().len());
        let count = self.rng.borrow_mut().usize(..=room).max(1);
        let mut bytes = Vec::new();
        for _ in 0..count {
            let (id, token) = (self.id(), self.token());
            self.book.borrow_mut().sent(token, id);
            if is_two_way(token.operation) {
                self.waiting.borrow_mut().add(id, token);
            } else {
                self.book.borrow_mut().ended(token, End::Oneway);
            }
            bytes.extend(self.speech.request(id, token));
        }
        bytes
    }

    fn token(&self) -> Token {
        let mut rng = self.rng.borrow_mut();
        let operation = rng.choice(&self.plan.operations).copied().unwrap_or(Operation::Once);
        let much = self.plan.manner == Manner::Slow;
        let size = match rng.u8(..) {
            0..3 => rng.u32(Token::SIZE..150_000),
            3..20 => rng.u32(Token::SIZE..20_000),
            _ if much => rng.u32(2_000..30_000),
            _ => rng.u32(Token::SIZE..300),
        };
        let number = self.made.replace(self.made.get() + 1);
        Token { client: self.number, number, size, operation }
    }

    /// An id that no call in flight has.
    fn id(&self) -> u32 {
        let waiting = self.waiting.borrow();
        if self.plan.manner == Manner::FewIds {
            let first = self.rng.borrow_mut().u32(..64);
            return (first..).find(|id| !waiting.has(*id)).unwrap_or(first);
        }
        let mut id = self.next_id.get();
        while waiting.has(id) {
            id = id.wrapping_add(1);
        }
        self.next_id.set(id.wrapping_add(1));
        id
    }

    /// Writes, in pieces if that is the manner.
    async fn write(&self, write: &mut OwnedWriteHalf, bytes: &[u8]) -> io::Result<()> {
        let pieces = matches!(self.plan.manner, Manner::Pieces | Manner::Cut);
        let mut rest = bytes;
        while pieces && !rest.is_empty() {
            let (count, pause) = {
                let mut rng = self.rng.borrow_mut();
                // So many pieces at most that no frame takes long.
                let most = if rng.bool() { 40.max(bytes.len() / 100) } else { 20_000 };
                (rng.usize(1..most).min(rest.len()), rng.u64(..4))
            };
            write.write_all(&rest[..count]).await?;
            rest = &rest[count..];
            sleep(Duration::from_millis(pause / 3)).await;
        }
        write.write_all(rest).await
    }

    /// What has no answer gets none any more. `by_proxy`: it was the proxy that closed.
    fn close(&self, by_proxy: bool) {
        let mut ledger = self.book.borrow_mut();
        let calls = self.waiting.borrow_mut().take_all(None);
        let excused = self.plan.may_end || ledger.drained.is_some();
        let bounded = by_proxy && ledger.is_bounded();
        if bounded && !calls.is_empty() && self.plan.manner.is_served() && !excused {
            ledger.let_go += 1;
        }
        for call in calls {
            ledger.ended(call.token, End::Closed);
            let early = ledger.drained.is_some_and(|at| call.since + GRACE < at);
            if by_proxy && !bounded && self.plan.manner.is_served() && (!excused || early) {
                let what = "the proxy closes a connection with a call in flight";
                ledger.violation_with(what, Some(call.token), format!("{:?}", self.plan.manner));
            }
        }
    }
}

/// What was sent this long before the proxy was asked to end has been read by then.
const GRACE: Duration = Duration::from_millis(500);
