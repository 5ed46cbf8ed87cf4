//! Copies of calls: whatever becomes of them, calls fare as they would without.

use metaproto_core::{ErrorKind, Mutation, Options};
use tokio::time::{Instant, sleep};

use super::world::Door;
use super::*;
use crate::counters::{ClusterCounters, Outcome};
use crate::model::{Hedge, Mirror, Retry, RetryOn};

/// How copies can be sent.
const WAYS: [Sharing; 2] = [Sharing::Shared, Sharing::Exclusive];

/// The cluster `m`, whose only endpoint is the fourth.
fn shadow(sharing: Sharing) -> Cluster {
    Cluster::new("m", [address(4)]).sharing(sharing)
}

fn with(route: Route, shadow: Cluster) -> Snapshot {
    let mut listener = listener();
    listener.routes = vec![Arc::new(route)];
    Snapshot::new().listener(listener).cluster(cluster(Sharing::Shared, 1)).cluster(shadow)
}

/// Every call is copied, and compared.
fn mirrored(sharing: Sharing) -> Snapshot {
    with(Route::to("c").mirror(Mirror::to("m").compare()), shadow(sharing))
}

/// The counters of the cluster `m`.
fn copies(world: &World) -> ClusterCounters {
    world.counters().clusters.remove("m").unwrap_or_default()
}

/// How many copies were found equal, different and unanswered.
fn compared(world: &World) -> (u64, u64, u64) {
    let copies = copies(world);
    (copies.mirror_equal, copies.mirror_different, copies.mirror_unanswered)
}

fn answer(id: u32, code: u8) -> Frame {
    Frame::new(toy::RESPONSE, id, code, "x")
}

/// A call that is answered at once, without any time passing.
async fn call(client: &mut Peer, server: &mut Peer, id: u32) {
    let start = Instant::now();
    client.send(&request(id, "a")).await;
    server.echo().await;
    client.expect(&response(id, "a")).await;
    assert_eq!(start.elapsed(), Duration::ZERO);
}

/// A client whose first call was answered, and the server that did.
async fn connected(world: &World) -> (Peer, Peer) {
    let mut client = world.client().await;
    client.send(&request(0, "a")).await;
    let mut server = world.accept(1).await;
    server.echo().await;
    client.recv().await;
    (client, server)
}

#[test]
fn calls_of_both_kinds_are_copied_and_only_the_original_is_answered() {
    for way in WAYS {
        run(mirrored(way), async |world| {
            let mut client = world.client().await;
            client.send_all(&[request(7, "a"), oneway(8, "b")]).await;
            let mut server = world.accept(1).await;
            let mut seen = vec![server.echo().await.body, server.recv().await.body];
            client.expect(&response(7, "a")).await;
            assert_eq!(seen, [b"a", b"b"]);
            seen.clear();
            for _ in 0..2 {
                let mut other = match (way, seen.is_empty()) {
                    (Sharing::Shared, false) => break,
                    _ => world.accept(4).await,
                };
                for frame in other.echo_all(ms(10)).await {
                    seen.push(frame.body);
                }
            }
            seen.sort();
            assert_eq!(seen, [b"a", b"b"]);
            client.expect_silence().await;
            assert_eq!(world.listener().started, 2);
            assert_eq!((world.cluster().requests, copies(world).mirrored), (2, 2));
            // What is not answered is not compared.
            assert_eq!(compared(world), (1, 0, 0));
        });
    }
}

#[test]
fn statuses_are_compared_whoever_answers_first() {
    for (of_server, of_copy, expected) in
        [(0, 0, (1, 0, 0)), (9, 8, (1, 0, 0)), (0, 9, (0, 1, 0)), (9, 0, (0, 1, 0))]
    {
        for copy_first in [true, false] {
            run(mirrored(Sharing::Shared), async |world| {
                let mut client = world.client().await;
                client.send(&request(7, "a")).await;
                let (mut server, mut other) = (world.accept(1).await, world.accept(4).await);
                let (call, copy) = (server.recv().await, other.recv().await);
                if copy_first {
                    other.send(&answer(copy.id, of_copy)).await;
                    client.expect_silence().await;
                    assert_eq!(compared(world), (0, 0, 0));
                }
                server.send(&answer(call.id, of_server)).await;
                client.expect(&answer(7, of_server)).await;
                if !copy_first {
                    assert_eq!(compared(world), (0, 0, 0));
                    other.send(&answer(copy.id, of_copy)).await;
                    client.expect_silence().await;
                }
                assert_eq!(compared(world), expected);
            });
        }
    }
}

#[test]
fn a_mirror_that_answers_twice_or_late_answers_nobody() {
    let mut route = Route::to("c").mirror(Mirror::to("m").compare());
    route.timeout = Some(ms(100));
    run(with(route, shadow(Sharing::Shared)), async |world| {
        let (mut client, mut server) = connected(world).await;
        let mut other = world.accept(4).await;
        let copy = other.recv().await;
        other.send_all(&[response(copy.id, "x"), response(copy.id, "y")]).await;
        client.expect_silence().await;
        assert_eq!(copies(world).unmatched, 1);
        call(&mut client, &mut server, 1).await;
        let copy = other.recv().await;
        sleep(ms(150)).await;
        other.send(&response(copy.id, "z")).await;
        client.expect_silence().await;
        assert_eq!((copies(world).timeouts, copies(world).late), (1, 1));
        assert_eq!((world.cluster().timeouts, compared(world)), (0, (1, 0, 1)));
    });
}

#[test]
fn a_mirror_that_swallows_everything_holds_nobody_up_and_gets_only_so_much() {
    for way in WAYS {
        let mut shadow = shadow(way);
        shadow.max_mirrored = 5;
        let mut route = Route::to("c").mirror(Mirror::to("m").compare());
        route.timeout = None;
        run(with(route, shadow), async |world| {
            let (mut client, mut server) = connected(world).await;
            for id in 0..20 {
                call(&mut client, &mut server, id).await;
            }
            let now = copies(world);
            assert_eq!((now.mirrored, now.mirror_dropped, now.active), (5, 16, 5));
            // Also without a timeout of the route they make room again.
            sleep(Duration::from_secs(16)).await;
            assert_eq!((copies(world).active, copies(world).timeouts), (0, 5));
            call(&mut client, &mut server, 1).await;
            assert_eq!(copies(world).mirrored, 6);
            assert_eq!(world.listener().active, 0);
        });
    }
}

#[test]
fn a_mirror_that_takes_nothing_fills_one_buffer_and_no_client_is_paused() {
    for way in WAYS {
        let mut snapshot = mirrored(way);
        let mut listener = snapshot.listeners[0].as_ref().clone();
        listener.buffer = 10_000;
        snapshot.listeners = vec![Arc::new(listener)];
        let mut shadow = shadow(way);
        shadow.max_connections = 1;
        run(snapshot.cluster(shadow), async |world| {
            world.upstream_pipe(1000);
            let mut client = world.client().await;
            let body = vec![b'x'; 4000];
            client.send(&request(0, &body)).await;
            let mut server = world.accept(1).await;
            server.echo().await;
            client.recv().await;
            let start = Instant::now();
            for id in 1..50 {
                client.send_all(&[request(id, &body), oneway(id, &body)]).await;
                server.echo().await;
                server.recv().await;
                client.expect(&response(id, &body)).await;
            }
            assert_eq!(start.elapsed(), Duration::ZERO);
            let held: usize = {
                let worker = world.worker.borrow();
                let lines = worker.endpoints.values().map(|endpoint| endpoint.waiting.bytes());
                worker.upstreams.values().map(|upstream| upstream.backlog()).chain(lines).sum()
            };
            assert!(held <= 10_000 + 4008, "{held}");
            assert!(copies(world).mirror_dropped > 90, "{:?}", copies(world));
        });
    }
}

#[test]
fn a_mirror_that_refuses_is_left_alone_for_a_while() {
    for (way, door) in WAYS.into_iter().zip([Door::Refuse, Door::Hang]) {
        run(mirrored(way), async |world| {
            world.door(4, door);
            let (mut client, mut server) = connected(world).await;
            for id in 0..50 {
                call(&mut client, &mut server, id).await;
            }
            sleep(ms(1100)).await;
            let attempts = copies(world).connect_failures;
            assert!((1..=32).contains(&attempts), "{attempts}");
            for id in 0..50 {
                call(&mut client, &mut server, id).await;
            }
            let now = copies(world);
            assert_eq!((now.active, now.connections, now.redispatched), (0, 0, 0));
            assert_eq!(now.mirrored + now.mirror_dropped, 101);
            assert_eq!(now.mirror_unanswered, now.mirrored);
            assert_eq!(world.count(Outcome::Response(metaproto_core::StatusClass::Ok)), 101);
        });
    }
}

#[test]
fn copies_on_a_connection_that_is_reset_are_neither_told_nor_tried_again() {
    for way in WAYS {
        let mut retry = Retry::on([RetryOn::Reset, RetryOn::ConnectFailure]);
        retry.backoff = Duration::ZERO;
        let mut route = Route::to("c").mirror(Mirror::to("m").compare());
        route.retry = Some(retry);
        let mut shadow = shadow(way);
        shadow.endpoints.push(crate::model::Endpoint::new(address(5)));
        run(with(route, shadow), async |world| {
            let (mut client, mut server) = connected(world).await;
            let mut other = world.accept(4).await;
            assert_eq!(other.recv().await.body, b"a");
            drop(other);
            client.expect_silence().await;
            assert!(world.try_accept(4).is_none() && world.try_accept(5).is_none());
            call(&mut client, &mut server, 1).await;
            let now = copies(world);
            assert_eq!((now.mirrored, now.resets, now.retries), (2, 1, 0));
            assert_eq!(compared(world), (0, 0, 1));
        });
    }
}

#[test]
fn responses_that_cannot_be_read_end_the_copy_alone() {
    run(mirrored(Sharing::Shared), async |world| {
        let (mut client, mut server) = connected(world).await;
        let mut other = world.accept(4).await;
        let copy = other.recv().await;
        other.send(&Frame::new(toy::BAD, copy.id, 0x80, "")).await;
        client.expect_silence().await;
        call(&mut client, &mut server, 1).await;
        other.recv().await;
        other.send_bytes(&[0, 1, 2]).await;
        other.expect_closed().await;
        call(&mut client, &mut server, 2).await;
        assert_eq!((copies(world).protocol_errors, compared(world)), (1, (0, 0, 2)));
    });
}

#[test]
fn a_client_may_go_while_its_call_and_the_copy_are_under_way() {
    for way in WAYS {
        run(mirrored(way), async |world| {
            let mut client = world.client().await;
            client.send(&request(7, "a")).await;
            let (mut server, mut other) = (world.accept(1).await, world.accept(4).await);
            server.recv().await;
            let copy = other.recv().await;
            drop(client);
            world.settle().await;
            other.send(&response(copy.id, "x")).await;
            world.settle().await;
            assert_eq!((copies(world).active, world.listener().active), (0, 1));
            sleep(Duration::from_secs(16)).await;
            assert_eq!((world.listener().active, compared(world)), (0, (0, 0, 1)));
        });
    }
}

#[test]
fn a_client_whose_calls_are_answered_is_closed_whatever_is_copied() {
    for way in WAYS {
        run(mirrored(way), async |world| {
            let (mut client, _server) = connected(world).await;
            let start = Instant::now();
            client.half_close().await;
            client.expect_closed().await;
            assert_eq!((start.elapsed(), copies(world).active), (Duration::ZERO, 1));
        });
    }
}

#[test]
fn a_drain_does_not_wait_for_copies() {
    for way in WAYS {
        run(mirrored(way), async |world| {
            world.upstream_pipe(10);
            let mut client = world.client().await;
            client.send(&request(0, "a long one")).await;
            world.accept(1).await.echo().await;
            client.recv().await;
            assert_eq!(copies(world).active, 1);
            drop(client);
            let start = Instant::now();
            world.drain(Duration::from_secs(30));
            world.ended().await;
            assert!(start.elapsed() < ms(100));
        });
    }
}

#[test]
fn a_mirror_that_configuration_drops_goes_with_its_copies() {
    for way in WAYS {
        run(mirrored(way), async |world| {
            let (mut client, mut server) = connected(world).await;
            let mut other = world.accept(4).await;
            let copy = other.recv().await;
            let plain = with(Route::to("c"), shadow(way));
            world.apply(plain.clone());
            call(&mut client, &mut server, 1).await;
            other.send(&response(copy.id, "x")).await;
            other.expect_closed().await;
            assert_eq!((copies(world).mirrored, compared(world)), (1, (1, 0, 0)));
            // The call ends after the cluster has gone.
            world.apply(mirrored(way));
            client.send(&request(2, "b")).await;
            let asked = server.recv().await;
            world.accept(4).await.echo().await;
            world.apply(plain);
            sleep(Duration::from_secs(5)).await;
            assert_eq!(world.worker.borrow().clusters.len(), 1);
            server.send(&response(asked.id, "B")).await;
            client.expect(&response(2, "B")).await;
            assert_eq!((copies(world).mirrored, compared(world)), (2, (2, 0, 0)));
        });
    }
}

#[test]
fn of_a_thousand_calls_exactly_the_share_is_copied_also_when_configuration_changes() {
    let part = |share| Mirror::to("m").share(share);
    let route = Route::to("c").mirror(part(100_000)).mirror(part(1000));
    run(with(route.clone(), shadow(Sharing::Shared)), async |world| {
        let (mut client, mut server) = connected(world).await;
        let mut other = None;
        for id in 1..1000 {
            if id % 7 == 0 {
                world.apply(with(route.clone(), shadow(Sharing::Shared)));
            }
            call(&mut client, &mut server, id).await;
            other = other.or_else(|| world.try_accept(4));
            if let Some(other) = &mut other {
                other.echo_all(Duration::ZERO).await;
            }
        }
        assert_eq!((copies(world).mirrored, copies(world).mirror_dropped), (101, 0));
    });
}

#[test]
fn each_of_several_mirrors_is_compared() {
    let route = Route::to("c")
        .mirror(Mirror::to("m").compare())
        .mirror(Mirror::to("n"))
        .mirror(Mirror::to("m").compare());
    let other = Cluster::new("n", [address(5)]);
    run(with(route, shadow(Sharing::Shared)).cluster(other), async |world| {
        let (mut client, mut server) = connected(world).await;
        let (mut m, mut n) = (world.accept(4).await, world.accept(5).await);
        let first = m.recv().await;
        m.send(&answer(first.id, 9)).await;
        m.echo().await;
        n.echo().await;
        client.expect_silence().await;
        assert_eq!((copies(world).mirrored, compared(world)), (2, (1, 1, 0)));
        assert_eq!(world.counters().clusters["n"].mirrored, 1);
        call(&mut client, &mut server, 1).await;
    });
}

#[test]
fn a_call_that_is_hedged_or_tried_again_is_copied_once() {
    let mut retry = Retry::on([RetryOn::Reset]);
    retry.backoff = Duration::ZERO;
    let mut route = Route::to("c").mirror(Mirror::to("m").compare());
    (route.retry, route.hedge) = (Some(retry), Some(Hedge { after: ms(50) }));
    run(with(route, shadow(Sharing::Shared)), async |world| {
        let mut client = world.client().await;
        client.send(&request(7, "a")).await;
        let (mut server, mut other) = (world.accept(1).await, world.accept(4).await);
        let first = server.recv().await;
        let second = server.recv().await;
        other.echo().await;
        server.send_all(&[response(second.id, "2"), response(first.id, "1")]).await;
        client.expect(&response(7, "2")).await;
        other.expect_silence().await;
        assert_eq!((copies(world).mirrored, compared(world)), (1, (1, 0, 0)));
    });
}

#[test]
fn a_call_that_the_proxy_answers_is_not_compared_or_not_even_copied() {
    run(mirrored(Sharing::Shared), async |world| {
        world.door(1, Door::Refuse);
        let mut client = world.client().await;
        client.send(&request(7, "a")).await;
        world.accept(4).await.echo().await;
        client.expect_error(7, ErrorKind::ConnectionFailure).await;
        world.settle().await;
        assert_eq!((copies(world).mirrored, compared(world)), (1, (0, 0, 1)));
        client.send(&Frame { code: 255, ..request(8, "a") }).await;
        client.expect_error(8, ErrorKind::Timeout).await;
        assert_eq!(copies(world).mirrored, 1);
    });
}

#[test]
fn copies_have_connections_of_their_own_in_a_cluster_that_gets_calls_too() {
    let to_m = Route::to("m").when("to", crate::model::Predicate::Exact("66".into()));
    let mut snapshot = with(Route::to("c").mirror(Mirror::to("m")), shadow(Sharing::Exclusive));
    let mut listener = listener();
    listener.routes = [vec![Arc::new(to_m)], snapshot.listeners[0].routes.clone()].concat();
    let mut one_connection = shadow(Sharing::Exclusive);
    one_connection.max_connections = 1;
    snapshot.listeners = vec![Arc::new(listener)];
    run(snapshot.cluster(one_connection), async |world| {
        let (mut client, mut server) = connected(world).await;
        let mut of_copies = world.accept(4).await;
        assert_eq!(of_copies.recv().await.body, b"a");
        // A second copy would have to wait.
        call(&mut client, &mut server, 1).await;
        assert_eq!(copies(world).mirror_dropped, 1);
        client.send(&request(2, "B")).await;
        world.accept(4).await.echo().await;
        client.expect(&response(2, "B")).await;
    });
}

#[test]
fn copies_are_changed_like_calls_and_written_in_the_dialect_of_their_cluster() {
    let mut route = Route::to("c").mirror(Mirror::to("m"));
    route.request = Mutation::new().set("to", "65");
    let mut snapshot = with(route.clone(), shadow(Sharing::Shared));
    let mut listener = listener_of(Toy { in_order: true, translates: true, ..Toy::DEFAULT });
    listener.routes = vec![Arc::new(route)];
    snapshot.listeners = vec![Arc::new(listener)];
    let mut reversed = shadow(Sharing::Shared);
    reversed.options = Options::from([("reversed".to_owned(), "yes".to_owned())]);
    run(snapshot.cluster(reversed), async |world| {
        let mut client = world.client().await;
        client.send(&request(7, "xbc")).await;
        let (mut server, mut other) = (world.accept(1).await, world.accept(4).await);
        assert_eq!(server.echo().await.body, b"Abc");
        assert_eq!(other.echo().await.body, b"<cbA");
        client.expect(&response(7, "Abc")).await;
    });
}

#[test]
fn what_can_not_be_written_in_the_dialect_of_the_mirror_is_not_sent_there_alone() {
    let mut listener = listener_of(Toy { in_order: true, translates: true, ..Toy::DEFAULT });
    listener.routes = vec![Arc::new(Route::to("c").mirror(Mirror::to("m").compare()))];
    let mut reversed = shadow(Sharing::Shared);
    reversed.options = Options::from([("reversed".to_owned(), "yes".to_owned())]);
    let clusters = Snapshot::new().cluster(cluster(Sharing::Shared, 1)).cluster(reversed);
    run(clusters.listener(listener), async |world| {
        let mut client = world.client().await;
        client.send(&request(7, [toy::SEALED, b'x'])).await;
        world.accept(1).await.echo().await;
        client.expect(&response(7, [toy::SEALED, b'x'])).await;
        world.settle().await;
        assert_eq!((copies(world).active, compared(world)), (0, (0, 0, 1)));
    });
}

#[test]
fn calls_without_ids_are_copied() {
    let mut listener = listener_of(Toy { by_order: true, ..Toy::DEFAULT });
    listener.routes = vec![Arc::new(Route::to("c").mirror(Mirror::to("m").compare()))];
    let snapshot = Snapshot::new()
        .listener(listener)
        .cluster(cluster(Sharing::Exclusive, 1))
        .cluster(shadow(Sharing::Exclusive));
    run(snapshot, async |world| {
        let mut client = world.client().await;
        client.send_all(&[request(0, "a"), request(0, "b")]).await;
        let (mut first, mut second) = (world.accept(4).await, world.accept(4).await);
        first.echo().await;
        second.echo().await;
        client.expect_silence().await;
        let (mut first, mut second) = (world.accept(1).await, world.accept(1).await);
        second.echo().await;
        first.echo().await;
        client.expect(&response(0, "a")).await;
        client.expect(&response(0, "b")).await;
        assert_eq!(compared(world), (2, 0, 0));
    });
}

#[test]
fn streams_are_not_copied_and_calls_beside_them_are() {
    let mut snapshot = mirrored(Sharing::Shared);
    snapshot = snapshot.cluster(cluster(Sharing::Bound, 1));
    run(snapshot, async |world| {
        let mut client = world.client().await;
        let open = Frame::new(toy::STREAM_OPEN, 1, 0, "open");
        let data = Frame::new(toy::STREAM_DATA, 1, 0, "data");
        client.send_all(&[open.clone(), request(2, "a")]).await;
        let mut server = world.accept(1).await;
        server.expect(&open).await;
        server.echo().await;
        client.expect(&response(2, "a")).await;
        client.send(&data).await;
        server.expect(&data).await;
        assert_eq!(world.accept(4).await.echo().await.body, b"a");
        assert_eq!(copies(world).mirrored, 1);
    });
}

#[test]
fn a_mirror_that_belongs_to_clients_is_refused() {
    for (sharing, told) in [(Some(Sharing::Bound), true), (None, false)] {
        let mut shadow = shadow(Sharing::Shared);
        shadow.sharing = sharing;
        let result = with(Route::to("c").mirror(Mirror::to("m")), shadow).validate();
        let expected = "listeners[0].routes[0].mirror[0].cluster: m has upstream_mode bound, and a copy belongs to no client; use shared or exclusive";
        assert_eq!(result.err().map(|error| error.to_string()), told.then(|| expected.into()));
    }
}
