//! What the benchmarks and the programs of this crate share.

pub mod table;
