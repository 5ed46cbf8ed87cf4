//! A process that holds too much: who is refused, who is closed, and when it is over.

use metaproto_core::{ErrorKind, Limits};
use tokio::time::{Instant, sleep};

use super::*;
use crate::counters::{Outcome, ProcessCounters};
use crate::model::{Overload, Retry, RetryOn};
use crate::overload::{Load, Process};

/// 80% of it are 160,000 bytes.
const MAX: usize = 200_000;

fn bounded(max_memory: usize) -> Overload {
    Overload { max_memory: Some(max_memory), ..Overload::default() }
}

fn with(mode: Sharing) -> Snapshot {
    simple(mode).overload(bounded(MAX))
}

fn process(world: &World) -> ProcessCounters {
    world.counters().process
}

/// A client that has asked for responses of this many times 5000 bytes, and does not read them.
async fn hoarder(world: &World, server: &mut Option<Peer>, count: u32) -> Peer {
    let mut client = world.client_with_pipe(10).await;
    for id in 1..=count {
        client.send(&request(id, "x")).await;
        let server = match server {
            Some(server) => server,
            None => server.insert(world.accept(1).await),
        };
        let got = server.recv().await;
        server.send(&response(got.id, [9; 5000])).await;
    }
    sleep(ms(20)).await;
    client
}

/// Reads this many responses, and lets the worker look.
async fn read(client: &mut Peer, count: u32) {
    for id in 1..=count {
        client.expect(&response(id, [9; 5000])).await;
    }
    sleep(ms(60)).await;
}

#[test]
fn new_requests_are_refused_and_those_in_flight_are_finished_until_enough_is_free() {
    run(with(Sharing::Shared), async |world| {
        let mut client = world.client().await;
        client.send(&request(1, "before")).await;
        let mut server = world.accept(1).await;
        let before = server.recv().await;
        let mut server = Some(server);
        let mut hoarder = hoarder(world, &mut server, 30).await;
        let mut server = server.expect("accepted");
        assert_eq!((process(world).overload_stage, process(world).overloads), (1, 1));

        client.send_all(&[oneway(2, "dropped"), request(3, "refused")]).await;
        client.expect_error(3, ErrorKind::Overloaded).await;
        server.send(&response(before.id, "done")).await;
        client.expect(&response(1, "done")).await;
        let listener = world.listener();
        assert_eq!((listener.shed, world.cluster().active), (2, 0));
        assert_eq!(world.count(Outcome::Error(ErrorKind::Overloaded)), 2);

        // Less than what it began with is not yet enough.
        read(&mut hoarder, 2).await;
        client.send(&request(4, "still")).await;
        client.expect_error(4, ErrorKind::Overloaded).await;
        for id in 3..=30 {
            hoarder.expect(&response(id, [9; 5000])).await;
        }
        sleep(ms(60)).await;
        client.send(&request(5, "again")).await;
        server.echo().await;
        client.expect(&response(5, "again")).await;
        assert_eq!((process(world).overload_stage, process(world).overloads), (0, 1));
        assert_eq!(world.listener().overload_closed, 0);
    });
}

#[test]
fn who_takes_nothing_for_long_is_closed_so_that_others_are_served() {
    for mode in MODES {
        run(with(mode), async |world| {
            let mut server = None;
            let hoarder = hoarder(world, &mut server, 31).await;
            let start = Instant::now();
            let mut client = world.client().await;
            loop {
                client.send(&request(1, "a")).await;
                let Ok(Some(got)) = client.recv_within(ms(50)).await else { break };
                assert_eq!(error(&got), (1, ErrorKind::Overloaded));
                sleep(ms(100)).await;
            }
            let took = start.elapsed();
            assert!(took > ms(4500) && took < ms(5500), "{mode:?}: {took:?}");
            assert_eq!(world.listener().overload_closed, 1);
            let mut server = match mode {
                Sharing::Bound => world.accept(1).await,
                _ => server.expect("accepted"),
            };
            server.echo().await;
            client.expect(&response(1, "a")).await;
            drop(hoarder);
        });
    }
}

#[test]
fn when_it_is_full_clients_are_refused_and_idle_ones_closed_first() {
    run(with(Sharing::Shared), async |world| {
        let mut idle = Vec::new();
        for _ in 0..5 {
            idle.push(world.client().await);
            sleep(ms(300)).await;
        }
        let mut server = None;
        // With the connections 185,000 bytes: the idle ones make the difference.
        let mut hoarder = hoarder(world, &mut server, 33).await;
        assert_eq!(process(world).overload_stage, 2);
        let mut late = world.client().await;
        late.expect_closed().await;
        assert_eq!(world.listener().connections_refused, 1);
        sleep(ms(1500)).await;
        let closed = world.listener().overload_closed;
        assert!((1..5).contains(&closed), "{closed} are closed");
        for idle in &mut idle[..closed as usize] {
            idle.expect(&Frame::new(toy::GO_AWAY, 0, 0, "")).await;
            idle.expect_closed().await;
        }
        for idle in &mut idle[closed as usize..] {
            idle.expect_silence().await;
        }
        read(&mut hoarder, 33).await;
        let mut client = world.client().await;
        client.send(&request(1, "a")).await;
        server.expect("accepted").echo().await;
        client.expect(&response(1, "a")).await;
    });
}

#[test]
fn when_it_is_full_who_holds_most_is_closed_before_who_holds_less() {
    run(with(Sharing::Shared), async |world| {
        let mut late = world.client_with_pipe(10).await;
        late.send(&request(1, "late")).await;
        let mut server = world.accept(1).await;
        let answer = response(server.recv().await.id, [9; 9000]);
        let mut server = Some(server);
        let small = hoarder(world, &mut server, 3).await;
        let large = hoarder(world, &mut server, 30).await;
        sleep(ms(2000)).await;
        assert_eq!((process(world).overload_stage, world.listener().overload_closed), (1, 0));
        let mut server = server.expect("accepted");
        server.send(&answer).await;
        sleep(ms(60)).await;
        assert_eq!((process(world).overload_stage, world.listener().overload_closed), (0, 1));
        let worker = world.worker.borrow();
        let held: Vec<_> = worker.downstreams.values().map(|client| client.held()).collect();
        assert!(held.len() == 2 && held.iter().all(|held| *held < 20_000), "{held:?}");
        drop((late, small, large));
    });
}

#[test]
fn frames_that_are_begun_and_not_ended_count() {
    let mut listener = listener();
    listener.limits = Limits::max_frame(60_000);
    let snapshot = Snapshot::new().listener(listener).cluster(cluster(Sharing::Shared, 1));
    run(snapshot.overload(bounded(3 * MAX)), async |world| {
        let mut begun = Vec::new();
        // Each keeps the buffer that it was read into.
        for _ in 0..4 {
            let mut client = world.client().await;
            client.send_bytes(&request(1, vec![1; 50_000]).bytes()[..49_000]).await;
            begun.push(client);
        }
        sleep(ms(60)).await;
        assert_eq!(process(world).overload_stage, 1, "{:?}", process(world));
        assert!(world.listener().buffered >= 4 * 128 * 1024);
        sleep(ms(5200)).await;
        assert_eq!((process(world).overload_stage, world.listener().overload_closed), (0, 4));
        for client in &mut begun {
            client.expect_closed().await;
        }
    });
}

#[test]
fn nothing_is_sent_twice_in_an_overload_and_what_is_kept_for_that_counts() {
    let mut retry = Retry::on([RetryOn::Reset]);
    retry.attempts = 3;
    let mut route = Route::to("c");
    route.retry = Some(retry);
    let listener = Listener::new("l", address(100), Arc::new(Toy::default())).route(route);
    let snapshot = Snapshot::new().listener(listener).cluster(cluster(Sharing::Shared, 1));
    run(snapshot.overload(bounded(MAX)), async |world| {
        let mut client = world.client().await;
        let calls: Vec<_> = (0..4).map(|n| request(n, vec![1; 45_000])).collect();
        client.send_all(&calls).await;
        let mut server = world.accept(1).await;
        for _ in &calls {
            server.recv().await;
        }
        sleep(ms(20)).await;
        assert!(world.cluster().buffered >= 180_000, "{:?}", world.cluster());
        assert!(process(world).overload_stage > 0);
        drop(server);
        for _ in &calls {
            assert_eq!(error(&client.recv().await).1, ErrorKind::UpstreamReset);
        }
        assert_eq!((world.cluster().retries, world.cluster().retries_refused), (0, 4));
        assert_eq!(world.cluster().buffered, 0);
    });
}

#[test]
fn another_bound_counts_from_the_next_look_on_and_without_one_there_is_no_overload() {
    run(with(Sharing::Shared), async |world| {
        let mut server = None;
        let mut hoarder = hoarder(world, &mut server, 31).await;
        for (overload, stage) in
            [(bounded(MAX), 1), (bounded(10 * MAX), 0), (bounded(MAX), 1), (Overload::default(), 0)]
        {
            world.apply(simple(Sharing::Shared).overload(overload));
            sleep(ms(60)).await;
            assert_eq!(process(world).overload_stage, stage, "{overload:?}");
        }
        assert!(process(world).held > 150_000, "it is shown all the same");
        read(&mut hoarder, 31).await;
    });
}

#[test]
fn all_listeners_share_the_bound_of_connections() {
    let overload = Overload { max_connections: Some(2), ..Overload::default() };
    run(simple(Sharing::Shared).overload(overload), async |world| {
        let (first, _second) = (world.client().await, world.client().await);
        world.client().await.expect_closed().await;
        assert_eq!((world.listener().connections_refused, process(world).overload_stage), (1, 0));
        drop(first);
        world.settle().await;
        let mut third = world.client().await;
        third.send(&request(1, "a")).await;
        world.accept(1).await.echo().await;
        third.expect(&response(1, "a")).await;
    });
}

#[test]
fn a_worker_that_holds_nothing_learns_that_there_is_no_bound_any_more() {
    run(with(Sharing::Shared), async |world| {
        let process = Arc::new(Process::default());
        let mut other = Load::of(process.clone());
        world.worker.borrow_mut().load = Load::of(process);
        other.tell(2 * MAX);
        sleep(ms(200)).await;
        assert_eq!(self::process(world).overload_stage, 2);
        let mut client = world.client().await;
        client.expect_closed().await;
        world.apply(simple(Sharing::Shared));
        sleep(ms(2000)).await;
        assert_eq!(self::process(world).overload_stage, 0);
        let mut client = world.client().await;
        client.send(&request(1, "a")).await;
        world.accept(1).await.echo().await;
        client.expect(&response(1, "a")).await;
    });
}
