//! Timeouts, and the memory of those who rest.

use metaproto_core::ErrorKind;
use tokio::time::{Instant, sleep};

use super::*;

fn with(mode: Sharing, change: impl FnOnce(&mut Listener, &mut Cluster)) -> Snapshot {
    let (mut listener, mut cluster) = (listener(), cluster(mode, 1));
    change(&mut listener, &mut cluster);
    Snapshot::new().listener(listener).cluster(cluster)
}

#[test]
fn a_request_times_out_within_20_ms_of_its_time() {
    for mode in MODES {
        for timeout in [0, 1, 10, 55, 1234] {
            let route = Route::to("c").timeout(ms(timeout));
            let snapshot = with(mode, |listener, _| listener.routes = vec![Arc::new(route)]);
            run(snapshot, async |world| {
                let mut client = world.client().await;
                for n in 0..3 {
                    sleep(ms(1777)).await;
                    let start = Instant::now();
                    client.send(&request(n, "a")).await;
                    client.expect_error(n, ErrorKind::Timeout).await;
                    let late = start.elapsed().saturating_sub(ms(timeout));
                    assert!(start.elapsed() >= ms(timeout) && late <= ms(20), "{late:?}");
                }
            });
        }
    }
}

#[test]
fn the_shorter_of_the_timeouts_of_route_and_request_counts() {
    let route = Route::to("c").timeout(ms(100));
    let snapshot = with(Sharing::Shared, |listener, _| listener.routes = vec![Arc::new(route)]);
    run(snapshot, async |world| {
        let mut client = world.client().await;
        for (code, expected) in [(5, 50), (0, 100), (200, 100)] {
            let start = Instant::now();
            client.send(&Frame { code, ..request(1, "a") }).await;
            client.expect_error(1, ErrorKind::Timeout).await;
            let late = start.elapsed().saturating_sub(ms(expected));
            assert!(start.elapsed() >= ms(expected) && late <= ms(20), "{:?}", start.elapsed());
        }
    });
}

#[test]
fn a_request_without_any_time_left_is_answered_at_once_and_not_sent() {
    for mode in MODES {
        run(simple(mode), async |world| {
            let mut client = world.client().await;
            let start = Instant::now();
            client.send(&Frame { code: 255, ..request(1, "a") }).await;
            client.expect_error(1, ErrorKind::Timeout).await;
            assert_eq!(start.elapsed(), ms(0));
            assert_eq!((world.cluster().requests, world.cluster().connections), (0, 0));
            client.send(&request(2, "b")).await;
            world.accept(1).await.echo().await;
            client.expect(&response(2, "b")).await;
        });
    }
}

#[test]
fn a_client_that_only_pings_is_not_idle() {
    let snapshot = with(Sharing::Shared, |listener, _| listener.idle_timeout = Some(ms(2000)));
    run(snapshot, async |world| {
        let mut client = world.client().await;
        for n in 0..10 {
            sleep(ms(1500)).await;
            client.send(&Frame::new(toy::PING, n, 0, "")).await;
            client.expect(&Frame::new(toy::PONG, n, 0, "")).await;
        }
        let start = Instant::now();
        client.expect_closed().await;
        assert!(start.elapsed() >= ms(2000) && start.elapsed() <= ms(2300));
    });
}

#[test]
fn without_a_timeout_a_call_waits_for_hours() {
    let mut route = Route::to("c");
    route.timeout = None;
    for mode in MODES {
        let snapshot = with(mode, |listener, cluster| {
            listener.routes = vec![Arc::new(route.clone())];
            cluster.keepalive = Keepalive::Off;
        });
        run(snapshot, async |world| {
            let mut client = world.client().await;
            client.send(&request(1, "a")).await;
            let mut server = world.accept(1).await;
            let got = server.recv().await;
            sleep(Duration::from_secs(1800)).await;
            server.send(&response(got.id, "at last")).await;
            client.expect(&response(1, "at last")).await;
        });
    }
}

#[test]
fn an_idle_client_is_closed_and_one_with_a_call_in_flight_is_spared() {
    for mode in MODES {
        let snapshot = with(mode, |listener, _| listener.idle_timeout = Some(ms(2000)));
        run(snapshot, async |world| {
            let start = Instant::now();
            let (mut idle, mut busy) = (world.client().await, world.client().await);
            busy.send(&request(1, "a")).await;
            let mut server = world.accept(1).await;
            let got = server.recv().await;
            idle.expect_closed().await;
            let took = start.elapsed();
            assert!(took >= ms(2000) && took <= ms(2300), "{took:?}");
            sleep(ms(5000)).await;
            server.send(&response(got.id, "done")).await;
            busy.expect(&response(1, "done")).await;
            let start = Instant::now();
            busy.expect_closed().await;
            assert!(start.elapsed() >= ms(2000));
            assert_eq!(world.listener().idle_timeouts, 2);
        });
    }
}

#[test]
fn an_idle_upstream_connection_is_closed_and_a_busy_one_is_spared() {
    for mode in [Sharing::Shared, Sharing::Exclusive] {
        let snapshot = with(mode, |_, cluster| cluster.idle_timeout = Some(ms(2000)));
        run(snapshot, async |world| {
            let mut client = world.client().await;
            client.send(&request(1, "a")).await;
            let mut server = world.accept(1).await;
            let got = server.recv().await;
            sleep(ms(5000)).await;
            server.send(&response(got.id, "done")).await;
            client.expect(&response(1, "done")).await;
            let start = Instant::now();
            server.expect_closed().await;
            let took = start.elapsed();
            assert!(took >= ms(2000) && took <= ms(2300), "{took:?}");
            client.send(&request(2, "b")).await;
            world.accept(1).await.echo().await;
            client.expect(&response(2, "b")).await;
        });
    }
}

#[test]
fn an_upstream_connection_with_a_call_now_and_then_is_not_idle() {
    for mode in [Sharing::Shared, Sharing::Exclusive] {
        let snapshot = with(mode, |_, cluster| cluster.idle_timeout = Some(ms(2000)));
        run(snapshot, async |world| {
            let mut client = world.client().await;
            client.send(&request(0, "a")).await;
            let mut server = world.accept(1).await;
            server.echo().await;
            for n in 0..5 {
                sleep(ms(1500)).await;
                client.send(&request(n, "two-way")).await;
                server.echo().await;
            }
            for n in 0..5 {
                sleep(ms(1500)).await;
                client.send(&oneway(n, "one-way")).await;
                server.recv().await;
            }
            sleep(ms(1500)).await;
            // A call that got no answer in time was a call until then.
            client.send(&Frame { code: 250, ..request(0, "lost") }).await;
            server.recv().await;
            let start = Instant::now();
            server.expect_closed().await;
            let expected = if mode == Sharing::Shared { ms(4500) } else { ms(2500) };
            let took = start.elapsed();
            assert!(took + ms(300) >= expected && took <= expected + ms(300), "{took:?}");
            assert_eq!(world.cluster().connections, 1);
        });
    }
}

#[test]
fn a_response_that_never_comes_keeps_no_connection_open() {
    let snapshot = with(Sharing::Shared, |_, cluster| cluster.idle_timeout = Some(ms(2000)));
    run(snapshot, async |world| {
        let mut client = world.client().await;
        client.send(&Frame { code: 1, ..request(1, "lost") }).await;
        let mut server = world.accept(1).await;
        server.recv().await;
        client.expect_error(1, ErrorKind::Timeout).await;
        server.expect_closed().await;
    });
}

#[test]
fn short_idle_timeouts_are_kept_and_endless_ones_are_no_fault() {
    let snapshot = with(Sharing::Shared, |listener, cluster| {
        listener.idle_timeout = Some(ms(100));
        cluster.idle_timeout = Some(Duration::MAX);
    });
    run(snapshot, async |world| {
        let mut client = world.client().await;
        client.send(&request(1, "a")).await;
        let mut server = world.accept(1).await;
        server.echo().await;
        client.expect(&response(1, "a")).await;
        let start = Instant::now();
        client.expect_closed().await;
        assert!(start.elapsed() <= ms(150), "{:?}", start.elapsed());
        sleep(ms(5000)).await;
        server.expect_silence().await;
    });
    let snapshot = with(Sharing::Shared, |listener, cluster| {
        listener.idle_timeout = Some(Duration::MAX);
        cluster.connect_timeout = Duration::MAX;
    });
    run(snapshot, async |world| {
        let mut client = world.client().await;
        client.send(&request(1, "a")).await;
        world.accept(1).await.echo().await;
        client.expect(&response(1, "a")).await;
        sleep(ms(5000)).await;
        client.expect_silence().await;
    });
}

#[test]
fn connections_that_rest_give_their_memory_back() {
    for mode in MODES {
        run(simple(mode), async |world| {
            let mut client = world.client().await;
            let calls: Vec<_> = (0..20).map(|n| request(n, [0; 7000])).collect();
            client.send_all(&calls).await;
            client.send_bytes(&request(1, "tail").bytes()[..5]).await;
            world.settle().await;
            let mut servers = Vec::new();
            let mut answered = 0;
            while answered < 20 {
                servers.extend(world.try_accept(1));
                for server in &mut servers {
                    answered += server.echo_all(ms(1)).await.len();
                }
            }
            for _ in 0..20 {
                client.recv().await;
            }
            sleep(ms(3000)).await;
            let mut worker = world.worker.borrow_mut();
            let worker = &mut *worker;
            for client in worker.downstreams.values_mut() {
                assert_eq!(client.outbox.tail().capacity(), 0);
                assert!(client.inbound.held() <= 8192);
            }
            for upstream in worker.upstreams.values_mut() {
                assert_eq!(upstream.outbox.tail().capacity(), 0);
                assert_eq!(upstream.inbound.held(), 0);
            }
        });
    }
}
