//! What the fields of a frame mean to the engine.

use std::time::Duration;

use super::parts::Stop;
use super::{Asked, Frame, Spec};
use crate::{DecodeError, EncodeError, MessageKind, Metadata, Output, Section};

/// A frame that is the message of a protocol: its fields are mapped to [`Metadata`].
///
/// Derive it with `#[derive(Codec)]`; see [the macro](macro@crate::Codec) for the attributes.
/// [`Derived`](super::Derived) makes a [`Protocol`](crate::Protocol) of it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a message",
    note = "add `#[derive(Codec)]` to the struct"
)]
pub trait Message: Frame + Send + Sync + 'static {
    /// The protocol, and the fields that are more than data.
    const SPEC: &'static Spec;

    /// Whether the fixed part is all that a change of the header can change: there are no parts, no
    /// trailer, no checksums.
    const IS_PLAIN: bool = Self::IS_FIXED;

    /// Fills in what the fixed part of the header tells: id, kind, operation, status, and those
    /// properties that are asked for.
    ///
    /// # Errors
    /// [`DecodeError::message`] for a kind that is not known. All the rest is filled in nevertheless.
    fn describe(
        header: &Self::Header,
        asked: &Asked,
        metadata: &mut Metadata,
    ) -> Result<(), DecodeError>;

    /// Fills in what the parts behind it tell; `starts` is where they are in `frame`.
    ///
    /// # Errors
    /// [`Stop::Bad`] for a value that is wrong.
    fn describe_parts(
        frame: &[u8],
        starts: &Self::Starts,
        asked: &Asked,
        metadata: &mut Metadata,
    ) -> Result<(), Stop> {
        let _ = (frame, starts, asked, metadata);
        Ok(())
    }

    /// Makes the message one of this kind.
    ///
    /// # Errors
    /// [`EncodeError::Unsupported`] if there are no such messages.
    fn set_kind(header: &mut Self::Header, kind: MessageKind) -> Result<(), EncodeError> {
        let _ = (header, kind);
        Err(EncodeError::Unsupported("messages of this kind"))
    }

    /// Overwrites the request id.
    ///
    /// # Errors
    /// [`EncodeError::Unsupported`] if messages have none (the default),
    /// [`EncodeError::InvalidValue`] if it does not fit. `header` is then as it was.
    fn set_request_id(header: &mut Self::Header, id: u64) -> Result<(), EncodeError> {
        let _ = (header, id);
        Err(EncodeError::Unsupported("request ids"))
    }

    /// Overwrites the time left for a request, as near as the field can tell it.
    ///
    /// # Errors
    /// [`EncodeError::Unsupported`] if messages tell none (the default), or if a checksum covers it
    /// that can't be made anew from the fixed part.
    fn set_deadline(header: &mut Self::Header, remaining: Duration) -> Result<(), EncodeError> {
        let _ = (header, remaining);
        Err(EncodeError::Unsupported("deadlines"))
    }

    /// Makes the checksums anew that are in the fixed part and cover nothing else.
    fn reseal(header: &mut Self::Header) {
        let _ = header;
    }

    /// Fills in what error replies say besides id, kind and code.
    fn fill_reply(header: &mut Self::Header) {
        let _ = header;
    }

    /// Gives the part that is the property at this place of [`Spec::properties`] another value.
    ///
    /// # Errors
    /// [`EncodeError::InvalidValue`] if `text` is no value of it, or the part is missing.
    fn set_part(&mut self, property: usize, text: &str) -> Result<(), EncodeError> {
        let _ = (property, text);
        Err(EncodeError::Unsupported("setting this property"))
    }

    /// The section at this place of [`Spec::sections`], unless it is missing.
    fn section(&mut self, index: usize) -> Option<&mut Section> {
        let _ = index;
        None
    }

    /// Appends the message with another fixed part; its body is shared where that can be. `trailer` is
    /// what followed the body; checksums are made anew.
    ///
    /// # Errors
    /// As [`Frame::write`]. `out` is then as it was.
    fn rewrite(
        &self,
        header: Self::Header,
        trailer: &[u8],
        out: &mut Output,
    ) -> Result<(), EncodeError> {
        let _ = (header, trailer, out);
        Err(EncodeError::Unsupported("changes"))
    }
}
