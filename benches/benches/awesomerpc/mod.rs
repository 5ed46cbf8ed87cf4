//! What all benchmarks need of awesomerpc, and how long they run.

use std::time::Duration;

use criterion::Criterion;
use metaproto_awesomerpc::AwesomeRpc;
use metaproto_core::{
    Auto, Bytes, BytesMut, Codec, CodecContext, Frame, Limits, Metadata, Protocol, Side,
};

/// A frame of this many bytes, header included.
pub(crate) fn frame(size: usize, cmd: i16) -> Bytes {
    let body = Bytes::from(vec![b'x'; size.saturating_sub(AwesomeRpc::HEADER_SIZE)]);
    let message = AwesomeRpc {
        version: 1,
        pack_flow: 7,
        pack_len: Auto::new(),
        req_cmd: cmd,
        rsp_code: 0,
        body,
    };
    let mut wire = BytesMut::new();
    message.write(&mut wire).expect("it fits");
    wire.freeze()
}

/// The codec of a client's connection, as the engine holds it.
pub(crate) fn codec(protocol: &dyn Protocol) -> Box<dyn Codec> {
    protocol.codec(&CodecContext::new(Side::Downstream, Limits::default()))
}

/// What a codec tells of a request.
pub(crate) fn decoded(codec: &mut dyn Codec, frame: &Bytes) -> Metadata {
    let mut metadata = Metadata::new();
    codec.decode(frame.clone(), &mut metadata).expect("it can be read");
    metadata
}

/// Long enough for steps of nanoseconds; the command line may say otherwise.
pub(crate) fn criterion() -> Criterion {
    Criterion::default()
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(2))
        .configure_from_args()
}
