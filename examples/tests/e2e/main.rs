//! The proxy and AwesomeRPC, over real sockets: what clients and backends do, and what becomes of it.

mod bytes;
mod failures;
mod modes;
mod steering;
mod support;
