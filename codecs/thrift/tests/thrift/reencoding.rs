//! The body of the fuzz target `thrift_transcode`: arguments of any bytes, for servers that are spoken to
//! in the other encoding.

use metaproto_core::{
    Bytes, CodecContext, EncodeError, FrameLength, Limits, Options, Output, Protocol, Side,
};
use metaproto_thrift::Thrift;

/// What a call has in front of its arguments: those of the method `f`, with the id 7.
const BINARY: &[u8] = b"\x80\x01\x00\x01\x00\x00\x00\x01f\x00\x00\x00\x07";
const OLD_BINARY: &[u8] = b"\x00\x00\x00\x01f\x01\x00\x00\x00\x07";
const COMPACT: &[u8] = b"\x82\x21\x07\x01f";

/// Has arguments re-encoded. The first byte tells how they are encoded, by what is left of it when
/// divided by three: binary, the binary protocol of old, compact. The others are the arguments.
///
/// What must hold: nothing panics, what comes out is a whole message that is at most eight times as
/// long, what the framing of binary calls lets pass can be re-encoded, and there and back again changes
/// nothing any longer.
///
/// # Panics
/// One of these does not hold.
pub(crate) fn fuzz(data: &[u8]) {
    let Some((first, arguments)) = data.split_first() else { return };
    let (own, envelope, other) = match first % 3 {
        0 => ("binary", BINARY, "compact"),
        1 => ("old-binary", OLD_BINARY, "compact"),
        _ => ("compact", COMPACT, "binary"),
    };
    let call = [envelope, arguments].concat();
    let is_whole = matches!(length(&call), Some(length) if length <= call.len());
    let Ok(written) = reencoded(&call, other) else {
        assert!(!is_whole || own == "compact", "whole, but not to be re-encoded: {data:02x?}");
        return;
    };
    assert!(is_whole, "not whole, but re-encoded: {data:02x?}");
    assert_eq!(length(&written), Some(written.len()), "of {data:02x?} comes {written:02x?}");
    let most = 8 * arguments.len() + BINARY.len();
    assert!(written.len() <= most, "{} bytes of {data:02x?}", written.len());
    let back = reencoded(&written, own).expect("it has been read before");
    let again = reencoded(&back, other).expect("it has been read before");
    assert_eq!(again, written, "there and back again: {data:02x?}");
}

/// A call as servers get it that are spoken to in this encoding.
pub(crate) fn reencoded(call: &[u8], protocol: &str) -> Result<Vec<u8>, EncodeError> {
    let length = u32::try_from(call.len()).expect("short").to_be_bytes();
    let framed = Bytes::from([&length[..], call].concat());
    let mut out = Output::new();
    let context = CodecContext::new(Side::Upstream, Limits::default());
    let mut codec = configured("unframed", protocol).codec(&context);
    codec.translate_request(&framed, None, None, &mut out)?;
    Ok(out.parts().flat_map(|part| part.to_vec()).collect())
}

/// The length of an unframed call, if it can be told.
fn length(call: &[u8]) -> Option<usize> {
    let context = CodecContext::new(Side::Downstream, Limits::default());
    match configured("unframed", "auto").codec(&context).frame_length(call) {
        Ok(FrameLength::Known(length)) => Some(length),
        _ => None,
    }
}

fn configured(transport: &str, protocol: &str) -> std::sync::Arc<dyn Protocol> {
    let option = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let options = Options::from([option("transport", transport), option("protocol", protocol)]);
    Thrift::protocol().configure(&options).expect("there is such a dialect")
}
