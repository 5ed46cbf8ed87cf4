//! Lists and sections.

use metaproto_core::{Auto, Bytes, Section};

use crate::values::numbered;

wire! {
    struct Item {
        id: u16,
        #[frame(prefix = u8)]
        name: String,
        #[frame(count = varint, each(varint))]
        numbers: Vec<u32>,
    }
}

wire! {
    #[frame(endian = little)]
    struct Pair {
        a: u16,
        b: u32,
    }
}

layout! { lists_that_are_counted:
    struct Counted {
        #[frame(count(of = a))]
        n: Auto<u8>,
        #[frame(count = u16, endian = little)]
        b: Vec<u16>,
        a: Vec<u8>,
        #[frame(count = varint, each(varint))]
        c: Vec<u64>,
        #[frame(count(u8, plus = 1), each(zigzag))]
        d: Vec<i32>,
        #[frame(count = u8, each(prefix = u16))]
        e: Vec<String>,
        #[frame(count = u8, each(until = b"\n"))]
        f: Vec<String>,
        #[frame(count = u8)]
        g: Vec<Item>,
        #[frame(count = u8)]
        h: Vec<Pair>,
        #[frame(count = u8, each(bytes = 3))]
        i: Vec<u32> = proptest::collection::vec(0..1_u32 << 24, 0..4),
        #[frame(varint, count(of = k, plus = 3))]
        m: Auto<u16>,
        k: Vec<f32>,
    }
}

layout! { lists_that_are_measured:
    struct Measured {
        #[frame(length(of = a))]
        a_len: Auto<u16>,
        #[frame(prefix = u16)]
        b: Vec<u32>,
        a: Vec<Item>,
        #[frame(prefix = varint, each(prefix = varint))]
        c: Vec<Bytes>,
        #[frame(prefix(u8, unit = 6))]
        d: Vec<Pair>,
        #[frame(varint, length(of = e))]
        e_len: Auto<u32>,
        e: Vec<[u16; 2]>,
        #[frame(prefix = u24)]
        f: Vec<f64>,
    }
}

layout! { lists_of_lists:
    struct Lists {
        #[frame(length(of = rest))]
        len: Auto<u16>,
        #[frame(count = u8, each(count = u8, each(prefix = u8)))]
        a: Vec<Vec<String>>,
        #[frame(count = u8, each(prefix = u8, each(varint)))]
        b: Vec<Vec<u16>>,
        #[frame(rest, each(count = u8))]
        c: Vec<Vec<i16>>,
    }
}

layout! { lists_of_lists_without_a_length:
    struct ScannedLists {
        #[frame(count = u8, each(count = u8, each(prefix = u8)))]
        a: Vec<Vec<String>>,
        #[frame(count = u8, each(prefix = u8, each(until = b"\0")))]
        b: Vec<Vec<String>>,
        #[frame(count = varint)]
        c: Vec<Item>,
    }
}

layout! { sections_of_every_form:
    struct Sections {
        #[frame(count(of = a))]
        n: Auto<u8>,
        #[frame(count = u16, kv(key = u16, value = u16))]
        b: Section,
        #[frame(kv(key = u8, value = u32))]
        a: Section,
        #[frame(prefix = u16, kv(key = varint, value = varint))]
        c: Section,
        #[frame(count = varint, tlv(tag = u8, length = u16))]
        d: Section = numbered(),
        #[frame(prefix = u32, tlv(tag = varint, length = varint))]
        e: Section = numbered(),
        #[frame(length(of = f))]
        f_len: Auto<u16>,
        #[frame(count = u8, endian = little, tlv(tag = u32, length = u16))]
        g: Section = numbered(),
        #[frame(kv(key = u24, value = u8))]
        f: Section,
    }
}

layout! { the_rest_is_a_section:
    struct SectionRest {
        #[frame(length(of = frame))]
        len: Auto<u32>,
        #[frame(rest, tlv(tag = u16, length = u8, names(1000 => "one", 1001 => "two")))]
        section: Section = numbered(),
    }
}

layout! { the_rest_is_a_list:
    struct ListRest {
        #[frame(length(of = header))]
        header_len: Auto<u8>,
        #[frame(length(of = body))]
        body_len: Auto<u8>,
        #[frame(prefix = u8)]
        name: String,
        #[frame(rest)]
        items: Vec<Pair>,
        #[frame(body)]
        body: Bytes,
    }
}
