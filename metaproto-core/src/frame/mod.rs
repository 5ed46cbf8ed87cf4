//! Frames with a fixed header, described by a struct: the runtime half of the derives.
//!
//! [`#[derive(Frame)]`](macro@crate::Frame) writes the [`Frame`] of a struct: its layout, for reading
//! and for writing. [`#[derive(Codec)]`](macro@crate::Codec) writes its [`Message`]: what the fields
//! mean. Everything else is here, written once and by hand: [`Derived`] makes a
//! [`Protocol`](crate::Protocol) of any message.

mod auto;
mod codec;
mod explain;
mod field;
mod header;
mod message;
mod protocol;
pub(crate) mod support;

use bytes::{Buf, Bytes, BytesMut};

pub use self::auto::Auto;
pub use self::field::{ByteOrder, Constant, FieldInfo, Format};
pub use self::header::Header;
pub use self::message::{ErrorTable, KindField, Message, Property, Spec, StatusField, Wanted};
pub use self::protocol::Derived;
use crate::{DecodeError, EncodeError, Fault, FrameLength};

/// A struct that is a frame on the wire: a header of fixed size, then perhaps a body.
///
/// Derive it; see [the macro](macro@crate::Frame) for the attributes. Lengths and constants have a
/// place in the struct but no value ([`Auto`]), so they can't be wrong.
///
/// ```
/// use metaproto_core::{Auto, Bytes, BytesMut, Frame, FrameLength};
///
/// #[derive(Debug, PartialEq, Frame)]
/// #[frame(magic = b"HI")]
/// struct Greeting {
///     id: u16,
///     #[frame(length(of = body))]
///     len: Auto<u8>,
///     #[frame(body)]
///     body: Bytes,
/// }
///
/// let greeting = Greeting { id: 7, len: Auto::new(), body: Bytes::from_static(b"hello") };
/// let mut wire = BytesMut::new();
/// greeting.write(&mut wire)?;
/// assert_eq!(&wire[..], b"HI\0\x07\x05hello");
/// assert_eq!(Greeting::HEADER_SIZE, 5);
/// assert_eq!(Greeting::frame_length(&wire[..5])?, FrameLength::Known(10));
/// assert_eq!(Greeting::read(wire.freeze())?, greeting);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a frame",
    label = "its layout is not known",
    note = "add `#[derive(Frame)]` to the struct"
)]
pub trait Frame: Sized {
    /// The header as bytes: `[u8; N]`.
    type Header: Header;

    /// The size of the header in bytes: where the body starts.
    const HEADER_SIZE: usize = <Self::Header as Header>::SIZE;

    /// The longest frame that the layout can tell, in bytes.
    const MAX_LENGTH: u64;

    /// The fields of the header in the order of the wire.
    const FIELDS: &'static [FieldInfo];

    /// The parts of the header that never change.
    const CONSTANTS: &'static [Constant];

    /// A header with every constant and default in place, and zeros elsewhere.
    const TEMPLATE: Self::Header;

    /// The length of the whole frame in bytes, header included, as `header` tells it. Never less
    /// than [`HEADER_SIZE`](Frame::HEADER_SIZE).
    ///
    /// # Errors
    /// [`DecodeError::connection`] if a constant is wrong, or the length impossible.
    fn length(header: &Self::Header) -> Result<usize, DecodeError>;

    /// Makes `header` tell a body of `body_len` bytes.
    ///
    /// # Errors
    /// [`EncodeError::InvalidValue`] if the length does not fit its field. `header` is then as it was.
    fn set_length(header: &mut Self::Header, body_len: usize) -> Result<(), EncodeError>;

    /// The struct that `header` and `body` make. Looks at values only, not at constants and lengths.
    fn from_parts(header: &Self::Header, body: Bytes) -> Self;

    /// The header as it goes on the wire, length included.
    ///
    /// # Errors
    /// [`EncodeError::InvalidValue`] if the body is longer than the length field can tell.
    fn to_header(&self) -> Result<Self::Header, EncodeError>;

    /// What follows the header; empty for frames without a body.
    fn body(&self) -> &[u8];

    /// Tells the length of the frame that starts at `head[0]`, or how many bytes it takes to tell.
    ///
    /// # Errors
    /// As [`length`](Frame::length); a wrong constant is found with its first wrong byte.
    #[inline]
    fn frame_length(head: &[u8]) -> Result<FrameLength, DecodeError> {
        match Self::Header::first(head) {
            Some(header) => Self::length(header).map(FrameLength::Known),
            None if Self::CONSTANTS.is_empty() => Ok(FrameLength::Need(Self::HEADER_SIZE)),
            None => support::short(head, Self::CONSTANTS, Self::HEADER_SIZE),
        }
    }

    /// Reads one whole frame. The body is shared with `frame`, not copied.
    ///
    /// # Errors
    /// As [`length`](Frame::length), and if `frame` is not as long as it says it is.
    fn read(frame: Bytes) -> Result<Self, DecodeError> {
        let header = *Self::Header::first(&frame).ok_or_else(support::truncated)?;
        support::check_total(Self::length(&header)?, frame.len())?;
        let mut body = frame;
        body.advance(Self::HEADER_SIZE.min(body.len()));
        Ok(Self::from_parts(&header, body))
    }

    /// Appends the frame to `out`.
    ///
    /// # Errors
    /// As [`to_header`](Frame::to_header). `out` is then as it was.
    fn write(&self, out: &mut BytesMut) -> Result<(), EncodeError> {
        let header = self.to_header()?;
        out.reserve(Self::HEADER_SIZE.saturating_add(self.body().len()));
        out.extend_from_slice(header.as_slice());
        out.extend_from_slice(self.body());
        Ok(())
    }
}

/// What a frame that is not as long as it says is refused with.
const OVERLONG: Fault = Fault::Other("there are bytes behind its end");
