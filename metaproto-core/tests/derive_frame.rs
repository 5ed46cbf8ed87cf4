//! Layouts: what is written is read back, and what is wrong is refused with the right name.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test may panic, in its helpers too"
)]

use metaproto_core::frame::{ByteOrder, FieldInfo, Format, Plain};
use metaproto_core::{Auto, Bytes, BytesMut, DecodeError, Fault, Frame, FrameLength};
use proptest::prelude::*;

#[derive(Debug, Clone, PartialEq, Frame)]
struct Big {
    a: u8,
    b: i16,
    #[frame(at = 3, length(of = frame))]
    len: Auto<u32>,
    c: u64,
    d: [u8; 3],
    #[frame(body)]
    body: Bytes,
}

const VERSION: u8 = 3;

#[derive(Debug, Clone, PartialEq, Frame)]
#[frame(endian = little, magic = 0xdabb_u16, max_len = 1 << 10)]
struct Little {
    a: i64,
    #[frame(constant = VERSION)]
    version: Auto<u8>,
    #[frame(endian = big)]
    b: u16,
    #[frame(length(of = body))]
    len: Auto<u16>,
    #[frame(default = -2)]
    c: i32,
    #[frame(body)]
    r#body: Bytes,
}

#[derive(Debug, Clone, PartialEq, Frame)]
#[frame(fixed, magic = b"ABC")]
struct Fixed {
    r#type: i8,
    #[frame(constant = b"xy")]
    mark: Auto<[u8; 2]>,
    b: u32,
}

#[derive(Debug, Clone, PartialEq, Frame)]
struct Tiny {
    #[frame(length(of = frame))]
    len: Auto<u8>,
    #[frame(body)]
    body: Bytes,
}

#[derive(Debug, Clone, PartialEq, Frame)]
struct Wide {
    #[frame(length(of = body))]
    len: Auto<u64>,
    #[frame(body)]
    body: Bytes,
}

fn wire(frame: &impl Frame) -> Bytes {
    let mut out = BytesMut::from(&b"before"[..]);
    frame.write(&mut out).expect("it can be written");
    out.freeze().slice(6..)
}

/// The laws that hold for every frame.
fn check<F: Frame + PartialEq + std::fmt::Debug>(frame: &F) {
    let bytes = wire(frame);
    assert_eq!(bytes.len(), F::HEADER_SIZE + frame.body().len());
    for cut in 1..=bytes.len() {
        let told = F::frame_length(&bytes[..cut]).unwrap();
        match cut < F::LENGTH_NEEDS {
            true => assert_eq!(told, FrameLength::Need(F::LENGTH_NEEDS)),
            false => assert_eq!(told, FrameLength::Known(bytes.len())),
        }
        if cut < bytes.len() {
            assert_eq!(F::read(bytes.slice(..cut)).unwrap_err().fault, Fault::Truncated);
        }
    }
    assert_eq!(&F::read(bytes.clone()).unwrap(), frame);
    let overlong = [&bytes[..], b"!"].concat();
    assert!(F::read(overlong.into()).is_err());
}

fn body() -> impl Strategy<Value = Bytes> {
    proptest::collection::vec(any::<u8>(), 0..200).prop_map(Bytes::from)
}

proptest! {
    #[test]
    fn what_is_written_is_read_back(
        (a, b, c, d) in any::<(u8, i16, u64, [u8; 3])>(),
        (e, f, g, h) in any::<(i64, u16, i32, i8)>(),
        body in body(),
    ) {
        check(&Big { a, b, len: Auto::new(), c, d, body: body.clone() });
        let (version, len) = (Auto::new(), Auto::new());
        check(&Little { a: e, version, b: f, len, c: g, r#body: body.clone() });
        check(&Fixed { r#type: h, mark: Auto::new(), b: c as u32 });
        check(&Tiny { len: Auto::new(), body: body.clone() });
        check(&Wide { len: Auto::new(), body });
    }

    #[test]
    fn arbitrary_bytes_are_a_frame_or_an_error_but_never_less_than_a_header(bytes: Vec<u8>) {
        fn check<F: Frame>(bytes: &[u8]) {
            match F::frame_length(bytes) {
                Ok(FrameLength::Known(n)) => {
                    assert!(n >= F::HEADER_SIZE && n as u64 <= F::MAX_LENGTH);
                }
                Ok(FrameLength::Need(n)) => assert!(n > bytes.len()),
                Err(_) => {}
            }
            let _ = F::read(Bytes::copy_from_slice(bytes));
        }
        check::<Big>(&bytes);
        check::<Little>(&bytes);
        check::<Fixed>(&bytes);
        check::<Tiny>(&bytes);
        check::<Wide>(&bytes);
    }
}

#[test]
fn fields_stand_in_order_and_in_their_byte_order() {
    let (version, len) = (Auto::new(), Auto::new());
    let body = Bytes::from_static(b"hi");
    let frame = Little { a: -2, version, b: 0x0102, len, c: 0x03040506, body };
    let expected =
        b"\xbb\xda\xfe\xff\xff\xff\xff\xff\xff\xff\x03\x01\x02\x02\x00\x06\x05\x04\x03hi";
    assert_eq!(wire(&frame), expected[..]);
    assert_eq!(Little::HEADER_SIZE, 19);
    assert_eq!((Little::OFFSET_A, Little::OFFSET_LEN, Little::OFFSET_C), (2, 13, 15));
    assert_eq!(Fixed::OFFSET_TYPE, 3);
    let format = Format::Unsigned(ByteOrder::Big);
    assert_eq!(Little::FIELDS[3], FieldInfo { name: "b", offset: 11, width: 2, format, bits: &[] });
    assert_eq!(Little::TEMPLATE[10..19], [3, 0, 0, 0, 0, 0xfe, 0xff, 0xff, 0xff]);
}

#[test]
fn a_wrong_constant_is_found_with_its_first_wrong_byte() {
    let bad = |field, value| Err(DecodeError::connection(field, Fault::BadMagic(value)));
    assert_eq!(Little::frame_length(b"\xda"), bad("magic", 0xda));
    assert_eq!(Little::frame_length(b"\xbb\xdb"), bad("magic", 0xbbdb));
    assert_eq!(Little::frame_length(b"\xbb\xda\0\0\0\0\0\0\0\0\x04"), bad("version", 4));
    assert_eq!(Little::frame_length(b"\xbb"), Ok(FrameLength::Need(15)));
    let mut whole = wire(&Fixed { r#type: 1, mark: Auto::new(), b: 2 }).to_vec();
    whole[5] = b'z';
    assert_eq!(Fixed::frame_length(&whole), bad("mark", 0x787a));
}

#[test]
fn an_impossible_length_is_refused() {
    let refused = |fault| Err(DecodeError::connection("len", fault));
    assert_eq!(Tiny::frame_length(&[0]), refused(Fault::LengthTooSmall(0)));
    assert_eq!(Tiny::frame_length(&[1]), Ok(FrameLength::Known(1)));
    assert_eq!(Tiny::frame_length(&[255]), Ok(FrameLength::Known(255)));
    assert_eq!(Wide::frame_length(&[0xff; 8]), Ok(FrameLength::Known(usize::MAX)));
    assert_eq!(Wide::frame_length(&[0, 0, 0, 0, 0, 0, 1, 0]), Ok(FrameLength::Known(264)));
    let mut header = Little::TEMPLATE;
    header[13..15].copy_from_slice(&1005_u16.to_le_bytes());
    assert_eq!(Little::frame_length(&header), Ok(FrameLength::Known(1024)));
    header[13..15].copy_from_slice(&1006_u16.to_le_bytes());
    assert_eq!(
        Little::frame_length(&header),
        Err(DecodeError::connection("len", Fault::LengthTooLarge(1006)))
    );
}

#[test]
fn a_body_that_the_length_cannot_tell_is_not_written() {
    let mut out = BytesMut::from(&b"before"[..]);
    let fits = Tiny { len: Auto::new(), body: vec![0; 254].into() };
    let too_long = Tiny { len: Auto::new(), body: vec![0; 255].into() };
    let error = too_long.write(&mut out).unwrap_err();
    assert_eq!(error.to_string(), "len: a frame of 256 bytes is longer than 255");
    assert_eq!(&out[..], b"before");
    fits.write(&mut out).unwrap();
    let (version, len, body) = (Auto::new(), Auto::new(), vec![0; 1006].into());
    assert!(Little { a: 0, version, b: 0, len, c: 0, body }.to_header().is_err());
}

#[test]
fn reading_shares_the_body() {
    let body = Bytes::from_static(b"body");
    let bytes = wire(&Big { a: 1, b: 2, len: Auto::new(), c: 3, d: *b"abc", body });
    let frame = Big::read(bytes.clone()).unwrap();
    assert_eq!(frame.body.as_ptr(), bytes[Big::HEADER_SIZE..].as_ptr());
}

#[test]
fn what_is_automatic_takes_no_room() {
    assert_eq!(size_of::<Auto<u64>>(), 0);
    assert_eq!(format!("{:?}", Auto::<u64>::new()), "Auto");
    assert_eq!(Auto::<u8>::default(), Auto::new());
}
