//! Changes of headers. The message behind them is shared with the frame that came.

use std::ops::Range;

use metaproto_core::{Bytes, BytesMut, Change, EncodeError, Mutation, Output};

use crate::asked::{HEADER, has_prefix, is_taken};
use crate::dialect::Transport;
use crate::header::{Entry, FIXED, Header, Key, Name, Pair, section};
use crate::message::Carrier;

/// The refusal of changes on a transport that has no place for them.
fn no_headers() -> EncodeError {
    EncodeError::Unsupported("headers on this transport")
}

/// Appends a frame with its headers changed; hands back what stands in front of the message.
pub(crate) fn headers(
    frame: &Bytes,
    transport: Option<Transport>,
    mutation: &Mutation,
    out: &mut Output,
) -> Result<BytesMut, EncodeError> {
    let mut pairs = Vec::new();
    let carrier = Carrier::of_message(transport, frame, |pair| pairs.push(pair))
        .map_err(|_| EncodeError::Unsupported("changes of a header that can't be read"))?;
    let header = carrier.header.as_ref().ok_or_else(no_headers)?;
    let text = |range: &Range<usize>| frame.get(range.clone()).unwrap_or_default();
    let mut entries: Vec<Entry<'_>> = Vec::new();
    for Pair { key, value } in &pairs {
        let (section, key) = match key {
            Key::Text(place) => (&header.pairs, Name::Text(text(place))),
            Key::Number(number) => (&header.numbered, Name::Number(*number)),
        };
        // Those of further sections are not written anew.
        let ends_here = value.is_empty() && value.start == section.end;
        if !(section.contains(&value.start) || ends_here) {
            return Err(EncodeError::Unsupported("changes of headers in several sections"));
        }
        entries.push(Entry { key, value: text(value) });
    }
    for change in mutation.changes() {
        apply(change, &mut entries)?;
    }
    let written = rewritten(frame, carrier.transport, header, &entries)?;
    let too_long = || EncodeError::InvalidValue { field: "header", reason: "is too long".into() };
    let words = u16::try_from(written.len() / 4).map_err(|_| too_long())?;
    let payload = frame.slice(header.payload.min(frame.len())..);
    let length =
        FIXED.saturating_sub(4).saturating_add(written.len()).saturating_add(payload.len());
    let length = u32::try_from(length).map_err(|_| too_long())?;
    let mut head = BytesMut::with_capacity(FIXED.saturating_add(written.len()));
    head.extend_from_slice(&length.to_be_bytes());
    head.extend_from_slice(frame.get(4..12).unwrap_or_default());
    head.extend_from_slice(&words.to_be_bytes());
    head.extend_from_slice(&written);
    out.copy(&head);
    out.share(payload);
    Ok(head)
}

/// The header behind its fixed part, with these entries and no others.
fn rewritten(
    frame: &[u8],
    transport: Transport,
    header: &Header,
    entries: &[Entry<'_>],
) -> Result<BytesMut, EncodeError> {
    let mut sections = [(&header.pairs, false), (&header.numbered, true)];
    sections.sort_by_key(|(place, _)| (place.start, place.end));
    let mut written = BytesMut::new();
    let mut from = FIXED;
    for (place, is_numbered) in sections {
        written.extend_from_slice(frame.get(from..place.start).unwrap_or_default());
        let is_here = |entry: &&Entry<'_>| matches!(entry.key, Name::Number(_)) == is_numbered;
        let here: Vec<_> = entries.iter().filter(is_here).copied().collect();
        section(transport, is_numbered, &here, &mut written)?;
        from = place.end;
    }
    let behind = frame.get(from..header.payload).unwrap_or_default();
    // Behind a section zeros are padding.
    if behind.iter().any(|byte| *byte != 0) {
        written.extend_from_slice(behind);
    }
    while !written.len().is_multiple_of(4) {
        written.extend_from_slice(&[0]);
    }
    Ok(written)
}

fn apply<'a>(change: &'a Change, entries: &mut Vec<Entry<'a>>) -> Result<(), EncodeError> {
    let name = change.name();
    let name = match has_prefix(name.as_bytes(), HEADER) {
        true => name.get(HEADER.len()..).unwrap_or_default(),
        false if is_taken(name.as_bytes()) => return Err(unsupported(change)),
        false => name,
    };
    let is_meant = |entry: &Entry<'_>| entry.key.is(name);
    let first = entries.iter().position(is_meant);
    match change {
        Change::Set { value, .. } => {
            let key = first.and_then(|index| entries.get(index)).map(|entry| entry.key);
            let key = key.unwrap_or(Name::Text(name.as_bytes()));
            let set = Entry { key, value: value.as_bytes() };
            entries.retain(|entry| !is_meant(entry));
            entries.insert(first.unwrap_or(entries.len()).min(entries.len()), set);
        }
        Change::Remove { .. } => entries.retain(|entry| !is_meant(entry)),
        _ => return Err(unsupported(change)),
    }
    Ok(())
}

fn unsupported(change: &Change) -> EncodeError {
    EncodeError::UnsupportedChange { verb: change.verb(), name: change.name().to_owned() }
}
