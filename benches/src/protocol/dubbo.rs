//! Dubbo 2: 16 bytes of header, then the call or the result in Hessian 2.
//!
//! Header, big-endian: magic 0xdabb, flags, status, id u64, length of the body u32. Flags: 0x80
//! request, 0x40 an answer is wanted, 0x20 event, and the serialization, 2 for Hessian 2. Status
//! 20 is OK. A call is: version of the protocol, path, version of the service, method, types of
//! the parameters, arguments, attachments. A result is: its kind, the value, attachments.

use super::{Envelope, Wire, seal};

const HEADER: usize = 16;
const MAGIC: [u8; 2] = [0xda, 0xbb];
const REQUEST: u8 = 0x80 | TWO_WAY | HESSIAN2;
const TWO_WAY: u8 = 0x40;
const EVENT: u8 = 0x20;
const HESSIAN2: u8 = 2;
const OK: u8 = 20;
const SERVICE_ERROR: u8 = 70;
/// Where the lower half of the id stands; the upper one stays zero.
const ID_AT: usize = 8;
const LENGTH_AT: usize = 12;
/// A value and attachments, as a compact int of Hessian 2.
const VALUE_WITH_ATTACHMENTS: u8 = 0x94;
/// How long the client waits, in milliseconds.
const TIMEOUT: &str = "60000";
/// The longest piece that text is cut into, as Hessian's own library does it.
const CHUNK: usize = 0x8000;

/// Calls of `org.example.Users/echo(String)`.
#[derive(Debug)]
pub(super) struct Dubbo;

impl Wire for Dubbo {
    fn header(&self) -> usize {
        HEADER
    }

    fn starts_frame(&self, header: &[u8]) -> bool {
        header.starts_with(&MAGIC)
    }

    fn length_at(&self) -> usize {
        LENGTH_AT
    }

    fn uncounted(&self) -> usize {
        HEADER
    }

    fn request(&self) -> Envelope {
        let mut head = header(REQUEST, 0);
        for value in ["2.0.2", "org.example.Users", "1.0.0", "echo", "Ljava/lang/String;"] {
            text(value.as_bytes(), &mut head);
        }
        let attachments = [
            ("path", "org.example.Users"),
            ("interface", "org.example.Users"),
            ("version", "1.0.0"),
            ("timeout", TIMEOUT),
        ];
        let tail = map(&attachments);
        // The last value, before the end of the map.
        let end = tail.len() - 1;
        Envelope { head, id_at: ID_AT, tail, left: end - TIMEOUT.len()..end }
    }

    fn response(&self) -> Envelope {
        let mut head = header(HESSIAN2, OK);
        head.push(VALUE_WITH_ATTACHMENTS);
        Envelope { head, id_at: ID_AT, tail: map(&[("dubbo", "2.0.2")]), left: 0..0 }
    }

    fn append_body(&self, body: &[u8], out: &mut Vec<u8>) {
        text(body, out);
    }

    fn is_error(&self, prefix: &[u8]) -> bool {
        prefix.get(3) != Some(&OK)
    }

    fn error(&self, frame: &[u8]) -> Vec<u8> {
        let mut error = frame[..HEADER].to_vec();
        error[2..4].copy_from_slice(&[HESSIAN2, SERVICE_ERROR]);
        text(b"not the expected call", &mut error);
        seal(self, &mut error);
        error
    }

    /// Heartbeats are events; the answer repeats the id and says null.
    fn answer_ping(&self, frame: &[u8], out: &mut Vec<u8>) -> bool {
        let flags = frame.get(2).copied().unwrap_or(0);
        if flags & EVENT == 0 {
            return false;
        }
        if flags & REQUEST == REQUEST {
            let mut answer = frame[..HEADER].to_vec();
            answer[2..4].copy_from_slice(&[EVENT | HESSIAN2, OK]);
            answer.push(b'N');
            seal(self, &mut answer);
            out.extend_from_slice(&answer);
        }
        true
    }
}

/// A header whose id and length are to be filled in.
fn header(flags: u8, status: u8) -> Vec<u8> {
    let mut head = vec![0; HEADER];
    head[..2].copy_from_slice(&MAGIC);
    head[2..4].copy_from_slice(&[flags, status]);
    head
}

/// A string of Hessian 2, cut into pieces where it is long. `value` is ASCII: lengths count
/// characters.
fn text(value: &[u8], out: &mut Vec<u8>) {
    let mut rest = value;
    while rest.len() > CHUNK {
        let (piece, later) = rest.split_at(CHUNK);
        out.extend_from_slice(&[b'R', (CHUNK >> 8) as u8, CHUNK as u8]);
        out.extend_from_slice(piece);
        rest = later;
    }
    let [.., high, low] = rest.len().to_be_bytes();
    match rest.len() {
        0..32 => out.push(low),
        32..1024 => out.extend_from_slice(&[0x30 + high, low]),
        _ => out.extend_from_slice(&[b'S', high, low]),
    }
    out.extend_from_slice(rest);
}

/// A map without a type.
fn map(entries: &[(&str, &str)]) -> Vec<u8> {
    let mut out = vec![b'H'];
    for (key, value) in entries {
        text(key.as_bytes(), &mut out);
        text(value.as_bytes(), &mut out);
    }
    out.push(b'Z');
    out
}

#[cfg(test)]
mod tests {
    use super::super::Template;
    use super::*;

    #[test]
    fn a_call_has_the_documented_layout() {
        let mut bytes = Vec::new();
        Template::request(&Dubbo, 3).append(0x0102_0304, 9, &mut bytes);
        let length = (bytes.len() - 16) as u8;
        assert_eq!(bytes[..16], [0xda, 0xbb, 0xc2, 0, 0, 0, 0, 0, 1, 2, 3, 4, 0, 0, 0, length]);
        assert!(bytes[16..].starts_with(b"\x052.0.2\x11org.example.Users\x051.0.0\x04echo"));
        assert!(bytes.windows(10).any(|part| part == b"String;\x03ab"));
        assert!(bytes.ends_with(b"\x07timeout\x0560000Z"));
    }

    #[test]
    fn long_text_is_cut_into_pieces() {
        let mut bytes = Vec::new();
        text(&[b'x'; 70_000], &mut bytes);
        assert_eq!(bytes[..3], [b'R', 0x80, 0]);
        assert_eq!(bytes[0x8003..0x8006], [b'R', 0x80, 0]);
        assert_eq!(bytes[0x1_0006..0x1_0009], [b'S', 0x11, 0x70]);
        assert_eq!(bytes.len(), 70_009);
    }

    #[test]
    fn heartbeats_are_answered_and_other_events_are_not() {
        let mut heartbeat = header(0xe2, 0);
        heartbeat[11] = 7;
        heartbeat.push(b'N');
        seal(&Dubbo, &mut heartbeat);
        let mut out = Vec::new();
        assert!(Dubbo.answer_ping(&heartbeat, &mut out));
        assert_eq!(out, [0xda, 0xbb, 0x22, 20, 0, 0, 0, 0, 0, 0, 0, 7, 0, 0, 0, 1, b'N']);
        out.clear();
        heartbeat[2] = 0xa2;
        assert!(Dubbo.answer_ping(&heartbeat, &mut out) && out.is_empty());
        let mut call = Vec::new();
        Template::request(&Dubbo, 3).append(1, 1, &mut call);
        assert!(!Dubbo.answer_ping(&call, &mut out));
    }
}
