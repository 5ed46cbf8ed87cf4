use metaproto_core::{Auto, Codec, Frame};

#[derive(Frame, Codec)]
#[frame(fixed)]
#[meta(protocol = "signed")]
struct Signed {
    #[meta(request_id)]
    id: i32,
}

#[derive(Frame, Codec)]
#[frame(fixed)]
#[meta(protocol = "bytes")]
struct BytesId {
    #[meta(request_id)]
    id: [u8; 16],
}

#[derive(Frame, Codec)]
#[frame(fixed)]
#[meta(protocol = "auto")]
struct AutoId {
    #[frame(constant = 1)]
    #[meta(request_id)]
    id: Auto<u32>,
}

#[derive(Frame, Codec)]
#[frame(fixed)]
#[meta(protocol = "two")]
struct Two {
    #[meta(request_id)]
    id: u32,
    #[meta(request_id)]
    other: u32,
}

fn main() {}
