//! Servers that misbehave in every way, one after the other.

mod answer;
mod fault;

use std::cell::{Cell, RefCell};
use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

use socket2::{Domain, Socket, Type};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{JoinSet, spawn_local};
use tokio::time::sleep;

pub(crate) use self::fault::Fault;
use crate::ledger::Book;
use crate::speech::Speech;

/// One server with a fixed address.
#[derive(Debug)]
pub(crate) struct Backend {
    /// Its place among the backends.
    pub(crate) number: usize,
    /// It gets copies, which are answered as no call may be.
    pub(crate) shadow: bool,
    /// Where it listens, when it does.
    pub(crate) address: SocketAddr,
    speech: Rc<Speech>,
    book: Book,
    rng: RefCell<fastrand::Rng>,
    fault: watch::Sender<Fault>,
    connections: Cell<u32>,
}

impl Backend {
    /// Starts to serve `address`, without faults.
    pub(crate) fn start(
        (number, shadow): (usize, bool),
        address: SocketAddr,
        speech: Rc<Speech>,
        book: Book,
        rng: fastrand::Rng,
    ) -> Rc<Self> {
        let backend = Rc::new(Backend {
            number,
            shadow,
            address,
            speech,
            book,
            rng: RefCell::new(rng),
            fault: watch::Sender::new(Fault::None),
            connections: Cell::new(0),
        });
        spawn_local(backend.clone().serve());
        backend
    }

    /// From now on it misbehaves like this.
    pub(crate) fn become_faulty(&self, fault: Fault) {
        self.fault.send_replace(fault);
    }

    /// Listens and accepts, as far as its fault allows.
    async fn serve(self: Rc<Self>) {
        let mut fault = self.fault.subscribe();
        let mut clients = JoinSet::new();
        loop {
            let now = *fault.borrow_and_update();
            if now == Fault::Gone {
                clients = JoinSet::new();
                fault.changed().await.ok();
                continue;
            }
            let backlog = if now == Fault::Deaf { 1 } else { 1024 };
            let Ok(listener) = listen(self.address, backlog) else {
                sleep(Duration::from_millis(20)).await;
                continue;
            };
            if now == Fault::Deaf {
                fault.changed().await.ok();
                continue;
            }
            self.clone().accept(&listener, &mut fault, &mut clients).await;
        }
    }

    /// Accepts until there is a fault that forbids it.
    async fn accept(
        self: Rc<Self>,
        listener: &TcpListener,
        fault: &mut watch::Receiver<Fault>,
        clients: &mut JoinSet<()>,
    ) {
        loop {
            tokio::select! {
                accepted = listener.accept() => {
                    let Ok((stream, _)) = accepted else { continue };
                    while clients.try_join_next().is_some() {}
                    let number = self.connections.replace(self.connections.get() + 1);
                    clients.spawn_local(self.clone().attend(stream, number));
                }
                changed = fault.changed() => {
                    if changed.is_err() || matches!(*fault.borrow(), Fault::Gone | Fault::Deaf) {
                        fault.mark_changed();
                        return;
                    }
                }
            }
        }
    }

    async fn attend(self: Rc<Self>, stream: TcpStream, number: u32) {
        answer::attend(&self, stream, number).await;
    }

    /// How the next request is to be treated.
    fn mood(&self) -> Fault {
        let fault = *self.fault.borrow();
        if fault != Fault::Mixed {
            return fault;
        }
        let mixed = Fault::of_requests(&self.speech);
        self.rng.borrow_mut().choice(mixed).unwrap_or(Fault::None)
    }
}

/// Listens on an address that may have been listened on a moment ago.
fn listen(address: SocketAddr, backlog: i32) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(backlog)?;
    TcpListener::from_std(socket.into())
}

/// Has `stream` reset when it is closed, instead of ended in order.
pub(crate) fn reset_on_close(stream: &TcpStream) {
    socket2::SockRef::from(stream).set_linger(Some(Duration::ZERO)).ok();
}
