//! Bytes on their way to a socket: copied where they are few, shared where they are many.

use std::collections::VecDeque;
use std::io::IoSlice;

use bytes::{Buf, Bytes, BytesMut};

/// A queue of bytes to be written, made of copied stretches and shared slices, in wire order.
///
/// Small frames of many clients gather in one stretch and leave in one write; a large body is not
/// copied but queued as it is. It is a [`Buf`], so it drains with vectored writes.
#[derive(Debug, Default)]
pub struct Output {
    segments: VecDeque<Bytes>,
    segments_len: usize,
    /// How many of the first segments hold nothing but their own bytes.
    owned: usize,
    tail: BytesMut,
}

impl Output {
    /// Slices shorter than this are copied by [`share`](Output::share): below it a copy costs less
    /// than the bookkeeping of a further segment.
    pub const SHARE_MIN: usize = 4096;

    /// Slices of this length are most of what they were cut from: see [`own`](Output::own).
    pub const OWN_MAX: usize = 64 * 1024;

    /// An empty queue; allocates nothing.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The bytes that wait to be written.
    #[must_use]
    pub fn len(&self) -> usize {
        self.segments_len.saturating_add(self.tail.len())
    }

    /// Whether nothing waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.segments_len == 0 && self.tail.is_empty()
    }

    /// The stretch at the end, to append to. Do not take anything out of it.
    pub fn tail(&mut self) -> &mut BytesMut {
        &mut self.tail
    }

    /// Appends a copy of `bytes`.
    pub fn copy(&mut self, bytes: &[u8]) {
        self.tail.extend_from_slice(bytes);
    }

    /// Appends `bytes`, shared if they are many, copied if they are few.
    pub fn share(&mut self, bytes: Bytes) {
        if bytes.len() < Self::SHARE_MIN {
            return self.copy(&bytes);
        }
        if !self.tail.is_empty() {
            let copied = self.tail.split().freeze();
            self.push_segment(copied);
        }
        self.push_segment(bytes);
    }

    /// Appends what waits in another queue.
    pub fn append(&mut self, other: Output) {
        for segment in other.segments {
            self.share(segment);
        }
        self.share(other.tail.freeze());
    }

    /// What waits, stretch by stretch: shared slices as they are, copied bytes as a copy of theirs.
    pub fn parts(&self) -> impl Iterator<Item = Bytes> + '_ {
        let tail = Some(&self.tail).filter(|tail| !tail.is_empty());
        self.segments.iter().cloned().chain(tail.map(|tail| Bytes::copy_from_slice(tail)))
    }

    /// Cuts the queue down to `len` bytes from its front: what an encoder that failed half way does.
    pub fn truncate(&mut self, len: usize) {
        if let Some(tail_len) = len.checked_sub(self.segments_len) {
            return self.tail.truncate(tail_len);
        }
        self.tail.clear();
        while self.segments_len > len {
            let Some(mut last) = self.segments.pop_back() else { break };
            self.owned = self.owned.min(self.segments.len());
            self.segments_len = self.segments_len.saturating_sub(last.len());
            last.truncate(len.saturating_sub(self.segments_len));
            if !last.is_empty() {
                self.push_segment(last);
                break;
            }
        }
    }

    /// Drops everything that waits, and the room that is held for more.
    pub fn clear(&mut self) {
        *self = Output::new();
    }

    /// Gives back the room that is held for more, if nothing waits.
    pub fn release(&mut self) {
        if self.is_empty() {
            self.clear();
        }
    }

    /// Copies shared slices, from the front on, until about `budget` bytes have been copied; tells how
    /// many were, 0 if there is nothing left to do. Each byte is copied once, however often this is
    /// called.
    ///
    /// A slice keeps all of the buffer that it was cut from. That does no harm for the moment that it
    /// takes to write it; what waits for long should not hold more than itself. Slices of
    /// [`OWN_MAX`](Output::OWN_MAX) or more are left as they are.
    pub fn own(&mut self, budget: usize) -> usize {
        let mut copied = 0_usize;
        while copied < budget
            && let Some(segment) = self.segments.get_mut(self.owned)
        {
            if segment.len() < Self::OWN_MAX {
                *segment = Bytes::copy_from_slice(segment);
                copied = copied.saturating_add(segment.len());
            }
            self.owned = self.owned.saturating_add(1);
        }
        copied
    }

    fn push_segment(&mut self, segment: Bytes) {
        self.segments_len = self.segments_len.saturating_add(segment.len());
        self.segments.push_back(segment);
    }
}

impl Buf for Output {
    fn remaining(&self) -> usize {
        self.len()
    }

    fn chunk(&self) -> &[u8] {
        self.segments.front().map_or(&self.tail, |segment| segment)
    }

    fn chunks_vectored<'a>(&'a self, dst: &mut [IoSlice<'a>]) -> usize {
        let parts = self.segments.iter().map(|s| &**s).chain(std::iter::once(&*self.tail));
        let mut filled = 0_usize;
        for (slot, part) in dst.iter_mut().zip(parts.filter(|part| !part.is_empty())) {
            *slot = IoSlice::new(part);
            filled = filled.saturating_add(1);
        }
        filled
    }

    fn advance(&mut self, mut count: usize) {
        while let Some(front) = self.segments.front_mut() {
            if count < front.len() {
                front.advance(count);
                self.segments_len = self.segments_len.saturating_sub(count);
                return;
            }
            count = count.saturating_sub(front.len());
            self.segments_len = self.segments_len.saturating_sub(front.len());
            self.segments.pop_front();
            self.owned = self.owned.saturating_sub(1);
        }
        if count >= self.tail.len() {
            self.tail.clear();
        } else {
            self.tail.advance(count);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn drain(mut output: Output, step: usize) -> Vec<u8> {
        let mut all = Vec::new();
        while output.has_remaining() {
            let n = output.chunk().len().min(step);
            all.extend_from_slice(&output.chunk()[..n]);
            output.advance(n);
        }
        all
    }

    proptest! {
        #[test]
        fn what_goes_in_comes_out_in_order(
            parts in proptest::collection::vec((any::<bool>(), 0_usize..9000), 0..8),
            step in 1_usize..5000,
            cut in 0_usize..40_000,
        ) {
            let mut output = Output::new();
            let mut model = Vec::new();
            for (i, (shared, len)) in parts.into_iter().enumerate() {
                let bytes = vec![i as u8; len];
                model.extend_from_slice(&bytes);
                match (shared, i % 2) {
                    (true, 0) => output.share(bytes.into()),
                    (true, _) => {
                        let mut other = Output::new();
                        other.copy(&bytes[..len / 2]);
                        other.share(Bytes::copy_from_slice(&bytes[len / 2..]));
                        output.append(other);
                    }
                    (false, _) => output.copy(&bytes),
                }
                prop_assert_eq!(output.len(), model.len());
                output.own(step);
            }
            let cut = cut.min(model.len());
            output.truncate(cut);
            model.truncate(cut);
            prop_assert_eq!(output.len(), model.len());
            let mut slices = [IoSlice::new(&[]); 32];
            let n = output.chunks_vectored(&mut slices);
            let seen: usize = slices[..n].iter().map(|s| s.len()).sum();
            prop_assert_eq!(seen, model.len());
            let parts: Vec<u8> = output.parts().flatten().collect();
            prop_assert_eq!(&parts, &model);
            prop_assert_eq!(drain(output, step), model);
        }
    }

    #[test]
    fn what_waits_for_long_holds_its_own_bytes_only_and_is_copied_once() {
        let mut output = Output::new();
        let shared: Vec<_> =
            (0..6).map(|n| Bytes::from(vec![n; 10_000]).slice(..Output::SHARE_MIN)).collect();
        shared.iter().for_each(|bytes| output.share(bytes.clone()));
        assert!(shared.iter().all(|bytes| !bytes.is_unique()));
        assert_eq!(output.own(Output::SHARE_MIN + 1), 2 * Output::SHARE_MIN);
        let unique = |from: usize| shared[from..].iter().filter(|b| b.is_unique()).count();
        assert_eq!(unique(0), 2);
        // What has left makes no difference to what is yet to be done.
        output.advance(Output::SHARE_MIN + 5);
        assert_eq!(output.own(1), Output::SHARE_MIN);
        assert_eq!(unique(0), 3);
        output.truncate(3 * Output::SHARE_MIN);
        assert_eq!(output.own(usize::MAX), Output::SHARE_MIN + 5);
        assert_eq!(output.own(usize::MAX), 0);
        output.share(Bytes::from(vec![7; Output::OWN_MAX]));
        assert_eq!(output.own(usize::MAX), 0, "that one is left as it is");
        let all = drain(output, 1000);
        assert_eq!(all.len(), 3 * Output::SHARE_MIN + Output::OWN_MAX);
        assert_eq!((all[0], all[Output::SHARE_MIN], all.last()), (1, 2, Some(&7)));
    }

    #[test]
    fn a_large_slice_is_shared_not_copied() {
        let body = Bytes::from(vec![1_u8; Output::SHARE_MIN]);
        let mut output = Output::new();
        output.copy(b"head");
        output.share(body.clone());
        output.advance(4);
        assert_eq!(output.chunk().as_ptr(), body.as_ptr());
    }
}
