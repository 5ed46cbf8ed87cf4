//! THeader and TTHeader: frames with a header of keys and values.
//!
//! Source: "THeader Transport", Apache Thrift (`doc/specs/HeaderFormat.md`); "Transport Protocol
//! TTHeader", CloudWeGo. All numbers are big-endian.
//!
//! ```text
//!           0        4       6       8        12           14
//! THeader   | length | 0fff  | flags | seqid  | words       | header, padded | message
//! TTHeader  | length | 1000  | flags | seqid  | words       | header, padded | message
//! ```
//!
//! `words` is the length of the header in units of four bytes. THeader counts in varints: the
//! protocol, the transforms, then pieces of information, each with its kind in front. TTHeader counts in
//! bytes and numbers of two bytes.

mod read;
mod write;

pub(crate) use self::read::{Header, Key, Pair, read};
pub(crate) use self::write::{Entry, Name, begin, copy, protocol, section};

/// The bytes in front of the header proper.
pub(crate) const FIXED: usize = 14;

/// Information that a request or a response has: keys and values of texts.
const KEY_VALUE: u8 = 1;

/// Information with numbers for keys, in TTHeader.
const INT_KEY_VALUE: u8 = 0x10;

/// A token, in TTHeader.
const ACL_TOKEN: u8 = 0x11;

/// The transform that compresses the message with zlib.
const ZLIB: u64 = 1;
