//! Copies of calls, for another cluster.

use metaproto_core::{Protocol, Sharing};

use super::{Cluster, Invalid, Labels};

/// Sends copies of a route's calls to another cluster. What becomes of a copy is counted, and nobody
/// else learns of it: not the caller, whose call goes its own way, and not its cluster.
///
/// Two-way and one-way calls are copied, as they are sent to the route's own cluster, with all changes.
/// Streams are not.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Mirror {
    /// The name of the cluster that gets the copies. Copies have connections of their own, also if
    /// calls are sent to the same cluster. It can't be in bound mode.
    pub cluster: String,
    /// Only the endpoints that have all these labels are meant; without labels all are.
    pub subset: Labels,
    /// How many of the calls are copied, in millionths, at most [`Mirror::ALL`]. Each worker copies
    /// exactly this share, evenly spread.
    pub share: u32,
    /// Whether the class of the status of a copy's response is compared with that of the call's.
    pub compare: bool,
}

impl Mirror {
    /// The [`share`](Mirror::share) that is all calls: one million.
    pub const ALL: u32 = 1_000_000;

    /// Copies all calls to a cluster.
    pub fn to(cluster: impl Into<String>) -> Self {
        let cluster = cluster.into();
        Mirror { cluster, subset: Labels::new(), share: Self::ALL, compare: false }
    }

    /// The same with another share, in millionths.
    #[must_use]
    pub fn share(mut self, millionths: u32) -> Self {
        self.share = millionths;
        self
    }

    /// The same with a comparison of statuses.
    #[must_use]
    pub fn compare(mut self) -> Self {
        self.compare = true;
        self
    }
}

/// Looks for what can't work of a mirror to `cluster`, whose connections speak `protocol`.
pub(super) fn validate(
    mirror: &Mirror,
    cluster: &Cluster,
    protocol: &dyn Protocol,
    path: &str,
) -> Result<(), Invalid> {
    if mirror.share > Mirror::ALL {
        return Err(Invalid::new(format!("{path}.percent"), "must be at most 100"));
    }
    let sharing = cluster.sharing.unwrap_or(protocol.capabilities().sharing);
    if sharing == Sharing::Bound {
        let reason = format!(
            "{} has upstream_mode bound, and a copy belongs to no client; use shared or exclusive",
            cluster.name
        );
        return Err(Invalid::new(format!("{path}.cluster"), reason));
    }
    Ok(())
}
