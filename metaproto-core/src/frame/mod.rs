//! Frames described by a struct: the runtime half of the derives.
//!
//! [`#[derive(Frame)]`](macro@crate::Frame) writes the [`Frame`] of a struct: its layout, for reading
//! and for writing. [`#[derive(Codec)]`](macro@crate::Codec) writes its [`Message`]: what the fields
//! mean. Everything else is here, written once and by hand: [`Derived`] makes a
//! [`Protocol`](crate::Protocol) of any message.

mod asked;
mod auto;
mod change;
pub(crate) mod choice;
mod codec;
pub(crate) mod explain;
mod field;
mod header;
mod located;
mod message;
mod messages;
pub mod parts;
mod place;
mod protocol;
pub(crate) mod shown;
mod spec;
pub(crate) mod support;
mod variants;
pub(crate) mod whole;

use std::fmt;
use std::ops::Range;

use bytes::{Bytes, BytesMut};

pub use self::asked::{Asked, Entries, Wanted};
pub use self::auto::Auto;
pub use self::choice::{Chosen, Frames};
pub use self::codec::MessageCodec;
pub use self::field::{BitsInfo, ByteOrder, Constant, FieldInfo, Format};
pub use self::header::Header;
pub use self::located::{Located, Places};
pub use self::message::Message;
pub use self::messages::{Variant, Variants};
use self::parts::{Cursor, Stop};
pub use self::place::Place;
pub use self::protocol::Derived;
pub use self::spec::{ErrorTable, KindField, Property, SectionSpec, Spec, StatusField};
use crate::{DecodeError, EncodeError, Explanation, Fault, FrameLength};

/// A struct that is a frame on the wire: a header, then perhaps a body, then perhaps a trailer.
///
/// The header has a part of fixed size, in which every field has its place, and behind it parts whose
/// place depends on the frame. Derive it; see [the macro](macro@crate::Frame) for the attributes.
/// Lengths and constants have a place in the struct but no value ([`Auto`]), so they can't be wrong.
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
/// assert_eq!((Greeting::HEADER_SIZE, Greeting::LENGTH_NEEDS), (5, 5));
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
    /// The fixed part of the header as bytes: `[u8; N]`.
    type Header: Header;

    /// The first bytes of it, as many as tell the length.
    type Prefix: Header;

    /// The size of each part: `[usize; N]`.
    type Sizes: Places;

    /// Where each part starts, and, last, where the body does: `[usize; N + 1]`.
    type Starts: Places;

    /// The size of the fixed part of the header in bytes. If there are no [`PARTS`](Frame::PARTS),
    /// the body starts here.
    const HEADER_SIZE: usize = <Self::Header as Header>::SIZE;

    /// The size in bytes of what follows the body.
    const TRAILER_SIZE: usize;

    /// How many bytes it takes at least to tell the length of a frame. Unless the frame
    /// [is scanned](Frame::IS_SCANNED), so many are always enough.
    const LENGTH_NEEDS: usize = <Self::Prefix as Header>::SIZE;

    /// The longest frame that the layout can tell, in bytes.
    const MAX_LENGTH: u64;

    /// The longest header that is read of a frame whose length is found by going through the header,
    /// in bytes.
    const MAX_HEADER: usize = 64 << 10;

    /// Whether the length is found by going through the header, part by part, because no field of
    /// the fixed part tells it.
    const IS_SCANNED: bool;

    /// Whether there is nothing but a fixed part and perhaps a body.
    const IS_FIXED: bool = Self::PARTS.is_empty() && Self::TRAILER_SIZE == 0 && !Self::IS_SCANNED;

    /// The fields of the fixed part in the order of the wire.
    const FIELDS: &'static [FieldInfo];

    /// The names of the parts behind them.
    const PARTS: &'static [&'static str];

    /// The fields behind the body in the order of the wire; their offsets count from its end.
    const TRAILER: &'static [FieldInfo] = &[];

    /// What never changes in the fixed part.
    const CONSTANTS: &'static [Constant];

    /// A fixed part with every constant and default in place, and zeros elsewhere.
    const TEMPLATE: Self::Header;

    /// The length of the whole frame in bytes, header included, as its first bytes tell it. Never
    /// less than [`HEADER_SIZE`](Frame::HEADER_SIZE). `None` if the frame is
    /// [scanned](Frame::IS_SCANNED).
    ///
    /// # Errors
    /// [`DecodeError::connection`] if a constant is wrong, or the length impossible.
    fn length(prefix: &Self::Prefix) -> Result<Option<usize>, DecodeError>;

    /// Makes `header` tell parts of these sizes, and a body of `body` bytes.
    ///
    /// # Errors
    /// [`EncodeError::InvalidValue`] if a length does not fit its field. `header` is of no use then.
    fn set_lengths(
        header: &mut Self::Header,
        sizes: &Self::Sizes,
        body: usize,
    ) -> Result<(), EncodeError>;

    /// Finds the parts. Goes on from where it had to stop, if `located` comes from such a call.
    ///
    /// # Errors
    /// [`Stop::Need`] if bytes are missing, [`Stop::Bad`] if they are wrong.
    fn locate(cursor: &mut Cursor<'_>, located: &mut Located<Self::Starts>) -> Result<(), Stop> {
        let _ = cursor;
        located.begin(Self::HEADER_SIZE);
        Ok(())
    }

    /// Proves the checksums and the constants behind the body.
    ///
    /// # Errors
    /// [`DecodeError::message`] for the first that is wrong.
    fn verify(frame: &[u8], starts: &Self::Starts) -> Result<(), DecodeError> {
        let _ = (frame, starts);
        Ok(())
    }

    /// Tells `each` of every checksum: its name, where it stands, and the bytes that are right.
    ///
    /// # Errors
    /// What `each` fails with.
    #[doc(hidden)]
    #[inline]
    fn checksums<E>(
        frame: &[u8],
        starts: &Self::Starts,
        each: impl FnMut(&'static str, Range<usize>, &[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        let _ = (frame, starts, each);
        Ok(())
    }

    /// Reads one whole frame. The body is shared with `frame`, not copied.
    ///
    /// # Errors
    /// As [`length`](Frame::length), for values that are wrong, and if `frame` is not as long as it
    /// says it is.
    fn read(frame: Bytes) -> Result<Self, DecodeError>;

    /// Reads the values of a frame that is whole. What [`read`](Frame::read) does after it has looked
    /// at the length.
    ///
    /// # Errors
    /// [`Stop::Bad`] for a value that is wrong.
    #[doc(hidden)]
    fn read_from(cursor: &mut Cursor<'_>) -> Result<Self, Stop> {
        let frame = cursor.share(0..cursor.end());
        Self::read(frame).map_err(Stop::Bad)
    }

    /// Appends the frame to `out`.
    ///
    /// # Errors
    /// [`EncodeError::InvalidValue`] if something is longer than its length can tell, or a value
    /// wider than its place. `out` is then as it was.
    fn write(&self, out: &mut BytesMut) -> Result<(), EncodeError>;

    /// Appends a frame with this header and body, whose parts nobody has filled in.
    ///
    /// # Errors
    /// As [`write`](Frame::write).
    #[doc(hidden)]
    fn write_filled(
        header: Self::Header,
        body: &[u8],
        out: &mut BytesMut,
    ) -> Result<(), EncodeError> {
        whole::write_header::<Self>(header, body, out)
    }

    /// What follows the header; empty for frames without a body.
    fn body(&self) -> &[u8];

    /// How many bytes the frame takes on the wire.
    fn size(&self) -> usize;

    /// Tells the frame at the front of `bytes` field by field: printed, it is an annotated hex dump.
    ///
    /// It takes any bytes. Of a frame that is cut off or wrong it tells as much as there is, and then
    /// where and why it stops: [`Explanation::error`] is `None` if and only if the frame is whole and
    /// can be [read](Frame::read).
    ///
    /// ```
    /// use metaproto_core::{Auto, Bytes, Frame};
    ///
    /// #[derive(Frame)]
    /// struct Greeting {
    ///     #[frame(bits(loud = 0, mood = 1..=3))]
    ///     flags: u8,
    ///     #[frame(length(of = body))]
    ///     len: Auto<u8>,
    ///     #[frame(body)]
    ///     body: Bytes,
    /// }
    ///
    /// let expected = "\
    /// 0000  05                       .         flags   5 (0x05)
    ///                                            loud  true (bit 0)
    ///                                            mood  2 (bits 1 to 3)
    /// 0001  02                       .         len     2 (0x02)
    /// 0002  68 69                    hi        body    2 bytes
    /// ";
    /// assert_eq!(Greeting::explain(b"\x05\x02hi").to_string(), expected);
    /// ```
    #[must_use]
    fn explain(bytes: &[u8]) -> Explanation {
        let mut notes = Explanation::new(Bytes::copy_from_slice(bytes));
        Self::explain_into(&mut notes);
        notes
    }

    /// The frame for `{:?}` with the place of every field, in hex, as it is when it is written.
    ///
    /// ```
    /// use metaproto_core::{Auto, Bytes, Frame};
    ///
    /// #[derive(Frame)]
    /// struct Greeting {
    ///     id: u16,
    ///     #[frame(length(of = body))]
    ///     len: Auto<u8>,
    ///     #[frame(body)]
    ///     body: Bytes,
    /// }
    ///
    /// let greeting = Greeting { id: 7, len: Auto::new(), body: Bytes::from_static(b"hi") };
    /// let shown = format!("{:?}", greeting.with_offsets());
    /// assert_eq!(shown, r#"Greeting { 0000 id: 7, 0002 len: 2, 0003 body: "hi" }"#);
    /// ```
    fn with_offsets(&self) -> impl fmt::Debug {
        explain::WithOffsets(self)
    }

    /// Notes all there is to say of the frame at the front of the bytes of `notes`.
    #[doc(hidden)]
    fn explain_into(notes: &mut Explanation) {
        explain::frame::<Self>(notes);
    }

    /// Notes what the parts say.
    ///
    /// # Errors
    /// As [`locate`](Frame::locate).
    #[doc(hidden)]
    fn explain_parts(cursor: &mut Cursor<'_>, notes: &mut Explanation) -> Result<(), Stop> {
        let _ = (cursor, notes);
        Ok(())
    }

    /// Tells the length of the frame that starts at `head[0]`, or how many bytes it takes to tell.
    ///
    /// For a [scanned](Frame::IS_SCANNED) frame this begins anew with each call; keep a [`Located`]
    /// and use [`frame_length_from`](Frame::frame_length_from) for bytes that trickle in.
    ///
    /// # Errors
    /// As [`length`](Frame::length); a wrong constant is found with its first wrong byte.
    #[inline]
    fn frame_length(head: &[u8]) -> Result<FrameLength, DecodeError> {
        Self::frame_length_from(&mut Located::default(), head)
    }

    /// As [`frame_length`](Frame::frame_length), but goes on from where the last call had to stop.
    ///
    /// # Errors
    /// As [`length`](Frame::length).
    #[inline(always)]
    fn frame_length_from(
        located: &mut Located<Self::Starts>,
        head: &[u8],
    ) -> Result<FrameLength, DecodeError> {
        let Some(prefix) = Self::Prefix::first(head) else {
            return support::short(head, Self::CONSTANTS, Self::LENGTH_NEEDS);
        };
        match Self::length(prefix)? {
            Some(total) => Ok(FrameLength::Known(total)),
            None => whole::scan::<Self>(located, head),
        }
    }
}

/// A frame that is nothing but a header of fixed size and perhaps a body.
pub trait Plain: Frame {
    /// The struct that `header` and `body` make. Looks at values only, not at constants and lengths.
    fn from_parts(header: &Self::Header, body: Bytes) -> Self;

    /// The header as it goes on the wire, length included.
    ///
    /// # Errors
    /// As [`write`](Frame::write).
    fn to_header(&self) -> Result<Self::Header, EncodeError>;
}

/// What a frame that is not as long as it says is refused with.
const OVERLONG: Fault = Fault::Other("there are bytes behind its end");
