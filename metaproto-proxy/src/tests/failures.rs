//! Upstreams that can't be reached, or go away: who is told what, and who must not notice.

use metaproto_core::ErrorKind;

use super::world::Door;
use super::*;
use crate::counters::Outcome;

fn two(mode: Sharing) -> Snapshot {
    Snapshot::new().listener(listener()).cluster(cluster(mode, 2))
}

#[test]
fn an_upstream_that_goes_fails_its_own_calls_and_no_others() {
    for mode in MODES {
        run(two(mode), async |world| {
            let (mut client, mut other) = (world.client().await, world.client().await);
            client.send(&request(1, "first")).await;
            let mut one = world.accept(1).await;
            one.recv().await;
            other.send(&request(1, "second")).await;
            let mut two = world.accept(2).await;
            let kept = two.recv().await;
            // Part of an answer, and then the end.
            one.send_bytes(&response(1, "half of").bytes()[..9]).await;
            drop(one);
            client.expect_error(1, ErrorKind::UpstreamReset).await;
            other.expect_silence().await;
            two.send(&response(kept.id, "fine")).await;
            other.expect(&response(1, "fine")).await;
            assert_eq!(world.cluster().resets, 1);
            client.send(&request(2, "again")).await;
            if mode == Sharing::Exclusive {
                one = world.accept(1).await;
            } else if let Some(new) = {
                world.settle().await;
                world.try_accept(1)
            } {
                one = new;
            } else {
                one = two;
            }
            one.echo().await;
            client.expect(&response(2, "again")).await;
        });
    }
}

#[test]
fn an_upstream_that_goes_between_calls_is_not_missed() {
    for mode in MODES {
        run(simple(mode), async |world| {
            let mut client = world.client().await;
            for n in 0..3 {
                client.send(&request(n, "a")).await;
                let mut server = world.accept(1).await;
                server.echo().await;
                client.expect(&response(n, "a")).await;
                drop(server);
                world.settle().await;
            }
            assert_eq!(world.cluster().resets, 0);
        });
    }
}

#[test]
fn what_can_not_be_connected_to_is_passed_over() {
    for mode in MODES {
        run(two(mode), async |world| {
            world.door(1, Door::Refuse);
            let mut client = world.client().await;
            client.send_all(&[request(1, "a"), request(2, "b"), oneway(3, "c")]).await;
            let mut got = Vec::new();
            let mut servers = Vec::new();
            while got.len() < 3 {
                world.settle().await;
                servers.extend(world.try_accept(2));
                for server in &mut servers {
                    got.extend(server.echo_all(ms(5)).await);
                }
            }
            let mut answers = [client.recv().await, client.recv().await];
            answers.sort();
            assert_eq!(answers, [response(1, "a"), response(2, "b")]);
            assert!(world.cluster().redispatched > 0 && world.cluster().connect_failures > 0);
            client.expect_silence().await;
        });
    }
}

#[test]
fn when_nothing_can_be_connected_to_the_caller_is_told() {
    for mode in MODES {
        run(two(mode), async |world| {
            world.door(1, Door::Refuse);
            world.door(2, Door::Refuse);
            let mut client = world.client().await;
            client.send(&oneway(1, "nobody waits")).await;
            for n in 2..5 {
                client.send(&request(n, "a")).await;
                client.expect_error(n, ErrorKind::ConnectionFailure).await;
            }
            client.expect_silence().await;
            assert_eq!(world.count(Outcome::Error(ErrorKind::ConnectionFailure)), 4);
            // A cluster that comes back is found at once.
            world.door(1, Door::Open);
            world.door(2, Door::Open);
            client.send(&request(9, "b")).await;
            world.settle().await;
            let mut server = world.try_accept(1).or_else(|| world.try_accept(2)).unwrap();
            server.echo().await;
            client.expect(&response(9, "b")).await;
        });
    }
}

#[test]
fn an_endpoint_that_does_not_answer_a_connect_is_given_up_in_time() {
    for mode in MODES {
        run(two(mode), async |world| {
            world.door(1, Door::Hang);
            let mut client = world.client().await;
            let start = tokio::time::Instant::now();
            client.send(&request(1, "a")).await;
            let mut server = world.accept(2).await;
            assert_eq!(start.elapsed().as_millis(), 1000, "the default connect timeout");
            server.echo().await;
            client.expect(&response(1, "a")).await;
        });
    }
}

#[test]
fn a_call_whose_time_is_up_before_there_is_a_connection_is_told() {
    for mode in MODES {
        run(simple(mode), async |world| {
            world.door(1, Door::Hang);
            let mut client = world.client().await;
            client.send(&Frame { code: 10, ..request(1, "a") }).await;
            client.expect_error(1, ErrorKind::Timeout).await;
            world.door(1, Door::Open);
        });
    }
}

#[test]
fn an_empty_cluster_and_a_missing_route_are_said_in_the_protocol() {
    use crate::model::Predicate;
    let route = Route::to("c").when("to", Predicate::Exact("1".into()));
    let listener = Listener::new("l", address(100), Arc::new(Toy::default())).route(route);
    let snapshot = Snapshot::new().listener(listener).cluster(cluster(Sharing::Shared, 0));
    run(snapshot, async |world| {
        let mut client = world.client().await;
        client.send(&request(5, [1])).await;
        client.expect_error(5, ErrorKind::NoHealthyUpstream).await;
        client.send(&request(6, [2])).await;
        client.expect_error(6, ErrorKind::RouteNotFound).await;
        client.send_all(&[oneway(7, [1]), oneway(8, [2])]).await;
        client.expect_silence().await;
        assert_eq!(world.listener().completed.total(), 4);
    });
}

#[test]
fn where_errors_have_no_words_the_connection_ends_after_the_other_answers() {
    let listener = listener_of(Toy { mute: true, ..Toy::default() });
    let snapshot = Snapshot::new().listener(listener).cluster(cluster(Sharing::Shared, 1));
    run(snapshot, async |world| {
        let mut client = world.client().await;
        client.send(&request(1, "answered")).await;
        let mut server = world.accept(1).await;
        let got = server.recv().await;
        client.send(&Frame { code: 1, ..request(2, "times out") }).await;
        server.recv().await;
        tokio::time::sleep(ms(50)).await;
        server.send(&response(got.id, "yes")).await;
        client.expect(&response(1, "yes")).await;
        client.expect_closed().await;
    });
}

/// One late call may just be slow. After a few, with not a byte in between, the connection is as good as
/// gone, although nobody has closed it.
#[test]
fn a_connection_that_is_dead_and_not_closed_is_replaced() {
    for mode in [Sharing::Shared, Sharing::Bound] {
        run(simple(mode), async |world| {
            let mut client = world.client().await;
            client.send(&request(0, "a")).await;
            let mut hole = world.accept(1).await;
            for n in 1..4 {
                hole.recv().await;
                client.expect_error(n - 1, ErrorKind::Timeout).await;
                client.send(&request(n, "b")).await;
            }
            world.accept(1).await.echo().await;
            client.expect(&response(3, "b")).await;
        });
    }
}
