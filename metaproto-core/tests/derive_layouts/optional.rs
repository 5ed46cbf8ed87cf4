//! Fields that may be missing.

use metaproto_core::{Auto, Bytes, Section};

wire! {
    struct Inner {
        #[frame(bits(named = 0))]
        flags: u8,
        #[frame(when = named, prefix = u8)]
        name: Option<String>,
    }
    fix |inner| inner.name = inner.named().then(|| inner.name.take().unwrap_or_default())
}

/// What the flag says, kept or made.
fn only<T: Default>(is_there: bool, value: &mut Option<T>) {
    *value = is_there.then(|| value.take().unwrap_or_default());
}

layout! { parts_that_are_there_if_a_bit_says_so:
    struct ByBits {
        #[frame(bits(a_there = 0, b_there = 1, c_there = 2, d_there = 3, level = 4..=7))]
        flags: u8,
        #[frame(length(of = rest))]
        len: Auto<u16>,
        #[frame(when = a_there)]
        a: Option<u32>,
        #[frame(when = b_there, prefix = u8)]
        b: Option<String>,
        #[frame(when = c_there, count = u8)]
        c: Option<Vec<u16>>,
        #[frame(when = d_there && level > 3, count = u8, kv(key = u8, value = u8))]
        d: Option<Section>,
        #[frame(when = level == 1, varint)]
        e: Option<u64>,
        #[frame(when = !a_there)]
        f: Option<[u8; 4]>,
        #[frame(body)]
        body: Bytes,
    }
    fix |frame| {
        only(frame.a_there(), &mut frame.a);
        only(frame.b_there(), &mut frame.b);
        only(frame.c_there(), &mut frame.c);
        only(frame.d_there() && frame.level() > 3, &mut frame.d);
        only(frame.level() == 1, &mut frame.e);
        only(!frame.a_there(), &mut frame.f);
    }
}

fn is_odd(number: u64) -> bool {
    number & 1 == 1
}

const LIMIT: i16 = 100;

layout! { parts_that_are_there_if_a_number_says_so:
    #[frame(endian = little)]
    struct ByNumbers {
        kind: i16,
        #[frame(varint)]
        id: u64,
        #[frame(when = kind > LIMIT, until = b"\0")]
        a: Option<String>,
        #[frame(when = is_odd(id))]
        b: Option<Inner>,
        #[frame(when = kind < 0 && id > 9, zigzag)]
        c: Option<i32>,
        #[frame(when = is_odd(id), align_before = 4)]
        d: Option<f32>,
        last: u8,
    }
    fix |frame| {
        only(frame.kind > LIMIT, &mut frame.a);
        let inner = Inner { flags: 0, name: None };
        frame.b = is_odd(frame.id).then(|| frame.b.take().unwrap_or(inner));
        only(frame.kind < 0 && frame.id > 9, &mut frame.c);
        only(is_odd(frame.id), &mut frame.d);
    }
}

layout! { lengths_of_parts_that_may_be_missing:
    struct Measured {
        #[frame(bits(there = 0))]
        flags: u8,
        #[frame(length(of = a))]
        a_len: Auto<u8>,
        #[frame(count(of = b))]
        b_count: Auto<u8>,
        #[frame(length(of = c..=d))]
        window: Auto<u8>,
        #[frame(length(of = body))]
        len: Auto<u8>,
        #[frame(when = there)]
        a: Option<String>,
        #[frame(when = there)]
        b: Option<Vec<u16>>,
        #[frame(when = there)]
        c: Option<u32>,
        #[frame(prefix = u8)]
        d: Bytes,
        #[frame(body)]
        body: Bytes,
    }
    fix |frame| {
        let there = frame.there();
        only(there, &mut frame.a);
        only(there, &mut frame.b);
        only(there, &mut frame.c);
    }
}
