//! Hessian 2, as Dubbo's bodies have it: passed over, not built.
//!
//! The first byte of a value tells what it is, and often how long, so that a value can be passed over
//! without knowing what it is for. All of the grammar is known: the compact forms of numbers and
//! texts, chunks, lists and maps with and without types, class definitions and objects, references.
//!
//! It reads from a plain slice with checks of its own. The same grammar with nom takes twice as many
//! instructions for the values of a typical call, and a quarter more for objects (the benchmark `dubbo`
//! counts both), and it recurses, where here a list of what is open bounds the depth.
//!
//! Source: "Hessian 2.0 Serialization Protocol", sections 3 and 4 (grammar and bytecode map).

mod cursor;
mod skip;
mod text;
mod write;

pub use self::cursor::{Cursor, Value};
pub use self::skip::Tables;
pub use self::text::Text;
pub use self::write::{write_int, write_text};
