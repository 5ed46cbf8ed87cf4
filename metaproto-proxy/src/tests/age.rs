//! Frames that don't end, and connections that are kept for long.

use super::*;

fn with(change: impl Fn(&mut Listener, &mut Cluster)) -> Snapshot {
    let (mut listener, mut cluster) = (listener(), cluster(Sharing::Shared, 1));
    change(&mut listener, &mut cluster);
    Snapshot::new().listener(listener).cluster(cluster)
}

#[test]
fn a_client_that_trickles_is_closed_and_what_it_had_asked_for_is_answered() {
    let snapshot = with(|listener, _| listener.frame_timeout = Some(ms(2000)));
    run(snapshot, async |world| {
        let (mut slow, mut steady) = (world.client().await, world.client().await);
        slow.send(&request(1, "whole")).await;
        let mut server = world.accept(1).await;
        let got = server.recv().await;
        // A byte now and then keeps no connection; a frame that ends does.
        let bytes = toy::frame(toy::REQUEST, 2, 0, &[b'x'; 100]);
        for byte in &bytes[..4] {
            slow.send_bytes(&[*byte]).await;
            steady.send(&Frame::new(toy::PING, 1, 0, "")).await;
            steady.expect(&Frame::new(toy::PONG, 1, 0, "")).await;
            steady.send_bytes(&bytes[..3]).await;
            tokio::time::sleep(ms(700)).await;
            steady.send_bytes(&bytes[3..]).await;
            let got = server.recv().await;
            server.send(&response(got.id, "ok")).await;
            steady.recv().await;
        }
        server.send(&response(got.id, "done")).await;
        slow.expect(&response(1, "done")).await;
        slow.expect_closed().await;
        assert_eq!(world.listener().frame_timeouts, 1);
    });
}

#[test]
fn an_old_client_is_asked_to_go_between_two_requests() {
    let snapshot = with(|listener, _| listener.max_connection_age = Some(ms(5000)));
    run(snapshot, async |world| {
        let mut client = world.client().await;
        client.send(&request(1, "a")).await;
        let mut server = world.accept(1).await;
        server.echo().await;
        client.recv().await;
        tokio::time::sleep(ms(4000)).await;
        client.send(&request(9, "last")).await;
        let got = server.recv().await;
        tokio::time::sleep(ms(2000)).await;
        client.expect(&Frame::new(toy::GO_AWAY, 0, 0, "")).await;
        server.send(&response(got.id, "done")).await;
        client.expect(&response(9, "done")).await;
        client.expect_closed().await;
    });
}

#[test]
fn an_old_upstream_connection_is_replaced_and_its_call_finishes() {
    let snapshot = with(|_, cluster| cluster.max_connection_age = Some(ms(3000)));
    run(snapshot, async |world| {
        let mut client = world.client().await;
        client.send(&request(1, "long")).await;
        let mut old = world.accept(1).await;
        let got = old.recv().await;
        tokio::time::sleep(ms(4000)).await;
        client.send(&request(2, "next")).await;
        let mut new = world.accept(1).await;
        new.echo().await;
        client.recv().await;
        old.send(&response(got.id, "done")).await;
        client.expect(&response(1, "done")).await;
        old.expect_closed().await;
    });
}
