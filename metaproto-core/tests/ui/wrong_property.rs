use metaproto_core::{Auto, Bytes, Codec, Frame, Section};

#[derive(Frame, Codec)]
#[meta(protocol = "properties")]
#[meta(property(two_wai, name = "two-way"), property(name = "x"), property(body))]
#[meta(operation = "{servic}/{method:x}")]
struct Properties {
    #[frame(bits(two_way = 0))]
    #[meta(property(names(1 => "get", 1 => "set", 300 => "GET", 4 => "5")))]
    flags: u8,
    #[meta(property(format = "{:#x}"))]
    name: [u8; 4],
    #[meta(property(nam = "a"))]
    other: u8,
    #[meta(property(format = "{}", names(1 => "one")))]
    more: u8,
    #[frame(length(of = body))]
    #[meta(property)]
    len: Auto<u16>,
    #[frame(prefix = u8)]
    #[meta(properties)]
    service: String,
    #[frame(prefix = u8)]
    method: String,
    #[frame(kv(key = u8, value = u8), count = u8)]
    #[meta(properties(prefix = "h."))]
    headers: Section,
    #[frame(kv(key = u8, value = u8), count = u8)]
    #[meta(properties(prefix = "H."))]
    further: Section,
    #[frame(kv(key = u8, value = u8), count = u8)]
    #[meta(property)]
    single: Section,
    #[frame(body)]
    body: Bytes,
}

#[derive(Frame, Codec)]
#[frame(fixed)]
#[meta(protocol = "operation", operation = "{a")]
struct Operation {
    #[meta(operation)]
    a: u8,
}

#[derive(Frame, Codec)]
#[frame(fixed)]
#[meta(protocol = "operation", operation = "fixed")]
struct NoField {
    a: u8,
}

#[derive(Frame, Codec)]
#[frame(fixed)]
#[meta(protocol = "operation", operation = "{a}")]
struct Twice {
    #[meta(operation)]
    a: u8,
}

fn main() {}
