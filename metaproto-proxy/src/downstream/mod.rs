//! The connections of clients: accepted, read, answered, closed.

mod back_off;
mod close;
mod connection;
mod listener;
mod order;
mod receive;
mod shed;
mod watch;

pub(crate) use self::back_off::Shortage;
pub(crate) use self::close::{close_idle, drain, drain_listener, end_if_drained};
pub(crate) use self::connection::{Downstream, block, close, flush, open, pass, unblock};
#[cfg(test)]
pub(crate) use self::listener::welcome;
pub(crate) use self::listener::{Listener, accept, stop};
pub(crate) use self::order::Order;
pub(crate) use self::receive::dropped;
pub(crate) use self::shed::{relieve, shed_stuck};
pub(crate) use self::watch::expire;
