//! Compression with zlib, whose state is kept from message to message.

use std::fmt;

use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress, Status};
use metaproto_core::{DecodeError, Fault};

/// Decompresses and compresses messages. Holds nothing before the first.
#[derive(Default)]
pub(crate) struct Zlib {
    decompress: Option<Decompress>,
    compress: Option<Compress>,
    room: Vec<u8>,
}

impl Zlib {
    /// What is in front of `compressed`, up to `most` bytes. What goes wrong behind that is not looked
    /// at.
    pub(crate) fn front(&mut self, compressed: &[u8], most: usize) -> Result<&[u8], DecodeError> {
        let (bytes, _) = self.inflate(compressed, most);
        match bytes.is_empty() {
            true => Err(broken()),
            false => Ok(bytes),
        }
    }

    /// All of `compressed`, which must not be more than `most` bytes.
    pub(crate) fn whole(&mut self, compressed: &[u8], most: usize) -> Result<&[u8], DecodeError> {
        match self.inflate(compressed, most) {
            (bytes, true) => Ok(bytes),
            (bytes, false) if bytes.len() >= most => {
                let told = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
                Err(DecodeError::message("message", Fault::LengthTooLarge(told)))
            }
            _ => Err(broken()),
        }
    }

    /// What could be decompressed, and whether that was all.
    fn inflate(&mut self, compressed: &[u8], most: usize) -> (&[u8], bool) {
        let state = self.decompress.get_or_insert_with(|| Decompress::new(true));
        state.reset(true);
        self.room.clear();
        let mut ended = false;
        while !ended && self.room.len() < most {
            // Twice as much as there is, so that a message that grows is copied few times.
            let more = self.room.len().max(FIRST_ROOM).min(most.saturating_sub(self.room.len()));
            self.room.reserve_exact(more);
            let read = usize::try_from(state.total_in()).unwrap_or(usize::MAX);
            let rest = compressed.get(read..).unwrap_or_default();
            let before = self.room.len();
            match state.decompress_vec(rest, &mut self.room, FlushDecompress::None) {
                Ok(Status::StreamEnd) => ended = true,
                Ok(_) if self.room.len() > before => {}
                _ => break,
            }
        }
        // The room of an earlier message may have taken more than is allowed.
        ended &= self.room.len() <= most;
        self.room.truncate(most);
        (&self.room, ended)
    }

    /// `bytes`, compressed.
    pub(crate) fn deflated(&mut self, parts: [&[u8]; 2]) -> &[u8] {
        let state = self.compress.get_or_insert_with(|| Compress::new(Compression::fast(), true));
        state.reset();
        self.room.clear();
        let flushes = [FlushCompress::None, FlushCompress::Finish];
        for (mut part, flush) in parts.into_iter().zip(flushes) {
            loop {
                self.room.reserve(FIRST_ROOM);
                let before = state.total_in();
                let status = state.compress_vec(part, &mut self.room, flush);
                let read = state.total_in().saturating_sub(before);
                part = part.get(usize::try_from(read).unwrap_or(usize::MAX)..).unwrap_or_default();
                let goes_on = matches!(status, Ok(Status::Ok));
                if !goes_on || (part.is_empty() && flush == FlushCompress::None) {
                    break;
                }
            }
        }
        &self.room
    }
}

/// The bytes of room that a message gets at first.
const FIRST_ROOM: usize = 8192;

fn broken() -> DecodeError {
    DecodeError::message("message", Fault::Other("can't be decompressed"))
}

impl fmt::Debug for Zlib {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Zlib").field("room", &self.room.len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_was_compressed_comes_back(
            parts in any::<[Vec<u8>; 2]>(),
            repeat in 1..400_usize,
            most in 1..200_000_usize,
        ) {
            let parts = parts.map(|part| part.repeat(repeat));
            let all = parts.concat();
            let mut zlib = Zlib::default();
            // Twice: the state is used again.
            for _ in 0..2 {
                let compressed = zlib.deflated([&parts[0], &parts[1]]).to_vec();
                if !all.is_empty() {
                    let front = zlib.front(&compressed, most).unwrap();
                    prop_assert_eq!(front, &all[..all.len().min(most)]);
                }
                match zlib.whole(&compressed, most) {
                    Ok(bytes) => prop_assert_eq!(bytes, &all),
                    Err(_) => prop_assert!(all.len() >= most),
                }
                let cut = compressed.len() / 2;
                prop_assert!(zlib.whole(&compressed[..cut], usize::MAX).is_err());
            }
        }
    }
}
