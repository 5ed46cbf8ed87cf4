//! Signs of life on upstream connections.

use metaproto_core::ErrorKind;
use tokio::time::{Instant, advance, sleep};

use super::toy::{PING, PLAIN_PONG, PONG, RESPONSE};
use super::*;

const INTERVAL: Duration = ms(1000);
const TIMEOUT: Duration = ms(300);
/// Looks are an eighth of the shorter time apart.
const TICK: Duration = ms(40);

fn keepalive() -> Keepalive {
    Keepalive::On(KeepaliveTimes { interval: INTERVAL, timeout: TIMEOUT })
}

fn with(toy: Toy, mode: Sharing, change: impl FnOnce(&mut Listener, &mut Cluster)) -> Snapshot {
    let (mut listener, mut cluster) = (listener_of(toy), cluster(mode, 1));
    (cluster.idle_timeout, cluster.keepalive) = (None, keepalive());
    Arc::make_mut(&mut listener.routes[0]).timeout = None;
    change(&mut listener, &mut cluster);
    Snapshot::new().listener(listener).cluster(cluster)
}

fn by_ids(mode: Sharing) -> Snapshot {
    with(Toy::default(), mode, |_, _| {})
}

fn by_order(mode: Sharing) -> Snapshot {
    with(Toy { by_order: true, ..Toy::default() }, mode, |_, _| {})
}

/// What the connections that a test leaves behind would wait for: nobody closes them for being idle.
async fn end(world: &World, snapshot: Snapshot) {
    let mut cluster = Cluster::clone(&snapshot.clusters["c"]);
    cluster.endpoints.clear();
    world.apply(snapshot.cluster(cluster));
}

/// Runs a test, and lets all upstream connections go after it.
fn run_kept(snapshot: Snapshot, test: impl AsyncFnOnce(&World)) {
    run(snapshot.clone(), async |world| {
        test(world).await;
        end(world, snapshot).await;
    });
}

/// A client and a server that have just had a call.
async fn pair(world: &World) -> (Peer, Peer) {
    let mut client = world.client().await;
    client.send(&request(1, "first")).await;
    let mut server = world.accept(1).await;
    server.echo().await;
    client.recv().await;
    (client, server)
}

/// Waits for a ping; nothing else may come before it.
async fn ping(server: &mut Peer) -> Frame {
    let frame = server.recv().await;
    assert_eq!(frame.kind, PING, "{frame:?}");
    frame
}

#[track_caller]
fn assert_took(start: Instant, expected: Duration) {
    let took = start.elapsed();
    assert!(took >= expected && took <= expected + 2 * TICK, "{took:?}, not {expected:?}");
}

#[test]
fn a_silent_connection_is_pinged_and_stays_however_the_ping_is_answered() {
    let protocols =
        [(Toy::default(), &MODES[..]), (Toy { by_order: true, ..Toy::default() }, &MODES[1..])];
    for (toy, modes) in protocols {
        for (mode, answer) in
            modes.iter().flat_map(|m| [PONG, PLAIN_PONG, RESPONSE].map(|a| (*m, a)))
        {
            run_kept(with(toy, mode, |_, _| {}), async |world| {
                let (mut client, mut server) = pair(world).await;
                for n in 2..6 {
                    let start = Instant::now();
                    let got = ping(&mut server).await;
                    assert_took(start, INTERVAL);
                    server.send(&Frame::new(answer, got.id, 0, "alive")).await;
                    client.expect_silence().await;
                    client.send(&request(n, "more")).await;
                    server.echo().await;
                    let got = client.recv().await;
                    assert_eq!(got.body, b"more");
                }
                let counters = world.cluster();
                assert_eq!((counters.keepalive_pings, counters.keepalive_failures), (4, 0));
                assert_eq!((counters.late, counters.unmatched, counters.connections), (0, 0, 1));
            });
        }
    }
}

#[test]
fn a_half_open_connection_is_closed_and_its_calls_are_told_at_once() {
    for mode in MODES {
        run_kept(by_ids(mode), async |world| {
            let (mut client, mut server) = pair(world).await;
            client.send(&request(2, "lost")).await;
            server.recv().await;
            let start = Instant::now();
            ping(&mut server).await;
            client.expect_error(2, ErrorKind::UpstreamReset).await;
            assert_took(start, INTERVAL + TIMEOUT);
            server.expect_closed().await;
            assert_eq!(
                (world.cluster().keepalive_pings, world.cluster().keepalive_failures),
                (1, 1)
            );
            client.send(&request(3, "again")).await;
            world.accept(1).await.echo().await;
            client.expect(&response(3, "again")).await;
        });
    }
}

#[test]
fn a_half_open_connection_at_rest_is_closed_too() {
    for snapshot in
        MODES.map(by_ids).into_iter().chain([Sharing::Exclusive, Sharing::Bound].map(by_order))
    {
        run_kept(snapshot, async |world| {
            let (mut client, mut server) = pair(world).await;
            let start = Instant::now();
            ping(&mut server).await;
            server.expect_closed().await;
            assert_took(start, INTERVAL + TIMEOUT);
            assert_eq!((world.cluster().keepalive_failures, world.cluster().resets), (1, 0));
            client.send(&request(2, "again")).await;
            world.accept(1).await.echo().await;
            assert_eq!(client.recv().await.body, b"again");
        });
    }
}

#[test]
fn who_is_slow_to_answer_calls_and_answers_pings_stays() {
    for mode in MODES {
        run_kept(by_ids(mode), async |world| {
            let mut client = world.client().await;
            client.send(&request(1, "slow")).await;
            let mut server = world.accept(1).await;
            let call = server.recv().await;
            for _ in 0..10 {
                let got = ping(&mut server).await;
                assert_ne!(got.id, call.id);
                server.send(&Frame::new(PONG, got.id, 0, "")).await;
            }
            server.send(&response(call.id, "done")).await;
            client.expect(&response(1, "done")).await;
            assert_eq!(world.cluster().keepalive_pings, 10);
        });
    }
}

#[test]
fn any_byte_is_a_sign_of_life_and_only_bytes_that_come_are() {
    run_kept(by_ids(Sharing::Shared), async |world| {
        let (mut client, mut server) = pair(world).await;
        for n in 0..20 {
            sleep(ms(800)).await;
            client.send(&request(n, "a")).await;
            server.echo().await;
            client.recv().await;
        }
        assert_eq!(world.cluster().keepalive_pings, 0);
        // Half a response is one, too, and answers the ping.
        client.send(&request(1, "slow")).await;
        let call = server.recv().await;
        ping(&mut server).await;
        let answer = response(call.id, "done").bytes();
        for bytes in answer.chunks(3) {
            server.send_bytes(bytes).await;
            sleep(ms(250)).await;
        }
        client.expect(&response(1, "done")).await;
        // What is only written says nothing of the other end.
        for n in 0..2 {
            sleep(ms(300)).await;
            client.send(&oneway(n, "a")).await;
            assert_eq!(server.recv().await.kind, toy::ONEWAY);
        }
        let got = ping(&mut server).await;
        server.send(&Frame::new(PONG, got.id, 0, "")).await;
    });
}

#[test]
fn pings_of_either_side_do_not_keep_a_connection_from_being_idle() {
    for mode in [Sharing::Shared, Sharing::Exclusive] {
        let snapshot = with(Toy::default(), mode, |_, c| c.idle_timeout = Some(ms(5000)));
        run(snapshot, async |world| {
            let (_client, mut server) = pair(world).await;
            let start = Instant::now();
            for _ in 0..4 {
                let got = ping(&mut server).await;
                server.send(&Frame::new(PONG, got.id, 0, "")).await;
                server.send(&Frame::new(PING, 9, 0, "")).await;
                server.expect(&Frame::new(PONG, 9, 0, "")).await;
            }
            server.expect_closed().await;
            assert_took(start, ms(5000));
            assert_eq!(world.cluster().keepalive_failures, 0);
        });
    }
}

#[test]
fn the_id_of_a_ping_is_used_again_only_when_it_is_answered() {
    /// The ids that a hundred calls get.
    async fn ids(client: &mut Peer, server: &mut Peer) -> Vec<u32> {
        let mut ids = Vec::new();
        for n in 0..100 {
            client.send(&request(n, "a")).await;
            ids.push(server.echo().await.id);
            client.expect(&response(n, "a")).await;
        }
        ids
    }
    let narrow = Toy { id_bits: 5, ..Toy::default() };
    for answer in [PONG, PLAIN_PONG, RESPONSE] {
        run_kept(with(narrow, Sharing::Shared, |_, _| {}), async |world| {
            let (mut client, mut server) = pair(world).await;
            let unanswered = ping(&mut server).await;
            server.send(&Frame::new(PONG, unanswered.id + 1, 0, "")).await;
            assert!(!ids(&mut client, &mut server).await.contains(&unanswered.id));
            server.send(&Frame::new(answer, unanswered.id, 0, "at last")).await;
            client.expect_silence().await;
            assert!(ids(&mut client, &mut server).await.contains(&unanswered.id), "an id is lost");
            assert_eq!((world.cluster().late, world.cluster().unmatched), (0, 0));
        });
    }
}

#[test]
fn a_pong_does_not_end_a_call() {
    for mode in MODES {
        run_kept(by_ids(mode), async |world| {
            let mut client = world.client().await;
            client.send(&request(1, "a")).await;
            let mut server = world.accept(1).await;
            let call = server.recv().await;
            ping(&mut server).await;
            for kind in [PONG, PLAIN_PONG, PONG, PLAIN_PONG] {
                server.send(&Frame::new(kind, call.id, 0, "")).await;
            }
            client.expect_silence().await;
            server.send(&response(call.id, "done")).await;
            client.expect(&response(1, "done")).await;
        });
    }
}

#[test]
fn an_answer_to_a_ping_that_cannot_be_read_is_an_answer() {
    for snapshot in
        MODES.map(by_ids).into_iter().chain([Sharing::Exclusive, Sharing::Bound].map(by_order))
    {
        run_kept(snapshot, async |world| {
            let (mut client, mut server) = pair(world).await;
            let got = ping(&mut server).await;
            server.send(&Frame::new(toy::BAD, got.id, 0x80, "")).await;
            client.expect_silence().await;
            client.send(&request(2, "a")).await;
            server.echo().await;
            assert_eq!(client.recv().await.body, b"a");
            assert_eq!((world.cluster().unmatched, world.cluster().connections), (0, 1));
        });
    }
}

#[test]
fn without_ids_there_is_no_ping_while_a_call_is_in_flight() {
    for mode in [Sharing::Exclusive, Sharing::Bound] {
        run_kept(by_order(mode), async |world| {
            let mut client = world.client().await;
            client.send(&request(0, "slow")).await;
            let mut server = world.accept(1).await;
            server.recv().await;
            assert_eq!(server.recv_within(ms(10_000)).await, Ok(None));
            server.send(&response(0, "done")).await;
            client.expect(&response(0, "done")).await;
            ping(&mut server).await;
            server.send(&Frame::new(PONG, 0, 0, "")).await;
        });
    }
}

#[test]
fn without_ids_no_call_is_sent_behind_a_ping() {
    run_kept(by_order(Sharing::Exclusive), async |world| {
        let (mut client, mut server) = pair(world).await;
        ping(&mut server).await;
        client.send(&request(0, "elsewhere")).await;
        let mut other = world.accept(1).await;
        other.echo().await;
        client.expect(&response(0, "elsewhere")).await;
        server.send(&response(0, "pong")).await;
        client.expect_silence().await;
        // It is back in the pool.
        client.send_all(&[request(0, "a"), request(0, "b")]).await;
        server.echo().await;
        other.echo().await;
        assert_eq!(world.cluster().connections, 2);
    });
    run_kept(by_order(Sharing::Bound), async |world| {
        let (mut client, mut server) = pair(world).await;
        ping(&mut server).await;
        client.send_all(&[request(0, "a"), request(0, "b")]).await;
        server.expect_silence().await;
        server.send(&response(0, "pong")).await;
        server.echo().await;
        server.echo().await;
        client.expect(&response(0, "a")).await;
        client.expect(&response(0, "b")).await;
    });
}

#[test]
fn without_ids_the_deadline_of_an_earlier_call_sends_nothing_behind_a_ping() {
    run_kept(by_order(Sharing::Bound), async |world| {
        let mut client = world.client().await;
        client.send(&Frame { code: 115, ..request(0, "quick") }).await;
        let mut server = world.accept(1).await;
        server.echo().await;
        client.recv().await;
        ping(&mut server).await;
        client.send(&request(0, "waits")).await;
        assert_eq!(server.recv_within(ms(200)).await, Ok(None));
        server.send(&Frame::new(PONG, 0, 0, "")).await;
        server.echo().await;
        client.expect(&response(0, "waits")).await;
    });
}

#[test]
fn a_connection_that_is_being_made_or_takes_nothing_is_not_pinged() {
    let slow = |_: &mut Listener, c: &mut Cluster| c.connect_timeout = ms(5000);
    run_kept(with(Toy::default(), Sharing::Shared, slow), async |world| {
        world.door(1, world::Door::Hang);
        let mut client = world.client().await;
        client.send(&request(1, "a")).await;
        client.expect_error(1, ErrorKind::ConnectionFailure).await;
        assert_eq!(world.cluster().keepalive_pings, 0);
    });
    run_kept(by_ids(Sharing::Shared), async |world| {
        world.upstream_pipe(1000);
        let mut client = world.client().await;
        client.send(&request(1, [0; 8000])).await;
        let mut server = world.accept(1).await;
        sleep(ms(5000)).await;
        assert_eq!(world.cluster().keepalive_pings, 0);
        assert_eq!(server.echo().await.body.len(), 8000);
        assert_eq!(client.recv().await.body.len(), 8000);
    });
}

#[test]
fn without_ids_only_an_answer_to_the_ping_counts() {
    for mode in [Sharing::Exclusive, Sharing::Bound] {
        run_kept(by_order(mode), async |world| {
            let (mut client, mut server) = pair(world).await;
            ping(&mut server).await;
            let start = Instant::now();
            server.send(&Frame::new(PING, 9, 0, "")).await;
            server.expect(&Frame::new(PONG, 9, 0, "")).await;
            client.send(&request(0, "waits")).await;
            let mut other = world.accept(1).await;
            if mode == Sharing::Bound {
                assert_took(start, TIMEOUT);
            }
            server.expect_closed().await;
            other.echo().await;
            client.expect(&response(0, "waits")).await;
        });
    }
}

#[test]
fn a_connection_that_is_not_read_because_its_client_is_slow_is_not_given_up() {
    let small = |listener: &mut Listener, _: &mut Cluster| listener.buffer = 5000;
    run_kept(with(Toy::default(), Sharing::Bound, small), async |world| {
        let mut client = world.client_with_pipe(1000).await;
        let calls: Vec<_> = (0..5).map(|n| request(n, [b'x'; 8000])).collect();
        let bytes: Vec<u8> = calls.iter().flat_map(Frame::bytes).collect();
        let (sent, mut server) = tokio::join!(client.send_bytes(&bytes), world.accept(1));
        let () = sent;
        let mut answers = Vec::new();
        for _ in 0..3 {
            let got = server.recv().await;
            answers.push(got.id);
            server.send(&response(got.id, &got.body)).await;
            world.settle().await;
        }
        sleep(ms(20_000)).await;
        assert_eq!(world.cluster().keepalive_failures, 0);
        for _ in 0..3 {
            assert_eq!(client.recv().await.body.len(), 8000);
        }
    });
}

#[test]
fn a_worker_that_was_stopped_reads_before_it_gives_up() {
    run_kept(by_ids(Sharing::Shared), async |world| {
        let (mut client, mut server) = pair(world).await;
        let got = ping(&mut server).await;
        advance(Duration::from_secs(100)).await;
        server.send(&Frame::new(PONG, got.id, 0, "")).await;
        client.send(&request(2, "a")).await;
        server.echo().await;
        client.expect(&response(2, "a")).await;
        assert_eq!(world.cluster().keepalive_failures, 0);
    });
}

#[test]
fn by_default_the_first_ping_comes_after_half_a_minute_and_off_is_off() {
    let by_default =
        with(Toy::default(), Sharing::Shared, |_, c| c.keepalive = Keepalive::default());
    run_kept(by_default, async |world| {
        let (_client, mut server) = pair(world).await;
        assert_eq!(server.recv_within(ms(29_900)).await, Ok(None));
        ping(&mut server).await;
        let start = Instant::now();
        server.expect_closed().await;
        assert!(
            start.elapsed() >= ms(9000) && start.elapsed() <= ms(11_100),
            "{:?}",
            start.elapsed()
        );
    });
    let off = with(Toy::default(), Sharing::Shared, |_, c| c.keepalive = Keepalive::Off);
    run_kept(off, async |world| {
        let (_client, mut server) = pair(world).await;
        assert_eq!(server.recv_within(ms(600_000)).await, Ok(None));
    });
}

#[test]
fn keepalive_can_be_turned_on_while_connections_live() {
    let off = with(Toy::default(), Sharing::Bound, |_, c| c.keepalive = Keepalive::Off);
    run_kept(off, async |world| {
        let (_client, mut server) = pair(world).await;
        assert_eq!(server.recv_within(ms(10_000)).await, Ok(None));
        world.apply(by_ids(Sharing::Bound));
        ping(&mut server).await;
    });
}

#[test]
fn by_default_what_is_half_open_is_found_before_it_would_be_closed_as_idle() {
    for mode in [Sharing::Shared, Sharing::Exclusive] {
        let by_default = with(Toy::default(), mode, |_, c| {
            c.keepalive = Keepalive::default();
            c.idle_timeout = Some(Cluster::DEFAULT_IDLE_TIMEOUT);
        });
        run(by_default, async |world| {
            // It answers nothing: what is there does not hear.
            let (_client, mut half_open) = pair(world).await;
            ping(&mut half_open).await;
            half_open.expect_closed().await;
            assert_eq!(world.cluster().keepalive_failures, 1);
            // It answers, and is closed for being idle, at the time that is set for that.
            let (_client, mut idle) = pair(world).await;
            let start = Instant::now();
            let got = ping(&mut idle).await;
            idle.send(&Frame::new(PONG, got.id, 0, "")).await;
            idle.expect_closed().await;
            let took = start.elapsed();
            assert!(took >= ms(59_900) && took <= ms(61_100), "{took:?}");
            assert_eq!(world.cluster().keepalive_failures, 1);
        });
    }
}
