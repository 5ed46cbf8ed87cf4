//! Numbers of varying size, bytes and text.

use metaproto_core::{Auto, Bytes, Frame};
use proptest::prelude::*;
use proptest::strategy::ValueTree;

use crate::values::{Sample, without, words};

layout! { varints:
    struct Varints {
        #[frame(varint)]
        a: u8,
        #[frame(varint)]
        b: u16,
        #[frame(varint)]
        c: u32,
        #[frame(varint)]
        d: u64,
        #[frame(zigzag)]
        e: i8,
        #[frame(zigzag)]
        f: i16,
        #[frame(zigzag)]
        g: i32,
        #[frame(zigzag)]
        h: i64,
    }
}

layout! { numbers_whose_places_vary:
    #[frame(endian = little)]
    struct Placeless {
        #[frame(varint)]
        shift: u16,
        a: u16,
        #[frame(endian = big)]
        b: i32,
        c: u128,
        d: i128,
        #[frame(bytes = 3)]
        e: u32 = 0..1_u32 << 24,
        #[frame(bytes = 5)]
        f: i64 = -(1_i64 << 39)..1 << 39,
        g: f32,
        h: f64,
        i: [u8; 3],
        j: [i16; 2],
        k: [f64; 2],
    }
}

layout! { arrays_whose_places_vary:
    struct Arrays {
        #[frame(prefix = u8)]
        shift: Bytes,
        a: [u32; 3],
        #[frame(endian = little)]
        b: [u64; 2],
        c: [f32; 2],
        d: [i8; 2],
        e: [u128; 2],
        #[frame(endian = little)]
        f: [i128; 1],
    }
}

layout! { prefixes_of_every_form:
    struct Prefixes {
        #[frame(prefix = u8)]
        a: Bytes,
        #[frame(prefix = u16, endian = little)]
        b: Bytes,
        #[frame(prefix = u24)]
        c: String,
        #[frame(prefix = u32)]
        d: String,
        #[frame(prefix = u64)]
        e: Bytes,
        #[frame(prefix = varint)]
        f: String,
        #[frame(prefix = i16)]
        g: Bytes,
        #[frame(prefix = zigzag)]
        h: Bytes,
        #[frame(prefix = u48)]
        i: Bytes,
    }
}

layout! { prefixes_that_count_words_or_more:
    struct Units {
        #[frame(prefix(u8, unit = 4))]
        a: Bytes = words(),
        #[frame(prefix(u16, plus = 2), endian = little)]
        b: Bytes,
        #[frame(prefix(varint, unit = 4, plus = 1))]
        c: Bytes = words(),
        #[frame(prefix(i32, plus = -3))]
        d: Bytes = any::<[u8; 5]>().prop_map(|bytes| Bytes::copy_from_slice(&bytes)),
        #[frame(prefix(u8, plus = 1))]
        e: String,
    }
}

layout! { blocks_that_may_be_missing:
    struct Nullables {
        #[frame(prefix = i8)]
        a: Option<Bytes>,
        #[frame(prefix = i16)]
        b: Option<String>,
        #[frame(prefix = i32, endian = little)]
        c: Option<Bytes>,
        #[frame(prefix(varint, plus = 1))]
        d: Option<String>,
        #[frame(prefix(u8, plus = 1))]
        e: Option<Bytes>,
        #[frame(prefix = zigzag)]
        f: Option<Bytes>,
    }
}

layout! { blocks_up_to_a_terminator:
    #[frame(max_header = 4096)]
    struct Terminated {
        #[frame(until = b"\0")]
        a: Bytes = without(0),
        #[frame(until = b"\r\n", max = 64)]
        b: String,
        #[frame(until = b"aab")]
        c: Bytes = without(b'b'),
        #[frame(until = b"--")]
        d: Bytes = without(b'-'),
        last: u8,
    }
}

layout! { blocks_told_by_fields_elsewhere:
    struct Told {
        #[frame(length(of = b))]
        b_len: Auto<u16>,
        #[frame(length(of = a, plus = 2), endian = little)]
        a_len: Auto<u32>,
        #[frame(length(of = c, unit = 4), bytes = 3)]
        c_words: Auto<u32>,
        a: Bytes,
        b: String,
        #[frame(varint, length(of = d))]
        d_len: Auto<u64>,
        c: Bytes = words(),
        #[frame(length(of = body))]
        len: Auto<u16>,
        d: Bytes,
        #[frame(body)]
        body: Bytes,
    }
}

layout! { the_rest_is_a_block:
    struct Rest {
        #[frame(length(of = rest))]
        len: Auto<u16>,
        #[frame(prefix = u8)]
        name: String,
        #[frame(rest)]
        rest: String,
    }
}

#[test]
fn a_varint_has_one_form_that_is_written() {
    // Longer forms of the same number are read, as most protocols do.
    let bytes = Bytes::from_static(b"\x81\0\0\0\0\0\0\0\0\0");
    let varints = Varints::read(bytes.slice(..9)).unwrap();
    assert_eq!((varints.a, varints.size()), (1, 8));
}

#[test]
fn a_sample_is_not_always_the_same() {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let sizes: std::collections::BTreeSet<_> = (0..50)
        .map(|_| Prefixes::sample().new_tree(&mut runner).unwrap().current().size())
        .collect();
    assert!(sizes.len() > 10);
}
