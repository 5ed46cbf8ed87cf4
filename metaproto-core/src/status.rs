//! How a request ended, in words that all protocols share.

/// The outcome that a response tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Status {
    /// What it means.
    pub class: StatusClass,
    /// The protocol's own code.
    pub code: i64,
}

impl Status {
    /// Success, with the protocol's code for it.
    #[must_use]
    pub const fn ok(code: i64) -> Self {
        Status { class: StatusClass::Ok, code }
    }

    /// The application's own error, with its code.
    #[must_use]
    pub const fn application_error(code: i64) -> Self {
        Status { class: StatusClass::ApplicationError, code }
    }
}

/// What a status means, whatever the protocol's code for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum StatusClass {
    /// The call did what was asked.
    Ok,
    /// The application says no: the server works, the call failed on its own terms.
    ApplicationError,
    /// The request can't be understood.
    BadRequest,
    /// There is no such service or method.
    NotFound,
    /// The caller may not do this.
    Denied,
    /// The server has too much to do.
    Overloaded,
    /// The server gave up waiting.
    Timeout,
    /// The server can't be used now.
    Unavailable,
    /// The server is broken.
    Internal,
}

impl StatusClass {
    /// Every class, in the order of [`StatusClass::index`].
    pub const ALL: [StatusClass; 9] = [
        StatusClass::Ok,
        StatusClass::ApplicationError,
        StatusClass::BadRequest,
        StatusClass::NotFound,
        StatusClass::Denied,
        StatusClass::Overloaded,
        StatusClass::Timeout,
        StatusClass::Unavailable,
        StatusClass::Internal,
    ];

    /// The position in [`StatusClass::ALL`], for tables of counters.
    #[must_use]
    pub const fn index(self) -> usize {
        self as usize
    }

    /// The class's name in metrics and logs, in snake case.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            StatusClass::Ok => "ok",
            StatusClass::ApplicationError => "application_error",
            StatusClass::BadRequest => "bad_request",
            StatusClass::NotFound => "not_found",
            StatusClass::Denied => "denied",
            StatusClass::Overloaded => "overloaded",
            StatusClass::Timeout => "timeout",
            StatusClass::Unavailable => "unavailable",
            StatusClass::Internal => "internal",
        }
    }
}
