//! Sections as fields.

use std::borrow::Cow;
use std::ops::Range;

use bytes::BytesMut;

use super::list::{Items, bounds, each, front_min_size, front_size, resume, write_front};
use super::section::{Entry, Key};
use super::{Cursor, EntryFormat, Extent, Part, Progress, Section, Stop};
use crate::explain::{content, shown};
use crate::frame::Entries;
use crate::{EncodeError, Explanation, Metadata, Source};

/// A section: something tells how many entries there are, or how many bytes they take, or they go on
/// to the end of the window.
#[derive(Debug, Clone, Copy)]
pub struct Pairs {
    format: &'static EntryFormat,
    count: Option<Extent>,
    bytes: Option<Extent>,
}

impl Pairs {
    /// With entries of this format.
    #[must_use]
    pub const fn new(
        format: &'static EntryFormat,
        count: Option<Extent>,
        bytes: Option<Extent>,
    ) -> Self {
        Pairs { format, count, bytes }
    }

    /// Goes through the entries that are at `range` of a frame, and have been checked.
    fn entries(
        &self,
        frame: &[u8],
        range: Range<usize>,
        mut entry: impl FnMut(Entry),
    ) -> Result<(), Stop> {
        let mut cursor = Cursor::over(frame.get(..range.end).unwrap_or_default());
        cursor.seek(range.start);
        let bounds = bounds(&mut cursor, self.count, self.bytes, self.format.min_size())?;
        each(&mut cursor, bounds, |cursor| {
            entry(self.format.entry(cursor)?);
            Ok(())
        })
    }

    /// Adds the entries that are asked for to `metadata`. `range` is where [`skip`](Part::skip) has
    /// passed over the section.
    pub fn describe(
        &self,
        frame: &[u8],
        range: Range<usize>,
        asked: &Entries<'_>,
        metadata: &mut Metadata,
    ) {
        let prefix = asked.prefix();
        let mut digits = itoa::Buffer::new();
        // They have been checked: there is nothing to fail.
        let _ = self.entries(frame, range, |entry| match entry.key {
            Key::Text(name) => {
                let bytes = frame.get(name.clone()).unwrap_or_default();
                match asked.wants(bytes) {
                    true if prefix.is_empty() => metadata.push_entry_in_frame(name, entry.value),
                    true => metadata.push_prefixed(prefix, bytes, Source::InFrame(entry.value)),
                    false => {}
                }
            }
            Key::Named(name) if asked.wants(name.as_bytes()) => match prefix.is_empty() {
                true => metadata.push_in_frame(name, entry.value),
                false => {
                    metadata.push_prefixed(prefix, name.as_bytes(), Source::InFrame(entry.value))
                }
            },
            Key::Number(number) => {
                let name = digits.format(number).as_bytes();
                if asked.wants(name) {
                    metadata.push_prefixed(prefix, name, Source::InFrame(entry.value));
                }
            }
            Key::Named(_) => {}
        });
    }
}

impl Part for Pairs {
    type Value = Section;
    const MIN_SIZE: usize = 0;

    #[inline]
    fn min_size(&self) -> usize {
        front_min_size(self.count, self.bytes)
    }

    fn skip(&self, cursor: &mut Cursor<'_>, progress: &mut Progress) -> Result<(), Stop> {
        let entry =
            |cursor: &mut Cursor<'_>, _: &mut Progress| self.format.entry(cursor).map(|_| ());
        resume(cursor, progress, (self.count, self.bytes), self.format.min_size(), entry)
    }

    fn read(&self, cursor: &mut Cursor<'_>) -> Result<Section, Stop> {
        let bounds = bounds(cursor, self.count, self.bytes, self.format.min_size())?;
        let (start, mut len) = (cursor.position(), 0_usize);
        each(cursor, bounds, |cursor| {
            len = len.saturating_add(1);
            self.format.entry(cursor).map(|_| ())
        })?;
        Ok(Section::of_frame(cursor.share(start..cursor.position()), len, self.format))
    }

    fn size(&self, value: &Section) -> usize {
        let bytes = value.written(self.format).map_or(0, |bytes| bytes.len());
        front_size(self.count, self.bytes, value.len(), bytes).saturating_add(bytes)
    }

    fn write(&self, value: &Section, out: &mut BytesMut) -> Result<(), EncodeError> {
        let bytes = value.written(self.format)?;
        write_front(self.count, self.bytes, value.len(), || bytes.len(), out)?;
        out.extend_from_slice(&bytes);
        Ok(())
    }

    fn explain(
        &self,
        cursor: &mut Cursor<'_>,
        name: Cow<'static, str>,
        notes: &mut Explanation,
    ) -> Result<(), Stop> {
        let (count, bytes, min_size) = (self.count, self.bytes, self.format.min_size());
        let items = Items { count, bytes, min_size };
        items.explain(cursor, name, ["entry", "entries"], notes, |cursor, index, notes| {
            let start = cursor.position();
            let entry = self.format.entry(cursor).inspect_err(|stop| {
                notes.fail(start, format!("[{index}]").into(), stop);
            })?;
            let name = match entry.key {
                Key::Text(name) => shown(cursor.bytes(name)).0,
                Key::Named(name) => name.to_owned(),
                Key::Number(number) => number.to_string(),
            };
            notes.note(start..cursor.position(), name, content(cursor.bytes(entry.value)));
            Ok(())
        })
    }
}
