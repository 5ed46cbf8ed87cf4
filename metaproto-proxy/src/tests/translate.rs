//! Protocols whose clients don't choose ids that tell requests apart, and whose messages are written
//! anew for the connection that they leave on.

use metaproto_core::{ErrorKind, Mutation, Options};

use super::*;

/// Clients take answers in the order of their requests.
const IN_ORDER: Toy = Toy { in_order: true, translates: true, ..Toy::DEFAULT };

fn simple_in_order(sharing: Sharing) -> Snapshot {
    Snapshot::new().listener(listener_of(IN_ORDER)).cluster(cluster(sharing, 1))
}

/// The same before endpoints that speak the other dialect.
fn bridged(sharing: Sharing) -> Snapshot {
    let mut cluster = cluster(sharing, 1);
    cluster.options = Options::from([("reversed".to_owned(), "yes".to_owned())]);
    Snapshot::new().listener(listener_of(IN_ORDER)).cluster(cluster)
}

#[test]
fn clients_that_use_one_id_for_all_share_a_connection() {
    run(simple_in_order(Sharing::Shared), async |world| {
        let mut clients = [world.client().await, world.client().await];
        for client in &mut clients {
            client.send_all(&[request(7, "a"), request(7, "b")]).await;
        }
        let mut server = world.accept(1).await;
        let mut got = Vec::new();
        for _ in 0..4 {
            got.push(server.recv().await);
        }
        let mut ids: Vec<_> = got.iter().map(|frame| frame.id).collect();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), 4, "{got:?}");
        // The last is answered first.
        for frame in got.iter().rev() {
            server.send(&response(frame.id, &*frame.body)).await;
        }
        for client in &mut clients {
            client.expect(&response(7, "a")).await;
            client.expect(&response(7, "b")).await;
        }
    });
}

#[test]
fn an_exclusive_connection_goes_by_order_whatever_id_comes_back() {
    run(simple_in_order(Sharing::Exclusive), async |world| {
        let mut client = world.client().await;
        client.send(&request(7, "a")).await;
        let mut server = world.accept(1).await;
        assert_eq!(server.recv().await, request(7, "a"));
        server.send(&response(0, "A")).await;
        client.expect(&response(7, "A")).await;
        client.send_all(&[oneway(8, "b"), request(8, "c")]).await;
        assert_eq!(server.recv().await, oneway(8, "b"));
        assert_eq!(server.recv().await, request(8, "c"));
        server.send(&response(9, "C")).await;
        client.expect(&response(8, "C")).await;
    });
}

#[test]
fn calls_and_answers_are_in_the_dialect_of_whom_they_are_for() {
    for mode in MODES {
        run(bridged(mode), async |world| {
            let mut client = world.client().await;
            client.send_all(&[request(7, "abc"), oneway(7, "def")]).await;
            let mut server = world.accept(1).await;
            let got = server.recv().await;
            assert_eq!(got.body, b"<cba");
            server.send(&response(got.id, "<olleh")).await;
            client.expect(&response(7, "hello")).await;
            let mut other = match mode {
                Sharing::Exclusive => world.accept(1).await,
                _ => server,
            };
            assert_eq!(other.recv().await.body, b"<fed");
        });
    }
}

#[test]
fn what_was_changed_is_translated() {
    let mut snapshot = bridged(Sharing::Shared);
    let mut listener = listener_of(IN_ORDER);
    let mut route = Route::to("c");
    route.request = Mutation::new().set("to", "65");
    listener.routes = vec![Arc::new(route)];
    snapshot.listeners = vec![Arc::new(listener)];
    run(snapshot, async |world| {
        let mut client = world.client().await;
        client.send(&request(7, "abc")).await;
        let mut server = world.accept(1).await;
        assert_eq!(server.recv().await.body, b"<cbA");
    });
}

#[test]
fn what_cannot_be_translated_is_answered() {
    run(bridged(Sharing::Shared), async |world| {
        let mut client = world.client().await;
        client.send_all(&[request(7, [toy::SEALED]), request(8, "abc")]).await;
        let mut server = world.accept(1).await;
        client.expect_error(7, ErrorKind::Unsupported).await;
        let got = server.recv().await;
        assert_eq!(got.body, b"<cba");
        server.send(&response(got.id, [toy::SEALED])).await;
        client.expect_error(8, ErrorKind::Unsupported).await;
        client.send(&request(9, "d")).await;
        assert_eq!(server.recv().await.body, b"<d");
    });
}

#[test]
fn other_options_are_another_dialect_from_the_next_call_on() {
    run(simple_in_order(Sharing::Shared), async |world| {
        let mut client = world.client().await;
        client.send(&request(7, "abc")).await;
        let mut server = world.accept(1).await;
        let plain = server.recv().await;
        assert_eq!(plain.body, b"abc");
        world.apply(bridged(Sharing::Shared));
        client.send(&request(8, "def")).await;
        let mut other = world.accept(1).await;
        let got = other.recv().await;
        assert_eq!(got.body, b"<fed");
        other.send(&response(got.id, "<b")).await;
        // What was asked for before is answered, and in its turn.
        server.send(&response(plain.id, "a")).await;
        client.expect(&response(7, "a")).await;
        client.expect(&response(8, "b")).await;
        server.expect_closed().await;
    });
}

#[test]
fn listeners_with_other_options_have_connections_of_their_own() {
    let mut snapshot = simple_in_order(Sharing::Shared);
    let other = Toy { reversed: true, ..IN_ORDER };
    let other = Listener::new("m", address(101), Arc::new(other)).route(Route::to("c"));
    // Before the other, so that the cluster is made for it first.
    snapshot.listeners.insert(0, Arc::new(other));
    run(snapshot, async |world| {
        let mut client = world.client().await;
        client.send(&request(7, "abc")).await;
        assert_eq!(world.accept(1).await.recv().await.body, b"abc");
    });
}

#[test]
fn options_for_a_cluster_are_refused_where_they_mean_nothing() {
    let mut cluster = cluster(Sharing::Shared, 1);
    cluster.options = Options::from([("reversed".to_owned(), "yes".to_owned())]);
    let snapshot = Snapshot::new().listener(listener()).cluster(cluster.clone());
    let error = snapshot.validate().unwrap_err();
    assert_eq!(error.to_string(), "clusters.c.options.reversed: toy has no options for clusters");
    cluster.options = Options::from([("upside".to_owned(), "down".to_owned())]);
    let snapshot = Snapshot::new().listener(listener_of(IN_ORDER)).cluster(cluster);
    let error = snapshot.validate().unwrap_err();
    assert!(error.to_string().starts_with("clusters.c.options.upside: "), "{error}");
}
