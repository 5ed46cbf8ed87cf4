//! Messages as the tests write and read them.

use std::io::Write;
use std::sync::Arc;

use flate2::Compression;
use flate2::write::ZlibEncoder;
use metaproto_core::{
    Bytes, Codec, CodecContext, FrameLength, Interest, Limits, Metadata, Mutation, Output, Side,
};
use metaproto_thrift::Thrift;

/// A codec that reads what comes from a peer on this side.
pub(crate) fn codec(side: Side) -> Box<dyn Codec> {
    Thrift::protocol().codec(&CodecContext::new(side, Limits::default()))
}

/// One that is asked for these properties only.
pub(crate) fn asked(names: &[&str]) -> Box<dyn Codec> {
    let names = names.iter().map(|&name| name.to_owned()).collect();
    let context = CodecContext::new(Side::Downstream, Limits::default());
    Thrift::protocol().codec(&context.with_interest(Arc::new(Interest::Only(names))))
}

/// The first message of a connection.
pub(crate) fn read_with(codec: &mut dyn Codec, bytes: &[u8]) -> Metadata {
    let length = codec.frame_length(bytes);
    assert_eq!(length, Ok(FrameLength::Known(bytes.len())), "{bytes:02x?}");
    let mut metadata = Metadata::new();
    codec.decode(Bytes::copy_from_slice(bytes), &mut metadata).expect("it can be read");
    metadata
}

pub(crate) fn request(bytes: &[u8]) -> Metadata {
    read_with(&mut *codec(Side::Downstream), bytes)
}

pub(crate) fn response(bytes: &[u8]) -> Metadata {
    read_with(&mut *codec(Side::Upstream), bytes)
}

/// A property as text.
pub(crate) fn property(metadata: &Metadata, name: &str) -> Option<String> {
    metadata.property(name).map(|value| value.to_text().into_owned())
}

/// A message in a frame.
pub(crate) fn framed(message: &[u8]) -> Vec<u8> {
    [&u32::try_from(message.len()).expect("short").to_be_bytes()[..], message].concat()
}

/// The first message of a connection with these changes.
pub(crate) fn changed(bytes: &[u8], mutation: &Mutation) -> Bytes {
    let mut codec = codec(Side::Downstream);
    let metadata = read_with(&mut *codec, bytes);
    let mut out = Output::new();
    codec.encode(&metadata, mutation, &mut out).expect("it can be changed");
    let parts: Vec<u8> = out.parts().flat_map(|part| part.to_vec()).collect();
    parts.into()
}

/// A call of `Users:find` with the arguments 1: "anna", 2: the int 5, 3: a list.
pub(crate) const CALL: &[u8] = b"\x80\x01\x00\x01\x00\x00\x00\x0aUsers:find\x00\x00\x00\x07\
    \x0b\x00\x01\x00\x00\x00\x04anna\x08\x00\x02\x00\x00\x00\x05\
    \x0f\x00\x03\x08\x00\x00\x00\x02\x00\x00\x00\x01\x00\x00\x00\x02\x00";

/// The same in the compact protocol.
pub(crate) const COMPACT: &[u8] =
    b"\x82\x21\x07\x0aUsers:find\x18\x04anna\x15\x0a\x19\x25\x02\x04\x00";

/// The same in the binary protocol of old.
pub(crate) const OLD: &[u8] = b"\x00\x00\x00\x0aUsers:find\x01\x00\x00\x00\x07\
    \x0b\x00\x01\x00\x00\x00\x04anna\x08\x00\x02\x00\x00\x00\x05\
    \x0f\x00\x03\x08\x00\x00\x00\x02\x00\x00\x00\x01\x00\x00\x00\x02\x00";

/// A message with a header of keys and values, as THeader has it.
pub(crate) fn with_header(pairs: &[(&str, &str)], message: &[u8]) -> Vec<u8> {
    let mut header = vec![if message[0] == 0x82 { 2 } else { 0 }, 0];
    if !pairs.is_empty() {
        header.extend([1, u8::try_from(pairs.len()).expect("few")]);
        for text in pairs.iter().flat_map(|(key, value)| [key, value]) {
            header.push(u8::try_from(text.len()).expect("short"));
            header.extend(text.bytes());
        }
    }
    header.resize(header.len().next_multiple_of(4), 0);
    let words = u16::try_from(header.len() / 4).expect("short").to_be_bytes();
    framed(&[b"\x0f\xff\x00\x00\x00\x00\x00\x07", &words[..], &header, message].concat())
}

/// The same for TTHeader.
pub(crate) fn with_tt_header(pairs: &[(&str, &str)], message: &[u8]) -> Vec<u8> {
    let mut header = vec![if message[0] == 0x82 { 2 } else { 0 }, 0];
    header.extend(b"\x10\x00\x01\x00\x03\x00\x02me"); // the int key 3
    if !pairs.is_empty() {
        header.extend([1, 0, u8::try_from(pairs.len()).expect("few")]);
        for text in pairs.iter().flat_map(|(key, value)| [key, value]) {
            header.extend(u16::try_from(text.len()).expect("short").to_be_bytes());
            header.extend(text.bytes());
        }
    }
    header.resize(header.len().next_multiple_of(4), 0);
    let words = u16::try_from(header.len() / 4).expect("short").to_be_bytes();
    framed(&[b"\x10\x00\x00\x00\x00\x00\x00\x07", &words[..], &header, message].concat())
}

/// A message of the compact protocol with a THeader, compressed.
pub(crate) fn deflated(message: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(message).expect("it is in memory");
    let compressed = encoder.finish().expect("it is in memory");
    let header = [2, 1, 1, 0]; // compact, one transform: zlib
    framed(&[b"\x0f\xff\x00\x00\x00\x00\x00\x07\x00\x01", &header[..], &compressed].concat())
}
