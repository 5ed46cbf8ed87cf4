use metaproto_core::{Codec, Frame};

#[derive(Frame, Codec)]
#[frame(fixed)]
#[meta(protocol = "many")]
struct Many {
    #[meta(kind(1 => Reqest, 1 => Response, 300 => Ping, 2 + 2 => Pong, 5 => StreamOpen))]
    kind: u8,
}

#[derive(Frame, Codec)]
#[frame(fixed)]
#[meta(protocol = "no-response", errors(_ => 1))]
struct NoResponse {
    #[meta(kind(1 => Request))]
    kind: u8,
    #[meta(status(ok = 0))]
    status: u8,
}

#[derive(Frame, Codec)]
#[frame(fixed)]
#[meta(protocol = "empty")]
struct Empty {
    #[meta(kind())]
    kind: u8,
}

fn main() {}
