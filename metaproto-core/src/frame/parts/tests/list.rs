use bytes::Bytes;
use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

const WORD: Block<String> = Block::new(extent(U8));
const LINE: Terminated<Vec<u8>> = Terminated::new(b"\r\n", 1000);
const NUMBER: Number<u64> = Number::new(IntForm::Varint);
const COUNT: Extent = Extent::Prefix(plus(U8, 3));

fn every_way<P: Part + Copy>(item: P, count: usize) -> [List<P>; 6] {
    let given = Some(Extent::Given(count as u64));
    [
        List::new(item, None, None),
        List::new(item, None, Some(Extent::Rest)),
        List::new(item, Some(VARINT), None),
        List::new(item, given, None),
        List::new(item, None, Some(VARINT)),
        List::new(item, Some(VARINT), Some(COUNT)),
    ]
}

const fn counted<P: Part>(item: P) -> List<P> {
    List::new(item, Some(VARINT), None)
}

proptest! {
    #[test]
    fn lists_come_back(
        numbers in vec(any::<u64>(), 0..9),
        words in vec("[^\r]{0,9}", 0..4),
    ) {
        for list in every_way(NUMBER, numbers.len()) {
            laws::hold(&list, &numbers)?;
        }
        for list in every_way(WORD, words.len()) {
            laws::hold(&list, &words)?;
        }
        let lines: Vec<_> = words.into_iter().map(String::into_bytes).collect();
        for list in every_way(LINE, lines.len()) {
            laws::hold(&list, &lines)?;
        }
    }

    #[test]
    fn lists_of_lists_come_back(
        lists in vec(vec(vec(vec(b'a'..=b'z', 0..9), 0..4), 0..4), 0..4),
    ) {
        for inner in [counted(LINE), List::new(LINE, Some(VARINT), Some(COUNT))] {
            laws::hold(&counted(counted(inner)), &lists)?;
            laws::hold(&counted(List::new(inner, None, Some(VARINT))), &lists)?;
        }
    }

    #[test]
    fn any_bytes_are_a_list_or_an_error(bytes: Vec<u8>) {
        // A byte on the wire may be a `String` in memory, and room is made for twice as many.
        let factor = 2_u64.saturating_mul(size_of::<String>() as u64);
        for list in every_way(WORD, 3) {
            laws::survive(&list, &bytes, factor)?;
        }
        for list in every_way(NUMBER, 3) {
            laws::survive(&list, &bytes, factor)?;
        }
        laws::survive(&counted(counted(NUMBER)), &bytes, factor)?;
    }
}

#[test]
fn more_items_than_can_follow_are_refused_at_once() {
    let wide = counted(Number::<u64>::new(unsigned(8, ByteOrder::Big)));
    assert_eq!(fault(&wide, &[2; 16]), Fault::LengthTooLarge(2));
    let mut cursor = Cursor::open(&[3]).max(24);
    let stop = wide.skip(&mut cursor, &mut Progress::new()).unwrap_err();
    assert_eq!(stop.into_error().fault, Fault::LengthTooLarge(3));
    let mut cursor = Cursor::open(&[3]).max(25);
    assert_eq!(wide.skip(&mut cursor, &mut Progress::new()), Err(Stop::Need(9)));
}

#[test]
fn items_without_bytes_are_bounded_in_number() {
    let nothing = Optional::new(false, Number::<u8>::new(U8));
    let count = |count| List::new(nothing, Some(Extent::Given(count)), None);
    assert_eq!(count(65_536).read(&mut Cursor::over(&[])).unwrap().len(), 65_536);
    assert_eq!(fault(&count(65_537), &[]), Fault::LengthTooLarge(65_537));
    let too_many = Fault::Other("has items that take no bytes");
    assert_eq!(fault(&List::new(nothing, None, None), &[1]), too_many);
    // Nor do many lists of few items make many.
    let many = List::new(List::new(nothing, Some(extent(U8)), None), None, None);
    assert_eq!(fault(&many, &[255; 1000]), too_many);
    assert_eq!(many.read(&mut Cursor::over(&[255; 200])).unwrap().len(), 200);
}

#[test]
fn a_list_takes_exactly_the_bytes_that_it_says() {
    let list = List::new(WORD, Some(extent(U8)), Some(VARINT));
    let read = |bytes: &'static [u8]| list.read(&mut Cursor::whole(&Bytes::from_static(bytes)));
    assert_eq!(read(b"\x03\x01\x01ab").unwrap(), ["a"]);
    assert_eq!(fault(&list, b"\x04\x01\x01ab"), Fault::Other("covers more than what is in it"));
    assert_eq!(fault(&list, b"\x03\x01\x02ab"), Fault::LengthTooSmall(3));
    assert_eq!(fault(&list, b"\x04\x01\x02a"), Fault::Truncated);
}

#[test]
fn what_is_settled_of_a_list_is_not_looked_at_again() {
    let list = counted(counted(WORD));
    let bytes = b"\x02\x01\x01a\x02\x01b\x02cd";
    let mut progress = Progress::new();
    let mut settled = Vec::new();
    for there in 1..bytes.len() {
        list.skip(&mut Cursor::open(&bytes[..there]), &mut progress).unwrap_err();
        settled.push(progress.at);
    }
    assert_eq!(settled, [1, 2, 2, 4, 5, 5, 7, 7, 7]);
    assert_eq!((progress.left, &progress.stack[..]), (Some(1), &[1][..]));
}
