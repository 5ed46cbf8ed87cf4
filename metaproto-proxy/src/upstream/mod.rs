//! The connections to endpoints: which one carries a call, and what becomes of the call on it.
//!
//! | mode      | connections of an endpoint | calls on one          | request ids          |
//! |-----------|----------------------------|-----------------------|----------------------|
//! | shared    | a few                      | of many clients       | remapped             |
//! | exclusive | as many as calls at a time | one at a time         | remapped, if any     |
//! | bound     | one for each client        | of one client         | remapped, if any     |
//!
//! A protocol with streams keeps the client's own ids on bound connections: the messages of a stream
//! are passed on as they are, and must keep naming it.

mod connection;
mod count;
mod endpoint;
mod exclusive;
mod expire;
mod give_up;
mod id_table;
mod in_flight;
mod keepalive;
mod pool;
mod receive;
mod room;
mod waiting;

pub(crate) use self::connection::{Upstream, any_unsent, flush, pass, pass_copy};
pub(crate) use self::endpoint::Endpoint;
pub(crate) use self::exclusive::connect_more;
pub(crate) use self::expire::{close_idle, expire};
pub(crate) use self::give_up::{abort, client_gone};
pub(crate) use self::keepalive::keep_alive;
pub(crate) use self::pool::{
    bound_endpoint, dispatch, remove_endpoint, retire_all, sharing, shortened,
};
pub(crate) use self::receive::resume;
pub(crate) use self::room::takes_at_once;

use std::time::Duration;

use self::waiting::{Waiting, WaitingLine};

/// After this long without traffic a connection gives back the memory that it has for more.
pub(crate) const REST: Duration = Duration::from_millis(500);
