//! Which endpoint gets a call, from the client to the server.

use super::world::Door;
use super::*;
use crate::model::{Balance, Endpoint, HashKey, SubsetFallback};

/// The cluster `c` of these endpoints.
fn cluster_of(endpoints: impl IntoIterator<Item = Endpoint>) -> Cluster {
    let mut cluster = cluster(Sharing::Shared, 0);
    cluster.endpoints = endpoints.into_iter().collect();
    cluster
}

fn world_of(cluster: Cluster) -> Snapshot {
    Snapshot::new().listener(listener()).cluster(cluster)
}

fn to() -> HashKey {
    HashKey::Property("to".into())
}

/// Servers that answer whatever comes; who got what.
struct Servers(Vec<Option<Peer>>);

impl Servers {
    fn new(count: u8) -> Self {
        Servers((0..count).map(|_| None).collect())
    }

    /// Sends a call; tells which server has answered it, or that nobody has.
    async fn call(&mut self, world: &World, client: &mut Peer, id: u32, body: &[u8]) -> Option<u8> {
        client.send(&request(id, body)).await;
        world.settle().await;
        let mut by = None;
        for n in 1..=self.0.len() as u8 {
            let server = &mut self.0[usize::from(n) - 1];
            *server = world.try_accept(n).or_else(|| server.take());
            let Some(server) = server else { continue };
            if let Ok(Some(got)) = server.recv_within(ms(1)).await {
                server.send(&response(got.id, body)).await;
                assert_eq!(by.replace(n), None, "one call, one server");
            }
        }
        let answer = client.recv().await;
        assert_eq!(answer.id, id);
        assert_eq!(by.is_none(), answer.error().is_some(), "{answer:?}");
        by
    }
}

#[test]
fn calls_of_the_same_key_go_to_the_same_endpoint() {
    for balance in [Balance::RingHash { ring_size: 1024 }, Balance::Maglev { table_size: 251 }] {
        let mut cluster = cluster_of((1..=4).map(address).map(Endpoint::new));
        (cluster.balance, cluster.hash) = (balance, vec![to()]);
        run(world_of(cluster), async |world| {
            let (mut client, mut servers) = (world.client().await, Servers::new(4));
            let mut owners = Vec::new();
            for key in 0..40 {
                owners.push(servers.call(world, &mut client, key, &[key as u8]).await);
            }
            // Another client's calls find the same endpoints.
            let mut other = world.client().await;
            for key in (0..40).rev() {
                let owner = servers.call(world, &mut other, key, &[key as u8]).await;
                assert_eq!(owner, owners[key as usize], "{balance:?}");
            }
            assert!((1..=4).all(|n| owners.contains(&Some(n))), "{owners:?}");
            assert_eq!(world.cluster().unkeyed, 0);
            servers.call(world, &mut client, 50, b"").await;
            assert_eq!(world.cluster().unkeyed, 1);
        });
    }
}

#[test]
fn the_address_of_the_client_is_a_key() {
    let mut cluster = cluster_of((1..=4).map(address).map(Endpoint::new));
    cluster.balance = Balance::Maglev { table_size: 251 };
    cluster.hash = vec![HashKey::ClientAddress];
    run(world_of(cluster), async |world| {
        let (mut one, mut two) = (world.client().await, world.client().await);
        let mut servers = Servers::new(4);
        let owner = servers.call(world, &mut one, 1, b"a").await;
        for id in 2..10 {
            assert_eq!(servers.call(world, &mut one, id, &[id as u8]).await, owner);
            assert_eq!(servers.call(world, &mut two, id, &[id as u8]).await, owner);
        }
    });
}

#[test]
fn the_key_of_a_route_comes_before_that_of_the_cluster() {
    let mut cluster = cluster_of((1..=4).map(address).map(Endpoint::new));
    cluster.balance = Balance::Maglev { table_size: 251 };
    cluster.hash = vec![HashKey::ClientAddress];
    let mut route = Route::to("c");
    route.hash = vec![to()];
    let mut listener = listener();
    listener.routes = vec![Arc::new(route)];
    run(Snapshot::new().listener(listener).cluster(cluster), async |world| {
        let (mut client, mut servers) = (world.client().await, Servers::new(4));
        let mut owners = Vec::new();
        for key in 0..40 {
            owners.push(servers.call(world, &mut client, key, &[key as u8]).await);
        }
        assert!((1..=4).all(|n| owners.contains(&Some(n))), "{owners:?}");
    });
}

#[test]
fn a_key_that_is_hashed_is_asked_of_the_codec() {
    let mut hashed = cluster_of([Endpoint::new(address(1)), Endpoint::new(address(2))]);
    (hashed.balance, hashed.hash) = (Balance::RingHash { ring_size: 9 }, vec![to()]);
    let mut sticky = Route::split([("c", 1), ("d", 1)]);
    sticky.sticky = vec![HashKey::Property("Kind".into()), HashKey::ClientAddress];
    let mut listener = listener();
    listener.routes = vec![Arc::new(sticky)];
    let plain = Cluster::new("d", [address(3)]);
    let snapshot = Snapshot::new().listener(listener).cluster(hashed).cluster(plain);
    run(Snapshot::new(), async |world| {
        crate::reload::apply(&world.worker, Arc::new(snapshot), Vec::new());
        let listeners = &world.worker.borrow().listeners;
        let interest = listeners["l"].borrow().interest.clone();
        assert!(interest.wants("to") && interest.wants("kind") && !interest.wants("other"));
    });
}

#[test]
fn a_sticky_split_keeps_a_key_in_its_cluster() {
    let mut route = Route::split([("a", 1), ("b", 1)]);
    route.sticky = vec![to()];
    let mut listener = listener();
    listener.routes = vec![Arc::new(route)];
    let snapshot = Snapshot::new()
        .listener(listener)
        .cluster(Cluster::new("a", [address(1)]))
        .cluster(Cluster::new("b", [address(2)]));
    run(snapshot, async |world| {
        let (mut client, mut servers) = (world.client().await, Servers::new(2));
        let mut owners = Vec::new();
        for key in 0..30 {
            owners.push(servers.call(world, &mut client, key, &[key as u8]).await);
        }
        for key in 0..30 {
            let owner = servers.call(world, &mut client, key, &[key as u8]).await;
            assert_eq!(owner, owners[key as usize]);
        }
        let first = owners.iter().filter(|owner| **owner == Some(1)).count();
        assert!((8..=22).contains(&first), "{owners:?}");
        // Without a key the clusters take turns.
        let turns = [
            servers.call(world, &mut client, 50, b"").await,
            servers.call(world, &mut client, 51, b"").await,
        ];
        assert_eq!(turns, [Some(1), Some(2)]);
    });
}

#[test]
fn a_small_share_of_a_split_outlasts_changes_of_configuration() {
    let snapshot = || {
        let mut listener = listener();
        listener.routes = vec![Arc::new(Route::split([("a", 9), ("b", 1)]))];
        Snapshot::new()
            .listener(listener)
            .cluster(Cluster::new("a", [address(1)]))
            .cluster(Cluster::new("b", [address(2)]))
    };
    run(snapshot(), async |world| {
        let (mut client, mut servers) = (world.client().await, Servers::new(2));
        let mut got = [0; 3];
        for id in 0..30 {
            world.apply(snapshot());
            got[usize::from(servers.call(world, &mut client, id, b"").await.expect("one"))] += 1;
        }
        assert_eq!(got, [0, 27, 3]);
    });
}

fn labelled(fallback: SubsetFallback) -> Cluster {
    let label = |n, version| Endpoint::new(address(n)).label("version", version).label("zone", "a");
    let mut cluster = cluster_of([label(1, "v1"), label(2, "v2"), label(3, "v2")]);
    cluster.subset_fallback = fallback;
    cluster
}

/// Routes calls that begin with `a` to v1, with `b` to v2, and with `c` to v3.
fn by_version(fallback: SubsetFallback, sharing: Sharing) -> Snapshot {
    let mut listener = listener();
    let route = |(key, version): (u8, &str)| {
        let exact = crate::model::Predicate::Exact(key.to_string());
        let mut route = Route::to("c").when("to", exact);
        let target = route.clusters.remove(0);
        route.clusters.push(target.label("version", version));
        Arc::new(route)
    };
    listener.routes = [(b'a', "v1"), (b'b', "v2"), (b'c', "v3")].map(route).into();
    listener.routes.push(Arc::new(Route::to("c")));
    Snapshot::new().listener(listener).cluster(labelled(fallback).sharing(sharing))
}

#[test]
fn a_route_to_a_subset_uses_its_endpoints_only() {
    for mode in MODES {
        run(by_version(SubsetFallback::None, mode), async |world| {
            let mut got = [0; 4];
            for id in 0..12 {
                let (mut client, mut servers) = (world.client().await, Servers::new(3));
                assert_eq!(servers.call(world, &mut client, id, b"a").await, Some(1));
                let v2 = servers.call(world, &mut client, id, b"b").await.expect("an answer");
                got[usize::from(v2)] += 1;
                assert_eq!(servers.call(world, &mut client, id, b"c").await, None);
            }
            assert_eq!(got[1], 0);
            assert!(mode != Sharing::Shared || got[2] == got[3], "{got:?}");
            assert_eq!(world.cluster().requests, 24, "subsets count as their cluster");
        });
    }
}

#[test]
fn an_empty_subset_may_fall_back_to_the_whole_cluster() {
    run(by_version(SubsetFallback::Any, Sharing::Shared), async |world| {
        let (mut client, mut servers) = (world.client().await, Servers::new(3));
        let mut owners = Vec::new();
        for id in 0..6 {
            owners.push(servers.call(world, &mut client, id, b"c").await);
        }
        owners.sort_unstable();
        assert_eq!(owners, [1, 1, 2, 2, 3, 3].map(Some));
    });
}

#[test]
fn an_empty_subset_is_told() {
    run(by_version(SubsetFallback::None, Sharing::Shared), async |world| {
        let mut client = world.client().await;
        client.send(&request(1, "c")).await;
        let answer = client.recv().await;
        let text = String::from_utf8_lossy(&answer.body);
        assert_eq!(text, "cluster c has no endpoints with version=v3");
    });
}

#[test]
fn a_change_of_labels_moves_calls_and_loses_none() {
    run(by_version(SubsetFallback::None, Sharing::Shared), async |world| {
        let mut client = world.client().await;
        client.send(&request(1, "a")).await;
        let mut old = world.accept(1).await;
        let got = old.recv().await;
        let mut snapshot = by_version(SubsetFallback::None, Sharing::Shared);
        let cluster = Arc::make_mut(snapshot.clusters.get_mut("c").expect("a cluster"));
        cluster.endpoints[0] = Endpoint::new(address(1)).label("version", "v3");
        cluster.endpoints[1] = Endpoint::new(address(2)).label("version", "v1");
        world.apply(snapshot);
        client.send(&request(2, "a")).await;
        world.accept(2).await.echo().await;
        client.expect(&response(2, "a")).await;
        old.send(&response(got.id, "done")).await;
        client.expect(&response(1, "done")).await;
    });
}

#[test]
fn calls_spill_over_to_the_next_priority_and_come_back() {
    let cluster = cluster_of([1, 2].map(|n| Endpoint::new(address(n)).priority(u32::from(n))));
    run(world_of(cluster), async |world| {
        world.door(1, Door::Refuse);
        let (mut client, mut servers) = (world.client().await, Servers::new(2));
        assert_eq!(servers.call(world, &mut client, 1, b"").await, Some(2));
        assert_eq!(servers.call(world, &mut client, 2, b"").await, Some(2));
        let counted = world.cluster();
        assert_eq!((counted.redispatched, counted.panicked), (1, 0));
        assert_eq!(counted.spilled, 2);
        world.door(1, Door::Open);
        tokio::time::sleep(ms(2000)).await;
        assert_eq!(servers.call(world, &mut client, 3, b"").await, Some(1));
    });
}

#[test]
fn without_a_panic_threshold_nothing_that_is_down_is_asked() {
    for endpoints in [1, 2] {
        for threshold in [0, 50] {
            let mut cluster = cluster(Sharing::Shared, endpoints);
            cluster.panic_threshold = threshold;
            run(world_of(cluster), async |world| {
                (1..=endpoints).for_each(|n| world.door(n, Door::Refuse));
                let mut client = world.client().await;
                let mut servers = Servers::new(endpoints);
                assert_eq!(servers.call(world, &mut client, 1, b"").await, None);
                (1..=endpoints).for_each(|n| world.door(n, Door::Open));
                let found = servers.call(world, &mut client, 2, b"").await;
                assert_eq!(found.is_some(), threshold > 0);
                tokio::time::sleep(ms(2000)).await;
                assert!(servers.call(world, &mut client, 3, b"").await.is_some());
            });
        }
    }
}

#[test]
fn with_too_few_usable_endpoints_all_are_used() {
    for threshold in [50, Cluster::DEFAULT_PANIC_THRESHOLD] {
        let mut cluster = cluster(Sharing::Shared, 3);
        cluster.panic_threshold = threshold;
        run(world_of(cluster), async |world| {
            (2..=3).for_each(|n| world.door(n, Door::Refuse));
            let (mut client, mut servers) = (world.client().await, Servers::new(3));
            for id in 0..9 {
                assert_eq!(servers.call(world, &mut client, id, b"").await, Some(1));
            }
            // One of three is left: more than one percent, and less than fifty.
            let panicked = world.cluster().panicked;
            assert_eq!(panicked > 0, threshold == 50, "{panicked}");
        });
    }
}

#[test]
fn a_server_that_is_slow_or_silent_is_spared() {
    let mut cluster = cluster(Sharing::Shared, 2);
    cluster.balance = Balance::PeakEwma { decay: ms(10_000) };
    run(world_of(cluster), async |world| {
        let mut client = world.client().await;
        // Both are tried; one takes its time.
        client.send_all(&[request(1, "a"), request(2, "b")]).await;
        let (mut slow, mut fast) = (world.accept(1).await, world.accept(2).await);
        fast.echo().await;
        client.recv().await;
        tokio::time::sleep(ms(500)).await;
        slow.echo().await;
        client.recv().await;
        for id in 3..50 {
            client.send(&request(id, "c")).await;
            fast.echo().await;
            client.expect(&response(id, "c")).await;
        }
        slow.expect_silence().await;
        // Now the fast one says nothing at all: a call that ran out of time counts, too.
        let late = Frame::new(toy::REQUEST, 50, 100, "d");
        client.send(&late).await;
        fast.recv().await;
        client.expect_error(50, metaproto_core::ErrorKind::Timeout).await;
        client.send(&request(51, "e")).await;
        slow.echo().await;
        client.expect(&response(51, "e")).await;
    });
}

#[test]
fn an_endpoint_that_is_added_starts_slowly() {
    let with = |count| {
        let mut cluster = cluster(Sharing::Shared, count);
        cluster.slow_start = Some(ms(30_000));
        world_of(cluster)
    };
    run(with(1), async |world| {
        let (mut client, mut servers) = (world.client().await, Servers::new(2));
        tokio::time::sleep(ms(60_000)).await;
        servers.call(world, &mut client, 1, b"").await;
        world.apply(with(2));
        let mut got = [0; 3];
        for id in 2..42 {
            got[usize::from(servers.call(world, &mut client, id, b"").await.expect("one"))] += 1;
        }
        assert!(got[2] > 0 && got[2] < got[1] / 4, "{got:?}");
        tokio::time::sleep(ms(60_000)).await;
        let mut got = [0; 3];
        for id in 42..62 {
            got[usize::from(servers.call(world, &mut client, id, b"").await.expect("one"))] += 1;
        }
        assert_eq!(got, [0, 10, 10]);
    });
}
