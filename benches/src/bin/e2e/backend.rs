//! The server behind the proxies: answers each call with the text that it brought.
//!
//! A request is answered once it is whole, as a real server would.

use std::collections::HashMap;
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::thread;

use mio::event::Event;
use mio::net::TcpListener;
use mio::{Events, Interest, Poll, Token};
use socket2::{Domain, Socket, Type};

use crate::Failure;
use crate::cli::BackendArguments;
use crate::protocol::Answers;
use crate::stream::{Flow, READ_SIZE, Stream};

/// What the backend prints before its address.
pub(crate) const LISTENING: &str = "listening on ";

/// Connections that may wait to be accepted.
const BACKLOG: i32 = 4096;

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
    answers: Answers,
}

impl Backend {
    fn bind(arguments: &BackendArguments) -> io::Result<Self> {
        let poll = Poll::new()?;
        let mut listener = listen(arguments.listen)?;
        poll.registry().register(&mut listener, LISTENER, Interest::READABLE)?;
        Ok(Backend {
            poll,
            events: Some(Events::with_capacity(1024)),
            listener,
            clients: HashMap::new(),
            next: LISTENER.0 + 1,
            buffer: vec![0; READ_SIZE],
            answers: Answers::new(arguments.protocol.wire()),
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
        match client.serve(event, &mut self.buffer, &self.answers) {
            Ok(Flow::Open) => {}
            Ok(Flow::Ended) | Err(_) => {
                self.clients.remove(&token);
            }
        }
    }
}

/// Listens with room for all connections of a load that come while the server is busy.
fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(TcpListener::from_std(socket.into()))
}

struct Client {
    stream: Stream,
    /// The start of a request whose rest has not arrived.
    partial: Vec<u8>,
}

impl Client {
    fn serve(&mut self, event: &Event, buffer: &mut [u8], answers: &Answers) -> io::Result<Flow> {
        if event.is_writable() {
            self.stream.flush()?;
        }
        let partial = &mut self.partial;
        self.stream.read(event, buffer, |stream, bytes| answer(stream, partial, bytes, answers))
    }
}

/// Answers the requests that `bytes` completes, and keeps the start of the next one.
fn answer(
    stream: &mut Stream,
    partial: &mut Vec<u8>,
    bytes: &[u8],
    answers: &Answers,
) -> io::Result<()> {
    if partial.is_empty() {
        let taken = take(stream, bytes, answers)?;
        partial.extend_from_slice(&bytes[taken..]);
    } else {
        partial.extend_from_slice(bytes);
        let taken = take(stream, partial, answers)?;
        partial.drain(..taken);
    }
    stream.flush()
}

/// Appends the answers to the whole requests at the front of `bytes`; tells how long those are.
fn take(stream: &mut Stream, bytes: &[u8], answers: &Answers) -> io::Result<usize> {
    let taken = answers.append(bytes, stream.output());
    taken.ok_or_else(|| ErrorKind::InvalidData.into())
}
