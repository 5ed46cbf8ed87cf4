use metaproto_core::{Auto, Bytes, Frame};

#[derive(Frame)]
struct OfNothing {
    #[frame(length(of = payload))]
    len: Auto<u32>,
    #[frame(body)]
    body: Bytes,
}

#[derive(Frame)]
struct Empty {
    #[frame(length)]
    len: Auto<u32>,
    #[frame(body)]
    body: Bytes,
}

#[derive(Frame)]
struct Held {
    #[frame(length(of = body))]
    len: u32,
    #[frame(body)]
    body: Bytes,
}

#[derive(Frame)]
struct Signed {
    #[frame(length(of = body))]
    len: Auto<i32>,
    #[frame(body)]
    body: Bytes,
}

#[derive(Frame)]
struct Two {
    #[frame(length(of = frame))]
    total: Auto<u32>,
    #[frame(length(of = body))]
    len: Auto<u32>,
    #[frame(body)]
    body: Bytes,
}

#[derive(Frame)]
#[frame(fixed)]
struct Fixed {
    #[frame(length(of = frame))]
    len: Auto<u32>,
}

#[derive(Frame)]
#[frame(fixed)]
struct Unknown {
    len: Auto<u32>,
}

fn main() {}
