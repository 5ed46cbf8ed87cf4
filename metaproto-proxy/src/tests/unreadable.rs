//! Frames that are too large, or can't be read: of clients and of upstreams.

use metaproto_core::{ErrorKind, Limits};

use super::*;
use crate::counters::Outcome;

fn limited(mode: Sharing) -> Snapshot {
    let mut listener = listener();
    listener.limits = Limits::max_frame(1000);
    Snapshot::new().listener(listener).cluster(cluster(mode, 1))
}

#[test]
fn a_request_over_the_limit_is_answered_and_no_earlier_answer_is_lost() {
    for mode in MODES {
        run(limited(mode), async |world| {
            let mut client = world.client().await;
            client.send(&request(1, "small")).await;
            let mut server = world.accept(1).await;
            let got = server.recv().await;
            client.send(&request(2, [0; 2000])).await;
            client.expect_error(2, ErrorKind::FrameTooLarge).await;
            // The rest is not read as requests.
            client.send(&request(3, "ignored")).await;
            server.expect_silence().await;
            server.send(&response(got.id, "yes")).await;
            client.expect(&response(1, "yes")).await;
            client.expect_closed().await;
            assert_eq!(world.count(Outcome::Error(ErrorKind::FrameTooLarge)), 1);
        });
    }
}

#[test]
fn garbage_closes_the_connection_of_its_sender_alone() {
    run(simple(Sharing::Shared), async |world| {
        let (mut client, mut other) = (world.client().await, world.client().await);
        client.send(&request(1, "a")).await;
        let mut server = world.accept(1).await;
        let first = server.recv().await;
        other.send(&request(1, "b")).await;
        let second = server.recv().await;
        client.send_bytes(&[0, 3, 99, 99, 99, 99, 99]).await;
        server.send(&response(first.id, "a")).await;
        client.expect(&response(1, "a")).await;
        client.expect_closed().await;
        server.send(&response(second.id, "b")).await;
        other.expect(&response(1, "b")).await;
        assert_eq!(world.listener().protocol_errors, 1);
    });
}

#[test]
fn a_request_that_can_not_be_read_is_answered_and_the_connection_goes_on() {
    run(simple(Sharing::Shared), async |world| {
        let mut client = world.client().await;
        client.send_all(&[Frame::new(toy::BAD, 1, 0, ""), request(2, "good")]).await;
        client.expect_error(1, ErrorKind::BadRequest).await;
        world.accept(1).await.echo().await;
        client.expect(&response(2, "good")).await;
    });
}

#[test]
fn a_corrupt_request_is_answered_itself_not_the_one_behind_it() {
    run(simple(Sharing::Shared), async |world| {
        let mut client = world.client().await;
        client.send_all(&[Frame::new(toy::CORRUPT, 5, 0, ""), request(6, "behind")]).await;
        client.expect_error(5, ErrorKind::BadRequest).await;
        client.expect_closed().await;
    });
}

#[test]
fn a_response_that_can_not_be_read_fails_its_call_alone() {
    for mode in MODES {
        run(simple(mode), async |world| {
            let mut client = world.client().await;
            client.send(&request(1, "a")).await;
            let mut server = world.accept(1).await;
            let got = server.recv().await;
            server.send(&Frame::new(toy::BAD, got.id, 0x80, "")).await;
            client.expect_error(1, ErrorKind::BadResponse).await;
            client.send(&request(2, "b")).await;
            server.echo().await;
            client.expect(&response(2, "b")).await;
        });
    }
}

#[test]
fn a_corrupt_response_fails_its_caller_with_the_reason_and_the_others_with_a_reset() {
    run(simple(Sharing::Shared), async |world| {
        let mut client = world.client().await;
        client.send_all(&[request(1, "a"), request(2, "b"), request(3, "c")]).await;
        let mut server = world.accept(1).await;
        let calls = [server.recv().await, server.recv().await, server.recv().await];
        let corrupt = Frame::new(toy::CORRUPT, calls[1].id, 0x80, "");
        server.send_all(&[corrupt, response(calls[0].id, "behind")]).await;
        let mut told = Vec::new();
        for _ in 0..3 {
            told.push(error(&client.recv().await));
        }
        told.sort_by_key(|(id, _)| *id);
        use ErrorKind::{BadResponse, UpstreamReset};
        assert_eq!(told, [(1, UpstreamReset), (2, BadResponse), (3, UpstreamReset)]);
        server.expect_closed().await;
        client.send(&request(4, "d")).await;
        world.accept(1).await.echo().await;
        client.expect(&response(4, "d")).await;
    });
}

#[test]
fn garbage_and_oversized_responses_fail_the_calls_and_spare_the_clients() {
    for mode in MODES {
        for bytes in [vec![0, 1, 2, 3], response(1, [0; 2000]).bytes()] {
            run(limited(mode), async |world| {
                let mut client = world.client().await;
                client.send(&request(1, "a")).await;
                let mut server = world.accept(1).await;
                server.recv().await;
                server.send_bytes(&bytes).await;
                let (id, kind) = error(&client.recv().await);
                assert_eq!(id, 1);
                assert!(matches!(kind, ErrorKind::BadResponse | ErrorKind::FrameTooLarge));
                client.send(&request(2, "b")).await;
                world.accept(1).await.echo().await;
                client.expect(&response(2, "b")).await;
                assert_eq!(world.cluster().protocol_errors, 1);
            });
        }
    }
}

#[test]
fn a_client_that_ends_within_a_frame_still_gets_its_answers() {
    run(simple(Sharing::Shared), async |world| {
        let mut client = world.client().await;
        client.send(&request(1, "a")).await;
        client.send_bytes(&request(2, "cut off").bytes()[..10]).await;
        client.half_close().await;
        world.accept(1).await.echo().await;
        client.expect(&response(1, "a")).await;
        client.expect_closed().await;
        assert_eq!(world.listener().started, 1);
    });
}
