//! Apache Thrift, framed, in the binary protocol with a version.
//!
//! A frame is: its length u32; 0x8001, 0, the kind of message; the method, a u32 in front; the
//! sequence id u32; a struct of fields, each a type, an id u16 and a value, ended by a zero.

use super::{Envelope, Wire, number_at, put, seal};

/// The frame's length and the version: enough to tell a frame from what is none.
const HEADER: usize = 8;
const VERSION: [u8; 2] = [0x80, 1];
const CALL: u8 = 1;
const REPLY: u8 = 2;
const EXCEPTION: u8 = 3;
const KIND_AT: usize = 7;
const METHOD: &[u8] = b"echo";
const STRING: u8 = 11;
const I32: u8 = 8;
const END: u8 = 0;

/// Calls of `string echo(1: string text, 2: i32 times)`.
#[derive(Debug)]
pub(super) struct Thrift;

impl Wire for Thrift {
    fn header(&self) -> usize {
        HEADER
    }

    fn starts_frame(&self, header: &[u8]) -> bool {
        header.get(4..6) == Some(&VERSION)
    }

    fn length_at(&self) -> usize {
        0
    }

    fn uncounted(&self) -> usize {
        4
    }

    fn request(&self) -> Envelope {
        let mut tail = vec![I32, 0, 2];
        tail.extend_from_slice(&1u32.to_be_bytes());
        tail.push(END);
        let (mut head, id_at) = message(CALL);
        head.extend_from_slice(&[STRING, 0, 1]);
        Envelope { head, id_at, tail, left: 0..0 }
    }

    fn response(&self) -> Envelope {
        let (mut head, id_at) = message(REPLY);
        head.extend_from_slice(&[STRING, 0, 0]);
        Envelope { head, id_at, tail: vec![END], left: 0..0 }
    }

    fn append_body(&self, text: &[u8], out: &mut Vec<u8>) {
        out.extend_from_slice(&(text.len() as u32).to_be_bytes());
        out.extend_from_slice(text);
    }

    fn is_error(&self, prefix: &[u8]) -> bool {
        prefix.get(KIND_AT) != Some(&REPLY)
    }

    /// An exception without a text.
    fn error(&self, frame: &[u8]) -> Vec<u8> {
        let (mut error, id_at) = message(EXCEPTION);
        put(&mut error, id_at, number_at(frame, id_at));
        error.push(END);
        seal(self, &mut error);
        error
    }
}

/// A message up to its struct, and where its sequence id stands.
fn message(kind: u8) -> (Vec<u8>, usize) {
    let mut head = vec![0; 4];
    head.extend_from_slice(&VERSION);
    head.extend_from_slice(&[0, kind]);
    head.extend_from_slice(&(METHOD.len() as u32).to_be_bytes());
    head.extend_from_slice(METHOD);
    let id_at = head.len();
    head.extend_from_slice(&[0; 4]);
    (head, id_at)
}

#[cfg(test)]
mod tests {
    use super::super::Template;
    use super::*;

    #[test]
    fn a_call_has_the_documented_layout() {
        let mut bytes = Vec::new();
        Template::request(&Thrift, 2).append(0x0102_0304, 9, &mut bytes);
        let expected = b"\0\0\0\x21\x80\x01\0\x01\0\0\0\x04echo\x01\x02\x03\x04\
            \x0b\0\x01\0\0\0\x02ab\x08\0\x02\0\0\0\x01\0";
        assert_eq!(bytes, expected);
    }

    #[test]
    fn a_reply_repeats_the_method_and_the_id() {
        let mut bytes = Vec::new();
        Template::response(&Thrift, 1).append(9, 9, &mut bytes);
        let expected = b"\0\0\0\x19\x80\x01\0\x02\0\0\0\x04echo\0\0\0\x09\x0b\0\0\0\0\0\x01a\0";
        assert_eq!(bytes, expected);
    }
}
