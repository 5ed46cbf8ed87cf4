use metaproto_core::{Auto, Bytes, Frame};

#[derive(Frame)]
struct NotMarked {
    #[frame(length(of = frame))]
    len: Auto<u32>,
    body: Bytes,
}

#[derive(Frame)]
struct NotBytes {
    #[frame(length(of = frame))]
    len: Auto<u32>,
    #[frame(body, endian = little)]
    body: [u8; 8],
}

fn main() {}
