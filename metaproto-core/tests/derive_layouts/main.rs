//! Layouts of every kind, filled with random values: what every one of them must hold to is in `laws`.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "tests may panic"
)]

#[macro_use]
mod laws;

mod blocks;
mod choices;
mod cost;
mod fixed;
mod frames;
mod lengths;
mod lists;
mod nested;
mod optional;
mod padding;
mod trailers;
mod values;
