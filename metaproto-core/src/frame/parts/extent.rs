//! How a length or a count is told.

use std::ops::Range;

use bytes::BytesMut;

use super::{Cursor, IntForm, Stop, invalid};
use crate::{EncodeError, Fault};

/// How long something is, or how many there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// A number in front of it says so.
    Prefix(Prefix),
    /// A field elsewhere has said so.
    Given(u64),
    /// Up to the end of the window or the frame.
    Rest,
}

/// A number that says how much follows: `amount / unit + plus`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Prefix {
    /// How the number is written.
    pub form: IntForm,
    /// How many bytes it counts as one; at least 1.
    pub unit: u64,
    /// What it says of nothing.
    pub plus: i64,
}

impl Prefix {
    /// The amount itself, as a number of this form.
    #[must_use]
    pub const fn new(form: IntForm) -> Self {
        Prefix { form, unit: 1, plus: 0 }
    }

    /// Reads the amount.
    ///
    /// # Errors
    /// As [`IntForm::read`]; or it is negative.
    #[inline]
    pub fn read(&self, cursor: &mut Cursor<'_>) -> Result<u64, Stop> {
        let told = self.form.read(cursor)?;
        match u64::try_from(told.saturating_sub(self.plus.into())) {
            Ok(units) => self.scaled(units, cursor),
            Err(_) => Err(too_small(told, cursor)),
        }
    }

    /// Reads the amount; `None` if the number stands for one less than nothing.
    ///
    /// # Errors
    /// As [`read`](Prefix::read); or it is less than that.
    #[inline]
    pub(super) fn read_nullable(&self, cursor: &mut Cursor<'_>) -> Result<Option<u64>, Stop> {
        let told = self.form.read(cursor)?;
        match told.saturating_sub(self.plus.into()) {
            -1 => Ok(None),
            units => match u64::try_from(units) {
                Ok(units) => self.scaled(units, cursor).map(Some),
                Err(_) => Err(too_small(told, cursor)),
            },
        }
    }

    #[inline]
    fn scaled(&self, units: u64, cursor: &Cursor<'_>) -> Result<u64, Stop> {
        let scaled = units.checked_mul(self.unit);
        scaled.ok_or_else(|| cursor.bad(Fault::LengthTooLarge(units)))
    }

    /// What the number says of `amount`; with `None`, of one less than nothing.
    fn told(&self, amount: Option<usize>) -> i128 {
        let units = match amount {
            None => -1,
            // A unit of zero would count nothing, however much there is.
            Some(amount) => (amount as u64).checked_div(self.unit).unwrap_or(amount as u64).into(),
        };
        i128::saturating_add(units, self.plus.into())
    }

    /// How many bytes the number takes.
    #[must_use]
    pub fn size(&self, amount: usize) -> usize {
        self.size_of(Some(amount))
    }

    /// The same, also for one less than nothing.
    pub(super) fn size_of(&self, amount: Option<usize>) -> usize {
        self.form.size(self.told(amount))
    }

    /// Appends the number.
    ///
    /// # Errors
    /// [`EncodeError::InvalidValue`] if it does not fit, or `amount` is no whole number of units.
    pub fn write(&self, amount: usize, out: &mut BytesMut) -> Result<(), EncodeError> {
        self.write_of(Some(amount), out)
    }

    /// The same, also for one less than nothing.
    pub(super) fn write_of(
        &self,
        amount: Option<usize>,
        out: &mut BytesMut,
    ) -> Result<(), EncodeError> {
        let bytes = amount.unwrap_or_default() as u64;
        if bytes.checked_rem(self.unit) != Some(0) {
            return Err(invalid(format!("{bytes} is not a multiple of {}", self.unit)));
        }
        self.form.write(self.told(amount), out)
    }
}

#[cold]
fn too_small(told: i128, cursor: &Cursor<'_>) -> Stop {
    cursor.bad(match u64::try_from(told) {
        Ok(told) => Fault::LengthTooSmall(told),
        Err(_) => Fault::UnknownValue(i64::try_from(told).unwrap_or(i64::MIN)),
    })
}

impl Extent {
    /// The fewest bytes that the number in front takes.
    #[inline]
    #[must_use]
    pub const fn min_size(&self) -> usize {
        match self {
            Extent::Prefix(prefix) => prefix.form.min_size(),
            Extent::Given(_) | Extent::Rest => 0,
        }
    }

    /// Reads the amount; `None` if it is whatever there is.
    ///
    /// # Errors
    /// As [`Prefix::read`].
    #[inline]
    pub fn read(&self, cursor: &mut Cursor<'_>) -> Result<Option<u64>, Stop> {
        match self {
            Extent::Prefix(prefix) => prefix.read(cursor).map(Some),
            Extent::Given(amount) => Ok(Some(*amount)),
            Extent::Rest => Ok(None),
        }
    }

    /// How many bytes the number in front takes.
    #[must_use]
    pub fn size(&self, amount: usize) -> usize {
        match self {
            Extent::Prefix(prefix) => prefix.size(amount),
            Extent::Given(_) | Extent::Rest => 0,
        }
    }

    /// Appends the number in front, if there is one.
    ///
    /// # Errors
    /// [`EncodeError::InvalidValue`] if it does not fit.
    pub fn write(&self, amount: usize, out: &mut BytesMut) -> Result<(), EncodeError> {
        match self {
            Extent::Prefix(prefix) => prefix.write(amount, out),
            Extent::Given(_) | Extent::Rest => Ok(()),
        }
    }

    /// Passes over as many bytes as are told, and tells where they are.
    ///
    /// # Errors
    /// As [`Cursor::advance`].
    #[inline]
    pub fn advance(&self, cursor: &mut Cursor<'_>) -> Result<Range<usize>, Stop> {
        match self.read(cursor)? {
            Some(bytes) => cursor.advance(bytes),
            None => cursor.rest(),
        }
    }
}
