//! What the two processes say to each other.
//!
//! ```text
//!   old -> new   MAGIC, then for each socket its label, with the descriptor as ancillary data
//!                (SCM_RIGHTS) of the first byte; then an empty label
//!   new -> old   SERVES
//!   old -> new   DRAINS
//! ```
//!
//! A label is its length (u16, big-endian) and as many bytes of UTF-8: the address that the socket was
//! asked for, a space, and the listener's name.

use std::io::{self, IoSlice, IoSliceMut, Read, Write};
use std::mem::MaybeUninit;
use std::net::{SocketAddr, TcpListener};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;

use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, ReturnFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, recvmsg, sendmsg,
};

use crate::sockets::{OpenSocket, OpenSockets, Origin};

/// The first bytes; the number is the version of all that follows.
const MAGIC: [u8; 12] = *b"metaproto-1\n";
/// The new process serves.
const SERVES: u8 = b's';
/// The old process drains.
const DRAINS: u8 = b'd';

/// Sends the sockets.
pub(super) fn send(stream: &UnixStream, sockets: &OpenSockets) -> io::Result<()> {
    let mut writer = stream;
    writer.write_all(&MAGIC)?;
    for open in &sockets.0 {
        let Origin::Proxy(requested) = open.origin else { continue };
        let label = format!("{requested} {}", open.name);
        let length = u16::try_from(label.len()).map_err(|_| broken("a name is too long"))?;
        let bytes = [&length.to_be_bytes(), label.as_bytes()].concat();
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut ancillary = SendAncillaryBuffer::new(&mut space);
        let descriptors = [open.socket.as_fd()];
        ancillary.push(SendAncillaryMessage::ScmRights(&descriptors));
        let data = [IoSlice::new(&bytes)];
        let sent = sendmsg(stream, &data, &mut ancillary, SendFlags::NOSIGNAL)?;
        writer.write_all(bytes.get(sent..).unwrap_or_default())?;
    }
    writer.write_all(&[0, 0])
}

/// Receives the sockets.
pub(super) fn receive(stream: &UnixStream) -> io::Result<OpenSockets> {
    let mut reader = stream;
    let mut magic = [0; MAGIC.len()];
    reader.read_exact(&mut magic)?;
    if magic != MAGIC {
        return Err(broken("it hands over in another way: another version, or another program"));
    }
    let mut sockets = OpenSockets::new();
    loop {
        let (first, descriptor) = receive_first(stream)?;
        let mut second = [0];
        reader.read_exact(&mut second)?;
        let mut label = vec![0; usize::from(u16::from_be_bytes([first, second[0]]))];
        if label.is_empty() {
            return Ok(sockets);
        }
        reader.read_exact(&mut label)?;
        let descriptor = descriptor.ok_or_else(|| broken("a socket is missing"))?;
        sockets.push(open(&label, descriptor)?)?;
    }
}

fn open(label: &[u8], descriptor: OwnedFd) -> io::Result<OpenSocket> {
    let label = std::str::from_utf8(label).ok();
    let (requested, name) =
        label.and_then(|text| text.split_once(' ')).ok_or_else(|| broken("a label is wrong"))?;
    let requested: SocketAddr = requested.parse().map_err(|_| broken("an address is wrong"))?;
    let socket = TcpListener::from(descriptor);
    Ok(OpenSocket { name: name.to_owned(), socket, origin: Origin::Proxy(requested) })
}

/// The first byte of a label, and the descriptor that came with it.
type First = (u8, Option<OwnedFd>);

fn receive_first(stream: &UnixStream) -> io::Result<First> {
    let mut byte = [0];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut ancillary = RecvAncillaryBuffer::new(&mut space);
    let flags = RecvFlags::CMSG_CLOEXEC;
    let received = recvmsg(stream, &mut [IoSliceMut::new(&mut byte)], &mut ancillary, flags)?;
    if received.bytes == 0 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    if received.flags.contains(ReturnFlags::CTRUNC) {
        return Err(io::Error::other("this process has too few descriptors left for the sockets"));
    }
    let mut descriptors = ancillary.drain().flat_map(|message| match message {
        RecvAncillaryMessage::ScmRights(descriptors) => descriptors.collect(),
        _ => Vec::new(),
    });
    Ok((byte[0], descriptors.next()))
}

/// The new process says that it serves, and hears that the old one drains.
pub(super) fn say_serving(mut stream: &UnixStream) -> io::Result<()> {
    stream.write_all(&[SERVES])?;
    expect(stream, DRAINS)
}

/// The old process waits until the new one serves.
pub(super) fn await_serving(stream: &UnixStream) -> io::Result<()> {
    expect(stream, SERVES)
}

/// The old process says that it drains.
pub(super) fn say_draining(mut stream: &UnixStream) -> io::Result<()> {
    stream.write_all(&[DRAINS])
}

fn expect(mut stream: &UnixStream, word: u8) -> io::Result<()> {
    let mut said = [0];
    stream.read_exact(&mut said)?;
    if said == [word] { Ok(()) } else { Err(broken("it says something else")) }
}

fn broken(what: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

/// An error as it is told: a timeout of a socket calls itself "resource temporarily unavailable".
pub(super) fn told(error: io::Error) -> io::Error {
    match error.kind() {
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => {
            io::Error::new(io::ErrorKind::TimedOut, "it does not answer in time")
        }
        io::ErrorKind::UnexpectedEof => {
            io::Error::new(io::ErrorKind::UnexpectedEof, "it has ended or hung up")
        }
        _ => error,
    }
}
