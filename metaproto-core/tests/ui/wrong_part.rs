use metaproto_core::{Auto, Bytes, Frame, Section, Wire};

#[derive(Frame)]
struct NothingTells {
    text: String,
    list: Vec<u32>,
    #[frame(kv(key = u16, value = u16))]
    headers: Section,
    #[frame(prefix = u16)]
    no_format: Section,
}

#[derive(Frame)]
struct Optional {
    flags: u8,
    #[frame(prefix = u8)]
    name: String,
    when: Option<u32>,
    #[frame(when = flags & 1 != 0)]
    not_an_option: u32,
    #[frame(when = name == "x")]
    of_text: Option<u32>,
    #[frame(when = later)]
    of_later: Option<u32>,
    #[frame(prefix = u8)]
    nullable_number: Option<u32>,
    later: u8,
}

#[derive(Frame)]
struct Numbers {
    #[frame(varint)]
    wide: u128,
    #[frame(zigzag)]
    unsigned: u32,
    #[frame(varint)]
    float: f32,
    #[frame(bytes = 5)]
    narrow: u32,
    #[frame(at = 4)]
    at: u8,
    #[frame(bits(a = 0))]
    late_bits: u8,
    #[frame(constant = 1)]
    late_constant: Auto<u8>,
}

#[derive(Frame)]
struct Rest {
    #[frame(length(of = frame))]
    len: Auto<u32>,
    #[frame(rest)]
    first: Bytes,
    #[frame(rest)]
    second: Bytes,
}

#[derive(Frame)]
struct RestOfWhat {
    #[frame(prefix = u8)]
    name: String,
    #[frame(rest)]
    rest: Bytes,
}

#[derive(Frame)]
struct Forms {
    #[frame(prefix = u12)]
    a: String,
    #[frame(prefix(u16, units = 4))]
    b: String,
    #[frame(count = u8)]
    c: Bytes,
    #[frame(until = "x")]
    d: String,
    #[frame(kv(key = u8, length = u8), rest)]
    e: Section,
    #[frame(prefix = u8)]
    fixed: u32,
}

struct Foreign;

#[derive(Frame)]
struct ForeignType {
    a: u8,
    b: Foreign,
    #[frame(bytes = 2)]
    c: Two,
}

#[derive(Wire)]
struct Two {
    a: u32,
}

#[derive(Wire)]
struct CantBeNothing {
    #[frame(prefix = u16)]
    a: Option<String>,
    #[frame(prefix = varint)]
    b: Option<Bytes>,
    #[frame(prefix(varint, plus = 1))]
    c: Option<Bytes>,
}

fn main() {}
