//! One upstream connection for each client.

use super::toy::{STREAM_DATA, STREAM_OPEN};
use super::*;

#[test]
fn every_client_has_one_connection_of_its_own_whatever_the_balance_says() {
    let snapshot = Snapshot::new().listener(listener()).cluster(cluster(Sharing::Bound, 3));
    run(snapshot, async |world| {
        let mut pairs = Vec::new();
        for n in [1, 2, 3] {
            let mut client = world.client().await;
            client.send(&request(1, "hello")).await;
            let mut server = world.accept(n).await;
            server.echo().await;
            client.expect(&response(1, "hello")).await;
            pairs.push((client, server));
        }
        for n in 2..12 {
            for (client, server) in &mut pairs {
                client.send(&request(n, "more")).await;
                assert_eq!(server.echo().await.id, n);
                client.expect(&response(n, "more")).await;
            }
        }
        assert_eq!(world.cluster().connections, 3);
        let worker = world.worker.borrow();
        assert!(worker.endpoints.values().all(|endpoint| endpoint.active == 0));
    });
}

#[test]
fn clients_are_spread_over_the_endpoints_however_many_calls_each_makes() {
    let snapshot = Snapshot::new().listener(listener()).cluster(cluster(Sharing::Bound, 2));
    run(snapshot, async |world| {
        let mut connected = Vec::new();
        for n in 0..6 {
            let mut client = world.client().await;
            client.send_all(&[request(1, "a"), request(2, "b")]).await;
            let mut server = world.accept(1 + n % 2).await;
            server.echo().await;
            server.echo().await;
            client.recv().await;
            client.recv().await;
            connected.push((client, server));
        }
    });
}

#[test]
fn the_connection_is_closed_with_its_client() {
    run(simple(Sharing::Bound), async |world| {
        let mut client = world.client().await;
        client.send(&request(1, "a")).await;
        let mut server = world.accept(1).await;
        server.echo().await;
        client.recv().await;
        drop(client);
        server.expect_closed().await;
    });
}

#[test]
fn a_lost_connection_is_made_anew() {
    run(simple(Sharing::Bound), async |world| {
        let mut client = world.client().await;
        for n in 0..3 {
            client.send(&request(n, "a")).await;
            world.accept(1).await.echo().await;
            client.expect(&response(n, "a")).await;
            world.settle().await;
        }
        assert_eq!(world.cluster().connections, 3);
    });
}

#[test]
fn streams_and_pushes_pass_both_ways_as_they_are() {
    run(simple(Sharing::Bound), async |world| {
        let mut client = world.client().await;
        let open = Frame::new(STREAM_OPEN, 3, 0, "open");
        let data = Frame::new(STREAM_DATA, 3, 1, [7; 5000]);
        client.send_all(&[open.clone(), data.clone()]).await;
        let mut server = world.accept(1).await;
        server.expect(&open).await;
        server.expect(&data).await;
        server.send(&data).await;
        client.expect(&data).await;
        client.send(&request(4, "between")).await;
        server.echo().await;
        client.expect(&response(4, "between")).await;
        server.send(&Frame::new(toy::REQUEST, 99, 0, "push")).await;
        client.expect(&Frame::new(toy::REQUEST, 99, 0, "push")).await;
    });
}

#[test]
fn a_stream_that_was_never_opened_and_one_on_a_shared_connection_are_refused() {
    use metaproto_core::ErrorKind;
    run(simple(Sharing::Bound), async |world| {
        let mut client = world.client().await;
        client.send(&Frame::new(STREAM_DATA, 3, 1, "?")).await;
        client.expect_silence().await;
        assert_eq!(world.listener().dropped, 1);
    });
    run(simple(Sharing::Shared), async |world| {
        let mut client = world.client().await;
        client.send(&Frame::new(STREAM_OPEN, 3, 1, "?")).await;
        client.expect_error(3, ErrorKind::Unsupported).await;
    });
}

#[test]
fn a_push_on_a_connection_of_many_reaches_nobody() {
    for mode in [Sharing::Shared, Sharing::Exclusive] {
        run(simple(mode), async |world| {
            let mut client = world.client().await;
            client.send(&request(1, "a")).await;
            let mut server = world.accept(1).await;
            server.send(&Frame::new(toy::REQUEST, 1, 0, "push")).await;
            server.send(&Frame::new(STREAM_DATA, 1, 0, "push")).await;
            server.echo().await;
            client.expect(&response(1, "a")).await;
            client.expect_silence().await;
        });
    }
}
