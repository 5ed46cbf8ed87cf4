//! Frames that are sent again and again, with another id each time.

use std::ops::Range;

use super::{Envelope, MAX_BODY, Wire, put, seal};

/// Bytes of the mark at the front of a body: a number in hexadecimal.
const STAMP: usize = 16;

/// A request or a response whose id and mark are filled in when it is sent.
#[derive(Clone, Debug)]
pub struct Template {
    bytes: Vec<u8>,
    id_at: usize,
    /// Where the body starts to be text.
    stamp_at: usize,
    stamped: bool,
}

impl Template {
    /// A request with `body` bytes of text, at most [`MAX_BODY`].
    pub fn request(wire: &dyn Wire, body: usize) -> Self {
        Self::new(wire, wire.request(), body)
    }

    /// The response to [`request`](Self::request).
    pub fn response(wire: &dyn Wire, body: usize) -> Self {
        Self::new(wire, wire.response(), body)
    }

    fn new(wire: &dyn Wire, envelope: Envelope, body: usize) -> Self {
        let text: Vec<u8> = (0..body.min(MAX_BODY)).map(|at| b'a' + (at % 26) as u8).collect();
        let mut bytes = envelope.head;
        let body_at = bytes.len();
        wire.append_body(&text, &mut bytes);
        let first = bytes[body_at..].windows(STAMP).position(|part| text.starts_with(part));
        bytes.extend_from_slice(&envelope.tail);
        seal(wire, &mut bytes);
        Template {
            bytes,
            id_at: envelope.id_at,
            stamp_at: body_at + first.unwrap_or(0),
            stamped: text.len() >= STAMP,
        }
    }

    /// Total length in bytes.
    pub fn size(&self) -> usize {
        self.bytes.len()
    }

    /// Where the id's last four bytes stand.
    pub fn id_at(&self) -> usize {
        self.id_at
    }

    /// Bytes at the front of a frame that tell whether it is this one: all before the body, and
    /// the mark.
    pub fn prefix(&self) -> usize {
        if self.stamped { self.stamp_at + STAMP } else { self.stamp_at.min(self.bytes.len()) }
    }

    /// Appends the frame with `id`. The body starts with `stamp` if it has room.
    pub fn append(&self, id: u32, stamp: u64, out: &mut Vec<u8>) {
        let start = out.len();
        out.extend_from_slice(&self.bytes);
        put(&mut out[start..], self.id_at, id);
        if self.stamped {
            let field = &mut out[start..][self.stamp_range()];
            field.copy_from_slice(&hexadecimal(stamp));
        }
    }

    /// True if `prefix` is the front of this frame with any id, and with `stamp`.
    pub fn matches(&self, prefix: &[u8], stamp: u64) -> bool {
        let id = self.id_at..self.id_at + 4;
        let end = if self.stamped { self.stamp_at } else { self.prefix() };
        let same = |range: Range<usize>| prefix.get(range.clone()) == self.bytes.get(range);
        let mark = || prefix.get(self.stamp_range()) == Some(&hexadecimal(stamp)[..]);
        same(0..id.start) && same(id.end..end) && (!self.stamped || mark())
    }

    fn stamp_range(&self) -> Range<usize> {
        self.stamp_at..self.stamp_at + STAMP
    }
}

fn hexadecimal(number: u64) -> [u8; STAMP] {
    std::array::from_fn(|at| b"0123456789abcdef"[(number >> (60 - 4 * at)) as usize & 15])
}

#[cfg(test)]
mod tests {
    use clap::ValueEnum;

    use super::super::Protocol;
    use super::*;

    #[test]
    fn numbers_are_written_in_hexadecimal() {
        assert_eq!(&hexadecimal(0x0123_4567_89ab_cdef), b"0123456789abcdef");
    }

    #[test]
    fn a_frame_matches_with_its_own_mark_only() {
        for protocol in Protocol::value_variants() {
            let template = Template::response(protocol.wire(), 40);
            let mut frame = Vec::new();
            template.append(5, 77, &mut frame);
            assert_eq!(frame.len(), template.size());
            assert!(template.matches(&frame[..template.prefix()], 77), "{protocol}");
            assert!(!template.matches(&frame[..template.prefix()], 78), "{protocol}");
            assert!(!template.matches(&frame[..template.prefix() - 1], 77), "{protocol}");
        }
    }

    #[test]
    fn bodies_without_room_for_a_mark_match_by_what_is_before_them() {
        for protocol in Protocol::value_variants() {
            for body in [0, 1, 15] {
                let template = Template::response(protocol.wire(), body);
                let mut frame = Vec::new();
                template.append(5, 77, &mut frame);
                assert!(template.matches(&frame[..template.prefix()], 1), "{protocol} {body}");
            }
        }
    }
}
