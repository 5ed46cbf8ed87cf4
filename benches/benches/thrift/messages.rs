//! The messages that are measured.

use metaproto_core::Bytes;

/// What begins a call in the binary protocol, with its multiplexed name.
fn envelope(name: &str) -> Vec<u8> {
    let mut out = b"\x80\x01\x00\x01".to_vec();
    text(name, &mut out);
    out.extend(7_u32.to_be_bytes());
    out
}

/// A text with its length.
fn text(text: &str, out: &mut Vec<u8>) {
    out.extend(u32::try_from(text.len()).expect("short").to_be_bytes());
    out.extend(text.bytes());
}

/// The head of a field: a type of the binary protocol, and a number.
fn field(code: u8, id: i16, out: &mut Vec<u8>) {
    out.push(code);
    out.extend(id.to_be_bytes());
}

/// A typical call, unframed: three arguments, one of them a struct. In a frame it has 120 bytes.
pub(crate) fn call() -> Vec<u8> {
    let mut out = envelope("OrderService:findOrders");
    field(11, 1, &mut out);
    text("anna@example.org", &mut out);
    field(8, 2, &mut out);
    out.extend(25_u32.to_be_bytes());
    field(12, 3, &mut out);
    field(10, 1, &mut out);
    out.extend(1_700_000_000_u64.to_be_bytes());
    field(2, 2, &mut out);
    out.push(1);
    field(11, 3, &mut out);
    text("newest first, then by id", &mut out);
    out.extend([0, 0]);
    out
}

/// A message behind its length.
pub(crate) fn framed(message: &[u8]) -> Bytes {
    let length = u32::try_from(message.len()).expect("short").to_be_bytes();
    [&length[..], message].concat().into()
}

/// The call with a header of four keys and values, as THeader has it.
pub(crate) fn with_header() -> Bytes {
    let mut header = vec![0, 0, 1, 4];
    for word in
        ["tenant", "blue", "trace", "4bf92f3577b34da6", "client", "web-frontend", "canary", "no"]
    {
        header.push(u8::try_from(word.len()).expect("short"));
        header.extend(word.bytes());
    }
    header.resize(header.len().next_multiple_of(4), 0);
    let words = u16::try_from(header.len() / 4).expect("short").to_be_bytes();
    framed(&[b"\x0f\xff\x00\x00\x00\x00\x00\x07", &words[..], &header, &call()].concat())
}

/// A call, unframed, whose argument is a list of orders: 64 KiB. An order has texts, numbers, a bool, a
/// list and a map.
pub(crate) fn large() -> Vec<u8> {
    let mut orders = Vec::new();
    let mut count = 0_u32;
    while orders.len() < 65_536 {
        order(count, &mut orders);
        count += 1;
    }
    let mut out = envelope("OrderService:storeOrders");
    field(15, 1, &mut out);
    out.push(12);
    out.extend(count.to_be_bytes());
    out.extend(orders);
    out.push(0);
    out
}

fn order(number: u32, out: &mut Vec<u8>) {
    field(8, 1, out);
    out.extend((100_000 + number).to_be_bytes());
    field(11, 2, out);
    text("anna@example.org", out);
    field(10, 3, out);
    out.extend((1_700_000_000_000 + u64::from(number)).to_be_bytes());
    field(4, 4, out);
    out.extend((f64::from(number) * 0.25).to_be_bytes());
    field(2, 5, out);
    out.push(u8::from(number.is_multiple_of(2)));
    field(15, 6, out);
    out.push(11);
    out.extend(3_u32.to_be_bytes());
    ["apples", "pears", "plums"].iter().for_each(|line| text(line, out));
    field(13, 7, out);
    out.extend([11, 8]);
    out.extend(2_u32.to_be_bytes());
    for (key, value) in [("weight", 350_u32), ("parts", 3)] {
        text(key, out);
        out.extend(value.to_be_bytes());
    }
    out.push(0);
}
