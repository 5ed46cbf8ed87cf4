use metaproto_core::{Auto, Bytes, BytesMut, Codec, Frame};

#[derive(Frame, Codec)]
#[frame(endian = litle)]
#[meta(protocol = "several", errors(RouteNotFuond => -1, _ => 0))]
pub struct Several {
    #[frame(at = 1)]
    version: i8,
    #[meta(request_id)]
    id: i32,
    #[frame(length(of = fram))]
    len: Auto<u32>,
    name: String,
    #[meta(status(ok = 0))]
    status: i16,
    #[frame(body)]
    body: Bytes,
    crc: usize,
}

// Those who use the struct have made no mistake, and hear of none.
fn main() {
    let several = Several::read(Bytes::new()).unwrap();
    several.write(&mut BytesMut::new()).unwrap();
    let _ = (Several::OFFSET_ID, Several::protocol(), several.name);
}
