//! What must be true of the codec. When `src/lib.rs` changes, this is the next file to change.

use metaproto_core::conformance::{Samples, check};
use metaproto_core::{Bytes, BytesMut, Frame};
use metaproto_proxy::config::{Config, Protocols};

use {{crate}}::{{type}};
use {{crate}}::{kind, status};

fn wire(message: &{{type}}) -> Bytes {
    let mut wire = BytesMut::new();
    message.write(&mut wire).expect("it fits its length");
    wire.freeze()
}

fn of_kind(kind: u8, body: &'static str) -> {{type}} {
    let request = {{type}}::request(5, 7, body);
    {{type}} { kind, ..request }
}

/// Only you know what the bytes must be: take them from the document of your protocol, or from a
/// capture.
#[test]
fn the_bytes_are_what_the_protocol_says() {
    let message = {{type}}::request(5, 7, "hello");
    let expected = [
        b"{{magic}}".as_slice(), // magic
        &[1],             // version
        &[1],             // kind: a request
        &[{{wire_method}}],          // method 7
        &[0, 0],          // status
        // id 5
        &[{{wire_id}}],
        // length
        &[{{wire_length}}],
        b"hello",
    ]
    .concat();
    assert_eq!(wire(&message), expected);
    let read = {{type}}::read(expected.into());
    assert_eq!(read, Ok(message));
}

/// The kit cuts the samples at every byte, flips their bits, lets lengths lie, changes ids and
/// properties, and has every kind of error answered. Give it one message of each kind at least;
/// captured ones are best.
#[test]
fn the_codec_holds_to_the_laws() {
    let request = {{type}}::request(5, 7, "hello");
    let large = {{type}}::request(6, 7, vec![b'x'; 20_000]);
    let samples = Samples::new()
        .request(wire(&request))
        .request(wire(&large))
        .request(wire(&of_kind(kind::ONEWAY, "no answer, please")))
        .request(wire(&of_kind(kind::PING, "")))
        .response(wire(&request.response(status::OK, "hello to you")))
        .response(wire(&request.response(42, "out of stock")))
        .response(wire(&request.response(504, "the proxy's own words")))
        .response(wire(&of_kind(kind::PONG, "")));
    check(&*{{type}}::protocol(), samples);
}

#[test]
fn the_file_is_good() {
    let protocols = Protocols::new().with({{type}}::protocol());
    if let Err(error) = Config::load("proxy.yaml".as_ref(), &protocols) {
        panic!("{error}");
    }
}
