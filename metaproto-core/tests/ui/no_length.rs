use metaproto_core::{Bytes, Frame};

#[derive(Frame)]
struct NoLength {
    id: u32,
    #[frame(body)]
    body: Bytes,
}

#[derive(Frame)]
struct NoEnd {
    id: u32,
}

#[derive(Frame)]
#[frame(fixed)]
struct Nothing {}

fn main() {}
