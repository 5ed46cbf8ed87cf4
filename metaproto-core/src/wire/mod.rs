//! Checked reading and writing of bytes, for codecs that are written by hand.

mod reader;
mod writer;

pub use self::reader::Reader;
pub use self::writer::{LengthSlot, Writer};
