//! From attributes to a model: what makes sense together, and what does not.

mod choice;
mod layout;
mod mapping;
mod value;

pub(crate) use self::choice::{Use, choice};
pub(crate) use self::layout::{Purpose, layout, names};
pub(crate) use self::mapping::{mapping, variants_protocol};
