use metaproto_core::{Auto, Frame};

#[derive(Frame)]
#[frame(fixed)]
struct Bits {
    #[frame(bits(request = 7, two_way = 6..=7, serialization = 0..=4))]
    flags: u8,
    #[frame(bits(high = 8))]
    low: u8,
    #[frame(bits(negative = 0))]
    signed: i16,
    #[frame(bits(auto = 0), constant = 1)]
    version: Auto<u8>,
    #[frame(bits(low = 0))]
    same_name: u8,
    #[frame(bits(backwards = 4..=0))]
    range: u8,
    #[frame(bits(what = "0"))]
    text: u8,
    #[frame(bit_order = msb0)]
    no_bits: u8,
    #[frame(bits(bit = 0), bit_order = msb)]
    order: u8,
}

fn main() {}
