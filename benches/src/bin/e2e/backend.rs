//! The server behind the proxies: answers each request with its own bytes.
//!
//! A request of awesomerpc with code 0 is also a valid response to itself, so nothing is built.
//! A request is answered once it is whole, as a real server would.

use std::collections::HashMap;
use std::io::{self, ErrorKind};
use std::thread;

use mio::event::Event;
use mio::net::TcpListener;
use mio::{Events, Interest, Poll, Token};

use crate::Failure;
use crate::cli::BackendArguments;
use crate::frame;
use crate::stream::{Flow, READ_SIZE, Stream};

/// What the backend prints before its address.
pub(crate) const LISTENING: &str = "listening on ";

const LISTENER: Token = Token(0);

/// Serves until the process is ended.
pub(crate) fn run(arguments: &BackendArguments) -> Result<(), Failure> {
    let mut server = Backend::bind(arguments)?;
    println!("{LISTENING}{}", server.listener.local_addr()?);
    if arguments.until_stdin_closes {
        thread::spawn(|| {
            let _ = io::copy(&mut io::stdin(), &mut io::sink());
            std::process::exit(0);
        });
    }
    loop {
        server.turn()?;
    }
}

struct Backend {
    poll: Poll,
    events: Option<Events>,
    listener: TcpListener,
    clients: HashMap<Token, Client>,
    next: usize,
    buffer: Vec<u8>,
}

impl Backend {
    fn bind(arguments: &BackendArguments) -> io::Result<Self> {
        let poll = Poll::new()?;
        let mut listener = TcpListener::bind(arguments.listen)?;
        poll.registry().register(&mut listener, LISTENER, Interest::READABLE)?;
        Ok(Backend {
            poll,
            events: Some(Events::with_capacity(1024)),
            listener,
            clients: HashMap::new(),
            next: LISTENER.0 + 1,
            buffer: vec![0; READ_SIZE],
        })
    }

    /// Waits for events and serves them.
    fn turn(&mut self) -> io::Result<()> {
        let Some(mut events) = self.events.take() else { return Ok(()) };
        match self.poll.poll(&mut events, None) {
            Err(error) if error.kind() != ErrorKind::Interrupted => return Err(error),
            _ => {}
        }
        for event in &events {
            match event.token() {
                LISTENER => self.accept()?,
                token => self.serve(token, event),
            }
        }
        self.events = Some(events);
        Ok(())
    }

    fn accept(&mut self) -> io::Result<()> {
        loop {
            match self.listener.accept() {
                Ok((socket, _)) => {
                    let token = Token(self.next);
                    self.next += 1;
                    let stream = Stream::register(socket, self.poll.registry(), token)?;
                    self.clients.insert(token, Client { stream, partial: Vec::new() });
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == ErrorKind::ConnectionAborted => {}
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// A client that breaks off or sends nonsense loses its connection, and nobody else does.
    fn serve(&mut self, token: Token, event: &Event) {
        let Some(client) = self.clients.get_mut(&token) else { return };
        match client.serve(event, &mut self.buffer) {
            Ok(Flow::Open) => {}
            Ok(Flow::Ended) | Err(_) => {
                self.clients.remove(&token);
            }
        }
    }
}

struct Client {
    stream: Stream,
    /// The start of a request whose rest has not arrived.
    partial: Vec<u8>,
}

impl Client {
    fn serve(&mut self, event: &Event, buffer: &mut [u8]) -> io::Result<Flow> {
        if event.is_writable() {
            self.stream.flush()?;
        }
        let partial = &mut self.partial;
        self.stream.read(event, buffer, |stream, bytes| echo(stream, partial, bytes))
    }
}

/// Answers the requests that `bytes` completes, and keeps the start of the next one.
fn echo(stream: &mut Stream, partial: &mut Vec<u8>, bytes: &[u8]) -> io::Result<()> {
    if partial.is_empty() {
        let whole = whole_frames(bytes)?;
        partial.extend_from_slice(&bytes[whole..]);
        return if whole > 0 { stream.write(&bytes[..whole]) } else { Ok(()) };
    }
    partial.extend_from_slice(bytes);
    let whole = whole_frames(partial)?;
    if whole > 0 {
        stream.write(&partial[..whole])?;
        partial.drain(..whole);
    }
    Ok(())
}

fn whole_frames(bytes: &[u8]) -> io::Result<usize> {
    frame::whole_frames(bytes)
        .map_err(|length| io::Error::new(ErrorKind::InvalidData, length.to_string()))
}
