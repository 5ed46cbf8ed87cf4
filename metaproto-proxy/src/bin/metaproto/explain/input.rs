//! The bytes of a file or of standard input, and what they look like.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Cursor, Read};
use std::path::Path;

use super::arguments::Format;
use super::hex::HexReader;
use super::report::Stop;

/// So many bytes are looked at to tell hex text from raw bytes.
const TELLING: usize = 8 << 10;

/// The numbers that captures begin with: pcap with micro- and nanoseconds in both byte orders,
/// pcap as patched by Kuznetzov, pcapng.
const CAPTURES: [[u8; 4]; 6] = [
    [0xa1, 0xb2, 0xc3, 0xd4],
    [0xd4, 0xc3, 0xb2, 0xa1],
    [0xa1, 0xb2, 0x3c, 0x4d],
    [0x4d, 0x3c, 0xb2, 0xa1],
    [0x34, 0xcd, 0xb2, 0xa1],
    [0x0a, 0x0d, 0x0d, 0x0a],
];

/// What is explained, read once from front to back.
pub(super) struct Input {
    reader: BufReader<Box<dyn Read + Send>>,
}

impl Input {
    /// The file at `path`; standard input for `-`.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let source: Box<dyn Read + Send> = match path.to_str() {
            Some("-") => Box::new(io::stdin()),
            _ => Box::new(File::open(path)?),
        };
        Ok(Input::of(source))
    }

    fn of(source: Box<dyn Read + Send>) -> Self {
        Input { reader: BufReader::new(source) }
    }

    /// What the bytes look like.
    pub(super) fn format(&mut self) -> io::Result<Format> {
        let mut head = Vec::new();
        // No more than this, as a capture may come slowly.
        self.take(4).read_to_end(&mut head)?;
        let is_capture = CAPTURES.iter().any(|magic| head == magic);
        if !is_capture {
            self.take(TELLING as u64).read_to_end(&mut head)?;
        }
        let format = match () {
            () if is_capture => Format::Pcap,
            () if is_hex(&head, head.len() < TELLING) => Format::Hex,
            () => Format::Raw,
        };
        let rest = std::mem::replace(self, Input::of(Box::new(io::empty())));
        *self = Input::of(Box::new(Cursor::new(head).chain(rest)));
        Ok(format)
    }

    /// Passes all bytes on in pieces.
    pub(super) fn chunks(
        &mut self,
        mut each: impl FnMut(&[u8]) -> Result<(), Stop>,
    ) -> Result<(), Stop> {
        loop {
            let bytes = self.reader.fill_buf()?;
            if bytes.is_empty() {
                return Ok(());
            }
            each(bytes)?;
            let read = bytes.len();
            self.reader.consume(read);
        }
    }

    /// Reads a line of at most `most` bytes; `None` at the end.
    pub(super) fn line(&mut self, most: u64) -> io::Result<Option<Vec<u8>>> {
        let mut line = Vec::new();
        let read = (&mut self.reader).take(most).read_until(b'\n', &mut line)?;
        Ok((read > 0).then_some(line))
    }

    fn take(&mut self, most: u64) -> impl Read {
        (&mut self.reader).take(most)
    }
}

impl Read for Input {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.reader.read(into)
    }
}

/// Whether all lines are hex; the last one may be cut unless this is the whole input.
fn is_hex(head: &[u8], whole: bool) -> bool {
    let Ok(text) = str::from_utf8(head) else { return false };
    let complete = match (whole, text.rfind('\n')) {
        (true, _) => text,
        (false, Some(end)) => text.get(..end).unwrap_or_default(),
        (false, None) => {
            let cut = |c: char| c.is_ascii_hexdigit() || c.is_ascii_whitespace();
            let digits = text.trim_start_matches(['<', '>', ' ']);
            return digits.chars().all(cut);
        }
    };
    let mut reader = HexReader::default();
    let mut found = false;
    for line in complete.lines() {
        match reader.line(line) {
            Ok(None) => {}
            Ok(Some(_)) => found = true,
            Err(_) => return false,
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn format(bytes: &[u8]) -> (Format, Vec<u8>) {
        let mut input = Input::of(Box::new(Cursor::new(bytes.to_vec())));
        let format = input.format().unwrap();
        let mut all = Vec::new();
        input.read_to_end(&mut all).unwrap();
        (format, all)
    }

    #[test]
    fn the_format_is_told_by_the_look_and_nothing_is_lost() {
        let long_hex = "00 01 02 03\n".repeat(5000).into_bytes();
        let one_line = "00010203".repeat(5000).into_bytes();
        let cases = [
            (b"".as_slice(), Format::Raw),
            (b"ab", Format::Hex),
            (b"# what\n> 0102\n< 03\n", Format::Hex),
            (b"00000000: 0102 0304  ....\n", Format::Hex),
            (b"GET / HTTP/1.1\n", Format::Raw),
            (b"\xd4\xc3\xb2\xa1rest", Format::Pcap),
            (b"\x0a\x0d\x0d\x0a", Format::Pcap),
            (&long_hex, Format::Hex),
            (&one_line, Format::Hex),
        ];
        for (bytes, expected) in cases {
            assert_eq!(format(bytes), (expected, bytes.to_vec()));
        }
    }
}
