use metaproto_core::{Auto, Bytes, Frame};

#[derive(Frame)]
#[frame(fixed, magic = 0xdabb, endian = middle)]
struct Values {
    #[frame(constant = 300)]
    a: Auto<u8>,
    #[frame(constant = b"abc")]
    b: Auto<[u8; 4]>,
    #[frame(constant = 1)]
    c: u8,
    #[frame(default = -1)]
    d: u32,
    #[frame(constant = 1, default = 2)]
    e: Auto<u8>,
    #[frame(endian = little)]
    f: [u8; 4],
    #[frame(at = "2")]
    g: u8,
    #[frame(endian)]
    h: u32,
    #[frame(default = 1, default = 2)]
    i: u32,
}

#[derive(Frame)]
#[frame(max_len = 3)]
struct Max {
    #[frame(length(of = body))]
    len: Auto<u32>,
    #[frame(body)]
    body: Bytes,
}

#[derive(Frame)]
#[frame(fixed, magic = 0x1_0000_u16)]
struct Magic {
    id: u8,
}

fn main() {}
