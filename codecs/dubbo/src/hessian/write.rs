//! The few values that are written.

use metaproto_core::BytesMut;

/// The most UTF-16 units of a chunk, which other writers keep to, too.
const CHUNK: usize = 0x8000;

/// Appends a string, in chunks if it is long. What lies beyond the BMP is written as two surrogates of
/// three bytes each: readers of all ages understand that.
pub fn write_text(text: &str, out: &mut BytesMut) {
    let mut rest = text;
    loop {
        let (chunk, units) = chunk(rest);
        rest = rest.get(chunk.len()..).unwrap_or_default();
        let is_last = rest.is_empty();
        let [high, low] = u16::try_from(units).unwrap_or(u16::MAX).to_be_bytes();
        match units {
            0..=31 if is_last => out.extend_from_slice(&[low]),
            32..=1023 if is_last => out.extend_from_slice(&[high.saturating_add(0x30), low]),
            _ if is_last => out.extend_from_slice(&[b'S', high, low]),
            _ => out.extend_from_slice(&[b'R', high, low]),
        }
        characters(chunk, out);
        if is_last {
            return;
        }
    }
}

/// The front of `text` that fits a chunk, and its length in UTF-16 units.
fn chunk(text: &str) -> (&str, usize) {
    let mut units = 0_usize;
    for (at, character) in text.char_indices() {
        let more = units.saturating_add(character.len_utf16());
        if more > CHUNK {
            return (text.get(..at).unwrap_or_default(), units);
        }
        units = more;
    }
    (text, units)
}

fn characters(text: &str, out: &mut BytesMut) {
    for piece in text.split_inclusive(|character| u32::from(character) > 0xffff) {
        let Some(last) = piece.chars().next_back().filter(|last| last.len_utf16() == 2) else {
            out.extend_from_slice(piece.as_bytes());
            continue;
        };
        let plain = piece.len().saturating_sub(last.len_utf8());
        out.extend_from_slice(piece.as_bytes().get(..plain).unwrap_or_default());
        for unit in last.encode_utf16(&mut [0; 2]) {
            let [high, low] = unit.to_be_bytes();
            let second = 0x80 | (high & 0x0f) << 2 | low >> 6;
            out.extend_from_slice(&[0xed, second, 0x80 | low & 0x3f]);
        }
    }
}

/// Appends an int, in one byte if it is from -16 to 47.
pub fn write_int(value: i32, out: &mut BytesMut) {
    match u8::try_from(value.saturating_add(0x90)) {
        Ok(code @ 0x80..=0xbf) => out.extend_from_slice(&[code]),
        _ => {
            out.extend_from_slice(b"I");
            out.extend_from_slice(&value.to_be_bytes());
        }
    }
}
