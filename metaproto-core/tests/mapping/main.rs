//! The mapping of derived frames to metadata: everything beyond fields of a fixed header.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "tests may panic"
)]

mod change;
mod corner;
mod describe;
mod frames;
mod kit;
mod place;
mod reply;
