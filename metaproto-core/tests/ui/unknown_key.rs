use metaproto_core::{Auto, Bytes, Codec, Frame};

#[derive(Frame, Codec)]
#[frame(endain = little)]
#[frame(at = 4)]
#[meta(protocol = "p", alias("q"))]
struct Message {
    #[frame(lenght(of = frame))]
    len: Auto<u32>,
    #[frame(checksum)]
    sum: u32,
    #[frame(property = "cmd")]
    cmd: u16,
    #[meta(opertion)]
    op: u16,
    #[meta(status(okay = 0))]
    status: u16,
    #[frame(body)]
    body: Bytes,
}

fn main() {
    Message::protocol();
}
