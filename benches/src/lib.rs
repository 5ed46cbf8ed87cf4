//! What the benchmarks and the programs of this crate share.

pub mod callgrind;
pub mod protocol;
pub mod table;
