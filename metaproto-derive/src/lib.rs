//! Derive macros of metaproto.
