//! Fields that have their places at compile time.

use metaproto_core::frame::parts::{Cursor, Progress, Stop};
use metaproto_core::{Auto, Bytes, BytesMut, EncodeError, Frame};
use proptest::prelude::*;

layout! { integers_of_every_width:
    #[frame(magic = 0xfe_u8)]
    struct Integers {
        a: u8,
        b: u16,
        c: u32,
        d: u64,
        e: u128,
        f: i8,
        #[frame(endian = little)]
        g: i16,
        h: i32,
        i: i64,
        j: i128,
        #[frame(length(of = body))]
        len: Auto<u8>,
        #[frame(body)]
        body: Bytes,
    }
}

layout! { integers_in_little_endian:
    #[frame(endian = little, magic = 0xabcd_u16, fixed)]
    struct Little {
        a: u8,
        b: u16,
        c: u32,
        d: u64,
        e: u128,
        f: i8,
        g: i16,
        #[frame(endian = big)]
        h: i32,
        i: i64,
        j: i128,
    }
}

layout! { integers_of_odd_widths:
    #[frame(fixed)]
    struct Odd {
        #[frame(bytes = 3)]
        a: u32 = 0..1_u32 << 24,
        #[frame(bytes = 5)]
        b: u64 = 0..1_u64 << 40,
        #[frame(bytes = 6)]
        c: u64 = 0..1_u64 << 48,
        #[frame(bytes = 7)]
        d: u64 = 0..1_u64 << 56,
        #[frame(bytes = 1)]
        e: u64 = 0..256_u64,
        #[frame(bytes = 11)]
        f: u128 = 0..1_u128 << 88,
        #[frame(bytes = 3)]
        g: i32 = -(1_i32 << 23)..1 << 23,
        #[frame(bytes = 5)]
        h: i64 = -(1_i64 << 39)..1 << 39,
        #[frame(bytes = 7)]
        i: i64 = -(1_i64 << 55)..1 << 55,
        #[frame(bytes = 4)]
        j: u32,
    }
}

layout! { integers_of_odd_widths_in_little_endian:
    #[frame(endian = little)]
    struct OddLittle {
        #[frame(bytes = 3)]
        a: u32 = 0..1_u32 << 24,
        #[frame(bytes = 3)]
        b: i32 = -(1_i32 << 23)..1 << 23,
        #[frame(bytes = 6, endian = big)]
        c: i64 = -(1_i64 << 47)..1 << 47,
        #[frame(bytes = 6)]
        d: u64 = 0..1_u64 << 48,
        #[frame(bytes = 9)]
        e: i128 = -(1_i128 << 71)..1 << 71,
        #[frame(length(of = frame), bytes = 3)]
        len: Auto<u32>,
        #[frame(body)]
        body: Bytes,
    }
}

layout! { bits_in_either_order:
    #[frame(bit_order = msb0, fixed)]
    struct Bits {
        #[frame(bits(a0 = 0, a1 = 1..=3, a2 = 4..=7))]
        a: u8,
        #[frame(bits(b0 = 0, b1 = 15), bit_order = lsb0)]
        b: u16,
        #[frame(bits(c0 = 0..=23), bytes = 3)]
        c: u32 = 0..1_u32 << 24,
        #[frame(bits(d0 = 0..=63))]
        d: u64,
        #[frame(bits(e0 = 31, e1 = 8..16), endian = little)]
        e: u32,
    }
}

proptest! {
    #![proptest_config(crate::laws::config())]

    #[test]
    fn bits_are_set_without_a_change_of_others(a: u8, flag: bool, three in 0_u8..8, c in 0..1_u32 << 24, d: u64) {
        let mut bits = Bits { a, b: 0, c: 0, d: 0, e: !0 };
        bits.set_a0(flag);
        bits.set_a1(three).unwrap();
        prop_assert_eq!((bits.a0(), bits.a1(), bits.a2()), (flag, three, a & 0xf));
        prop_assert_eq!(bits.a >> 4, u8::from(flag) << 3 | three);
        prop_assert!(bits.set_a1(8).is_err());
        bits.set_b1(flag);
        prop_assert_eq!(bits.b, u16::from(flag) << 15);
        bits.set_c0(c).unwrap();
        bits.set_d0(d).unwrap();
        prop_assert_eq!((bits.c, bits.d), (c, d));
        prop_assert!(bits.set_c0(c | 1 << 24).is_err());
        bits.set_e1(three.into()).unwrap();
        bits.set_e0(flag);
        prop_assert_eq!(bits.e, 0xff00_fffe | u32::from(three) << 16 | u32::from(flag));
        prop_assert_eq!(Bits::A_A1, 0x70);
    }
}

layout! { floats_and_arrays:
    #[frame(fixed)]
    struct Arrays {
        a: f32,
        #[frame(endian = little)]
        b: f64,
        c: [u8; 7],
        d: [u16; 3],
        #[frame(endian = little)]
        e: [u32; 2],
        f: [i64; 2],
        g: [f32; 2],
        #[frame(endian = little)]
        h: [f64; 1],
        i: [i8; 3],
        j: [u128; 1],
        #[frame(endian = little)]
        k: [i128; 1],
    }
}

const VERSION: u16 = 0x0102;

layout! { constants_defaults_and_what_is_reserved:
    #[frame(magic = b"CONST")]
    struct Constants {
        #[frame(constant = VERSION, endian = little)]
        version: Auto<u16>,
        #[frame(constant = b"v1")]
        name: Auto<[u8; 2]>,
        #[frame(default = 7)]
        hops: i32,
        #[frame(reserved)]
        unused: Auto<u32>,
        #[frame(constant = 0x010203, bytes = 3)]
        odd: Auto<u32>,
        #[frame(reserved)]
        more: Auto<[u8; 5]>,
        #[frame(length(of = body))]
        len: Auto<u16>,
        #[frame(constant = 9)]
        behind: Auto<u8>,
        #[frame(body)]
        body: Bytes,
    }
}

/// A number that is written in the other way around: each byte in complement.
mod inverted {
    use super::*;

    pub(crate) fn skip(cursor: &mut Cursor<'_>, _: &mut Progress) -> Result<(), Stop> {
        cursor.advance(2).map(|_| ())
    }

    pub(crate) fn read(cursor: &mut Cursor<'_>) -> Result<u16, Stop> {
        cursor.array().map(|bytes| !u16::from_be_bytes(bytes))
    }

    pub(crate) fn size(_: &u16) -> usize {
        2
    }

    pub(crate) fn write(value: &u16, out: &mut BytesMut) -> Result<(), EncodeError> {
        out.extend_from_slice(&(!value).to_be_bytes());
        Ok(())
    }
}

wire! {
    #[frame(endian = little)]
    struct Point {
        x: u16,
        #[frame(bits(far = 0, low = 4..=7))]
        y: u8,
    }
}

layout! { types_of_their_own_among_fields_of_fixed_size:
    struct Custom {
        id: u16,
        #[frame(bytes = 3)]
        point: Point,
        #[frame(with = inverted, bytes = 2)]
        inverted: u16,
        #[frame(length(of = rest))]
        len: Auto<u32>,
        last: u8,
        #[frame(with = inverted)]
        also: u16,
        points: Point,
        #[frame(body)]
        body: Bytes,
    }
}

layout! { modules_for_parts_and_items:
    struct Modules {
        #[frame(bits(there = 0))]
        flags: u8,
        #[frame(when = there, with = inverted)]
        maybe: Option<u16>,
        #[frame(count = u8, each(with = inverted))]
        many: Vec<u16>,
        #[frame(prefix = u8, each(count = u8, each(with = inverted)))]
        lists: Vec<Vec<u16>>,
    }
    fix |frame| frame.maybe = frame.there().then(|| frame.maybe.unwrap_or(1))
}

#[test]
fn a_number_wider_than_its_place_is_not_written() {
    let odd = Odd { a: 1 << 24, b: 0, c: 0, d: 0, e: 0, f: 0, g: 0, h: 0, i: 0, j: 0 };
    let mut out = BytesMut::new();
    assert!(odd.write(&mut out).is_err());
    let low = Odd { a: 0, g: -(1 << 23) - 1, ..odd.clone() };
    assert!(low.write(&mut out).is_err());
    assert!(Odd { g: -(1 << 23), ..low }.write(&mut out).is_ok());
}
