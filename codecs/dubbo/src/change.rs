//! Changes of attachments. Everything else of a body is shared with the frame that came.

use std::borrow::Cow;
use std::ops::Range;

use metaproto_core::{Bytes, BytesMut, Change, DecodeError, EncodeError, Mutation, Output};

use crate::asked::{ARGUMENT, ATTACHMENT, is_taken, strip};
use crate::body::{Kept, Values, WriteMap};
use crate::message::Message;
use crate::request;
use crate::response::ResultType;

/// Appends `frame`, a request, with its attachments changed. Tells where the one stands then that
/// stands at `noted`, if it is there and has not been changed.
pub(crate) fn request<'a>(
    values: &mut impl Values<'a>,
    write: &impl WriteMap,
    frame: &'a Bytes,
    noted: Option<&Range<usize>>,
    mutation: &Mutation,
    out: &mut Output,
) -> Result<Option<Range<usize>>, EncodeError> {
    request::pass(values, frame).map_err(unreadable)?;
    let mut map = Map::read(values, frame).map_err(unreadable)?;
    if let Some(noted) = noted {
        map.note(noted, frame);
    }
    let Some((written, noted)) = map.changed(mutation, write)? else {
        return append(frame, &[], out).map(|()| noted.cloned());
    };
    let begin = map.place.start;
    append(frame, &[Piece { place: map.place, bytes: written }], out)?;
    Ok(noted.map(|noted| begin.saturating_add(noted.start)..begin.saturating_add(noted.end)))
}

/// Appends `frame`, a response with the result of a call, with its attachments changed. A result that
/// has none becomes one that has.
pub(crate) fn response<'a>(
    values: &mut impl Values<'a>,
    write: &impl WriteMap,
    frame: &'a Bytes,
    mutation: &Mutation,
    out: &mut Output,
) -> Result<(), EncodeError> {
    let start = values.position();
    let kind = ResultType::read(values).map_err(unreadable)?;
    let place = start..values.position();
    if kind.has_value() {
        values.skip().map_err(unreadable)?;
    }
    let mut map = match kind.has_attachments() {
        true => Map::read(values, frame).map_err(unreadable)?,
        false => Map::none(values),
    };
    if !kind.has_attachments() && !kind.has_value() {
        // The map follows the type, which is written anew, with its end.
        map.separator = b"";
    }
    let Some((written, _)) = map.changed(mutation, write)? else {
        return append(frame, &[], out);
    };
    if kind.has_attachments() {
        return append(frame, &[Piece { place: map.place, bytes: written }], out);
    }
    let mut type_with = BytesMut::new();
    write.result_type(kind.with_attachments().number(), &mut type_with);
    let pieces = [Piece { place, bytes: type_with }, Piece { place: map.place, bytes: written }];
    append(frame, &pieces, out)
}

fn unreadable(_: DecodeError) -> EncodeError {
    EncodeError::Unsupported("changes of a body that can't be read")
}

/// Other bytes for a place of the frame.
struct Piece {
    place: Range<usize>,
    bytes: BytesMut,
}

/// Appends `frame` with these pieces, which are in order.
fn append(frame: &Bytes, pieces: &[Piece], out: &mut Output) -> Result<(), EncodeError> {
    let len = pieces.iter().fold(frame.len(), |len, piece| {
        len.saturating_sub(piece.place.len()).saturating_add(piece.bytes.len())
    });
    let body = len.saturating_sub(Message::HEADER);
    let body = u32::try_from(body).map_err(|_| EncodeError::InvalidValue {
        field: "length",
        reason: "the body would be longer than 4 GiB".into(),
    })?;
    let header = frame.get(..Message::OFFSET_LENGTH).unwrap_or_default();
    out.copy(header);
    out.copy(&body.to_be_bytes());
    let mut from = Message::HEADER;
    for piece in pieces {
        out.share(frame.slice(from..piece.place.start));
        out.copy(&piece.bytes);
        from = piece.place.end;
    }
    out.share(frame.slice(from..));
    Ok(())
}

/// A map as it is written, and where in it the entry is that was noted.
type Written = (BytesMut, Option<Range<usize>>);

/// The attachments of a message.
struct Map<'a> {
    /// Where they stand in the frame; empty if there are none.
    place: Range<usize>,
    /// What parts it from what stands in front, if there is no map yet.
    separator: &'static [u8],
    /// The marks of the map's start.
    start: Option<&'a [u8]>,
    entries: Vec<Attachment<'a>>,
}

#[derive(Debug, Clone)]
struct Attachment<'a> {
    /// `None` if its key is no text: no change means it.
    name: Option<Cow<'a, str>>,
    /// See [`Entry::counts`](crate::body::Entry).
    counts: bool,
    kept: Kept<'a>,
}

impl<'a> Map<'a> {
    fn none(values: &impl Values<'a>) -> Self {
        let at = values.position();
        Map { place: at..at, separator: values.separator(), start: None, entries: Vec::new() }
    }

    fn read(values: &mut impl Values<'a>, frame: &'a [u8]) -> Result<Self, DecodeError> {
        let start = values.position();
        if values.is_at_end() {
            return Ok(Map::none(values));
        }
        let mut entries = Vec::new();
        let marks = values.map(
            |_| true,
            |entry| {
                let name = entry.key.as_ref().map(|key| key.bytes(frame));
                let name = name.map(|name| Cow::Owned(String::from_utf8_lossy(name).into_owned()));
                let kept = Kept::Raw(frame.get(entry.place).unwrap_or_default());
                entries.push(Attachment { name, counts: entry.counts, kept });
            },
        )?;
        let start_marks = marks.and_then(|marks| frame.get(marks));
        let place = start..values.position();
        Ok(Map { place, separator: b"", start: start_marks, entries })
    }

    /// Has [`changed`](Map::changed) tell what becomes of the entry at this place.
    fn note(&mut self, place: &Range<usize>, frame: &'a [u8]) {
        let Some(noted) = frame.get(place.clone()) else { return };
        for entry in &mut self.entries {
            if let Kept::Raw(bytes) = entry.kept
                && std::ptr::eq(bytes, noted)
            {
                entry.kept = Kept::Noted(bytes);
            }
        }
    }

    /// The map as it is after the changes; `None` if there is none before and nothing to put in.
    fn changed(
        &self,
        mutation: &Mutation,
        write: &impl WriteMap,
    ) -> Result<Option<Written>, EncodeError> {
        let mut entries = self.entries.clone();
        for change in mutation.changes() {
            apply(change, &mut entries)?;
        }
        if self.start.is_none() && entries.is_empty() {
            return Ok(None);
        }
        let kept: Vec<_> = entries.into_iter().map(|entry| entry.kept).collect();
        let mut out = BytesMut::from(self.separator);
        let noted = write.map(self.start, &kept, &mut out);
        Ok(Some((out, noted)))
    }
}

fn apply<'a>(change: &'a Change, entries: &mut Vec<Attachment<'a>>) -> Result<(), EncodeError> {
    let name = attachment(change)?;
    let is_meant = |entry: &Attachment<'_>| {
        entry.name.as_ref().is_some_and(|found| found.eq_ignore_ascii_case(name))
    };
    let first = entries.iter().position(is_meant);
    // References lead backward: what stands in front does not refer to what is taken out.
    let mut behind = entries.iter().skip_while(|entry| !(is_meant(entry) && entry.counts));
    if behind.any(|entry| entry.counts && !is_meant(entry)) {
        return Err(EncodeError::Unsupported("taking out an object that others may refer to"));
    }
    match (change, first) {
        (Change::Set { value, .. }, first) => {
            let key = first.and_then(|index| entries.get(index)?.name.clone());
            let key = key.unwrap_or(Cow::Borrowed(name));
            let kept = Kept::New(key.clone(), value);
            let set = Attachment { name: Some(key), counts: false, kept };
            let at = first.unwrap_or(entries.len());
            entries.retain(|entry| !is_meant(entry));
            entries.insert(at, set);
        }
        (Change::Remove { .. }, _) => entries.retain(|entry| !is_meant(entry)),
        _ => return Err(unsupported(change)),
    }
    Ok(())
}

/// The name of the attachment that is meant.
fn attachment(change: &Change) -> Result<&str, EncodeError> {
    let name = change.name();
    if let Some(name) = strip(name, ATTACHMENT) {
        return Ok(name);
    }
    if is_taken(name.as_bytes()) || strip(name, ARGUMENT).is_some() {
        return Err(unsupported(change));
    }
    Ok(name)
}

fn unsupported(change: &Change) -> EncodeError {
    EncodeError::UnsupportedChange { verb: change.verb(), name: change.name().to_owned() }
}
