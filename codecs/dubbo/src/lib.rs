//! Dubbo 2, the TCP protocol of Apache Dubbo, for metaproto.
//!
//! [`Dubbo::protocol`] is what a proxy is given. Its codec reads the [header](Message) of every message,
//! and of bodies what is asked for: the names of a call, its attachments, arguments that are texts or
//! numbers. Everything else is passed over, never built, and leaves as it came. `docs/dubbo.md` tells
//! what an operator needs to know.
//!
//! ```
//! use metaproto_core::{Bytes, CodecContext, Limits, Metadata, Side};
//! use metaproto_dubbo::Dubbo;
//!
//! let frame = b"\xda\xbb\xc2\0\0\0\0\0\0\0\0\x07\0\0\0\x2e\
//!     \x052.0.2\x11org.example.Users\x051.0.0\x04find\x01I\x95H\x03tag\x01aZ";
//! let context = CodecContext::new(Side::Downstream, Limits::default());
//! let mut codec = Dubbo::protocol().codec(&context);
//! let mut call = Metadata::new();
//! codec.decode(Bytes::from_static(frame), &mut call)?;
//! assert_eq!(call.operation().unwrap().to_text(), "org.example.Users/find");
//! assert_eq!(call.property("argument.0").unwrap().as_int(), Some(5));
//! assert_eq!(call.property("tag").unwrap().to_text(), "a");
//! # Ok::<(), metaproto_core::DecodeError>(())
//! ```
//!
//! # The life of a message
//!
//! `codec` is the contract's side: it reads the header and hands the body to `request` or `response`,
//! which read the same list of values in every serialization (`body`); `change` writes attachments
//! anew. [`hessian`] is the grammar of Dubbo's own serialization.

mod asked;
mod body;
mod change;
mod codec;
mod deadline;
mod explain;
pub mod hessian;
mod message;
mod protocol;
mod request;
mod response;
mod serialization;

pub use self::message::Message;
pub use self::protocol::Dubbo;
pub use self::serialization::Serialization;
