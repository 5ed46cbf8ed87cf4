//! The header of a message.

use metaproto_core::{Auto, Bytes, Codec, Frame};

/// A message of Dubbo 2: a header of 16 bytes, all of it big-endian, and a body.
///
/// ```text
///  0       2       3        4                          12               16
/// +-------+-------+--------+--------------------------+----------------+- - -
/// | da bb | flags | status |            id            |     length     | body
/// |  u16  |   u8  |   u8   |            u64           |       u32      |
/// +-------+-------+--------+--------------------------+----------------+- - -
/// ```
///
/// The status means something in responses only. Source: Apache Dubbo, reference manual, "Dubbo
/// protocol".
#[derive(Debug, Clone, PartialEq, Eq, Frame, Codec)]
#[frame(magic = 0xdabb_u16)]
#[meta(protocol = "dubbo")]
#[meta(kind(
    event && request => Ping,
    event => Pong,
    request && two_way => Request,
    request => Oneway,
    _ => Response,
))]
pub struct Message {
    /// Whether it is a request, whether an answer is expected, whether it is an event of the
    /// connection rather than a call, and what the body is [serialized](crate::Serialization) with.
    #[frame(bits(request = 7, two_way = 6, event = 5, serialization = 0..=4))]
    pub flags: u8,
    /// How a request ended: 20 is success.
    #[meta(status(ok = 20, classes(
        25 => BadRequest, 30 => Timeout, 31 => Timeout, 35 => Unavailable, 40 => BadRequest,
        50 => Internal, 60 => NotFound, 70 => Internal, 80 => Internal, 90 => Internal,
        100 => Overloaded, 105 => Internal,
    )))]
    pub status: u8,
    /// Ties a response to its request.
    #[meta(request_id)]
    pub id: u64,
    /// The length of the body in bytes.
    #[frame(length(of = body))]
    pub length: Auto<u32>,
    /// The call, its result, or what the event is.
    #[frame(body)]
    pub body: Bytes,
}

impl Message {
    /// The size of the header in bytes.
    pub(crate) const HEADER: usize = 16;

    /// The flag of requests.
    pub(crate) const REQUEST: u8 = 1 << 7;
    /// The flag of requests that are answered.
    pub(crate) const TWO_WAY: u8 = 1 << 6;
    /// The flag of events.
    pub(crate) const EVENT: u8 = 1 << 5;

    /// A message that is made here.
    pub(crate) fn new(flags: u8, status: u8, id: u64, body: impl Into<Bytes>) -> Self {
        Message { flags, status, id, length: Auto::new(), body: body.into() }
    }
}

/// The flags in a frame that is whole.
pub(crate) fn flags(frame: &[u8]) -> u8 {
    frame.get(Message::OFFSET_FLAGS).copied().unwrap_or_default()
}

/// Statuses of responses. Source: `org.apache.dubbo.remoting.exchange.Response`.
pub(crate) mod status {
    pub(crate) const OK: u8 = 20;
    pub(crate) const SERVER_TIMEOUT: u8 = 31;
    pub(crate) const CHANNEL_INACTIVE: u8 = 35;
    pub(crate) const BAD_REQUEST: u8 = 40;
    pub(crate) const BAD_RESPONSE: u8 = 50;
    pub(crate) const SERVICE_NOT_FOUND: u8 = 60;
    pub(crate) const SERVER_ERROR: u8 = 80;
    pub(crate) const THREADPOOL_EXHAUSTED: u8 = 100;
}
