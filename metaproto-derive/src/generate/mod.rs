//! From the model to code.
//!
//! What is generated is thin: everything that need not be is in `metaproto_core::frame`. It names
//! everything by its absolute path, so that nothing that the user defines or does not import
//! matters.

mod bindings;
mod bits;
mod checksum;
mod choice;
mod codec;
mod frame;
mod frames;
mod head;
mod lengths;
mod shape;
mod sizes;
mod stub;
mod tokens;
mod walk;
mod wire;
mod write;

pub(crate) use self::choice::wire_choice;
pub(crate) use self::codec::codec;
pub(crate) use self::frame::frame;
use self::frame::is_plain;
pub(crate) use self::frames::{ProtocolOf, frames, messages};
pub(crate) use self::stub::{codec_stub, frame_stub, frames_stub, wire_stub};
pub(crate) use self::wire::wire;
