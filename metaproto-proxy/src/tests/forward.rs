//! What goes through, in all modes: bit by bit, however it arrives, and to the one who asked.

use metaproto_core::{Output, StatusClass};

use super::*;
use crate::counters::Outcome;

#[test]
fn a_call_goes_there_and_back_in_every_mode() {
    for mode in MODES {
        run(simple(mode), async |world| {
            let mut client = world.client().await;
            client.send(&request(7, "hello")).await;
            let mut server = world.accept(1).await;
            let got = server.recv().await;
            assert_eq!(got.clone().id(7), request(7, "hello"));
            server.send(&Frame { code: 3, ..response(got.id, "world") }).await;
            client.expect(&Frame { code: 3, ..response(7, "world") }).await;
            let outcome = Outcome::Response(StatusClass::ApplicationError);
            assert_eq!(world.count(outcome), 1);
            assert_eq!(world.listener().active, 0);
            assert_eq!(world.cluster().connections, 1);
        });
    }
}

#[test]
fn frames_arrive_whole_however_they_are_split() {
    let frames = [request(1, "one"), request(2, ""), request(3, "three")];
    let stream: Vec<u8> = frames.iter().flat_map(Frame::bytes).collect();
    run(simple(Sharing::Shared), async |world| {
        let mut client = world.client().await;
        client.send(&request(0, "first")).await;
        let mut server = world.accept(1).await;
        server.echo().await;
        client.expect(&response(0, "first")).await;
        for split in 1..stream.len() {
            for part in [&stream[..split], &stream[split..]] {
                client.send_bytes(part).await;
                world.settle().await;
            }
            let mut answers = Vec::new();
            for frame in &frames {
                let got = server.recv().await;
                assert_eq!(got.body, frame.body);
                answers.extend(response(got.id, &got.body).bytes());
            }
            let split = split.min(answers.len() - 1);
            for part in [&answers[..split], &answers[split..]] {
                server.send_bytes(part).await;
                world.settle().await;
            }
            for frame in &frames {
                client.expect(&response(frame.id, &frame.body)).await;
            }
        }
    });
}

#[test]
fn one_byte_at_a_time_is_as_good_as_all_at_once() {
    for mode in MODES {
        run(simple(mode), async |world| {
            let mut client = world.client().await;
            for byte in request(1, "slow").bytes() {
                client.send_bytes(&[byte]).await;
                world.settle().await;
            }
            let mut server = world.accept(1).await;
            let got = server.recv().await;
            for byte in response(got.id, "slower").bytes() {
                server.send_bytes(&[byte]).await;
                world.settle().await;
            }
            client.expect(&response(1, "slower")).await;
        });
    }
}

#[test]
fn bytes_are_forwarded_as_they_are_at_every_size() {
    let sizes = [0, 1, 4080, Output::SHARE_MIN - 8, Output::SHARE_MIN, 9000, 65_000];
    for mode in MODES {
        run(simple(mode), async |world| {
            let mut client = world.client().await;
            client.send(&request(9, "begin")).await;
            let mut server = world.accept(1).await;
            server.echo().await;
            client.recv().await;
            for (n, size) in sizes.into_iter().enumerate() {
                let body: Vec<u8> = (0..size).map(|i| (i * 31 + n) as u8).collect();
                let call = Frame { code: 200, ..request(n as u32, &body) };
                client.send(&call).await;
                let got = server.recv().await;
                assert_eq!(got.clone().id(call.id), call);
                if mode == Sharing::Bound {
                    assert_eq!(got.id, call.id, "a bound connection keeps the client's ids");
                }
                let answer = Frame { code: 9, ..response(got.id, body.repeat(1)) };
                server.send(&answer).await;
                client.expect(&answer.id(call.id)).await;
            }
        });
    }
}

#[test]
fn large_and_small_frames_keep_their_order() {
    run(simple(Sharing::Bound), async |world| {
        let mut client = world.client().await;
        let frames: Vec<_> =
            (0..40).map(|n| oneway(n, vec![n as u8; if n % 3 == 0 { 6000 } else { 5 }])).collect();
        client.send_all(&frames).await;
        let mut server = world.accept(1).await;
        for frame in &frames {
            server.expect(frame).await;
        }
    });
}

#[test]
fn a_oneway_request_is_forwarded_and_a_stray_answer_to_it_is_dropped() {
    for mode in MODES {
        run(simple(mode), async |world| {
            let mut client = world.client().await;
            client.send(&oneway(5, "news")).await;
            let mut server = world.accept(1).await;
            let got = server.recv().await;
            assert_eq!(got.clone().id(5), oneway(5, "news"));
            assert_eq!(world.count(Outcome::Oneway), 1);
            server.send(&response(got.id, "thanks")).await;
            client.expect_silence().await;
            assert_eq!(world.cluster().unmatched, 1);
            client.send(&request(5, "call")).await;
            server.echo().await;
            client.expect(&response(5, "call")).await;
        });
    }
}

#[test]
fn a_half_closed_client_gets_all_answers_and_then_the_end() {
    for mode in MODES {
        run(simple(mode), async |world| {
            let mut client = world.client().await;
            client.send_all(&[request(1, "a"), request(2, "b")]).await;
            client.half_close().await;
            let (mut first, mut second) = (world.accept(1).await, None);
            first.echo().await;
            if mode == Sharing::Exclusive {
                second = Some(world.accept(1).await);
            }
            second.as_mut().unwrap_or(&mut first).echo().await;
            let mut answers = [client.recv().await, client.recv().await];
            answers.sort();
            assert_eq!(answers, [response(1, "a"), response(2, "b")]);
            client.expect_closed().await;
        });
    }
}

#[test]
fn a_client_that_sends_and_goes_at_once_still_has_its_requests_forwarded() {
    for mode in MODES {
        for frame in [request(1, "last words"), oneway(1, "last words")] {
            run(simple(mode), async |world| {
                let mut client = world.client().await;
                client.send(&frame).await;
                drop(client);
                let mut server = world.accept(1).await;
                let got = server.recv().await;
                assert_eq!(got.clone().id(1), frame);
                if frame.kind == toy::REQUEST {
                    server.send(&response(got.id, "too late")).await;
                }
            });
        }
    }
}

#[test]
fn pings_of_both_sides_are_answered() {
    for mode in MODES {
        run(simple(mode), async |world| {
            let mut client = world.client().await;
            client.send(&Frame::new(toy::PING, 77, 0, "")).await;
            client.expect(&Frame::new(toy::PONG, 77, 0, "")).await;
            client.send(&request(1, "a")).await;
            let mut server = world.accept(1).await;
            let got = server.recv().await;
            server.send(&Frame::new(toy::PING, 78, 0, "")).await;
            server.expect(&Frame::new(toy::PONG, 78, 0, "")).await;
            server.send(&response(got.id, "b")).await;
            client.expect(&response(1, "b")).await;
            assert_eq!((world.listener().pings, world.cluster().pings), (1, 1));
            // Pongs that nobody asked for, and what a client has no business to send.
            server.send(&Frame::new(toy::PONG, 1, 0, "")).await;
            client.send_all(&[Frame::new(toy::PONG, 1, 0, ""), response(1, "?")]).await;
            client.expect_silence().await;
            assert_eq!(world.listener().dropped, 2);
        });
    }
}

#[test]
fn after_a_go_away_calls_in_flight_finish_and_new_ones_take_a_new_connection() {
    let go_away = Frame::new(toy::GO_AWAY, 7, 8, "for a reason");
    for mode in MODES {
        run(simple(mode), async |world| {
            let mut client = world.client().await;
            client.send(&request(1, "old")).await;
            let mut old = world.accept(1).await;
            let got = old.recv().await;
            old.send(&go_away).await;
            // The connection that ends is the client's own only if it is bound.
            match mode {
                Sharing::Bound => client.expect(&go_away).await,
                _ => client.expect_silence().await,
            }
            client.send(&request(2, "new")).await;
            let mut new = world.accept(1).await;
            new.echo().await;
            client.expect(&response(2, "new")).await;
            old.send(&response(got.id, "done")).await;
            client.expect(&response(1, "done")).await;
            old.expect_closed().await;
            client.send(&request(3, "newer")).await;
            new.echo().await;
            client.expect(&response(3, "newer")).await;
            assert_eq!(world.cluster().connections, 2);
        });
    }
}

#[test]
fn a_go_away_on_a_connection_at_rest_ends_it() {
    for mode in MODES {
        run(simple(mode), async |world| {
            let mut client = world.client().await;
            client.send(&request(1, "a")).await;
            let mut server = world.accept(1).await;
            server.echo().await;
            client.expect(&response(1, "a")).await;
            server.send(&Frame::new(toy::GO_AWAY, 0, 0, "")).await;
            server.expect_closed().await;
            assert_eq!(world.cluster().resets, 0);
        });
    }
}

#[test]
fn a_go_away_of_a_client_reaches_its_own_upstream_connections_only() {
    let go_away = Frame::new(toy::GO_AWAY, 7, 8, "for a reason");
    for mode in MODES {
        run(simple(mode), async |world| {
            let mut client = world.client().await;
            client.send(&go_away).await;
            client.send(&request(1, "a")).await;
            let mut server = world.accept(1).await;
            server.echo().await;
            client.expect(&response(1, "a")).await;
            client.send_all(&[go_away.clone(), request(2, "b")]).await;
            let passed = mode == Sharing::Bound;
            if passed {
                server.expect(&go_away).await;
            }
            server.echo().await;
            client.expect(&response(2, "b")).await;
            assert_eq!(world.listener().dropped, if passed { 1 } else { 2 });
        });
    }
}
