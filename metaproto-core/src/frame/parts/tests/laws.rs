//! What must be true of every shape, with whatever value. Called by the tests of each.

use std::fmt::Debug;

use bytes::{Bytes, BytesMut};
use proptest::prelude::*;

use super::super::cursor::NO_END;
use super::{Cursor, Explanation, Part, Progress, Stop};
use crate::DecodeError;

/// What may stand around a part.
const AROUND: usize = 3;

/// Checks a value that can be written. Returns its bytes.
pub(super) fn hold<P>(part: &P, value: &P::Value) -> Result<Bytes, TestCaseError>
where
    P: Part,
    P::Value: Debug + PartialEq,
{
    let mut out = BytesMut::from(&[0xee; AROUND][..]);
    if let Err(error) = part.write(value, &mut out) {
        return Err(TestCaseError::fail(format!("{value:?} can't be written: {error}")));
    }
    let end = out.len();
    prop_assert_eq!(part.size(value), end - AROUND, "size of {:?}", value);
    prop_assert!(part.min_size() <= end - AROUND && P::MIN_SIZE <= part.min_size());
    out.extend_from_slice(&[0xdd; AROUND]);
    let frame = out.freeze();

    // Behind the part as well as up to its end, shared or not.
    for frame in [frame.clone(), frame.slice(..end)] {
        // What goes on to the end of the frame can't be followed by anything.
        let mut cursor = Cursor::whole(&frame);
        let window = cursor.limit(end as u64).map_err(fail)?;
        cursor.seek(AROUND);
        prop_assert_eq!(&part.read(&mut cursor).map_err(fail)?, value);
        prop_assert_eq!(cursor.position(), end);
        cursor.leave(window).map_err(fail)?;

        let mut cursor = Cursor::over(&frame);
        let _window = cursor.limit(end as u64).map_err(fail)?;
        cursor.seek(AROUND);
        let mut progress = Progress::new();
        part.skip(&mut cursor, &mut progress).map_err(fail)?;
        prop_assert_eq!((cursor.position(), &progress), (end, &Progress::new()));
        cursor.seek(AROUND);
        let mut notes = Explanation::new(frame.clone());
        part.explain(&mut cursor, "part".into(), &mut notes).map_err(fail)?;
        prop_assert_eq!(cursor.position(), end);
    }
    trickle(part, &frame, end, true)?;
    trickle(part, &frame, end, false)?;
    truncate(part, &frame, end)?;
    Ok(frame.slice(AROUND..end))
}

fn fail(stop: Stop) -> TestCaseError {
    TestCaseError::fail(format!("{stop:?}"))
}

/// Byte by byte, an open cursor asks for more than there is, never for more than there will be, and
/// comes to the same end.
fn trickle<P: Part>(
    part: &P,
    frame: &[u8],
    end: usize,
    windowed: bool,
) -> Result<(), TestCaseError> {
    let mut progress = Progress::new();
    for there in AROUND..=end {
        let mut cursor = Cursor::open(&frame[..there]);
        if windowed {
            let _window = cursor.limit(end as u64).map_err(fail)?;
        }
        cursor.seek(AROUND);
        let settled = progress.at;
        match part.skip(&mut cursor, &mut progress) {
            Ok(()) => {
                prop_assert_eq!(cursor.position(), end);
                prop_assert_eq!(there, end);
                prop_assert_eq!(&progress, &Progress::new());
            }
            Err(Stop::Need(need)) => {
                prop_assert!(there < need && need <= end, "{need} of {there} to {end}");
                prop_assert!(settled <= progress.at && progress.at <= there);
            }
            // What goes on to the end needs a window.
            Err(Stop::Bad(DecodeError { fault: NO_END, .. })) if !windowed => return Ok(()),
            Err(bad) => return Err(fail(bad)),
        }
    }
    Ok(())
}

/// A frame that ends inside the part is refused.
fn truncate<P: Part>(part: &P, frame: &[u8], end: usize) -> Result<(), TestCaseError> {
    for cut in AROUND..end {
        let mut cursor = Cursor::over(&frame[..cut]);
        cursor.seek(AROUND);
        let mut again = cursor.clone();
        if part.read(&mut cursor).is_ok() {
            // Only what goes on to the end, wherever that is, can be cut.
            prop_assert_eq!(cursor.position(), cut);
        }
        let skipped = part.skip(&mut again, &mut Progress::new());
        prop_assert!(!matches!(skipped, Err(Stop::Need(_))), "a whole frame needs nothing");
    }
    Ok(())
}

/// Checks what no bytes may do: panic, be read in another way than skipped, make us reserve much.
/// `factor` is how many bytes of memory a byte of the wire may take.
pub(super) fn survive<P: Part>(part: &P, bytes: &[u8], factor: u64) -> Result<(), TestCaseError> {
    let frame = Bytes::copy_from_slice(bytes);
    let mut skipped = Cursor::whole(&frame);
    let mut progress = Progress::new();
    let (mut skip, mut read) = (Ok(()), None);
    let mut cursor = skipped.clone();
    let while_skipping = allocation_counter::measure(|| {
        skip = part.skip(&mut skipped, &mut progress);
    });
    prop_assert_eq!(while_skipping.count_total, 0, "skipping allocates nothing");
    let while_reading = allocation_counter::measure(|| {
        read = Some(part.read(&mut cursor));
    });
    let most = (bytes.len() as u64).saturating_add(8).saturating_mul(factor);
    prop_assert!(while_reading.bytes_max <= most, "{} bytes reserved", while_reading.bytes_max);
    prop_assert_eq!(skip.is_ok(), read.as_ref().is_some_and(Result::is_ok));
    if skip.is_ok() {
        prop_assert_eq!(skipped.position(), cursor.position());
    }
    open_survives(part, &frame)
}

/// What is bad stays bad, and what is needed is needed, with whatever arrives.
fn open_survives<P: Part>(part: &P, frame: &[u8]) -> Result<(), TestCaseError> {
    let mut progress = Progress::new();
    for there in 0..=frame.len() {
        let mut cursor = Cursor::open(&frame[..there]).max(1 << 20);
        match part.skip(&mut cursor, &mut progress) {
            Err(Stop::Need(need)) => prop_assert!(there < need && need <= 1 << 20),
            Ok(()) | Err(Stop::Bad(_)) => break,
        }
    }
    Ok(())
}
