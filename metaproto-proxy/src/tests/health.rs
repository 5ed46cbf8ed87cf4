//! Endpoints that are checked, call or no call.

use metaproto_core::ErrorKind;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::sleep;

use super::toy::{BAD, CORRUPT, GO_AWAY, PING, PLAIN_PONG, PONG, RESPONSE};
use super::world::Door;
use super::*;
use crate::filter::FilterFactories;
use crate::health::{self, Health};
use crate::model::{Check, HealthCheck};
use crate::reload;
use crate::worker::{Command, SharedWorker, Worker};

const INTERVAL: Duration = ms(1000);
const TIMEOUT: Duration = ms(200);
const TCP: Check = Check::Tcp { port: None };

/// Every second, two that pass, three that fail.
fn policy(check: Check) -> HealthCheck {
    HealthCheck { interval: INTERVAL, timeout: TIMEOUT, ..HealthCheck::new(check) }
}

fn with(endpoints: u8, policy: HealthCheck) -> Snapshot {
    with_toy(Toy::default(), endpoints, policy)
}

fn with_toy(toy: Toy, endpoints: u8, policy: HealthCheck) -> Snapshot {
    Snapshot::new().listener(listener_of(toy)).cluster(checked(endpoints, policy))
}

fn checked(endpoints: u8, policy: HealthCheck) -> Cluster {
    let mut cluster = cluster(Sharing::Shared, endpoints);
    (cluster.health_check, cluster.panic_threshold) = (Some(policy), 0);
    cluster
}

/// Lets as many checks of each endpoint come as there are intervals.
async fn intervals(count: u32) {
    sleep(INTERVAL * count).await;
}

/// How many endpoints of `c` are healthy, and how many are not.
fn counted(world: &World) -> (u64, u64) {
    (world.cluster().endpoints_healthy, world.cluster().endpoints_unhealthy)
}

/// How many have connected to the n-th endpoint since the last look; lets go of them.
fn arrived(world: &World, n: u8) -> usize {
    std::iter::from_fn(|| world.try_accept(n)).count()
}

/// Takes the next ping, which nothing else may come before.
async fn ping(server: &mut Peer) -> Frame {
    let frame = server.recv().await;
    assert_eq!(frame.kind, PING, "{frame:?}");
    frame
}

#[test]
fn an_endpoint_that_refuses_connections_leaves_and_comes_back() {
    run(with(2, policy(TCP)), async |world| {
        let mut client = world.client().await;
        client.send_all(&[request(1, "a"), request(2, "b")]).await;
        let mut servers = [world.accept(1).await, world.accept(2).await];
        for server in &mut servers {
            server.echo().await;
            client.recv().await;
        }
        world.door(1, Door::Refuse);
        intervals(2).await;
        assert_eq!(counted(world), (2, 0));
        intervals(2).await;
        assert_eq!(counted(world), (1, 1));
        // The connection that it still has is not used.
        for id in 1..10 {
            client.send(&request(id, "a")).await;
            servers[1].echo().await;
            client.recv().await;
        }
        world.door(1, Door::Open);
        intervals(1).await;
        assert_eq!(counted(world), (1, 1));
        intervals(2).await;
        assert_eq!(counted(world), (2, 0));
        client.send_all(&[request(1, "a"), request(2, "b")]).await;
        for server in &mut servers {
            server.echo().await;
            client.recv().await;
        }
        let counters = world.cluster();
        assert!(counters.health_check_failures >= 3);
        assert!(counters.health_checks >= 2 * 7 - 2, "{counters:?}");
        assert_eq!((counters.connections, counters.connect_failures), (2, 0));
    });
}

#[test]
fn an_endpoint_that_does_not_answer_in_time_fails() {
    run(with(1, policy(TCP)), async |world| {
        world.door(1, Door::Hang);
        intervals(4).await;
        assert_eq!(counted(world), (0, 1));
        let mut client = world.client().await;
        client.send(&request(1, "a")).await;
        client.expect_error(1, ErrorKind::NoHealthyUpstream).await;
    });
}

#[test]
fn single_failures_and_single_successes_change_nothing() {
    let policy = HealthCheck { healthy_after: 3, ..policy(TCP) };
    run(with(1, policy), async |world| {
        // Each stays for one or two checks.
        for _ in 0..5 {
            world.door(1, Door::Refuse);
            intervals(1).await;
            world.door(1, Door::Open);
            intervals(1).await;
            assert_eq!(counted(world), (1, 0));
        }
        world.door(1, Door::Refuse);
        intervals(4).await;
        for _ in 0..5 {
            world.door(1, Door::Open);
            intervals(1).await;
            world.door(1, Door::Refuse);
            intervals(1).await;
            assert_eq!(counted(world), (0, 1));
        }
    });
}

#[test]
fn endpoints_are_not_checked_all_at_once_and_all_within_the_interval() {
    run(with(90, policy(TCP)), async |world| {
        let mut most = 0;
        for part in 0..10 {
            let before = world.cluster().health_checks;
            sleep(INTERVAL / 10).await;
            most = most.max(world.cluster().health_checks - before);
            assert!(part < 9 || world.cluster().health_checks >= 80);
        }
        assert!(most < 60, "{most} of 90 checks in a tenth of the interval");
        sleep(ms(1)).await;
        assert!((1..=90).all(|n| arrived(world, n) > 0));
    });
}

#[test]
fn another_port_can_be_checked_instead() {
    let policy = policy(Check::Tcp { port: Some(7) });
    run(with(1, policy), async |world| {
        world.door(1, Door::Refuse);
        intervals(5).await;
        assert_eq!(counted(world), (1, 0));
        assert_eq!(world.cluster().health_check_failures, 0);
    });
}

#[test]
fn the_panic_threshold_holds_for_unhealthy_endpoints() {
    let mut cluster = checked(2, policy(TCP));
    cluster.panic_threshold = 60;
    run(Snapshot::new().listener(listener()).cluster(cluster), async |world| {
        let mut client = world.client().await;
        client.send_all(&[request(1, "a"), request(2, "b")]).await;
        let mut servers = [world.accept(1).await, world.accept(2).await];
        for server in &mut servers {
            server.echo().await;
            client.recv().await;
        }
        world.door(1, Door::Refuse);
        intervals(4).await;
        assert_eq!(counted(world), (1, 1));
        client.send_all(&[request(1, "a"), request(2, "b")]).await;
        for server in &mut servers {
            server.echo().await;
            client.recv().await;
        }
        assert_eq!(world.cluster().panicked, 2);
    });
}

#[test]
fn an_endpoint_that_passes_again_is_used_at_once_however_often_it_could_not_be_connected_to() {
    let mut cluster = checked(1, policy(TCP));
    cluster.panic_threshold = 1;
    run(Snapshot::new().listener(listener()).cluster(cluster.clone()), async |world| {
        world.door(1, Door::Refuse);
        let mut client = world.client().await;
        // Each failure leaves it out for twice as long: at last for half a minute.
        for _ in 0..6 {
            client.send(&request(1, "a")).await;
            client.expect_error(1, ErrorKind::ConnectionFailure).await;
            sleep(ms(31_000)).await;
        }
        client.send(&request(1, "a")).await;
        client.expect_error(1, ErrorKind::ConnectionFailure).await;
        world.door(1, Door::Open);
        intervals(3).await;
        arrived(world, 1);
        cluster.panic_threshold = 0;
        world.apply(Snapshot::new().listener(listener()).cluster(cluster));
        client.send(&request(1, "a")).await;
        world.accept(1).await.echo().await;
        client.recv().await;
    });
}

#[test]
fn pings_go_over_one_connection_that_is_kept_however_they_are_answered() {
    for (by_order, kinds) in
        [(false, &[PONG, PLAIN_PONG, RESPONSE, BAD][..]), (true, &[PONG, PLAIN_PONG, RESPONSE])]
    {
        for kind in kinds {
            let toy = Toy { by_order, ..Toy::default() };
            let mut snapshot = with_toy(toy, 1, policy(Check::Ping));
            let mut cluster = Cluster::clone(&snapshot.clusters["c"]);
            cluster.sharing = Some(Sharing::Exclusive);
            snapshot = snapshot.cluster(cluster);
            run(snapshot, async |world| {
                let mut server = world.accept(1).await;
                let mut last = None;
                for _ in 0..20 {
                    let got = ping(&mut server).await;
                    assert!(by_order || last != Some(got.id), "an id twice in a row");
                    last = Some(got.id);
                    server.send(&Frame::new(*kind, got.id, 0, "")).await;
                }
                world.settle().await;
                assert_eq!(world.cluster().health_checks, 20);
                assert_eq!(world.cluster().health_check_failures, 0);
                assert_eq!(arrived(world, 1), 0);
            });
        }
    }
}

#[test]
fn a_ping_that_is_not_answered_fails_and_the_next_goes_over_another_connection() {
    run(with(1, policy(Check::Ping)), async |world| {
        for _ in 0..3 {
            assert_eq!(counted(world), (1, 0));
            let mut server = world.accept(1).await;
            let got = ping(&mut server).await;
            // Of another ping, or of none.
            server.send(&Frame::new(PONG, got.id + 1, 0, "")).await;
            server.send(&Frame::new(RESPONSE, got.id + 1, 0, "")).await;
            server.expect_closed().await;
            world.settle().await;
        }
        assert_eq!(counted(world), (0, 1));
        for passed in [0, 1] {
            assert_eq!(counted(world), (passed / 2, 1));
            let mut server = world.accept(1).await;
            let got = ping(&mut server).await;
            server.send(&Frame::new(PONG, got.id, 0, "")).await;
            world.settle().await;
            // It ends between two checks, which is no fault.
        }
        assert_eq!(counted(world), (1, 0));
        assert_eq!(world.cluster().health_checks, 5);
    });
}

#[test]
fn what_is_not_of_the_protocol_is_a_failure() {
    for bytes in
        [Frame::new(CORRUPT, 1, 0, "").bytes(), vec![0, 1], Frame::new(GO_AWAY, 1, 0, "").bytes()]
    {
        let policy = HealthCheck { unhealthy_after: 1, ..policy(Check::Ping) };
        run(with(1, policy), async |world| {
            let mut server = world.accept(1).await;
            ping(&mut server).await;
            server.send_bytes(&bytes).await;
            server.expect_closed().await;
            assert_eq!(counted(world), (0, 1));
        });
    }
}

#[test]
fn pings_of_the_endpoint_are_answered_meanwhile() {
    run(with(1, policy(Check::Ping)), async |world| {
        let mut server = world.accept(1).await;
        let got = ping(&mut server).await;
        server.send(&Frame::new(PING, 77, 0, "")).await;
        server.expect(&Frame::new(PONG, 77, 0, "")).await;
        server.send(&Frame::new(PONG, got.id, 0, "")).await;
        world.settle().await;
        assert_eq!((world.cluster().health_checks, world.cluster().health_check_failures), (1, 0));
    });
}

#[test]
fn a_reload_keeps_the_health_of_endpoints_that_stay() {
    run(with(2, policy(TCP)), async |world| {
        world.door(1, Door::Refuse);
        intervals(4).await;
        assert_eq!(counted(world), (1, 1));
        // Other settings, another kind of check, a further endpoint.
        let slow = HealthCheck { interval: ms(600_000), ..policy(Check::Ping) };
        world.apply(with(3, slow));
        assert_eq!(counted(world), (2, 1));
        let mut client = world.client().await;
        arrived(world, 2);
        for id in 1..10 {
            client.send(&request(id, "a")).await;
        }
        for n in [2, 3] {
            let served = world.accept(n).await.echo_all(ms(50)).await;
            assert!(served.len() >= 4);
        }
        world.door(1, Door::Open);
        intervals(30).await;
        assert_eq!(counted(world), (2, 1));
        // New settings count from now on.
        world.apply(with(3, policy(TCP)));
        intervals(3).await;
        assert_eq!(counted(world), (3, 0));
    });
}

#[test]
fn endpoints_that_have_gone_are_checked_no_more_and_come_back_as_new() {
    run(with(2, policy(TCP)), async |world| {
        world.door(2, Door::Refuse);
        intervals(4).await;
        assert_eq!(counted(world), (1, 1));
        world.apply(with(1, policy(TCP)));
        assert_eq!(counted(world), (1, 0));
        let failures = world.cluster().health_check_failures;
        intervals(4).await;
        assert_eq!(world.cluster().health_check_failures, failures);
        world.apply(with(2, policy(TCP)));
        assert_eq!(counted(world), (2, 0));
        intervals(4).await;
        assert_eq!(counted(world), (1, 1));
        // Without checks nothing is known.
        let mut cluster = cluster(Sharing::Shared, 2);
        cluster.panic_threshold = 0;
        world.apply(Snapshot::new().listener(listener()).cluster(cluster));
        assert_eq!(counted(world), (0, 0));
        world.door(2, Door::Open);
        let mut client = world.client().await;
        client.send_all(&[request(1, "a"), request(2, "b")]).await;
        arrived(world, 1);
        world.accept(2).await.echo().await;
    });
}

#[test]
fn subsets_that_come_later_know_the_health_of_their_endpoints() {
    run(with(2, policy(TCP)), async |world| {
        world.door(1, Door::Refuse);
        intervals(4).await;
        let mut labelled = checked(2, policy(TCP));
        for endpoint in &mut labelled.endpoints {
            endpoint.labels.insert("zone".to_owned(), "a".to_owned());
        }
        let mut listener = listener();
        let subset = labelled.endpoints[0].labels.clone();
        Arc::make_mut(&mut listener.routes[0]).clusters[0].subset = subset;
        world.apply(Snapshot::new().listener(listener).cluster(labelled));
        arrived(world, 2);
        world.door(1, Door::Open);
        let mut client = world.client().await;
        client.send_all(&[request(1, "a"), request(2, "b")]).await;
        world.settle().await;
        let served = std::iter::from_fn(|| world.try_accept(2)).last();
        assert_eq!(served.expect("a connection").echo_all(ms(50)).await.len(), 2);
    });
}

#[test]
fn a_drain_ends_the_checks() {
    run(with(1, policy(TCP)), async |world| {
        intervals(3).await;
        let checks = world.cluster().health_checks;
        assert!(checks >= 2);
        let _client = world.client().await;
        world.drain(ms(30_000));
        intervals(10).await;
        assert_eq!(world.cluster().health_checks, checks);
    });
}

struct Inbox {
    inbox: UnboundedReceiver<Command>,
    _sender: UnboundedSender<Command>,
}

/// A worker beside that of the world, which does not check, and its inbox.
fn follower(world: &World) -> (SharedWorker, Inbox) {
    let (own, _) = unbounded_channel();
    let (others, inbox) = unbounded_channel();
    let both = Health::shared(&[own, others.clone()]);
    let [first, second] = <[Health; 2]>::try_from(both).expect("one for each");
    let connector = world.worker.borrow().connector.clone();
    let follower = Worker::new(connector, FilterFactories::default().build());
    world.worker.borrow_mut().health = first;
    follower.borrow_mut().health = second;
    // Those who hold the inbox of a worker keep it open.
    (follower, Inbox { inbox, _sender: others })
}

#[test]
fn workers_that_do_not_check_learn_of_it_by_command_and_with_each_snapshot() {
    run(Snapshot::new().listener(listener()).cluster(cluster(Sharing::Shared, 2)), async |world| {
        let (follower, mut inbox) = follower(world);
        let apply = |snapshot: Snapshot| {
            world.apply(snapshot.clone());
            reload::apply(&follower, Arc::new(snapshot), Vec::new());
        };
        let usable = || {
            let worker = follower.borrow();
            worker.endpoints.values().filter(|endpoint| endpoint.is_usable(worker.now)).count()
        };
        apply(with(2, policy(TCP)));
        world.door(1, Door::Refuse);
        intervals(4).await;
        assert_eq!((counted(world), usable()), ((1, 1), 2));
        assert_eq!(follower.borrow_mut().counters().clusters["c"].health_checks, 0);
        let mut obey = || {
            let Ok(Command::Health(target)) = inbox.inbox.try_recv() else { panic!("not told") };
            health::look(&mut follower.borrow_mut(), &target);
        };
        obey();
        assert_eq!(usable(), 1);
        // One that comes with a snapshot is known without being told.
        reload::apply(&follower, Arc::new(with(0, policy(TCP))), Vec::new());
        assert_eq!(usable(), 0);
        reload::apply(&follower, Arc::new(with(2, policy(TCP))), Vec::new());
        assert_eq!(usable(), 1);
        // Whoever takes on a snapshot before the first worker has let go is told again.
        world.apply(with(0, policy(TCP)));
        obey();
        assert_eq!(usable(), 2);
    });
}
