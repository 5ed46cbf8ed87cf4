//! Checksums, and what follows the body.

use metaproto_core::{Auto, Bytes, BytesMut, Frame};
use proptest::prelude::*;

use crate::values::Sample;

fn sum8(bytes: &[u8]) -> u8 {
    bytes.iter().fold(1, |sum, byte| sum.wrapping_mul(3).wrapping_add(*byte))
}

fn sum16(bytes: &[u8]) -> u16 {
    bytes.iter().fold(7, |sum, byte| sum.wrapping_mul(31).wrapping_add((*byte).into()))
}

fn sum32(bytes: &[u8]) -> u32 {
    bytes.iter().fold(7, |sum, byte| sum.wrapping_mul(31).wrapping_add((*byte).into()))
}

fn sum64(bytes: &[u8]) -> u64 {
    bytes.iter().fold(7, |sum, byte| sum.wrapping_mul(31).wrapping_add((*byte).into()))
}

layout! { fields_behind_the_body:
    #[frame(endian = little)]
    struct Trailer {
        #[frame(length(of = rest))]
        len: Auto<u16>,
        id: u32,
        #[frame(body)]
        body: Bytes,
        a: u16,
        #[frame(endian = big)]
        b: i32,
        c: [u8; 3],
        #[frame(bytes = 3)]
        d: u32 = 0..1_u32 << 24,
        #[frame(reserved)]
        e: Auto<u16>,
        #[frame(constant = 0xce)]
        end: Auto<u8>,
    }
}

layout! { fields_behind_the_body_of_a_frame_that_is_walked:
    struct WalkedTrailer {
        #[frame(prefix = u8)]
        name: String,
        #[frame(length(of = body))]
        len: Auto<u16>,
        #[frame(body)]
        body: Bytes,
        last: u16,
        #[frame(checksum(with = sum8))]
        check: Auto<u8>,
    }
}

layout! { checksums_in_front_and_behind:
    #[frame(magic = b"CK")]
    struct Checksums {
        id: u32,
        #[frame(checksum(with = sum16, over = flags..=body), endian = little)]
        of_behind: Auto<u16>,
        #[frame(checksum(with = sum8))]
        of_front: Auto<u8>,
        flags: u8,
        #[frame(length(of = body))]
        len: Auto<u16>,
        #[frame(prefix = u8)]
        name: String,
        #[frame(body)]
        body: Bytes,
        #[frame(checksum(with = sum32))]
        of_all: Auto<u32>,
        #[frame(checksum(with = sum64, over = name), endian = little)]
        of_name: Auto<u64>,
    }
}

layout! { a_checksum_without_a_body:
    #[frame(fixed)]
    struct FixedChecksum {
        id: u64,
        #[frame(checksum(with = sum16, over = id))]
        check: Auto<u16>,
        last: u8,
    }
}

layout! { a_checksum_over_parts_without_a_body:
    struct PartsChecksum {
        #[frame(checksum(with = sum32, over = len..=name))]
        check: Auto<u32>,
        #[frame(length(of = rest))]
        len: Auto<u16>,
        #[frame(varint)]
        id: u64,
        #[frame(rest)]
        name: String,
    }
}

proptest! {
    #![proptest_config(crate::laws::config())]

    #[test]
    fn what_is_proved_can_not_be_changed(frame in Checksums::sample(), place: prop::sample::Index, bit in 0..8) {
        let mut out = BytesMut::new();
        frame.write(&mut out).unwrap();
        let at = place.index(out.len());
        out[at] ^= 1_u8 << bit;
        prop_assert!(Checksums::read(out.freeze()).is_err());
    }
}
