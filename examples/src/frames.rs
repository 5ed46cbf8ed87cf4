//! Frames on a stream of bytes.

use std::io;

use metaproto_core::{BytesMut, Frame, FrameLength, Limits};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// Cuts what `reader` reads into frames.
#[derive(Debug)]
pub struct Frames<R> {
    reader: R,
    buffer: BytesMut,
}

impl<R: AsyncRead + Unpin> Frames<R> {
    /// The frames that `reader` brings.
    pub fn new(reader: R) -> Self {
        Frames { reader, buffer: BytesMut::new() }
    }

    /// The next frame; `None` when the peer has ended between two.
    ///
    /// # Errors
    /// The stream fails, ends within a frame, or brings what is no frame.
    pub async fn next<F: Frame>(&mut self) -> io::Result<Option<F>> {
        loop {
            match F::frame_length(&self.buffer).map_err(invalid)? {
                FrameLength::Known(length) if length <= self.buffer.len() => {
                    let frame = self.buffer.split_to(length).freeze();
                    return F::read(frame).map(Some).map_err(invalid);
                }
                FrameLength::Known(length) if length > Limits::DEFAULT_MAX_FRAME => {
                    return Err(invalid(format!("a frame of {length} bytes")));
                }
                _ => {}
            }
            if self.reader.read_buf(&mut self.buffer).await? == 0 {
                return match self.buffer.is_empty() {
                    true => Ok(None),
                    false => Err(io::ErrorKind::UnexpectedEof.into()),
                };
            }
        }
    }
}

/// Writes one frame.
///
/// # Errors
/// The stream fails, or the frame is longer than its length field can tell.
pub async fn send<F: Frame>(writer: &mut (impl AsyncWrite + Unpin), frame: &F) -> io::Result<()> {
    let mut wire = BytesMut::new();
    frame.write(&mut wire).map_err(invalid)?;
    writer.write_all(&wire).await
}

fn invalid(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error)
}
