//! Sections of names and values: headers, attachments, tags.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

use bytes::{Bytes, BytesMut};

use super::{Cursor, IntForm, Prefix, Stop, invalid};
use crate::frame::ByteOrder;
use crate::{Change, EncodeError, Fault};

/// How the entries of a section are written: a key, the length of the value, the value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EntryFormat {
    /// What stands in front of the value.
    pub key: EntryKey,
    /// How the length of the value is written. One with a sign may be -1, which reads as an empty
    /// value.
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

/// The key that goes by a name.
#[derive(Debug, Clone, Copy)]
enum Named<'a> {
    Text(&'a [u8]),
    Number(u64),
    /// There is none.
    Nothing,
}

impl EntryFormat {
    /// The fewest bytes that an entry takes.
    #[inline]
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
            EntryKey::Text(form) => Key::Text(content(form, cursor)?),
            EntryKey::Number { form, .. } => {
                let number = form.read(cursor)?;
                let key = u64::try_from(number).map_err(|_| no_key(number, cursor))?;
                self.name(key).map_or(Key::Number(key), Key::Named)
            }
        };
        let value = content(self.value, cursor)?;
        Ok(Entry { key, value })
    }

    /// What a number is called.
    fn name(&self, number: u64) -> Option<&'static str> {
        match self.key {
            EntryKey::Text(_) => None,
            EntryKey::Number { names, .. } => {
                names.iter().find(|(of, _)| *of == number).map(|(_, name)| *name)
            }
        }
    }

    /// The key that goes by this name: a number goes by its own name and by its digits.
    fn named<'a>(&self, name: &'a [u8]) -> Named<'a> {
        let EntryKey::Number { names, .. } = self.key else { return Named::Text(name) };
        let known = names.iter().find(|(_, of)| of.as_bytes().eq_ignore_ascii_case(name));
        let digits = || std::str::from_utf8(name).ok()?.parse().ok();
        let number = known.map(|(number, _)| *number).or_else(digits);
        number.map_or(Named::Nothing, Named::Number)
    }

    /// Appends an entry.
    ///
    /// # Errors
    /// [`EncodeError::InvalidValue`] if something does not fit, or the name is no tag.
    pub fn write(&self, name: &[u8], value: &[u8], out: &mut BytesMut) -> Result<(), EncodeError> {
        match (self.key, self.named(name)) {
            (EntryKey::Text(form), _) => {
                Prefix::new(form).write(name.len(), out)?;
                out.extend_from_slice(name);
            }
            (EntryKey::Number { form, .. }, Named::Number(number)) => {
                form.write(i128::from(number), out)?;
            }
            _ => {
                let name = String::from_utf8_lossy(name);
                return Err(invalid(format!("{name:?} is no tag")));
            }
        }
        Prefix::new(self.value).write(value.len(), out)?;
        out.extend_from_slice(value);
        Ok(())
    }
}

impl Named<'_> {
    /// Whether it is the key of an entry that stands in `bytes`.
    fn is(&self, key: &Key, format: &EntryFormat, bytes: &[u8]) -> bool {
        match (self, key) {
            (Named::Text(name), Key::Text(range)) => {
                bytes.get(range.clone()).is_some_and(|text| text.eq_ignore_ascii_case(name))
            }
            (Named::Number(named), Key::Number(number)) => named == number,
            (Named::Number(named), Key::Named(name)) => format.name(*named) == Some(name),
            _ => false,
        }
    }
}

/// Moves behind bytes with their length in front, and tells where they are.
#[inline]
fn content(form: IntForm, cursor: &mut Cursor<'_>) -> Result<Range<usize>, Stop> {
    let prefix = Prefix::new(form);
    let length = match form.is_signed() {
        true => prefix.read_nullable(cursor)?.unwrap_or_default(),
        false => prefix.read(cursor)?,
    };
    cursor.advance(length)
}

#[cold]
fn no_key(number: i128, cursor: &Cursor<'_>) -> Stop {
    cursor.bad(Fault::UnknownValue(i64::try_from(number).unwrap_or(i64::MIN)))
}

/// The name of an entry, and its value.
pub type NameAndValue<'a> = (Cow<'a, [u8]>, &'a [u8]);

/// Names and values, in order. Names may come more than once; their case does not matter.
///
/// It holds the bytes of the frame that it has come from; going through it allocates nothing but the
/// digits of numbers that have no name. What is not changed keeps its bytes and its place.
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
    /// Always whole entries of this format.
    bytes: Bytes,
    len: usize,
    format: &'static EntryFormat,
}

impl Section {
    /// One without entries.
    #[must_use]
    pub fn new() -> Self {
        Section { bytes: Bytes::new(), len: 0, format: &OWN }
    }

    /// One with these entries.
    ///
    /// # Errors
    /// [`EncodeError::InvalidValue`] if one is longer than 4 GiB.
    pub fn from_pairs<N: AsRef<[u8]>, V: AsRef<[u8]>>(
        pairs: impl IntoIterator<Item = (N, V)>,
    ) -> Result<Self, EncodeError> {
        let (mut out, mut len) = (BytesMut::new(), 0_usize);
        for (name, value) in pairs {
            OWN.write(name.as_ref(), value.as_ref(), &mut out)?;
            len = len.saturating_add(1);
        }
        Ok(Section { bytes: out.freeze(), len, format: &OWN })
    }

    /// Entries as they stand in a frame; they have been checked.
    pub(super) fn of_frame(bytes: Bytes, len: usize, format: &'static EntryFormat) -> Self {
        Section { bytes, len, format }
    }

    /// How many entries there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The entries in order. A number without a name is told by its digits.
    pub fn iter(&self) -> impl Iterator<Item = NameAndValue<'_>> {
        self.places().map(|(_, entry)| (self.name(entry.key), self.slice(entry.value)))
    }

    /// The first value of this name.
    #[must_use]
    pub fn get(&self, name: impl AsRef<[u8]>) -> Option<&[u8]> {
        let named = self.format.named(name.as_ref());
        let found = self.places().find(|(_, entry)| self.is(named, entry));
        found.map(|(_, entry)| self.slice(entry.value))
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
        let named = self.format.named(name);
        let mut out = BytesMut::with_capacity(self.bytes.len());
        let (mut len, mut missing) = (0_usize, true);
        for (start, entry) in self.places() {
            if !self.is(named, &entry) {
                out.extend_from_slice(self.slice(start..entry.value.end));
            } else if std::mem::take(&mut missing) {
                // The name keeps its case.
                self.format.write(&self.name(entry.key), value, &mut out)?;
            } else {
                continue;
            }
            len = len.saturating_add(1);
        }
        if missing {
            self.format.write(name, value, &mut out)?;
            len = len.saturating_add(1);
        }
        (self.bytes, self.len) = (out.freeze(), len);
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
        (self.bytes, self.len) = (out.freeze(), self.len.saturating_add(1));
        Ok(())
    }

    /// Takes out all values of a name.
    pub fn remove(&mut self, name: impl AsRef<[u8]>) {
        let named = self.format.named(name.as_ref());
        if !self.places().any(|(_, entry)| self.is(named, &entry)) {
            return;
        }
        let mut out = BytesMut::with_capacity(self.bytes.len());
        let mut len = 0_usize;
        for (start, entry) in self.places().filter(|(_, entry)| !self.is(named, entry)) {
            out.extend_from_slice(self.slice(start..entry.value.end));
            len = len.saturating_add(1);
        }
        (self.bytes, self.len) = (out.freeze(), len);
    }

    /// Applies a change.
    ///
    /// # Errors
    /// As [`set`](Section::set).
    pub fn apply(&mut self, change: &Change) -> Result<(), EncodeError> {
        match change {
            Change::Set { name, value } => self.set(name, value),
            Change::Append { name, value } => self.append(name, value),
            Change::Remove { name } => {
                self.remove(name);
                Ok(())
            }
        }
    }

    /// Where each entry starts, and what is where in it.
    fn places(&self) -> impl Iterator<Item = (usize, Entry)> {
        let mut cursor = Cursor::over(&self.bytes);
        std::iter::repeat_n((), self.len)
            .map_while(move |()| Some((cursor.position(), self.format.entry(&mut cursor).ok()?)))
    }

    fn name(&self, key: Key) -> Cow<'_, [u8]> {
        match key {
            Key::Text(range) => Cow::Borrowed(self.slice(range)),
            Key::Named(name) => Cow::Borrowed(name.as_bytes()),
            Key::Number(number) => Cow::Owned(number.to_string().into_bytes()),
        }
    }

    fn is(&self, named: Named<'_>, entry: &Entry) -> bool {
        named.is(&entry.key, self.format, &self.bytes)
    }

    fn slice(&self, range: Range<usize>) -> &[u8] {
        self.bytes.get(range).unwrap_or_default()
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
