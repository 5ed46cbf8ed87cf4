//! Many clients on one connection: every response finds its own caller, and no other.

use metaproto_core::{ErrorKind, StatusClass};

use super::*;
use crate::counters::Outcome;

const OK: Outcome = Outcome::Response(StatusClass::Ok);

#[test]
fn the_same_ids_of_many_clients_lead_back_to_each() {
    run(simple(Sharing::Shared), async |world| {
        let mut clients = Vec::new();
        for n in 0..20 {
            let mut client = world.client().await;
            client.send_all(&[request(1, format!("{n}-1")), request(2, format!("{n}-2"))]).await;
            clients.push(client);
        }
        let mut server = world.accept(1).await;
        let mut calls = Vec::new();
        for _ in 0..40 {
            calls.push(server.recv().await);
        }
        for call in calls.iter().rev() {
            server.send(&response(call.id, &call.body)).await;
        }
        for (n, client) in clients.iter_mut().enumerate() {
            client.expect(&response(2, format!("{n}-2"))).await;
            client.expect(&response(1, format!("{n}-1"))).await;
        }
        assert_eq!(world.cluster().connections, 1);
        assert_eq!(world.count(OK), 40);
    });
}

#[test]
fn duplicates_of_an_id_from_one_client_are_calls_of_their_own() {
    for mode in MODES {
        run(simple(mode), async |world| {
            let mut client = world.client().await;
            client.send_all(&[request(1, "a"), request(1, "b")]).await;
            let mut first = world.accept(1).await;
            first.echo().await;
            if mode == Sharing::Exclusive {
                world.accept(1).await.echo().await;
            } else {
                first.echo().await;
            }
            let mut answers = [client.recv().await, client.recv().await];
            answers.sort();
            assert_eq!(answers, [response(1, "a"), response(1, "b")]);
        });
    }
}

#[test]
fn responses_that_answer_nothing_are_dropped() {
    for mode in MODES {
        run(simple(mode), async |world| {
            let mut client = world.client().await;
            client.send(&request(1, "a")).await;
            let mut server = world.accept(1).await;
            let got = server.recv().await;
            let answer = response(got.id, "yes");
            let unknown = response(got.id + 1000, "unknown");
            server.send_all(&[unknown, answer.clone(), answer]).await;
            client.expect(&response(1, "yes")).await;
            client.expect_silence().await;
            assert_eq!(world.cluster().unmatched, 2);
            client.send(&request(2, "b")).await;
            server.echo().await;
            client.expect(&response(2, "b")).await;
        });
    }
}

#[test]
fn a_late_response_reaches_nobody_and_the_connection_lives_on() {
    for mode in [Sharing::Shared, Sharing::Bound] {
        run(simple(mode), async |world| {
            let (mut client, mut other) = (world.client().await, world.client().await);
            client.send(&Frame { code: 5, ..request(1, "slow") }).await;
            let mut server = world.accept(1).await;
            let late = server.recv().await;
            client.expect_error(1, ErrorKind::Timeout).await;
            // The client uses the id again, and somebody else does, too.
            client.send(&request(1, "again")).await;
            let again = server.recv().await;
            other.send(&request(1, "other")).await;
            let mut own = None;
            if mode == Sharing::Bound {
                own = Some(world.accept(1).await);
            }
            let theirs = own.as_mut().unwrap_or(&mut server).recv().await;
            server.send(&response(late.id, "late")).await;
            client.expect_silence().await;
            other.expect_silence().await;
            assert_eq!(world.cluster().late, 1);
            server.send(&response(again.id, "1")).await;
            own.as_mut().unwrap_or(&mut server).send(&response(theirs.id, "2")).await;
            client.expect(&response(1, "1")).await;
            other.expect(&response(1, "2")).await;
            assert_eq!(world.cluster().timeouts, 1);
        });
    }
}

#[test]
fn the_response_to_a_client_that_has_gone_is_dropped() {
    for mode in MODES {
        run(simple(mode), async |world| {
            let mut client = world.client().await;
            client.send(&request(1, "a")).await;
            let mut server = world.accept(1).await;
            let got = server.recv().await;
            drop(client);
            world.settle().await;
            // The client is half-closed for all we know, until a write fails.
            server.send(&response(got.id, "nobody")).await;
            let mut other = world.client().await;
            other.send(&request(1, "b")).await;
            if mode == Sharing::Bound {
                server = world.accept(1).await;
            }
            server.echo().await;
            other.expect(&response(1, "b")).await;
            other.expect_silence().await;
        });
    }
}

fn narrow(bits: u8) -> Snapshot {
    let listener = listener_of(Toy { id_bits: bits, ..Toy::default() });
    Snapshot::new().listener(listener).cluster(cluster(Sharing::Shared, 1))
}

#[test]
fn ids_wrap_around_those_that_are_still_out() {
    run(narrow(8), async |world| {
        let mut client = world.client().await;
        client.send(&request(1, "patient")).await;
        let mut server = world.accept(1).await;
        let patient = server.recv().await;
        client.send(&Frame { code: 1, ..request(2, "abandoned") }).await;
        let abandoned = server.recv().await;
        client.expect_error(2, ErrorKind::Timeout).await;
        for n in 0..1000 {
            client.send(&request(3, n.to_string())).await;
            let got = server.echo().await;
            assert!(got.id < 256 && got.id != patient.id && got.id != abandoned.id);
            client.expect(&response(3, n.to_string())).await;
        }
        server.send(&response(abandoned.id, "late")).await;
        server.send(&response(patient.id, "at last")).await;
        client.expect(&response(1, "at last")).await;
    });
}

#[test]
fn a_connection_whose_ids_are_used_up_by_lost_calls_is_replaced() {
    run(narrow(8), async |world| {
        let mut client = world.client().await;
        let mut servers = Vec::new();
        for n in 0..1000 {
            client.send(&Frame { code: 1, ..request(n, "lost") }).await;
            client.expect_error(n, ErrorKind::Timeout).await;
            servers.extend(world.try_accept(1));
        }
        client.send(&request(1, "found")).await;
        world.settle().await;
        servers.extend(world.try_accept(1));
        let server = servers.last_mut().unwrap();
        let call = loop {
            let call = server.recv().await;
            if call.body == b"found" {
                break call;
            }
        };
        server.send(&response(call.id, "yes")).await;
        client.expect(&response(1, "yes")).await;
    });
}

#[test]
fn with_more_calls_than_ids_the_rest_are_told_and_oneways_take_no_others_id() {
    run(narrow(8), async |world| {
        // Each as many as may be in flight before the first response has come.
        let mut clients = Vec::new();
        for _ in 0..5 {
            let mut client = world.client().await;
            let calls: Vec<_> = (0..60).map(|n| request(n, n.to_string())).collect();
            client.send_all(&calls).await;
            client.send(&oneway(5, "one-way")).await;
            clients.push(client);
        }
        let mut server = world.accept(1).await;
        let mut told = 0;
        for client in &mut clients {
            while let Ok(Some(frame)) = client.recv_within(ms(50)).await {
                assert_eq!(error(&frame).1, ErrorKind::Overloaded);
                told += 1;
            }
        }
        let mut got = Vec::new();
        while let Ok(Some(frame)) = server.recv_within(ms(50)).await {
            got.push(frame);
        }
        let requests = got.iter().filter(|frame| frame.kind == toy::REQUEST).count();
        assert_eq!(requests + told, 300);
        assert!(told > 0);
        for stray in got.iter().filter(|frame| frame.kind == toy::ONEWAY) {
            assert!(got.iter().all(|f| f.kind == toy::ONEWAY || f.id != stray.id));
        }
        for frame in got.iter().filter(|frame| frame.kind == toy::REQUEST) {
            server.send(&response(frame.id, &frame.body)).await;
        }
        let mut answered = 0;
        for client in &mut clients {
            while let Ok(Some(answer)) = client.recv_within(ms(50)).await {
                assert_eq!(answer.body, answer.id.to_string().as_bytes());
                answered += 1;
            }
        }
        assert_eq!(answered, requests);
    });
}
