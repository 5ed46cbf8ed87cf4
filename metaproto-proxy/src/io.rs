//! The byte streams that the engine runs on: sockets in production, pipes in memory in tests.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Buf;
use metaproto_core::Output;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

/// A connection's byte stream.
pub(crate) trait Io: AsyncRead + AsyncWrite + Unpin {}

impl<T: AsyncRead + AsyncWrite + Unpin> Io for T {}

/// A stream of any kind.
pub(crate) type BoxIo = Box<dyn Io>;

/// A stream on its way.
pub(crate) type Connecting = Pin<Box<dyn Future<Output = io::Result<BoxIo>>>>;

/// Makes connections to endpoints.
pub(crate) trait Connect {
    /// Begins to connect to `address`.
    fn connect(&self, address: SocketAddr) -> Connecting;
}

/// Connects by TCP.
#[derive(Debug)]
pub(crate) struct TcpConnect;

impl Connect for TcpConnect {
    fn connect(&self, address: SocketAddr) -> Connecting {
        Box::pin(async move {
            let stream = TcpStream::connect(address).await?;
            // Frames are gathered and written whole: waiting for more would only add delay.
            stream.set_nodelay(true)?;
            Ok(Box::new(stream) as BoxIo)
        })
    }
}

/// Writes as much of `output` as the stream takes. `Ready` when everything is written; `Pending`
/// when the stream is full, and the task of `context` is then woken when it takes more. The count of
/// bytes written is added to `written` either way.
pub(crate) fn write_out(
    io: &mut BoxIo,
    context: &mut Context<'_>,
    output: &mut Output,
    written: &mut u64,
) -> Poll<io::Result<()>> {
    while output.has_remaining() {
        let result = ready!(if output.chunk().len() == output.remaining() {
            let count = ready!(Pin::new(&mut *io).poll_write(context, output.chunk()))?;
            output.advance(count);
            Poll::Ready(Ok(count))
        } else {
            tokio_util::io::poll_write_buf(Pin::new(&mut *io), context, output)
        });
        let count = result?;
        if count == 0 {
            return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
        }
        *written += count as u64;
    }
    Poll::Ready(Ok(()))
}
