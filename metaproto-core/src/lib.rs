//! The codec contract of metaproto: describe the frames of an RPC protocol once, and a proxy can
//! route, balance, limit, observe and answer errors in that protocol.

// Generated code says `::metaproto_core`, in this crate too.
extern crate self as metaproto_core;

#[cfg(feature = "conformance")]
pub mod conformance;
pub mod frame;
pub mod wire;

mod codec;
mod error;
mod explain;
mod kind;
mod limits;
mod metadata;
mod mutation;
mod output;
mod property;
mod protocol;
mod request_head;
mod status;

pub use bytes::{Bytes, BytesMut};

pub use self::codec::{Codec, FrameLength};
pub use self::error::{DecodeError, EncodeError, Error, ErrorKind, Fault, Scope};
pub use self::explain::{Explanation, Note};
pub use self::frame::parts::{Section, Wire};
pub use self::frame::{Auto, Frame};
pub use self::kind::MessageKind;
pub use self::limits::Limits;
pub use self::metadata::Metadata;
pub use self::mutation::{Change, Mutation};
pub use self::output::Output;
pub use self::property::{IntText, PropertyValue, Source};
pub use self::protocol::{
    Capabilities, CodecContext, Correlation, Interest, MutationSupport, OptionError, Options,
    Probe, PropertyInfo, PropertySchema, Protocol, Sharing, Side, no_options,
};
pub use self::request_head::RequestHead;
pub use self::status::{Status, StatusClass};

#[cfg(feature = "derive")]
#[doc(inline)]
#[doc = include_str!("frame/derive_frame.md")]
pub use metaproto_derive::Frame;

#[cfg(feature = "derive")]
#[doc(inline)]
#[doc = include_str!("frame/derive_wire.md")]
pub use metaproto_derive::Wire;

#[cfg(feature = "derive")]
#[doc(inline)]
#[doc = include_str!("frame/derive_codec.md")]
pub use metaproto_derive::Codec;

/// What generated code names. Not part of the public interface.
#[doc(hidden)]
pub mod __private {
    pub use crate::frame::choice::{
        by_constants, chosen_of, not_chosen, tag_at, unexplained, unknown_variant,
    };
    pub use crate::frame::explain::fields as explain_fields;
    pub use crate::frame::shown::{Shown, operation, push, push_named, time_left, timeout};
    pub use crate::frame::support::{
        bad_constant, given, join, narrow_be, narrow_le, part_error, put, request_id, split, take,
        text, too_wide, total, unknown_kind, widen_be, widen_le, wider_than, wire_length,
        wire_value,
    };
    pub use crate::frame::whole::{
        added_up, again, all_or_nothing, close, count_of, explain, measured, overwrite, part,
        prove, read, read_fixed, read_frame, read_magic, read_plain, read_tag, starts, tag_text,
        unknown_tag, write, write_around, write_fixed, write_plain,
    };
}
