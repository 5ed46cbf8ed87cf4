use metaproto_core::{Auto, Codec, Frame};

#[derive(Frame, Codec)]
#[frame(fixed)]
struct NoName {
    id: u32,
}

#[derive(Frame, Codec)]
#[frame(fixed)]
#[meta(protocol = "Awesome Rpc", sharing = shared)]
struct BadName {
    #[meta(property = "id")]
    id: u32,
    #[meta(property = "ID")]
    other: u32,
    #[frame(constant = 1)]
    #[meta(property, operation)]
    version: Auto<u8>,
}

#[derive(Frame, Codec)]
#[frame(fixed)]
#[meta(protocol = other, sharing = common, aliases)]
struct BadValues {
    id: u32,
}

fn main() {}
