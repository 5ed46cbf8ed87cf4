//! Endpoints that are left out because their calls fail.

use metaproto_core::{ErrorKind, StatusClass};

use super::world::Door;
use super::*;
use crate::model::OutlierDetection;

fn with(endpoints: u8, policy: OutlierDetection) -> Snapshot {
    let mut cluster = cluster(Sharing::Shared, endpoints);
    cluster.outlier_detection = Some(policy);
    Snapshot::new().listener(listener()).cluster(cluster)
}

/// Three failures in a row of application errors, which is what the toy can tell.
fn three() -> OutlierDetection {
    OutlierDetection {
        consecutive_failures: Some(3),
        classes: vec![StatusClass::ApplicationError],
        ..OutlierDetection::default()
    }
}

/// Calls, of which those that meet the first of the servers fail; tells how many did.
async fn calls(client: &mut Peer, servers: &mut [Peer; 2], count: u32) -> u32 {
    let mut failed = 0;
    for id in 1..=count {
        client.send(&request(id, "a")).await;
        let [bad, good] = servers;
        tokio::select! {
            got = bad.recv() => {
                failed += 1;
                bad.send(&Frame::new(toy::RESPONSE, got.id, 9, "no")).await;
            }
            got = good.recv() => good.send(&response(got.id, "yes")).await,
        }
        client.recv().await;
    }
    failed
}

async fn connected(world: &World, client: &mut Peer) -> [Peer; 2] {
    client.send_all(&[request(1, "a"), request(2, "b")]).await;
    let mut servers = [world.accept(1).await, world.accept(2).await];
    for server in &mut servers {
        server.echo().await;
        client.recv().await;
    }
    servers
}

#[test]
fn an_endpoint_is_not_blamed_when_the_proxy_has_no_descriptors() {
    let policy = OutlierDetection { consecutive_failures: Some(1), ..three() };
    run(with(1, policy), async |world| {
        let mut client = world.client().await;
        world.door(1, Door::Shortage);
        for id in 1..=5 {
            client.send(&request(id, "a")).await;
            client.expect_error(id, ErrorKind::Overloaded).await;
        }
        let cluster = world.cluster();
        assert_eq!((cluster.connect_failures, cluster.local_connect_failures), (5, 5));
        assert_eq!((cluster.ejections, cluster.ejections_refused), (0, 0));
        // As soon as there are some, it is there.
        world.door(1, Door::Open);
        client.send(&request(6, "b")).await;
        let mut server = world.accept(1).await;
        server.echo().await;
        client.expect(&response(6, "b")).await;
    });
}

#[test]
fn an_endpoint_whose_calls_fail_is_left_out_and_comes_back_and_longer_the_next_time() {
    run(with(2, three()), async |world| {
        let mut client = world.client().await;
        let mut servers = connected(world, &mut client).await;
        // Every second call meets it until it is left out.
        assert_eq!(calls(&mut client, &mut servers, 20).await, 3);
        assert_eq!(world.cluster().ejections, 1);
        tokio::time::sleep(ms(29_000)).await;
        assert_eq!(calls(&mut client, &mut servers, 10).await, 0);
        tokio::time::sleep(ms(1500)).await;
        assert_eq!(calls(&mut client, &mut servers, 20).await, 3);
        tokio::time::sleep(ms(58_000)).await;
        assert_eq!(calls(&mut client, &mut servers, 10).await, 0);
    });
}

#[test]
fn a_call_that_goes_well_ends_the_row() {
    run(with(2, three()), async |world| {
        let mut client = world.client().await;
        let mut servers = connected(world, &mut client).await;
        for _ in 0..5 {
            assert_eq!(calls(&mut client, &mut servers, 4).await, 2);
            for server in [0, 1, 0, 1] {
                client.send(&request(50, "a")).await;
                let got = servers[server].recv().await;
                servers[server].send(&response(got.id, "yes")).await;
                client.recv().await;
            }
        }
        assert_eq!(world.cluster().ejections, 0);
    });
}

#[test]
fn the_share_of_failures_counts_as_well() {
    let policy = OutlierDetection {
        consecutive_failures: None,
        failure_rate: Some(50),
        min_requests: 10,
        ..three()
    };
    run(with(2, policy), async |world| {
        let mut client = world.client().await;
        let mut servers = connected(world, &mut client).await;
        // The one that went well when it was connected counts, too.
        assert_eq!(calls(&mut client, &mut servers, 40).await, 9);
    });
}

#[test]
fn the_last_endpoint_is_never_left_out() {
    run(with(1, three()), async |world| {
        let mut client = world.client().await;
        client.send(&request(1, "a")).await;
        let mut server = world.accept(1).await;
        for _ in 0..10 {
            let got = server.recv().await;
            server.send(&Frame::new(toy::RESPONSE, got.id, 9, "no")).await;
            client.recv().await;
            client.send(&request(1, "a")).await;
        }
        server.echo().await;
        assert_eq!((world.cluster().ejections, world.cluster().ejections_refused), (0, 8));
    });
}

#[test]
fn an_endpoint_that_does_not_answer_is_left_out() {
    let policy = OutlierDetection { consecutive_local: Some(2), ..OutlierDetection::default() };
    run(with(2, policy), async |world| {
        let mut client = world.client().await;
        let mut servers = connected(world, &mut client).await;
        for _ in 0..2 {
            let timed = |id| Frame { code: 5, ..request(id, "a") };
            client.send_all(&[timed(7), timed(8)]).await;
            servers[1].echo().await;
            client.recv().await;
            client.expect_error(7, ErrorKind::Timeout).await;
        }
        assert_eq!(world.cluster().ejections, 1);
        world.door(1, Door::Refuse);
        for id in 1..=6 {
            client.send(&request(id, "a")).await;
            servers[1].echo().await;
            client.recv().await;
        }
    });
}
