//! Sections of names and values: headers, attachments, tags.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

use bytes::{Bytes, BytesMut};

use super::{Cursor, Extent, IntForm, Prefix, Stop};
use crate::frame::ByteOrder;
use crate::{Change, EncodeError, Fault};

/// How the entries of a section are written: a key, the length of the value, the value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EntryFormat {
    /// What stands in front of the value.
    pub key: EntryKey,
    /// How the length of the value is written.
    pub value: IntForm,
}

/// What an entry is known by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EntryKey {
    /// A text, with its length in front.
    Text(IntForm),
    /// A number.
    Number {
        /// How it is written.
        form: IntForm,
        /// The names of those that have one. Others go by their decimal digits.
        names: &'static [(u64, &'static str)],
    },
}

/// How a section is kept that has not come from a frame.
static OWN: EntryFormat = {
    let form = IntForm::Fixed { width: 4, order: ByteOrder::Big, signed: false };
    EntryFormat { key: EntryKey::Text(form), value: form }
};

/// The place of an entry in the frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its key.
    pub key: Key,
    /// The value.
    pub value: Range<usize>,
}

/// The key of an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Key {
    /// A text, at this place.
    Text(Range<usize>),
    /// A number that has a name.
    Named(&'static str),
    /// A number that has none.
    Number(u64),
}

impl EntryFormat {
    const fn prefix(form: IntForm) -> Extent {
        Extent::Prefix(Prefix { form, unit: 1, plus: 0 })
    }

    /// The fewest bytes that an entry takes.
    #[must_use]
    pub const fn min_size(&self) -> usize {
        let key = match self.key {
            EntryKey::Text(form) | EntryKey::Number { form, .. } => form.min_size(),
        };
        key.saturating_add(self.value.min_size())
    }

    /// Passes over an entry and tells what is where.
    ///
    /// # Errors
    /// As [`Cursor::advance`].
    #[inline]
    pub fn entry(&self, cursor: &mut Cursor<'_>) -> Result<Entry, Stop> {
        let key = match self.key {
            EntryKey::Text(form) => Key::Text(Self::prefix(form).advance(cursor)?),
            EntryKey::Number { form, names } => {
                let number = u64::try_from(form.read(cursor)?)
                    .map_err(|_| cursor.bad(Fault::Other("has a negative tag")))?;
                let named = names.iter().find(|(of, _)| *of == number);
                named.map_or(Key::Number(number), |(_, name)| Key::Named(name))
            }
        };
        let value = Self::prefix(self.value).advance(cursor)?;
        Ok(Entry { key, value })
    }

    /// Appends an entry.
    ///
    /// # Errors
    /// [`EncodeError::InvalidValue`] if something does not fit, or the name is no tag.
    pub fn write(&self, name: &[u8], value: &[u8], out: &mut BytesMut) -> Result<(), EncodeError> {
        match self.key {
            EntryKey::Text(form) => {
                Self::prefix(form).write(name.len(), out)?;
                out.extend_from_slice(name);
            }
            EntryKey::Number { form, names } => {
                let known = names.iter().find(|(_, of)| of.as_bytes().eq_ignore_ascii_case(name));
                let digits = || std::str::from_utf8(name).ok()?.parse::<u64>().ok();
                let number = known.map(|(number, _)| *number).or_else(digits);
                let number = number.ok_or_else(|| EncodeError::InvalidValue {
                    field: "tag",
                    reason: format!("{:?} is no tag", String::from_utf8_lossy(name)).into(),
                })?;
                form.write(i128::from(number), out)?;
            }
        }
        Self::prefix(self.value).write(value.len(), out)?;
        out.extend_from_slice(value);
        Ok(())
    }
}

/// Names and values, in order. Names may come more than once; their case does not matter.
///
/// It holds the bytes of the frame that it has come from; going through it allocates nothing.
///
/// ```
/// use metaproto_core::Section;
///
/// let mut headers = Section::from_pairs([("trace", "1"), ("tenant", "a")])?;
/// headers.set("Trace", "2")?;
/// headers.append("tenant", "b")?;
/// assert_eq!(headers.get("trace"), Some(&b"2"[..]));
/// assert_eq!(format!("{headers:?}"), r#"{"trace": "2", "tenant": "a", "tenant": "b"}"#);
/// # Ok::<(), metaproto_core::EncodeError>(())
/// ```
#[derive(Clone)]
pub struct Section {
    bytes: Bytes,
    format: &'static EntryFormat,
}

impl Section {
    /// One without entries.
    #[must_use]
    pub fn new() -> Self {
        Section { bytes: Bytes::new(), format: &OWN }
    }

    /// One with these entries.
    ///
    /// # Errors
    /// [`EncodeError::InvalidValue`] if one is longer than 4 GiB.
    pub fn from_pairs<N: AsRef<[u8]>, V: AsRef<[u8]>>(
        pairs: impl IntoIterator<Item = (N, V)>,
    ) -> Result<Self, EncodeError> {
        let mut out = BytesMut::new();
        for (name, value) in pairs {
            OWN.write(name.as_ref(), value.as_ref(), &mut out)?;
        }
        Ok(Section { bytes: out.freeze(), format: &OWN })
    }

    /// Entries as they stand in a frame; they have been checked.
    pub(super) fn of_frame(bytes: Bytes, format: &'static EntryFormat) -> Self {
        Section { bytes, format }
    }

    /// How many entries there are. Goes through all of them.
    #[must_use]
    pub fn len(&self) -> usize {
        self.iter().count()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// The entries in order. A number without a name is told by its digits.
    pub fn iter(&self) -> impl Iterator<Item = (Cow<'_, [u8]>, &[u8])> {
        let mut cursor = Cursor::over(&self.bytes);
        std::iter::from_fn(move || {
            if cursor.is_at_end() {
                return None;
            }
            let entry = self.format.entry(&mut cursor).ok()?;
            let bytes = |range| self.bytes.get(range).unwrap_or_default();
            let name = match entry.key {
                Key::Text(range) => Cow::Borrowed(bytes(range)),
                Key::Named(name) => Cow::Borrowed(name.as_bytes()),
                Key::Number(number) => Cow::Owned(number.to_string().into_bytes()),
            };
            Some((name, bytes(entry.value)))
        })
    }

    /// The first value of this name.
    #[must_use]
    pub fn get(&self, name: impl AsRef<[u8]>) -> Option<&[u8]> {
        let name = name.as_ref();
        self.iter().find(|(of, _)| of.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    /// Gives a name this value, in the place of its first; its other values go.
    ///
    /// # Errors
    /// [`EncodeError::InvalidValue`] if it does not fit; nothing is changed then.
    pub fn set(
        &mut self,
        name: impl AsRef<[u8]>,
        value: impl AsRef<[u8]>,
    ) -> Result<(), EncodeError> {
        let (name, value) = (name.as_ref(), value.as_ref());
        let mut missing = true;
        let mut out = self.rebuilt(|of, old| match of.eq_ignore_ascii_case(name) {
            false => Some(old),
            true => std::mem::take(&mut missing).then_some(value),
        })?;
        if missing {
            self.format.write(name, value, &mut out)?;
        }
        self.bytes = out.freeze();
        Ok(())
    }

    /// Adds a value behind all others.
    ///
    /// # Errors
    /// [`EncodeError::InvalidValue`] if it does not fit; nothing is changed then.
    pub fn append(
        &mut self,
        name: impl AsRef<[u8]>,
        value: impl AsRef<[u8]>,
    ) -> Result<(), EncodeError> {
        let mut out = BytesMut::from(&self.bytes[..]);
        self.format.write(name.as_ref(), value.as_ref(), &mut out)?;
        self.bytes = out.freeze();
        Ok(())
    }

    /// Takes out all values of a name.
    ///
    /// # Errors
    /// None that can happen: what is left has been written so before.
    pub fn remove(&mut self, name: impl AsRef<[u8]>) -> Result<(), EncodeError> {
        let name = name.as_ref();
        let keep = |of: &[u8]| !of.eq_ignore_ascii_case(name);
        self.bytes = self.rebuilt(|of, value| keep(of).then_some(value))?.freeze();
        Ok(())
    }

    /// Applies a change.
    ///
    /// # Errors
    /// As [`set`](Section::set).
    pub fn apply(&mut self, change: &Change) -> Result<(), EncodeError> {
        match change {
            Change::Set { name, value } => self.set(name, value),
            Change::Append { name, value } => self.append(name, value),
            Change::Remove { name } => self.remove(name),
        }
    }

    /// The entries with the values that `value` gives them; those without one go. Entries that keep
    /// theirs keep their bytes.
    fn rebuilt<'a>(
        &'a self,
        mut value: impl FnMut(&[u8], &'a [u8]) -> Option<&'a [u8]>,
    ) -> Result<BytesMut, EncodeError> {
        let mut out = BytesMut::with_capacity(self.bytes.len());
        for (name, old) in self.iter() {
            if let Some(value) = value(&name, old) {
                self.format.write(&name, value, &mut out)?;
            }
        }
        Ok(out)
    }

    /// The entries as they are written in a frame.
    pub(super) fn written(&self, format: &EntryFormat) -> Result<Cow<'_, [u8]>, EncodeError> {
        if self.format == format {
            return Ok(Cow::Borrowed(&self.bytes));
        }
        let mut out = BytesMut::with_capacity(self.bytes.len());
        for (name, value) in self.iter() {
            format.write(&name, value, &mut out)?;
        }
        Ok(Cow::Owned(out.to_vec()))
    }
}

impl Default for Section {
    fn default() -> Self {
        Section::new()
    }
}

impl PartialEq for Section {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl Eq for Section {}

impl fmt::Debug for Section {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        f.debug_map().entries(self.iter().map(|(name, value)| (text(&name), text(value)))).finish()
    }
}
