//! What is overwritten in place.

use std::time::Duration;

use metaproto_core::{Codec, Correlation, Frame, Side};

use crate::frames::{Rich, Sealed, codec, rich, sealed, wire};

fn sealed_codec() -> Box<dyn Codec> {
    codec(&*Sealed::protocol(), Side::Downstream)
}

#[test]
fn a_checksum_in_the_header_follows_the_id() {
    let mut bytes = wire(&sealed()).to_vec();
    sealed_codec().patch_request_id(&mut bytes[..Sealed::HEADER_SIZE], 99).unwrap();
    assert_eq!(Sealed::read(bytes.into()).unwrap(), Sealed { id: 99, ..sealed() });
}

#[test]
fn an_id_that_a_checksum_covers_with_more_than_the_header_stays_as_it_is() {
    let codec = codec(&*Rich::protocol(), Side::Downstream);
    let before = wire(&rich());
    let mut bytes = before.to_vec();
    codec.patch_request_id(&mut bytes, 0x0a0b0c).unwrap();
    assert!(codec.patch_request_id(&mut bytes, 1).is_err());
    assert_eq!(bytes, before);
    assert_eq!(Rich::protocol().capabilities().correlation, Correlation::Order);
}

#[test]
fn an_id_of_24_bits_has_24_bits() {
    #[derive(Debug, PartialEq, Frame, Codec)]
    #[frame(fixed, endian = little)]
    #[meta(protocol = "narrow")]
    struct Narrow {
        #[frame(bytes = 3)]
        #[meta(request_id)]
        id: u32,
        x: u8,
    }
    let protocol = Narrow::protocol();
    assert_eq!(protocol.capabilities().correlation, Correlation::Id { bits: 24 });
    let codec = codec(&*protocol, Side::Downstream);
    let mut bytes = wire(&Narrow { id: 1, x: 2 }).to_vec();
    codec.patch_request_id(&mut bytes, 0xff_fffe).unwrap();
    assert_eq!(bytes, [0xfe, 0xff, 0xff, 2]);
    let error = codec.patch_request_id(&mut bytes, 0x100_0000).unwrap_err();
    assert_eq!(error.to_string(), "id: the id is wider than 24 bits");
    assert_eq!(bytes, [0xfe, 0xff, 0xff, 2]);
}

#[test]
fn the_deadline_is_written_as_near_as_the_field_can_tell_it() {
    let left = |remaining| {
        let mut bytes = wire(&sealed()).to_vec();
        sealed_codec().set_deadline(&mut bytes, remaining).unwrap();
        Sealed::read(bytes.into()).unwrap().timeout
    };
    assert_eq!(left(Duration::from_millis(1234)), 1234);
    assert_eq!(left(Duration::from_micros(7999)), 7);
    // No time left is not the same as no deadline.
    assert_eq!(left(Duration::ZERO), 1);
    // The largest value means that there is none.
    assert_eq!(left(Duration::MAX), u16::MAX - 1);
}

#[test]
fn a_deadline_that_a_checksum_covers_with_more_than_the_header_can_not_be_written() {
    let codec = codec(&*Rich::protocol(), Side::Downstream);
    let before = wire(&rich());
    let mut bytes = before.to_vec();
    assert!(codec.set_deadline(&mut bytes, Duration::from_secs(1)).is_err());
    assert_eq!(bytes, before);
}
