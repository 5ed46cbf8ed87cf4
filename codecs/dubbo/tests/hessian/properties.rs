//! What holds of all values.

use metaproto_core::BytesMut;
use metaproto_dubbo::hessian::{Cursor, Tables, Value, write_int, write_text};
use proptest::prelude::*;

use super::generate::{Tree, Writer, texts, trees};

/// Where the value at `at` ends.
fn skipped(bytes: &[u8], at: usize) -> Option<usize> {
    let mut tables = Tables::default();
    let mut cursor = Cursor::new(bytes, at, &mut tables);
    cursor.skip().is_ok().then(|| cursor.position())
}

fn written(tree: &Tree, choices: Vec<u8>) -> Vec<u8> {
    let mut writer = Writer::new(choices);
    writer.write(tree);
    writer.out
}

fn choices() -> impl Strategy<Value = Vec<u8>> {
    proptest::collection::vec(any::<u8>(), 1..64)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn a_value_is_passed_over_to_its_end(
        tree in trees(),
        choices in choices(),
        behind in proptest::collection::vec(any::<u8>(), 0..8),
        before in 0_usize..4,
    ) {
        let value = written(&tree, choices);
        let all = [&vec![0xff; before], &value, &behind].map(|part| &part[..]).concat();
        prop_assert_eq!(skipped(&all, before), Some(before + value.len()));
        let mut tables = Tables::default();
        let mut cursor = Cursor::new(&all, before, &mut tables);
        prop_assert!(cursor.value().is_ok());
        prop_assert_eq!(cursor.position(), before + value.len());
    }

    #[test]
    fn values_in_a_row_share_their_classes(
        trees in proptest::collection::vec(trees(), 1..5),
        choices in choices(),
    ) {
        let mut writer = Writer::new(choices);
        let ends: Vec<usize> = trees.iter().map(|tree| {
            writer.write(tree);
            writer.out.len()
        }).collect();
        let mut tables = Tables::default();
        let mut cursor = Cursor::new(&writer.out, 0, &mut tables);
        for end in ends {
            prop_assert!(cursor.skip().is_ok());
            prop_assert_eq!(cursor.position(), end);
        }
        prop_assert!(cursor.is_at_end());
    }

    #[test]
    fn a_value_that_is_cut_off_is_refused(tree in trees(), choices in choices()) {
        let value = written(&tree, choices);
        for end in 0..value.len().min(300) {
            prop_assert_eq!(skipped(&value[..end], 0), None, "cut at {}", end);
        }
        prop_assert_eq!(skipped(&value[..value.len() - 1], 0), None);
    }

    #[test]
    fn any_bytes_are_passed_over_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let end = skipped(&bytes, 0);
        prop_assert!(end.is_none_or(|end| end <= bytes.len()));
    }

    #[test]
    fn a_wrong_byte_does_no_harm(
        tree in trees(),
        choices in choices(),
        at in any::<prop::sample::Index>(),
        byte in any::<u8>(),
    ) {
        let mut value = written(&tree, choices);
        let at = at.index(value.len());
        value[at] = byte;
        let mut tables = Tables::default();
        let mut cursor = Cursor::new(&value, 0, &mut tables);
        while cursor.value().is_ok() {
            prop_assert!(cursor.position() <= value.len());
        }
    }

    #[test]
    fn a_text_is_read_in_whatever_form_it_stands(text in texts(), choices in choices()) {
        let mut writer = Writer::new(choices);
        writer.text(&text);
        let mut tables = Tables::default();
        let mut cursor = Cursor::new(&writer.out, 0, &mut tables);
        let read = cursor.text().unwrap().unwrap();
        prop_assert_eq!(read.to_text(), &*text);
        prop_assert!(cursor.is_at_end());
        if let Some(place) = read.place() {
            prop_assert_eq!(&writer.out[place], text.as_bytes());
        }
    }

    #[test]
    fn what_is_written_is_read(text in any::<String>(), number in any::<i32>()) {
        let mut out = BytesMut::new();
        write_text(&text, &mut out);
        write_int(number, &mut out);
        let mut tables = Tables::default();
        let mut cursor = Cursor::new(&out, 0, &mut tables);
        prop_assert_eq!(cursor.text().unwrap().unwrap().to_text(), text);
        let Value::Int(read) = cursor.value().unwrap() else { panic!("a number") };
        prop_assert_eq!(read, i64::from(number));
        prop_assert!(cursor.is_at_end());
    }
}

#[test]
fn a_long_text_is_written_in_chunks_that_cut_no_pair() {
    for count in [32_767, 32_768, 32_769, 65_536, 100_000] {
        for text in [
            "x".repeat(count),
            "\u{1f600}".repeat(count / 2),
            format!("a{}", "\u{1f600}".repeat(count / 2)),
        ] {
            let mut out = BytesMut::new();
            write_text(&text, &mut out);
            let mut tables = Tables::default();
            let mut cursor = Cursor::new(&out, 0, &mut tables);
            assert_eq!(cursor.text().unwrap().unwrap().to_text(), text);
            assert!(cursor.is_at_end());
        }
    }
}
