//! When a call is tried again.

use std::time::Duration;

use metaproto_core::{Status, StatusClass};

/// When and how often a call is tried again, on another endpoint if there is one. One-way requests
/// never are.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Retry {
    /// How many more times; at least 1.
    pub attempts: u32,
    /// What has to have happened; at least one of them.
    pub on: Vec<RetryOn>,
    /// How long one try may take; `None` is as long as the call. The call's own timeout counts for all
    /// tries together.
    pub per_try_timeout: Option<Duration>,
    /// The wait before a further try is chosen at random up to this. Doubles with each.
    pub backoff: Duration,
    /// The wait is never longer than this.
    pub max_backoff: Duration,
}

impl Retry {
    /// The default of [`backoff`](Retry::backoff).
    pub const DEFAULT_BACKOFF: Duration = Duration::from_millis(25);
    /// The default of [`max_backoff`](Retry::max_backoff).
    pub const DEFAULT_MAX_BACKOFF: Duration = Duration::from_millis(250);

    /// One more attempt when one of these has happened.
    pub fn on(on: impl IntoIterator<Item = RetryOn>) -> Self {
        Retry {
            attempts: 1,
            on: on.into_iter().collect(),
            per_try_timeout: None,
            backoff: Self::DEFAULT_BACKOFF,
            max_backoff: Self::DEFAULT_MAX_BACKOFF,
        }
    }

    /// Whether a response with this status is one to try again for.
    #[must_use]
    pub fn wants(&self, status: Status) -> bool {
        self.on.iter().any(|on| match on {
            RetryOn::Class(class) => *class == status.class,
            RetryOn::Code(code) => *code == status.code,
            _ => false,
        })
    }
}

/// What has to have happened for a call to be tried again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RetryOn {
    /// No endpoint could be connected to. Nothing was sent.
    ConnectFailure,
    /// The connection was lost before the response came. The endpoint may have carried out the call.
    Reset,
    /// A try took too long. The endpoint may yet carry out the call.
    Timeout,
    /// The response has a status of this class.
    Class(StatusClass),
    /// The response has this code of the protocol.
    Code(i64),
}

/// How many calls to a cluster may be further attempts at the same time, so that retries don't bring
/// down what is only slow. Counted by each worker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryBudget {
    /// The share of the calls in flight, in percent.
    pub percent: u32,
    /// So many may be, however few calls there are.
    pub min: u32,
}

impl Default for RetryBudget {
    /// A fifth of the calls, and three.
    fn default() -> Self {
        RetryBudget { percent: 20, min: 3 }
    }
}

/// A call that takes longer than most is sent once more, to another endpoint; the first response counts.
/// Only for operations that may be carried out twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hedge {
    /// How long the first endpoint is waited for before the second is asked.
    pub after: Duration,
}
