//! The values of messages, passed over.
//!
//! Source: "Thrift Binary protocol encoding" and "Thrift Compact protocol encoding", Apache Thrift.

#[cfg(test)]
mod generate;
mod kind;
mod scan;
mod transcode;
mod varint;

pub(crate) use self::kind::Kind;
pub(crate) use self::scan::{Progress, Scan};
pub(crate) use self::transcode::Transcoder;
pub(crate) use self::varint::{Varint, unzigzag, varint, write_varint, zigzag};
