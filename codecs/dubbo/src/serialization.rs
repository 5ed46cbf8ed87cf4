//! What bodies are written in.

use std::fmt;

use metaproto_core::BytesMut;

use crate::body::{json, jsonb};
use crate::{hessian, message};

/// The serialization of a body, as the low five bits of the flags tell it.
///
/// Source: the ids in `org.apache.dubbo.common.serialize.Constants`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Serialization(pub u8);

impl Serialization {
    /// Hessian 2, Dubbo's own.
    pub const HESSIAN2: Self = Serialization(2);
    /// JSON as text, a line for a value.
    pub const FASTJSON: Self = Serialization(6);
    /// JSONB, binary JSON, with a length in front of each value.
    pub const FASTJSON2: Self = Serialization(23);

    /// That of a frame.
    pub(crate) fn of(frame: &[u8]) -> Self {
        Serialization(message::flags(frame) & 0x1f)
    }

    /// The word that Dubbo's configuration uses; `None` for numbers that it does not know.
    #[must_use]
    pub const fn name(self) -> Option<&'static str> {
        Some(match self.0 {
            2 => "hessian2",
            3 => "java",
            4 => "compactedjava",
            6 => "fastjson",
            7 => "nativejava",
            8 => "kryo",
            9 => "fst",
            10 => "native-hessian",
            11 => "avro",
            12 => "protostuff",
            16 => "gson",
            21 => "protobuf-json",
            22 => "protobuf",
            23 => "fastjson2",
            25 => "kryo2",
            27 => "msgpack",
            _ => return None,
        })
    }

    /// The one to write in, to a peer that reads this one: the same if it can be written here, else
    /// Hessian 2, which every peer reads.
    pub(crate) fn writable(self) -> Self {
        match self {
            Self::FASTJSON | Self::FASTJSON2 => self,
            _ => Self::HESSIAN2,
        }
    }

    /// Appends a text.
    pub(crate) fn write_text(self, text: &str, out: &mut BytesMut) {
        match self.writable() {
            Self::FASTJSON => json::write_text_line(text, out),
            Self::FASTJSON2 => jsonb::write_text_block(text, out),
            _ => hessian::write_text(text, out),
        }
    }

    /// Nothing, as a value: what heartbeats carry.
    pub(crate) fn null(self) -> &'static [u8] {
        match self.writable() {
            Self::FASTJSON => b"null\n",
            Self::FASTJSON2 => &[0, 0, 0, 1, jsonb::NULL],
            _ => b"N",
        }
    }
}

impl fmt::Display for Serialization {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.write_str(name),
            None => write!(f, "{}", self.0),
        }
    }
}
