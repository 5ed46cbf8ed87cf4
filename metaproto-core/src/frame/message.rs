//! What the fields of a frame mean to the engine.

use std::sync::Arc;

use super::{FieldInfo, Frame};
use crate::{
    Change, DecodeError, EncodeError, ErrorKind, Interest, MessageKind, Metadata, Sharing, Side,
    Status,
};

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
    /// [`DecodeError::message`] for a value that is wrong.
    fn describe_parts(
        frame: &[u8],
        starts: &Self::Starts,
        asked: &Asked,
        metadata: &mut Metadata,
    ) -> Result<(), DecodeError> {
        let _ = (frame, starts, asked, metadata);
        Ok(())
    }

    /// Changes a property.
    ///
    /// # Errors
    /// [`EncodeError::UnsupportedChange`] if there is no such property (the default), or it can't be
    /// changed so; [`EncodeError::InvalidValue`] if the value does not fit.
    fn change(&mut self, change: &Change) -> Result<(), EncodeError> {
        Err(EncodeError::UnsupportedChange { verb: change.verb(), name: change.name().to_owned() })
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
}

/// What a derived protocol is, as data. [`Derived`](super::Derived) interprets it.
#[derive(Debug, Clone, Copy)]
pub struct Spec {
    /// The protocol's name.
    pub protocol: &'static str,
    /// Its other names.
    pub aliases: &'static [&'static str],
    /// How upstream connections are used by default; what the ids allow if `None`.
    pub sharing: Option<Sharing>,
    /// The width of the request id; without one, responses come in order.
    pub request_id_bits: Option<u8>,
    /// The fields that are properties.
    pub properties: &'static [Property],
    /// The field that tells how a request ended.
    pub status: Option<StatusField>,
    /// The codes of error replies; without them there are none.
    pub errors: Option<ErrorTable>,
    /// The field that tells the kind of a message; without one, the side of the connection does.
    pub kind: Option<KindField>,
}

impl Spec {
    /// What a status field with this `code` means: the codes of the error table say the same as the
    /// errors that they stand for, any other but the ok value is the application's own.
    #[inline]
    #[must_use]
    pub fn status(&self, code: i64) -> Status {
        match self.status {
            Some(status) if status.ok == code => Status::ok(code),
            _ => self.status_of_failure(code),
        }
    }

    fn status_of_failure(&self, code: i64) -> Status {
        match self.errors.and_then(|errors| errors.kind(code)) {
            Some(kind) => Status { class: kind.status_class(), code },
            None => Status::application_error(code),
        }
    }

    /// The number that makes a message one of this kind; `None` if there are no such messages.
    pub(super) fn has_kind(&self, kind: MessageKind) -> bool {
        self.kind.is_some_and(|field| field.value(kind).is_some())
    }
}

/// A field that is a property.
#[derive(Debug, Clone, Copy)]
pub struct Property {
    /// The property's name.
    pub name: &'static str,
    /// The field.
    pub field: FieldInfo,
}

/// A field that tells how a request ended.
#[derive(Debug, Clone, Copy)]
pub struct StatusField {
    /// The field.
    pub field: FieldInfo,
    /// The code that means success.
    pub ok: i64,
}

/// The codes by which a protocol says what went wrong.
#[derive(Debug, Clone, Copy)]
pub struct ErrorTable {
    /// Codes of their own. If two kinds share one, reading it means the first.
    pub codes: &'static [(ErrorKind, i64)],
    /// The code of all other kinds; reading it means [`ErrorKind::Unspecified`].
    pub other: i64,
    /// Whether the body of a reply says in words what went wrong.
    pub text: bool,
}

impl ErrorTable {
    /// The code of an error of this kind.
    #[must_use]
    pub fn code(&self, kind: ErrorKind) -> i64 {
        let found = self.codes.iter().find(|(of, _)| *of == kind);
        found.map_or(self.other, |(_, code)| *code)
    }

    /// The kind of error that this code means; `None` if it is not in the table.
    #[must_use]
    pub fn kind(&self, code: i64) -> Option<ErrorKind> {
        let found = self.codes.iter().find(|(_, of)| *of == code).map(|(kind, _)| *kind);
        found.or((code == self.other).then_some(ErrorKind::Unspecified))
    }
}

/// A field that tells the kind of a message.
#[derive(Debug, Clone, Copy)]
pub struct KindField {
    /// The field.
    pub field: FieldInfo,
    /// The values that are known. If two mean the same kind, the first is written.
    pub values: &'static [(i64, MessageKind)],
}

impl KindField {
    /// The value that stands for `kind`, if one does.
    #[must_use]
    pub fn value(&self, kind: MessageKind) -> Option<i64> {
        self.values.iter().find(|(_, of)| *of == kind).map(|(value, _)| *value)
    }
}

/// What a codec is asked to tell of messages.
#[derive(Debug, Clone)]
pub struct Asked {
    /// Whose messages they are.
    pub side: Side,
    /// Which properties are asked for, of those that have fields.
    pub wanted: Wanted,
    /// All that are asked for.
    pub interest: Arc<Interest>,
}

impl Asked {
    /// What `interest` asks of messages of this kind.
    #[must_use]
    pub fn new<M: Message>(side: Side, interest: &Arc<Interest>) -> Self {
        let wanted = Wanted::of(interest, M::SPEC.properties);
        Asked { side, wanted, interest: Arc::clone(interest) }
    }

    /// No property at all.
    #[must_use]
    pub fn nothing(side: Side) -> Self {
        Asked { side, wanted: Wanted::NONE, interest: Arc::new(Interest::Only(Vec::new())) }
    }
}

/// Which properties of a message anybody asks for, by their place in [`Spec::properties`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wanted(u64);

impl Wanted {
    /// All of them.
    pub const ALL: Self = Wanted(u64::MAX);
    /// None of the first 64.
    pub const NONE: Self = Wanted(0);

    /// Those that `interest` asks for.
    #[must_use]
    pub fn of(interest: &Interest, properties: &[Property]) -> Self {
        let wants = |property: &Property| u64::from(interest.wants(property.name));
        let bits = properties.iter().take(64).enumerate();
        Wanted(bits.fold(0, |all, (at, property)| all | wants(property) << at))
    }

    /// Whether the property at this place is wanted. Those from the 65th on always are.
    #[inline(always)]
    #[must_use]
    pub const fn has(self, index: u32) -> bool {
        index >= 64 || (self.0 >> index) & 1 == 1
    }
}
