use metaproto_core::Codec;

#[derive(Codec)]
#[frame(fixed)]
#[meta(protocol = "no-frame")]
struct NoFrame {
    id: u32,
}

fn main() {}
