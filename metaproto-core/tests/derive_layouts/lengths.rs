//! Lengths of anything.

use metaproto_core::{Auto, Bytes, Frame, FrameLength, Section};

use crate::values::words;

layout! { a_length_of_the_frame:
    #[frame(magic = b"L", max_len = 1 << 20)]
    struct OfFrame {
        kind: u8,
        #[frame(length(of = frame, plus = -4), endian = little)]
        len: Auto<u32>,
        #[frame(prefix = u8)]
        name: String,
        #[frame(body)]
        body: Bytes,
    }
}

layout! { a_length_of_the_rest:
    struct OfRest {
        #[frame(length(of = rest, plus = 3))]
        len: Auto<u16>,
        flags: u16,
        #[frame(prefix = varint)]
        name: String,
        #[frame(varint)]
        number: u64,
        #[frame(body)]
        body: Bytes,
    }
}

layout! { a_length_of_the_rest_in_words:
    struct OfRestInWords {
        #[frame(length(of = rest, unit = 4))]
        len: Auto<u16>,
        flags: u32,
        #[frame(body)]
        body: Bytes = words(),
    }
}

layout! { lengths_of_header_and_body:
    struct HeaderAndBody {
        #[frame(length(of = header, unit = 2, plus = -1))]
        header_len: Auto<u8>,
        #[frame(length(of = body))]
        len: Auto<u16>,
        last: u8,
        #[frame(rest)]
        options: Bytes = words(),
        #[frame(body)]
        body: Bytes,
    }
}

layout! { lengths_of_all_parts_add_up:
    struct Sum {
        #[frame(length(of = a))]
        a_len: Auto<u16>,
        #[frame(length(of = b))]
        b_len: Auto<u8>,
        #[frame(length(of = d..=e))]
        de_len: Auto<u16>,
        #[frame(length(of = body))]
        len: Auto<u32>,
        a: String,
        b: Bytes,
        c: u64,
        #[frame(prefix = u8)]
        d: String,
        #[frame(varint)]
        e: u32,
        #[frame(body)]
        body: Bytes,
    }
}

layout! { windows_inside_of_windows:
    struct Windows {
        #[frame(length(of = a..=d))]
        outer: Auto<u16>,
        #[frame(length(of = b..=c))]
        inner: Auto<u16>,
        #[frame(length(of = rest))]
        len: Auto<u16>,
        #[frame(prefix = u8)]
        a: String,
        #[frame(varint)]
        b: u32,
        #[frame(rest, kv(key = u8, value = u8))]
        c: Section,
        #[frame(rest)]
        d: Bytes,
        e: u16,
        #[frame(body)]
        body: Bytes,
    }
}

layout! { windows_told_between_parts:
    struct Between {
        #[frame(prefix = u8)]
        name: String,
        #[frame(length(of = a..=c))]
        outer: Auto<u16>,
        #[frame(varint)]
        a: u64,
        #[frame(varint, length(of = c))]
        inner: Auto<u32>,
        #[frame(count = u8)]
        b: Vec<u16>,
        #[frame(prefix = u8)]
        c: Bytes,
        #[frame(length(of = body), endian = little)]
        len: Auto<u16>,
        last: u8,
        #[frame(body)]
        body: Bytes,
    }
}

layout! { a_length_of_the_rest_behind_parts:
    struct Late {
        #[frame(prefix = u8)]
        name: String,
        #[frame(varint, length(of = rest, plus = 1))]
        len: Auto<u32>,
        #[frame(count = u8)]
        a: Vec<u16>,
        b: u32,
        #[frame(body)]
        body: Bytes,
    }
}

layout! { a_length_of_the_body_behind_parts:
    struct LateBody {
        #[frame(until = b"\n")]
        name: String,
        #[frame(zigzag)]
        b: i32,
        #[frame(varint, length(of = body))]
        len: Auto<u64>,
        #[frame(prefix = u8)]
        c: Bytes,
        #[frame(body)]
        body: Bytes,
    }
}

layout! { a_length_of_the_body_in_a_header_that_is_walked:
    struct Walked {
        #[frame(length(of = body), bytes = 3)]
        len: Auto<u32>,
        #[frame(prefix = u8)]
        name: String,
        #[frame(body)]
        body: Bytes,
    }
}

layout! { a_length_that_comes_after_others:
    struct Crossed {
        #[frame(length(of = b))]
        b_len: Auto<u8>,
        #[frame(length(of = c))]
        c_len: Auto<u8>,
        #[frame(prefix = u8)]
        a: String,
        #[frame(length(of = d))]
        d_len: Auto<u16>,
        c: Bytes,
        d: String,
        b: Bytes,
    }
}

#[test]
fn a_length_that_is_known_early_is_told_early() {
    assert_eq!((OfFrame::LENGTH_NEEDS, OfFrame::HEADER_SIZE), (6, 6));
    assert_eq!(OfFrame::frame_length(b"L\0\x10\0\0\0"), Ok(FrameLength::Known(20)));
    assert_eq!(Late::frame_length(b"\x01x\x08"), Ok(FrameLength::Known(10)));
    assert_eq!(Walked::frame_length(b"\0\0\x05\x09"), Ok(FrameLength::Need(13)));
}

#[test]
fn a_length_that_is_impossible_is_refused() {
    assert!(OfFrame::frame_length(b"L\0\0\0\0\0").is_err());
    assert!(OfFrame::frame_length(b"L\0\xff\xff\xff\x7f").is_err());
    assert!(OfRest::frame_length(b"\0\x02").is_err());
    assert!(HeaderAndBody::frame_length(b"\0\0\0\0").is_err());
    assert!(Late::frame_length(b"\x01x\x00").is_err());
}
