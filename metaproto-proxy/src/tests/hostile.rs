//! Clients that mean harm, or are stuck: what they can make the proxy hold is what is configured.

use metaproto_core::{ErrorKind, Limits};
use tokio::time::{Instant, sleep};

use super::*;
use crate::overload;

const BUFFER: usize = 10_000;
const MAX_BUFFER: usize = 200_000;

fn tight(toy: Toy) -> Listener {
    let mut listener = listener_of(toy);
    (listener.buffer, listener.max_buffer) = (BUFFER, MAX_BUFFER);
    listener.limits = Limits::max_frame(60_000);
    listener.max_in_flight = 100;
    listener
}

/// The bytes that the worker holds, without what connections take by themselves.
fn held(world: &World) -> usize {
    let worker = world.worker.borrow();
    let connections = worker.downstreams.len() + worker.upstreams.len();
    overload::held(&worker) - connections * overload::CONNECTION
}

/// Answers what comes with bodies of `size` bytes, as long as the answers are taken. Tells the most that
/// was ever held.
async fn serve(world: &World, size: usize) -> usize {
    let (mut most, mut idle) = (0, 0);
    let mut servers = Vec::new();
    let mut answers: Vec<Vec<u8>> = Vec::new();
    while idle < 20 {
        idle += 1;
        servers.extend(world.try_accept(1));
        answers.resize(servers.len(), Vec::new());
        for (server, answers) in servers.iter_mut().zip(&mut answers) {
            while let Ok(Some(got)) = server.recv_within(ms(1)).await {
                answers.extend(response(got.id, vec![7; size]).bytes());
                idle = 0;
            }
            let sent = server.send_what_fits(answers).await;
            answers.drain(..sent);
            most = most.max(held(world));
        }
        world.settle().await;
        most = most.max(held(world));
    }
    most
}

/// In a turn some more may come than is looked at: this much for each upstream connection.
const TURN: usize = 4 * 128 * 1024;

#[test]
fn a_client_that_calls_and_never_reads_is_bounded_whatever_the_answers() {
    let by_order = Toy { by_order: true, ..Toy::default() };
    let in_order = Toy { in_order: true, ..Toy::default() };
    let kinds = [
        (Toy::default(), MODES.as_slice()),
        (in_order, &[Sharing::Shared, Sharing::Bound]),
        (by_order, &[Sharing::Exclusive, Sharing::Bound]),
    ];
    for (toy, modes) in kinds {
        for (mode, size) in
            modes.iter().flat_map(|mode| [(*mode, 0), (*mode, 700), (*mode, 50_000)])
        {
            let snapshot = Snapshot::new().listener(tight(toy)).cluster(cluster(mode, 1));
            run(snapshot, async |world| {
                let mut client = world.client_with_pipe(1000).await;
                let calls: Vec<u8> = (0..20_000).flat_map(|n| request(n, "").bytes()).collect();
                let send = async {
                    client.send_what_fits(&calls).await;
                };
                let (most, ()) = tokio::join!(serve(world, size), send);
                let case = format!("{toy:?} {mode:?} {size}");
                assert!(most <= MAX_BUFFER + TURN, "{most} bytes are held: {case}");
                assert!(world.listener().started < 10_000, "it is read all the same: {case}");
                drop(client);
            });
        }
    }
}

/// To look at all of them with every tick would cost more than to serve some.
#[test]
fn the_clock_looks_only_at_clients_that_time_does_something_to() {
    run(simple(Sharing::Shared), async |world| {
        let watched = || world.worker.borrow().watched.len();
        let _quiet = world.client().await;
        let mut slow = world.client_with_pipe(10).await;
        slow.send(&request(1, "x")).await;
        let mut server = world.accept(1).await;
        let got = server.recv().await;
        assert_eq!(watched(), 0);
        server.send(&response(got.id, [7; 30_000])).await;
        sleep(ms(100)).await;
        assert_eq!(watched(), 1, "it does not take its response");
        slow.expect(&response(1, [7; 30_000])).await;
        sleep(ms(100)).await;
        assert_eq!(watched(), 0);
    });
}

/// A buffer that many share is freed with the last of them.
#[test]
fn what_waits_for_a_client_does_not_hold_what_it_was_read_with() {
    for mode in MODES {
        run(simple(mode), async |world| {
            let mut client = world.client_with_pipe(10).await;
            client.send(&request(1, "x")).await;
            let mut server = world.accept(1).await;
            let got = server.recv().await;
            server.send(&response(got.id, [7; 30_000])).await;
            world.settle().await;
            let place = || {
                let worker = world.worker.borrow();
                let client = worker.downstreams.values().next().expect("a client");
                client.outbox.parts().map(|part| (part.as_ptr(), part.len())).collect::<Vec<_>>()
            };
            let before = place();
            sleep(ms(1600)).await;
            let after = place();
            let lengths = |parts: &[(_, usize)]| parts.iter().map(|part| part.1).sum::<usize>();
            assert_eq!(lengths(&before), lengths(&after));
            assert_ne!(before.last(), after.last(), "{mode:?}");
            sleep(ms(1600)).await;
            assert_eq!(after, place(), "once is enough");
            client.expect(&response(1, [7; 30_000])).await;
        });
    }
}

#[test]
fn a_client_that_does_not_read_what_the_proxy_itself_answers_is_bounded() {
    for toy in [Toy::default(), Toy { by_order: true, ..Toy::default() }] {
        let snapshot = Snapshot::new().listener(tight(toy)).cluster(cluster(Sharing::Exclusive, 0));
        run(snapshot, async |world| {
            let mut client = world.client_with_pipe(1000).await;
            let calls: Vec<u8> = (0..100_000).flat_map(|n| request(n, "").bytes()).collect();
            let sent = client.send_what_fits(&calls).await;
            assert!(sent < 300_000 && held(world) < MAX_BUFFER, "{sent}, {}", held(world));
            let listener = world.listener();
            assert_eq!(listener.active, 0);
            assert!(listener.started < 2000, "{listener:?}");
            // Those who read get them all.
            for n in 0..listener.started {
                client.expect_error(n as u32, ErrorKind::NoHealthyUpstream).await;
            }
        });
    }
}

#[test]
fn a_large_request_for_an_upstream_that_does_not_read_stops_its_client() {
    for mode in MODES {
        let snapshot = Snapshot::new().listener(tight(Toy::default())).cluster(cluster(mode, 1));
        run(snapshot, async |world| {
            world.upstream_pipe(1000);
            let mut client = world.client().await;
            let calls: Vec<u8> = (0..100).flat_map(|n| request(n, [1; 50_000]).bytes()).collect();
            client.send_what_fits(&calls).await;
            sleep(ms(100)).await;
            // An exclusive connection takes a request each.
            let most = if mode == Sharing::Exclusive { calls.len() } else { 2 * TURN };
            assert!(held(world) < most, "{mode:?}: {} bytes are held", held(world));
            drop(client);
        });
    }
}

#[test]
fn a_frame_that_trickles_in_holds_what_has_come_and_ends_in_time() {
    let mut listener = tight(Toy::default());
    listener.frame_timeout = Some(ms(8000));
    let snapshot = Snapshot::new().listener(listener).cluster(cluster(Sharing::Shared, 1));
    run(snapshot, async |world| {
        let start = Instant::now();
        let mut clients = Vec::new();
        for _ in 0..20 {
            clients.push(world.client().await);
        }
        let frame = request(1, vec![1; 50_000]).bytes();
        let mut came = 0;
        'trickle: for part in frame.chunks(10) {
            for client in &mut clients {
                if client.send_what_fits(part).await < part.len() {
                    break 'trickle;
                }
            }
            came += part.len();
            assert!(held(world) < 20 * (8 * came + 16_384), "{} for {came}", held(world));
            sleep(ms(90)).await;
            if world.listener().frame_timeouts == 20 {
                break;
            }
        }
        assert!(start.elapsed() < ms(9500), "{:?}", start.elapsed());
        assert_eq!((world.listener().frame_timeouts, world.listener().started), (20, 0));
        for client in &mut clients {
            client.expect_closed().await;
        }
        assert_eq!(held(world), 0);
    });
}
