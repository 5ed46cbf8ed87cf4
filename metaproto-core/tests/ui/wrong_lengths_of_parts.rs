use metaproto_core::{Auto, Bytes, Frame, Wire};

#[derive(Frame)]
struct Targets {
    #[frame(length(of = naem))]
    a: Auto<u8>,
    #[frame(length(of = fixed))]
    b: Auto<u8>,
    #[frame(count(of = name))]
    c: Auto<u8>,
    #[frame(count(of = itmes))]
    d: Auto<u8>,
    #[frame(length(of = items..=name))]
    e: Auto<u8>,
    #[frame(length(of = name, unit = 0))]
    f: Auto<u8>,
    #[frame(length(of = name, minus = 4))]
    g: Auto<u8>,
    fixed: u32,
    name: String,
    items: Vec<u32>,
}

#[derive(Frame)]
struct TwiceAndLate {
    #[frame(length(of = name))]
    a: Auto<u8>,
    #[frame(length(of = name))]
    b: Auto<u8>,
    name: String,
    #[frame(length(of = text))]
    late: Auto<u8>,
    #[frame(length(of = text))]
    text: String,
    #[frame(varint, length(of = frame))]
    total: Auto<u32>,
}

#[derive(Frame)]
#[frame(fixed)]
struct Checksums {
    #[frame(checksum(with = sum, over = a..=crc))]
    crc: Auto<u32>,
    #[frame(checksum(over = a))]
    nothing_named: Auto<u32>,
    #[frame(checksum(with = sum, over = b))]
    unknown: Auto<u32>,
    #[frame(checksum(with = sum))]
    held: u32,
    a: u32,
}

fn sum(_: &[u8]) -> u32 {
    0
}

#[derive(Wire)]
#[frame(max_len = 4)]
struct NotAFrame {
    #[frame(length(of = frame))]
    len: Auto<u32>,
    #[frame(body)]
    body: Bytes,
}

#[derive(Wire)]
struct AlignedBehind {
    #[frame(prefix = u8)]
    name: String,
    #[frame(length(of = a..=b))]
    len: Auto<u16>,
    a: u8,
    #[frame(align_before = 4)]
    b: u32,
}

fn main() {}
