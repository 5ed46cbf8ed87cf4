//! Numbers and arrays of them.

use std::borrow::Cow;
use std::marker::PhantomData;
use std::ops::Range;

use bytes::BytesMut;

use super::{Content, Cursor, IntForm, Part, Progress, Stop, invalid, note_read};
use crate::explain::content;
use crate::frame::ByteOrder;
use crate::{EncodeError, Explanation, Fault};

/// A number type that a field can have.
pub trait Numeric: Copy + std::str::FromStr + sealed::Sealed {
    /// Its size in memory.
    const SIZE: usize;

    /// Whether it is a whole number that may be negative.
    const SIGNED: bool;

    /// The number that these bits are; `None` if it is out of range.
    fn from_wire(value: i128) -> Option<Self>;

    /// Its bits, sign-extended.
    fn to_wire(self) -> i128;

    /// The number as a property.
    fn content(self) -> Content;

    /// The number for people.
    fn shown(self) -> String;
}

mod sealed {
    pub trait Sealed {}
}

macro_rules! integers {
    ($($type:ident)*) => {$(
        impl sealed::Sealed for $type {}
        impl Numeric for $type {
            const SIZE: usize = size_of::<$type>();
            #[allow(unused_comparisons, reason = "for those that have no sign")]
            const SIGNED: bool = $type::MIN < 0;
            #[inline]
            fn from_wire(value: i128) -> Option<Self> {
                $type::try_from(value).ok()
            }
            #[inline]
            fn to_wire(self) -> i128 {
                i128::from(self)
            }
            fn content(self) -> Content {
                Content::Int(i128::from(self))
            }
            fn shown(self) -> String {
                self.to_string()
            }
        }
    )*};
}

integers! { u8 u16 u32 u64 i8 i16 i32 i64 i128 }

impl sealed::Sealed for u128 {}
impl Numeric for u128 {
    const SIZE: usize = 16;
    const SIGNED: bool = false;
    #[inline]
    fn from_wire(value: i128) -> Option<Self> {
        Some(value as u128)
    }
    #[inline]
    fn to_wire(self) -> i128 {
        self as i128
    }
    fn content(self) -> Content {
        i128::try_from(self).map_or(Content::Absent, Content::Int)
    }
    fn shown(self) -> String {
        self.to_string()
    }
}

macro_rules! floats {
    ($($type:ident $bits:ident)*) => {$(
        impl sealed::Sealed for $type {}
        impl Numeric for $type {
            const SIZE: usize = size_of::<$type>();
            const SIGNED: bool = false;
            #[inline]
            fn from_wire(value: i128) -> Option<Self> {
                $bits::try_from(value).ok().map($type::from_bits)
            }
            #[inline]
            fn to_wire(self) -> i128 {
                i128::from(self.to_bits())
            }
            fn content(self) -> Content {
                Content::Absent
            }
            fn shown(self) -> String {
                self.to_string()
            }
        }
    )*};
}

floats! { f32 u32 f64 u64 }

/// One number.
#[derive(Debug, Clone, Copy)]
pub struct Number<T> {
    form: IntForm,
    of: PhantomData<T>,
}

impl<T> Number<T> {
    /// A number that is written so.
    #[must_use]
    pub const fn new(form: IntForm) -> Self {
        Number { form, of: PhantomData }
    }
}

impl<T: Numeric> Part for Number<T> {
    type Value = T;
    const MIN_SIZE: usize = 1;

    #[inline]
    fn min_size(&self) -> usize {
        self.form.min_size()
    }

    #[inline]
    fn skip(&self, cursor: &mut Cursor<'_>, _: &mut Progress) -> Result<(), Stop> {
        match cursor.is_open() {
            true => self.form.skip(cursor),
            false => self.read(cursor).map(|_| ()),
        }
    }

    #[inline]
    fn read(&self, cursor: &mut Cursor<'_>) -> Result<T, Stop> {
        let value = self.form.read(cursor)?;
        // Only a number of 16 bytes without a sign may look negative and not be it.
        let is_negative = value < 0 && !self.form.wraps();
        let is_beyond = value < 0 && self.form.wraps() && T::SIGNED;
        let value = if is_beyond || is_negative && !T::SIGNED { None } else { T::from_wire(value) };
        value.ok_or_else(|| cursor.bad(Fault::Other("does not fit its type")))
    }

    fn explain(
        &self,
        cursor: &mut Cursor<'_>,
        name: Cow<'static, str>,
        notes: &mut Explanation,
    ) -> Result<(), Stop> {
        note_read(cursor, name, notes, |cursor| self.read(cursor).map(Numeric::shown))
    }

    #[inline]
    fn size(&self, value: &T) -> usize {
        self.form.size(value.to_wire())
    }

    #[inline]
    fn write(&self, value: &T, out: &mut BytesMut) -> Result<(), EncodeError> {
        let wire = value.to_wire();
        // A number of 16 bytes may look negative and not be it, or the other way round.
        match wire < 0 && T::SIGNED == self.form.wraps() {
            true => Err(invalid("does not fit")),
            false => self.form.write(wire, out),
        }
    }

    fn property(&self, frame: &[u8], range: Range<usize>) -> Content {
        let mut cursor = Cursor::over(frame);
        cursor.seek(range.start);
        self.read(&mut cursor).map_or(Content::Absent, Numeric::content)
    }

    fn parse(&self, text: &str) -> Result<T, EncodeError> {
        text.parse().map_err(|_| invalid(format!("{text:?} is not a number that fits")))
    }
}

/// A fixed number of numbers.
#[derive(Debug, Clone, Copy)]
pub struct Array<T, const N: usize> {
    order: ByteOrder,
    of: PhantomData<T>,
}

impl<T, const N: usize> Array<T, N> {
    /// Numbers whose bytes are in this order.
    #[must_use]
    pub const fn new(order: ByteOrder) -> Self {
        Array { order, of: PhantomData }
    }
}

/// The items of an array that are shown.
const SHOWN: usize = 16;

impl<T: Numeric, const N: usize> Array<T, N> {
    fn shown(items: &[T; N]) -> String {
        let shown: Vec<String> = items.iter().take(SHOWN).map(|item| item.shown()).collect();
        let more = if N > SHOWN { format!(", ... ({N})") } else { String::new() };
        format!("[{}{more}]", shown.join(", "))
    }

    fn form(&self) -> IntForm {
        // Floats are read as their bits, which have no sign.
        IntForm::Fixed { width: T::SIZE as u8, order: self.order, signed: T::SIGNED }
    }
}

impl<T: Numeric, const N: usize> Part for Array<T, N> {
    type Value = [T; N];
    const MIN_SIZE: usize = N.saturating_mul(T::SIZE);

    #[inline]
    fn skip(&self, cursor: &mut Cursor<'_>, _: &mut Progress) -> Result<(), Stop> {
        cursor.advance(Self::MIN_SIZE as u64).map(|_| ())
    }

    fn read(&self, cursor: &mut Cursor<'_>) -> Result<[T; N], Stop> {
        let zero = T::from_wire(0).ok_or_else(|| cursor.bad(Fault::Truncated))?;
        let mut items = [zero; N];
        for item in &mut items {
            *item = Number::new(self.form()).read(cursor)?;
        }
        Ok(items)
    }

    fn explain(
        &self,
        cursor: &mut Cursor<'_>,
        name: Cow<'static, str>,
        notes: &mut Explanation,
    ) -> Result<(), Stop> {
        note_read(cursor, name, notes, |cursor| {
            let start = cursor.position();
            let items = self.read(cursor)?;
            Ok(match T::SIZE {
                1 => content(cursor.bytes(start..cursor.position())),
                _ => Self::shown(&items),
            })
        })
    }

    fn size(&self, _: &[T; N]) -> usize {
        Self::MIN_SIZE
    }

    fn write(&self, value: &[T; N], out: &mut BytesMut) -> Result<(), EncodeError> {
        value.iter().try_for_each(|item| self.form().write(item.to_wire(), out))
    }

    fn property(&self, frame: &[u8], range: Range<usize>) -> Content {
        if T::SIZE != 1 {
            return Content::Absent;
        }
        let bytes = frame.get(range.clone()).unwrap_or_default();
        let len =
            bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last.saturating_add(1));
        Content::Text(range.start..range.start.saturating_add(len))
    }

    fn parse(&self, text: &str) -> Result<[T; N], EncodeError> {
        let invalid = |reason| EncodeError::InvalidValue { field: "property", reason };
        if T::SIZE != 1 {
            return Err(EncodeError::Unsupported("setting a list of numbers"));
        }
        if text.len() > N {
            return Err(invalid(format!("{text:?} is longer than {N} bytes").into()));
        }
        if text.ends_with('\0') {
            return Err(invalid("ends in a zero, which would be padding".into()));
        }
        let bytes = text.bytes().chain(std::iter::repeat(0));
        let items = bytes.take(N).map(|byte| T::from_wire(i128::from(byte)));
        let items: Option<Vec<T>> = items.collect();
        let items = items.and_then(|items| items.try_into().ok());
        items.ok_or_else(|| invalid("is not text".into()))
    }
}
