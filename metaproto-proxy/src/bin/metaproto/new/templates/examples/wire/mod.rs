//! Messages on a socket, for the client and the backend.

use std::io::{self, ErrorKind, Read, Write};
use std::net::TcpStream;

use metaproto_core::{BytesMut, Frame, FrameLength};

use {{crate}}::{{type}};

/// The next message; `None` when the peer has ended.
pub fn receive(stream: &mut TcpStream) -> io::Result<Option<{{type}}>> {
    let mut frame = vec![0; {{type}}::HEADER_SIZE];
    match stream.read_exact(&mut frame) {
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Ok(None),
        read => read?,
    }
    let length = {{type}}::frame_length(&frame).map_err(io::Error::other)?;
    if let FrameLength::Known(length) = length {
        let rest = length.saturating_sub(frame.len()) as u64;
        stream.take(rest).read_to_end(&mut frame)?;
    }
    let message = {{type}}::read(frame.into());
    message.map(Some).map_err(io::Error::other)
}

/// Sends one message.
pub fn send(stream: &mut TcpStream, message: &{{type}}) -> io::Result<()> {
    let mut frame = BytesMut::new();
    message.write(&mut frame).map_err(io::Error::other)?;
    stream.write_all(&frame)
}
