use metaproto_core::{Codec, Frame};

#[derive(Frame, Codec)]
#[frame(fixed)]
#[meta(protocol = "no-ok")]
struct NoOk {
    #[meta(status)]
    status: i16,
}

#[derive(Frame, Codec)]
#[frame(fixed)]
#[meta(protocol = "large-ok")]
struct LargeOk {
    #[meta(status(ok = 256))]
    status: u8,
}

#[derive(Frame, Codec)]
#[frame(fixed)]
#[meta(protocol = "wide")]
struct Wide {
    #[meta(status(ok = 0))]
    status: u64,
}

fn main() {}
