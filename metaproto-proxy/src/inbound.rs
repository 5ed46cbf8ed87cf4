//! Bytes that have arrived, cut into frames.
//!
//! The loop around a codec is here, and nowhere else: collect, ask for the length, refuse what is too
//! large, hand out whole frames.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::{BufMut, Bytes, BytesMut};
use metaproto_core::{Codec, DecodeError, Fault, FrameLength};

use crate::io::BoxIo;

/// What one read takes at the most. A worker has one buffer of this size for all its connections.
const READ_SIZE: usize = 128 * 1024;

/// From this size on, a frame's first part is left where it was read to; a smaller one is copied, so
/// that the worker's buffer is free for the next connection.
const KEEP_MIN: usize = 16 * 1024;

/// What is read of that which follows a large frame: enough to tell what it is. More would have to be
/// copied, because it would share the buffer of that frame.
const AHEAD: usize = 4096;

/// How many buffers that were lent to large frames a worker keeps for the next ones. An allocator gives
/// memory of this size back to the system at once, and to get it again costs a page fault for each 4 KiB.
const MOST_SPARE: usize = 32;

/// The buffer that all connections of a worker read into. A connection that waits for the rest of a
/// frame has one of its own; an idle connection has none.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    current: Option<BytesMut>,
    /// Others of the same size. Large frames may still be held that were read into them.
    spare: Vec<BytesMut>,
}

/// The bytes of one direction of one connection that are not yet a whole frame.
#[derive(Debug, Default)]
pub(crate) struct Inbound {
    /// What is read into.
    buffer: BytesMut,
    /// What was read last, while frames are cut from it.
    ready: Bytes,
    /// Nothing can be told before this many bytes are there.
    need: usize,
    /// The buffer is the worker's, and goes back to it.
    lent: bool,
    /// A frame has been cut off what is there.
    split: bool,
}

impl Scratch {
    /// A buffer to read into.
    fn take(&mut self) -> BytesMut {
        let Some(mut buffer) = self.current.take() else { return self.whole() };
        // Large frames that are still held share the buffer. What is left of it is used before
        // there is another: each would otherwise hold a whole one, however few bytes it has.
        if buffer.try_reclaim(READ_SIZE) || buffer.capacity() >= READ_SIZE / 2 {
            return buffer;
        }
        self.keep(buffer);
        self.whole()
    }

    /// A buffer that holds nothing.
    fn whole(&mut self) -> BytesMut {
        // The last one first: the processor may still have it in its cache.
        let free = self.spare.iter_mut().rposition(|buffer| buffer.try_reclaim(READ_SIZE));
        let free = free.map(|position| self.spare.remove(position));
        free.unwrap_or_else(|| BytesMut::with_capacity(READ_SIZE))
    }

    /// Takes a buffer back.
    fn give_back(&mut self, mut buffer: BytesMut) {
        buffer.clear();
        match self.current {
            None => self.current = Some(buffer),
            Some(_) => self.keep(buffer),
        }
    }

    fn keep(&mut self, buffer: BytesMut) {
        if self.spare.len() < MOST_SPARE {
            self.spare.push(buffer);
        }
    }

    /// Lets half of the spare buffers go: those that are in use come back.
    pub(crate) fn release_some(&mut self) {
        self.spare.truncate(self.spare.len() / 2);
    }

    /// Lets all spare buffers go.
    pub(crate) fn release_all(&mut self) {
        self.spare.clear();
    }
}

/// Why no further frame can be cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CutError {
    /// The bytes are not of this protocol.
    Malformed(DecodeError),
    /// The frame would be this long.
    TooLarge(usize),
}

impl Inbound {
    /// Whether nothing waits for its rest.
    pub(crate) fn is_empty(&self) -> bool {
        self.ready.is_empty() && self.buffer.is_empty()
    }

    /// The bytes of memory that are held.
    pub(crate) fn held(&self) -> usize {
        self.buffer.capacity() + self.ready.len()
    }

    /// The bytes at the front.
    pub(crate) fn head(&self) -> &[u8] {
        if self.ready.is_empty() { &self.buffer } else { &self.ready }
    }

    /// Drops what is there.
    pub(crate) fn clear(&mut self) {
        *self = Inbound::default();
    }

    /// Reads once. What is there afterwards must be consumed with [`cut`](Inbound::cut), and
    /// [`settle`](Inbound::settle) called, before another connection reads.
    pub(crate) fn poll_read(
        &mut self,
        io: &mut BoxIo,
        context: &mut Context<'_>,
        scratch: &mut Scratch,
    ) -> Poll<io::Result<usize>> {
        let most = self.most();
        if self.buffer.len() >= KEEP_MIN {
            self.make_room(scratch);
            let mut room = (&mut self.buffer).limit(most);
            return tokio_util::io::poll_read_buf(Pin::new(io), context, &mut room);
        }
        // What is there already goes in front. To read as much as will fit behind it would take many
        // reads of a connection that is busy, and room for it on each that is not.
        let mut buffer = scratch.take();
        buffer.extend_from_slice(&self.buffer);
        let mut room = (&mut buffer).limit(most);
        let result = tokio_util::io::poll_read_buf(Pin::new(io), context, &mut room);
        if matches!(result, Poll::Ready(Ok(1..))) {
            (self.buffer, self.lent) = (buffer, true);
        } else {
            scratch.give_back(buffer);
        }
        result
    }

    /// How much is to be read: as much as there is, but for a large frame.
    fn most(&self) -> usize {
        match self.need.checked_sub(self.buffer.len()) {
            Some(rest) if self.need >= KEEP_MIN => rest + AHEAD,
            _ => usize::MAX,
        }
    }

    /// Makes room for the rest of the frame and the start of the next, but not for much more ahead than
    /// is already there: memory follows the bytes that have come, not the length that was announced.
    fn make_room(&mut self, scratch: &mut Scratch) {
        let have = self.buffer.len();
        let wanted = self.need.saturating_sub(have).min(have.max(READ_SIZE)) + AHEAD;
        // Not for the few bytes that have come since: to reserve is to double.
        if self.buffer.capacity() - have >= wanted / 2 {
            return;
        }
        if have + wanted <= READ_SIZE {
            let mut whole = scratch.whole();
            whole.extend_from_slice(&self.buffer);
            (self.buffer, self.lent) = (whole, true);
        } else {
            self.buffer.reserve(wanted);
            self.lent = false;
        }
    }

    /// Cuts the next whole frame off the front.
    #[inline(always)]
    pub(crate) fn cut(
        &mut self,
        codec: &mut dyn Codec,
        max_frame: usize,
    ) -> Result<Option<Bytes>, Box<CutError>> {
        if self.ready.is_empty() {
            // To split nothing off would allocate.
            if self.buffer.is_empty() {
                return Ok(None);
            }
            self.ready = self.buffer.split().freeze();
        }
        let have = self.ready.len();
        if have == 0 || have < self.need {
            return Ok(None);
        }
        match codec.frame_length(&self.ready).map_err(malformed)? {
            FrameLength::Known(size @ 1..) if size <= have && size <= max_frame => {
                self.need = 0;
                if size == have {
                    return Ok(Some(std::mem::take(&mut self.ready)));
                }
                self.split = true;
                Ok(Some(self.ready.split_to(size)))
            }
            FrameLength::Need(size) | FrameLength::Known(size) if size > max_frame => {
                Err(Box::new(CutError::TooLarge(size)))
            }
            FrameLength::Need(size) | FrameLength::Known(size) if size > have => {
                self.need = size;
                Ok(None)
            }
            FrameLength::Need(_) => Err(stuck("the codec asks for what it has")),
            FrameLength::Known(_) => Err(stuck("a frame of no bytes")),
        }
    }

    /// Gives the worker's buffer back after the whole frames have been cut, and keeps what is left.
    pub(crate) fn settle(&mut self, scratch: &mut Scratch) {
        let rest = std::mem::take(&mut self.ready);
        let split = std::mem::take(&mut self.split);
        if rest.is_empty() {
            if self.buffer.is_empty() {
                let buffer = std::mem::take(&mut self.buffer);
                if self.lent {
                    scratch.give_back(buffer);
                }
            }
        } else if self.lent && rest.len() < KEEP_MIN {
            self.lent = false;
            scratch.give_back(std::mem::replace(&mut self.buffer, BytesMut::from(&*rest)));
        } else {
            self.keep(rest, split, scratch);
        }
    }

    /// Keeps the start of a large frame. Those before it may still be held: then it moves, so that
    /// their buffer is free as soon as they are let go.
    fn keep(&mut self, rest: Bytes, split: bool, scratch: &mut Scratch) {
        if self.lent && split {
            let mut whole = scratch.whole();
            whole.extend_from_slice(&rest);
            return scratch.give_back(std::mem::replace(&mut self.buffer, whole));
        }
        self.buffer = BytesMut::new();
        self.buffer = rest.try_into_mut().unwrap_or_else(|rest| {
            self.lent = false;
            BytesMut::from(&*rest)
        });
    }
}

#[cold]
fn malformed(error: DecodeError) -> Box<CutError> {
    Box::new(CutError::Malformed(error))
}

#[cold]
fn stuck(what: &'static str) -> Box<CutError> {
    malformed(DecodeError::connection("", Fault::Other(what)))
}

#[cfg(test)]
mod tests {
    use metaproto_core::*;
    use tokio::io::AsyncWriteExt;

    use super::*;

    /// One byte of length, counting itself, in units of so many bytes; zero and one are mischief.
    struct Tiny(usize);

    impl Codec for Tiny {
        fn frame_length(&mut self, head: &[u8]) -> Result<FrameLength, DecodeError> {
            Ok(match head[0] {
                1 => FrameLength::Need(1),
                length => FrameLength::Known(usize::from(length) * self.0),
            })
        }
        fn decode(&mut self, frame: Bytes, metadata: &mut Metadata) -> Result<(), DecodeError> {
            metadata.frame = frame;
            Ok(())
        }
        fn encode(&self, _: &Metadata, _: &Mutation, _: &mut Output) -> Result<(), EncodeError> {
            Ok(())
        }
        fn on_error(
            &self,
            _: &RequestHead,
            _: &Error,
            _: &mut BytesMut,
        ) -> Result<(), EncodeError> {
            Ok(())
        }
    }

    fn all(inbound: &mut Inbound) -> Result<Vec<Bytes>, Box<CutError>> {
        let mut frames = Vec::new();
        while let Some(frame) = inbound.cut(&mut Tiny(1), 100)? {
            frames.push(frame);
        }
        Ok(frames)
    }

    #[tokio::test]
    async fn frames_are_cut_however_the_bytes_arrive() {
        let stream: Vec<u8> = (2..30_u8).flat_map(|n| vec![n; usize::from(n)]).collect();
        for chunk in [1, 2, 3, 7, 100, 1000] {
            let (client, server) = tokio::io::duplex(1 << 20);
            let (mut client, mut server): (_, BoxIo) = (client, Box::new(server));
            let (mut inbound, mut scratch) = (Inbound::default(), Scratch::default());
            let mut frames = Vec::new();
            for part in stream.chunks(chunk) {
                client.write_all(part).await.unwrap();
                std::future::poll_fn(|cx| inbound.poll_read(&mut server, cx, &mut scratch))
                    .await
                    .unwrap();
                frames.extend(all(&mut inbound).unwrap());
                inbound.settle(&mut scratch);
            }
            assert!(inbound.is_empty(), "in chunks of {chunk}");
            assert_eq!(frames.concat(), stream, "in chunks of {chunk}");
            assert_eq!(frames.len(), 28);
        }
    }

    #[test]
    fn a_codec_that_makes_no_progress_is_an_error_not_a_spin() {
        for byte in [0, 1] {
            let mut inbound = Inbound { ready: vec![byte, 9].into(), ..Inbound::default() };
            assert!(
                matches!(inbound.cut(&mut Tiny(1), 100), Err(error) if matches!(*error, CutError::Malformed(_)))
            );
        }
    }

    #[test]
    fn a_frame_over_the_limit_is_refused_before_it_is_buffered() {
        let mut inbound = Inbound { ready: vec![101].into(), ..Inbound::default() };
        assert_eq!(inbound.cut(&mut Tiny(1), 100), Err(Box::new(CutError::TooLarge(101))));
    }

    #[tokio::test]
    async fn frames_that_are_held_share_the_buffer_that_they_were_read_into() {
        let (mut client, server) = tokio::io::duplex(1 << 20);
        let mut server: BoxIo = Box::new(server);
        let (mut inbound, mut scratch) = (Inbound::default(), Scratch::default());
        let mut frames = Vec::new();
        for _ in 0..1000 {
            client.write_all(&[50; 50]).await.unwrap();
            std::future::poll_fn(|cx| inbound.poll_read(&mut server, cx, &mut scratch))
                .await
                .unwrap();
            frames.extend(all(&mut inbound).unwrap());
            inbound.settle(&mut scratch);
        }
        let apart = frames.windows(2).filter(|two| two[0].as_ptr_range().end != two[1].as_ptr());
        assert_eq!(apart.count(), 0, "each frame holds a buffer of its own");
    }

    #[tokio::test]
    async fn the_start_of_a_frame_holds_no_more_than_itself_and_shortens_no_read() {
        let (mut client, server) = tokio::io::duplex(1 << 20);
        let mut server: BoxIo = Box::new(server);
        let (mut inbound, mut scratch) = (Inbound::default(), Scratch::default());
        client.write_all(&[50; 10]).await.unwrap();
        let mut read = async |inbound: &mut Inbound| {
            std::future::poll_fn(|cx| inbound.poll_read(&mut server, cx, &mut scratch))
                .await
                .unwrap();
            let frames = all(inbound).unwrap().len();
            inbound.settle(&mut scratch);
            frames
        };
        assert_eq!(read(&mut inbound).await, 0);
        assert!(inbound.held() < 100, "{}", inbound.held());
        client.write_all(&[50; 100_000]).await.unwrap();
        assert_eq!(read(&mut inbound).await, 2000, "all there is comes with one read");
        assert_eq!(inbound.head(), [50; 10]);
        assert!(inbound.held() < 100, "{}", inbound.held());
    }

    #[tokio::test]
    async fn little_is_read_behind_a_large_frame_and_no_more_reads_for_that() {
        let frame = vec![64; 64 * 1024];
        let (mut client, server) = tokio::io::duplex(1 << 20);
        let mut server: BoxIo = Box::new(server);
        let (mut inbound, mut scratch) = (Inbound::default(), Scratch::default());
        client.write_all(&frame.repeat(8)).await.unwrap();
        let (mut reads, mut frames) = (0, Vec::new());
        while frames.len() < 8 {
            std::future::poll_fn(|cx| inbound.poll_read(&mut server, cx, &mut scratch))
                .await
                .unwrap();
            reads += 1;
            while let Some(frame) = inbound.cut(&mut Tiny(1024), 1 << 20).unwrap() {
                frames.push(frame);
            }
            // The first read knows of no frame yet.
            assert!(reads < 3 || inbound.head().len() <= AHEAD, "{}", inbound.head().len());
            inbound.settle(&mut scratch);
        }
        assert!(frames.iter().all(|read| *read == frame));
        assert!(reads <= 9, "{reads} reads of 8 frames");
    }

    #[test]
    fn buffers_that_are_lent_come_back_when_their_frames_have_gone() {
        let mut scratch = Scratch::default();
        let mut held = Vec::new();
        let mut places = Vec::new();
        for _ in 0..3 {
            let mut buffer = scratch.take();
            buffer.resize(READ_SIZE, 1);
            places.push(buffer.as_ptr());
            held.push(buffer.split());
            scratch.give_back(buffer);
        }
        assert_eq!(scratch.spare.len(), 2);
        drop(held);
        for _ in 0..3 {
            let buffer = scratch.take();
            assert!(places.contains(&buffer.as_ptr()), "a buffer is made anew");
            scratch.keep(buffer);
        }
        (0..3).for_each(|_| scratch.release_some());
        assert_eq!(scratch.spare.len(), 0);
        scratch.keep(BytesMut::new());
        scratch.release_all();
        assert_eq!(scratch.spare.len(), 0);
    }

    #[test]
    fn a_short_rest_does_not_hold_on_to_the_workers_buffer() {
        let buffer = BytesMut::with_capacity(READ_SIZE);
        let mut inbound = Inbound { buffer, lent: true, ..Inbound::default() };
        inbound.buffer.extend_from_slice(&[5, 5]);
        let mut scratch = Scratch::default();
        assert_eq!(inbound.cut(&mut Tiny(1), 100), Ok(None));
        inbound.settle(&mut scratch);
        assert!(scratch.current.unwrap().capacity() >= READ_SIZE - 2);
        assert!(inbound.buffer.capacity() < 100);
        assert_eq!(inbound.head(), [5, 5]);
    }
}
