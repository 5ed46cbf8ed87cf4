use metaproto_core::{Auto, Bytes, Frame};

#[derive(Frame)]
struct Message {
    #[frame(length(of = frame))]
    len: Auto<u32>,
    #[frame(body)]
    body: Bytes,
    #[frame(body)]
    trailer: Bytes,
}

fn main() {}
