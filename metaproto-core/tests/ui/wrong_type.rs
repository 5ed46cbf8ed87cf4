use metaproto_core::{Auto, Frame};

const LEN: usize = 4;

#[derive(Frame)]
struct Message {
    a: String,
    b: usize,
    c: bool,
    d: Option<u8>,
    e: [u16; 2],
    f: [u8; LEN],
    g: &'static [u8],
    h: Auto,
    i: f64,
    j: Vec<u8>,
    k: (u8, u8),
}

fn main() {}
