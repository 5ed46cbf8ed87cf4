//! Lists of anything.

use std::borrow::Cow;
use std::ops::Range;

use bytes::BytesMut;

use super::{Content, Cursor, Extent, Part, Prefix, Progress, Stop, Window};
use crate::frame::support::does_not_fit;
use crate::{EncodeError, Explanation, Fault};

/// The most items that take no bytes: without a bound a few bytes could announce any number.
const MAX_EMPTY: u64 = 1 << 16;

/// Items of one kind, one after the other. Something tells how many there are, or how many bytes
/// they take, or they go on to the end of the window.
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
    Rest,
}

/// Reads what stands in front of items, and finds out how far they go.
///
/// # Errors
/// As [`Prefix::read`]; or more is announced than there can be.
pub(super) fn bounds(
    cursor: &mut Cursor<'_>,
    count: Option<Extent>,
    bytes: Option<Extent>,
    min_size: usize,
) -> Result<Bounds, Stop> {
    let told = |cursor: &mut Cursor<'_>, extent| match extent {
        Some(Extent::Prefix(prefix)) => Prefix::read(&prefix, cursor).map(Some),
        Some(Extent::Given(amount)) => Ok(Some(amount)),
        Some(Extent::Rest) | None => Ok(None),
    };
    if let Some(count) = told(cursor, count)? {
        let most = match min_size {
            0 => MAX_EMPTY,
            size => (cursor.remaining() as u64).checked_div(size as u64).unwrap_or_default(),
        };
        return match count <= most {
            true => Ok(Bounds::Count(count)),
            false => Err(cursor.bad(Fault::LengthTooLarge(count))),
        };
    }
    match told(cursor, bytes)? {
        Some(bytes) => {
            let end = (cursor.position() as u64).saturating_add(bytes);
            cursor.limit(end).map(Bounds::Window)
        }
        None => Ok(Bounds::Rest),
    }
}

/// Goes through items, and leaves their window.
///
/// # Errors
/// What `item` fails with.
pub(super) fn each(
    cursor: &mut Cursor<'_>,
    bounds: Bounds,
    mut item: impl FnMut(&mut Cursor<'_>) -> Result<(), Stop>,
) -> Result<(), Stop> {
    match bounds {
        Bounds::Count(count) => {
            for _ in 0..count {
                item(cursor)?;
            }
            Ok(())
        }
        Bounds::Window(window) => {
            until_end(cursor, &mut item)?;
            cursor.leave(window)
        }
        Bounds::Rest => until_end(cursor, &mut item),
    }
}

fn until_end(
    cursor: &mut Cursor<'_>,
    item: &mut impl FnMut(&mut Cursor<'_>) -> Result<(), Stop>,
) -> Result<(), Stop> {
    while !cursor.is_at_end() {
        let before = cursor.position();
        item(cursor)?;
        if cursor.position() == before {
            return Err(cursor.bad(Fault::Other("has items that take no bytes")));
        }
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

/// Passes over items whose number is known; goes on where it had to stop.
///
/// # Errors
/// What `item` fails with.
pub(super) fn resume(
    cursor: &mut Cursor<'_>,
    progress: &mut Progress,
    (count, bytes): (Option<Extent>, Option<Extent>),
    min_size: usize,
    mut item: impl FnMut(&mut Cursor<'_>) -> Result<(), Stop>,
) -> Result<(), Stop> {
    let start = cursor.position();
    let mut left = match progress.left {
        Some(left) => left,
        None => match bounds(cursor, count, bytes, min_size) {
            Ok(Bounds::Count(count)) => count,
            Ok(bounds) => {
                // The window tells where it ends before its items have arrived: nothing is looked
                // at before all of it is there.
                let here = cursor.position();
                let arrived = cursor.rest();
                cursor.seek(if arrived.is_ok() { here } else { start });
                if let (Err(_), Bounds::Window(window)) = (&arrived, &bounds) {
                    cursor.restore(window);
                }
                arrived?;
                return each(cursor, bounds, item);
            }
            Err(stop) => {
                cursor.seek(start);
                return Err(stop);
            }
        },
    };
    while left > 0 {
        let before = cursor.position();
        if let Err(stop) = item(cursor) {
            cursor.seek(before);
            (progress.at, progress.left) = (before, Some(left));
            return Err(stop);
        }
        left = left.saturating_sub(1);
    }
    Ok(())
}

impl<P: Part> Part for List<P> {
    type Value = Vec<P::Value>;
    const MIN_SIZE: usize = 0;

    fn skip(&self, cursor: &mut Cursor<'_>, progress: &mut Progress) -> Result<(), Stop> {
        let item = |cursor: &mut Cursor<'_>| self.item.skip(cursor, &mut Progress::default());
        resume(cursor, progress, (self.count, self.bytes), P::MIN_SIZE, item)
    }

    fn read(&self, cursor: &mut Cursor<'_>) -> Result<Self::Value, Stop> {
        let bounds = bounds(cursor, self.count, self.bytes, P::MIN_SIZE)?;
        // What is announced has been compared with what is there, so this is bounded by the frame.
        let mut items = match bounds {
            Bounds::Count(count) => Vec::with_capacity((count as usize).min(1024)),
            _ => Vec::new(),
        };
        each(cursor, bounds, |cursor| {
            items.push(self.item.read(cursor)?);
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
        let items = Items { count: self.count, bytes: self.bytes, min_size: P::MIN_SIZE };
        items.explain(cursor, name, ["item", "items"], notes, |cursor, index, notes| {
            self.item.explain(cursor, format!("[{index}]").into(), notes)
        })
    }

    fn size(&self, value: &Self::Value) -> usize {
        let bytes =
            value.iter().fold(0_usize, |all, item| all.saturating_add(self.item.size(item)));
        let front = front_size(self.count, self.bytes, value.len(), bytes);
        front.saturating_add(bytes)
    }

    fn write(&self, value: &Self::Value, out: &mut BytesMut) -> Result<(), EncodeError> {
        let bytes = match self.bytes {
            Some(Extent::Prefix(_)) => {
                value.iter().fold(0_usize, |all, item| all.saturating_add(self.item.size(item)))
            }
            _ => 0,
        };
        write_front(self.count, self.bytes, value.len(), bytes, out)?;
        value.iter().try_for_each(|item| self.item.write(item, out))
    }
}

/// The bytes of what stands in front of items.
pub(super) fn front_size(
    count: Option<Extent>,
    bytes: Option<Extent>,
    items: usize,
    size: usize,
) -> usize {
    let count = count.map_or(0, |count| count.size(items));
    count.saturating_add(bytes.map_or(0, |bytes| bytes.size(size)))
}

/// Appends what stands in front of items.
pub(super) fn write_front(
    count: Option<Extent>,
    bytes: Option<Extent>,
    items: usize,
    size: usize,
    out: &mut BytesMut,
) -> Result<(), EncodeError> {
    if let Some(count) = count {
        count.write(items, out)?;
    }
    bytes.map_or(Ok(()), |bytes| bytes.write(size, out))
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
            (true, None) => {
                Err(does_not_fit("optional", "is missing, but other fields say it is there"))
            }
            (false, Some(_)) => {
                Err(does_not_fit("optional", "is there, but other fields say it is not"))
            }
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
