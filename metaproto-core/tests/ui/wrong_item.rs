use metaproto_core::{Codec, Frame};

#[derive(Frame)]
enum Enum {
    A { id: u32 },
}

#[derive(Frame)]
union Union {
    a: u32,
}

#[derive(Frame, Codec)]
#[meta(protocol = "tuple")]
struct Tuple(u32);

#[derive(Frame)]
#[frame(fixed)]
struct Generic<T> {
    id: T,
}

fn main() {}
