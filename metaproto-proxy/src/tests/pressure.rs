//! Peers that send more than others take: who has to wait, who must not notice, and what is held.

use metaproto_core::{ErrorKind, Limits, StatusClass};
use tokio::time::{Instant, sleep};

use super::*;
use crate::counters::Outcome;
use crate::model::Predicate;

/// Small buffers, so that little is much.
fn tight(mode: Sharing) -> Snapshot {
    let mut listener = listener();
    listener.buffer = 10_000;
    listener.max_buffer = 200_000;
    listener.limits = Limits::max_frame(60_000);
    Snapshot::new().listener(listener).cluster(cluster(mode, 1))
}

/// The bytes that wait for clients, and for upstreams.
fn waiting(world: &World) -> (usize, usize) {
    let worker = world.worker.borrow();
    let down = worker.downstreams.values().map(|client| client.outbox.len()).sum();
    let up = worker.upstreams.values().map(|upstream| upstream.backlog()).sum();
    (down, up)
}

/// Answers one call, if one has come.
async fn answer_one(server: &mut Peer, client: &mut Peer) -> bool {
    let Ok(Some(got)) = server.recv_within(ms(1)).await else { return false };
    server.send(&response(got.id, &got.body)).await;
    let answer = client.recv().await;
    assert_eq!(answer.body, answer.id.to_string().as_bytes());
    true
}

#[test]
fn a_client_with_enough_in_flight_is_not_read_until_a_call_ends() {
    for mode in MODES {
        let mut listener = listener();
        listener.max_in_flight = 3;
        run(Snapshot::new().listener(listener).cluster(cluster(mode, 1)), async |world| {
            let mut client = world.client().await;
            let calls: Vec<_> = (0..10).map(|n| request(n, n.to_string())).collect();
            client.send_all(&calls).await;
            let mut servers = Vec::new();
            let mut answers = 0;
            while answers < 10 {
                world.settle().await;
                assert_eq!(world.listener().active, 3.min(10 - answers));
                servers.extend(world.try_accept(1));
                for server in &mut servers {
                    answers += u64::from(answer_one(server, &mut client).await);
                    world.settle().await;
                }
            }
        });
    }
}

#[test]
fn a_client_that_does_not_read_is_not_sent_pongs_without_end() {
    for snapshot in [tight(Sharing::Shared), {
        let mut listener = listener_of(Toy { by_order: true, ..Toy::default() });
        (listener.buffer, listener.max_in_flight) = (10_000, 500);
        Snapshot::new().listener(listener).cluster(cluster(Sharing::Bound, 1))
    }] {
        run(snapshot, async |world| {
            let mut client = world.client_with_pipe(1000).await;
            let pings = Frame::new(toy::PING, 7, 0, "").bytes().repeat(100_000);
            let sent = client.send_what_fits(&pings).await;
            assert!(sent < 300_000, "{sent} bytes of pings were taken");
            // Those who read get them all.
            for _ in 0..sent / 8 {
                client.expect(&Frame::new(toy::PONG, 7, 0, "")).await;
            }
        });
    }
}

#[test]
fn pongs_that_wait_for_their_turn_are_bounded() {
    let mut listener = listener_of(Toy { by_order: true, ..Toy::default() });
    listener.max_in_flight = 500;
    let snapshot = Snapshot::new().listener(listener).cluster(cluster(Sharing::Bound, 1));
    run(snapshot, async |world| {
        let mut client = world.client_with_pipe(1000).await;
        client.send(&request(0, "slow")).await;
        let mut server = world.accept(1).await;
        server.recv().await;
        let pings = Frame::new(toy::PING, 7, 0, "").bytes().repeat(100_000);
        let sent = client.send_what_fits(&pings).await;
        assert!(sent < 300_000, "{sent} bytes of pings were taken");
        server.send(&response(0, "done")).await;
        client.expect(&response(0, "done")).await;
        for _ in 0..sent / 8 {
            client.expect(&Frame::new(toy::PONG, 7, 0, "")).await;
        }
    });
}

#[test]
fn an_upstream_that_does_not_read_is_not_sent_pongs_without_end() {
    for mode in MODES {
        run(tight(mode), async |world| {
            world.upstream_pipe(1000);
            let mut client = world.client().await;
            client.send(&request(1, "a")).await;
            let mut server = world.accept(1).await;
            let got = server.recv().await;
            let pings = Frame::new(toy::PING, 7, 0, "").bytes().repeat(20_000);
            server.send_what_fits(&pings).await;
            let (_, up) = waiting(world);
            assert!(up < 30_000, "{up} bytes of pongs wait");
            while let Ok(Some(pong)) = server.recv_within(ms(10)).await {
                assert_eq!(pong.kind, toy::PONG);
            }
            server.send(&response(got.id, "b")).await;
            client.expect(&response(1, "b")).await;
        });
    }
}

#[test]
fn a_slow_client_stops_its_own_upstream_connection() {
    run(tight(Sharing::Bound), async |world| {
        world.upstream_pipe(1000);
        let mut client = world.client_with_pipe(1000).await;
        let calls: Vec<_> = (0..60).map(|n| request(n, "")).collect();
        client.send_all(&calls).await;
        let mut server = world.accept(1).await;
        let mut answers = Vec::new();
        for call in &calls {
            server.expect(call).await;
            answers.extend(response(call.id, [9; 5000]).bytes());
        }
        let sent = server.send_what_fits(&answers).await;
        assert!(sent < 50_000, "{sent} bytes of answers were taken");
        assert!(waiting(world).0 < 30_000);
        let rest = async { server.send_bytes(&answers[sent..]).await };
        let read = async {
            for call in &calls {
                client.expect(&response(call.id, [9; 5000])).await;
            }
        };
        tokio::join!(rest, read);
        assert_eq!(world.listener().slow_clients, 0);
    });
}

#[test]
fn a_slow_client_gets_every_answer_of_its_exclusive_connections() {
    run(tight(Sharing::Exclusive), async |world| {
        let mut client = world.client_with_pipe(1000).await;
        let mut servers = Vec::new();
        for n in 0..6 {
            client.send(&request(n, "")).await;
            let mut server = world.accept(1).await;
            let got = server.recv().await;
            servers.push((server, got.id));
        }
        for (n, (server, id)) in servers.iter_mut().enumerate() {
            server.send(&response(*id, vec![n as u8; 30_000])).await;
            world.settle().await;
        }
        let mut answers = Vec::new();
        for _ in 0..6 {
            answers.push(client.recv().await);
        }
        answers.sort();
        let expected: Vec<_> = (0..6).map(|n| response(n, vec![n as u8; 30_000])).collect();
        assert!(answers == expected);
    });
}

#[test]
fn on_a_shared_connection_a_slow_client_is_cut_off_and_the_others_go_on() {
    run(tight(Sharing::Shared), async |world| {
        let mut slow = world.client_with_pipe(1000).await;
        let mut other = world.client().await;
        let calls: Vec<_> = (0..60).map(|n| request(n, "")).collect();
        slow.send_all(&calls).await;
        let mut server = world.accept(1).await;
        for n in 0..60 {
            let got = server.recv().await;
            server.send(&response(got.id, [9; 5000])).await;
            world.settle().await;
            assert!(waiting(world).0 < 220_000);
            if n % 10 == 0 {
                other.send(&oneway(n, "")).await;
            }
        }
        other.send(&request(1, "fine")).await;
        while server.recv().await.kind != toy::REQUEST {}
        world.settle().await;
        assert_eq!(world.listener().slow_clients, 1);
        assert_eq!(world.count(Outcome::Abandoned), 60 - world.count(OK));
        assert!(waiting(world).0 == 0);
        while slow.recv_within(ms(10)).await.is_ok() {}
    });
}

const OK: Outcome = Outcome::Response(StatusClass::Ok);

fn two_clusters(mode: Sharing) -> Snapshot {
    let mut listener = listener();
    listener.buffer = 10_000;
    let other = Route::to("d").when("to", Predicate::Exact(b'd'.to_string()));
    listener.routes.insert(0, Arc::new(other));
    let other = Cluster::new("d", [address(2)]).sharing(mode);
    Snapshot::new().listener(listener).cluster(cluster(mode, 1)).cluster(other)
}

#[test]
fn a_stalled_upstream_pauses_its_senders_alone_and_they_resume() {
    run(two_clusters(Sharing::Shared), async |world| {
        world.upstream_pipe(1000);
        let (mut sender, mut other) = (world.client_with_pipe(1000).await, world.client().await);
        let calls: Vec<u8> = (0..50).flat_map(|n| request(n, [1; 5000]).bytes()).collect();
        let sent = sender.send_what_fits(&calls).await;
        assert!(sent < 200_000, "{sent} bytes of requests were taken");
        other.send(&request(1, "d")).await;
        let mut free = world.accept(2).await;
        free.echo().await;
        other.expect(&response(1, "d")).await;
        let mut stalled = world.accept(1).await;
        let rest = async { sender.send_bytes(&calls[sent..]).await };
        let read = async {
            for _ in 0..50 {
                let got = stalled.recv().await;
                stalled.send(&response(got.id, "")).await;
            }
        };
        tokio::join!(rest, read);
        for n in 0..50 {
            sender.expect(&response(n, "")).await;
        }
        assert_eq!(world.cluster().resets, 0);
    });
}

#[test]
fn an_upstream_that_takes_nothing_for_ten_seconds_is_given_up() {
    for mode in MODES {
        for timeout in [Some(ms(15_000)), None] {
            let mut snapshot = tight(mode);
            let route = Arc::make_mut(&mut Arc::make_mut(&mut snapshot.listeners[0]).routes[0]);
            route.timeout = timeout;
            run(snapshot, async |world| {
                world.upstream_pipe(1000);
                let mut client = world.client().await;
                client.send(&request(1, [1; 5000])).await;
                let stalled = world.accept(1).await;
                let start = Instant::now();
                client.expect_error(1, ErrorKind::UpstreamReset).await;
                let took = start.elapsed();
                assert!(took >= ms(9900) && took < ms(11_100), "{took:?}");
                client.send(&request(2, "b")).await;
                world.accept(1).await.echo().await;
                client.expect(&response(2, "b")).await;
                drop(stalled);
            });
        }
    }
}

#[test]
fn while_a_connection_is_made_no_more_waits_than_is_allowed() {
    for mode in MODES {
        run(tight(mode), async |world| {
            world.door(1, world::Door::Hang);
            let mut client = world.client_with_pipe(1000).await;
            let calls: Vec<u8> = (0..50).flat_map(|n| oneway(n, [1; 5000]).bytes()).collect();
            client.send_what_fits(&calls).await;
            let (_, up) = waiting(world);
            // An exclusive connection is begun for every call.
            let most = if mode == Sharing::Exclusive { 260_000 } else { 30_000 };
            assert!(up < most, "{up} bytes wait");
            sleep(ms(1100)).await;
        });
    }
}

/// Requests are read only as far as the responses may be expected to fit: a client that sends many
/// requests with large responses, and reads them slowly, is not cut off.
#[test]
fn a_client_that_asks_for_more_than_may_wait_for_it_is_held_back_not_cut_off() {
    run(tight(Sharing::Shared), async |world| {
        let mut client = world.client_with_pipe(10_000).await;
        client.send(&request(0, "")).await;
        let mut server = world.accept(1).await;
        let got = server.recv().await;
        server.send(&response(got.id, [9; 5000])).await;
        client.recv().await;
        let calls: Vec<_> = (0..400).map(|n| request(n, "")).collect();
        client.send_all(&calls).await;
        for _ in 0..400 {
            while let Ok(Some(got)) = server.recv_within(ms(5)).await {
                server.send(&response(got.id, [9; 5000])).await;
            }
            assert!(waiting(world).0 <= 120_000);
            client.recv().await;
        }
        assert_eq!(world.listener().slow_clients, 0);
    });
}

/// What is expected of the next responses must not hold a client up that takes all there is.
#[test]
fn long_calls_keep_no_others_from_being_read() {
    run(tight(Sharing::Shared), async |world| {
        let mut client = world.client().await;
        let calls: Vec<_> = (0..300).map(|n| request(n, "long")).collect();
        client.send_all(&calls).await;
        client.send(&request(300, "short")).await;
        let mut server = world.accept(1).await;
        let start = Instant::now();
        let last = loop {
            let got = server.recv().await;
            if got.body == b"short" {
                break got;
            }
        };
        server.send(&response(last.id, "done")).await;
        client.expect(&response(300, "done")).await;
        assert!(start.elapsed() < ms(100), "{:?}", start.elapsed());
    });
}
