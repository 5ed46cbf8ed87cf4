//! How calls are shared out.

use std::collections::BTreeMap;
use std::time::Duration;

use super::{Cluster, Invalid};

/// Names and values by which endpoints are told apart, such as `version` and `v2`.
pub type Labels = BTreeMap<String, String>;

/// How an endpoint is chosen for a call. Each worker chooses by what it knows itself.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Balance {
    /// One after the other, in proportion to their weights.
    #[default]
    RoundRobin,
    /// Any, in proportion to their weights.
    Random,
    /// Of two drawn by weight the one with fewer calls in flight from this worker, relative to its
    /// weight.
    LeastRequest,
    /// Of two drawn by weight the one where a call is expected to take less time: the latency of its
    /// responses times its calls in flight, relative to its weight. The latency follows a slow
    /// response at once, and falls again over time.
    PeakEwma {
        /// The time constant of its fall; more than zero.
        decay: Duration,
    },
    /// The endpoint whose point on a ring follows the hash of the call. An endpoint that comes or goes
    /// moves about its own share of the keys.
    RingHash {
        /// The least number of points on the ring; from 1 to [`Balance::MAX_RING_SIZE`].
        ring_size: usize,
    },
    /// The endpoint in the place of a table that the hash of the call leads to. Shares are more even
    /// than those of a ring; an endpoint that comes or goes moves a few keys of others, too.
    Maglev {
        /// The places of the table: a prime number, at most [`Balance::MAX_TABLE_SIZE`]. A hundred
        /// times the number of endpoints makes the shares even to a percent.
        table_size: usize,
    },
}

impl Balance {
    /// The default of [`Balance::PeakEwma`]'s decay: ten seconds.
    pub const DEFAULT_DECAY: Duration = Duration::from_secs(10);
    /// The default of [`Balance::RingHash`]'s size.
    pub const DEFAULT_RING_SIZE: usize = 1024;
    /// The largest ring.
    pub const MAX_RING_SIZE: usize = 1 << 20;
    /// The default of [`Balance::Maglev`]'s size.
    pub const DEFAULT_TABLE_SIZE: usize = 65_537;
    /// The largest table: the largest prime number below five million.
    pub const MAX_TABLE_SIZE: usize = 4_999_999;

    /// Whether calls of equal keys go to the same endpoint.
    #[must_use]
    pub const fn is_by_hash(self) -> bool {
        matches!(self, Balance::RingHash { .. } | Balance::Maglev { .. })
    }
}

/// What of a request is hashed. The hash is the same in every worker and on every machine.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum HashKey {
    /// The value of this property, or of the operation; see [`Matcher`](super::Matcher::property).
    Property(String),
    /// The IP address of the client, without its port.
    ClientAddress,
}

/// Looks for balancing that can't work, or says what has no effect.
pub(super) fn validate(cluster: &Cluster, path: &str) -> Result<(), Invalid> {
    let invalid = |key: &str, reason: String| Err(Invalid::new(format!("{path}.{key}"), reason));
    let count = cluster.all_endpoints().count();
    match cluster.balance {
        Balance::PeakEwma { decay } if decay.is_zero() => {
            return invalid("balance.decay", "must be more than zero".to_owned());
        }
        Balance::RingHash { ring_size } if !(1..=Balance::MAX_RING_SIZE).contains(&ring_size) => {
            let reason = format!("must be from 1 to {}", Balance::MAX_RING_SIZE);
            return invalid("balance.ring_size", reason);
        }
        Balance::Maglev { table_size } if table_size > Balance::MAX_TABLE_SIZE => {
            let reason = format!("must be at most {}", Balance::MAX_TABLE_SIZE);
            return invalid("balance.table_size", reason);
        }
        Balance::Maglev { table_size } if !is_prime(table_size) => {
            let next = (table_size..).find(|n| is_prime(*n)).unwrap_or_default();
            let reason = format!("must be a prime number; the next is {next}");
            return invalid("balance.table_size", reason);
        }
        Balance::Maglev { table_size } if table_size < count => {
            let reason = format!("is too small for {count} endpoints");
            return invalid("balance.table_size", reason);
        }
        _ => {}
    }
    let by_hash = cluster.balance.is_by_hash();
    if !by_hash && !cluster.hash.is_empty() {
        let reason = "only ring_hash and maglev choose by hash; leave it out, or set `balance`";
        return invalid("hash", reason.to_owned());
    }
    if by_hash && cluster.slow_start.is_some() {
        let reason = "has no effect where the choice is by hash; leave it out";
        return invalid("slow_start", reason.to_owned());
    }
    if cluster.panic_threshold > 100 {
        return invalid("panic_threshold", "is a percentage, at most 100".to_owned());
    }
    Ok(())
}

fn is_prime(number: usize) -> bool {
    number >= 2 && (2..).take_while(|n| n * n <= number).all(|n| !number.is_multiple_of(n))
}
