//! The shape of the bounds of the process in a configuration file.

use serde::{Deserialize, Serialize};

use super::schema::Size;
use crate::model;

/// Bounds of the process. What is left out has none.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Overload {
    /// See [`model::Overload::max_memory`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_memory: Option<Size>,
    /// See [`model::Overload::max_connections`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_connections: Option<usize>,
}

impl From<Overload> for model::Overload {
    fn from(file: Overload) -> Self {
        model::Overload {
            max_memory: file.max_memory.map(|Size(bytes)| bytes),
            max_connections: file.max_connections,
        }
    }
}
