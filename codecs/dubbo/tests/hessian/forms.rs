//! Each form of the grammar, by hand. Source: "Hessian 2.0 Serialization Protocol", section 4.

use metaproto_dubbo::hessian::{Cursor, Tables, Value};

fn value(bytes: &[u8]) -> String {
    let mut tables = Tables::default();
    let mut cursor = Cursor::new(bytes, 0, &mut tables);
    let told = match cursor.value().expect("it is a value") {
        Value::Null => "null".to_owned(),
        Value::Bool(value) => value.to_string(),
        Value::Int(number) => number.to_string(),
        Value::Double(number) => format!("{number:?}"),
        Value::Text(text) => format!("{text:?}"),
        Value::Other { compound } => if compound { "compound" } else { "other" }.to_owned(),
    };
    assert_eq!(cursor.position(), bytes.len(), "{bytes:02x?}");
    let mut cursor = Cursor::new(bytes, 0, &mut tables);
    cursor.skip().expect("it is a value");
    assert!(cursor.is_at_end());
    told
}

#[test]
fn scalars_of_all_forms() {
    for (bytes, expected) in [
        (&b"N"[..], "null"),
        (b"T", "true"),
        (b"F", "false"),
        (&[0x90], "0"),
        (&[0x80], "-16"),
        (&[0xbf], "47"),
        (&[0xc8, 0x00], "0"),
        (&[0xc0, 0x00], "-2048"),
        (&[0xc7, 0x00], "-256"),
        (&[0xcf, 0xff], "2047"),
        (&[0xd4, 0x00, 0x00], "0"),
        (&[0xd0, 0x00, 0x00], "-262144"),
        (&[0xd7, 0xff, 0xff], "262143"),
        (b"I\x00\x00\x00\x00", "0"),
        (b"I\xff\xff\xff\xff", "-1"),
        (&[0xe0], "0"),
        (&[0xd8], "-8"),
        (&[0xef], "15"),
        (&[0xf8, 0x00], "0"),
        (&[0xf0, 0x00], "-2048"),
        (&[0xff, 0xff], "2047"),
        (&[0x3c, 0x00, 0x00], "0"),
        (&[0x38, 0x00, 0x00], "-262144"),
        (&[0x3f, 0xff, 0xff], "262143"),
        (&[0x59, 0x00, 0x00, 0x01, 0x2c], "300"),
        (&[0x59, 0xff, 0xff, 0xff, 0xff], "-1"),
        (b"L\x00\x00\x00\x00\x00\x00\x01\x2c", "300"),
        (b"L\x80\x00\x00\x00\x00\x00\x00\x00", "-9223372036854775808"),
        (&[0x5b], "0.0"),
        (&[0x5c], "1.0"),
        (&[0x5d, 0x80], "-128.0"),
        (&[0x5e, 0x7f, 0xff], "32767.0"),
        (&[0x5f, 0x00, 0x00, 0x2f, 0xda], "12.25"),
        (b"D\x40\x28\x80\x00\x00\x00\x00\x00", "12.25"),
        (b"\x4a\x00\x00\x00\xd0\x4b\x92\x84\xb8", "other"),
        (b"\x4b\x00\xe3\x83\x8f", "other"),
        (b"\x51\x90", "compound"), // a reference ties in with others
    ] {
        assert_eq!(value(bytes), expected, "{bytes:02x?}");
    }
}

#[test]
fn strings_of_all_forms() {
    for (bytes, expected) in [
        (&b"\x00"[..], ""),
        (b"\x05hello", "hello"),
        (b"\x01\xc3\x83", "\u{c3}"),
        (b"\x30\x05hello", "hello"),
        (b"S\x00\x05hello", "hello"),
        (b"R\x00\x02heS\x00\x03llo", "hello"),
        (b"R\x00\x02heR\x00\x01l\x02lo", "hello"),
        (b"R\x00\x05hello\x00", "hello"),
        // A pair of surrogates of three bytes each, and the same character in four bytes.
        (b"\x02\xed\xa0\xbd\xed\xb8\x80", "\u{1f600}"),
        (b"\x02\xf0\x9f\x98\x80", "\u{1f600}"),
        (b"\x04a\xf0\x9f\x98\x80b", "a\u{1f600}b"),
        // Writers that count characters: the last one counts one.
        (b"\x01\xf0\x9f\x98\x80", "\u{1f600}"),
        // A half of a pair stands for nothing.
        (b"\x02\xed\xa0\xbdx", "\u{fffd}x"),
        // A pair in two chunks.
        (b"R\x00\x01\xed\xa0\xbd\x01\xed\xb8\x80", "\u{1f600}"),
    ] {
        assert_eq!(value(bytes), format!("{expected:?}"), "{bytes:02x?}");
    }
}

#[test]
fn binaries_lists_maps_and_objects_of_all_forms() {
    for bytes in [
        &b"\x20"[..],
        b"\x23\x01\x02\x03",
        b"\x34\x02ab",
        b"B\x00\x01a",
        b"A\x00\x01aA\x00\x01b\x21c",
        b"A\x00\x01a\x34\x01c",
    ] {
        assert_eq!(value(bytes), "other", "{bytes:02x?}");
    }
    for bytes in [
        &b"\x57Z"[..],
        b"\x57\x90\x91Z",
        b"\x55\x04[intZ",
        b"\x55\x04[int\x90Z",
        b"\x56\x04[int\x92\x90\x91",
        b"\x58\x92\x90\x91",
        b"\x72\x04[int\x90\x91",
        b"\x72\x90\x90\x91",
        b"\x78",
        b"\x7a\x90N",
        b"HZ",
        b"H\x01a\x90\x01bHZZ",
        b"M\x03MapZ",
        b"M\x90\x01a\x90Z",
        b"C\x01A\x90\x60",
        b"C\x01A\x92\x01a\x01b\x60\x90\x91",
        b"C\x01A\x91\x01aO\x90\x90",
        b"C\x01A\x91\x01aC\x01B\x90\x60\x61",
        b"\x7aC\x01A\x91\x01a\x60\x60N\x60\x91",
        b"C\x01A\x90\x57\x60\x60Z",
    ] {
        assert_eq!(value(bytes), "compound", "{bytes:02x?}");
    }
}

#[test]
fn what_is_no_value_is_refused() {
    let refused = |bytes: &[u8]| {
        let mut tables = Tables::default();
        let skipped = Cursor::new(bytes, 0, &mut tables).skip();
        let read = Cursor::new(bytes, 0, &mut tables).value().map(drop);
        assert!(skipped.is_err() && read.is_err(), "{bytes:02x?}");
        skipped.unwrap_err().to_string()
    };
    for bytes in [
        &b""[..],
        b"@",
        b"E",
        b"G",
        b"P",
        b"Z",
        b"H\x01aZ",
        b"\x60",
        b"O\x95",
        b"C\x01A\x90\x61",
        b"O\x8f",
        b"\x51x",
        b"R\x00\x01aN",
        b"A\x00\x01aN",
        b"\x05hell",
        b"\x02\xc3",
        b"\x01\x80",
        b"\x7fN",
        b"\x58\x80",
    ] {
        refused(bytes);
    }
    // A count that no bytes can bear out is refused before anything is read.
    assert!(refused(b"\x58I\x7f\xff\xff\xff\x90").contains("ends"));
    assert!(refused(b"C\x01AI\x7f\xff\xff\xff\x01a").contains("ends"));
}

#[test]
fn a_value_may_be_nested_only_so_deep() {
    let nested = |depth: usize| [vec![0x79; depth], vec![b'N']].concat();
    let mut tables = Tables::default();
    let deep = nested(Tables::DEEPEST);
    assert!(Cursor::new(&deep, 0, &mut tables).skip().is_ok());
    let deeper = nested(Tables::DEEPEST + 1);
    assert!(Cursor::new(&deeper, 0, &mut tables).skip().unwrap_err().to_string().contains("deep"));
    let deepest = nested(1_000_000);
    assert!(Cursor::new(&deepest, 0, &mut tables).skip().is_err());
}

#[test]
fn a_stream_may_define_only_so_many_classes() {
    let classes = |count: usize| [b"C\x01A\x90".repeat(count), vec![0x60]].concat();
    let mut tables = Tables::default();
    assert!(Cursor::new(&classes(Tables::MOST_CLASSES), 0, &mut tables).skip().is_ok());
    assert!(Cursor::new(&classes(Tables::MOST_CLASSES + 1), 0, &mut tables).skip().is_err());
}

#[test]
fn nothing_is_allocated_when_there_have_been_others() {
    let body = b"C\x01A\x92\x01a\x01b\x57\x60\x90H\x01a\x79NZ\x60\x05helloS\x00\x03abcZ";
    let mut tables = Tables::default();
    let mut pass = || {
        let mut cursor = Cursor::new(body, 0, &mut tables);
        cursor.skip().expect("a value");
        assert!(cursor.is_at_end());
    };
    pass();
    assert_eq!(allocation_counter::measure(pass).count_total, 0);
}

/// Every step takes a byte at least, and takes none twice, so that the cost is linear. Here it is seen
/// that hostile counts do not multiply: what announces much is refused, what announces nothing ends.
#[test]
fn lists_of_nothing_do_not_multiply() {
    // A list of as many empty lists as there are bytes, again and again.
    let mut body = Vec::new();
    for _ in 0..1000 {
        body.extend(b"\x58");
        body.extend([0xd4, 0x03, 0xe8]); // 1,000 elements
    }
    let mut tables = Tables::default();
    assert!(Cursor::new(&body, 0, &mut tables).skip().is_err());
    let flat = [&[0x58, b'I', 0, 1, 0, 0][..], &vec![0x78; 65_536]].concat();
    let mut cursor = Cursor::new(&flat, 0, &mut tables);
    assert!(cursor.skip().is_ok() && cursor.is_at_end());
}
