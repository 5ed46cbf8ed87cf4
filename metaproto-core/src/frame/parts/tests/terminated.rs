use bytes::{Bytes, BytesMut};
use proptest::prelude::*;

use super::*;

fn read(end: &'static [u8], max: usize, bytes: &[u8]) -> Result<Bytes, Fault> {
    let read = Terminated::new(end, max).read(&mut Cursor::over(bytes));
    read.map_err(|stop| stop.into_error().fault)
}

proptest! {
    #[test]
    fn what_can_be_written_comes_back(
        bytes in proptest::collection::vec(prop_oneof![Just(b'a'), Just(b'b'), any::<u8>()], 0..20),
    ) {
        for end in [&b"\0"[..], b"\r\n", b"aba", b"aa"] {
            let part = Terminated::<Vec<u8>>::new(end, 19);
            match part.write(&bytes, &mut BytesMut::new()) {
                Ok(()) => {
                    let wire = laws::hold(&part, &bytes)?;
                    let content = Content::Text(0..bytes.len());
                    prop_assert_eq!(part.property(&wire, 0..wire.len()), content);
                }
                Err(_) => {
                    let wire = [&bytes[..], end].concat();
                    let found = memchr::memmem::find(&wire, end).unwrap();
                    prop_assert!(found < bytes.len(), "could have been written");
                }
            }
        }
    }

    #[test]
    fn any_bytes_are_terminated_or_an_error(bytes: Vec<u8>, max in 0..50_usize) {
        laws::survive(&Terminated::<Vec<u8>>::new(b"\0", max), &bytes, 2)?;
        laws::survive(&Terminated::<String>::new(b"ab", max), &bytes, 2)?;
    }
}

#[test]
fn content_is_as_long_as_allowed_and_no_longer() {
    assert_eq!(read(b"\r\n", 3, b"abc\r\nd").unwrap(), "abc");
    assert_eq!(read(b"\r\n", 3, b"abcd\r\n"), Err(Fault::LengthTooLarge(4)));
    assert_eq!(read(b"\r\n", 3, b"abc\r"), Err(Fault::Truncated));
    let part = Terminated::<Bytes>::new(b"\0", 3);
    let text = |text: &'static str| {
        part.write(&Bytes::from(text), &mut BytesMut::new()).unwrap_err().to_string()
    };
    assert_eq!(text("abcd"), "frame: 4 bytes are more than 3");
    assert_eq!(text("a\0c"), "frame: holds the terminator");
}

#[test]
fn what_has_been_searched_is_not_searched_again() {
    let bytes = vec![b'x'; 1000];
    let part = Terminated::<Bytes>::new(b"\r\n", 2000);
    let mut progress = Progress::new();
    for there in 1..1000 {
        let stop = part.skip(&mut Cursor::open(&bytes[..there]), &mut progress).unwrap_err();
        assert_eq!((stop, progress.at), (Stop::Need(there + 1), there - 1));
    }
}
