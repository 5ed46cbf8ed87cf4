//! Reading a frame of 128 bytes: the derived codec against one that an expert has written for it.
//!
//! Both are called through `dyn Codec`, fill the same `Metadata`, and are handed a clone of the same
//! frame: what is left of the difference is the derive's.

mod awesomerpc;

use std::hint::black_box;
use std::sync::Arc;

use criterion::Throughput;
use metaproto_awesomerpc::AwesomeRpc;
use metaproto_core::{
    Bytes, BytesMut, Capabilities, Codec, CodecContext, Correlation, DecodeError, EncodeError,
    Error, Fault, FrameLength, MessageKind, Metadata, Mutation, OptionError, Options, Output,
    Protocol, RequestHead, Side, Status,
};

use self::awesomerpc::{codec, criterion, decoded, frame};

const SIZE: usize = 128;
const HEADER: usize = 13;

/// Awesomerpc, read by hand. It only reads.
#[derive(Debug)]
struct ByHand;

impl Protocol for ByHand {
    fn name(&self) -> &str {
        "by hand"
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities::new(Correlation::Id { bits: 32 })
    }

    fn codec(&self, context: &CodecContext) -> Box<dyn Codec> {
        Box::new(ByHandCodec { side: context.side, wants_command: context.interest.wants("cmd") })
    }

    fn configure(&self, _: &Options) -> Result<Arc<dyn Protocol>, OptionError> {
        Ok(Arc::new(ByHand))
    }
}

struct ByHandCodec {
    side: Side,
    wants_command: bool,
}

impl Codec for ByHandCodec {
    fn frame_length(&mut self, head: &[u8]) -> Result<FrameLength, DecodeError> {
        let Some(header) = head.first_chunk::<HEADER>() else {
            return Ok(FrameLength::Need(HEADER));
        };
        let [_, _, _, _, _, a, b, c, d, ..] = *header;
        match u32::from_be_bytes([a, b, c, d]) {
            length @ 13.. => Ok(FrameLength::Known(length as usize)),
            length => {
                Err(DecodeError::connection("pack_len", Fault::LengthTooSmall(length.into())))
            }
        }
    }

    fn decode(&mut self, frame: Bytes, metadata: &mut Metadata) -> Result<(), DecodeError> {
        let Some(header) = frame.first_chunk::<HEADER>() else {
            return Err(DecodeError::connection("", Fault::Truncated));
        };
        let [_, f0, f1, f2, f3, l0, l1, l2, l3, q0, q1, s0, s1] = *header;
        if u32::from_be_bytes([l0, l1, l2, l3]) as usize != frame.len() {
            return Err(DecodeError::connection("", Fault::Truncated));
        }
        metadata.header_size = HEADER;
        metadata.context_size = HEADER;
        metadata.request_id = Some(u32::from_be_bytes([f0, f1, f2, f3]).into());
        let command = i16::from_be_bytes([q0, q1]);
        metadata.set_operation_int(command);
        if self.wants_command {
            metadata.push_int("cmd", command);
        }
        match self.side {
            Side::Downstream => metadata.kind = MessageKind::Request,
            Side::Upstream => {
                metadata.kind = MessageKind::Response;
                metadata.status = Some(match i16::from_be_bytes([s0, s1]) {
                    0 => Status::ok(0),
                    code => Status::application_error(code.into()),
                });
            }
        }
        metadata.frame = frame;
        Ok(())
    }

    fn encode(&self, _: &Metadata, _: &Mutation, _: &mut Output) -> Result<(), EncodeError> {
        Err(EncodeError::Unsupported("writing"))
    }

    fn on_error(&self, _: &RequestHead, _: &Error, _: &mut BytesMut) -> Result<(), EncodeError> {
        Err(EncodeError::Unsupported("writing"))
    }
}

/// A frame's way through a codec, as the engine has it: its length, then its facts.
fn read(codec: &mut dyn Codec, frame: &Bytes, metadata: &mut Metadata) {
    let length = codec.frame_length(black_box(frame));
    assert_eq!(length, Ok(FrameLength::Known(SIZE)));
    metadata.clear();
    codec.decode(black_box(frame.clone()), metadata).expect("it can be read");
    black_box(metadata);
}

fn main() {
    let mut criterion = criterion();
    let frame = frame(SIZE, 100);
    let mut codecs = [("derived", codec(&*AwesomeRpc::protocol())), ("by hand", codec(&ByHand))];
    // Both must tell the same, or the comparison means nothing.
    let facts = |codec: &mut dyn Codec| format!("{:?}", decoded(codec, &frame));
    let [derived, by_hand] = codecs.each_mut().map(|(_, codec)| facts(&mut **codec));
    assert_eq!(derived, by_hand);

    let mut group = criterion.benchmark_group("decode");
    group.throughput(Throughput::Bytes(SIZE as u64));
    for (name, codec) in &mut codecs {
        let mut metadata = Metadata::new();
        group.bench_function(*name, |bencher| {
            bencher.iter(|| read(&mut **codec, &frame, &mut metadata));
        });
    }
    group.finish();
    criterion.final_summary();
}
