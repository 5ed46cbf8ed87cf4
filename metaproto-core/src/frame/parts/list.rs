//! Lists of anything.

use std::borrow::Cow;
use std::ops::Range;

use bytes::BytesMut;

use super::cursor::MAX_EMPTY;
use super::{Content, Cursor, Extent, Part, Progress, Stop, Window, invalid};
use crate::{EncodeError, Explanation, Fault};

/// For so many items room is made at once. Further room is made as they come: it is more than what
/// stands on the wire.
const FIRST_ROOM: usize = 64;

/// Items of one kind, one after the other. Something tells how many there are, or how many bytes
/// they take, or both, or they go on to the end of the window.
///
/// If both stand in front of the items, the bytes come first, and the count is part of them.
#[derive(Debug, Clone, Copy)]
pub struct List<P> {
    item: P,
    count: Option<Extent>,
    bytes: Option<Extent>,
}

/// How far a list goes.
pub(super) enum Bounds {
    Count(u64),
    Window(Window),
    Both(u64, Window),
    Rest,
}

/// Reads what stands in front of items, and finds out how far they go.
///
/// # Errors
/// As [`Extent::read`]; or more is announced than there can be.
pub(super) fn bounds(
    cursor: &mut Cursor<'_>,
    count: Option<Extent>,
    bytes: Option<Extent>,
    min_size: usize,
) -> Result<Bounds, Stop> {
    let told = |cursor: &mut Cursor<'_>, extent: Option<Extent>| match extent {
        Some(extent) => extent.read(cursor),
        None => Ok(None),
    };
    let window = match told(cursor, bytes)? {
        None => None,
        Some(bytes) => Some(cursor.limit((cursor.position() as u64).saturating_add(bytes))?),
    };
    let count = told(cursor, count)?;
    let room = cursor.remaining() as u64;
    let most = room.checked_div(min_size as u64).unwrap_or(room.max(u64::from(MAX_EMPTY)));
    match (count, window) {
        (Some(count), _) if count > most => Err(cursor.bad(Fault::LengthTooLarge(count))),
        (Some(count), None) => Ok(Bounds::Count(count)),
        (Some(count), Some(window)) => Ok(Bounds::Both(count, window)),
        (None, Some(window)) => Ok(Bounds::Window(window)),
        (None, None) => Ok(Bounds::Rest),
    }
}

/// Goes through items, and leaves their window.
///
/// # Errors
/// What `item` fails with; or too many take no bytes.
pub(super) fn each(
    cursor: &mut Cursor<'_>,
    bounds: Bounds,
    mut item: impl FnMut(&mut Cursor<'_>) -> Result<(), Stop>,
) -> Result<(), Stop> {
    let field = cursor.field();
    let (count, window) = match bounds {
        Bounds::Count(count) => (Some(count), None),
        Bounds::Both(count, window) => (Some(count), Some(window)),
        Bounds::Window(window) => (None, Some(window)),
        Bounds::Rest => (None, None),
    };
    let mut left = count.unwrap_or(u64::MAX);
    while left > 0 && (count.is_some() || !cursor.is_at_end()) {
        let before = cursor.position();
        item(cursor)?;
        if cursor.position() == before {
            cursor.empty_item()?;
        }
        left = left.saturating_sub(1);
    }
    cursor.enter(field);
    window.map_or(Ok(()), |window| cursor.leave(window))
}

/// Passes over items; goes on where it had to stop. What is told to be so many bytes long is not
/// looked at before it is there.
///
/// # Errors
/// As [`bounds`]; or what `item` fails with.
pub(super) fn resume(
    cursor: &mut Cursor<'_>,
    progress: &mut Progress,
    (count, bytes): (Option<Extent>, Option<Extent>),
    min_size: usize,
    mut item: impl FnMut(&mut Cursor<'_>, &mut Progress) -> Result<(), Stop>,
) -> Result<(), Stop> {
    let mut left = match progress.resume(cursor) {
        Some(left) => left,
        None => match bounds(cursor, count, bytes, min_size)? {
            Bounds::Count(count) => count,
            bounds => {
                let here = cursor.position();
                cursor.rest()?;
                cursor.seek(here);
                return each(cursor, bounds, |cursor| item(cursor, progress));
            }
        },
    };
    while left > 0 {
        let before = cursor.position();
        item(cursor, progress).map_err(|stop| progress.save(stop, before, left))?;
        if cursor.position() == before {
            cursor.empty_item()?;
        }
        left = left.saturating_sub(1);
    }
    Ok(())
}

/// What is to be explained one by one.
pub(super) struct Items {
    pub(super) count: Option<Extent>,
    pub(super) bytes: Option<Extent>,
    pub(super) min_size: usize,
}

impl Items {
    /// Notes what stands in front of the items, and then what `item` notes of each. `words` is what
    /// one is called, and several.
    ///
    /// # Errors
    /// As [`bounds`]; or what `item` fails with.
    pub(super) fn explain(
        &self,
        cursor: &mut Cursor<'_>,
        name: Cow<'static, str>,
        [one, several]: [&str; 2],
        notes: &mut Explanation,
        mut item: impl FnMut(&mut Cursor<'_>, usize, &mut Explanation) -> Result<(), Stop>,
    ) -> Result<(), Stop> {
        let start = cursor.position();
        let bounds = bounds(cursor, self.count, self.bytes, self.min_size);
        let bounds = bounds.inspect_err(|stop| notes.fail(start, name.clone(), stop))?;
        let (front, at) = (start..cursor.position(), notes.notes().len());
        notes.note(front.clone(), name, "");
        let mut found = 0_usize;
        let mut result = Ok(());
        notes.nested(|notes| {
            result = each(cursor, bounds, |cursor| {
                let (start, noted) = (cursor.position(), notes.notes().len());
                item(cursor, found, notes)?;
                found = found.saturating_add(1);
                if cursor.position() == start {
                    // There may be many of them, and nothing to see.
                    notes.truncate(noted);
                }
                Ok(())
            });
        });
        let word = if found == 1 { one } else { several };
        let more = if result.is_err() { " that can be read" } else { "" };
        notes.revise(at, front, format!("{found} {word}{more}"));
        result
    }
}

impl<P: Part> List<P> {
    /// As many items as `count` tells, or as fit what `bytes` tells.
    #[must_use]
    pub const fn new(item: P, count: Option<Extent>, bytes: Option<Extent>) -> Self {
        List { item, count, bytes }
    }
}

impl<P: Part> List<P> {
    fn items_size(&self, items: &[P::Value]) -> usize {
        items.iter().fold(0, |all: usize, item| all.saturating_add(self.item.size(item)))
    }
}

impl<P: Part> Part for List<P> {
    type Value = Vec<P::Value>;
    const MIN_SIZE: usize = 0;

    #[inline]
    fn min_size(&self) -> usize {
        front_min_size(self.count, self.bytes)
    }

    fn skip(&self, cursor: &mut Cursor<'_>, progress: &mut Progress) -> Result<(), Stop> {
        let item =
            |cursor: &mut Cursor<'_>, progress: &mut Progress| self.item.skip(cursor, progress);
        resume(cursor, progress, (self.count, self.bytes), self.item.min_size(), item)
    }

    fn read(&self, cursor: &mut Cursor<'_>) -> Result<Self::Value, Stop> {
        let min_size = self.item.min_size();
        let bounds = bounds(cursor, self.count, self.bytes, min_size)?;
        // Items that take no bytes are no reason to make room.
        let mut room = match bounds {
            Bounds::Count(count) | Bounds::Both(count, _) if min_size > 0 => count as usize,
            _ => 0,
        };
        let mut items = Vec::new();
        each(cursor, bounds, |cursor| {
            let item = self.item.read(cursor)?;
            items.reserve(std::mem::take(&mut room).min(FIRST_ROOM));
            items.push(item);
            Ok(())
        })?;
        Ok(items)
    }

    fn explain(
        &self,
        cursor: &mut Cursor<'_>,
        name: Cow<'static, str>,
        notes: &mut Explanation,
    ) -> Result<(), Stop> {
        let items = Items { count: self.count, bytes: self.bytes, min_size: self.item.min_size() };
        items.explain(cursor, name, ["item", "items"], notes, |cursor, index, notes| {
            self.item.explain(cursor, format!("[{index}]").into(), notes)
        })
    }

    fn size(&self, value: &Self::Value) -> usize {
        let bytes = self.items_size(value);
        front_size(self.count, self.bytes, value.len(), bytes).saturating_add(bytes)
    }

    fn write(&self, value: &Self::Value, out: &mut BytesMut) -> Result<(), EncodeError> {
        write_front(self.count, self.bytes, value.len(), || self.items_size(value), out)?;
        value.iter().try_for_each(|item| self.item.write(item, out))
    }
}

/// The fewest bytes that what stands in front of items takes.
#[inline]
pub(super) fn front_min_size(count: Option<Extent>, bytes: Option<Extent>) -> usize {
    let of = |extent: Option<Extent>| extent.map_or(0, |extent| extent.min_size());
    of(count).saturating_add(of(bytes))
}

/// The bytes of what stands in front of items.
pub(super) fn front_size(
    count: Option<Extent>,
    bytes: Option<Extent>,
    items: usize,
    size: usize,
) -> usize {
    let count = count.map_or(0, |count| count.size(items));
    count.saturating_add(bytes.map_or(0, |bytes| bytes.size(size.saturating_add(count))))
}

/// Appends what stands in front of items. Their `size` is asked for only if it is told.
pub(super) fn write_front(
    count: Option<Extent>,
    bytes: Option<Extent>,
    items: usize,
    size: impl FnOnce() -> usize,
    out: &mut BytesMut,
) -> Result<(), EncodeError> {
    if let Some(Extent::Prefix(bytes)) = bytes {
        let count = count.map_or(0, |count| count.size(items));
        bytes.write(size().saturating_add(count), out)?;
    }
    count.map_or(Ok(()), |count| count.write(items, out))
}

/// A part that is there only if something says so.
#[derive(Debug, Clone, Copy)]
pub struct Optional<P> {
    present: bool,
    part: P,
}

impl<P> Optional<P> {
    /// The part, if `present`.
    #[must_use]
    pub const fn new(present: bool, part: P) -> Self {
        Optional { present, part }
    }
}

impl<P: Part> Part for Optional<P> {
    type Value = Option<P::Value>;
    const MIN_SIZE: usize = 0;

    #[inline]
    fn min_size(&self) -> usize {
        if self.present { self.part.min_size() } else { 0 }
    }

    #[inline]
    fn skip(&self, cursor: &mut Cursor<'_>, progress: &mut Progress) -> Result<(), Stop> {
        if self.present { self.part.skip(cursor, progress) } else { Ok(()) }
    }

    fn read(&self, cursor: &mut Cursor<'_>) -> Result<Self::Value, Stop> {
        if self.present { self.part.read(cursor).map(Some) } else { Ok(None) }
    }

    fn size(&self, value: &Self::Value) -> usize {
        value.as_ref().map_or(0, |value| self.part.size(value))
    }

    fn write(&self, value: &Self::Value, out: &mut BytesMut) -> Result<(), EncodeError> {
        match (self.present, value) {
            (true, Some(value)) => self.part.write(value, out),
            (false, None) => Ok(()),
            (true, None) => Err(invalid("is missing, but other fields say it is there")),
            (false, Some(_)) => Err(invalid("is there, but other fields say it is not")),
        }
    }

    fn property(&self, frame: &[u8], range: Range<usize>) -> Content {
        if self.present { self.part.property(frame, range) } else { Content::Absent }
    }

    fn explain(
        &self,
        cursor: &mut Cursor<'_>,
        name: Cow<'static, str>,
        notes: &mut Explanation,
    ) -> Result<(), Stop> {
        if self.present { self.part.explain(cursor, name, notes) } else { Ok(()) }
    }

    fn parse(&self, text: &str) -> Result<Self::Value, EncodeError> {
        match self.present {
            true => self.part.parse(text).map(Some),
            false => Err(EncodeError::Unsupported("setting a property that is not there")),
        }
    }
}
