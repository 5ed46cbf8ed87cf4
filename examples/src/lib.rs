//! A client and a server to stand at the ends of a proxy, for the examples and the end-to-end tests.
//!
//! [`Frames`], [`send`] and [`Server`] speak any protocol that is a [`Frame`](metaproto_core::Frame),
//! so any that is derived. [`Client`] speaks AwesomeRPC, by the codec's own struct
//! [`AwesomeRpc`]. All are what one writes by hand in an afternoon, and none is for production.
//!
//! ```
//! use metaproto_awesomerpc::AwesomeRpc;
//! use metaproto_examples::{Client, Server, reply};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> std::io::Result<()> {
//! let server = Server::start("127.0.0.1:0", async |request: AwesomeRpc| {
//!     let text = format!("you asked for {}", request.req_cmd);
//!     Some(reply(&request, 0, text))
//! })
//! .await?;
//! let client = Client::connect(server.address()).await?;
//! let response = client.call(100, "hello").await?;
//! assert_eq!(response.body, "you asked for 100");
//! # Ok(())
//! # }
//! ```

mod client;
mod frames;
mod server;

use metaproto_awesomerpc::AwesomeRpc;
use metaproto_core::frame::Message;
use metaproto_core::{Auto, Bytes};

pub use self::client::Client;
pub use self::frames::{Frames, send};
pub use self::server::Server;

/// A request of version 1: id `pack_flow`, for `cmd`.
pub fn request(pack_flow: u32, cmd: i16, body: impl Into<Bytes>) -> AwesomeRpc {
    AwesomeRpc {
        version: 1,
        pack_flow,
        pack_len: Auto::new(),
        req_cmd: cmd,
        rsp_code: 0,
        body: body.into(),
    }
}

/// The response to a request: what it repeats of it, `code` (0 is success), and a body.
pub fn reply(request: &AwesomeRpc, code: i16, body: impl Into<Bytes>) -> AwesomeRpc {
    AwesomeRpc { rsp_code: code, body: body.into(), ..*request }
}

/// A response in a line: what its code means, the code, the body. The proxy's own errors have the
/// names that they have in metrics: `route_not_found (-1): no route matches cmd=7`.
#[must_use]
pub fn describe(response: &AwesomeRpc) -> String {
    let code = response.rsp_code;
    let kind = AwesomeRpc::SPEC.errors.and_then(|errors| errors.kind(code.into()));
    let meaning = match kind {
        _ if code == 0 => "ok",
        Some(kind) => kind.as_str(),
        None => "application error",
    };
    format!("{meaning} ({code}): {}", String::from_utf8_lossy(&response.body))
}

#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
mod readme {}
