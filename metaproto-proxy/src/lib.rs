//! A layer-7 proxy for RPC protocols: give it a codec, and it routes, balances, limits, observes and
//! answers errors in that protocol.
//!
//! The folders are the life of a request:
//!
//! ```text
//!   downstream/ -> exchange -> filter/ -> route/ -> cluster/ -> upstream/
//!        ^                                                          |
//!        +----------------------- responses, errors ---------------+
//! ```
//!
//! [`model`] is what the engine runs on; it never learns where a [`model::Snapshot`] came from.

pub mod config;
pub mod counters;
pub mod dns;
pub mod handover;
pub mod model;
pub mod telemetry;

mod cluster;
mod descriptors;
mod downstream;
mod exchange;
mod filter;
mod hash;
mod health;
mod histogram;
mod inbound;
mod io;
mod message;
mod mirror;
mod overload;
mod proxy;
mod reload;
mod retry;
mod route;
mod signals;
mod sockets;
#[cfg(test)]
mod tests;
mod upstream;
mod worker;

pub use self::descriptors::{excessive_connections, raise_descriptor_limit};
pub use self::filter::{Filter, Verdict};
pub use self::proxy::{Builder, Handle, Proxy, StartError};
pub use self::signals::stop as stop_signal;
pub use self::sockets::{BindError, OpenSockets, UnusedSocket};
