//! Checks by the protocol's own ping.

use std::net::SocketAddr;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::{Bytes, BytesMut};
use metaproto_core::{
    Codec, CodecContext, Correlation, Interest, Limits, MessageKind, Metadata, Protocol, Scope,
    Side,
};
use tokio::io::AsyncWriteExt;

use super::Failure;
use super::target::Plan;
use crate::inbound::{CutError, Inbound};
use crate::io::BoxIo;
use crate::worker::SharedWorker;

/// Pings one endpoint, on a connection that is kept from one check to the next.
pub(super) struct PingLine {
    worker: SharedWorker,
    address: SocketAddr,
    protocol: Arc<dyn Protocol>,
    max_frame: usize,
    last_id: u64,
    line: Option<Line>,
}

/// A connection on which every ping has been answered.
struct Line {
    worker: SharedWorker,
    io: BoxIo,
    codec: Box<dyn Codec>,
    inbound: Inbound,
    max_frame: usize,
    /// Answers are known by their place in the order.
    by_order: bool,
}

impl PingLine {
    /// Pings the endpoint at `address`, not connected yet.
    pub(super) fn new(worker: SharedWorker, address: SocketAddr, plan: &Plan) -> Self {
        let protocol = plan.protocol.clone();
        PingLine { worker, address, protocol, max_frame: plan.max_frame, last_id: 0, line: None }
    }

    /// Sends a ping and waits for what answers it.
    ///
    /// Whoever loses patience drops the future, and the connection with it: a late answer is never
    /// taken for that of another ping.
    pub(super) async fn check(&mut self) -> Result<(), Failure> {
        let id = self.next_id();
        // That the endpoint has closed an idle connection is no fault. A new one must do.
        if let Some(mut line) = self.line.take()
            && line.ping(id).await.is_ok()
        {
            self.line = Some(line);
            return Ok(());
        }
        let mut line = self.connect().await?;
        line.ping(id).await?;
        self.line = Some(line);
        Ok(())
    }

    /// Another id than that of the last ping, within the width of the protocol's field.
    fn next_id(&mut self) -> u64 {
        let most = match self.protocol.capabilities().correlation {
            Correlation::Id { bits } => u64::MAX >> (64 - u32::from(bits.clamp(1, 31))),
            Correlation::Order => 1,
        };
        self.last_id = self.last_id % most + 1;
        self.last_id
    }

    async fn connect(&self) -> Result<Line, Failure> {
        let connecting = self.worker.borrow().connector.connect(self.address);
        let io = connecting.await.map_err(Failure::Connect)?;
        let context = CodecContext::new(Side::Upstream, Limits::max_frame(self.max_frame))
            .with_interest(Arc::new(Interest::Only(Vec::new())));
        Ok(Line {
            worker: self.worker.clone(),
            io,
            codec: self.protocol.codec(&context),
            inbound: Inbound::default(),
            max_frame: self.max_frame,
            by_order: self.protocol.capabilities().correlation == Correlation::Order,
        })
    }
}

impl Line {
    async fn ping(&mut self, id: u64) -> Result<(), Failure> {
        let mut out = BytesMut::new();
        self.codec.ping(id, &mut out)?;
        loop {
            self.io.write_all(&out).await.map_err(Failure::Lost)?;
            out.clear();
            if std::future::poll_fn(|context| self.poll(id, &mut out, context)).await? {
                return Ok(());
            }
        }
    }

    /// Reads once. Tells whether the ping has been answered; what has to be written goes to `out`.
    fn poll(
        &mut self,
        id: u64,
        out: &mut BytesMut,
        context: &mut Context<'_>,
    ) -> Poll<Result<bool, Failure>> {
        let worker = self.worker.clone();
        let scratch = &mut worker.borrow_mut().scratch;
        let read = ready!(self.inbound.poll_read(&mut self.io, context, scratch));
        let answered = match read {
            Ok(0) => Err(Failure::Closed),
            Ok(_) => self.receive(id, out),
            Err(error) => Err(Failure::Lost(error)),
        };
        self.inbound.settle(scratch);
        Poll::Ready(answered)
    }

    /// Looks at every whole frame that has come.
    fn receive(&mut self, id: u64, out: &mut BytesMut) -> Result<bool, Failure> {
        let mut metadata = Metadata::new();
        let mut answered = false;
        loop {
            match self.inbound.cut(&mut *self.codec, self.max_frame) {
                Ok(Some(frame)) => answered |= self.answers(id, frame, &mut metadata, out)?,
                Ok(None) => return Ok(answered),
                Err(error) => {
                    return Err(match *error {
                        CutError::Malformed(error) => Failure::Unreadable(error),
                        CutError::TooLarge(size) => Failure::TooLarge(size),
                    });
                }
            }
        }
    }

    /// Whether a frame answers the ping.
    fn answers(
        &mut self,
        id: u64,
        frame: Bytes,
        metadata: &mut Metadata,
        out: &mut BytesMut,
    ) -> Result<bool, Failure> {
        metadata.clear();
        let decoded = self.codec.decode(frame, metadata);
        let is_its_own = self.by_order || metadata.request_id == Some(id);
        match (decoded, metadata.kind) {
            (Err(error), _) if error.scope == Scope::Connection => Err(Failure::Unreadable(error)),
            // Some protocols answer a ping as they answer a request, and not always legibly.
            (Err(_), _) | (Ok(()), MessageKind::Response) => Ok(is_its_own),
            (Ok(()), MessageKind::Pong) => Ok(is_its_own || metadata.request_id.is_none()),
            (Ok(()), MessageKind::Ping) => {
                // A peer whose ping can't be answered may still answer ours.
                self.codec.pong(metadata, out).ok();
                Ok(false)
            }
            (Ok(()), MessageKind::GoAway) => Err(Failure::GoneAway),
            (Ok(()), _) => Ok(false),
        }
    }
}
