//! Codecs as an expert writes them, for what the derived ones are made of the same headers. They
//! only read.

use metaproto_core::{
    Bytes, BytesMut, Codec, CodecContext, DecodeError, EncodeError, Error, Fault, FrameLength,
    MessageKind, Metadata, Mutation, Output, RequestHead, Side, Status, StatusClass,
};

use super::by_hand::MAGIC;

/// Dubbo, by hand.
pub(crate) struct DubboCodec {
    side: Side,
}

impl DubboCodec {
    pub(crate) fn new(context: &CodecContext) -> Self {
        DubboCodec { side: context.side }
    }
}

type DubboHeader = [u8; 16];

/// The header at the front, if there is enough of it; it must be Dubbo's.
#[inline(always)]
fn dubbo_header(head: &[u8]) -> Result<Option<&DubboHeader>, DecodeError> {
    let Some(h) = head.first_chunk::<16>() else {
        return Ok(None);
    };
    match u16::from_be_bytes([h[0], h[1]]) {
        MAGIC => Ok(Some(h)),
        other => Err(DecodeError::connection("magic", Fault::BadMagic(other.into()))),
    }
}

/// The length of the whole frame.
#[inline(always)]
fn dubbo_total(h: &DubboHeader) -> usize {
    u32::from_be_bytes([h[12], h[13], h[14], h[15]]) as usize + 16
}

impl Codec for DubboCodec {
    fn frame_length(&mut self, head: &[u8]) -> Result<FrameLength, DecodeError> {
        let known = |h| FrameLength::Known(dubbo_total(h));
        Ok(dubbo_header(head)?.map_or(FrameLength::Need(16), known))
    }

    fn decode(&mut self, frame: Bytes, metadata: &mut Metadata) -> Result<(), DecodeError> {
        let h = match dubbo_header(&frame)? {
            Some(h) if dubbo_total(h) == frame.len() => h,
            _ => return Err(DecodeError::connection("", Fault::Truncated)),
        };
        metadata.header_size = 16;
        metadata.context_size = 16;
        let id = u64::from_be_bytes([h[4], h[5], h[6], h[7], h[8], h[9], h[10], h[11]]);
        metadata.request_id = Some(id);
        metadata.kind = match h[2] {
            0xc2 => MessageKind::Request,
            0x82 => MessageKind::Oneway,
            0x02 => MessageKind::Response,
            0xe2 => MessageKind::Ping,
            0x22 => MessageKind::Pong,
            flags => {
                metadata.kind = match self.side {
                    Side::Downstream => MessageKind::Request,
                    Side::Upstream => MessageKind::Response,
                };
                metadata.frame = frame;
                return Err(DecodeError::message("flags", Fault::UnknownValue(flags.into())));
            }
        };
        if metadata.kind == MessageKind::Response {
            metadata.status = Some(dubbo_status(h[3]));
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

fn dubbo_status(code: u8) -> Status {
    let class = match code {
        20 => return Status::ok(20),
        31 => StatusClass::Timeout,
        40 => StatusClass::BadRequest,
        80 => StatusClass::Internal,
        100 => StatusClass::Overloaded,
        _ => return Status::application_error(code.into()),
    };
    Status { class, code: code.into() }
}

/// Awesomerpc, by hand. It knows no error codes: it is asked for requests only.
pub(crate) struct AwesomeCodec {
    side: Side,
    wants_command: bool,
}

impl AwesomeCodec {
    pub(crate) fn new(context: &CodecContext) -> Self {
        AwesomeCodec { side: context.side, wants_command: context.interest.wants("cmd") }
    }
}

impl Codec for AwesomeCodec {
    fn frame_length(&mut self, head: &[u8]) -> Result<FrameLength, DecodeError> {
        let Some(h) = head.first_chunk::<13>() else {
            return Ok(FrameLength::Need(13));
        };
        match u32::from_be_bytes([h[5], h[6], h[7], h[8]]) {
            length @ 13.. => Ok(FrameLength::Known(length as usize)),
            length => {
                Err(DecodeError::connection("pack_len", Fault::LengthTooSmall(length.into())))
            }
        }
    }

    fn decode(&mut self, frame: Bytes, metadata: &mut Metadata) -> Result<(), DecodeError> {
        let Some(h) = frame.first_chunk::<13>() else {
            return Err(DecodeError::connection("", Fault::Truncated));
        };
        if u32::from_be_bytes([h[5], h[6], h[7], h[8]]) as usize != frame.len() {
            return Err(DecodeError::connection("", Fault::Truncated));
        }
        metadata.header_size = 13;
        metadata.context_size = 13;
        metadata.request_id = Some(u32::from_be_bytes([h[1], h[2], h[3], h[4]]).into());
        let command = i16::from_be_bytes([h[9], h[10]]);
        metadata.set_operation_int(command);
        if self.wants_command {
            metadata.push_int("cmd", command);
        }
        match self.side {
            Side::Downstream => metadata.kind = MessageKind::Request,
            Side::Upstream => {
                metadata.kind = MessageKind::Response;
                metadata.status = Some(match i16::from_be_bytes([h[11], h[12]]) {
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
