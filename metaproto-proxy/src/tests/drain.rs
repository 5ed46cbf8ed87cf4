//! The gentle end of a worker.

use metaproto_core::ErrorKind;
use tokio::time::Instant;

use super::world::Door;
use super::*;

const LONG: Duration = Duration::from_secs(10);

fn go_away() -> Frame {
    Frame::new(toy::GO_AWAY, 0, 0, "")
}

#[test]
fn what_is_in_flight_finishes_and_what_is_idle_is_closed() {
    for mode in MODES {
        run(simple(mode), async |world| {
            let (mut idle, mut busy) = (world.client().await, world.client().await);
            busy.send(&request(1, "a")).await;
            let mut server = world.accept(1).await;
            let got = server.recv().await;
            tokio::time::sleep(ms(1000)).await;
            let start = Instant::now();
            world.drain(LONG);
            idle.expect(&go_away()).await;
            idle.expect_closed().await;
            assert!(start.elapsed() < ms(200));
            busy.expect(&go_away()).await;
            tokio::time::sleep(ms(2000)).await;
            server.send(&response(got.id, "done")).await;
            busy.expect(&response(1, "done")).await;
            busy.expect_closed().await;
            drop((idle, busy));
            world.ended().await;
            assert!(start.elapsed() < ms(2200));
        });
    }
}

#[test]
fn a_client_that_has_just_connected_can_make_its_call() {
    run(simple(Sharing::Shared), async |world| {
        let (mut late, mut never) = (world.client().await, world.client().await);
        let start = Instant::now();
        world.drain(LONG);
        late.expect(&go_away()).await;
        never.expect(&go_away()).await;
        tokio::time::sleep(ms(800)).await;
        late.send(&request(1, "a")).await;
        let mut server = world.accept(1).await;
        server.echo().await;
        late.expect(&response(1, "a")).await;
        late.expect_closed().await;
        assert!(start.elapsed() < ms(1000));
        never.expect_closed().await;
        drop((late, never));
        world.ended().await;
        assert!(start.elapsed() < ms(1200));
    });
}

#[test]
fn a_request_that_comes_while_the_worker_is_stopped_is_answered() {
    run(simple(Sharing::Shared), async |world| {
        let mut client = world.client().await;
        client.send(&request(1, "a")).await;
        let mut server = world.accept(1).await;
        server.echo().await;
        client.expect(&response(1, "a")).await;
        world.drain(LONG);
        client.expect(&go_away()).await;
        world.settle().await;
        // The clock goes on without the worker, which looks at the time before it reads.
        tokio::time::advance(ms(500)).await;
        client.send(&request(2, "b")).await;
        server.echo().await;
        client.expect(&response(2, "b")).await;
        client.expect_closed().await;
    });
}

#[test]
fn a_client_far_away_is_not_let_go_while_its_next_request_travels() {
    run(simple(Sharing::Shared), async |world| {
        let mut client = world.client().await;
        client.send(&request(0, "a")).await;
        let mut server = world.accept(1).await;
        server.echo().await;
        client.recv().await;
        world.drain(LONG);
        client.expect(&go_away()).await;
        for n in 1..10 {
            tokio::time::sleep(ms(80)).await;
            client.send(&request(n, "a")).await;
            server.echo().await;
            client.expect(&response(n, "a")).await;
        }
        client.expect_closed().await;
    });
}

#[test]
fn a_client_that_is_never_silent_is_let_go_between_two_calls() {
    run(simple(Sharing::Shared), async |world| {
        let mut client = world.client().await;
        client.send(&request(0, "a")).await;
        let mut server = world.accept(1).await;
        server.echo().await;
        client.recv().await;
        world.drain(LONG);
        client.expect(&go_away()).await;
        let start = Instant::now();
        let mut answered = 0;
        for n in 1.. {
            client.send(&request(n, "a")).await;
            let Ok(Some(got)) = server.recv_within(ms(50)).await else { break };
            tokio::time::sleep(ms(3)).await;
            server.send(&response(got.id, "a")).await;
            client.expect(&response(n, "a")).await;
            answered += 1;
        }
        client.expect_closed().await;
        assert!(answered > 100 && start.elapsed() < ms(1500));
        drop(client);
        world.ended().await;
    });
}

#[test]
fn new_calls_are_refused_half_way_and_old_ones_told_before_the_deadline() {
    run(simple(Sharing::Shared), async |world| {
        let mut client = world.client().await;
        client.send(&Frame { code: 200, ..request(1, "for ever") }).await;
        let mut server = world.accept(1).await;
        server.recv().await;
        let start = Instant::now();
        world.drain(ms(1000));
        client.expect(&go_away()).await;
        tokio::time::sleep(ms(510)).await;
        client.send(&request(2, "late")).await;
        client.expect_error(2, ErrorKind::Draining).await;
        client.expect_error(1, ErrorKind::Draining).await;
        client.expect_closed().await;
        world.ended().await;
        let took = start.elapsed();
        assert!(took >= ms(900) && took <= ms(1030), "{took:?}");
    });
}

#[test]
fn a_worker_without_clients_ends_at_once_and_a_second_drain_changes_nothing() {
    run(simple(Sharing::Shared), async |world| {
        world.drain(LONG);
        world.drain(Duration::MAX);
        world.ended().await;
    });
    run(simple(Sharing::Shared), async |world| {
        let client = world.client().await;
        world.drain(Duration::MAX);
        drop(client);
        world.ended().await;
    });
}

#[test]
fn oneway_requests_on_their_way_are_delivered_before_the_end() {
    for mode in MODES {
        run(simple(mode), async |world| {
            world.upstream_pipe(16);
            let mut client = world.client().await;
            client.send(&oneway(1, "a message that does not fit the pipe")).await;
            drop(client);
            world.settle().await;
            world.drain(LONG);
            let mut server = world.accept(1).await;
            let ended = world.worker.borrow().ended.clone();
            let early = tokio::time::timeout(ms(200), ended.notified()).await;
            assert!(early.is_err(), "the worker ended with bytes unsent");
            assert_eq!(server.recv().await.body, b"a message that does not fit the pipe");
            world.ended().await;
        });
    }
}

#[test]
fn a_drain_does_not_wait_for_upstreams_that_nobody_waits_for() {
    run(simple(Sharing::Shared), async |world| {
        world.door(1, Door::Hang);
        let mut client = world.client().await;
        client.send(&oneway(1, "never sent")).await;
        drop(client);
        world.settle().await;
        let start = Instant::now();
        world.drain(LONG);
        world.ended().await;
        assert!(start.elapsed() < ms(1100), "{:?}", start.elapsed());
        assert_eq!(world.listener().completed.total(), 1);
    });
}
