use metaproto_core::{Bytes, Codec, Frame, Wire};

#[derive(Frame)]
#[frame(fixed)]
struct A {
    a: u8,
}

#[derive(Frame)]
enum NothingTells {
    A(A),
}

#[derive(Frame)]
#[frame(tag(u8, at = 1))]
enum Tags {
    #[frame(tag = 1)]
    One(A),
    #[frame(tag = 1)]
    Same(A),
    None(A),
    #[frame(tag = 2)]
    Unit,
    #[frame(tag = 3)]
    Two(A, A),
}

#[derive(Frame)]
#[frame(choose = side)]
enum Sides {
    #[frame(from = client)]
    Request(A),
    #[frame(from = client)]
    Another(A),
    #[frame(from = proxy)]
    Proxy(A),
    Response(A),
}

#[derive(Frame)]
#[frame(choose = sied)]
enum Misspelled {
    A(A),
}

#[derive(Wire)]
#[frame(tag = u8)]
enum Parts {
    #[frame(tag = 300)]
    TooLarge,
    #[frame(tag = 1 | 2)]
    Several,
    #[frame(tag = 3)]
    Unbounded(Bytes),
    #[frame(other)]
    Rest(u8),
    #[frame(other)]
    MoreRest(u8),
    #[frame(tga = 4)]
    Typo,
}

#[derive(Frame, Codec)]
#[frame(tag = u8)]
#[meta(errors(_ => 1))]
enum Messages {
    #[frame(tag = 1)]
    A(A),
}

fn main() {}
