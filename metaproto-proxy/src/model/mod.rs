//! What the engine runs on: plain, immutable, and silent about where it came from.
//!
//! Configuration files and control planes are read into a [`Snapshot`]; the engine takes it whole
//! and never sees their formats.

mod balance;
mod circuit;
mod cluster;
mod dns;
mod health;
mod listener;
mod mirror;
mod outlier;
mod overload;
mod retry;
mod route;
mod snapshot;

pub use self::balance::{Balance, HashKey, Labels};
pub use self::circuit::{AdaptiveConcurrency, CircuitBreakers};
pub use self::cluster::{Cluster, Endpoint, Keepalive, KeepaliveTimes, SubsetFallback};
pub use self::dns::{Dns, Found, Name, Target};
pub use self::health::{Check, HealthCheck};
pub use self::listener::Listener;
pub use self::mirror::Mirror;
pub use self::outlier::OutlierDetection;
pub use self::overload::Overload;
pub use self::retry::{Hedge, Retry, RetryBudget, RetryOn};
pub use self::route::{Matcher, Predicate, Route, WeightedCluster};
pub use self::snapshot::{Invalid, Snapshot};
