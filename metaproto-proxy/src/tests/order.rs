//! Protocols without ids: the n-th answer is that of the n-th request.

use metaproto_core::{ErrorKind, StatusClass};

use super::*;
use crate::counters::Outcome;
use crate::model::Predicate;

const MODES: [Sharing; 2] = [Sharing::Exclusive, Sharing::Bound];

/// Requests, and the servers that have got them.
async fn calls(world: &World, client: &mut Peer, bodies: &[&str]) -> Vec<Peer> {
    let mut servers = Vec::new();
    for body in bodies {
        client.send(&request(0, body)).await;
        let mut server = world.accept(1).await;
        assert_eq!(server.recv().await.body, body.as_bytes());
        servers.push(server);
    }
    servers
}

#[test]
fn answers_leave_in_the_order_of_the_requests() {
    run(simple_by_order(Sharing::Exclusive), async |world| {
        let mut client = world.client().await;
        let mut servers = calls(world, &mut client, &["a", "b", "c", "d"]).await;
        for n in [2, 1, 3] {
            servers[n].send(&response(0, n.to_string())).await;
        }
        client.expect_silence().await;
        servers[0].send(&response(0, "0")).await;
        for n in 0..4 {
            client.expect(&response(0, n.to_string())).await;
        }
    });
}

#[test]
fn errors_and_pongs_wait_for_their_turn() {
    let mut listener = listener_of(Toy { by_order: true, ..Toy::default() });
    listener.routes = vec![Arc::new(Route::to("c").when("to", Predicate::Exact("1".into())))];
    for mode in MODES {
        let snapshot = Snapshot::new().listener(listener.clone()).cluster(cluster(mode, 1));
        run(snapshot, async |world| {
            let mut client = world.client().await;
            client
                .send_all(&[
                    request(0, [1]),
                    request(0, [2]),
                    Frame::new(toy::PING, 9, 0, ""),
                    oneway(0, [1]),
                    Frame::new(toy::BAD, 0, 0, ""),
                ])
                .await;
            let mut server = world.accept(1).await;
            assert_eq!(server.recv().await.body, [1]);
            client.expect_silence().await;
            server.send(&response(0, "first")).await;
            client.expect(&response(0, "first")).await;
            client.expect_error(0, ErrorKind::RouteNotFound).await;
            client.expect(&Frame::new(toy::PONG, 9, 0, "")).await;
            client.expect_error(0, ErrorKind::BadRequest).await;
        });
    }
}

#[test]
fn a_timed_out_call_is_answered_in_its_place_and_its_response_reaches_nobody() {
    run(simple_by_order(Sharing::Bound), async |world| {
        let mut client = world.client().await;
        client.send_all(&[request(0, "a"), Frame { code: 3, ..request(0, "slow") }]).await;
        client.send(&request(0, "c")).await;
        let mut server = world.accept(1).await;
        for _ in 0..3 {
            server.recv().await;
        }
        tokio::time::sleep(ms(100)).await;
        server.send_all(&[response(0, "a"), response(0, "late"), response(0, "c")]).await;
        client.expect(&response(0, "a")).await;
        client.expect_error(0, ErrorKind::Timeout).await;
        client.expect(&response(0, "c")).await;
        client.expect_silence().await;
        assert_eq!(world.cluster().late, 1);
    });
}

#[test]
fn a_half_closed_client_gets_all_its_answers_in_order() {
    run(simple_by_order(Sharing::Exclusive), async |world| {
        let mut client = world.client().await;
        let mut servers = calls(world, &mut client, &["a", "b"]).await;
        client.half_close().await;
        servers[1].send(&response(0, "b")).await;
        client.expect_silence().await;
        drop(servers.remove(0));
        client.expect_error(0, ErrorKind::UpstreamReset).await;
        client.expect(&response(0, "b")).await;
        client.expect_closed().await;
    });
}

#[test]
fn an_answer_that_others_wait_for_is_read_however_much_waits() {
    let mut listener = listener_of(Toy { by_order: true, ..Toy::default() });
    listener.buffer = 10_000;
    let snapshot = Snapshot::new().listener(listener).cluster(cluster(Sharing::Exclusive, 1));
    run(snapshot, async |world| {
        let mut client = world.client().await;
        let mut servers = calls(world, &mut client, &["a", "b", "c", "d"]).await;
        for server in &mut servers[1..] {
            server.send(&response(0, [1; 9000])).await;
            world.settle().await;
        }
        servers[0].send(&response(0, "at last")).await;
        client.expect(&response(0, "at last")).await;
        for _ in 0..3 {
            client.expect(&response(0, [1; 9000])).await;
        }
        let outcome = Outcome::Response(StatusClass::Ok);
        assert_eq!(world.count(outcome), 4);
    });
}

#[test]
fn a_stream_that_can_not_be_opened_takes_no_others_answer() {
    run(simple_by_order(Sharing::Exclusive), async |world| {
        let mut client = world.client().await;
        client.send_all(&[request(0, "call"), Frame::new(toy::STREAM_OPEN, 0, 0, "?")]).await;
        let mut server = world.accept(1).await;
        server.echo().await;
        client.expect(&response(0, "call")).await;
        client.expect_error(0, ErrorKind::Unsupported).await;
    });
}

#[test]
fn an_opened_stream_holds_no_answer_back() {
    run(simple_by_order(Sharing::Bound), async |world| {
        let mut client = world.client().await;
        client.send_all(&[Frame::new(toy::STREAM_OPEN, 0, 0, ""), request(0, "call")]).await;
        let mut server = world.accept(1).await;
        server.recv().await;
        server.echo().await;
        client.expect(&response(0, "call")).await;
    });
}
