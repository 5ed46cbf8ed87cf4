//! Apache Thrift for metaproto: framed, unframed, THeader and TTHeader, in the binary and the compact
//! protocol.
//!
//! | transport | as configured | what it is |
//! |---|---|---|
//! | framed | `framed` | a length of four bytes, then the message |
//! | unframed, buffered | `unframed` | the message alone: its end is found by going through it |
//! | THeader | `header` | frames with a header of keys and values, and perhaps compressed with zlib |
//! | TTHeader | `ttheader` | CloudWeGo's, as Kitex and Volo speak it |
//!
//! [`Thrift::protocol`] is what a proxy is given. Its codec tells the transport by the first bytes of a
//! connection, finds the end of messages that have no length, and reads of each message its envelope and
//! its headers; arguments only if somebody asks for one.

mod asked;
mod change;
mod codec;
mod deadline;
mod describe;
mod dialect;
mod envelope;
mod fields;
mod header;
mod message;
mod plain;
mod protocol;
mod reply;
mod translate;
mod value;
mod zlib;

pub use self::dialect::{Encoding, Transport};
pub use self::protocol::Thrift;
