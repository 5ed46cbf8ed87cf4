//! The headers as our derive reads and writes them. All that this benchmark asks of the derive's
//! interface is here.

use metaproto_awesomerpc::AwesomeRpc;
use metaproto_core::frame::{Header, Plain};
use metaproto_core::{Auto, Bytes, Codec, EncodeError, Frame};

use super::samples::{AwesomeParts, DubboParts, fold_awesome, fold_dubbo};

/// A message of Dubbo. What kind it is, is said by the value of all flags, with 2 as serialization.
#[derive(Debug, Clone, PartialEq, Eq, Frame, Codec)]
#[frame(magic = 0xdabb_u16)]
#[meta(protocol = "dubbo", errors(Timeout => 31, BadRequest => 40, Overloaded => 100, _ => 80))]
pub(crate) struct Dubbo {
    #[frame(bits(request = 7, two_way = 6, event = 5, serialization = 0..=4))]
    #[meta(kind(
        0xc2 => Request, 0x82 => Oneway, 0x02 => Response, 0xe2 => Ping, 0x22 => Pong,
    ))]
    flags: u8,
    #[meta(status(ok = 20))]
    status: u8,
    #[meta(request_id)]
    id: u64,
    #[frame(length(of = body))]
    body_len: Auto<u32>,
    #[frame(body)]
    body: Bytes,
}

pub(crate) fn dubbo(parts: &DubboParts) -> Dubbo {
    let DubboParts { flags, status, id, body } = parts.clone();
    Dubbo { flags, status, id, body_len: Auto::new(), body }
}

pub(crate) fn awesome(parts: &AwesomeParts) -> AwesomeRpc {
    let AwesomeParts { version, flow, cmd, code, body } = parts.clone();
    let (pack_flow, req_cmd, rsp_code) = (flow, cmd, code);
    AwesomeRpc { version, pack_flow, pack_len: Auto::new(), req_cmd, rsp_code, body }
}

#[inline(never)]
pub(crate) fn decode_dubbo(bytes: &[u8]) -> Option<u64> {
    let header = <Dubbo as Frame>::Header::first(bytes)?;
    let prefix = <Dubbo as Frame>::Prefix::first(header)?;
    let total = Dubbo::length(prefix).ok()??;
    let frame = Dubbo::from_parts(header, Bytes::new());
    Some(fold_dubbo(frame.flags, frame.status, frame.id, total as u64))
}

#[inline(never)]
pub(crate) fn decode_awesome(bytes: &[u8]) -> Option<u64> {
    let header = <AwesomeRpc as Frame>::Header::first(bytes)?;
    let prefix = <AwesomeRpc as Frame>::Prefix::first(header)?;
    let total = AwesomeRpc::length(prefix).ok()??;
    let frame = AwesomeRpc::from_parts(header, Bytes::new());
    let AwesomeRpc { version, pack_flow, req_cmd, rsp_code, .. } = frame;
    Some(fold_awesome(version, pack_flow, (req_cmd, rsp_code), total as u64))
}

#[inline(never)]
pub(crate) fn encode_dubbo(frame: &Dubbo, out: &mut [u8; 16]) -> Result<(), EncodeError> {
    *out = frame.to_header()?;
    Ok(())
}

#[inline(never)]
pub(crate) fn encode_awesome(frame: &AwesomeRpc, out: &mut [u8; 13]) -> Result<(), EncodeError> {
    *out = frame.to_header()?;
    Ok(())
}
