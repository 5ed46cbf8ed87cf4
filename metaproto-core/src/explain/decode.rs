//! What a codec can tell of a frame: enough for every protocol, without a word from its author.

use std::ops::Range;

use bytes::Bytes;

use super::Explanation;
use super::row::count;
use crate::{
    CodecContext, DecodeError, FrameLength, Limits, MessageKind, Metadata, PropertyValue, Protocol,
    Side,
};

/// The characters of a value that are shown.
const SHOWN: usize = 80;

/// The bytes that are shown in hex.
const HEX: usize = 16;

/// The bytes between a name and its value that still make them one entry: separators, lengths.
const BETWEEN: usize = 16;

/// Explains the frame at the front of `bytes` by what the codec of `protocol` decodes.
pub(crate) fn by_decoding<P: Protocol + ?Sized>(
    protocol: &P,
    side: Side,
    bytes: &[u8],
) -> Explanation {
    let bytes = Bytes::copy_from_slice(bytes);
    let mut explanation = Explanation::new(bytes.clone());
    // What is asked is what the bytes mean, not whether they would be let through.
    let limits = Limits::max_frame(usize::MAX);
    let mut codec = protocol.codec(&CodecContext::new(side, limits));
    let told = match bytes.is_empty() {
        true => Ok(FrameLength::Need(1)),
        false => codec.frame_length(&bytes),
    };
    if !measure(told, &mut explanation) {
        return explanation;
    }
    let frame = bytes.slice(..explanation.end());
    let mut metadata = Metadata::new();
    let decoded = codec.decode(frame.clone(), &mut metadata);
    // A codec may fail before it has stored the frame, in which its ranges lie.
    metadata.frame = frame;
    let ok = decoded.is_ok();
    facts(&mut explanation, &metadata, ok);
    owned_properties(&mut explanation, &metadata);
    parts(&mut explanation, &metadata, ok);
    if let Err(error) = decoded {
        explanation.stop_at(&error);
    }
    explanation
}

/// Tells how long the frame is, as a codec says; whether that is known at all.
pub(crate) fn measure(
    told: Result<FrameLength, DecodeError>,
    explanation: &mut Explanation,
) -> bool {
    let there = explanation.bytes.len();
    if there == 0 {
        explanation.stop("there are no bytes");
        return false;
    }
    match told {
        Ok(FrameLength::Known(0)) => {
            explanation.stop("the codec says that the frame has no bytes: a fault of the codec");
            false
        }
        Ok(FrameLength::Known(total)) => {
            explanation.length(total);
            if let Some(missing) = total.checked_sub(there).filter(|missing| *missing > 0) {
                let total = count(total);
                explanation
                    .stop(format!("the frame is {total} long, of which {missing} are missing"));
            }
            true
        }
        Ok(FrameLength::Need(least)) => {
            explanation.stop(format!(
                "how long the frame is can't be told from {}: it takes {least}",
                count(there)
            ));
            false
        }
        Err(error) => {
            explanation.stop_at(&error);
            false
        }
    }
}

/// Notes what `metadata` tells of the message as a whole; of one that could not be `decoded`, as
/// much as is known.
pub(crate) fn facts(explanation: &mut Explanation, metadata: &Metadata, decoded: bool) {
    // The default says nothing if decoding ended before it got there.
    if decoded || metadata.kind != MessageKind::default() || metadata.request_id.is_some() {
        explanation.fact("kind", metadata.kind.as_str());
    }
    if let Some(id) = metadata.request_id {
        explanation.fact("request id", format!("{id} (0x{id:x})"));
    }
    if let Some(id) = metadata.stream_id {
        explanation.fact("stream id", format!("{id} (0x{id:x})"));
    }
    if let Some(status) = metadata.status {
        explanation.fact("status", format!("{} ({})", status.class.as_str(), status.code));
    }
    if let Some(operation) = metadata.operation() {
        explanation.fact("operation", value(operation));
    }
    if let Some(timeout) = metadata.timeout {
        explanation.fact("timeout", format!("{timeout:?}"));
    }
    if let Some(reason) = metadata.unread {
        explanation.fact("not read", reason.to_string());
    }
    if let Some(total) = explanation.length.filter(|_| metadata.header_size > 0) {
        let (header, body) = (metadata.header_size, total.saturating_sub(metadata.header_size));
        explanation.fact("size", format!("{}: header {header}, body {body}", count(total)));
    }
}

/// Notes the properties whose values do not stand in the frame.
fn owned_properties(explanation: &mut Explanation, metadata: &Metadata) {
    for ((name, text), (_, place)) in metadata.properties().zip(metadata.places()) {
        if place.is_none() {
            explanation.fact(format!("property {name}"), value(text));
        }
    }
}

/// Notes header and body, and in them what the codec has pointed at.
fn parts(explanation: &mut Explanation, metadata: &Metadata, decoded: bool) {
    let mut entries = entries(metadata);
    entries.sort_by_key(|entry| entry.0.start);
    let frame = 0..explanation.length.unwrap_or(metadata.frame.len());
    if !decoded && metadata.header_size == 0 {
        return note_all(explanation, &mut entries.into_iter().peekable(), frame.end);
    }
    let body = metadata.header_size.min(frame.end)..frame.end;
    let mut entries = entries.into_iter().peekable();
    for (range, name) in [(0..body.start, "header"), (body, "body")] {
        if range.is_empty() {
            continue;
        }
        let end = range.end;
        explanation.note(range.clone(), name, count(range.len()));
        explanation.nested(|inner| note_all(inner, &mut entries, end));
    }
    note_all(explanation, &mut entries, usize::MAX);
}

/// A part of the frame: where it is, its name, what it says.
type Entry = (Range<usize>, String, String);

fn note_all(
    explanation: &mut Explanation,
    entries: &mut std::iter::Peekable<impl Iterator<Item = Entry>>,
    end: usize,
) {
    while let Some((range, name, value)) = entries.next_if(|entry| entry.0.start < end) {
        explanation.note(range, name, value);
    }
}

/// What stands in the frame: properties, and the operation if it is none of them.
fn entries(metadata: &Metadata) -> Vec<Entry> {
    let mut entries = Vec::new();
    for ((name, text), (name_place, place)) in metadata.properties().zip(metadata.places()) {
        let Some(place) = place else { continue };
        let start = match name_place {
            Some(name) if follows(&name, &place) => name.start,
            _ => place.start,
        };
        entries.push((start..place.end, name.into_owned(), value(text)));
    }
    if let (Some(place), Some(operation)) = (metadata.operation_place(), metadata.operation()) {
        let is_property =
            |(range, ..): &Entry| range.start <= place.start && place.end <= range.end;
        if !entries.iter().any(is_property) {
            entries.push((place, "operation".to_owned(), value(operation)));
        }
    }
    entries
}

fn follows(name: &Range<usize>, value: &Range<usize>) -> bool {
    value.start.checked_sub(name.end).is_some_and(|between| between <= BETWEEN)
}

/// A value for people: numbers as they are, text in quotes, the long ones cut.
fn value(value: PropertyValue<'_>) -> String {
    match value {
        PropertyValue::Int(number) => number.to_string(),
        PropertyValue::Text(bytes) => text(bytes),
    }
}

/// Text in quotes; bytes that are none in hex, or, if they are many, how many.
pub(crate) fn content(bytes: &[u8]) -> String {
    let is_shown = |char: char| !char.is_control() || matches!(char, '\n' | '\r' | '\t');
    match std::str::from_utf8(bytes) {
        Ok(found) if found.chars().all(is_shown) => text(bytes),
        _ if bytes.len() > HEX => count(bytes.len()),
        _ => bytes.iter().fold("0x".to_owned(), |hex, byte| format!("{hex}{byte:02x}")),
    }
}

/// Text in quotes, cut if it is long.
fn text(bytes: &[u8]) -> String {
    match shown(bytes) {
        (shown, false) => format!("\"{shown}\""),
        (shown, true) => format!("\"{shown}\"... ({})", count(bytes.len())),
    }
}

/// As much of a text as is shown, and whether that is less than all of it.
pub(crate) fn shown(bytes: &[u8]) -> (String, bool) {
    // Four bytes are enough for any character; the rest need not be looked at.
    let most = SHOWN.saturating_mul(4).min(bytes.len());
    let shown = String::from_utf8_lossy(bytes.get(..most).unwrap_or_default());
    let cut: String = shown.chars().take(SHOWN).collect();
    let is_cut = cut.len() < shown.len() || most < bytes.len();
    (cut, is_cut)
}
