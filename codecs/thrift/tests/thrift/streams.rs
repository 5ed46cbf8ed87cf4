//! Connections, cut into their messages.

use metaproto_core::{Bytes, FrameLength, MessageKind, Metadata, Side, StatusClass};

use super::captures::{Stream, streams};
use super::support::{codec, property};

/// The lengths of the messages of a stream whose bytes come in pieces of this size.
fn cut(stream: &Stream, piece: usize) -> Vec<usize> {
    let mut codec = codec(stream.side);
    let mut lengths = Vec::new();
    let (mut start, mut there, mut need) = (0, 0, 1);
    while start < stream.bytes.len() {
        while there < stream.bytes.len() && there - start < need {
            there = (there + piece).min(stream.bytes.len());
        }
        assert!(there - start >= need, "{}: it ends within a message", stream.name);
        match codec.frame_length(&stream.bytes[start..there]) {
            Ok(FrameLength::Known(length)) if length <= there - start => {
                lengths.push(length);
                start += length;
                need = 1;
            }
            Ok(FrameLength::Known(length) | FrameLength::Need(length)) => {
                assert!(length > there - start, "{}: it asks for what it has", stream.name);
                need = length;
            }
            Err(error) => panic!("{}: {error}", stream.name),
        }
    }
    lengths
}

#[test]
fn every_connection_is_cut_alike_however_it_arrives() {
    for stream in streams() {
        let at_once = cut(&stream, usize::MAX / 2);
        assert!(!at_once.is_empty());
        for piece in [1, 2, 7, 100] {
            assert_eq!(cut(&stream, piece), at_once, "{} in pieces of {piece}", stream.name);
        }
    }
}

/// The messages of a stream.
pub(crate) fn messages(stream: &Stream) -> Vec<(Bytes, Metadata)> {
    let mut codec = codec(stream.side);
    let mut rest = Bytes::from(stream.bytes.clone());
    let mut messages = Vec::new();
    while !rest.is_empty() {
        let Ok(FrameLength::Known(length)) = codec.frame_length(&rest) else {
            panic!("{}: a message", stream.name);
        };
        let frame = rest.split_to(length);
        let mut metadata = Metadata::new();
        let read = codec.decode(frame.clone(), &mut metadata);
        assert_eq!(read, Ok(()), "{}", stream.name);
        messages.push((frame, metadata));
    }
    messages
}

#[test]
fn every_message_of_a_real_peer_is_told() {
    let (mut calls, mut answers, mut declared, mut exceptions) = (0, 0, 0, 0);
    // One folder has streams of another kind, whose frames carry no message of Thrift's.
    for stream in streams().iter().filter(|stream| !stream.name.contains("gopkg-stream")) {
        for (_, m) in messages(stream) {
            assert_eq!(m.unread, None, "{}", stream.name);
            let is_empty = m.kind == MessageKind::Pong;
            assert_eq!(property(&m, "method").is_none(), is_empty, "{}", stream.name);
            match (stream.side, m.kind) {
                (Side::Downstream, MessageKind::Request | MessageKind::Oneway) => calls += 1,
                (Side::Upstream, MessageKind::Response) => {
                    answers += 1;
                    match m.status.expect("it is a response").class {
                        StatusClass::ApplicationError => declared += 1,
                        StatusClass::Ok => {}
                        _ => exceptions += 1,
                    }
                }
                (_, MessageKind::Pong) => {}
                (side, kind) => panic!("{}: {kind:?} from {side:?}", stream.name),
            }
        }
    }
    assert!(calls > 80 && answers > 70, "{calls} calls, {answers} answers");
    assert!(declared >= 5 && exceptions >= 5, "{declared} declared, {exceptions} exceptions");
}
