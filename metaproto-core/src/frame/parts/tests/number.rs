use bytes::BytesMut;
use proptest::prelude::*;

use super::*;

fn order() -> impl Strategy<Value = ByteOrder> {
    prop_oneof![Just(ByteOrder::Big), Just(ByteOrder::Little)]
}

fn form() -> impl Strategy<Value = IntForm> {
    prop_oneof![
        (1..=16_u8, order(), any::<bool>()).prop_map(|(width, order, signed)| IntForm::Fixed {
            width,
            order,
            signed
        }),
        Just(IntForm::Varint),
        Just(IntForm::ZigZag),
    ]
}

/// Numbers of every magnitude.
fn some_i128() -> impl Strategy<Value = i128> {
    (any::<i128>(), 0..128_u32).prop_map(|(number, shift)| number >> shift)
}

fn written<T: Numeric>(form: IntForm, value: T) -> Result<Vec<u8>, String> {
    let mut out = BytesMut::new();
    let written = Number::new(form).write(&value, &mut out);
    written.map(|()| out.to_vec()).map_err(|error| error.to_string())
}

proptest! {
    #[test]
    fn a_number_comes_back_if_and_only_if_the_form_can_say_it(
        form in form(), number in some_i128(),
    ) {
        let fits = match form {
            IntForm::Fixed { width, signed: true, .. } => {
                let end = 1_i128.checked_shl(8 * u32::from(width) - 1).unwrap();
                end < 0 || (-end..end).contains(&number)
            }
            IntForm::Fixed { width, .. } => {
                let end = 1_i128.checked_shl(8 * u32::from(width)).unwrap_or(i128::MAX);
                number >= 0 && number < end || number == i128::MAX && width == 16
            }
            IntForm::Varint => u64::try_from(number).is_ok(),
            IntForm::ZigZag => i64::try_from(number).is_ok(),
        };
        let part = Number::<i128>::new(form);
        let mut out = BytesMut::new();
        prop_assert_eq!(part.write(&number, &mut out).is_ok(), fits);
        if fits {
            let wire = laws::hold(&part, &number)?;
            prop_assert_eq!(part.property(&wire, 0..wire.len()), Content::Int(number));
            prop_assert_eq!(part.parse(&number.to_string()).unwrap(), number);
        }
    }

    #[test]
    fn floats_come_back(bits: u64, order in order()) {
        let (form, half) = (unsigned(8, order), unsigned(4, order));
        let value = f64::from_bits(bits);
        if !value.is_nan() {
            laws::hold(&Number::new(form), &value)?;
        }
        let value = f32::from_bits(bits as u32);
        if !value.is_nan() {
            laws::hold(&Number::new(half), &value)?;
        }
    }

    #[test]
    fn arrays_come_back(numbers: [i32; 5], wide: [u128; 3], bytes: [u8; 16], order in order()) {
        laws::hold(&Array::new(order), &numbers)?;
        laws::hold(&Array::new(order), &wide)?;
        let wire = laws::hold(&Array::new(order), &bytes)?;
        let len = bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
        let content = Array::<u8, 16>::new(order).property(&wire, 0..16);
        prop_assert_eq!(content, Content::Text(0..len));
        laws::hold(&Array::<f32, 0>::new(order), &[])?;
    }

    #[test]
    fn any_bytes_are_an_array_or_an_error(bytes: Vec<u8>) {
        laws::survive(&Array::<u16, 4>::new(ByteOrder::Big), &bytes, 1)?;
    }

    #[test]
    fn any_bytes_are_a_number_or_an_error(form in form(), bytes: Vec<u8>) {
        laws::survive(&Number::<u16>::new(form), &bytes, 1)?;
        laws::survive(&Number::<i32>::new(form), &bytes, 1)?;
        laws::survive(&Number::<u128>::new(form), &bytes, 1)?;
    }
}

#[test]
fn numbers_stand_where_they_should() {
    let (be, le) = (ByteOrder::Big, ByteOrder::Little);
    assert_eq!(written(unsigned(3, be), 0x0001_0203_u32).unwrap(), [1, 2, 3]);
    assert_eq!(written(unsigned(3, le), 0x0001_0203_u32).unwrap(), [3, 2, 1]);
    assert_eq!(written(signed(3, be), -2_i32).unwrap(), [0xff, 0xff, 0xfe]);
    assert_eq!(written(unsigned(16, be), u128::MAX).unwrap(), [0xff; 16]);
    assert_eq!(written(unsigned(4, le), 1.0_f32).unwrap(), [0, 0, 0x80, 0x3f]);
    assert_eq!(written(IntForm::Varint, 300_u32).unwrap(), [0xac, 2]);
    assert_eq!(written(IntForm::ZigZag, -1_i8).unwrap(), [1]);
    assert_eq!(written(IntForm::ZigZag, i64::MIN).unwrap(), [[0xff; 9].as_slice(), &[1]].concat());
}

#[test]
fn what_does_not_fit_is_told() {
    let u24 = unsigned(3, ByteOrder::Big);
    let error = written(u24, 1_u32 << 24).unwrap_err();
    assert_eq!(error, "frame: 16777216 does not fit 3 bytes");
    assert_eq!(
        written(signed(1, ByteOrder::Big), 128_i32).unwrap_err(),
        "frame: 128 does not fit 1 bytes with a sign"
    );
    let error = written(IntForm::Varint, -1_i8).unwrap_err();
    assert_eq!(error, "frame: -1 does not fit a varint of 64 bits");
    let error = Number::<i8>::new(u24).parse("128").unwrap_err().in_field("len");
    assert_eq!(error.to_string(), "len: \"128\" is not a number that fits");
}

#[test]
fn the_largest_numbers_have_no_sign_that_they_should_not_have() {
    let wide = unsigned(16, ByteOrder::Big);
    laws::hold(&Number::new(wide), &u128::MAX).unwrap();
    laws::hold(&Number::new(wide), &i128::MAX).unwrap();
    assert!(written(wide, -1_i128).is_err());
    for form in [signed(16, ByteOrder::Big), unsigned(15, ByteOrder::Big), IntForm::Varint] {
        assert!(written(form, u128::MAX).is_err());
    }
    let out_of_range = Fault::Other("does not fit its type");
    assert_eq!(fault(&Number::<i128>::new(wide), &[0xff; 16]), out_of_range);
    assert_eq!(fault(&Number::<u128>::new(signed(16, ByteOrder::Big)), &[0xff; 16]), out_of_range);
    assert_eq!(fault(&Number::<u128>::new(IntForm::ZigZag), &[1]), out_of_range);
}

#[test]
fn a_varint_may_be_longer_than_needed_but_not_more_than_64_bits() {
    let read = |bytes: &[u8]| Number::<u64>::new(IntForm::Varint).read(&mut Cursor::over(bytes));
    assert_eq!(read(&[0x81, 0x80, 0]), Ok(1));
    let max = [[0xff; 9].as_slice(), &[1]].concat();
    assert_eq!(read(&max), Ok(u64::MAX));
    let over = [[0xff; 9].as_slice(), &[2]].concat();
    let error = read(&over).unwrap_err().into_error();
    assert_eq!(error.to_string(), "frame: is a varint of more than 64 bits");
    assert!(read(&[0x80; 11]).is_err());
    // It is bad as soon as ten bytes are there.
    let mut cursor = Cursor::open(&[0x80; 10]);
    assert!(matches!(IntForm::Varint.skip(&mut cursor), Err(Stop::Bad(_))));
}

#[test]
fn a_number_too_large_for_its_type_is_out_of_range() {
    let part = Number::<u8>::new(unsigned(2, ByteOrder::Big));
    let error = part.read(&mut Cursor::over(&[1, 0])).unwrap_err().into_error();
    assert_eq!(error.to_string(), "frame: does not fit its type");
    let part = Number::<u32>::new(signed(4, ByteOrder::Big));
    assert!(part.read(&mut Cursor::over(&[0xff; 4])).is_err());
}
