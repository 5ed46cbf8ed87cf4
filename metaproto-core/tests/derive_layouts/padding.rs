//! Bytes that mean nothing.

use metaproto_core::{Auto, Bytes};

layout! { padding_between_fields_of_fixed_size:
    #[frame(magic = b"P")]
    struct Fixed {
        #[frame(align_before = 2)]
        a: u16,
        #[frame(pad_before = 3)]
        b: u8,
        #[frame(pad_before = 1, align_before = 8)]
        c: u64,
        #[frame(length(of = body), align_before = 4)]
        len: Auto<u16>,
        #[frame(body)]
        body: Bytes,
    }
}

layout! { padding_between_parts:
    struct Parts {
        #[frame(length(of = frame))]
        len: Auto<u32>,
        #[frame(prefix = u8)]
        a: String,
        #[frame(align_before = 8)]
        b: u32,
        #[frame(pad_before = 3)]
        c: u8,
        #[frame(pad_before = 1, align_before = 4, prefix = u8)]
        d: Bytes,
        #[frame(align_before = 4, rest)]
        e: Vec<u16>,
    }
}

layout! { padding_in_frames_that_are_walked:
    struct Walked {
        #[frame(prefix = u8)]
        a: String,
        #[frame(align_before = 4, prefix = u16)]
        b: String,
        #[frame(pad_before = 2)]
        c: u16,
    }
}

layout! { padding_inside_of_windows:
    struct Windows {
        #[frame(length(of = a..=c))]
        len: Auto<u16>,
        #[frame(length(of = header))]
        header_len: Auto<u16>,
        #[frame(length(of = body))]
        body_len: Auto<u16>,
        #[frame(prefix = u8)]
        a: String,
        #[frame(align_before = 4)]
        b: u32,
        #[frame(pad_before = 2, prefix = u8)]
        c: Bytes,
        #[frame(body)]
        body: Bytes,
    }
}

layout! { padding_inside_of_windows_told_between_parts:
    struct Between {
        #[frame(prefix = u8)]
        name: String,
        #[frame(length(of = a..=c))]
        len: Auto<u16>,
        #[frame(prefix = u8)]
        a: String,
        #[frame(pad_before = 3)]
        b: u32,
        #[frame(pad_before = 1, prefix = u8)]
        c: Bytes,
        #[frame(align_before = 4, varint, length(of = rest))]
        rest_len: Auto<u8>,
        #[frame(pad_before = 2)]
        d: u16,
        #[frame(body)]
        body: Bytes,
    }
}

wire! {
    struct Item {
        kind: u8,
        #[frame(align_before = 4)]
        value: u32,
        #[frame(prefix = u8)]
        name: String,
        #[frame(align_before = 4)]
        last: u16,
    }
}

layout! { padding_inside_of_items:
    struct Items {
        #[frame(prefix = u8)]
        name: String,
        #[frame(count = u8)]
        items: Vec<Item>,
        item: Item,
        #[frame(prefix = u16)]
        more: Vec<Item>,
    }
}
