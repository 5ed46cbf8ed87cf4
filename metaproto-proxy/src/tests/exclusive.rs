//! One call at a time on a connection.

use metaproto_core::ErrorKind;

use super::world::Door;
use super::*;
use crate::counters::Outcome;

fn at_most(connections: usize) -> Snapshot {
    let mut cluster = cluster(Sharing::Exclusive, 1);
    cluster.max_connections = connections;
    Snapshot::new().listener(listener()).cluster(cluster)
}

#[test]
fn a_connection_is_used_again_and_never_by_two_calls_at_a_time() {
    run(simple(Sharing::Exclusive), async |world| {
        let mut client = world.client().await;
        client.send_all(&[request(1, "a"), request(2, "b")]).await;
        let (mut one, mut two) = (world.accept(1).await, world.accept(1).await);
        one.echo().await;
        two.echo().await;
        for _ in 0..2 {
            client.recv().await;
        }
        // The one that was used last is used next.
        for n in 3..9 {
            client.send(&request(n, "c")).await;
            two.echo().await;
            client.expect(&response(n, "c")).await;
        }
        one.expect_silence().await;
        assert_eq!(world.cluster().connections, 2);
    });
}

#[test]
fn calls_wait_when_there_are_as_many_connections_as_may_be() {
    run(at_most(2), async |world| {
        let mut client = world.client().await;
        let calls: Vec<_> = (0..6).map(|n| request(n, n.to_string())).collect();
        client.send_all(&calls).await;
        let (mut one, mut two) = (world.accept(1).await, world.accept(1).await);
        for _ in 0..3 {
            one.echo().await;
            two.echo().await;
        }
        let mut answers = Vec::new();
        for _ in 0..6 {
            answers.push(client.recv().await);
        }
        answers.sort();
        let expected: Vec<_> = (0..6).map(|n| response(n, n.to_string())).collect();
        assert_eq!(answers, expected);
        assert_eq!(world.cluster().connections, 2);
    });
}

#[test]
fn a_call_that_waits_for_a_connection_can_time_out() {
    run(at_most(1), async |world| {
        let mut client = world.client().await;
        client.send(&request(1, "long")).await;
        let mut server = world.accept(1).await;
        let long = server.recv().await;
        client.send(&Frame { code: 5, ..request(2, "waits") }).await;
        client.expect_error(2, ErrorKind::Timeout).await;
        server.send(&response(long.id, "done")).await;
        client.expect(&response(1, "done")).await;
        server.expect_silence().await;
    });
}

#[test]
fn a_call_that_times_out_takes_its_connection_with_it() {
    run(at_most(1), async |world| {
        let mut client = world.client().await;
        client.send_all(&[Frame { code: 5, ..request(1, "slow") }, request(2, "next")]).await;
        let mut server = world.accept(1).await;
        server.recv().await;
        client.expect_error(1, ErrorKind::Timeout).await;
        server.expect_closed().await;
        world.accept(1).await.echo().await;
        client.expect(&response(2, "next")).await;
    });
}

#[test]
fn a_lost_connection_makes_room_for_a_call_that_waits() {
    run(at_most(1), async |world| {
        let mut client = world.client().await;
        client.send_all(&[request(1, "lost"), request(2, "next")]).await;
        drop(world.accept(1).await);
        client.expect_error(1, ErrorKind::UpstreamReset).await;
        world.accept(1).await.echo().await;
        client.expect(&response(2, "next")).await;
    });
}

#[test]
fn oneway_requests_use_a_connection_again() {
    run(at_most(2), async |world| {
        let mut client = world.client().await;
        for n in 0..20 {
            client.send(&oneway(n, n.to_string())).await;
            world.settle().await;
        }
        let mut server = world.accept(1).await;
        for n in 0..20_u32 {
            assert_eq!(server.recv().await.body, n.to_string().as_bytes());
        }
        client.send(&request(1, "call")).await;
        server.echo().await;
        client.expect(&response(1, "call")).await;
        assert_eq!(world.cluster().connections, 1);
    });
}

#[test]
fn oneway_requests_that_wait_all_get_their_turn() {
    run(at_most(1), async |world| {
        let mut client = world.client().await;
        let calls: Vec<_> = (0..500).map(|n| oneway(n, n.to_string())).collect();
        client.send_all(&calls).await;
        let mut server = world.accept(1).await;
        for n in 0..500 {
            assert_eq!(server.recv().await.body, n.to_string().as_bytes());
        }
    });
}

#[test]
fn part_of_a_frame_on_an_idle_connection_retires_it() {
    run(simple(Sharing::Exclusive), async |world| {
        let mut client = world.client().await;
        client.send(&request(1, "a")).await;
        let mut server = world.accept(1).await;
        server.echo().await;
        client.recv().await;
        server.send_bytes(&response(1, "unasked").bytes()[..5]).await;
        server.expect_closed().await;
        client.send(&request(2, "b")).await;
        world.accept(1).await.echo().await;
        client.expect(&response(2, "b")).await;
    });
}

#[test]
fn an_unasked_response_without_ids_retires_the_connection() {
    run(simple_by_order(Sharing::Exclusive), async |world| {
        let mut client = world.client().await;
        client.send(&request(1, "a")).await;
        let mut server = world.accept(1).await;
        let got = server.recv().await;
        // Twice, in one write: the second must not wait for the next caller.
        let answer = response(got.id, "yes");
        server.send_all(&[answer.clone(), answer]).await;
        client.expect(&response(1, "yes")).await;
        server.expect_closed().await;
        client.send(&request(2, "b")).await;
        world.accept(1).await.echo().await;
        client.expect(&response(2, "b")).await;
    });
}

#[test]
fn a_failed_attempt_to_connect_fails_nobody_whom_a_living_connection_can_serve() {
    run(at_most(2), async |world| {
        let mut client = world.client().await;
        client.send(&request(1, "a")).await;
        let mut server = world.accept(1).await;
        let got = server.recv().await;
        world.door(1, Door::Refuse);
        client.send_all(&[request(2, "waits"), request(3, "too")]).await;
        world.settle().await;
        server.send(&response(got.id, "done")).await;
        client.expect(&response(1, "done")).await;
        server.echo().await;
        client.expect(&response(2, "waits")).await;
        server.echo().await;
        client.expect(&response(3, "too")).await;
    });
}

/// A rolling restart: the endpoint accepts nobody, but a connection to it is still at work.
#[test]
fn those_who_wait_for_an_endpoint_that_accepts_nobody_go_to_another() {
    run(
        Snapshot::new().listener(listener()).cluster(cluster(Sharing::Exclusive, 2)),
        async |world| {
            let mut client = world.client().await;
            client.send_all(&[request(1, "long"), request(2, "long")]).await;
            let (mut first, mut second) = (world.accept(1).await, world.accept(2).await);
            first.recv().await;
            second.recv().await;
            world.door(1, Door::Refuse);
            client.send_all(&[request(3, "c"), request(4, "d")]).await;
            for _ in 0..2 {
                world.accept(2).await.echo().await;
            }
            let mut ids = [client.recv().await.id, client.recv().await.id];
            ids.sort_unstable();
            assert_eq!(ids, [3, 4]);
        },
    );
}

#[test]
fn those_who_wait_are_served_soon_after_their_only_endpoint_is_back() {
    run(simple(Sharing::Exclusive), async |world| {
        let mut client = world.client().await;
        client.send(&request(1, "long")).await;
        let mut long = world.accept(1).await;
        long.recv().await;
        world.door(1, Door::Refuse);
        client.send(&request(2, "waits")).await;
        world.settle().await;
        world.door(1, Door::Open);
        let start = tokio::time::Instant::now();
        world.accept(1).await.echo().await;
        client.expect(&response(2, "waits")).await;
        assert!(start.elapsed() <= ms(1100), "{:?}", start.elapsed());
    });
}

#[test]
fn a_client_that_has_gone_keeps_its_connection_for_a_while_and_not_for_ever() {
    let mut snapshot = simple(Sharing::Exclusive);
    let route = Arc::make_mut(&mut Arc::make_mut(&mut snapshot.listeners[0]).routes[0]);
    route.timeout = None;
    run(snapshot, async |world| {
        let mut client = world.client_with_pipe(16).await;
        client.send(&request(1, "one")).await;
        let mut answers = world.accept(1).await;
        client.send(&request(2, "two")).await;
        let mut silent = world.accept(1).await;
        let got = answers.recv().await;
        silent.recv().await;
        drop(client);
        // Writing it fails, which is how it is found out that the client has gone.
        answers.send(&response(got.id, [1; 5000])).await;
        silent.expect_silence().await;
        silent.expect_closed().await;
        assert_eq!(world.count(Outcome::Abandoned), 1);
    });
}

#[test]
fn a_server_that_closes_behind_each_answer_gets_no_call_on_what_it_has_closed() {
    run(at_most(1), async |world| {
        let mut client = world.client().await;
        let calls: Vec<_> = (0..6).map(|n| request(n, n.to_string())).collect();
        client.send_all(&calls).await;
        for call in &calls {
            let mut server = world.accept(1).await;
            server.echo().await;
            // The answer and the end arrive together.
            drop(server);
            client.expect(&response(call.id, &call.body)).await;
        }
        assert_eq!(world.cluster().resets, 0);
    });
}
