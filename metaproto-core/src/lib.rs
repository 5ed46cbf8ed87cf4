//! The codec contract of metaproto: describe the frames of an RPC protocol once, and a proxy can
//! route, balance, limit, observe and answer errors in that protocol.

#[cfg(feature = "conformance")]
pub mod conformance;
pub mod wire;

mod codec;
mod error;
mod limits;
mod metadata;
mod mutation;
mod output;
mod protocol;
mod status;

pub use bytes::{Bytes, BytesMut};

pub use self::codec::{Codec, FrameLength};
pub use self::error::{DecodeError, EncodeError, Error, ErrorKind, Fault, Scope};
pub use self::limits::Limits;
pub use self::metadata::{IntText, MessageKind, Metadata, PropertyValue, RequestHead};
pub use self::mutation::{Change, Mutation};
pub use self::output::Output;
pub use self::protocol::{
    Capabilities, CodecContext, Correlation, Interest, MutationSupport, OptionError, Options,
    Probe, PropertyInfo, PropertySchema, Protocol, Sharing, Side, no_options,
};
pub use self::status::{Status, StatusClass};
