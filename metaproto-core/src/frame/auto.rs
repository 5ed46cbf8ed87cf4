//! A field that has a place on the wire and no value in memory.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::marker::PhantomData;

/// A field whose value follows from the rest of the frame: a length, a constant.
///
/// It takes as many bytes on the wire as a `T`, and none in memory. There is nothing to set, so
/// there is nothing to forget: the value is made when the frame is written, and checked when it is
/// read.
pub struct Auto<T>(PhantomData<T>);

impl<T> Auto<T> {
    /// The only value there is.
    #[must_use]
    pub const fn new() -> Self {
        Auto(PhantomData)
    }
}

// By hand: derived ones would ask the same of `T`.
impl<T> Clone for Auto<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Auto<T> {}

impl<T> Default for Auto<T> {
    fn default() -> Self {
        Auto::new()
    }
}

impl<T> PartialEq for Auto<T> {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl<T> Eq for Auto<T> {}

impl<T> Hash for Auto<T> {
    fn hash<H: Hasher>(&self, _: &mut H) {}
}

impl<T> fmt::Debug for Auto<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Auto")
    }
}
