//! Heartbeats, and other messages about the connection.

use metaproto_core::{Bytes, BytesMut, MessageKind, Side};

use super::captures;
use super::frames::{codec, decoded, frame, property, request, response, texts};

fn pong(ping: &Bytes) -> Bytes {
    let mut codec = codec(Side::Downstream);
    let metadata = decoded(&mut *codec, ping);
    let mut out = BytesMut::new();
    codec.pong(&metadata, &mut out).expect("pings are answered");
    out.freeze()
}

#[test]
fn a_heartbeat_is_a_ping_from_either_side() {
    for body in [&b"N"[..], b""] {
        let ping = frame(0xe2, 0, 9, body);
        assert_eq!(request(&ping).kind, MessageKind::Ping);
        assert_eq!(response(&ping).kind, MessageKind::Ping);
        assert_eq!(pong(&ping), frame(0x22, 20, 9, body), "it carries what the ping carried");
    }
    assert_eq!(request(&frame(0x22, 20, 9, b"N")).kind, MessageKind::Pong);
    // A server that leaves bits as they were in the ping.
    assert_eq!(response(&frame(0x62, 0, 0, b"N")).kind, MessageKind::Pong);
}

#[test]
fn heartbeats_are_answered_in_their_own_serialization() {
    let fastjson2 = [0, 0, 0, 1, 0xaf];
    assert_eq!(pong(&frame(0xf7, 0, 3, &fastjson2)), frame(0x37, 20, 3, &fastjson2));
    assert_eq!(pong(&frame(0xe6, 0, 3, b"null\n")), frame(0x26, 20, 3, b"null\n"));
    assert_eq!(pong(&frame(0xe8, 0, 3, &[0])), frame(0x28, 20, 3, &[0]), "kryo's null");
}

#[test]
fn a_heartbeat_that_wants_no_answer_gets_none() {
    let ping = frame(0xa2, 0, 9, b"N");
    assert_eq!(request(&ping).kind, MessageKind::Ping);
    assert!(pong(&ping).is_empty());
}

#[test]
fn a_large_ping_is_answered_by_a_small_pong() {
    let ping = frame(0xe2, 0, 9, &texts(&[&"x".repeat(9000)]));
    assert_eq!(request(&ping).kind, MessageKind::Ping);
    assert_eq!(pong(&ping), frame(0x22, 20, 9, b"N"));
}

#[test]
fn read_only_asks_for_no_further_requests() {
    let read_only = frame(0xa2, 0, 1, b"\x01R");
    assert_eq!(response(&read_only).kind, MessageKind::GoAway);
    let other = frame(0xa2, 0, 1, b"\x01X");
    let m = response(&other);
    assert_eq!(m.kind, MessageKind::Oneway, "an event that nobody answers");
    assert_eq!(m.frame, other);
}

#[test]
fn the_codec_pings_and_says_good_bye_in_what_its_peer_reads() {
    let mut out = BytesMut::new();
    let mut fresh = codec(Side::Upstream);
    fresh.ping(5, &mut out).unwrap();
    assert_eq!(out.split().freeze(), frame(0xe2, 0, 5, b"N"));
    fresh.go_away(&mut out).unwrap();
    assert_eq!(out.split().freeze(), frame(0xa2, 0, 0, b"\x01R"));

    decoded(&mut *fresh, &frame(0x17, 20, 1, &[0, 0, 0, 2, 0xbd, 2]));
    fresh.ping(6, &mut out).unwrap();
    assert_eq!(out.split().freeze(), frame(0xf7, 0, 6, &[0, 0, 0, 1, 0xaf]));
    fresh.go_away(&mut out).unwrap();
    let good_bye = out.split().freeze();
    assert_eq!(response(&good_bye).kind, MessageKind::GoAway);
    assert_eq!(good_bye, frame(0xb7, 0, 0, &[0, 0, 0, 2, 0x4a, b'R']));
}

#[test]
fn heartbeats_of_real_peers_are_answered_alike() {
    let mut answers = Vec::new();
    let mut count = 0;
    for captured in captures::frames().iter().filter(|frame| frame.is_event()) {
        let read = if captured.side == Side::Downstream { request } else { response };
        let m = read(&captured.bytes);
        match m.kind {
            MessageKind::Ping => {
                answers.push((captured.name.clone(), m.request_id, pong(&captured.bytes)));
            }
            MessageKind::Pong => {
                let asked = |(name, id, _): &(String, Option<u64>, Bytes)| {
                    *name == captured.name && *id == m.request_id
                };
                let ours = answers.iter().find(|answer| asked(answer));
                // dubbo-py's server answers with another id; dubbo-go's carries a second null.
                if let Some((name, _, ours)) = ours.filter(|(name, ..)| !name.contains("go--")) {
                    assert_eq!(*ours, captured.bytes, "{name}");
                    count += 1;
                }
            }
            MessageKind::GoAway => assert_eq!(property(&m, "method"), None),
            other => panic!("{}: {other:?}", captured.name),
        }
    }
    assert!(count >= 4, "{count}");
}
