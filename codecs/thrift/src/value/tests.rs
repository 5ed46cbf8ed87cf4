//! Values are passed over and written in the other encoding as the specifications say.

use metaproto_core::BytesMut;
use proptest::prelude::*;
use proptest::sample::Index;

use super::generate::{Value, binary, compact, structs};
use super::{Kind, Progress, Scan, Transcoder};
use crate::dialect::Encoding;

fn written(value: &Value) -> [(Encoding, Vec<u8>); 2] {
    let (mut plain, mut short) = (Vec::new(), Vec::new());
    binary(value, &mut plain);
    compact(value, &mut short);
    [(Encoding::Binary, plain), (Encoding::Compact, short)]
}

fn other(encoding: Encoding) -> Encoding {
    match encoding {
        Encoding::Compact => Encoding::Binary,
        _ => Encoding::Compact,
    }
}

fn transcoded(bytes: &[u8], from: Encoding, to: Encoding) -> Vec<u8> {
    let mut out = BytesMut::from(&b"before"[..]);
    let end = Transcoder::default().transcode(bytes, from, to, &mut out);
    assert_eq!(end.map_err(|error| error.to_string()), Ok(bytes.len()));
    out[b"before".len()..].to_vec()
}

proptest! {
    // Values are large: to make one takes longer than to read it.
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn the_end_of_a_value_is_found_however_it_arrives(
        value in structs(),
        cuts in proptest::collection::vec(any::<Index>(), 0..20),
        behind in proptest::collection::vec(any::<u8>(), 0..4),
    ) {
        for (encoding, bytes) in written(&value) {
            let mut cuts: Vec<_> = cuts.iter().map(|cut| cut.index(bytes.len())).collect();
            cuts.sort_unstable();
            let mut scan = Scan::new(Kind::Struct, encoding, 0, usize::MAX);
            for cut in cuts {
                let early = scan.go_on(&bytes[..cut]);
                prop_assert!(matches!(early, Ok(Progress::Need(more)) if more > cut && more <= bytes.len()), "{early:?}");
            }
            let all = [&bytes[..], &behind].concat();
            prop_assert_eq!(scan.go_on(&all), Ok(Progress::End(bytes.len())));
        }
    }

    #[test]
    fn a_value_is_written_in_the_other_encoding_and_back(value in structs()) {
        let [(_, plain), (_, short)] = written(&value);
        prop_assert_eq!(&transcoded(&plain, Encoding::Binary, Encoding::Compact), &short);
        prop_assert_eq!(&transcoded(&plain, Encoding::OldBinary, Encoding::Compact), &short);
        prop_assert_eq!(&transcoded(&short, Encoding::Compact, Encoding::Binary), &plain);
    }

    #[test]
    fn a_value_without_its_end_is_refused(value in structs(), cut in any::<Index>()) {
        for (encoding, bytes) in written(&value) {
            let cut = &bytes[..cut.index(bytes.len())];
            let result =
                Transcoder::default().transcode(cut, encoding, other(encoding), &mut BytesMut::new());
            prop_assert!(result.is_err());
        }
    }

    #[test]
    fn wrong_bytes_do_no_harm(
        value in structs(),
        wrong in proptest::collection::vec((any::<Index>(), any::<u8>()), 1..6),
        behind in proptest::collection::vec(any::<u8>(), 0..40),
    ) {
        for (encoding, mut bytes) in written(&value) {
            bytes.extend(&behind);
            for (at, byte) in &wrong {
                let at = at.index(bytes.len());
                bytes[at] = *byte;
            }
            let end = Scan::new(Kind::Struct, encoding, 0, bytes.len()).go_on(&bytes);
            let to = other(encoding);
            let mut out = BytesMut::new();
            let done = Transcoder::default().transcode(&bytes, encoding, to, &mut out);
            // What can be written can be passed over, to the same place.
            if let Ok(done) = done {
                prop_assert_eq!(end, Ok(Progress::End(done)));
                let read = Scan::new(Kind::Struct, to, 0, out.len()).go_on(&out);
                prop_assert_eq!(read, Ok(Progress::End(out.len())));
            }
            prop_assert!(out.len() <= bytes.len() * 10 && out.capacity() <= bytes.len() * 20 + 64);
        }
    }
}

#[test]
fn bools_are_read_in_every_form_that_is_seen() {
    // list<bool> of 1, 2 and 0, and one with the element type 2.
    for head in [0x31, 0x32] {
        let bytes = [0x19, head, 1, 2, 0, 0];
        let expected = [15, 0, 1, 2, 0, 0, 0, 3, 1, 0, 0, 0];
        assert_eq!(transcoded(&bytes, Encoding::Compact, Encoding::Binary), expected);
    }
}

#[test]
fn a_number_with_more_bits_than_its_type_is_refused() {
    let mut out = BytesMut::new();
    let wide = [0x14, 0x80, 0x80, 0x04, 0]; // an i16 of 32768
    let refused =
        Transcoder::default().transcode(&wide, Encoding::Compact, Encoding::Binary, &mut out);
    assert!(refused.is_err());
}

#[test]
fn what_is_nested_too_deep_is_refused() {
    for (encoding, nested) in
        [(Encoding::Binary, &b"\x0c\x00\x01"[..]), (Encoding::Compact, b"\x1c")]
    {
        let to = other(encoding);
        for (depth, fits) in [(60, true), (64, false), (100_000, false)] {
            let bytes = [nested.repeat(depth), vec![0; depth + 1]].concat();
            let scanned = Scan::new(Kind::Struct, encoding, 0, usize::MAX).go_on(&bytes);
            let written =
                Transcoder::default().transcode(&bytes, encoding, to, &mut BytesMut::new());
            assert_eq!((scanned.is_ok(), written.is_ok()), (fits, fits), "{encoding} {depth}");
        }
    }
}
