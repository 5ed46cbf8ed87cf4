//! Frames of which there are several kinds, each with a layout of its own.

use bytes::{Bytes, BytesMut};

use super::{ByteOrder, Constant, support};
use crate::{DecodeError, EncodeError, Explanation, Fault, FrameLength, Side};

/// An enum whose variants are frames. Derive it with `#[derive(Frame)]`; see
/// [the macro](macro@crate::Frame) for the attributes.
///
/// Which variant a frame is may depend on who has sent it, so that everything that reads is told the
/// side: [`Side::Downstream`] for what a client has sent.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an enum of frames",
    note = "add `#[derive(Frame)]` to the enum"
)]
pub trait Frames: Sized {
    /// The variant of the frame that starts at `head[0]`.
    ///
    /// # Errors
    /// [`DecodeError::connection`] if it is none of them.
    fn choose(side: Side, head: &[u8]) -> Result<Chosen, DecodeError>;

    /// Tells the length of the frame that starts at `head[0]`, or how many bytes it takes to tell.
    ///
    /// # Errors
    /// As [`choose`](Frames::choose) and [`Frame::frame_length`](super::Frame::frame_length).
    fn frame_length(side: Side, head: &[u8]) -> Result<FrameLength, DecodeError>;

    /// Reads one whole frame.
    ///
    /// # Errors
    /// As [`choose`](Frames::choose) and [`Frame::read`](super::Frame::read).
    fn read(side: Side, frame: Bytes) -> Result<Self, DecodeError>;

    /// Appends the frame to `out`.
    ///
    /// # Errors
    /// As [`Frame::write`](super::Frame::write).
    fn write(&self, out: &mut BytesMut) -> Result<(), EncodeError>;

    /// How many bytes the frame takes on the wire.
    fn size(&self) -> usize;

    /// Explains the frame at the front of `bytes`, field by field.
    fn explain(side: Side, bytes: &[u8]) -> Explanation;
}

/// What the first bytes tell of the variant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Chosen {
    /// It can't be told before so many bytes have arrived.
    Need(usize),
    /// The variant, by its place in the enum.
    Variant(usize),
}

/// The number that stands at `at`; `None` if it has not arrived.
#[doc(hidden)]
#[inline]
#[must_use]
pub fn tag_at(head: &[u8], at: usize, width: usize, order: ByteOrder) -> Option<u64> {
    let bytes = head.get(at..at.saturating_add(width))?;
    let push = |all: u64, byte: &u8| all << 8 | u64::from(*byte);
    Some(match order {
        ByteOrder::Big => bytes.iter().fold(0, push),
        ByteOrder::Little => bytes.iter().rev().fold(0, push),
    })
}

/// The first variant whose constants are there.
///
/// # Errors
/// The first bytes are those of none.
#[doc(hidden)]
pub fn by_constants(head: &[u8], variants: &[&[Constant]]) -> Result<Chosen, DecodeError> {
    let mut wrong = None;
    for (index, constants) in variants.iter().enumerate() {
        match support::check_prefix(head, constants) {
            Err(error) => wrong = Some(error),
            Ok(()) => {
                let end = |c: &Constant| c.offset.saturating_add(c.bytes.len());
                let end = constants.iter().map(end).max().unwrap_or_default();
                return Ok(match head.len() < end {
                    true => Chosen::Need(end),
                    false => Chosen::Variant(index),
                });
            }
        }
    }
    Err(wrong.unwrap_or(DecodeError::connection("", Fault::Other("is none that is known"))))
}

/// No variant has this tag: where the frame ends can't be known.
#[doc(hidden)]
#[cold]
#[must_use]
pub fn unknown_variant(tag: u64) -> DecodeError {
    DecodeError::connection("tag", Fault::UnknownValue(tag.cast_signed()))
}

/// What has not arrived is asked for.
///
/// # Errors
/// None.
#[doc(hidden)]
pub fn not_chosen(needed: usize, arrived: usize) -> Result<FrameLength, DecodeError> {
    Ok(FrameLength::Need(needed.max(arrived.saturating_add(1))))
}

/// The variant of a whole frame.
///
/// # Errors
/// It is none, or ends before that can be told.
#[doc(hidden)]
pub fn chosen_of(chosen: Result<Chosen, DecodeError>) -> Result<usize, DecodeError> {
    match chosen? {
        Chosen::Variant(index) => Ok(index),
        Chosen::Need(_) => Err(support::truncated()),
    }
}

/// Of a frame that is no variant nothing can be said.
#[doc(hidden)]
#[must_use]
pub fn unexplained(bytes: &[u8], error: &DecodeError) -> Explanation {
    let mut explanation = Explanation::new(Bytes::copy_from_slice(bytes));
    explanation.stop_at(error);
    explanation
}
