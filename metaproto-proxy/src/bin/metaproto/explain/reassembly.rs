//! The segments of one direction of a TCP connection, put in order.

use std::collections::BTreeMap;

/// Bytes that wait for missing ones before them; with more, those count as lost.
const WINDOW: usize = 4 << 20;

/// What comes next in the direction.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Piece<'a> {
    /// These bytes.
    Data(&'a [u8]),
    /// So many bytes that the capture does not have.
    Gap(u64),
}

/// Puts segments in order. Of bytes that come twice the first count.
#[derive(Debug, Default)]
pub(super) struct Reassembly {
    /// The sequence number of the byte at `next`; `None` before the first segment.
    sequence: Option<u32>,
    /// Where the next byte that has not been passed on stands, from where the direction begins.
    next: i64,
    /// What arrived early, by where it stands. No two overlap.
    waiting: BTreeMap<i64, Vec<u8>>,
    /// The bytes of all that waits.
    held: usize,
    /// The bytes that came more than once.
    repeated: u64,
}

impl Reassembly {
    /// The direction begins at this sequence number, unless it has begun already.
    pub(super) fn begin(&mut self, sequence: u32) {
        self.sequence.get_or_insert(sequence);
    }

    /// The sequence number at which the direction began.
    pub(super) fn began(&self) -> Option<u32> {
        // Truncation is what sequence numbers do.
        self.sequence.map(|sequence| sequence.wrapping_sub(self.next as u32))
    }

    /// The bytes that came more than once.
    pub(super) fn repeated(&self) -> u64 {
        self.repeated
    }

    /// Takes a segment; passes on what is in order now.
    pub(super) fn push<E>(
        &mut self,
        sequence: u32,
        bytes: &[u8],
        mut to: impl FnMut(Piece<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        let expected = *self.sequence.get_or_insert(sequence);
        let distance = sequence.wrapping_sub(expected).cast_signed();
        let start = self.next.saturating_add(i64::from(distance));
        let fresh = match usize::try_from(self.next.saturating_sub(start)) {
            Ok(old) => bytes.get(old.min(bytes.len())..).unwrap_or_default(),
            Err(_) => bytes,
        };
        self.repeated += (bytes.len() - fresh.len()) as u64;
        let start = start.max(self.next);
        if fresh.is_empty() {
            return Ok(());
        }
        if start == self.next && self.waiting.is_empty() {
            self.pass(fresh);
            return to(Piece::Data(fresh));
        }
        self.keep(start, fresh);
        self.drain(&mut to)?;
        while self.held > WINDOW {
            self.skip(&mut to)?;
        }
        Ok(())
    }

    /// No more segments will come: passes on what waits.
    pub(super) fn finish<E>(
        &mut self,
        mut to: impl FnMut(Piece<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        while !self.waiting.is_empty() {
            self.skip(&mut to)?;
        }
        Ok(())
    }

    /// Keeps those parts that are not there yet.
    fn keep(&mut self, start: i64, bytes: &[u8]) {
        let end = after(start, bytes);
        let before = self.waiting.range(..=start).next_back();
        let mut at = before.map_or(start, |(at, waits)| after(*at, waits).max(start));
        let mut taken: Vec<(i64, i64)> = Vec::new();
        for (next, waits) in self.waiting.range(start..end) {
            if *next > at {
                taken.push((at, *next));
            }
            at = at.max(after(*next, waits));
        }
        if at < end {
            taken.push((at, end));
        }
        let mut kept = 0;
        for (from, to) in taken {
            let index = |at: i64| usize::try_from(at.saturating_sub(start)).unwrap_or(usize::MAX);
            let part = bytes.get(index(from)..index(to)).unwrap_or_default();
            kept += part.len();
            self.waiting.insert(from, part.to_vec());
        }
        self.held += kept;
        self.repeated += (bytes.len() - kept) as u64;
    }

    /// Passes on what waits for nothing any longer.
    fn drain<E>(&mut self, to: &mut impl FnMut(Piece<'_>) -> Result<(), E>) -> Result<(), E> {
        while let Some(first) = self.waiting.first_entry() {
            if *first.key() > self.next {
                break;
            }
            let bytes = first.remove();
            self.held -= bytes.len();
            self.pass(&bytes);
            to(Piece::Data(&bytes))?;
        }
        Ok(())
    }

    /// Gives up on the bytes that are missing next.
    fn skip<E>(&mut self, to: &mut impl FnMut(Piece<'_>) -> Result<(), E>) -> Result<(), E> {
        if let Some((first, _)) = self.waiting.first_key_value() {
            let missing = first.saturating_sub(self.next);
            self.advance(missing);
            to(Piece::Gap(missing.unsigned_abs()))?;
        }
        self.drain(to)
    }

    fn pass(&mut self, bytes: &[u8]) {
        self.advance(i64::try_from(bytes.len()).unwrap_or(i64::MAX));
    }

    fn advance(&mut self, bytes: i64) {
        self.next = self.next.saturating_add(bytes);
        // Truncation is what sequence numbers do.
        self.sequence = self.sequence.map(|sequence| sequence.wrapping_add(bytes as u32));
    }
}

/// Where the byte behind `bytes` stands.
fn after(start: i64, bytes: &[u8]) -> i64 {
    start.saturating_add(i64::try_from(bytes.len()).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use proptest::prelude::*;

    use super::*;

    /// What comes out: bytes, and where how many are missing.
    #[derive(Debug, Default, PartialEq, Eq)]
    struct Stream(Vec<u8>, Vec<(usize, u64)>);

    impl Stream {
        fn take(&mut self, piece: Piece<'_>) -> Result<(), Infallible> {
            match piece {
                Piece::Data(bytes) => self.0.extend_from_slice(bytes),
                Piece::Gap(missing) => self.1.push((self.0.len(), missing)),
            }
            Ok(())
        }
    }

    /// Where a segment stands, and its bytes.
    type Segment<'a> = (usize, &'a [u8]);

    fn assemble(begin: u32, segments: &[Segment<'_>]) -> Stream {
        let (mut reassembly, mut stream) = (Reassembly::default(), Stream::default());
        reassembly.begin(begin);
        for (at, bytes) in segments {
            let sequence = begin.wrapping_add(*at as u32);
            let Ok(()) = reassembly.push(sequence, bytes, |piece| stream.take(piece));
        }
        let Ok(()) = reassembly.finish(|piece| stream.take(piece));
        assert_eq!((reassembly.held, reassembly.began()), (0, Some(begin)));
        stream
    }

    proptest! {
        #[test]
        fn any_split_order_and_repetition_of_segments_gives_the_same_stream(
            bytes in proptest::collection::vec(any::<u8>(), 1..600),
            cuts in proptest::collection::vec(any::<proptest::sample::Index>(), 0..20),
            again in proptest::collection::vec(
                (any::<proptest::sample::Index>(), any::<proptest::sample::Index>()), 0..20),
            order in any::<u64>(),
            begin in prop_oneof![any::<u32>(), (u32::MAX - 600)..=u32::MAX],
        ) {
            let mut ends: Vec<usize> = cuts.iter().map(|cut| cut.index(bytes.len())).collect();
            ends.extend([0, bytes.len()]);
            ends.sort_unstable();
            let split = ends.windows(2).map(|pair| (pair[0], pair[1]));
            let overlaps = again.iter().map(|(a, b)| {
                let (a, b) = (a.index(bytes.len()), b.index(bytes.len() + 1));
                (a.min(b), a.max(b))
            });
            let mut segments: Vec<_> =
                split.chain(overlaps).map(|(from, to)| (from, &bytes[from..to])).collect();
            // Any order: a few thousand swaps by a simple generator.
            let mut state = order | 1;
            for index in (1..segments.len()).rev() {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                segments.swap(index, (state >> 33) as usize % (index + 1));
            }
            prop_assert_eq!(assemble(begin, &segments), Stream(bytes.clone(), vec![]));
        }
    }

    #[test]
    fn what_the_capture_does_not_have_is_a_gap() {
        let stream = assemble(7, &[(0, b"ab"), (5, b"fg"), (8, b"i")]);
        assert_eq!(stream, Stream(b"abfgi".to_vec(), vec![(2, 3), (4, 1)]));
        let stream = assemble(7, &[(2, b"cd"), (0, b"a")]);
        assert_eq!(stream, Stream(b"acd".to_vec(), vec![(1, 1)]));
    }

    #[test]
    fn of_bytes_that_come_twice_the_first_count() {
        let stream = assemble(u32::MAX, &[(0, b"ab"), (0, b"xxc"), (4, b"e"), (3, b"dxf")]);
        assert_eq!(stream, Stream(b"abcdef".to_vec(), vec![]));
    }

    #[test]
    fn bytes_wait_for_missing_ones_up_to_a_bound() {
        let (mut reassembly, mut stream) = (Reassembly::default(), Stream::default());
        reassembly.begin(0);
        let segment = vec![7; 1 << 16];
        for index in 0..100_u32 {
            let Ok(()) = reassembly.push(1 + (index << 16), &segment, |piece| stream.take(piece));
            assert!(reassembly.held <= WINDOW);
        }
        assert_eq!((stream.0.len(), stream.1), (100 << 16, vec![(0, 1)]));
    }
}
