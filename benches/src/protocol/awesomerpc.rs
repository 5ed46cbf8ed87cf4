//! awesomerpc: version i8, id u32, total length u32, command i16, code i16; big-endian; any body.

use super::{Envelope, Wire, seal};

const HEADER: usize = 13;
const LENGTH_AT: usize = 5;
const COMMAND: i16 = 1;
/// Where the low byte of the code stands.
const CODE_AT: usize = 12;

/// Calls of command 1.
#[derive(Debug)]
pub(super) struct Awesomerpc;

impl Wire for Awesomerpc {
    fn header(&self) -> usize {
        HEADER
    }

    fn starts_frame(&self, _header: &[u8]) -> bool {
        true
    }

    fn length_at(&self) -> usize {
        LENGTH_AT
    }

    fn uncounted(&self) -> usize {
        0
    }

    fn request(&self) -> Envelope {
        let mut head = vec![0; HEADER];
        head[9..11].copy_from_slice(&COMMAND.to_be_bytes());
        Envelope { head, id_at: 1, tail: Vec::new(), left: 0..0 }
    }

    /// A request with code 0 is also the response to itself.
    fn response(&self) -> Envelope {
        self.request()
    }

    fn append_body(&self, text: &[u8], out: &mut Vec<u8>) {
        out.extend_from_slice(text);
    }

    fn is_error(&self, prefix: &[u8]) -> bool {
        prefix.get(CODE_AT - 1..=CODE_AT) != Some(&[0, 0])
    }

    fn error(&self, frame: &[u8]) -> Vec<u8> {
        let mut error = frame[..HEADER].to_vec();
        error[CODE_AT] = 5;
        seal(self, &mut error);
        error
    }
}

#[cfg(test)]
mod tests {
    use super::super::Template;
    use super::*;

    #[test]
    fn a_request_has_the_documented_layout() {
        let mut bytes = Vec::new();
        Template::request(&Awesomerpc, 2).append(0x0102_0304, 9, &mut bytes);
        assert_eq!(bytes, [0, 1, 2, 3, 4, 0, 0, 0, 15, 0, 1, 0, 0, b'a', b'b']);
    }
}
