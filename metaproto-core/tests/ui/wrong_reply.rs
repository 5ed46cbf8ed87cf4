use metaproto_core::{Auto, Bytes, Codec, Frame, Wire};

#[derive(Wire)]
struct Inner {
    a: u8,
}

#[derive(Frame, Codec)]
#[meta(protocol = "reply", errors(_ => 1))]
struct NothingToReply {
    #[meta(status(ok = 0))]
    status: u8,
    #[frame(length(of = rest))]
    len: Auto<u16>,
    inner: Inner,
    #[frame(body)]
    body: Bytes,
}

#[derive(Frame, Codec)]
#[meta(protocol = "reply", errors(_ => 1))]
struct SomethingToReply {
    #[meta(status(ok = 0))]
    status: u8,
    #[frame(length(of = rest))]
    len: Auto<u16>,
    #[frame(default = Inner { a: 1 })]
    inner: Inner,
    #[frame(body)]
    body: Bytes,
}

fn main() {}
