//! The other end of a connection: a client or a server that a test plays.

use std::fmt;
use std::time::Duration;

use metaproto_core::ErrorKind;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::time::timeout;

use super::toy::{self, ONEWAY, REQUEST, RESPONSE};

/// Longer than any timeout of the engine: who waits this long waits for ever.
pub(super) const PATIENCE: Duration = Duration::from_secs(60);

/// A frame of the toy protocol, in parts. Parts and bytes say the same, so equal frames are equal
/// bit by bit.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Frame {
    pub(super) kind: u8,
    pub(super) id: u32,
    pub(super) code: u8,
    pub(super) body: Vec<u8>,
}

impl Frame {
    pub(super) fn new(kind: u8, id: u32, code: u8, body: impl AsRef<[u8]>) -> Self {
        Frame { kind, id, code, body: body.as_ref().to_vec() }
    }

    pub(super) fn bytes(&self) -> Vec<u8> {
        toy::frame(self.kind, self.id, self.code, &self.body)
    }

    /// The same with another id.
    pub(super) fn id(mut self, id: u32) -> Self {
        self.id = id;
        self
    }

    /// What the proxy's error reply says, as an error kind.
    pub(super) fn error(&self) -> Option<ErrorKind> {
        let kind = self.code.checked_sub(100)?;
        (self.kind == RESPONSE).then(|| ErrorKind::ALL.get(usize::from(kind)).copied())?
    }
}

impl fmt::Debug for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Frame { kind, id, code, body } = self;
        let start = String::from_utf8_lossy(body.get(..60).unwrap_or(body));
        write!(f, "kind {kind} id {id} code {code} body[{}] {start:?}", body.len())
    }
}

pub(super) fn request(id: u32, body: impl AsRef<[u8]>) -> Frame {
    Frame::new(REQUEST, id, 0, body)
}

pub(super) fn oneway(id: u32, body: impl AsRef<[u8]>) -> Frame {
    Frame::new(ONEWAY, id, 0, body)
}

pub(super) fn response(id: u32, body: impl AsRef<[u8]>) -> Frame {
    Frame::new(RESPONSE, id, 0, body)
}

/// The id and the kind of an error reply.
#[track_caller]
pub(super) fn error(frame: &Frame) -> (u32, ErrorKind) {
    (frame.id, frame.error().unwrap_or_else(|| panic!("not an error reply: {frame:?}")))
}

/// A client or a server. Dropping it resets the connection.
#[derive(Debug)]
pub(super) struct Peer {
    pub(super) io: DuplexStream,
    received: Vec<u8>,
}

impl Peer {
    pub(super) fn new(io: DuplexStream) -> Self {
        Peer { io, received: Vec::new() }
    }

    pub(super) async fn send(&mut self, frame: &Frame) {
        self.send_bytes(&frame.bytes()).await;
    }

    pub(super) async fn send_all<'a>(&mut self, frames: impl IntoIterator<Item = &'a Frame>) {
        let bytes: Vec<u8> = frames.into_iter().flat_map(Frame::bytes).collect();
        self.send_bytes(&bytes).await;
    }

    pub(super) async fn send_bytes(&mut self, bytes: &[u8]) {
        timeout(PATIENCE, self.io.write_all(bytes)).await.expect("nobody reads").expect("closed");
    }

    /// Sends as much as is taken at once; tells how much.
    pub(super) async fn send_what_fits(&mut self, bytes: &[u8]) -> usize {
        let mut sent = 0;
        while let Ok(Ok(count)) =
            timeout(Duration::from_millis(50), self.io.write(&bytes[sent..])).await
        {
            sent += count;
            if sent == bytes.len() {
                break;
            }
        }
        sent
    }

    /// Sends no more, but still reads.
    pub(super) async fn half_close(&mut self) {
        self.io.shutdown().await.expect("closed");
    }

    /// The next frame, if one comes within `wait` before the end.
    pub(super) async fn recv_within(&mut self, wait: Duration) -> Result<Option<Frame>, ()> {
        loop {
            if let Some(frame) = self.cut() {
                return Ok(Some(frame));
            }
            let mut chunk = [0; 4096];
            match timeout(wait, self.io.read(&mut chunk)).await {
                Err(_) => return Ok(None),
                Ok(Ok(0) | Err(_)) => return Err(()),
                Ok(Ok(count)) => self.received.extend_from_slice(&chunk[..count]),
            }
        }
    }

    pub(super) async fn recv(&mut self) -> Frame {
        match self.recv_within(PATIENCE).await {
            Ok(Some(frame)) => frame,
            Ok(None) => panic!("nothing came; {} bytes of a frame", self.received.len()),
            Err(()) => panic!("closed"),
        }
    }

    pub(super) async fn expect(&mut self, frame: &Frame) {
        assert_eq!(self.recv().await, *frame);
    }

    pub(super) async fn expect_error(&mut self, id: u32, kind: ErrorKind) {
        let frame = self.recv().await;
        assert_eq!(error(&frame), (id, kind), "{frame:?}");
    }

    /// Reads to the end, and finds nothing before it.
    pub(super) async fn expect_closed(&mut self) {
        match self.recv_within(PATIENCE).await {
            Err(()) => assert!(self.received.is_empty(), "closed within a frame"),
            other => panic!("not closed: {other:?}"),
        }
    }

    /// Nothing comes for a while, and the connection stays.
    pub(super) async fn expect_silence(&mut self) {
        let got = self.recv_within(Duration::from_millis(100)).await;
        assert_eq!(got, Ok(None));
        assert!(self.received.is_empty(), "part of a frame came");
    }

    /// Takes a request, and answers it with its own body.
    pub(super) async fn echo(&mut self) -> Frame {
        let frame = self.recv().await;
        self.send(&response(frame.id, &frame.body)).await;
        frame
    }

    /// Takes what comes up to a silence of this length; requests are answered with their own bodies.
    pub(super) async fn echo_all(&mut self, silence: Duration) -> Vec<Frame> {
        let mut all = Vec::new();
        while let Ok(Some(frame)) = self.recv_within(silence).await {
            if frame.kind == REQUEST {
                self.send(&response(frame.id, &frame.body)).await;
            }
            all.push(frame);
        }
        all
    }

    fn cut(&mut self) -> Option<Frame> {
        let length = usize::from(u16::from_be_bytes(*self.received.first_chunk::<2>()?));
        let frame = self.received.get(..length)?;
        let id = u32::from_be_bytes([frame[3], frame[4], frame[5], frame[6]]);
        let frame = Frame::new(frame[2], id, frame[7], &frame[8..]);
        self.received.drain(..length);
        Some(frame)
    }
}
