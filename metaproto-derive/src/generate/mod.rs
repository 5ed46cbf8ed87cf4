//! From the model to code.
//!
//! What is generated is thin: everything that need not be is in `metaproto_core::frame`. It names
//! everything by its absolute path, so that nothing that the user defines or does not import
//! matters.

mod bindings;
mod bits;
mod checksum;
mod codec;
mod frame;
mod head;
mod shape;
mod stub;
mod tokens;
mod walk;
mod write;

pub(crate) use self::codec::codec;
pub(crate) use self::frame::frame;
use self::frame::is_plain;
pub(crate) use self::stub::{codec_stub, frame_stub};
