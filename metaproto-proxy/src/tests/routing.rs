//! Which way a call takes, and what is changed on it.

use metaproto_core::{Error, ErrorKind, Metadata, Mutation};

use super::*;
use crate::model::{Balance, Endpoint, Predicate};
use crate::{Filter, Verdict};

/// Answers every call of `count`; tells how many each endpoint has got.
async fn tally(world: &World, endpoints: u8, count: u32) -> Vec<usize> {
    let mut client = world.client().await;
    let mut servers: Vec<Option<Peer>> = (0..endpoints).map(|_| None).collect();
    let mut tally = vec![0; usize::from(endpoints)];
    for n in 0..count {
        client.send(&request(n, "")).await;
        world.settle().await;
        for (i, server) in servers.iter_mut().enumerate() {
            let new = world.try_accept(1 + i as u8);
            *server = new.or_else(|| server.take());
            let Some(server) = server else { continue };
            if let Ok(Some(got)) = server.recv_within(ms(1)).await {
                tally[i] += 1;
                server.send(&response(got.id, "")).await;
            }
        }
        client.expect(&response(n, "")).await;
    }
    tally
}

#[test]
fn a_weighted_split_is_exact() {
    let mut listener = listener();
    listener.routes = vec![Arc::new(Route::split([("a", 3), ("b", 0), ("c", 7)]))];
    let mut snapshot = Snapshot::new().listener(listener);
    for (name, n) in [("a", 1), ("b", 2), ("c", 3)] {
        snapshot = snapshot.cluster(Cluster::new(name, [address(n)]));
    }
    run(snapshot, async |world| {
        assert_eq!(tally(world, 3, 50).await, [15, 0, 35]);
    });
}

#[test]
fn round_robin_goes_around_in_proportion_to_the_weights() {
    for (weights, expected) in [([1, 1, 1], [20, 20, 20]), ([1, 2, 3], [10, 20, 30])] {
        let mut cluster = cluster(Sharing::Shared, 0);
        cluster.endpoints =
            (1..).zip(weights).map(|(n, w)| Endpoint::new(address(n)).weight(w)).collect();
        run(Snapshot::new().listener(listener()).cluster(cluster), async |world| {
            assert_eq!(tally(world, 3, 60).await, expected);
        });
    }
}

#[test]
fn least_request_spares_an_endpoint_that_does_not_answer() {
    let mut cluster = cluster(Sharing::Shared, 2);
    cluster.balance = Balance::LeastRequest;
    run(Snapshot::new().listener(listener()).cluster(cluster), async |world| {
        let mut client = world.client().await;
        // Both get one; one of them keeps it.
        client.send_all(&[request(1, "a"), request(2, "b")]).await;
        let (mut busy, mut free) = (world.accept(1).await, world.accept(2).await);
        busy.recv().await;
        free.echo().await;
        client.recv().await;
        for n in 3..20 {
            client.send(&request(n, "c")).await;
            free.echo().await;
            client.expect(&response(n, "c")).await;
        }
        busy.expect_silence().await;
    });
}

#[test]
fn the_first_route_that_matches_decides() {
    let mut listener = listener();
    let is = |n: &str| Predicate::Exact(n.into());
    listener.routes = vec![
        Arc::new(Route::to("a").when("to", is("1"))),
        Arc::new(Route::to("b").when("TO", Predicate::Range { start: 1, end: 3 })),
        Arc::new(Route::to("c")),
    ];
    let mut snapshot = Snapshot::new().listener(listener);
    for (name, n) in [("a", 1), ("b", 2), ("c", 3)] {
        snapshot = snapshot.cluster(Cluster::new(name, [address(n)]));
    }
    run(snapshot, async |world| {
        let mut client = world.client().await;
        for (to, n) in [(1, 1), (2, 2), (3, 3)] {
            client.send(&request(n.into(), [to])).await;
            world.accept(n).await.echo().await;
            client.expect(&response(n.into(), [to])).await;
        }
    });
}

#[test]
fn changes_of_the_route_are_made_to_request_and_response() {
    let mut route = Route::to("c");
    route.request = Mutation::new().set("to", "65");
    route.response = Mutation::new().set("to", "66");
    for mode in MODES {
        let mut listener = listener();
        listener.routes = vec![Arc::new(route.clone())];
        run(Snapshot::new().listener(listener).cluster(cluster(mode, 1)), async |world| {
            let mut client = world.client().await;
            client.send(&request(7, "xyz")).await;
            let mut server = world.accept(1).await;
            let got = server.recv().await;
            assert_eq!(got.clone().id(7), request(7, "Ayz"));
            server.send(&response(got.id, "xyz")).await;
            client.expect(&response(7, "Byz")).await;
            // Without a body there is nothing to set: the caller is told.
            client.send(&request(8, "")).await;
            client.expect_error(8, ErrorKind::Unsupported).await;
            client.send(&request(9, "x")).await;
            let got = server.recv().await;
            // The call has been carried out: its response is passed on as it is.
            server.send(&response(got.id, "")).await;
            client.expect(&response(9, "")).await;
            assert_eq!(world.listener().unchanged_responses, 1);
        });
    }
}

/// Denies what is for `d`, and marks the rest.
struct Gate;

impl Filter for Gate {
    fn request(&mut self, request: &Metadata, mutation: &mut Mutation) -> Verdict {
        if request.property("to").and_then(|to| to.as_int()) == Some(b'd'.into()) {
            return Verdict::Reply(Error::new(ErrorKind::Denied, "no"));
        }
        *mutation = std::mem::take(mutation).set("to", "65");
        Verdict::Continue
    }

    fn response(&mut self, _: &Metadata, mutation: &mut Mutation) {
        *mutation = std::mem::take(mutation).set("to", "66");
    }
}

#[test]
fn filters_see_every_message_and_may_answer_a_request() {
    for mode in MODES {
        run_filtered(
            simple(mode),
            || Gate,
            async |world| {
                let mut client = world.client().await;
                client.send_all(&[request(1, "denied"), oneway(2, "denied")]).await;
                client.expect_error(1, ErrorKind::Denied).await;
                client.send_all(&[oneway(3, "xyz"), request(4, "xyz")]).await;
                let mut server = world.accept(1).await;
                assert_eq!(server.recv().await.id(3), oneway(3, "Ayz"));
                if mode == Sharing::Exclusive {
                    server = world.accept(1).await;
                }
                let got = server.recv().await;
                assert_eq!(got.clone().id(4), request(4, "Ayz"));
                server.send(&response(got.id, "xyz")).await;
                client.expect(&response(4, "Byz")).await;
            },
        );
    }
}
