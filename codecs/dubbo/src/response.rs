//! What responses say: whether there is a value, nothing, or an exception, and their attachments.

use metaproto_core::{DecodeError, Metadata, Status};

use crate::asked::Asked;
use crate::body::{Value, Values, wrong};
use crate::message::status;
use crate::request;

/// What a result is.
///
/// Source: `RESPONSE_WITH_EXCEPTION` and its neighbours in `DubboCodec` of Apache Dubbo.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ResultType(u8);

impl ResultType {
    /// Reads it.
    pub(crate) fn read<'a>(values: &mut impl Values<'a>) -> Result<Self, DecodeError> {
        match values.value()? {
            Value::Int(kind @ 0..=5) => Ok(ResultType(kind.unsigned_abs() as u8)),
            _ => Err(wrong("has a result of unknown type")),
        }
    }

    pub(crate) fn number(self) -> u8 {
        self.0
    }

    /// What it is, in words.
    pub(crate) fn as_str(self) -> &'static str {
        match self.0 {
            0 => "exception",
            1 => "value",
            2 => "null",
            3 => "exception with attachments",
            4 => "value with attachments",
            _ => "null with attachments",
        }
    }

    /// An exception of the application.
    pub(crate) fn is_exception(self) -> bool {
        matches!(self.0, 0 | 3)
    }

    /// Whether a value follows, which may be an exception.
    pub(crate) fn has_value(self) -> bool {
        !matches!(self.0, 2 | 5)
    }

    /// Whether attachments follow.
    pub(crate) fn has_attachments(self) -> bool {
        self.0 >= 3
    }

    /// The same result with attachments.
    pub(crate) fn with_attachments(self) -> Self {
        if self.has_attachments() { self } else { ResultType(self.0.saturating_add(3)) }
    }
}

/// Reads the result of a call that the server has carried out, as far as it is asked for.
pub(crate) fn read<'a>(
    values: &mut impl Values<'a>,
    frame: &'a [u8],
    asked: &Asked,
    metadata: &mut Metadata,
) -> Result<(), DecodeError> {
    let kind = ResultType::read(values)?;
    if kind.is_exception() {
        metadata.status = Some(Status::application_error(i64::from(status::OK)));
    }
    if !(asked.attachments() && kind.has_attachments()) {
        return Ok(());
    }
    if kind.has_value() {
        values.skip()?;
    }
    request::attachments(values, frame, asked, metadata)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_result_gets_attachments_by_a_change_of_its_type() {
        for (bare, with) in [(0, 3), (1, 4), (2, 5), (3, 3), (4, 4), (5, 5)] {
            let (bare, with) = (ResultType(bare), ResultType(with));
            assert_eq!(bare.with_attachments(), with);
            assert_eq!(bare.is_exception(), with.is_exception());
            assert_eq!(bare.has_value(), with.has_value());
            assert!(with.has_attachments());
        }
    }
}
