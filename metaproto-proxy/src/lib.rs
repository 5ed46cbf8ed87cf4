//! Stand-in for the crate's root until the engine is merged; drop it then.
//! What stays: `pub mod config;` and `pub mod telemetry;`.
pub mod config;
pub mod counters;
pub mod model;
pub mod telemetry;

#[path = "stand_in.rs"]
mod proxy;

pub use self::proxy::{Builder, Handle, Proxy, StartError};
