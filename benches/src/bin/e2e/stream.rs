//! A non-blocking TCP connection with the bytes that still wait to be written.

use std::io::{self, ErrorKind, Read, Write};

use mio::event::Event;
use mio::net::TcpStream;
use mio::{Interest, Registry, Token};

/// Bytes that one read may take. Large, so that a batch of frames costs one system call.
pub(crate) const READ_SIZE: usize = 256 << 10;

/// What an event left of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flow {
    /// It goes on.
    Open,
    /// The peer sends no more.
    Ended,
}

/// A registered connection. Events are edge-triggered, for both directions at once, so that it
/// never has to be registered again.
#[derive(Debug)]
pub(crate) struct Stream {
    socket: TcpStream,
    waiting: Vec<u8>,
    written: usize,
}

impl Stream {
    /// Registers a connected socket under `token`.
    pub(crate) fn register(
        mut socket: TcpStream,
        registry: &Registry,
        token: Token,
    ) -> io::Result<Self> {
        socket.set_nodelay(true)?;
        registry.register(&mut socket, token, Interest::READABLE | Interest::WRITABLE)?;
        Ok(Stream { socket, waiting: Vec::new(), written: 0 })
    }

    /// Where to append what the next [`flush`](Self::flush) writes.
    pub(crate) fn output(&mut self) -> &mut Vec<u8> {
        &mut self.waiting
    }

    /// Writes what waits, as far as the socket takes it. The rest goes at the next event.
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        if self.waiting.is_empty() {
            return Ok(());
        }
        self.written += write_some(&mut self.socket, &self.waiting[self.written..])?;
        if self.written == self.waiting.len() {
            self.waiting.clear();
            self.written = 0;
        }
        Ok(())
    }

    /// Hands what `event` made readable to `sink`, piece by piece.
    ///
    /// A read that does not fill the buffer has emptied the socket, so it is the last one; unless
    /// the peer closed, which only a further read can tell from a pause.
    pub(crate) fn read(
        &mut self,
        event: &Event,
        buffer: &mut [u8],
        mut sink: impl FnMut(&mut Self, &[u8]) -> io::Result<()>,
    ) -> io::Result<Flow> {
        loop {
            match self.socket.read(buffer) {
                Ok(0) => return Ok(Flow::Ended),
                Ok(count) => {
                    sink(self, &buffer[..count])?;
                    if count < buffer.len() && !event.is_read_closed() {
                        return Ok(Flow::Open);
                    }
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(Flow::Open),
                Err(error) => return Err(error),
            }
        }
    }
}

/// Writes until `socket` takes no more, and tells how much it took.
fn write_some(socket: &mut impl Write, bytes: &[u8]) -> io::Result<usize> {
    let mut done = 0;
    while done < bytes.len() {
        match socket.write(&bytes[done..]) {
            Ok(0) => return Err(ErrorKind::WriteZero.into()),
            Ok(count) => done += count,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) if error.kind() == ErrorKind::WouldBlock => break,
            Err(error) => return Err(error),
        }
    }
    Ok(done)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Takes `room` bytes, at most three at a time, and then would block.
    struct Narrow {
        taken: Vec<u8>,
        room: usize,
    }

    impl Write for Narrow {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let count = bytes.len().min(3).min(self.room);
            if count == 0 {
                return Err(ErrorKind::WouldBlock.into());
            }
            self.room -= count;
            self.taken.extend_from_slice(&bytes[..count]);
            Ok(count)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn writing_stops_where_the_socket_is_full() {
        let mut socket = Narrow { taken: Vec::new(), room: 7 };
        assert_eq!(write_some(&mut socket, b"0123456789").unwrap(), 7);
        assert_eq!(socket.taken, b"0123456");
        assert_eq!(write_some(&mut socket, b"789").unwrap(), 0);
        socket.room = 9;
        assert_eq!(write_some(&mut socket, b"789").unwrap(), 3);
    }
}
