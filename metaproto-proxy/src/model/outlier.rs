//! When an endpoint is left out because of what comes from it.

use std::time::Duration;

use metaproto_core::StatusClass;

/// When an endpoint of a cluster is ejected, that is, left out for a while, because its calls fail.
/// Each worker judges by its own calls.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct OutlierDetection {
    /// So many calls in a row that fail eject it; `None` is never.
    pub consecutive_failures: Option<u32>,
    /// The same of faults that it has not told itself: connections that can't be made or are lost,
    /// responses that don't come in time or can't be read.
    pub consecutive_local: Option<u32>,
    /// The share of calls in percent that must fail within an [`interval`](OutlierDetection::interval);
    /// `None` is never. More than 0, at most 100.
    pub failure_rate: Option<u32>,
    /// So many calls must have ended within the interval for the share to mean anything.
    pub min_requests: u32,
    /// What the share of failures is taken of.
    pub interval: Duration,
    /// Responses with a status of these classes count as failures.
    pub classes: Vec<StatusClass>,
    /// How long an endpoint is left out for the first time. It grows by as much with each further time,
    /// and shrinks with each interval that passes well.
    pub ejection_time: Duration,
    /// An endpoint is never left out for longer.
    pub max_ejection_time: Duration,
    /// The share of the endpoints in percent that may be left out at the same time. One may always be,
    /// unless it is the only one.
    pub max_ejected: u32,
}

impl Default for OutlierDetection {
    /// Five failures in a row, of either sort; 30 seconds to five minutes; at most half of the endpoints.
    fn default() -> Self {
        OutlierDetection {
            consecutive_failures: Some(5),
            consecutive_local: Some(5),
            failure_rate: None,
            min_requests: 20,
            interval: Duration::from_secs(10),
            classes: vec![
                StatusClass::Overloaded,
                StatusClass::Timeout,
                StatusClass::Unavailable,
                StatusClass::Internal,
            ],
            ejection_time: Duration::from_secs(30),
            max_ejection_time: Duration::from_secs(300),
            max_ejected: 50,
        }
    }
}
