//! AwesomeRPC, the protocol that metaproto's tutorial is about: a whole codec in twenty lines.
//!
//! A message is a header of 13 bytes, all of it big-endian, and a body:
//!
//! ```text
//!  0         1         5         9        11        13
//! +---------+---------+---------+---------+---------+- - - - -
//! | version |pack_flow|pack_len | req_cmd |rsp_code | body
//! |   i8    |   u32   |   u32   |   i16   |   i16   |
//! +---------+---------+---------+---------+---------+- - - - -
//! ```
//!
//! | field       | meaning                                                                       |
//! |-------------|-------------------------------------------------------------------------------|
//! | `version`   | anything; a reply repeats it                                                  |
//! | `pack_flow` | the request id; a response repeats it, and may come in any order              |
//! | `pack_len`  | the length of the whole message in bytes, header included: at least 13        |
//! | `req_cmd`   | what is called: the property `cmd`, in decimal, and the name of the operation |
//! | `rsp_code`  | how the call ended: 0 is success; not looked at in requests                   |
//!
//! Requests and responses look alike. Which it is follows from who sends it: what a client sends is
//! a request. Every request has a response.
//!
//! This is the layout that counts. The reference implementation reads a `pack_len` of two bytes and
//! writes one of four; 13 bytes, which it names as the size of its header, is the one of four.
//!
//! # Error replies
//!
//! When a request can't be forwarded, the answer is the request's header with the length set, a
//! `rsp_code` below zero that tells the [kind of error](metaproto_core::ErrorKind), and a body that
//! tells it in words, as UTF-8 text. Other codes than these and 0 are the application's own.
//!
//! | code | kind                | code | kind              | code | kind            |
//! |------|---------------------|------|-------------------|------|-----------------|
//! | -1   | `RouteNotFound`     | -7   | `BadRequest`      | -13  | `Aborted`       |
//! | -2   | `ClusterNotFound`   | -8   | `BadResponse`     | -14  | `Draining`      |
//! | -3   | `NoHealthyUpstream` | -9   | `FrameTooLarge`   | -15  | `Unsupported`   |
//! | -4   | `ConnectionFailure` | -10  | `OverLimit`       | -16  | any other       |
//! | -5   | `UpstreamReset`     | -11  | `Overloaded`      |      |                 |
//! | -6   | `Timeout`           | -12  | `Denied`          |      |                 |
//!
//! # A message, byte by byte
//!
//! ```
//! use metaproto_awesomerpc::AwesomeRpc;
//! use metaproto_core::{Auto, Bytes, BytesMut, Frame};
//!
//! let message = AwesomeRpc {
//!     version: 1,
//!     pack_flow: 0x0102_0304,
//!     pack_len: Auto::new(),
//!     req_cmd: -7,
//!     rsp_code: 0,
//!     body: Bytes::from_static(b"hello"),
//! };
//! let mut wire = BytesMut::new();
//! message.write(&mut wire)?;
//! assert_eq!(
//!     wire[..],
//!     [
//!         0x01, // version 1
//!         0x01, 0x02, 0x03, 0x04, // pack_flow
//!         0x00, 0x00, 0x00, 0x12, // pack_len: 13 + 5
//!         0xff, 0xf9, // req_cmd -7
//!         0x00, 0x00, // rsp_code
//!         0x68, 0x65, 0x6c, 0x6c, 0x6f, // body
//!     ]
//! );
//! assert_eq!(AwesomeRpc::read(wire.freeze())?, message);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use metaproto_core::{Auto, Bytes, Codec, Frame};

/// A message of AwesomeRPC, request or response. [`AwesomeRpc::protocol`] is what a proxy is given.
#[derive(Debug, Clone, PartialEq, Eq, Frame, Codec)]
#[meta(protocol = "awesomerpc")]
#[meta(errors(
    RouteNotFound => -1, ClusterNotFound => -2, NoHealthyUpstream => -3, ConnectionFailure => -4,
    UpstreamReset => -5, Timeout => -6, BadRequest => -7, BadResponse => -8, FrameTooLarge => -9,
    OverLimit => -10, Overloaded => -11, Denied => -12, Aborted => -13, Draining => -14,
    Unsupported => -15, _ => -16,
))]
pub struct AwesomeRpc {
    /// The version of the protocol that the sender speaks.
    pub version: i8,
    /// The request id.
    #[meta(request_id)]
    pub pack_flow: u32,
    /// The length of the whole message.
    #[frame(length(of = frame))]
    pub pack_len: Auto<u32>,
    /// What is called.
    #[meta(operation, property = "cmd")]
    pub req_cmd: i16,
    /// How the call ended.
    #[meta(status(ok = 0))]
    pub rsp_code: i16,
    /// What it carries.
    #[frame(body)]
    pub body: Bytes,
}
