//! The time that a client waits, where a header tells it.
//!
//! Both transports tell it as text, a decimal number of milliseconds. Source: in THeader,
//! `CLIENT_TIMEOUT_HEADER` of fbthrift (`THeader.h`); in TTHeader, `RPCTimeout` of Kitex
//! (`transmeta/metakey.go`). What is not in that form is left alone.

use std::ops::Range;
use std::time::Duration;

use metaproto_core::EncodeError;

use crate::header::{Key, Pair};
use crate::message::Carrier;

/// The name in THeader.
const CLIENT_TIMEOUT: &[u8] = b"client_timeout";

/// The number in TTHeader.
const RPC_TIMEOUT: u16 = 12;

/// The most digits that are read: any number of so many fits 64 bits.
const MOST_DIGITS: usize = 18;

/// Where the time stands in `frame`, if this pair of its header tells it.
fn place(frame: &[u8], pair: &Pair) -> Option<Range<usize>> {
    let is_named = match &pair.key {
        Key::Number(number) => *number == RPC_TIMEOUT,
        // The second half of the word that tells the transports apart.
        Key::Text(key) => {
            frame.get(4) == Some(&0x0f) && frame.get(key.clone()) == Some(CLIENT_TIMEOUT)
        }
    };
    let place = || Some(pair.value.clone());
    is_named.then(place)?.filter(|place| read(frame, place).is_some())
}

/// Notes where the time stands, if this pair tells it. The last one counts.
pub(crate) fn note(found: &mut Option<Range<usize>>, frame: &[u8], pair: &Pair) {
    if let Some(place) = place(frame, pair) {
        *found = Some(place);
    }
}

/// Where the time that stood at `before` of `frame` stands in `head`, the changed header of it. A route
/// that has set another one has had its reasons: that one is left alone.
pub(crate) fn moved(frame: &[u8], before: &Range<usize>, head: &[u8]) -> Option<Range<usize>> {
    let mut found = None;
    Carrier::of_message(None, head, |pair| note(&mut found, head, &pair)).ok()?;
    found.filter(|place| head.get(place.clone()) == frame.get(before.clone()))
}

/// The time that stands at `place`. Nothing is no limit.
pub(crate) fn read(frame: &[u8], place: &Range<usize>) -> Option<Duration> {
    let digits = frame.get(place.clone()).filter(|text| is_number(text))?;
    let number = std::str::from_utf8(digits).ok()?.parse().ok()?;
    (number > 0).then(|| Duration::from_millis(number))
}

fn is_number(text: &[u8]) -> bool {
    (1..=MOST_DIGITS).contains(&text.len()) && text.iter().all(u8::is_ascii_digit)
}

/// Writes another time over the digits of one: with zeros in front, so that the length stays.
pub(crate) fn write(digits: &mut [u8], remaining: Duration) -> Result<(), EncodeError> {
    if !is_number(digits) {
        return Err(EncodeError::Unsupported("deadlines that are no number"));
    }
    let width = u32::try_from(digits.len()).unwrap_or(u32::MAX);
    let most = 10_u128.saturating_pow(width).saturating_sub(1);
    let mut left = remaining.as_millis().clamp(1, most);
    for digit in digits.iter_mut().rev() {
        *digit = b'0'.saturating_add(u8::try_from(left % 10).unwrap_or_default());
        left /= 10;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_is_written_in_as_many_digits() {
        let of = |text: &str, remaining| {
            let mut digits = text.as_bytes().to_vec();
            let written = write(&mut digits, remaining);
            written.is_ok().then(|| String::from_utf8_lossy(&digits).into_owned())
        };
        assert_eq!(of("1000", Duration::from_micros(983_999)).as_deref(), Some("0983"));
        assert_eq!(of("1000", Duration::from_secs(1)).as_deref(), Some("1000"));
        // No time left is not the same as no limit, and what does not fit is as much as fits.
        assert_eq!(of("500", Duration::ZERO).as_deref(), Some("001"));
        assert_eq!(of("500", Duration::MAX).as_deref(), Some("999"));
        for text in ["", "soon", "-1", "1.5", "1000000000000000000"] {
            assert_eq!(of(text, Duration::ZERO), None, "{text}");
        }
    }
}
