use metaproto_core::{Auto, Bytes, Codec, Frame};

#[derive(Frame, Codec)]
#[meta(protocol = "outcome", errors(Timeout => 2, _ => 1))]
#[meta(reply(flag = 1, urgent = 2, code = 300, len = 1, cod = 1, tail = b"x"))]
struct Outcome {
    #[frame(bits(flag = 0, urgent = 1))]
    flags: u8,
    #[meta(status(ok = 0, classes(0 => Timeout, 2 => Timeout, 3 => Lost, 4 => Denied, 4 => Denied)))]
    code: u8,
    #[meta(timeout(unit = min))]
    time: u32,
    #[meta(timeout)]
    again: u32,
    tail: [u8; 2],
    #[frame(length(of = body))]
    len: Auto<u8>,
    #[frame(body)]
    body: Bytes,
}

#[derive(Frame, Codec)]
#[frame(fixed)]
#[meta(protocol = "deadline", reply(time = 1), status(urgent, ok = 0))]
struct Deadline {
    #[frame(bits(urgent = 1))]
    flags: u8,
    #[meta(timeout(none = 70000))]
    time: u16,
}

#[derive(Frame, Codec)]
#[meta(protocol = "behind")]
struct Behind {
    #[frame(length(of = rest))]
    len: Auto<u8>,
    #[frame(prefix = u8)]
    name: String,
    #[meta(request_id)]
    id: u32,
    #[meta(timeout)]
    time: u32,
    #[frame(body)]
    body: Bytes,
}

#[derive(Frame, Codec)]
#[meta(protocol = "sealed")]
struct Sealed {
    #[meta(request_id)]
    id: u32,
    #[frame(length(of = body))]
    len: Auto<u8>,
    #[frame(body)]
    body: Bytes,
    #[frame(checksum(with = sum))]
    crc: Auto<u32>,
}

fn sum(_: &[u8]) -> u32 {
    0
}

fn main() {}
