//! Frames of several layouts.

use metaproto_core::frame::Frames;
use metaproto_core::{Auto, Bytes, BytesMut, Frame, FrameLength, Side};
use proptest::prelude::*;
use proptest::test_runner::TestCaseResult;

use crate::laws::{self, Damage};
use crate::values::Sample;

layout! { the_one:
    #[frame(magic = 0x10_u8)]
    struct One {
        #[frame(length(of = rest))]
        len: Auto<u16>,
        #[frame(prefix = u8)]
        name: String,
        #[frame(body)]
        body: Bytes,
    }
}

layout! { the_other:
    #[frame(magic = 0x23_u8)]
    struct Other {
        id: u64,
        #[frame(length(of = body))]
        len: Auto<u32>,
        #[frame(body)]
        body: Bytes,
        last: u8,
    }
}

layout! { one_without_a_length:
    #[frame(magic = 0x31_u8)]
    struct Scanned {
        #[frame(count = u8, each(prefix = varint))]
        names: Vec<String>,
        #[frame(until = b"\n")]
        end: String,
    }
}

#[derive(Debug, Clone, PartialEq, Frame)]
#[frame(tag(u8, at = 0, bits = 4..=7))]
enum ByBits {
    #[frame(tag = 1)]
    One(One),
    #[frame(tag = 2)]
    Other(Other),
    #[frame(other)]
    Scanned(Scanned),
}

#[derive(Debug, Clone, PartialEq, Frame)]
#[frame(choose = magic)]
enum ByMagic {
    One(One),
    Other(Other),
    Scanned(Scanned),
}

#[derive(Debug, Clone, PartialEq, Frame)]
#[frame(choose = side)]
enum BySide {
    #[frame(from = client)]
    One(One),
    #[frame(from = server)]
    Scanned(Scanned),
}

fn hold<F: Frames + std::fmt::Debug + PartialEq>(
    frame: &F,
    side: Side,
    damage: &Damage,
) -> TestCaseResult {
    let mut out = BytesMut::from(&b"before"[..]);
    prop_assert!(frame.write(&mut out).is_ok());
    let bytes = out.freeze().slice(6..);
    prop_assert_eq!(frame.size(), bytes.len());
    let read = F::read(side, bytes.clone());
    prop_assert_eq!(read.as_ref(), Ok(frame));
    let explained = F::explain(side, &bytes);
    prop_assert_eq!(explained.error(), None, "{}", &explained);
    for arrived in 0..bytes.len() {
        match F::frame_length(side, &bytes[..arrived]) {
            Ok(FrameLength::Need(need)) => prop_assert!(need > arrived && need <= bytes.len()),
            told => prop_assert_eq!(told, Ok(FrameLength::Known(bytes.len()))),
        }
    }
    let mut damaged = bytes.to_vec();
    damaged.extend_from_slice(&damage.2);
    let behind = F::frame_length(side, &damaged);
    prop_assert_eq!(behind, Ok(FrameLength::Known(bytes.len())));
    for (place, byte) in &damage.0 {
        let at = place.index(damaged.len());
        damaged[at] = *byte;
    }
    let told = F::frame_length(side, &damaged);
    let _ = F::explain(side, &damaged).to_string();
    if let Ok(read) = F::read(side, damaged.clone().into()) {
        prop_assert_eq!(told, Ok(FrameLength::Known(damaged.len())));
        prop_assert!(read.write(&mut BytesMut::new()).is_ok());
    }
    Ok(())
}

proptest! {
    #![proptest_config(laws::config())]

    #[test]
    fn variants_are_told_apart(
        one in One::sample(),
        other in Other::sample(),
        scanned in Scanned::sample(),
        damage in laws::damage(),
    ) {
        for side in [Side::Downstream, Side::Upstream] {
            hold(&ByBits::One(one.clone()), side, &damage)?;
            hold(&ByBits::Other(other.clone()), side, &damage)?;
            hold(&ByBits::Scanned(scanned.clone()), side, &damage)?;
            hold(&ByMagic::One(one.clone()), side, &damage)?;
            hold(&ByMagic::Other(other.clone()), side, &damage)?;
            hold(&ByMagic::Scanned(scanned.clone()), side, &damage)?;
        }
        hold(&BySide::One(one), Side::Downstream, &damage)?;
        hold(&BySide::Scanned(scanned), Side::Upstream, &damage)?;
    }
}
