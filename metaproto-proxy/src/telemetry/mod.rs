//! What a running proxy tells: metrics, and the admin endpoint that serves them.

pub mod admin;
pub mod metrics;

mod families;
mod process;
