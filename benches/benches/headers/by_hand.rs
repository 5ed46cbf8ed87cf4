//! The headers as an expert reads and writes them: one check of the size, then arrays.

use metaproto_core::EncodeError;

use super::samples::{
    AwesomeParts, DubboParts, awesome_length, dubbo_length, fold_awesome, fold_dubbo,
};

pub(crate) const MAGIC: u16 = 0xdabb;

#[inline(never)]
pub(crate) fn decode_dubbo(bytes: &[u8]) -> Option<u64> {
    let h = bytes.first_chunk::<16>()?;
    if u16::from_be_bytes([h[0], h[1]]) != MAGIC {
        return None;
    }
    let id = u64::from_be_bytes([h[4], h[5], h[6], h[7], h[8], h[9], h[10], h[11]]);
    let body_len = u32::from_be_bytes([h[12], h[13], h[14], h[15]]);
    Some(fold_dubbo(h[2], h[3], id, u64::from(body_len) + 16))
}

#[inline(never)]
pub(crate) fn decode_awesome(bytes: &[u8]) -> Option<u64> {
    let h = bytes.first_chunk::<13>()?;
    let total = u32::from_be_bytes([h[5], h[6], h[7], h[8]]);
    if total < 13 {
        return None;
    }
    let flow = u32::from_be_bytes([h[1], h[2], h[3], h[4]]);
    let cmd = i16::from_be_bytes([h[9], h[10]]);
    let code = i16::from_be_bytes([h[11], h[12]]);
    Some(fold_awesome(h[0].cast_signed(), flow, (cmd, code), u64::from(total)))
}

#[inline(never)]
pub(crate) fn encode_dubbo(parts: &DubboParts, out: &mut [u8; 16]) -> Result<(), EncodeError> {
    let body_len = dubbo_length(&parts.body)?;
    let mut header = [0; 16];
    header[..2].copy_from_slice(&MAGIC.to_be_bytes());
    header[2] = parts.flags;
    header[3] = parts.status;
    header[4..12].copy_from_slice(&parts.id.to_be_bytes());
    header[12..].copy_from_slice(&body_len.to_be_bytes());
    *out = header;
    Ok(())
}

#[inline(never)]
pub(crate) fn encode_awesome(parts: &AwesomeParts, out: &mut [u8; 13]) -> Result<(), EncodeError> {
    let total = awesome_length(&parts.body)?;
    let mut header = [0; 13];
    header[0] = parts.version.cast_unsigned();
    header[1..5].copy_from_slice(&parts.flow.to_be_bytes());
    header[5..9].copy_from_slice(&total.to_be_bytes());
    header[9..11].copy_from_slice(&parts.cmd.to_be_bytes());
    header[11..].copy_from_slice(&parts.code.to_be_bytes());
    *out = header;
    Ok(())
}
