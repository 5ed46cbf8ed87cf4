//! Frames as the tests write and read them.

use std::sync::Arc;

use metaproto_core::{
    Bytes, BytesMut, Codec, CodecContext, DecodeError, Interest, Limits, Metadata, Mutation,
    Options, Output, Side,
};
use metaproto_dubbo::{Dubbo, hessian};

/// A frame with these flags and this body.
pub(crate) fn frame(flags: u8, status: u8, id: u64, body: &[u8]) -> Bytes {
    let mut bytes = vec![0xda, 0xbb, flags, status];
    bytes.extend(id.to_be_bytes());
    bytes.extend(u32::try_from(body.len()).expect("short").to_be_bytes());
    bytes.extend(body);
    bytes.into()
}

/// A codec that reads what comes from a peer on this side.
pub(crate) fn codec(side: Side) -> Box<dyn Codec> {
    Dubbo::protocol().codec(&CodecContext::new(side, Limits::default()))
}

/// One that is asked for these properties only, and not for the client's timeout.
pub(crate) fn asked(side: Side, names: &[&str]) -> Box<dyn Codec> {
    let names = names.iter().map(|&name| name.to_owned()).collect();
    let context =
        CodecContext::new(side, Limits::default()).with_interest(Arc::new(Interest::Only(names)));
    let ignore = Options::from([("client_timeout".to_owned(), "ignore".to_owned())]);
    Dubbo::protocol().configure(&ignore).expect("an option").codec(&context)
}

pub(crate) fn decoded(codec: &mut dyn Codec, frame: &Bytes) -> Metadata {
    let mut metadata = Metadata::new();
    let result: Result<(), DecodeError> = codec.decode(frame.clone(), &mut metadata);
    result.expect("it can be read");
    metadata
}

/// What a request says, all of it.
pub(crate) fn request(frame: &Bytes) -> Metadata {
    decoded(&mut *codec(Side::Downstream), frame)
}

/// What a response says, all of it.
pub(crate) fn response(frame: &Bytes) -> Metadata {
    decoded(&mut *codec(Side::Upstream), frame)
}

/// A property as text.
pub(crate) fn property(metadata: &Metadata, name: &str) -> Option<String> {
    metadata.property(name).map(|value| value.to_text().into_owned())
}

/// The message with these changes, as the codec of the client's connection writes it.
pub(crate) fn changed(metadata: &Metadata, mutation: &Mutation) -> Bytes {
    let mut out = Output::new();
    codec(Side::Downstream).encode(metadata, mutation, &mut out).expect("it can be changed");
    let parts: Vec<u8> = out.parts().flat_map(|part| part.to_vec()).collect();
    parts.into()
}

/// Texts in Hessian 2, one after the other.
pub(crate) fn texts(texts: &[&str]) -> Vec<u8> {
    let mut out = BytesMut::new();
    texts.iter().for_each(|text| hessian::write_text(text, &mut out));
    out.to_vec()
}

/// A map of texts in Hessian 2.
pub(crate) fn map(entries: &[(&str, &str)]) -> Vec<u8> {
    let inner = entries.iter().flat_map(|(key, value)| texts(&[key, value]));
    [b'H'].into_iter().chain(inner).chain([b'Z']).collect()
}

/// The body of a call of `org.example.Users/find` with one argument.
pub(crate) fn call(arguments: &[u8], types: &str, attachments: &[(&str, &str)]) -> Vec<u8> {
    let mut body = texts(&["2.0.2", "org.example.Users", "1.2.0", "find", types]);
    body.extend(arguments);
    body.extend(map(attachments));
    body
}

/// A two-way request in Hessian 2.
pub(crate) fn two_way(body: &[u8]) -> Bytes {
    frame(0xc2, 0, 7, body)
}
