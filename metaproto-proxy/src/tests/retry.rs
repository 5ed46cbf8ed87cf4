//! Calls that are tried again, and calls that are sent twice.

use metaproto_core::{ErrorKind, StatusClass};
use tokio::time::Instant;

use super::*;
use crate::counters::Outcome;
use crate::model::{Hedge, Retry, RetryBudget, RetryOn};

/// A route to the cluster `c` that tries again for these reasons.
fn route(on: &[RetryOn]) -> Route {
    let mut retry = Retry::on(on.iter().copied());
    retry.attempts = 2;
    let mut route = Route::to("c");
    route.retry = Some(retry);
    route
}

/// The same with the wait between tries left out.
fn at_once(on: &[RetryOn]) -> Route {
    let mut route = route(on);
    if let Some(retry) = &mut route.retry {
        retry.backoff = Duration::ZERO;
    }
    route
}

fn snapshot(route: Route, sharing: Sharing, endpoints: u8) -> Snapshot {
    let mut listener = listener();
    listener.routes = vec![Arc::new(route)];
    Snapshot::new().listener(listener).cluster(cluster(sharing, endpoints))
}

/// A response with a code, which the toy takes for an application error.
fn failure(id: u32, code: u8) -> Frame {
    Frame::new(toy::RESPONSE, id, code, "no")
}

#[test]
fn a_call_whose_connection_is_lost_goes_to_another_endpoint() {
    for mode in MODES {
        run(snapshot(at_once(&[RetryOn::Reset]), mode, 2), async |world| {
            let mut client = world.client().await;
            client.send(&request(7, "a")).await;
            let mut first = world.accept(1).await;
            assert_eq!(first.recv().await.body, b"a");
            drop(first);
            let mut second = world.accept(2).await;
            let got = second.recv().await;
            assert_eq!(got.body, b"a");
            second.send(&response(got.id, "done")).await;
            client.expect(&response(7, "done")).await;
            assert_eq!(world.cluster().retries, 1);
            assert_eq!(world.count(Outcome::Response(StatusClass::Ok)), 1);
        });
    }
}

#[test]
fn what_is_no_reason_ends_the_call() {
    run(snapshot(at_once(&[RetryOn::Timeout]), Sharing::Shared, 2), async |world| {
        let mut client = world.client().await;
        client.send(&request(7, "a")).await;
        let mut first = world.accept(1).await;
        first.recv().await;
        drop(first);
        client.expect_error(7, ErrorKind::UpstreamReset).await;
        assert_eq!(world.cluster().retries, 0);
    });
}

#[test]
fn the_last_response_is_passed_on() {
    let reasons = [[RetryOn::Code(42)], [RetryOn::Class(StatusClass::ApplicationError)]];
    for on in reasons {
        run(snapshot(at_once(&on), Sharing::Shared, 1), async |world| {
            let mut client = world.client().await;
            client.send_all(&[request(7, "a"), request(8, "b")]).await;
            let mut server = world.accept(1).await;
            let (a, b) = (server.recv().await, server.recv().await);
            server.send(&response(b.id, "fine")).await;
            client.expect(&response(8, "fine")).await;
            server.send(&failure(a.id, 42)).await;
            for _ in 0..2 {
                let again = server.recv().await;
                assert_eq!(again.body, b"a");
                server.send(&failure(again.id, 42)).await;
            }
            client.expect(&failure(7, 42)).await;
            client.expect_silence().await;
            assert_eq!(world.cluster().retries, 2);
        });
    }
}

#[test]
fn a_try_that_takes_too_long_is_given_up_and_its_response_reaches_nobody() {
    for mode in [Sharing::Shared, Sharing::Exclusive] {
        let mut route = at_once(&[RetryOn::Timeout]);
        if let Some(retry) = &mut route.retry {
            retry.per_try_timeout = Some(ms(200));
        }
        run(snapshot(route, mode, 2), async |world| {
            let mut client = world.client().await;
            let start = Instant::now();
            client.send(&request(7, "a")).await;
            let mut slow = world.accept(1).await;
            let late = slow.recv().await;
            let mut other = world.accept(2).await;
            let got = other.recv().await;
            assert!((ms(200)..ms(230)).contains(&start.elapsed()), "{:?}", start.elapsed());
            if mode == Sharing::Shared {
                slow.send(&response(late.id, "late")).await;
            }
            client.expect_silence().await;
            other.send(&response(got.id, "in time")).await;
            client.expect(&response(7, "in time")).await;
        });
    }
}

#[test]
fn the_timeout_of_a_call_is_that_of_all_its_tries() {
    let mut route = at_once(&[RetryOn::Timeout]).timeout(ms(300));
    if let Some(retry) = &mut route.retry {
        (retry.per_try_timeout, retry.attempts) = (Some(ms(100)), 100);
    }
    run(snapshot(route, Sharing::Shared, 1), async |world| {
        let mut client = world.client().await;
        let start = Instant::now();
        client.send(&request(7, "a")).await;
        let mut server = world.accept(1).await;
        client.expect_error(7, ErrorKind::Timeout).await;
        assert!((ms(250)..ms(330)).contains(&start.elapsed()), "{:?}", start.elapsed());
        assert!(server.recv().await.body == b"a" && world.cluster().retries == 2);
    });
}

#[test]
fn one_way_calls_are_sent_once() {
    run(snapshot(at_once(&[RetryOn::Reset]), Sharing::Exclusive, 2), async |world| {
        let mut client = world.client().await;
        client.send(&oneway(7, "a")).await;
        let mut first = world.accept(1).await;
        first.recv().await;
        drop(first);
        world.settle().await;
        assert!(world.try_accept(2).is_none());
        assert_eq!((world.cluster().retries, world.count(Outcome::Oneway)), (0, 1));
    });
}

#[test]
fn no_more_calls_than_the_budget_allows_are_tried_again_at_once() {
    let mut snapshot = snapshot(route(&[RetryOn::Reset]), Sharing::Shared, 1);
    let mut cluster = cluster(Sharing::Shared, 1);
    cluster.retry_budget = RetryBudget { percent: 0, min: 2 };
    snapshot = snapshot.cluster(cluster);
    run(snapshot, async |world| {
        let mut client = world.client().await;
        let calls: Vec<_> = (1..=5).map(|id| request(id, "a")).collect();
        client.send_all(&calls).await;
        let mut first = world.accept(1).await;
        for _ in 0..5 {
            first.recv().await;
        }
        drop(first);
        for _ in 0..3 {
            assert_eq!(error(&client.recv().await).1, ErrorKind::UpstreamReset);
        }
        let mut second = world.accept(1).await;
        for _ in 0..2 {
            second.echo().await;
            client.recv().await;
        }
        let counted = world.cluster();
        assert_eq!((counted.retries, counted.retries_refused), (2, 3));
    });
}

#[test]
fn a_client_that_goes_while_its_call_waits_is_not_called_for() {
    let mut route = route(&[RetryOn::Reset]);
    if let Some(retry) = &mut route.retry {
        (retry.backoff, retry.max_backoff) = (ms(5000), ms(5000));
    }
    run(snapshot(route, Sharing::Exclusive, 1), async |world| {
        let mut client = world.client().await;
        client.send(&request(7, "a")).await;
        let mut first = world.accept(1).await;
        first.recv().await;
        client.send(&request(8, "b")).await;
        let mut second = world.accept(1).await;
        let got = second.recv().await;
        drop(first);
        world.settle().await;
        drop(client);
        // Writing it fails, which is how it is found out that the client has gone.
        second.send(&response(got.id, "b")).await;
        tokio::time::sleep(ms(6000)).await;
        assert!(world.try_accept(1).is_none());
        second.expect_silence().await;
        assert_eq!(world.count(Outcome::Abandoned), 1);
    });
}

#[test]
fn calls_that_wait_are_answered_when_the_drain_ends() {
    let mut route = route(&[RetryOn::Reset]);
    if let Some(retry) = &mut route.retry {
        (retry.backoff, retry.max_backoff) = (ms(14_000), ms(14_000));
    }
    run(snapshot(route, Sharing::Shared, 1), async |world| {
        let mut client = world.client().await;
        // Some wait longer than the drain takes.
        let calls: Vec<_> = (1..=3).map(|id| request(id, "a")).collect();
        client.send_all(&calls).await;
        let mut first = world.accept(1).await;
        first.recv().await;
        drop(first);
        world.settle().await;
        world.drain(ms(100));
        client.recv().await; // go away
        for _ in 0..3 {
            let (_, kind) = error(&client.recv().await);
            assert!(matches!(kind, ErrorKind::Draining | ErrorKind::UpstreamReset), "{kind:?}");
        }
        drop(client);
        world.ended().await;
    });
}

fn hedged() -> Snapshot {
    let mut route = Route::to("c");
    route.hedge = Some(Hedge { after: ms(100) });
    snapshot(route, Sharing::Shared, 2)
}

#[test]
fn a_slow_call_is_sent_to_another_endpoint_and_the_first_answer_counts() {
    run(hedged(), async |world| {
        let mut client = world.client().await;
        let start = Instant::now();
        client.send(&request(7, "a")).await;
        let mut slow = world.accept(1).await;
        let late = slow.recv().await;
        let mut other = world.accept(2).await;
        let got = other.recv().await;
        assert!((ms(100)..ms(130)).contains(&start.elapsed()), "{:?}", start.elapsed());
        assert_eq!(got.body, b"a");
        other.send(&response(got.id, "first")).await;
        client.expect(&response(7, "first")).await;
        slow.send(&response(late.id, "second")).await;
        client.expect_silence().await;
        assert_eq!(world.count(Outcome::Response(StatusClass::Ok)), 1);
        assert_eq!(world.listener().started, 1);
    });
}

#[test]
fn a_call_that_is_answered_soon_is_sent_once() {
    run(hedged(), async |world| {
        let mut client = world.client().await;
        client.send(&request(7, "a")).await;
        let mut server = world.accept(1).await;
        server.echo().await;
        client.recv().await;
        tokio::time::sleep(ms(300)).await;
        assert!(world.try_accept(2).is_none());
    });
}

#[test]
fn of_two_calls_for_one_request_the_failure_of_one_is_not_told() {
    run(hedged(), async |world| {
        let mut client = world.client().await;
        client.send(&request(7, "a")).await;
        let mut first = world.accept(1).await;
        first.recv().await;
        let mut second = world.accept(2).await;
        let got = second.recv().await;
        drop(first);
        client.expect_silence().await;
        second.send(&response(got.id, "done")).await;
        client.expect(&response(7, "done")).await;
        // Both fail: told once.
        client.send(&request(8, "b")).await;
        second.recv().await;
        let mut third = world.accept(1).await;
        third.recv().await;
        drop((second, third));
        client.expect_error(8, ErrorKind::UpstreamReset).await;
        client.expect_silence().await;
    });
}
