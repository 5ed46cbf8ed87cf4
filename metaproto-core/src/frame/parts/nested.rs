//! Types that have a layout of their own.

use std::borrow::Cow;
use std::marker::PhantomData;

use bytes::{BufMut, BytesMut};

use super::{Cursor, Part, Progress, Stop, invalid, note_read};
use crate::explain::count;
use crate::frame::explain::type_name;
use crate::{EncodeError, Explanation};

/// A type with a layout of its own, which can be a field of a frame, an item of a list, or alone.
///
/// Derive it, or implement it by hand for what no attribute can say. One that holds others of its
/// own type must do so through [`Nested`], so that bytes can't make us descend for ever.
///
/// ```
/// use metaproto_core::frame::parts::{Cursor, Progress, Stop, Wire};
/// use metaproto_core::{BytesMut, EncodeError, Fault};
///
/// /// A bool that is the letter Y or N.
/// #[derive(Debug, PartialEq)]
/// struct YesNo(bool);
///
/// impl Wire for YesNo {
///     const MIN_SIZE: usize = 1;
///     const SIZE: Option<usize> = Some(1);
///     fn skip(cursor: &mut Cursor<'_>, _: &mut Progress) -> Result<(), Stop> {
///         Self::read(cursor).map(|_| ())
///     }
///     fn read(cursor: &mut Cursor<'_>) -> Result<Self, Stop> {
///         match cursor.array()? {
///             [b'Y'] => Ok(YesNo(true)),
///             [b'N'] => Ok(YesNo(false)),
///             [other] => Err(cursor.bad(Fault::UnknownValue(other.into()))),
///         }
///     }
///     fn size(&self) -> usize {
///         1
///     }
///     fn write(&self, out: &mut BytesMut) -> Result<(), EncodeError> {
///         out.extend_from_slice(if self.0 { b"Y" } else { b"N" });
///         Ok(())
///     }
/// }
///
/// assert_eq!(YesNo::read(&mut Cursor::over(b"Y")), Ok(YesNo(true)));
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` can't be a field of a frame",
    label = "its layout is not known",
    note = "a field is an integer, a float, an array of them, `Bytes`, `String`, `Vec`, `Option` or `Section`",
    note = "for a type of your own add `#[derive(Wire)]`, or say `#[frame(with = module)]`"
)]
pub trait Wire: Sized {
    /// The fewest bytes that it can take.
    const MIN_SIZE: usize;

    /// How many bytes it takes, if that is always the same.
    const SIZE: Option<usize>;

    /// Moves behind it; see [`Part::skip`]. A type of more than one part may start over each time: it
    /// must then give its parts a progress that is not this one.
    ///
    /// # Errors
    /// [`Stop::Need`] if bytes are missing, [`Stop::Bad`] if they are wrong.
    fn skip(cursor: &mut Cursor<'_>, progress: &mut Progress) -> Result<(), Stop>;

    /// Reads it.
    ///
    /// # Errors
    /// As [`skip`](Wire::skip).
    fn read(cursor: &mut Cursor<'_>) -> Result<Self, Stop>;

    /// How many bytes it takes.
    fn size(&self) -> usize;

    /// Appends it to `out`.
    ///
    /// # Errors
    /// [`EncodeError::InvalidValue`] if something does not fit.
    fn write(&self, out: &mut BytesMut) -> Result<(), EncodeError>;

    /// Notes what it says, field by field.
    ///
    /// # Errors
    /// As [`skip`](Wire::skip).
    fn explain(cursor: &mut Cursor<'_>, notes: &mut Explanation) -> Result<(), Stop> {
        let _ = notes;
        Self::skip(cursor, &mut Progress::new())
    }
}

/// A field of such a type.
pub struct Nested<T>(PhantomData<T>);

impl<T> Nested<T> {
    /// The only value there is.
    #[must_use]
    pub const fn new() -> Self {
        Nested(PhantomData)
    }
}

impl<T> Default for Nested<T> {
    fn default() -> Self {
        Nested::new()
    }
}

impl<T: Wire> Part for Nested<T> {
    type Value = T;
    const MIN_SIZE: usize = T::MIN_SIZE;

    fn skip(&self, cursor: &mut Cursor<'_>, progress: &mut Progress) -> Result<(), Stop> {
        cursor.nested(|cursor| T::skip(cursor, progress))
    }

    fn read(&self, cursor: &mut Cursor<'_>) -> Result<T, Stop> {
        cursor.nested(T::read)
    }

    fn size(&self, value: &T) -> usize {
        value.size()
    }

    fn write(&self, value: &T, out: &mut BytesMut) -> Result<(), EncodeError> {
        value.write(out)
    }

    fn explain(
        &self,
        cursor: &mut Cursor<'_>,
        name: Cow<'static, str>,
        notes: &mut Explanation,
    ) -> Result<(), Stop> {
        nested::<T>(cursor, name, notes, T::explain)
    }
}

/// Notes a value of the type `T` and, below it, its fields.
fn nested<T>(
    cursor: &mut Cursor<'_>,
    name: Cow<'static, str>,
    notes: &mut Explanation,
    fields: impl FnOnce(&mut Cursor<'_>, &mut Explanation) -> Result<(), Stop>,
) -> Result<(), Stop> {
    let (start, index) = (cursor.position(), notes.notes().len());
    notes.note(start..start, name.clone(), type_name::<T>());
    let mut result = Ok(());
    notes.nested(|notes| result = cursor.nested(|cursor| fields(cursor, notes)));
    let is_told = notes.notes().len() > index.saturating_add(1);
    match &result {
        _ if is_told => {}
        // Its author has not said how to tell more.
        Ok(()) => notes.revise(index, start..cursor.position(), type_name::<T>().to_owned()),
        Err(stop) => {
            notes.truncate(index);
            notes.fail(start, name, stop);
        }
    }
    result
}

/// A type of which a value elsewhere tells what it is: an enum with a layout for each tag.
pub trait Tagged: Sized {
    /// Checks it and moves behind it.
    ///
    /// # Errors
    /// As [`Wire::skip`]; or nothing has this tag.
    fn skip(tag: u64, cursor: &mut Cursor<'_>, progress: &mut Progress) -> Result<(), Stop>;

    /// Reads it.
    ///
    /// # Errors
    /// As [`skip`](Tagged::skip).
    fn read(tag: u64, cursor: &mut Cursor<'_>) -> Result<Self, Stop>;

    /// Whether it is what this tag tells.
    fn has_tag(&self, tag: u64) -> bool;

    /// How many bytes it takes, without the tag.
    fn size(&self) -> usize;

    /// Appends it to `out`, without the tag.
    ///
    /// # Errors
    /// As [`Wire::write`].
    fn write(&self, out: &mut BytesMut) -> Result<(), EncodeError>;

    /// Notes what it says, field by field.
    ///
    /// # Errors
    /// As [`skip`](Tagged::skip).
    fn explain(tag: u64, cursor: &mut Cursor<'_>, notes: &mut Explanation) -> Result<(), Stop> {
        let _ = notes;
        Self::skip(tag, cursor, &mut Progress::new())
    }
}

/// A field of such a type.
pub struct ByTag<T> {
    pub(super) tag: u64,
    of: PhantomData<T>,
}

impl<T> ByTag<T> {
    /// With this tag.
    #[must_use]
    pub const fn new(tag: u64) -> Self {
        ByTag { tag, of: PhantomData }
    }
}

impl<T: Tagged> Part for ByTag<T> {
    type Value = T;
    const MIN_SIZE: usize = 0;

    fn skip(&self, cursor: &mut Cursor<'_>, progress: &mut Progress) -> Result<(), Stop> {
        cursor.nested(|cursor| T::skip(self.tag, cursor, progress))
    }

    fn read(&self, cursor: &mut Cursor<'_>) -> Result<T, Stop> {
        cursor.nested(|cursor| T::read(self.tag, cursor))
    }

    fn size(&self, value: &T) -> usize {
        value.size()
    }

    fn write(&self, value: &T, out: &mut BytesMut) -> Result<(), EncodeError> {
        match value.has_tag(self.tag) {
            true => value.write(out),
            false => Err(invalid(format!("is not what the tag {} tells", self.tag))),
        }
    }

    fn explain(
        &self,
        cursor: &mut Cursor<'_>,
        name: Cow<'static, str>,
        notes: &mut Explanation,
    ) -> Result<(), Stop> {
        nested::<T>(cursor, name, notes, |cursor, notes| T::explain(self.tag, cursor, notes))
    }
}

/// Bytes that mean nothing: so many, and then as many as it takes to get to a multiple of something,
/// counted from the start of the frame, or of the value within it.
#[derive(Debug, Clone, Copy)]
pub struct Padding {
    skip: usize,
    align: usize,
    origin: usize,
}

impl Padding {
    /// `skip` bytes, then up to a multiple of `align`, a power of two.
    #[must_use]
    pub const fn new(skip: usize, align: usize) -> Self {
        Padding { skip, align, origin: 0 }
    }

    /// The same, for what starts at this place of the frame.
    #[must_use]
    pub const fn from(mut self, origin: usize) -> Self {
        self.origin = origin;
        self
    }

    /// How many bytes there are at this place, counted from the origin.
    #[must_use]
    pub fn len(&self, position: usize) -> usize {
        let end = position.saturating_add(self.skip);
        let end = end.checked_next_multiple_of(self.align.max(1)).unwrap_or(end);
        end.saturating_sub(position)
    }

    /// Appends it; `position` is where it starts, counted from the origin.
    pub fn fill(&self, position: usize, out: &mut BytesMut) {
        out.put_bytes(0, self.len(position));
    }
}

impl Part for Padding {
    type Value = ();
    const MIN_SIZE: usize = 0;

    #[inline]
    fn min_size(&self) -> usize {
        self.skip
    }

    fn skip(&self, cursor: &mut Cursor<'_>, _: &mut Progress) -> Result<(), Stop> {
        let len = self.len(cursor.position().saturating_sub(self.origin));
        cursor.advance(len as u64).map(|_| ())
    }

    fn read(&self, cursor: &mut Cursor<'_>) -> Result<(), Stop> {
        self.skip(cursor, &mut Progress::new())
    }

    fn explain(
        &self,
        cursor: &mut Cursor<'_>,
        name: Cow<'static, str>,
        notes: &mut Explanation,
    ) -> Result<(), Stop> {
        match self.len(cursor.position().saturating_sub(self.origin)) {
            0 => Ok(()),
            len => note_read(cursor, name, notes, |cursor| {
                cursor.advance(len as u64).map(|_| count(len))
            }),
        }
    }

    fn size(&self, (): &()) -> usize {
        self.skip
    }

    fn write(&self, (): &(), out: &mut BytesMut) -> Result<(), EncodeError> {
        out.put_bytes(0, self.skip);
        Ok(())
    }
}
