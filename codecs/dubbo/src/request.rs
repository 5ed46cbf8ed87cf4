//! What requests say: what is called, with which arguments, and their attachments.

use std::time::Duration;

use metaproto_core::{DecodeError, IntText, MessageKind, Metadata, PropertyValue, Source};

use crate::asked::{ARGUMENT, ATTACHMENT, Asked, OWN, is_ambiguous};
use crate::body::{Entry, Text, Value, Values, wrong};
use crate::deadline::{self, LEFT, TIMEOUT};

/// Reads a request, as far as it is asked for. What has been read before an error stays of use.
///
/// Source of the order: `DubboCodec::encodeRequestData` of Apache Dubbo.
pub(crate) fn read<'a>(
    values: &mut impl Values<'a>,
    frame: &'a [u8],
    asked: &Asked,
    metadata: &mut Metadata,
) -> Result<(), DecodeError> {
    own(values, 1, asked, metadata)?;
    let path = own(values, 2, asked, metadata)?;
    own(values, 3, asked, metadata)?;
    let method = own(values, 4, asked, metadata)?;
    name_operation(path.as_ref(), method.as_ref(), frame, metadata);
    let whole = asked.attachments() || asked.timeout();
    let up_to = if whole { usize::MAX } else { asked.arguments() };
    if up_to == 0 && !asked.own(5) {
        return Ok(());
    }
    let types = own(values, 5, asked, metadata)?;
    if up_to == 0 {
        return Ok(());
    }
    let types = types.as_ref().map(|types| types.bytes(frame)).unwrap_or_default();
    arguments(values, count(types)?.min(up_to), asked, metadata)?;
    if whole {
        attachments(values, frame, asked, metadata)?;
    }
    Ok(())
}

/// Reads a text that every request has, and shows it as the property at this place of [`OWN`].
#[inline]
fn own<'a>(
    values: &mut impl Values<'a>,
    index: usize,
    asked: &Asked,
    metadata: &mut Metadata,
) -> Result<Option<Text<'a>>, DecodeError> {
    let text = values.text()?;
    if let (true, Some(text), Some(name)) = (asked.own(index), &text, OWN.get(index)) {
        metadata.push(Source::Static(name), text.source());
    }
    Ok(text)
}

/// Passes over a request up to its attachments.
pub(crate) fn pass<'a>(values: &mut impl Values<'a>, frame: &'a [u8]) -> Result<(), DecodeError> {
    for _ in 1..5 {
        values.text()?;
    }
    let types = values.text()?;
    let types = types.as_ref().map(|types| types.bytes(frame)).unwrap_or_default();
    (0..count(types)?).try_for_each(|_| values.skip())
}

fn name_operation(
    path: Option<&Text<'_>>,
    method: Option<&Text<'_>>,
    frame: &[u8],
    metadata: &mut Metadata,
) {
    match (path, method) {
        (Some(path), Some(method)) => {
            metadata.join_operation(&[path.bytes(frame), b"/", method.bytes(frame)]);
        }
        (None, Some(one)) | (Some(one), None) => metadata.join_operation(&[one.bytes(frame)]),
        (None, None) => {}
    }
}

/// Passes over the arguments, and shows those that are asked for.
fn arguments<'a>(
    values: &mut impl Values<'a>,
    count: usize,
    asked: &Asked,
    metadata: &mut Metadata,
) -> Result<(), DecodeError> {
    for number in 0..count {
        if !asked.argument(number) {
            values.skip()?;
            continue;
        }
        let value = values.value()?;
        if let (Value::Text(_) | Value::Int(_), Some(source)) = (&value, value.source()) {
            let number = PropertyValue::Int(number as i128);
            metadata.push_prefixed(ARGUMENT, number.as_bytes(&mut IntText::default()), source);
        }
    }
    Ok(())
}

/// Shows the attachments that are asked for.
pub(crate) fn attachments<'a>(
    values: &mut impl Values<'a>,
    frame: &'a [u8],
    asked: &Asked,
    metadata: &mut Metadata,
) -> Result<(), DecodeError> {
    if values.is_at_end() {
        return Ok(());
    }
    metadata.prefix_from_here(ATTACHMENT);
    let reads_timeout = asked.timeout() && metadata.kind != MessageKind::Response;
    let is_timeout = |name: &[u8]| reads_timeout && (name == TIMEOUT || name == LEFT);
    let wanted = |name: &[u8]| asked.wants(name) || is_timeout(name);
    let mut is_counted = false;
    let each = |entry: Entry<'_>| {
        let name = entry.key.as_ref().map(|key| key.bytes(frame)).unwrap_or_default();
        // Where the consumer counts, that is what the provider goes by.
        if is_timeout(name) && (name == LEFT || !is_counted) {
            is_counted |= timeout(&entry, frame, metadata) && name == LEFT;
        }
        attachment(&entry, frame, asked, metadata);
    };
    values.map(wanted, each).map(drop)
}

/// Takes the time that the client waits; tells whether there is a limit to it.
fn timeout(entry: &Entry<'_>, frame: &[u8], metadata: &mut Metadata) -> bool {
    let Some(timeout) = milliseconds(&entry.value, frame) else { return false };
    metadata.timeout = Some(timeout);
    let is_writable = frame.get(entry.place.clone()).is_some_and(deadline::is_writable);
    metadata.timeout_place = is_writable.then(|| entry.place.clone());
    true
}

fn attachment(entry: &Entry<'_>, frame: &[u8], asked: &Asked, metadata: &mut Metadata) {
    let (Some(key), Some(value)) = (&entry.key, entry.value.source()) else { return };
    let name = key.bytes(frame);
    if asked.all() {
        return match is_ambiguous(name) {
            true => metadata.push_prefixed(ATTACHMENT, name, value),
            false => metadata.push(key.source(), value),
        };
    }
    for asked in asked.attachment(name) {
        metadata.push(Source::Text(asked.property.as_bytes()), value.clone());
    }
}

/// The timeout that a client gives; nothing and less than nothing mean none.
fn milliseconds(value: &Value<'_>, frame: &[u8]) -> Option<Duration> {
    let number = match value {
        Value::Int(number) => *number,
        Value::Text(text) => number(text.bytes(frame))?,
        _ => return None,
    };
    u64::try_from(number).ok().filter(|number| *number > 0).map(Duration::from_millis)
}

/// The number that a text stands for. Nearly all are plain digits.
fn number(text: &[u8]) -> Option<i64> {
    if !deadline::is_number(text) {
        return std::str::from_utf8(text).ok()?.trim().parse().ok();
    }
    let digit = |byte: &u8| i64::from(byte.wrapping_sub(b'0'));
    Some(text.iter().fold(0, |number, byte| number * 10 + digit(byte)))
}

/// The most parameters that a method has. Source: The Java Virtual Machine Specification, section
/// 4.3.3.
const MOST_PARAMETERS: usize = 255;

/// How many types a descriptor names: `Ljava/lang/String;[I` are two.
///
/// Source: field descriptors, The Java Virtual Machine Specification, section 4.3.2.
pub(crate) fn count(types: &[u8]) -> Result<usize, DecodeError> {
    let mut count = 0_usize;
    let mut rest = types.iter();
    while let Some(byte) = rest.next() {
        match byte {
            b'[' => continue,
            b'L' => {
                if !rest.any(|byte| *byte == b';') {
                    return Err(wrong("has a parameter type without an end"));
                }
            }
            b'V' | b'Z' | b'B' | b'C' | b'D' | b'F' | b'I' | b'J' | b'S' => {}
            _ => return Err(wrong("has a parameter type that is none")),
        }
        count = count.saturating_add(1);
        if count > MOST_PARAMETERS {
            return Err(wrong("has more parameters than a method can have"));
        }
    }
    Ok(count)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameter_types_are_counted() {
        let of = |types: &str| count(types.as_bytes());
        assert_eq!(of(""), Ok(0));
        assert_eq!(of("Ljava/lang/String;"), Ok(1));
        assert_eq!(of("Ljava/lang/String;[Ljava/lang/String;[Ljava/lang/Object;"), Ok(3));
        assert_eq!(of("ZBCDFIJS[[J"), Ok(9));
        assert!(of("Ljava").is_err() && of("x").is_err());
        assert_eq!(of(&"I".repeat(255)), Ok(255));
        assert!(of(&"I".repeat(256)).is_err());
    }

    #[test]
    fn a_timeout_of_nothing_is_none() {
        let of = |value| milliseconds(&value, b"");
        assert_eq!(of(Value::Int(250)), Some(Duration::from_millis(250)));
        assert_eq!(of(Value::Text(Text::Made("30".into()))), Some(Duration::from_millis(30)));
        for (text, milliseconds) in [
            ("007", 7),
            (" 8 ", 8),
            ("+9", 9),
            ("999999999999999999", 999_999_999_999_999_999),
            ("9223372036854775807", i64::MAX.cast_unsigned()),
        ] {
            let read = of(Value::Text(Text::Made(text.into())));
            assert_eq!(read, Some(Duration::from_millis(milliseconds)), "{text}");
        }
        assert_eq!(of(Value::Text(Text::Made("".into()))), None);
        assert_eq!(of(Value::Text(Text::Made("9223372036854775808".into()))), None);
        assert_eq!(of(Value::Int(0)), None);
        assert_eq!(of(Value::Int(-1)), None);
        assert_eq!(of(Value::Text(Text::Made("soon".into()))), None);
    }
}
