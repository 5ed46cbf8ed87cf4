//! Protocols that are widely used, each as a struct that derives its layout, held against the bytes of
//! real peers; see `golden/README.md` for where those come from.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "tests may panic"
)]

mod baidu_std;
mod bolt;
mod dns;
mod dubbo;
mod golden;
mod guide;
mod held;
mod kafka;
mod kit;
mod memcached;
mod mqtt;
mod redis;
mod resp;
mod theader;
mod trpc;
mod ttheader;
