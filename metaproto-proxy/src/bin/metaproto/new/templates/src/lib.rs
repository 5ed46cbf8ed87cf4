//! The protocol {{name}}: the struct [`{{type}}`] is its whole codec.
//!
//! The layout below is a starting point. **Make it that of your protocol, here, first**: this table,
//! then the fields of the struct in the order of the wire. `cargo test` tells what it breaks, and
//! `tests/codec.rs` is where the bytes are that you expect. All attributes are explained at
//! [`metaproto_core::Frame`](macro@metaproto_core::Frame) and
//! [`metaproto_core::Codec`](macro@metaproto_core::Codec) (`cargo doc --open`).
//!
//! A message is a header of {{header_size}} bytes, its integers {{endian}}-endian, and a body:
//!
//! | byte | field     |                                                                            |
//! |------|-----------|----------------------------------------------------------------------------|
//! | 0    | magic     | `{{magic}}`                                                                       |
//! | 2    | `version` | 1                                                                          |
//! | 3    | `kind`    | 1 request, 2 response, 3 one-way request, 4 ping, 5 pong                   |
//! | 4    | `method`  | 2 bytes; what is called                                                    |
//! | 6    | `status`  | 2 bytes; how the call ended: 0 is success; not looked at in requests       |
//! | 8    | `id`      | {{id_bytes}} bytes; a response has that of its request, and may come in any order     |
//! | {{length_at}}   | `length`  | 4 bytes; the bytes of the {{length_counts_padded}}                  |
//! | {{header_size}}   | `body`    |                                                                            |

use metaproto_core::{Auto, Bytes, Codec, Frame};

/// The kinds of messages.
pub mod kind {
    /// Asks for a response.
    pub const REQUEST: u8 = 1;
    /// Answers a request.
    pub const RESPONSE: u8 = 2;
    /// A request without a response.
    pub const ONEWAY: u8 = 3;
    /// Asks whether the peer is alive.
    pub const PING: u8 = 4;
    /// Answers a ping.
    pub const PONG: u8 = 5;
}

/// What a status tells.
pub mod status {
    /// Success. What is neither this nor in `errors` below is an error of the application.
    pub const OK: u16 = 0;
}

/// A message of {{name}}. `{{type}}::protocol()` is what a proxy is given.
//
// `errors` are the codes by which the proxy answers what it can't forward; `_` is that of every
// kind of error without a line of its own. `Auto` is a field that follows from the rest of the
// message: it is checked when one is read, and made when one is written.
#[derive(Debug, Clone, PartialEq, Eq, Frame, Codec)]
#[frame(magic = b"{{magic}}", endian = {{endian}})]
#[meta(protocol = "{{name}}")]
#[meta(errors(
    BadRequest => 400,
    RouteNotFound => 404,
    FrameTooLarge => 413,
    OverLimit => 429,
    UpstreamReset => 501,
    ConnectionFailure => 502,
    NoHealthyUpstream => 503,
    Timeout => 504,
    _ => 500,
))]
pub struct {{type}} {
    /// The version of the protocol.
    #[frame(constant = 1)]
    pub version: Auto<u8>,
    /// One of [`kind`]. Without such a field, what a client sends is a request.
    #[meta(kind(
        kind::REQUEST => Request,
        kind::RESPONSE => Response,
        kind::ONEWAY => Oneway,
        kind::PING => Ping,
        kind::PONG => Pong,
    ))]
    pub kind: u8,
    /// What is called. As a `property` it is what routes can ask for (`proxy.yaml`); as the
    /// `operation` it is the name of the call in logs.
    #[meta(operation, property)]
    pub method: u16,
    /// How the call ended; see [`status`].
    #[meta(status(ok = status::OK))]
    pub status: u16,
    /// Ties a response to its request. Without one, responses come in the order of the requests.
    #[meta(request_id)]
    pub id: u{{id_bits}},
    /// The bytes of the {{length_counts}}.
    #[frame(length(of = {{length_of}}))]
    pub length: Auto<u32>,
    /// What the message carries; the proxy never looks into it.
    #[frame(body)]
    pub body: Bytes,
}

impl {{type}} {
    /// A request.
    pub fn request(id: u{{id_bits}}, method: u16, body: impl Into<Bytes>) -> Self {
        Self {
            version: Auto::new(),
            kind: kind::REQUEST,
            method,
            status: status::OK,
            id,
            length: Auto::new(),
            body: body.into(),
        }
    }

    /// The response to this request.
    #[must_use]
    pub fn response(&self, status: u16, body: impl Into<Bytes>) -> Self {
        Self {
            kind: kind::RESPONSE,
            status,
            body: body.into(),
            ..*self
        }
    }
}
