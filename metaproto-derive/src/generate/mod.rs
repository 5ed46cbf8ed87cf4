//! From the model to code.
//!
//! What is generated is thin: everything that need not be is in `metaproto_core::frame`. It names
//! everything by its absolute path, so that nothing that the user defines or does not import
//! matters.

mod codec;
mod frame;
mod stub;
mod tokens;

pub(crate) use self::codec::codec;
pub(crate) use self::frame::frame;
pub(crate) use self::stub::{codec_stub, frame_stub};
