//! Structs inside of frames with all that a frame can have.

use metaproto_core::{Auto, Bytes, Section};

use crate::values::words;

wire! {
    #[frame(magic = b"W", endian = little, bit_order = msb0)]
    struct Full {
        #[frame(constant = 0x0102)]
        version: Auto<u16>,
        #[frame(bits(named = 0, level = 1..=3))]
        flags: u8,
        #[frame(bytes = 3)]
        id: i32 = -(1_i32 << 23)..1 << 23,
        #[frame(reserved)]
        unused: Auto<u16>,
        #[frame(length(of = text, plus = 1))]
        text_len: Auto<u8>,
        #[frame(count(of = items), bytes = 3)]
        n: Auto<u32>,
        #[frame(length(of = items..=block, unit = 1))]
        window: Auto<u16>,
        text: String,
        #[frame(varint, length(of = block, unit = 4))]
        block_words: Auto<u16>,
        items: Vec<[u16; 2]>,
        block: Bytes = words(),
    }
}

wire! {
    struct Outer {
        #[frame(bits(whole = 7))]
        flags: u8,
        inner: Full,
        #[frame(count = u8)]
        more: Vec<Full>,
        #[frame(when = whole)]
        last: Option<Full>,
        #[frame(prefix = u16, kv(key = u8, value = u8))]
        section: Section,
    }
    fix |outer| {
        let inner = outer.inner.clone();
        outer.last = outer.whole().then(|| outer.last.take().unwrap_or(inner));
    }
}

layout! { structs_inside_of_structs:
    struct Nested {
        id: u16,
        #[frame(length(of = window..=measured))]
        len: Auto<u32>,
        outer: Outer,
        #[frame(prefix = u8)]
        window: String,
        #[frame(rest)]
        measured: Vec<Outer>,
        last: u8,
    }
}

wire! {
    struct Filled {
        kind: u8,
        #[frame(rest)]
        rest: Bytes,
    }
}

layout! { a_struct_that_takes_all_of_its_window:
    struct Windowed {
        #[frame(length(of = filled))]
        len: Auto<u16>,
        #[frame(length(of = first))]
        first_len: Auto<u8>,
        #[frame(length(of = body))]
        body_len: Auto<u16>,
        first: Filled,
        filled: Filled,
        #[frame(body)]
        body: Bytes,
    }
}

layout! { lengths_behind_parts_of_odd_widths:
    #[frame(endian = little)]
    struct LateOdd {
        #[frame(prefix = u8)]
        name: String,
        #[frame(bytes = 3, length(of = a, plus = 7))]
        a_len: Auto<u32>,
        #[frame(count(of = b), endian = big)]
        n: Auto<u16>,
        a: String,
        b: Vec<Filling>,
        #[frame(bytes = 5, length(of = body))]
        len: Auto<u64>,
        #[frame(body)]
        body: Bytes,
        #[frame(bytes = 3)]
        tail: u32 = 0..1_u32 << 24,
    }
}

wire! {
    struct Filling {
        #[frame(until = b"|", max = 40)]
        name: String,
        #[frame(zigzag)]
        value: i64,
    }
}
