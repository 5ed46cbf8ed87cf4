use metaproto_core::{Auto, Bytes, Frame};

#[derive(Frame)]
struct Message {
    #[frame(length(of = frame))]
    len: Auto<u32>,
    #[frame(body)]
    body: Bytes,
    #[frame(prefix = u8)]
    signature: String,
}

#[derive(Frame)]
struct BodyBeforeItsLength {
    id: u32,
    #[frame(body)]
    body: Bytes,
    #[frame(length(of = body))]
    len: Auto<u32>,
}

fn main() {}
