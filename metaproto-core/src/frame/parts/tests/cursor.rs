use bytes::Bytes;

use super::super::cursor::NO_END;
use super::*;

fn fault<T: std::fmt::Debug>(result: Result<T, Stop>) -> Fault {
    result.unwrap_err().into_error().fault
}

#[test]
fn an_open_cursor_tells_what_it_needs_and_stays_where_it_is() {
    let mut cursor = Cursor::open(b"abc");
    assert_eq!(cursor.advance(2), Ok(0..2));
    assert_eq!(cursor.advance(4), Err(Stop::Need(6)));
    assert_eq!(cursor.array::<2>(), Err(Stop::Need(4)));
    assert_eq!(cursor.position(), 2);
    assert_eq!(cursor.array(), Ok(*b"c"));
    cursor.enter("tail");
    assert_eq!(cursor.rest(), Err(Stop::Bad(DecodeError::connection("tail", NO_END))));
}

#[test]
fn a_whole_frame_needs_nothing() {
    let frame = Bytes::from_static(b"abc");
    let mut cursor = Cursor::whole(&frame);
    cursor.enter("id");
    let error = Stop::Bad(DecodeError::message("id", Fault::Truncated));
    assert_eq!(cursor.array::<4>(), Err(error));
    assert_eq!(cursor.advance(u64::MAX), Err(error));
    assert_eq!(cursor.rest(), Ok(0..3));
    assert_eq!(cursor.share(1..3).as_ptr(), frame[1..].as_ptr());
    assert_eq!(cursor.share(1..9), "");
}

#[test]
fn more_than_the_largest_header_is_refused_before_it_is_waited_for() {
    let mut cursor = Cursor::open(b"abc").max(8);
    assert_eq!(cursor.advance(8), Err(Stop::Need(8)));
    assert_eq!(fault(cursor.advance(9)), Fault::LengthTooLarge(9));
    assert_eq!(fault(cursor.limit(9)), Fault::LengthTooLarge(9));
    let mut cursor = Cursor::open(b"abc");
    assert_eq!(fault(cursor.advance(u64::MAX)), Fault::LengthTooLarge(u64::MAX));
}

#[test]
fn nothing_reads_out_of_a_window() {
    let mut cursor = Cursor::open(b"abcdef");
    cursor.seek(1);
    let outer = cursor.limit(5).unwrap();
    assert_eq!(fault(cursor.advance(5)), Fault::LengthTooSmall(4));
    cursor.seek(2);
    assert_eq!(fault(cursor.limit(6)), Fault::LengthTooLarge(5));
    assert_eq!(fault(cursor.limit(1)), Fault::LengthTooSmall(1));
    let inner = cursor.limit(3).unwrap();
    assert_eq!(cursor.ahead(), b"c");
    assert_eq!(cursor.rest(), Ok(2..3));
    assert!(cursor.is_at_end());
    cursor.leave(inner).unwrap();
    assert_eq!(cursor.rest(), Ok(3..5));
    cursor.leave(outer).unwrap();
    assert_eq!(cursor.advance(1), Ok(5..6));
}

#[test]
fn a_window_waits_only_for_what_is_read_and_must_be_read_up() {
    let mut cursor = Cursor::open(b"ab");
    let window = cursor.limit(4).unwrap();
    assert_eq!(cursor.advance(1), Ok(0..1));
    assert_eq!(cursor.rest(), Err(Stop::Need(4)));
    assert_eq!(fault(cursor.leave(window)), Fault::Other("covers more than what is in it"));
}
