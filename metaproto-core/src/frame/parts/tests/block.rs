use bytes::{Bytes, BytesMut};
use proptest::prelude::*;

use super::*;
use crate::DecodeError;

const U16: IntForm = unsigned(2, ByteOrder::Big);
const CLASSIC: Prefix = Prefix::new(signed(2, ByteOrder::Big));
const COMPACT: Prefix = plus(IntForm::Varint, 1);
const NUMBER: Number<u32> = Number::new(IntForm::Varint);

fn read<B: Blob>(extent: Extent, bytes: &[u8]) -> Result<B, Fault> {
    let read = Block::new(extent).read(&mut Cursor::over(bytes));
    read.map_err(|stop| stop.into_error().fault)
}

proptest! {
    #[test]
    fn blocks_come_back(bytes: Vec<u8>, text: String, more in 0..300_i64) {
        for prefix in [plus(U16, more), plus(IntForm::Varint, more), plus(IntForm::ZigZag, -more)] {
            laws::hold(&Block::new(Extent::Prefix(prefix)), &bytes)?;
            let part = Block::<String>::new(Extent::Prefix(prefix));
            let wire = laws::hold(&part, &text)?;
            let content = wire.len().checked_sub(text.len()).unwrap()..wire.len();
            prop_assert_eq!(part.property(&wire, 0..wire.len()), Content::Text(content));
            prop_assert_eq!(part.parse(&text).unwrap(), text.clone());
        }
        laws::hold(&Block::new(Extent::Given(bytes.len() as u64)), &bytes)?;
        laws::hold(&Block::new(Extent::Rest), &Bytes::from(bytes))?;
    }

    #[test]
    fn any_bytes_are_a_block_or_an_error(bytes: Vec<u8>, unit in 0..3_u64, plus in -8..9_i64) {
        for form in [U8, IntForm::Varint, IntForm::ZigZag] {
            let extent = Extent::Prefix(Prefix { form, unit, plus });
            laws::survive(&Block::<String>::new(extent), &bytes, 2)?;
            laws::survive(&Block::<Vec<u8>>::new(extent), &bytes, 2)?;
        }
        laws::survive(&Block::<Bytes>::new(Extent::Given(5)), &bytes, 2)?;
    }

    #[test]
    fn null_and_empty_and_all_else_come_back(text: Option<String>) {
        for prefix in [CLASSIC, COMPACT, Prefix::new(IntForm::ZigZag)] {
            let part = Nullable::new(prefix);
            let wire = laws::hold(&part, &text)?;
            let content = text.as_ref().map_or(Content::Absent, |text| {
                Content::Text(wire.len().checked_sub(text.len()).unwrap()..wire.len())
            });
            prop_assert_eq!(part.property(&wire, 0..wire.len()), content);
            let bytes = text.clone().map(Bytes::from);
            prop_assert_eq!(laws::hold(&Nullable::new(prefix), &bytes)?, wire);
        }
    }

    #[test]
    fn any_bytes_are_something_or_nothing_or_an_error(bytes: Vec<u8>, present: bool) {
        laws::survive(&Nullable::<String>::new(CLASSIC), &bytes, 2)?;
        laws::survive(&Nullable::<Vec<u8>>::new(COMPACT), &bytes, 2)?;
        laws::survive(&Optional::new(present, NUMBER), &bytes, 1)?;
    }

    #[test]
    fn what_other_fields_tell_comes_back(number: Option<u32>) {
        let part = Optional::new(number.is_some(), NUMBER);
        let wire = laws::hold(&part, &number)?;
        let content = number.map_or(Content::Absent, |number| Content::Int(number.into()));
        prop_assert_eq!(part.property(&wire, 0..wire.len()), content);
    }
}

#[test]
fn a_length_counts_units_and_may_say_more() {
    let prefix = |form, unit, plus| Extent::Prefix(Prefix { form, unit, plus });
    let part = prefix(U16, 4, 2);
    assert_eq!(read::<Vec<u8>>(part, b"\0\x03abcdef").unwrap(), b"abcd");
    assert_eq!(read::<Vec<u8>>(part, b"\0\x01abcd"), Err(Fault::LengthTooSmall(1)));
    let error = Block::new(part).write(&vec![0; 6], &mut BytesMut::new()).unwrap_err();
    assert_eq!(error.to_string(), "frame: 6 is not a multiple of 4");
    assert_eq!(read::<Vec<u8>>(extent(IntForm::ZigZag), &[3]), Err(Fault::UnknownValue(-2)));
    let huge = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1];
    let read = read::<Vec<u8>>(prefix(IntForm::Varint, u64::MAX, 0), &huge);
    assert_eq!(read, Err(Fault::LengthTooLarge(u64::MAX)));
}

#[test]
fn bytes_are_shared_with_the_frame_and_text_is_checked() {
    let frame = Bytes::from_static(b"\0\x03a\xffc");
    let block = Block::<Bytes>::new(extent(U16)).read(&mut Cursor::whole(&frame)).unwrap();
    assert_eq!(block.as_ptr(), frame[2..].as_ptr());
    assert_eq!(read::<String>(extent(U16), &frame), Err(Fault::NotUtf8));
}

#[test]
fn bad_text_is_a_matter_of_the_message_not_of_the_connection() {
    let part = Block::<String>::new(extent(U16));
    let skip = |mut cursor| part.skip(&mut cursor, &mut Progress::new());
    assert_eq!(skip(Cursor::open(b"\0\x01\xff")), Ok(()));
    let error = skip(Cursor::over(b"\0\x01\xff")).unwrap_err().into_error();
    assert_eq!(error, DecodeError::message("", Fault::NotUtf8));
}

#[test]
fn null_is_one_less_than_empty() {
    let mut out = BytesMut::new();
    Nullable::<Bytes>::new(CLASSIC).write(&None, &mut out).unwrap();
    Nullable::<Bytes>::new(COMPACT).write(&None, &mut out).unwrap();
    Nullable::new(COMPACT).write(&Some(Bytes::new()), &mut out).unwrap();
    assert_eq!(&out[..], [0xff, 0xff, 0, 1]);
    assert_eq!(fault(&Nullable::<Bytes>::new(CLASSIC), &[0xff, 0xfe]), Fault::UnknownValue(-2));
    let part = Nullable::<Bytes>::new(Prefix::new(IntForm::Varint));
    assert!(part.write(&None, &mut out).is_err());
}

#[test]
fn what_disagrees_with_other_fields_is_refused() {
    let mut out = BytesMut::new();
    let error = Optional::new(false, NUMBER).write(&Some(1), &mut out).unwrap_err();
    assert!(error.to_string().ends_with("say it is not"));
    let error = Optional::new(true, NUMBER).write(&None, &mut out).unwrap_err();
    assert_eq!(
        error.in_field("code").to_string(),
        "code: is missing, but other fields say it is there"
    );
    assert!(Optional::new(false, NUMBER).parse("1").is_err());
}
