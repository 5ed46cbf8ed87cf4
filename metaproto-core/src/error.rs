//! What can go wrong: with bytes ([`DecodeError`], [`EncodeError`]) and with a request ([`Error`]).

use std::borrow::Cow;
use std::fmt;

use crate::StatusClass;

/// Why the engine answers a request itself instead of an upstream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum ErrorKind {
    /// No route matches the request.
    RouteNotFound,
    /// The route names a cluster that does not exist.
    ClusterNotFound,
    /// The cluster has no endpoint that can be used.
    NoHealthyUpstream,
    /// No connection to the endpoint could be made; the request was never sent.
    ConnectionFailure,
    /// The upstream connection ended before the response came.
    UpstreamReset,
    /// The response did not come in time.
    Timeout,
    /// The request can't be read.
    BadRequest,
    /// The response can't be read.
    BadResponse,
    /// The message is larger than allowed.
    FrameTooLarge,
    /// A rate limit is exceeded.
    OverLimit,
    /// Too much is going on already.
    Overloaded,
    /// The caller is not allowed to do this.
    Denied,
    /// Fault injection ended the request.
    Aborted,
    /// The proxy is shutting down.
    Draining,
    /// The message asks for something that can't be forwarded.
    Unsupported,
    /// Anything else.
    Unspecified,
}

impl ErrorKind {
    /// Every kind, for tests and tables.
    pub const ALL: [ErrorKind; 16] = [
        ErrorKind::RouteNotFound,
        ErrorKind::ClusterNotFound,
        ErrorKind::NoHealthyUpstream,
        ErrorKind::ConnectionFailure,
        ErrorKind::UpstreamReset,
        ErrorKind::Timeout,
        ErrorKind::BadRequest,
        ErrorKind::BadResponse,
        ErrorKind::FrameTooLarge,
        ErrorKind::OverLimit,
        ErrorKind::Overloaded,
        ErrorKind::Denied,
        ErrorKind::Aborted,
        ErrorKind::Draining,
        ErrorKind::Unsupported,
        ErrorKind::Unspecified,
    ];

    /// The kind's name in metrics and logs, in snake case.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            ErrorKind::RouteNotFound => "route_not_found",
            ErrorKind::ClusterNotFound => "cluster_not_found",
            ErrorKind::NoHealthyUpstream => "no_healthy_upstream",
            ErrorKind::ConnectionFailure => "connection_failure",
            ErrorKind::UpstreamReset => "upstream_reset",
            ErrorKind::Timeout => "timeout",
            ErrorKind::BadRequest => "bad_request",
            ErrorKind::BadResponse => "bad_response",
            ErrorKind::FrameTooLarge => "frame_too_large",
            ErrorKind::OverLimit => "over_limit",
            ErrorKind::Overloaded => "overloaded",
            ErrorKind::Denied => "denied",
            ErrorKind::Aborted => "aborted",
            ErrorKind::Draining => "draining",
            ErrorKind::Unsupported => "unsupported",
            ErrorKind::Unspecified => "unspecified",
        }
    }

    /// The class of status that an answer of this kind has.
    #[must_use]
    pub const fn status_class(self) -> StatusClass {
        match self {
            ErrorKind::RouteNotFound | ErrorKind::ClusterNotFound => StatusClass::NotFound,
            ErrorKind::NoHealthyUpstream
            | ErrorKind::ConnectionFailure
            | ErrorKind::UpstreamReset
            | ErrorKind::Draining => StatusClass::Unavailable,
            ErrorKind::Timeout => StatusClass::Timeout,
            ErrorKind::BadRequest | ErrorKind::FrameTooLarge | ErrorKind::Unsupported => {
                StatusClass::BadRequest
            }
            ErrorKind::OverLimit | ErrorKind::Overloaded => StatusClass::Overloaded,
            ErrorKind::Denied => StatusClass::Denied,
            ErrorKind::BadResponse | ErrorKind::Aborted | ErrorKind::Unspecified => {
                StatusClass::Internal
            }
        }
    }
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Why a request is answered by the engine, with a sentence for the person who reads it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{kind}: {message}")]
pub struct Error {
    /// What kind of error it is; decides the code on the wire.
    pub kind: ErrorKind,
    /// What happened, to what: `no route matches cmd=7`.
    pub message: Cow<'static, str>,
}

impl Error {
    /// An error of this kind with this sentence.
    pub fn new(kind: ErrorKind, message: impl Into<Cow<'static, str>>) -> Self {
        Error { kind, message: message.into() }
    }
}

/// How far a decode error reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scope {
    /// Only this message is bad: answer it, keep the connection.
    Message,
    /// Framing or state is lost: answer if possible, then close.
    Connection,
}

/// Bytes that can't be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{}: {fault}", Field(.field))]
pub struct DecodeError {
    /// How far the error reaches.
    pub scope: Scope,
    /// The field that was being read; may be empty.
    pub field: &'static str,
    /// What is wrong with it.
    pub fault: Fault,
}

struct Field<'a>(&'a str);

impl fmt::Display for Field<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_empty() { "frame" } else { self.0 })
    }
}

impl DecodeError {
    /// Only this message is bad.
    #[must_use]
    pub const fn message(field: &'static str, fault: Fault) -> Self {
        DecodeError { scope: Scope::Message, field, fault }
    }

    /// The connection can't be used any longer.
    #[must_use]
    pub const fn connection(field: &'static str, fault: Fault) -> Self {
        DecodeError { scope: Scope::Connection, field, fault }
    }
}

/// What is wrong with a field. Small and without allocation: hostile bytes may produce many.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// A constant has another value.
    #[error("is {0:#x}, which is not this protocol")]
    BadMagic(u64),
    /// A length is less than the parts that it must cover.
    #[error("a length of {0} is too small")]
    LengthTooSmall(u64),
    /// A length is more than allowed.
    #[error("a length of {0} is over the limit")]
    LengthTooLarge(u64),
    /// The frame ends inside the field.
    #[error("the frame ends inside it")]
    Truncated,
    /// A value that the protocol does not know.
    #[error("unknown value {0}")]
    UnknownValue(i64),
    /// Text that is not UTF-8.
    #[error("is not UTF-8")]
    NotUtf8,
    /// Nested deeper than allowed.
    #[error("is nested too deeply")]
    TooDeep,
    /// Anything else.
    #[error("{0}")]
    Other(&'static str),
}

/// A message that can't be written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EncodeError {
    /// The protocol has no way to say this.
    #[error("this protocol does not support {0}")]
    Unsupported(&'static str),
    /// The protocol can't change this property in this way.
    #[error("this protocol can't {verb} the property {name:?}")]
    UnsupportedChange {
        /// The operation: set, append, remove.
        verb: &'static str,
        /// The property.
        name: String,
    },
    /// A value does not fit its field.
    #[error("{}: {reason}", Field(.field))]
    InvalidValue {
        /// The field; may be empty.
        field: &'static str,
        /// Why the value does not fit.
        reason: Cow<'static, str>,
    },
}

impl EncodeError {
    /// The same, about this field if it was not yet said which it is about.
    #[must_use]
    pub fn in_field(mut self, name: &'static str) -> Self {
        if let EncodeError::InvalidValue { field: field @ "", .. } = &mut self {
            *field = name;
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_a_name_of_its_own() {
        let names: std::collections::BTreeSet<_> =
            ErrorKind::ALL.iter().map(|kind| kind.as_str()).collect();
        assert_eq!(names.len(), ErrorKind::ALL.len());
    }

    #[test]
    fn decode_errors_say_where_and_what() {
        let error = DecodeError::connection("pack_len", Fault::LengthTooSmall(3));
        assert_eq!(error.to_string(), "pack_len: a length of 3 is too small");
        let error = DecodeError::message("", Fault::Truncated);
        assert_eq!(error.to_string(), "frame: the frame ends inside it");
    }

    #[test]
    fn an_encode_error_is_about_the_innermost_field() {
        let error = EncodeError::InvalidValue { field: "", reason: "is odd".into() };
        assert_eq!(error.to_string(), "frame: is odd");
        let error = error.in_field("inner").in_field("outer");
        assert_eq!(error.to_string(), "inner: is odd");
        let error = EncodeError::Unsupported("this");
        assert_eq!(error.clone().in_field("outer"), error);
    }

    /// Errors travel through the hot path by value.
    #[test]
    fn decode_errors_are_small() {
        assert!(size_of::<DecodeError>() <= 48);
    }
}
