//! What the whole process may take.

/// Bounds of the process, over all listeners and workers. By default there are none.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Overload {
    /// The bytes that buffers and connections are to take at the most. From 80% of it on new requests
    /// are answered with [`Overloaded`](metaproto_core::ErrorKind::Overloaded), until it is less than
    /// 70%; from 95% on connections are refused and closed, until it is less than 85%.
    pub max_memory: Option<usize>,
    /// The most client connections at a time; further ones are closed at once.
    pub max_connections: Option<usize>,
}
