//! One connection of a backend: reads requests, and does to each what the fault says.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::mpsc;
use tokio::task::spawn_local;
use tokio::time::sleep;

use super::{Backend, Fault, reset_on_close};
use crate::speech::Token;

/// The longest that an answer is held back, in milliseconds: some are later than every timeout.
const LATEST: u64 = 2_000;
/// How long nothing is read at a time.
const UNREAD: Duration = Duration::from_millis(700);

/// What is to be done to a connection, in order.
#[derive(Debug)]
enum Act {
    Write(Vec<u8>),
    Dribble(Vec<u8>),
    Wait(Duration),
    EndWriting,
    /// Nothing that follows is done.
    Silence,
    Close,
    Reset,
}

type Acts = mpsc::UnboundedSender<Act>;

/// Serves one connection until it ends.
pub(super) async fn attend(backend: &Backend, stream: TcpStream, number: u32) {
    stream.set_nodelay(true).ok();
    let (read, write) = stream.into_split();
    let (acts, todo) = mpsc::unbounded_channel();
    tokio::select! {
        () = write_answers(write, todo) => {}
        () = async {
            // Errors and ends of the proxy's side: what is owed is written all the same.
            read_requests(backend, read, number, acts).await.ok();
            std::future::pending::<()>().await;
        } => {}
    }
}

async fn read_requests(
    backend: &Backend,
    mut read: OwnedReadHalf,
    number: u32,
    acts: Acts,
) -> io::Result<()> {
    let mut buffer = Vec::new();
    loop {
        while *backend.fault.borrow() == Fault::Unread {
            sleep(UNREAD).await;
        }
        if read.read_buf(&mut buffer).await? == 0 {
            return Ok(());
        }
        let mut taken = 0;
        loop {
            let Ok(length) = backend.speech.length(&buffer[taken..]) else {
                let mut ledger = backend.book.borrow_mut();
                ledger.violation("a backend gets what is no request", None);
                return Err(io::ErrorKind::InvalidData.into());
            };
            let Some(length) = length.filter(|length| buffer.len() - taken >= *length) else {
                break;
            };
            treat(backend, &buffer[taken..taken + length], number, &acts);
            taken += length;
        }
        buffer.drain(..taken);
    }
}

/// Notes a request and decides what becomes of it.
fn treat(backend: &Backend, frame: &[u8], number: u32, acts: &Acts) {
    if let Some(pong) = backend.speech.pong(frame) {
        if *backend.fault.borrow() != Fault::BlackHole {
            acts.send(Act::Write(pong)).ok();
        }
        return;
    }
    let mut ledger = backend.book.borrow_mut();
    let Some(token) = backend.speech.token(frame) else {
        return ledger.violation("a backend gets a request that nobody sent", None);
    };
    match backend.shadow {
        true => ledger.copied(token),
        false => ledger.seen(token, backend.number, number),
    }
    if !backend.speech.is_request(frame, token) {
        ledger.violation("a request was changed on its way", Some(token));
    }
    let mood = backend.mood();
    ledger.done(token, name(mood));
    drop(ledger);
    // No client may take the answer to a copy for that to its call.
    let client = if backend.shadow { !token.client } else { token.client };
    act(backend, (frame, Token { client, ..token }), mood, acts);
}

fn act(backend: &Backend, (frame, token): (&[u8], Token), mood: Fault, acts: &Acts) {
    let mut rng = backend.rng.borrow_mut();
    let silent = !crate::ledger::is_two_way(token.operation);
    let mut answer = if silent { Vec::new() } else { backend.speech.respond(frame, token) };
    let then = |list: Vec<Act>| list.into_iter().for_each(|act| drop(acts.send(act)));
    match mood {
        Fault::None | Fault::Unread | Fault::Gone | Fault::Deaf | Fault::Mixed => {
            then(vec![Act::Write(answer)]);
        }
        Fault::Late => {
            let wait = Duration::from_millis(lateness(&mut rng));
            if backend.speech.in_order() {
                return then(vec![Act::Wait(wait / 8), Act::Write(answer)]);
            }
            later(wait, answer, acts);
        }
        Fault::Twice => {
            later(Duration::from_millis(rng.u64(..30)), answer.clone(), acts);
            then(vec![Act::Write(answer)]);
        }
        Fault::Garbage => {
            let end = if rng.bool() { Act::Close } else { Act::Wait(Duration::ZERO) };
            then(vec![Act::Write(backend.speech.garbage(&mut rng)), end]);
        }
        Fault::Cut => {
            answer.truncate(rng.usize(..=answer.len()));
            then(vec![Act::Write(answer), if rng.bool() { Act::Close } else { Act::Reset }]);
        }
        Fault::Reset => then(vec![Act::Reset]),
        Fault::Close => then(vec![Act::Write(answer), Act::Close]),
        Fault::HalfClose => then(vec![Act::Write(answer), Act::EndWriting]),
        Fault::Refuse if silent => {}
        Fault::Refuse => then(vec![Act::Write(backend.speech.refuse(frame))]),
        Fault::Dribble => then(vec![Act::Dribble(answer)]),
        Fault::Stray if silent => {}
        Fault::Stray => {
            let mut stray = answer.clone();
            backend.speech.misaddress(&mut stray);
            then(vec![Act::Write(stray), Act::Write(answer)]);
        }
        Fault::GoAway => {
            then(vec![
                Act::Write(backend.speech.go_away().unwrap_or_default()),
                Act::Write(answer),
            ]);
        }
        // A server that leaves one out where order counts would answer the next call in its place.
        Fault::BlackHole if backend.speech.in_order() => then(vec![Act::Silence]),
        Fault::BlackHole => {}
    }
}

/// Milliseconds: mostly few.
fn lateness(rng: &mut fastrand::Rng) -> u64 {
    let most = rng.choice([5, 50, 50, 300, LATEST]).unwrap_or(LATEST);
    rng.u64(..most)
}

/// Writes `answer` after a while, whatever is written meanwhile.
fn later(wait: Duration, answer: Vec<u8>, acts: &Acts) {
    let acts = acts.clone();
    spawn_local(async move {
        sleep(wait).await;
        acts.send(Act::Write(answer)).ok();
    });
}

/// Does what is to be done, until the connection ends or nobody can want anything any more.
async fn write_answers(mut write: OwnedWriteHalf, mut todo: mpsc::UnboundedReceiver<Act>) {
    while let Some(act) = todo.recv().await {
        let done = match act {
            Act::Write(bytes) => write.write_all(&bytes).await,
            Act::Dribble(bytes) => dribble(&mut write, &bytes).await,
            Act::Wait(time) => {
                sleep(time).await;
                Ok(())
            }
            Act::EndWriting => write.shutdown().await,
            Act::Silence => {
                while todo.recv().await.is_some() {}
                return;
            }
            Act::Close => return,
            Act::Reset => return reset_on_close(write.as_ref()),
        };
        // After its half-close the backend reads on: errors here end nothing.
        done.ok();
    }
}

async fn dribble(write: &mut OwnedWriteHalf, bytes: &[u8]) -> io::Result<()> {
    let piece = (bytes.len() / 10).max(5);
    for part in bytes.chunks(piece) {
        write.write_all(part).await?;
        sleep(Duration::from_millis(1)).await;
    }
    Ok(())
}

fn name(fault: Fault) -> &'static str {
    match fault {
        Fault::Late => "answers late",
        Fault::Twice => "answers twice",
        Fault::Garbage => "sends garbage",
        Fault::Cut => "cuts the answer",
        Fault::Reset => "resets",
        Fault::Close => "answers and closes",
        Fault::HalfClose => "answers and half-closes",
        Fault::Refuse => "refuses",
        Fault::Dribble => "answers in pieces",
        Fault::Stray => "answers, and something else",
        Fault::GoAway => "says go-away, and answers",
        Fault::BlackHole => "does not answer",
        _ => "answers",
    }
}
