//! What messages are for, in words that all protocols share.

/// What a message is for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum MessageKind {
    /// A request that a response answers.
    #[default]
    Request,
    /// A request without a response.
    Oneway,
    /// The answer to a request.
    Response,
    /// Opens a stream.
    StreamOpen,
    /// Carries data of a stream.
    StreamData,
    /// Ends one direction of a stream.
    StreamHalfClose,
    /// Ends a stream.
    StreamClose,
    /// Asks whether the peer is alive.
    Ping,
    /// Answers a ping.
    Pong,
    /// Asks the peer to send no further requests on this connection.
    GoAway,
}

impl MessageKind {
    /// The kind's name, in snake case.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            MessageKind::Request => "request",
            MessageKind::Oneway => "oneway",
            MessageKind::Response => "response",
            MessageKind::StreamOpen => "stream_open",
            MessageKind::StreamData => "stream_data",
            MessageKind::StreamHalfClose => "stream_half_close",
            MessageKind::StreamClose => "stream_close",
            MessageKind::Ping => "ping",
            MessageKind::Pong => "pong",
            MessageKind::GoAway => "go_away",
        }
    }
}
