use metaproto_core::{Auto, Bytes, Frame};

#[derive(Frame)]
#[frame(magic = 0xdabb_u16)]
struct Message {
    #[frame(at = 2)]
    id: u32,
    #[frame(at = 4)]
    status: u16,
    #[frame(at = 8, length(of = frame))]
    len: Auto<u32>,
    #[frame(at = 16, body)]
    body: Bytes,
}

fn main() {}
